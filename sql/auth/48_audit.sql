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
DECLARE
    proof jsonb;
BEGIN
    IF NOT EXISTS (SELECT FROM rampart.audit_log l WHERE l.id = prove_event.number AND l.org = rampart_auth.here()::text) THEN
        RAISE EXCEPTION 'no such entry' USING ERRCODE = 'RMU03';
    END IF;
    proof := rampart.export_proof(prove_event.number);
    IF proof IS NULL THEN
        RAISE EXCEPTION 'the entry is not sealed yet' USING ERRCODE = 'RMU03', HINT = 'It will be within seconds.';
    END IF;
    RETURN proof;
END
$$;
COMMENT ON FUNCTION rampart_auth.prove_event(bigint) IS
'An entry with the proof that it is in the sealed log, as rampart-verify entry takes it. Errors: RMU03 no such entry, or not sealed yet.';

CREATE FUNCTION rampart_auth.export_events(after bigint DEFAULT 0, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, page int DEFAULT 1000)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    exported record;
BEGIN
    SELECT coalesce(jsonb_agg(rampart.export_body(e, '{}') || jsonb_build_object('id', e.id::text) ORDER BY e.id), '[]') AS items, count(*) AS lines,
           min(e.id) AS first, max(e.id) AS last
        INTO exported
    FROM (SELECT l.* FROM rampart.audit_log l
          WHERE l.id > after AND (since IS NULL OR l.at >= since) AND (until IS NULL OR l.at < until) AND l.org = rampart_auth.here()::text
          ORDER BY l.id LIMIT page) e;
    PERFORM rampart_auth.record('audit.exported', jsonb_build_object('entries', exported.lines, 'first', exported.first, 'last', exported.last));
    RETURN jsonb_build_object('items', exported.items, 'next', CASE WHEN exported.lines = page THEN exported.last::text END);
END
$$;
COMMENT ON FUNCTION rampart_auth.export_events(bigint, timestamptz, timestamptz, int) IS
'A page of the organisation''s entries with all they hold, oldest first; next is what to ask for after. Leaves an event that says which were taken.';

CREATE FUNCTION rampart_auth.list_heads(before bigint DEFAULT NULL, page int DEFAULT 50) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH heads AS (
        SELECT h.* FROM rampart.audit_heads h WHERE before IS NULL OR h.number < before ORDER BY h.number DESC LIMIT page)
    SELECT jsonb_build_object(
        'items', coalesce(jsonb_agg(jsonb_build_object('number', h.number::text, 'at', h.at, 'note', h.note) ORDER BY h.number DESC), '[]'),
        'keys', (SELECT coalesce(jsonb_agg(k.verifier ORDER BY k.since DESC), '[]') FROM rampart.audit_keys k),
        'next', CASE WHEN count(*) = page THEN min(h.number)::text END)
    FROM heads h
$$;
COMMENT ON FUNCTION rampart_auth.list_heads(bigint, int) IS
'A page of the log''s signed checkpoints, newest first, and the public keys that rampart-verify takes; next is what to ask for before.';

GRANT EXECUTE ON FUNCTION rampart_auth.list_events, rampart_auth.prove_event, rampart_auth.export_events, rampart_auth.list_heads TO rampartd;
