-- Settings and surroundings that let plaintext past the encryption.

CREATE FUNCTION rampart.settings_in_force()
RETURNS TABLE (name text, value text, object text, reset text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH override AS MATERIALIZED (
        SELECT lower(split_part(entry, '=', 1)) AS name, substr(entry, strpos(entry, '=') + 1) AS value,
               quote_ident(r.rolname) AS role, quote_ident(d.datname) AS database
        FROM pg_db_role_setting s
        CROSS JOIN unnest(s.setconfig) entry
        LEFT JOIN pg_roles r ON r.oid = s.setrole
        LEFT JOIN pg_database d ON d.oid = s.setdatabase
        WHERE s.setdatabase = 0 OR d.datname = current_database()
    )
    -- What the server has. One that is set for this very session's role or database is not seen: it is below.
    SELECT s.name, s.reset_val, 'setting ' || s.name,
           format('ALTER SYSTEM SET %s = %%L; ', s.name) ||
               CASE s.context WHEN 'postmaster' THEN 'restart the server' ELSE 'SELECT pg_reload_conf()' END
    FROM pg_settings s
    WHERE NOT EXISTS (SELECT FROM override o
                      WHERE o.name = lower(s.name) AND (o.role IS NULL OR o.role = quote_ident(session_user)))
    UNION ALL
    SELECT o.name, o.value,
           format('setting %s of %s', o.name,
                  coalesce(nullif(concat_ws(' in ', 'role ' || o.role, 'database ' || o.database), ''), 'all roles')),
           CASE WHEN o.role IS NULL AND o.database IS NOT NULL THEN format('ALTER DATABASE %s RESET %s', o.database, o.name)
                ELSE format('ALTER ROLE %s %sRESET %s', coalesce(o.role, 'ALL'), 'IN DATABASE ' || o.database || ' ', o.name) END
    FROM override o;
END;
COMMENT ON FUNCTION rampart.settings_in_force() IS
'Settings of the server, and those that ALTER ROLE and ALTER DATABASE set for this database; with the command that changes each, %L in place of a value.';

-- One row a rule: a setting whose value matches is a finding. `wanted` is the value to have instead.
CREATE FUNCTION rampart.setting_rules()
RETURNS TABLE (name text, unwanted text, severity text, wanted text, detail text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES
    ('log_statement', '^(mod|all)$', 'high', 'ddl', 'The server log takes statements with their literals.'),
    ('log_min_duration_statement', '^\s*[^-\s]', 'high', '-1', 'The server log takes slow statements with their literals.'),
    ('log_min_duration_sample', '^\s*[^-\s]', 'high', '-1', 'The server log takes a share of slow statements with their literals.'),
    ('log_transaction_sample_rate', '[1-9]', 'high', '0', 'The server log takes a share of transactions, statements with their literals.'),
    ('auto_explain.log_min_duration', '^\s*[^-\s]', 'high', '-1', 'The server log takes slow statements with their literals and plans.'),
    ('pgaudit.log', '^(?!\s*none\s*$).*\S', 'high', 'none', 'The server log takes audited statements with their literals.'),
    ('log_parameter_max_length', '^(?!0+\s*[a-z]*$)', 'medium', '0', 'Statements are logged, and this logs the values of their parameters.'),
    ('log_parameter_max_length_on_error', '^(?!0+\s*[a-z]*$)', 'medium', '0', 'Failed statements are logged with the values of their parameters, where they fail before an encrypted value is touched.'),
    ('debug_print_parse', '^(on|t.*|y.*|1)$', 'medium', 'off', 'The server log takes parse trees, which hold literals.'),
    ('debug_print_rewritten', '^(on|t.*|y.*|1)$', 'medium', 'off', 'The server log takes rewritten trees, which hold literals.'),
    ('debug_print_plan', '^(on|t.*|y.*|1)$', 'medium', 'off', 'The server log takes plan trees, which hold literals compared with decrypted values.'),
    ('pg_stat_statements.track_utility', '^(on|t.*|y.*|1)$', 'medium', 'off', 'Utility statements (CREATE TABLE AS, COPY, EXPLAIN, PREPARE) are kept with their literals.'),
    ('rampart.quiet_errors', '^(of.*|f.*|n.*|0)$', 'high', 'on', 'Failed statements are logged with their literals, and errors with the values they quote.'),
    ('rampart.core_dumps', '^(on|t.*|y.*|1)$', 'high', 'off', 'A core file of a server process holds keys and decrypted values.'),
    ('data_checksums', '^off$', 'info', NULL, 'Damage to encrypted values is noticed when they are read, and not before.');
END;
COMMENT ON FUNCTION rampart.setting_rules() IS
'What exposure_report() looks for in settings: one rule a row.';

CREATE FUNCTION rampart.exposure_of_settings() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH unwanted AS (
        SELECT r.*, s.object, s.reset
        FROM rampart.setting_rules() r JOIN rampart.settings_in_force() s USING (name)
        WHERE lower(s.value) ~ r.unwanted
          -- Settings that do nothing because of another one.
          AND CASE name WHEN 'log_min_duration_sample' THEN current_setting('log_statement_sample_rate')::float8 > 0
                        WHEN 'pg_stat_statements.track_utility'
                            THEN current_setting('pg_stat_statements.track', true) IS DISTINCT FROM 'none'
                        ELSE true END
    )
    SELECT ROW(severity, 'setting', object, detail,
               coalesce(replace(reset, '%L', quote_literal(wanted)), 'Stop the server and run pg_checksums --enable'))::rampart.exposure
    FROM unwanted
    WHERE name <> 'log_parameter_max_length'
       OR EXISTS (SELECT FROM unwanted WHERE severity = 'high' AND name ~ '^(log_|auto_explain|pgaudit)');
END;
COMMENT ON FUNCTION rampart.exposure_of_settings() IS
'Chapter of exposure_report(): settings of the server, its databases and roles.';

CREATE FUNCTION rampart.exposure_of_root_key() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH provider AS (
        SELECT name, setting AS value, current_setting('data_directory') || '/' AS data
        FROM pg_settings WHERE name ~ '^rampart\..*root_key.*_(file|command)$' AND setting <> ''
    )
    SELECT ROW('high', 'root key', 'setting ' || name,
               'The root key is in the data directory, so in every base backup beside what it opens.',
               'Move the file out of the data directory, set its new path and run SELECT pg_reload_conf(); then replace old base backups')::rampart.exposure
    FROM provider
    WHERE CASE WHEN name ~ '_file$' THEN value !~ '^/' OR starts_with(value, data) ELSE strpos(value, data) > 0 END
    UNION ALL
    SELECT ROW('high', 'root key', 'setting ' || name,
               'The command itself holds 64 hexadecimal digits. It is shown in pg_settings and kept in backups of the configuration.',
               'Use a command that fetches the root key, and replace that root key')::rampart.exposure
    FROM provider
    WHERE name ~ '_command$' AND value ~ '(^|[^0-9a-fA-F])[0-9a-fA-F]{64}($|[^0-9a-fA-F])';
END;
COMMENT ON FUNCTION rampart.exposure_of_root_key() IS
'Chapter of exposure_report(): where the root key is kept.';

CREATE FUNCTION rampart.exposure_of_connections() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH server AS (
        SELECT current_setting('ssl')::bool AS ssl,
               EXISTS (SELECT FROM regexp_split_to_table(current_setting('listen_addresses'), '[\s,]+') address
                       WHERE address !~ '^(localhost|127\..*|::1|)$') AS reachable
    )
    SELECT ROW('high', 'connections', 'setting ssl',
               'The server listens on the network without TLS: decrypted values travel in the clear.',
               'Install a certificate; ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf()')::rampart.exposure
    FROM server WHERE reachable AND NOT ssl
    UNION ALL
    SELECT ROW('medium', 'connections', format('pg_hba.conf line %s', h.line_number),
               'It admits connections over the network without TLS: decrypted values travel in the clear.',
               'Write hostssl in place of ' || h.type || '; SELECT pg_reload_conf()')::rampart.exposure
    FROM server, pg_hba_file_rules h
    WHERE reachable AND ssl AND h.type IN ('host', 'hostnossl') AND h.auth_method <> 'reject'
      AND h.address !~ '^(localhost|samehost|127\..*|::1)$' AND h.database <> '{replication}'
      AND NOT EXISTS (SELECT FROM pg_hba_file_rules earlier
                      WHERE earlier.line_number < h.line_number AND earlier.type = 'hostnossl' AND earlier.auth_method = 'reject'
                        AND earlier.address = 'all' AND 'all' = ALL (earlier.database || earlier.user_name));
END;
COMMENT ON FUNCTION rampart.exposure_of_connections() IS
'Chapter of exposure_report(): plaintext on the network.';

CREATE FUNCTION rampart.exposure_of_replication() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH columns AS MATERIALIZED (SELECT * FROM rampart.exposure_columns()),
    kept AS (
        -- WAL from before the last checkpoint's redo point is there only because something holds it.
        SELECT s.slot_name, s.active, c.redo_lsn - s.restart_lsn AS bytes
        FROM pg_replication_slots s, pg_control_checkpoint() c
        WHERE s.restart_lsn IS NOT NULL
    )
    SELECT ROW('medium', 'replication slot', format('replication slot %I', slot_name),
               format('It holds back %s of WAL from before the last checkpoint, with what was written before a column was encrypted.',
                      pg_size_pretty(bytes)),
               CASE WHEN active THEN 'See why its reader lags'
                    ELSE format('Start its reader, or SELECT pg_drop_replication_slot(%L)', slot_name) END)::rampart.exposure
    FROM kept
    WHERE EXISTS (SELECT FROM columns)
      AND bytes > CASE WHEN active THEN pg_size_bytes(current_setting('max_wal_size')) ELSE 0 END
    UNION ALL
    SELECT ROW('info', 'WAL', 'setting ' || name,
               'WAL is kept: what was written before a column was encrypted is in it.',
               'After converting a column take a new base backup; delete older WAL and backups')::rampart.exposure
    FROM pg_settings
    WHERE EXISTS (SELECT FROM columns)
      AND ((name = 'archive_mode' AND setting <> 'off') OR (name = 'wal_keep_size' AND setting <> '0'))
    UNION ALL
    SELECT DISTINCT ROW('info', 'publication', format('publication %I', p.pubname),
               'It publishes encrypted columns as ciphertext; the subscriber needs the keys and grants, or cannot read them.',
               format('ALTER PUBLICATION %I ADD TABLE rampart.scope, rampart.key, rampart.scope_grant, and give the subscriber the root key; or DROP TABLE the encrypted ones', p.pubname))::rampart.exposure
    FROM pg_publication p
    CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) t
    JOIN columns c ON c.relation = t.relid AND (t.attrs IS NULL OR c.number = ANY (t.attrs::int2[]))
    WHERE NOT EXISTS (SELECT FROM pg_get_publication_tables(p.pubname) k WHERE k.relid = 'rampart.key'::regclass);
END;
COMMENT ON FUNCTION rampart.exposure_of_replication() IS
'Chapter of exposure_report(): WAL and logical replication.';
