-- What lies in the clear beside encrypted columns: old row versions, and data that is made of decrypted values.
-- Each function named exposure_of_... is one chapter of rampart.exposure_report(). Details name objects and
-- numbers, never a value.

CREATE TYPE rampart.exposure AS (severity text, finding text, object text, detail text, advice text);
COMMENT ON TYPE rampart.exposure IS
'One finding of rampart.exposure_report(): severity is high, medium, low or info; advice is what to do.';

CREATE FUNCTION rampart.object_name(class oid, object oid, sub int4 DEFAULT 0) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.type || ' ' || o.identity FROM pg_identify_object(class, object, CASE WHEN class = 'pg_class'::regclass THEN sub ELSE 0 END) o
    -- Of a class that is none it would say that the server has a bug.
    WHERE class IN (SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace);
END;
COMMENT ON FUNCTION rampart.object_name(oid, oid, int4) IS 'Kind and name of an object, qualified and quoted.';

CREATE FUNCTION rampart.exposure_columns()
RETURNS TABLE (relation oid, relkind "char", number int2, name name, type oid, modifier int4, relation_name text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid, c.relkind, a.attnum, a.attname, a.atttypid, a.atttypmod, c.oid::regclass::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'f') AND rampart.is_encrypted(a.atttypid);
END;
COMMENT ON FUNCTION rampart.exposure_columns() IS
'Columns of encrypted types in tables, materialised views and foreign tables of all schemas.';

-- Node trees are searched as text: they have no other form in SQL. Function and type ids, as alternatives.
CREATE FUNCTION rampart.node_patterns(OUT types text, OUT holders text, OUT opening text, OUT sealing text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE part (type, holder) AS MATERIALIZED (
        SELECT typelem, oid FROM pg_type WHERE typelem <> 0
        UNION ALL
        SELECT typbasetype, oid FROM pg_type WHERE typbasetype <> 0
        UNION ALL
        SELECT a.atttypid, c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.reltype <> 0 AND a.attnum > 0 AND NOT a.attisdropped
    ), holding (type) AS (
        SELECT oid FROM pg_type WHERE rampart.is_encrypted(oid)
        UNION
        SELECT part.holder FROM holding JOIN part USING (type)
    )
    SELECT (SELECT string_agg(type::text, '|') FROM holding WHERE rampart.is_encrypted(type)),
           (SELECT string_agg(type::text, '|') FROM holding),
           (SELECT string_agg(oid::text, '|') FROM pg_proc WHERE pronamespace = 'rampart'::regnamespace
              AND proname ~ '^(to_plain|reveal|as_.+|concatenation|difference|try_decrypt|decrypt(_.+)?)$'),
           (SELECT string_agg(oid::text, '|') FROM pg_proc WHERE pronamespace = 'rampart'::regnamespace
              AND proname ~ '^(to_enc_.+|coerce)$');
END;
COMMENT ON FUNCTION rampart.node_patterns() IS
'Alternatives for regular expressions over stored expression trees: encrypted types; these and types that contain one; functions that decrypt; functions that encrypt for a column.';

CREATE FUNCTION rampart.decrypts(tree text) RETURNS bool
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH p AS MATERIALIZED (SELECT * FROM rampart.node_patterns())
    SELECT tree ~ format(':(?:func|opfunc)id (?:%s) ', p.opening)
        OR tree ~ format('{COERCEVIAIO :arg {VAR [^{}]*:vartype (?:%s) ', p.holders)
        -- A function of the user's that is given the encrypted value or its row, to_jsonb(row), format() and the like.
        OR EXISTS (SELECT FROM regexp_matches(tree, format(
                       '{FUNCEXPR :funcid (\d+) [^{}]*:args \((?:{[^{}]*} )*{VAR [^{}]*:vartype (?:%s) ', p.holders), 'g') m
                   JOIN pg_proc f ON f.oid = m[1]::oid
                   WHERE f.pronamespace <> 'rampart'::regnamespace AND NOT rampart.is_encrypted(f.prorettype)
                     AND (f.oid >= 16384 OR f.prorettype IN ('text'::regtype, 'json'::regtype, 'jsonb'::regtype)))
    FROM p;
END;
COMMENT ON FUNCTION rampart.decrypts(text) IS 'Whether a stored expression tree decrypts a value.';

CREATE FUNCTION rampart.exposure_of_rows() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT DISTINCT c.oid, c.relation_name, r.reltoastrelid
        FROM (SELECT relation AS oid, relation_name FROM rampart.exposure_columns()
              WHERE relkind IN ('r', 'm')) c JOIN pg_class r USING (oid)
    ), dropped AS (
        -- A rewrite gives the table a new TOAST table. So where that is older than the drop, the dropped column's
        -- bytes are still in the rows. Within one transaction, by command.
        SELECT t.oid, t.relation_name, count(*) AS columns
        FROM tables t
        JOIN pg_class toast ON toast.oid = t.reltoastrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attisdropped AND a.attnum > 0
        WHERE (age(a.xmin), -(a.cmin::text::int8)) < (age(toast.xmin), -(toast.cmin::text::int8))
          AND pg_relation_size(t.oid) > 0
        GROUP BY 1, 2
    ), dead AS (
        SELECT t.oid, t.relation_name,
               pg_stat_get_dead_tuples(t.oid) + coalesce(pg_stat_get_dead_tuples(nullif(t.reltoastrelid, 0)), 0) AS versions
        FROM tables t
    )
    SELECT ROW('high', 'dropped column', 'table ' || relation_name,
               format('Rows still hold the bytes of %s dropped column(s), in the clear if it was a plain one.', columns),
               format('VACUUM FULL %s', relation_name))::rampart.exposure
    FROM dropped
    UNION ALL
    SELECT ROW('low', 'dead rows', 'table ' || relation_name,
               format('%s dead row versions hold what rows held before: plaintext where a column was filled from a plain one, ciphertext under old keys.',
                      versions),
               format('VACUUM %s, which frees them; VACUUM FULL %s also removes their bytes', relation_name, relation_name))::rampart.exposure
    FROM dead WHERE versions > 0;
