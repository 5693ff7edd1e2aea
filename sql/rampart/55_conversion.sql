-- Encrypting a plaintext column online, where one ALTER TABLE would lock the table for too long: an
-- encrypted column is added, kept up by a trigger, filled in batches by the machinery of rotations, and
-- put in the old one's place under a short lock.

CREATE FUNCTION rampart.fill_column() RETURNS trigger
    AS 'MODULE_PATHNAME', 'rampart_fill_column' LANGUAGE C;
COMMENT ON FUNCTION rampart.fill_column() IS
'Trigger of a conversion: encrypts the first column''s new value into the second. Needs no right: it shows nothing.';

CREATE FUNCTION rampart.execute_as_owner(relation oid, command text) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_execute_as_owner' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.execute_as_owner(oid, text) IS
'Executes a statement with the rights of a table''s owner and no more, as a security-restricted operation.';

CREATE FUNCTION rampart.encrypted_type_for(type oid) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE base::regtype::text
               WHEN 'text' THEN 'enc_text' WHEN 'character varying' THEN 'enc_text' WHEN 'character' THEN 'enc_text'
               WHEN 'bytea' THEN 'enc_bytea' WHEN 'json' THEN 'enc_jsonb' WHEN 'jsonb' THEN 'enc_jsonb'
               WHEN 'numeric' THEN 'enc_numeric'
               WHEN 'smallint' THEN 'enc_int8' WHEN 'integer' THEN 'enc_int8' WHEN 'bigint' THEN 'enc_int8'
               WHEN 'date' THEN 'enc_date' WHEN 'timestamp with time zone' THEN 'enc_timestamptz'
               WHEN 'uuid' THEN 'enc_uuid' WHEN 'boolean' THEN 'enc_bool' END
    FROM (SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END AS base
          FROM pg_type t WHERE t.oid = encrypted_type_for.type) b;
END;
COMMENT ON FUNCTION rampart.encrypted_type_for(oid) IS 'The encrypted type that takes the values of a type, NULL if there is none.';

CREATE FUNCTION rampart.conversion_obstacles(relation regclass, column_name name, mode text) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT string_agg(what, ', ') FROM (
        SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
        FROM pg_attribute a JOIN pg_depend d
             ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
        WHERE a.attrelid = relation AND a.attname = column_name
          -- These go with the column and are made again.
          AND NOT EXISTS (SELECT FROM pg_constraint c WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.contype IN ('c', 'u', 'p'))
          AND NOT EXISTS (SELECT FROM pg_index i WHERE d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
                          AND i.indexprs IS NULL AND i.indpred IS NULL)
          AND NOT EXISTS (SELECT FROM pg_attrdef f WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid AND f.adnum = a.attnum)
        UNION ALL
        SELECT 'the partition key' FROM pg_partitioned_table p JOIN pg_attribute a
               ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::int2[])
        WHERE a.attrelid = relation AND a.attname = column_name
        UNION ALL
        SELECT 'it comes from a parent of the table' FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attname = column_name AND a.attinhcount > 0
        UNION ALL
        SELECT format('index %s (%s)', i.indexrelid::regclass,
                      CASE WHEN c.relkind = 'p' THEN 'of a partitioned table' ELSE 'which needs deterministic mode' END)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = column_name AND a.attnum = ANY (i.indkey::int2[])
        WHERE i.indrelid = relation AND (c.relkind = 'p' OR mode <> 'deterministic')
        UNION ALL
        SELECT 'the table has children by inheritance' FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
        WHERE i.inhparent = relation AND c.relkind = 'r' LIMIT 1
    ) o (what);
END;
COMMENT ON FUNCTION rampart.conversion_obstacles(regclass, name, text) IS
'What depends on a column and keeps it from being converted online.';

CREATE FUNCTION rampart.encrypt_column(relation regclass, column_name name, scope text, mode text DEFAULT 'random',
                                       type text DEFAULT NULL, batch int4 DEFAULT 5000,
                                       max_rows_per_second int4 DEFAULT NULL) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source pg_attribute;
    target name := 'rampart_' || left(md5(encrypt_column.column_name), 12);
    encrypted text;
    obstacles text;
    running int8;
    new_id int8;
