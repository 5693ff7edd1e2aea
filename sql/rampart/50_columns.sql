-- A column of an encrypted type without a scope would hold literals in the clear (a literal gets its
-- scope from its column). So there is none: a declaration without a scope is given rampart.default_scope,
-- or refused. Declarations that could never answer are refused here too, before data depends on them.

CREATE FUNCTION rampart.is_encrypted(type oid) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_is_encrypted' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rampart.is_encrypted(oid) IS 'Whether a type is one of the encrypted types or an array of one.';

CREATE FUNCTION rampart.holds_unscoped(type oid) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_holds_unscoped' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rampart.holds_unscoped(oid) IS
'Whether a row type, an array of it or a domain over it has an encrypted column without a scope, as those of views may.';

CREATE FUNCTION rampart.give_default_scope(relation oid, column_name name, type oid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    default_scope text := current_setting('rampart.default_scope', true);
    kind "char" := (SELECT relkind FROM pg_class WHERE oid = relation);
    element text := (SELECT format_type(CASE WHEN typelem <> 0 THEN typelem ELSE oid END, NULL)
                     FROM pg_type WHERE oid = type);
BEGIN
    IF coalesce(default_scope, '') = '' OR kind NOT IN ('r', 'p') OR NOT rampart.is_encrypted(type) THEN
        RAISE EXCEPTION 'encrypted column "%" of "%" has no scope', column_name, relation::regclass
            USING ERRCODE = 'RMT04',
                  HINT = CASE WHEN rampart.is_encrypted(type)
                              THEN format('Name one: %s(scope). A default for declarations without: rampart.default_scope.', element)
                              ELSE format('Give the columns of row type %s a scope.', element) END;
    END IF;
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s(%I)%s', relation::regclass, column_name, element,
                   default_scope, CASE WHEN format_type(type, NULL) LIKE '%[]' THEN '[]' ELSE '' END);
END
$$;
COMMENT ON FUNCTION rampart.give_default_scope(oid, name, oid) IS
'Gives a column that was declared without a scope the default one. Errors: RMT04.';

CREATE FUNCTION rampart.is_randomised(type oid, modifier int4) RETURNS bool
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- The mode is the modifier's last two bits; arrays compare element by element.
    SELECT rampart.is_encrypted(type) AND modifier & 3 <> 2;
END;
COMMENT ON FUNCTION rampart.is_randomised(oid, int4) IS
'Whether a column of this type and modifier holds randomised values, which do not compare.';

CREATE FUNCTION rampart.check_statistics(statistics oid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_statistic_ext s
               JOIN pg_depend d ON d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
                    AND d.refclassid = 'pg_class'::regclass
               JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
               WHERE s.oid = statistics AND s.stxexprs IS NOT NULL AND rampart.is_encrypted(a.atttypid)) THEN
        RAISE EXCEPTION 'statistics on an expression over an encrypted column would keep plaintext on disk'
            USING ERRCODE = 'RMT08', HINT = 'Leave the expression out; statistics on the column itself keep ciphertext.';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_statistics(oid) IS
'Refuses extended statistics that would store decrypted values. Errors: RMT08.';