END;
COMMENT ON FUNCTION rampart.exposure_of_rows() IS
'Chapter of exposure_report(): plaintext in old versions of rows.';

CREATE FUNCTION rampart.exposure_of_columns() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH columns AS MATERIALIZED (SELECT * FROM rampart.exposure_columns())
    SELECT ROW('high', 'column without a scope', rampart.object_name('pg_class'::regclass, relation, number),
               'Nothing encrypts what is stored here: declared while the event trigger rampart_check_columns did not run.',
               format('ALTER TABLE %s ALTER COLUMN %I TYPE %s, with the name of a scope', relation_name, name,
                      regexp_replace(format_type(type, NULL), '(\[\])?$', '(<scope>)\1')))::rampart.exposure
    FROM columns WHERE modifier = -1 AND relkind IN ('r', 'p', 'm')
    UNION ALL
    SELECT ROW('high', 'event trigger', 'event trigger rampart_check_columns',
               'It does not run always. It refuses columns and statistics that would store plaintext.',
               'ALTER EVENT TRIGGER rampart_check_columns ENABLE ALWAYS')::rampart.exposure
    FROM pg_event_trigger WHERE evtname = 'rampart_check_columns' AND evtenabled <> 'A'
    UNION ALL
    SELECT ROW('medium', 'plain column beside', rampart.object_name('pg_class'::regclass, c.relation, a.attnum),
               format('By name and type the origin of the encrypted column %I.', c.name),
               format('ALTER TABLE %s DROP COLUMN %I; VACUUM FULL %s', c.relation_name, a.attname, c.relation_name))::rampart.exposure
    FROM columns c
    JOIN pg_attribute a ON a.attrelid = c.relation AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT rampart.is_encrypted(a.atttypid)
      AND regexp_replace(c.name, '_(enc|encrypted|cipher|ciphertext|secure|new)$', '')
        = regexp_replace(a.attname, '_(plain|plaintext|clear|cleartext|raw|orig|original|old|bak|backup|unencrypted|decrypted)$', '')
      AND EXISTS (SELECT FROM pg_cast WHERE castsource = a.atttypid AND casttarget = c.type
                  UNION ALL SELECT FROM pg_cast WHERE castsource = c.type AND casttarget = a.atttypid AND castcontext = 'i')
    UNION ALL
    SELECT ROW('medium', 'foreign table', rampart.object_name('pg_class'::regclass, c.relation, c.number),
               'What a role that may decrypt writes here can reach the foreign server in the clear: it is sent as that role would see it.',
               format('Declare it bytea and store rampart.encrypt(...), or REVOKE INSERT, UPDATE ON %s from roles that may decrypt',
                      c.relation_name))::rampart.exposure
    FROM columns c WHERE c.relkind = 'f';
