-- Roles that can show plaintext to others; the report itself, and who may run it.

CREATE FUNCTION rampart.scopes_read_by(reader oid) RETURNS SETOF text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- As rights are checked: superusers have what they are members of and no more.
    WITH RECURSIVE membership (role) AS (
        SELECT reader
        UNION
        SELECT m.roleid
        FROM membership b JOIN pg_auth_members m ON m.member = b.role JOIN pg_roles r ON r.oid = b.role
        WHERE r.rolinherit OR (SELECT o.rolsuper FROM pg_roles o WHERE o.oid = reader)
    )
    SELECT DISTINCT g.scope FROM rampart.scope_grant g JOIN membership b ON b.role = g.role::oid WHERE g.can_decrypt;
END;
COMMENT ON FUNCTION rampart.scopes_read_by(oid) IS 'Scopes that a role may decrypt in, by itself or by membership.';

CREATE FUNCTION rampart.exposure_of_roles() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH columns AS MATERIALIZED (
        SELECT c.relation, s.name AS scope, format('\m%s\M', regexp_replace(r.relname, '(\W)', '\\\1', 'g')) AS mention
        FROM rampart.exposure_columns() c JOIN rampart.scope s ON s.tag = c.modifier >> 2 JOIN pg_class r ON r.oid = c.relation
    ), definer AS MATERIALIZED (
        -- Of functions that run with their owner's rights, those that name encrypted data; and the scopes of that.
        SELECT p.oid, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl, reach.scope,
               CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure::text AS name
        FROM pg_proc p
        CROSS JOIN LATERAL (
            SELECT c.scope FROM columns c
            WHERE p.prosrc ~ c.mention
               OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.relation)
            UNION
            SELECT s.name FROM rampart.scope s
            WHERE p.prosrc ~* '\mrampart\s*\.\s*(decrypt|decrypt_bytea|decrypt_jsonb|try_decrypt|to_plain|reveal)\M'
        ) reach
        WHERE p.prosecdef AND p.oid >= 16384 AND p.pronamespace <> 'rampart'::regnamespace
    )
    SELECT ROW('medium', 'superuser', format('role %I', r.rolname),
               format('A superuser that may decrypt in scope %I: its dumps, and what it copies, are in the clear.', s.scope),
               CASE WHEN EXISTS (SELECT FROM rampart.scope_grant g WHERE g.scope = s.scope AND g.role = r.oid AND g.can_decrypt)
                    THEN format('SELECT rampart.revoke_scope(%L, %L, ''decrypt'')', s.scope, quote_ident(r.rolname))
                    ELSE (SELECT format('REVOKE %s FROM %I', string_agg(quote_ident(pg_get_userbyid(m.roleid)), ', ' ORDER BY m.roleid), r.rolname)
                          FROM pg_auth_members m WHERE m.member = r.oid AND s.scope IN (SELECT rampart.scopes_read_by(m.roleid))) END)::rampart.exposure
    FROM pg_roles r CROSS JOIN LATERAL rampart.scopes_read_by(r.oid) s (scope) WHERE r.rolsuper
    UNION ALL
    SELECT ROW('medium', 'security definer', rampart.object_name('pg_proc'::regclass, d.oid),
               format('It runs with the rights of %I, who may decrypt in scope %I, and can be called by roles that may not: %s.',
                      pg_get_userbyid(d.proowner), d.scope, callers.names),
               format('REVOKE EXECUTE ON %s FROM %s, or ALTER %s SECURITY INVOKER', d.name, callers.names, d.name))::rampart.exposure
    FROM definer d
    CROSS JOIN LATERAL (
        SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ') AS names
        FROM aclexplode(d.acl) a
        WHERE a.privilege_type = 'EXECUTE' AND d.scope NOT IN (SELECT rampart.scopes_read_by(a.grantee))
    ) callers
    WHERE callers.names IS NOT NULL AND d.scope IN (SELECT rampart.scopes_read_by(d.proowner))
    UNION ALL
    SELECT DISTINCT ROW('low', 'statement texts', format('role %I', r.rolname),
               format('By %s it sees the running statements of all sessions, with their literals.', pg_get_userbyid(m.roleid)),
               format('REVOKE %s FROM %I', pg_get_userbyid(m.roleid), r.rolname))::rampart.exposure
    FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
    WHERE pg_get_userbyid(m.roleid) IN ('pg_monitor', 'pg_read_all_stats') AND r.oid >= 16384 AND NOT r.rolsuper
      AND EXISTS (SELECT name FROM rampart.scope EXCEPT SELECT rampart.scopes_read_by(r.oid));
END;
COMMENT ON FUNCTION rampart.exposure_of_roles() IS
'Chapter of exposure_report(): roles that see, or show to others, what they should not.';

CREATE FUNCTION rampart.exposure_report()
RETURNS TABLE (severity text, finding text, object text, detail text, advice text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.severity, e.finding, e.object, e.detail, e.advice
    FROM (SELECT * FROM rampart.exposure_of_rows()
          UNION ALL SELECT * FROM rampart.exposure_of_columns()
          UNION ALL SELECT * FROM rampart.exposure_of_derived_data()
          UNION ALL SELECT * FROM rampart.exposure_of_literals()
          UNION ALL SELECT * FROM rampart.exposure_of_functions()
          UNION ALL SELECT * FROM rampart.exposure_of_roles()
          UNION ALL SELECT * FROM rampart.exposure_of_settings()
          UNION ALL SELECT * FROM rampart.exposure_of_root_key()
          UNION ALL SELECT * FROM rampart.exposure_of_connections()
          UNION ALL SELECT * FROM rampart.exposure_of_replication()) e
    ORDER BY array_position('{high,medium,low,info}', e.severity), e.finding, e.object COLLATE "C", e.detail, e.advice;
END;
COMMENT ON FUNCTION rampart.exposure_report() IS
'Lists where plaintext may be, or may get to, beside the encrypted columns of this database, worst first: severity (high, medium, low, info), finding, object, detail and advice. Changes nothing and shows no value. Reads the catalogs of all schemas as its owner.';

DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'rampart'::regnamespace
          AND (p.proname ~ '^exposure_'
               OR p.proname IN ('object_name', 'node_patterns', 'decrypts', 'stored_expressions',
                                'literal_pattern', 'settings_in_force', 'setting_rules', 'scopes_read_by')) LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
    END LOOP;
END
$$;