BEGIN
    PERFORM rampart.check_pace(batch, max_rows_per_second);
    IF mode IS NULL OR mode NOT IN ('random', 'deterministic') THEN
        RAISE EXCEPTION 'mode must be random or deterministic' USING ERRCODE = '22023';
    END IF;
    PERFORM rampart.lock_scope(encrypt_column.scope);
    SELECT * INTO source FROM pg_attribute a
        WHERE a.attrelid = encrypt_column.relation AND a.attname = encrypt_column.column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of "%" does not exist', column_name, relation USING ERRCODE = '42703';
    END IF;
    encrypted := coalesce(encrypt_column.type, rampart.encrypted_type_for(source.atttypid));
    IF encrypted IS NULL OR NOT rampart.is_encrypted(to_regtype(encrypted)) THEN
        RAISE EXCEPTION 'no encrypted type takes values of type %', format_type(source.atttypid, source.atttypmod)
            USING ERRCODE = '42804', HINT = 'Name one that the values can be cast to: type => ''enc_text''.';
    END IF;
    SELECT r.id INTO running FROM rampart.rotation r
        WHERE r.relation = encrypt_column.relation AND r.source_column = encrypt_column.column_name
          AND r.state IN ('running', 'paused', 'ready', 'complete with errors');
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of "%" is being converted already', column_name, relation USING ERRCODE = 'RMR01',
            DETAIL = format('By conversion %s.', running), HINT = 'TABLE rampart.rotation_progress shows it; cancel_rotation ends it.';
    END IF;
    obstacles := rampart.conversion_obstacles(relation, column_name, mode);
    IF obstacles IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" of "%" cannot be converted online', column_name, relation USING ERRCODE = 'RMR05',
            DETAIL = format('In the way: %s.', obstacles),
            HINT = 'ALTER TABLE ... ALTER COLUMN ... TYPE converts in one statement, and foreign keys with it.';
    END IF;
    INSERT INTO rampart.rotation (scope, relation, source_column, target_column, batch, max_rows_per_second)
        VALUES (encrypt_column.scope, encrypt_column.relation, encrypt_column.column_name, target, encrypt_column.batch, encrypt_column.max_rows_per_second)
        RETURNING id INTO new_id;
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s(%I, %s)', relation, target, to_regtype(encrypted), encrypt_column.scope, mode);
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION rampart.fill_column(%L, %L)',
                   rampart.conversion_trigger(target), relation, column_name, target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, rampart.conversion_trigger(target));
    IF source.attnotnull THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%I IS NOT NULL) NOT VALID', relation, target, target);
    END IF;
    PERFORM rampart.add_rotation_table(new_id, p.relid, ARRAY[target::text])
        FROM (SELECT relid FROM pg_partition_tree(relation) WHERE isleaf
              UNION SELECT relation WHERE NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = relation)) p;
    PERFORM rampart.record_key_event('conversion_started', encrypt_column.scope,
        details => jsonb_build_object('conversion', new_id, 'column', format('%s.%I', relation, column_name)));
    PERFORM rampart.wake_worker();
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION rampart.encrypt_column(regclass, name, text, text, text, int4, int4) IS
'Begins to encrypt a plaintext column online; returns an id for rotation_progress, pause_rotation, cancel_rotation and the like. mode: random or deterministic. type: an encrypted type, if not the one that fits. When its state is ready: conversion_indexes(id) lists the indexes to build, CALL finish_conversion(id) swaps the columns. Errors: RMK01, RMR05 (something depends on the column), 42703, 42804, 22023, RMR01 (under way already).';

CREATE FUNCTION rampart.conversion_trigger(target name) RETURNS name
    LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
    -- The last of the table's BEFORE triggers: it must see what they make of the row.
    RETURN ('~' || target)::name;
COMMENT ON FUNCTION rampart.conversion_trigger(name) IS 'The name of a conversion''s trigger.';