END;
COMMENT ON FUNCTION rampart.exposure_of_columns() IS
'Chapter of exposure_report(): columns that store or pass on plaintext.';

CREATE FUNCTION rampart.exposure_of_derived_data() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH p AS MATERIALIZED (
        SELECT format('{VAR [^{}]*:vartype (?:%s) ', holders) AS uses FROM rampart.node_patterns()
    )
    -- Only through a function that is wrongly declared IMMUTABLE. bytea is what blind_index() and ciphertext() give.
    SELECT ROW('high', 'index over decrypted values', rampart.object_name('pg_class'::regclass, i.indexrelid),
               'Its pages and its statistics in pg_statistic hold what its expression makes of decrypted values.',
               format('DROP INDEX %s; store rampart.blind_index() of the value in a column and index that', i.indexrelid::regclass))::rampart.exposure
    FROM pg_index i, p
    WHERE i.indexprs::text ~ p.uses
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND i.indkey[a.attnum - 1] = 0
                    AND a.atttypid <> 'bytea'::regtype AND NOT rampart.is_encrypted(a.atttypid))
    UNION ALL
    SELECT ROW('medium', 'index predicate', rampart.object_name('pg_class'::regclass, i.indexrelid),
               'Which rows it holds shows something of their decrypted values.',
               format('DROP INDEX %s', i.indexrelid::regclass))::rampart.exposure
    FROM pg_index i, p
    WHERE rampart.decrypts(i.indpred::text) AND i.indpred::text ~ p.uses
    UNION ALL
    SELECT ROW('high', 'generated column', rampart.object_name('pg_class'::regclass, a.attrelid, a.attnum),
               'It stores what its expression makes of decrypted values.',
               format('ALTER TABLE %s DROP COLUMN %I; VACUUM FULL %s', a.attrelid::regclass, a.attname, a.attrelid::regclass))::rampart.exposure
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum, p
    WHERE a.attgenerated <> '' AND d.adbin::text ~ p.uses
      AND a.atttypid <> 'bytea'::regtype AND NOT rampart.is_encrypted(a.atttypid)
    UNION ALL
    -- Conditions decrypt without storing, so the result columns alone are looked at.
    SELECT ROW('high', 'materialised view', rampart.object_name('pg_class'::regclass, c.oid),
               'It stores decrypted values, or what is made of them.',
               format('DROP MATERIALIZED VIEW %s; select the encrypted columns as they are, and decrypt in a view over it', c.oid::regclass))::rampart.exposure
    FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid
    WHERE c.relkind = 'm' AND rampart.decrypts(regexp_replace(regexp_replace(r.ev_action::text,
              ':jointree .*? :targetList', ':targetList', 'g'), ':havingQual .*? :windowClause', '', 'g'))
    UNION ALL
    SELECT ROW('high', 'statistics over decrypted values', rampart.object_name('pg_statistic_ext'::regclass, s.oid),
               'ANALYZE keeps the most frequent decrypted values in pg_statistic_ext_data. Such statistics survive the conversion of their column.',
               format('DROP STATISTICS %s.%I', s.stxnamespace::regnamespace, s.stxname))::rampart.exposure
    FROM pg_statistic_ext s, p WHERE s.stxexprs::text ~ p.uses;
END;
COMMENT ON FUNCTION rampart.exposure_of_derived_data() IS
'Chapter of exposure_report(): what the server stores that is made of decrypted values.';
