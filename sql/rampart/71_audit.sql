-- Auditing of tables: triggers, and the settings that they read.

CREATE FUNCTION rampart.audit_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'rampart_audit_row' LANGUAGE C;
COMMENT ON FUNCTION rampart.audit_row() IS 'Trigger: records a row''s change.';
CREATE FUNCTION rampart.audit_truncate() RETURNS trigger
    AS 'MODULE_PATHNAME', 'rampart_audit_truncate' LANGUAGE C;
COMMENT ON FUNCTION rampart.audit_truncate() IS 'Trigger: records a TRUNCATE.';

CREATE FUNCTION rampart.write_event(event text, severity text, relation text, relation_id oid, operation text, metadata jsonb)
RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_write_event' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.write_event(text, text, text, oid, text, jsonb) IS 'Writes an entry of class security. Errors: 22023.';

CREATE FUNCTION rampart.set_context(actor text, org text DEFAULT NULL, ip inet DEFAULT NULL, user_agent text DEFAULT NULL,
                                    request_id text DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_set_context' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.set_context(text, text, inet, text, text) IS
'Whom the application works for, for the audit entries of this transaction; ends with it, and with a savepoint it was set under. Grant it to roles whose word is to be taken: GRANT EXECUTE ON FUNCTION rampart.set_context TO app. Of no effect outside of a transaction block.';

CREATE FUNCTION rampart.is_armed(relation oid) RETURNS bool
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- A foreign table has no TRUNCATE trigger worth the name; it takes part as a partition only.
    SELECT count(*) FILTER (WHERE t.tgfoid = 'rampart.audit_row'::regproc) = 1
           AND count(*) FILTER (WHERE t.tgfoid = 'rampart.audit_truncate'::regproc) = 1
    FROM pg_trigger t
    WHERE t.tgrelid = relation AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgattr = ''
      AND t.tgfoid IN ('rampart.audit_row'::regproc, 'rampart.audit_truncate'::regproc);
END;
COMMENT ON FUNCTION rampart.is_armed(oid) IS 'Whether both audit triggers of a table are there and always fire.';

CREATE FUNCTION rampart.arm(relation regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT * FROM (VALUES ('rampart_audit_row', 'AFTER INSERT OR UPDATE OR DELETE', 'ROW', 'audit_row'),
                                      ('rampart_audit_truncate', 'AFTER TRUNCATE', 'STATEMENT', 'audit_truncate')
                              ) v (name, events, level, function) LOOP
        IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = relation
                       AND t.tgfoid = ('rampart.' || part.function)::regproc) THEN
            EXECUTE format('CREATE TRIGGER %I %s ON %s FOR EACH %s EXECUTE FUNCTION rampart.%I()',
                           part.name, part.events, relation, part.level, part.function);
        END IF;
        EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I', relation, part.name);
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.arm(regclass) IS 'Sees to it that a table has its audit triggers and that they always fire.';

CREATE FUNCTION rampart.disarm(relation regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    trigger_name name;
BEGIN
    FOR trigger_name IN SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgparentid = 0
                        AND t.tgfoid IN ('rampart.audit_row'::regproc, 'rampart.audit_truncate'::regproc) LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, relation);
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.disarm(regclass) IS 'Removes a table''s audit triggers, but those that its partitioned table gave it.';

CREATE FUNCTION rampart.audit_family(relation regclass) RETURNS TABLE (member regclass, root regclass)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- A partition's changes are its root's; a child by inheritance is a table of its own.
    WITH RECURSIVE family (member, root, depth) AS (
        SELECT relation::oid, relation::oid, 0
        UNION
        SELECT i.inhrelid, CASE WHEN c.relispartition THEN f.root ELSE i.inhrelid END, f.depth + 1
        FROM family f JOIN pg_inherits i ON i.inhparent = f.member
        JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p')
    )
    SELECT f.member::regclass, f.root::regclass FROM family f GROUP BY f.member, f.root ORDER BY min(f.depth), f.member;
END;
COMMENT ON FUNCTION rampart.audit_family(regclass) IS 'A table, its partitions and the tables that inherit from it, from the top down.';

CREATE FUNCTION rampart.cover(relation regclass, root regclass, exclude name[], redact name[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Not active yet: what watches the triggers would report the half of it.
    INSERT INTO rampart.audited_table AS a (relation, root, exclude, redact, active, name)
        VALUES (cover.relation, cover.root, cover.exclude, cover.redact, NULL, cover.relation::text)
        ON CONFLICT ON CONSTRAINT audited_table_pkey
        DO UPDATE SET root = excluded.root, exclude = excluded.exclude, redact = excluded.redact,
            active = NULL, name = excluded.name;
    PERFORM rampart.arm(cover.relation);
    UPDATE rampart.audited_table a SET active = true WHERE a.relation = cover.relation;
END
$$;
COMMENT ON FUNCTION rampart.cover(regclass, regclass, name[], name[]) IS 'Audits one table or partition.';

CREATE FUNCTION rampart.refuse_unauditable(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    about pg_class;
    reason text;
BEGIN
    SELECT * INTO about FROM pg_class c WHERE c.oid = relation;
    reason := CASE WHEN about.oid IS NULL THEN 'it does not exist'
                   WHEN about.relkind NOT IN ('r', 'p') THEN 'it is not a table'
                   WHEN about.relpersistence = 't' THEN 'it is temporary'
                   WHEN about.relispartition THEN 'it is a partition'
                   WHEN about.relnamespace IN ('pg_catalog'::regnamespace, 'rampart'::regnamespace,
                                               'information_schema'::regnamespace) THEN 'it is not a user''s' END;
    IF reason IS NOT NULL THEN
        RAISE EXCEPTION '"%" cannot be audited: %', coalesce(relation::text, 'NULL'), reason USING ERRCODE = 'RMA04';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.refuse_unauditable(regclass) IS 'Errors: RMA04 unless the table can be audited.';

CREATE FUNCTION rampart.missing_column(relation regclass, names name[]) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT n FROM unnest(names) n
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = n
                      AND a.attnum > 0 AND NOT a.attisdropped)
    LIMIT 1;
END;
COMMENT ON FUNCTION rampart.missing_column(regclass, name[]) IS 'The first of the names that is no column of the table.';

CREATE FUNCTION rampart.audit_table(relation regclass, exclude name[] DEFAULT '{}', redact name[] DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    hidden name[] := array_remove(coalesce(audit_table.exclude, '{}'), NULL);
    masked name[] := array_remove(coalesce(audit_table.redact, '{}'), NULL);
    missing name := rampart.missing_column(audit_table.relation, hidden || masked);
    part record;
BEGIN
    PERFORM rampart.refuse_unauditable(audit_table.relation);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of "%" does not exist', missing, relation USING ERRCODE = '42703';
    END IF;
    PERFORM rampart.create_audit_partitions();
    BEGIN
        PERFORM rampart.start_sealing();
    EXCEPTION WHEN SQLSTATE 'RMK05' THEN
        RAISE WARNING 'what is audited is not sealed: there is no root key for a signing key'
            USING ERRCODE = 'RMK05', HINT = 'Set rampart.root_key_file, then SELECT rampart.start_sealing();';
    END;
    FOR part IN SELECT f.member, f.root FROM rampart.audit_family(audit_table.relation) f LOOP
        -- The table's trigger comes down to its partitions, and has to find its name free.
        IF part.member <> part.root THEN
            UPDATE rampart.audited_table a SET active = NULL WHERE a.relation = part.member;
        END IF;
    END LOOP;
    PERFORM rampart.disarm(f.member) FROM rampart.audit_family(audit_table.relation) f
        JOIN rampart.audited_table a ON a.relation = f.member AND a.root = f.member WHERE f.member <> f.root;
    PERFORM rampart.cover(f.member, f.root, hidden, masked) FROM rampart.audit_family(audit_table.relation) f;
    PERFORM rampart.write_event('audit.enabled', 'info', relation::text, relation, NULL,
                                jsonb_build_object('exclude', to_jsonb(hidden), 'redact', to_jsonb(masked)));
END
$$;
COMMENT ON FUNCTION rampart.audit_table(regclass, name[], name[]) IS
'Records every change of a table''s rows in rampart.audit_log from now on, its partitions and inheriting tables included, also those to come. exclude: columns that do not appear; redact: columns of which only the change does. Again: changes the columns. Errors: RMA04, 42703.';

CREATE FUNCTION rampart.unaudit_table(relation regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    family regclass[] := ARRAY(SELECT f.member FROM rampart.audit_family(unaudit_table.relation) f);
BEGIN
    IF NOT EXISTS (SELECT FROM rampart.audited_table a WHERE a.relation = unaudit_table.relation AND a.root = a.relation) THEN
        RAISE EXCEPTION 'table "%" is not audited', coalesce(relation::text, 'NULL') USING ERRCODE = 'RMA02',
            HINT = 'TABLE rampart.audited_tables lists those that are.';
    END IF;
    DELETE FROM rampart.audited_table a WHERE a.relation = ANY (family);
    PERFORM rampart.disarm(member) FROM unnest(family) WITH ORDINALITY f (member, n) ORDER BY n;
    PERFORM rampart.write_event('audit.disabled', 'critical', relation::text, relation, NULL,
                                '{"reason": "unaudit_table"}');
END
$$;
COMMENT ON FUNCTION rampart.unaudit_table(regclass) IS
'Ends the recording of a table''s changes, which is itself recorded. What is in the log stays. Errors: RMA02.';

CREATE VIEW rampart.audited_tables AS
    SELECT t.relation, count(p.relation) - 1 AS partitions,
           bool_and(coalesce(p.active, false) AND rampart.is_armed(p.relation)) AS active, t.exclude, t.redact, t.since
    FROM rampart.audited_table t JOIN rampart.audited_table p ON p.root = t.relation
    WHERE t.root = t.relation
    GROUP BY t.relation ORDER BY t.relation::text;
COMMENT ON VIEW rampart.audited_tables IS
'The tables that are audited, with their settings. active: whether the triggers of the table and all its partitions are in place.';

REVOKE ALL ON FUNCTION rampart.set_context(text, text, inet, text, text) FROM PUBLIC;