CREATE FUNCTION rampart.conversion(id int8, allowed text[]) RETURNS rampart.rotation
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c rampart.rotation;
BEGIN
    SELECT * INTO c FROM rampart.rotation r WHERE r.id = conversion.id AND r.source_column IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'conversion % does not exist', id USING ERRCODE = 'RMR02';
    ELSIF c.state <> ALL (allowed) THEN
        RAISE EXCEPTION 'conversion % is %', id, c.state USING ERRCODE = 'RMR03',
            HINT = format('This needs one that is %s.', array_to_string(allowed, ' or '));
    END IF;
    RETURN c;
END
$$;
COMMENT ON FUNCTION rampart.conversion(int8, text[]) IS 'A conversion in one of the allowed states, locked. Errors: RMR02, RMR03.';

CREATE FUNCTION rampart.conversion_indexes(id int8)
RETURNS TABLE (index_name name, built bool, statement text, new_name name)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c rampart.rotation := rampart.conversion(id, '{running,paused,ready}');
BEGIN
    RETURN QUERY
        SELECT o.relname, coalesce(b.indisvalid AND b.indisready, false),
               format('CREATE %sINDEX CONCURRENTLY %I ON %s USING %s',
                      CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, n.name, c.relation::regclass,
                      regexp_replace(regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING ', ''),
                                     '(?<![[:alnum:]_"])' || regexp_replace(quote_ident(c.source_column), '(\W)', '\\\1', 'g')
                                     || '(?![[:alnum:]_"])', quote_ident(c.target_column), 'g')),
               n.name
        FROM pg_index i JOIN pg_class o ON o.oid = i.indexrelid
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = c.source_column AND a.attnum = ANY (i.indkey::int2[])
        CROSS JOIN LATERAL (SELECT ('rampart_' || left(md5(o.relname), 12))::name) n (name)
        LEFT JOIN pg_index b ON b.indrelid = i.indrelid
             AND b.indexrelid = (SELECT e.oid FROM pg_class e WHERE e.relname = n.name AND e.relnamespace = o.relnamespace)
        WHERE i.indrelid = c.relation;
END
$$;
COMMENT ON FUNCTION rampart.conversion_indexes(int8) IS
'The indexes of a column under conversion, the statements that build their successors on the encrypted column while everybody works on, and whether that is done. Errors: RMR02, RMR03.';

CREATE FUNCTION rampart.swap_columns(id int8, lock_timeout interval) RETURNS name[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c rampart.rotation := rampart.conversion(id, '{ready}');
    source pg_attribute;
    missing text;
    afterwards text[];
    later name[];
    command text;
BEGIN
    PERFORM set_config('lock_timeout', (extract(epoch FROM lock_timeout) * 1000)::int8 || 'ms', true);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', c.relation::regclass);
    SELECT string_agg(quote_ident(x.index_name), ', ') INTO missing FROM rampart.conversion_indexes(id) x WHERE NOT x.built;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'indexes of column "%" have no successors yet', c.source_column USING ERRCODE = 'RMR03',
            DETAIL = missing, HINT = format('SELECT statement FROM rampart.conversion_indexes(%s) prints what builds them.', id);
    END IF;
    SELECT * INTO source FROM pg_attribute a WHERE a.attrelid = c.relation AND a.attname = c.source_column;
    -- Collected before the old column takes them away.
    SELECT array_agg(x.command ORDER BY x.n) INTO afterwards FROM (
        SELECT 1, format('ALTER TABLE %s RENAME COLUMN %I TO %I', c.relation::regclass, c.target_column, c.source_column)
        UNION ALL
        SELECT 2, CASE WHEN k.conname IS NULL THEN format('ALTER INDEX %I.%I RENAME TO %I', o.relnamespace::regnamespace, n.new_name, n.index_name)
                       ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s', c.relation::regclass, k.conname,
                                   CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, n.new_name,
                                   CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END) END
        FROM rampart.conversion_indexes(id) n
        JOIN pg_class o ON o.relname = n.index_name AND o.oid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = c.relation)
        LEFT JOIN pg_constraint k ON k.conindid = o.oid AND k.contype IN ('p', 'u') AND k.conrelid = c.relation
        UNION ALL
        SELECT 3, format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', c.relation::regclass, c.source_column, pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attrdef d WHERE d.adrelid = c.relation AND d.adnum = source.attnum
        UNION ALL
        SELECT 4, format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', c.relation::regclass, k.conname, regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
        FROM pg_constraint k WHERE k.conrelid = c.relation AND k.contype = 'c' AND source.attnum = ANY (k.conkey)
        UNION ALL
        SELECT 5, format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, c.source_column, c.relation::regclass,
                         CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END, CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM aclexplode(source.attacl) g
        UNION ALL
        SELECT 6, format('COMMENT ON COLUMN %s.%I IS %L', c.relation::regclass, c.source_column, col_description(c.relation, source.attnum))
        WHERE col_description(c.relation, source.attnum) IS NOT NULL
    ) x (n, command);
    SELECT array_agg(k.conname) INTO later
        FROM pg_constraint k
        WHERE k.conrelid = c.relation AND k.contype = 'c' AND k.convalidated AND source.attnum = ANY (k.conkey);
    EXECUTE format('DROP TRIGGER %I ON %s', rampart.conversion_trigger(c.target_column), c.relation::regclass);
    IF source.attnotnull THEN
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', c.relation::regclass, c.target_column);
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.relation::regclass, c.target_column);
    END IF;
    EXECUTE format('ALTER TABLE %s DROP COLUMN %I', c.relation::regclass, c.source_column);
    FOREACH command IN ARRAY afterwards LOOP
        EXECUTE command;
    END LOOP;
    PERFORM rampart.change_rotation(id, '{ready}', 'complete');
    RETURN later;