CREATE FUNCTION rampart.check_relation(relation oid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    col record;
BEGIN
    FOR col IN SELECT a.attrelid, a.attname, a.atttypid FROM pg_attribute a
                 JOIN pg_class c ON c.oid = a.attrelid AND c.relkind NOT IN ('i', 'I')
                 WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                   AND ((a.atttypmod = -1 AND rampart.is_encrypted(a.atttypid))
                        OR rampart.holds_unscoped(a.atttypid)) LOOP
        PERFORM rampart.give_default_scope(col.attrelid, col.attname, col.atttypid);
    END LOOP;
    -- Statistics from before a column was encrypted.
    PERFORM rampart.check_statistics(s.oid) FROM pg_statistic_ext s WHERE s.stxrelid = relation;
    SELECT a.attname INTO col
        FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
        WHERE relation IN (i.indrelid, i.indexrelid) AND rampart.is_randomised(a.atttypid, a.atttypmod)
          AND array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts;
    IF FOUND THEN
        RAISE EXCEPTION 'randomised column "%" cannot be indexed', col.attname USING ERRCODE = 'RMT02',
            HINT = 'Declare it deterministic, or index rampart.blind_index() of it in a column of its own.';
    END IF;
    -- No planner sees a CHECK, and arrays would be ordered by their elements' keyed hashes.
    SELECT a.attname INTO col
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
        WHERE c.conrelid = relation AND c.contype = 'c' AND rampart.is_encrypted(a.atttypid)
          AND format_type(a.atttypid, NULL) LIKE '%[]'
          AND EXISTS (SELECT FROM pg_operator o
                      WHERE o.oprcode IN ('array_lt'::regproc, 'array_le'::regproc, 'array_gt'::regproc, 'array_ge'::regproc)
                        AND c.conbin::text ~ format(':opno %s [^{}]*:args [(]({[^{}]*} )?{VAR [^{}]*:vartype %s ',
                                                    o.oid, a.atttypid));
    IF FOUND THEN
        RAISE EXCEPTION 'a CHECK cannot order by encrypted array column "%"', col.attname
            USING ERRCODE = 'RMT05', HINT = 'Cast its elements: col::text[].';
    END IF;
    SELECT a.attname, p.partstrat INTO col
        FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = ANY (p.partattrs::int2[])
        WHERE p.partrelid = relation AND rampart.is_encrypted(a.atttypid)
          AND (p.partstrat = 'r' OR rampart.is_randomised(a.atttypid, a.atttypmod));
    IF FOUND AND col.partstrat = 'r' THEN
        RAISE EXCEPTION 'cannot partition by range of encrypted column "%"', col.attname
            USING ERRCODE = 'RMT05', HINT = 'Partition by hash or by list.';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'cannot partition by randomised column "%"', col.attname
            USING ERRCODE = 'RMT02', HINT = 'Declare it deterministic.';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_relation(oid) IS
'Sees to it that the encrypted columns of a table or index have scopes and can do what is asked of them. Errors: RMT02, RMT04, RMT05.';

CREATE FUNCTION rampart.check_type(type oid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    composite oid := (SELECT t.typrelid FROM pg_type t WHERE t.oid = type AND t.typrelid <> 0);
BEGIN
    IF composite IS NOT NULL THEN
        PERFORM rampart.check_relation(composite);
    ELSIF EXISTS (SELECT FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid
                  WHERE t.oid = type AND (rampart.is_encrypted(r.rngsubtype)
                        OR (t.typtype = 'd' AND t.typtypmod = -1 AND rampart.is_encrypted(t.typbasetype))
                        OR (t.typtype = 'd' AND rampart.holds_unscoped(t.oid)))) THEN
        RAISE EXCEPTION 'type "%" would hold encrypted values without a scope', type::regtype
            USING ERRCODE = 'RMT04', HINT = 'Name one in a domain: enc_text(scope). Ranges cannot.';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_type(oid) IS
'The same for composite types, domains and ranges. Errors: RMT04.';

CREATE FUNCTION rampart.check_columns() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT c.classid, c.objid, r.relkind
                FROM pg_event_trigger_ddl_commands() c
                LEFT JOIN pg_class r ON c.classid = 'pg_class'::regclass AND r.oid = c.objid LOOP
        IF made.relkind IN ('r', 'p', 'm', 'c', 'f', 'i', 'I') THEN
            PERFORM rampart.check_relation(made.objid);
        ELSIF made.classid = 'pg_type'::regclass THEN
            PERFORM rampart.check_type(made.objid);
        ELSIF made.classid = 'pg_statistic_ext'::regclass THEN
            PERFORM rampart.check_statistics(made.objid);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.check_columns() IS
'Event trigger: refuses declarations of encrypted columns that could not work. Errors: RMT02, RMT04, RMT05, RMT08.';

CREATE EVENT TRIGGER rampart_check_columns ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE MATERIALIZED VIEW', 'CREATE INDEX',
                 'ALTER TABLE', 'CREATE TYPE', 'ALTER TYPE', 'CREATE DOMAIN', 'CREATE SCHEMA',
                 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'IMPORT FOREIGN SCHEMA', 'CREATE STATISTICS')
    EXECUTE FUNCTION rampart.check_columns();
ALTER EVENT TRIGGER rampart_check_columns ENABLE ALWAYS;

-- A column cannot change its type alone while a foreign key ties it to another. These convert the whole
-- net of columns in one step; ALTER TABLE ... TYPE enc_...() on such a column calls them.

CREATE TYPE rampart.linked_column AS (relation regclass, column_name name);
COMMENT ON TYPE rampart.linked_column IS 'A column of a table.';

CREATE FUNCTION rampart.linked_columns(relation regclass, column_name name)
RETURNS SETOF rampart.linked_column
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE link (rel, col) AS (
        SELECT a.attrelid, a.attnum FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
        UNION
        SELECT pair.rel, pair.col
        FROM link
        JOIN pg_constraint c ON c.contype = 'f' AND link.rel IN (c.conrelid, c.confrelid)
        CROSS JOIN LATERAL (
            SELECT c.confrelid AS rel, c.confkey[i] AS col FROM generate_subscripts(c.conkey, 1) i
            WHERE c.conrelid = link.rel AND c.conkey[i] = link.col
            UNION ALL
            SELECT c.conrelid, c.conkey[i] FROM generate_subscripts(c.conkey, 1) i
            WHERE c.confrelid = link.rel AND c.confkey[i] = link.col
        ) pair
    )
    SELECT ROW(a.attrelid::regclass, a.attname)::rampart.linked_column
    FROM link JOIN pg_attribute a ON a.attrelid = link.rel AND a.attnum = link.col
    ORDER BY a.attrelid <> relation, a.attrelid::regclass::text, a.attname;
END;
COMMENT ON FUNCTION rampart.linked_columns(regclass, name) IS
'A column and all that foreign keys tie to it, directly or through others.';

CREATE FUNCTION rampart.adopt_column(relation regclass, column_name name, type text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    links rampart.linked_column[];
    link rampart.linked_column;
    dropped text[];
    added text[];
    command text;
BEGIN
    SELECT array_agg(l) INTO links FROM rampart.linked_columns(relation, column_name) l;
    IF links IS NULL THEN
        RAISE EXCEPTION 'column "%" of "%" does not exist', column_name, relation USING ERRCODE = '42703';
    END IF;
    SELECT array_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)),
           array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname,
                            pg_get_constraintdef(c.oid)))
        INTO dropped, added
        FROM pg_constraint c
        WHERE c.contype = 'f' AND c.conparentid = 0 AND EXISTS (
            SELECT FROM unnest(links) l
            JOIN pg_attribute a ON a.attrelid = l.relation AND a.attname = l.column_name
            WHERE (c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey))
               OR (c.confrelid = a.attrelid AND a.attnum = ANY (c.confkey)));
    FOREACH command IN ARRAY coalesce(dropped, '{}') LOOP
        EXECUTE command;
    END LOOP;
    FOREACH link IN ARRAY links LOOP
        -- A partition's column changes with its parent's.
        CONTINUE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = link.relation
                              AND a.attname = link.column_name AND a.attinhcount > 0);
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', link.relation, link.column_name, type);
        IF (link.relation, link.column_name) <> (adopt_column.relation, adopt_column.column_name) THEN
            RAISE NOTICE 'column "%" of "%" is tied to it by a foreign key: converted as well',
                link.column_name, link.relation;
        END IF;
    END LOOP;
    FOREACH command IN ARRAY coalesce(added, '{}') LOOP
        EXECUTE command;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.adopt_column(regclass, name, text) IS
'Changes the type of a column and of all columns that foreign keys tie to it, in one step: rampart.adopt_column(''customers'', ''email'', ''enc_text(pii, deterministic)''). ALTER TABLE on such a column does the same. Needs the ownership of the tables. Errors: 42703.';
