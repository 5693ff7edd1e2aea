-- The audit log as the members of an organisation see it: entries of their organisation, by the log's own row-level security.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.list_events(before bigint DEFAULT NULL, event text DEFAULT NULL, actor text DEFAULT NULL,
                                         since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, page int DEFAULT 50) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH entries AS (
        SELECT l.* FROM rampart.audit_log l
        WHERE (before IS NULL OR l.id < before) AND (list_events.event IS NULL OR l.event = list_events.event)
          AND (list_events.actor IS NULL OR l.actor = list_events.actor)
          AND (since IS NULL OR l.at >= since) AND (until IS NULL OR l.at < until)
          AND l.org = rampart_auth.here()::text
        ORDER BY l.id DESC LIMIT page)
    SELECT jsonb_build_object(
        'items', coalesce(jsonb_agg(jsonb_build_object(
            'id', e.id::text, 'at', e.at, 'event', e.event, 'severity', e.severity, 'actor', e.actor, 'ip', host(e.ip),
            'user_agent', e.user_agent, 'request_id', e.request_id, 'relation', e.relation, 'operation', e.operation,
            'metadata', e.metadata) ORDER BY e.id DESC), '[]'),
        'next', CASE WHEN count(*) = page THEN min(e.id)::text END)
    FROM entries e
$$;
COMMENT ON FUNCTION rampart_auth.list_events(bigint, text, text, timestamptz, timestamptz, int) IS
'A page of the organisation''s entries, newest first; next is what to ask for before.';

CREATE FUNCTION rampart_auth.prove_event(number bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM rampart.audit_log l WHERE l.id = prove_event.number AND l.org = rampart_auth.here()::text) THEN
        RAISE EXCEPTION 'no such entry' USING ERRCODE = 'RMU03';
    END IF;
    RETURN to_jsonb(p) FROM rampart.inclusion_proof(prove_event.number) p;
END
$$;
COMMENT ON FUNCTION rampart_auth.prove_event(bigint) IS 'The proof that an entry is in the sealed log. Errors: RMU03, RMA06 not sealed yet.';

GRANT EXECUTE ON FUNCTION rampart_auth.list_events, rampart_auth.prove_event TO rampartd;