END
$$;
COMMENT ON FUNCTION rampart.swap_columns(int8, interval) IS
'Puts the encrypted column in the plaintext one''s place, with its indexes, constraints, default, rights and comment, under an ACCESS EXCLUSIVE lock. Returns the CHECKs that are to be validated afterwards. Errors: RMR02, RMR03, 55P03.';

CREATE FUNCTION rampart.validate_conversion(id int8, allowed text[], names name[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c rampart.rotation := rampart.conversion(id, allowed);
    name name;
BEGIN
    FOR name IN SELECT k.conname FROM pg_constraint k
                WHERE k.conrelid = c.relation AND k.contype = 'c' AND NOT k.convalidated
                  AND k.conname = ANY (coalesce(names, ARRAY[c.target_column])) LOOP
        PERFORM rampart.execute_as_owner(c.relation, format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.relation::regclass, name));
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.validate_conversion(int8, text[], name[]) IS
'Validates CHECKs of a conversion''s table; NULL: the one that no encrypted value is missing, so that the swap need not look. Errors: RMR02, RMR03, 23514.';

CREATE FUNCTION rampart.drop_target(id int8) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c rampart.rotation := rampart.conversion(id, '{cancelled}');
BEGIN
    IF EXISTS (SELECT FROM pg_class r WHERE r.oid = c.relation) THEN
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', rampart.conversion_trigger(c.target_column), c.relation::regclass);
        EXECUTE format('ALTER TABLE %s DROP COLUMN IF EXISTS %I', c.relation::regclass, c.target_column);
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.drop_target(int8) IS 'Removes what a cancelled conversion has made.';

CREATE PROCEDURE rampart.finish_conversion(id int8, lock_timeout interval DEFAULT '2 s')
LANGUAGE plpgsql
AS $$
DECLARE
    later pg_catalog.name[];
BEGIN
    -- Each in a transaction of its own: only the swap keeps others out, and it need not look at rows.
    PERFORM rampart.validate_conversion(id, '{ready}', NULL);
    COMMIT;
    later := rampart.swap_columns(id, lock_timeout);
    COMMIT;
    PERFORM rampart.validate_conversion(id, '{complete}', later) WHERE later IS NOT NULL;
    COMMIT;
    RAISE NOTICE 'the column is encrypted; row versions from before hold its plaintext until the table is rewritten'
        USING HINT = 'VACUUM FULL rewrites it. rampart.exposure_report() lists other traces.';
END
$$;
COMMENT ON PROCEDURE rampart.finish_conversion(int8, interval) IS
'Puts the encrypted column of a conversion that is ready in the plaintext one''s place. Waits no longer than lock_timeout for the table, and fails then; call it again. Errors: RMR02, RMR03 (not ready, or indexes are missing), 55P03, 23514.';
