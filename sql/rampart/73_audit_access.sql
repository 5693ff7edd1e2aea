-- Who reads the log: superusers all of it, a role that was granted it the entries of its organisations, nobody
-- else any. readable_orgs_of decides; everything that shows entries asks it, the log's tables by row-level
-- security. Writers are not asked: entries are written below SQL.

CREATE FUNCTION rampart.context_org() RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_context_org' LANGUAGE C STABLE;
COMMENT ON FUNCTION rampart.context_org() IS 'The organisation of this transaction''s context (rampart.set_context), NULL where none was set.';

CREATE TABLE rampart.audit_reader (
    role       regrole PRIMARY KEY,
    orgs       text[] CHECK (array_position(orgs, NULL) IS NULL),
    of_context bool NOT NULL DEFAULT false CHECK (NOT of_context OR orgs IS NOT NULL),
    since      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audit_reader IS 'Who reads the audit log beside superusers. rampart.grant_audit and revoke_audit change it.';
COMMENT ON COLUMN rampart.audit_reader.orgs IS 'The organisations whose entries the role sees; NULL: all entries, those of no organisation included.';
COMMENT ON COLUMN rampart.audit_reader.of_context IS 'Beside them, the organisation of the transaction''s context.';
SELECT pg_extension_config_dump('rampart.audit_reader', 'WHERE role IN (SELECT oid FROM pg_catalog.pg_roles)');

CREATE FUNCTION rampart.readable_orgs_of(reader oid, context_org text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = reader) THEN '{NULL}'::text[]
                ELSE array_agg(DISTINCT o.org) END
    FROM rampart.audit_reader g
    CROSS JOIN LATERAL unnest(coalesce(g.orgs, '{NULL}') ||
        -- The context is worth what the role that may set it is.
        CASE WHEN g.of_context AND context_org IS NOT NULL
                  AND has_function_privilege(reader, 'rampart.set_context(text, text, inet, text, text)', 'EXECUTE')
             THEN ARRAY[context_org] ELSE '{}' END) o (org)
    WHERE pg_has_role(reader, g.role, 'USAGE');
END;
COMMENT ON FUNCTION rampart.readable_orgs_of(oid, text) IS
'The organisations whose entries a role reads, a NULL among them: all entries. NULL: none. The one place that decides. context_org: that of the context, where it is to count.';

CREATE FUNCTION rampart.readable_orgs_for(caller oid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.readable_orgs_of(caller, rampart.context_org());
END;
COMMENT ON FUNCTION rampart.readable_orgs_for(oid) IS 'readable_orgs, of a role.';

CREATE FUNCTION rampart.readable_orgs() RETURNS text[]
    AS 'MODULE_PATHNAME', 'rampart_on_behalf' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION rampart.readable_orgs() IS
'The organisations whose audit entries you read in this transaction; a NULL among them: all entries. NULL: none.';

CREATE FUNCTION rampart.covers(orgs text[], org text) RETURNS bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN org = ANY (orgs) OR array_position(orgs, NULL) IS NOT NULL;
COMMENT ON FUNCTION rampart.covers(text[], text) IS 'Whether an entry of this organisation is among what rampart.readable_orgs says.';

-- Partitions as well: rights on one are nobody's, until somebody grants them on all tables of the schema.
CREATE FUNCTION rampart.veil_audit_partition(relation regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY readers ON %s FOR SELECT USING (rampart.covers((SELECT rampart.readable_orgs()), org))', relation);
END
$$;
COMMENT ON FUNCTION rampart.veil_audit_partition(regclass) IS 'Shows of a table of the audit log what its reader may see.';

SELECT rampart.veil_audit_partition(t::regclass)
FROM unnest('{rampart.audit_log,rampart.audit_log_normal,rampart.audit_log_security,rampart.audit_log_normal_other,rampart.audit_log_security_other}'::text[]) t;

CREATE FUNCTION rampart.change_reader_rights(reader regrole, granted bool) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    object text;
BEGIN
    FOREACH object IN ARRAY ARRAY['TABLE rampart.audit_log', 'FUNCTION rampart.row_history',
                              'FUNCTION rampart.fetch_export', 'FUNCTION rampart.ack_export'] LOOP
        EXECUTE format(CASE WHEN granted THEN 'GRANT %s ON %s TO %s' ELSE 'REVOKE %s ON %s FROM %s' END,
                       CASE WHEN starts_with(object, 'TABLE') THEN 'SELECT' ELSE 'EXECUTE' END, object, reader);
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.change_reader_rights(regrole, bool) IS 'Gives a role, or takes from it, the rights on objects that reading the audit log needs.';

CREATE FUNCTION rampart.require_role(role regrole) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = role) THEN
        RAISE EXCEPTION 'role % does not exist', coalesce(role::text, 'NULL') USING ERRCODE = '42704';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.require_role(regrole) IS 'Errors: 42704 unless the role exists.';

CREATE FUNCTION rampart.grant_audit(role regrole, orgs text[] DEFAULT NULL, of_context bool DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    by_context bool := coalesce(grant_audit.of_context, false);
    named text[] := CASE WHEN by_context THEN coalesce(grant_audit.orgs, '{}') ELSE grant_audit.orgs END;
BEGIN
    PERFORM rampart.require_role(grant_audit.role);
    IF (CASE WHEN array_ndims(named) > 1 THEN true ELSE array_position(named, NULL) IS NOT NULL END) THEN
        RAISE EXCEPTION 'orgs is a list of organisations, without NULL' USING ERRCODE = '22023',
            HINT = 'Leave it out for all entries.';
    END IF;
    IF by_context AND NOT has_function_privilege(grant_audit.role::oid, 'rampart.set_context(text, text, inet, text, text)', 'EXECUTE') THEN
        RAISE EXCEPTION 'role % may not set a context', grant_audit.role USING ERRCODE = '22023',
            HINT = format('GRANT EXECUTE ON FUNCTION rampart.set_context TO %s;', grant_audit.role);
    END IF;
    INSERT INTO rampart.audit_reader AS r (role, orgs, of_context) VALUES (grant_audit.role, named, by_context)
        ON CONFLICT ON CONSTRAINT audit_reader_pkey
        DO UPDATE SET orgs = excluded.orgs, of_context = excluded.of_context, since = excluded.since;
    PERFORM rampart.change_reader_rights(grant_audit.role, true);
    PERFORM rampart.write_event('authz.grant', 'medium', 'rampart.audit_log', 'rampart.audit_log'::regclass, NULL,
                                jsonb_build_object('grantee', grant_audit.role::text, 'orgs', named, 'of_context', by_context));
END
$$;
COMMENT ON FUNCTION rampart.grant_audit(regrole, text[], bool) IS
'Lets a role, and the roles that inherit from it, read entries of the audit log: those of these organisations, or (NULL) all. of_context: also those of the organisation that the transaction''s context names; for roles that may set one. Again: replaces what was granted. Recorded. Errors: 42704, 22023.';

CREATE FUNCTION rampart.revoke_audit(role regrole) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.require_role(revoke_audit.role);
    DELETE FROM rampart.audit_reader r WHERE r.role = revoke_audit.role;
    PERFORM rampart.change_reader_rights(revoke_audit.role, false);
    PERFORM rampart.write_event('authz.revoke', 'medium', 'rampart.audit_log', 'rampart.audit_log'::regclass, NULL,
                                jsonb_build_object('grantee', revoke_audit.role::text));
END
$$;
COMMENT ON FUNCTION rampart.revoke_audit(regrole) IS
'Takes the reading of the audit log from a role; in running sessions too, from their next statement on. Recorded. Errors: 42704.';
