-- Definitions are code, and stand in the clear in the catalogs and in dumps, literals included.

CREATE FUNCTION rampart.stored_expressions() RETURNS TABLE (object text, removal text, tree text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- A relation that it belongs to, class, object, number, the command that removes it, node tree.
    WITH stored (relation, class, object, sub, removal, tree) AS (
        SELECT ev_class, CASE rulename WHEN '_RETURN' THEN 'pg_class'::regclass ELSE 'pg_rewrite'::regclass END,
               CASE rulename WHEN '_RETURN' THEN ev_class ELSE oid END, 0, NULL, concat(ev_qual, ev_action)
        FROM pg_rewrite
        UNION ALL
        SELECT polrelid, 'pg_policy'::regclass, oid, 0, NULL, concat(polqual, polwithcheck) FROM pg_policy
        UNION ALL
        SELECT tgrelid, 'pg_trigger'::regclass, oid, 0, NULL, tgqual::text FROM pg_trigger
        UNION ALL
        SELECT indrelid, 'pg_class'::regclass, indexrelid, 0, NULL, concat(indexprs, indpred) FROM pg_index
        UNION ALL
        SELECT NULL, 'pg_proc'::regclass, oid, 0, NULL, concat(prosqlbody, proargdefaults) FROM pg_proc
        WHERE pronamespace <> 'rampart'::regnamespace
        UNION ALL
        SELECT adrelid, 'pg_class'::regclass, adrelid, adnum,
               format(CASE a.attgenerated WHEN '' THEN 'ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT'
                                          ELSE 'ALTER TABLE %s ALTER COLUMN %I DROP EXPRESSION' END, adrelid::regclass, a.attname),
               adbin::text
        FROM pg_attrdef JOIN pg_attribute a ON a.attrelid = adrelid AND a.attnum = adnum
        UNION ALL
        SELECT conrelid, 'pg_constraint'::regclass, oid, 0,
               format(CASE contypid WHEN 0 THEN 'ALTER TABLE %s DROP CONSTRAINT %I' ELSE 'ALTER DOMAIN %s DROP CONSTRAINT %I' END,
                      CASE contypid WHEN 0 THEN conrelid::regclass::text ELSE contypid::regtype::text END, conname),
               conbin::text
        FROM pg_constraint
        UNION ALL
        SELECT NULL, 'pg_type'::regclass, oid, 0, format('ALTER DOMAIN %s DROP DEFAULT', oid::regtype), typdefaultbin::text
        FROM pg_type
        UNION ALL
        SELECT stxrelid, 'pg_statistic_ext'::regclass, oid, 0,
               format('DROP STATISTICS %s.%I', stxnamespace::regnamespace, stxname), stxexprs::text
        FROM pg_statistic_ext
        UNION ALL
        SELECT c.oid, 'pg_class'::regclass, c.oid, 0,
               format('ALTER TABLE %s DETACH PARTITION %s', i.inhparent::regclass, c.oid::regclass), c.relpartbound::text
        FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid
    )
    SELECT n.object, coalesce(s.removal, 'DROP ' || n.object), s.tree
    FROM stored s LEFT JOIN pg_class c ON c.oid = s.relation
    CROSS JOIN LATERAL (SELECT rampart.object_name(s.class, s.object, s.sub) AS object) n
    WHERE s.tree <> '' AND s.object >= 16384 AND c.relnamespace IS DISTINCT FROM 'rampart'::regnamespace;
END;
COMMENT ON FUNCTION rampart.stored_expressions() IS
'Every expression and query that a user''s object stores in the catalogs, as a node tree, with the command that removes it.';

CREATE FUNCTION rampart.literal_pattern(OUT sealed text, OUT compared text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    p record := rampart.node_patterns();
    -- A value before it was encrypted is marked by 0xEC (-20) and its kind, after its length of four bytes; in
    -- an array, each element is.
    held text := format('{CONST :consttype (?:%s) [^{}]*:constvalue \d+ \[ (?:(?:[-0-9]+ ){4}|[-0-9 ]* 0 0 )-20 [1-9] ', p.types);
    literal text := '(?:{(?:RELABELTYPE :arg|ARRAYEXPR [^{}]*:elements \() ?)?{CONST [^{}]*:constisnull false ';
    value text := format('{VAR [^{}]*:vartype (?:%s) [^{}]*}', p.types);
    opened text := format('(?:%s|{FUNCEXPR :funcid (?:%s) [^{}]*:args \(%s\)[^{}]*})', value, p.opening, value);
BEGIN
    sealed := format('%s|{FUNCEXPR :funcid (?:%s) [^{}]*:args \(%s', held, p.sealing, literal);
    compared := format('{(?:OPEXPR :opno \d+ :opfuncid \d+ :opresulttype 16 |SCALARARRAYOPEXPR |DISTINCTEXPR )[^{}]*:args \((?:%s %s|{CONST [^{}]*:constisnull false [^{}]*} %s)',
                       opened, literal, opened);
END
$$;
COMMENT ON FUNCTION rampart.literal_pattern() IS
'Regular expressions over node trees: a literal that is meant for an encrypted column, and one that is compared with a decrypted value.';

CREATE FUNCTION rampart.exposure_of_literals() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH found AS (
        SELECT s.object, s.removal, s.tree ~ l.sealed AS sealed, s.tree ~ l.compared AS compared
        FROM rampart.stored_expressions() s, (SELECT * FROM rampart.literal_pattern()) l
    )
    SELECT ROW(CASE WHEN sealed THEN 'medium' ELSE 'low' END, CASE WHEN sealed THEN 'literal' ELSE 'compared literal' END, object,
               CASE WHEN sealed THEN 'A literal for an encrypted column, or compared with one, stands in the clear in the catalog and in dumps.'
                    ELSE 'Decrypted values are compared with a literal, which stands in the clear in the catalog and in dumps.' END,
               format('If the value is confidential: %s; take it from an encrypted column of a table instead', removal))::rampart.exposure
    FROM found WHERE sealed OR compared;
END;
COMMENT ON FUNCTION rampart.exposure_of_literals() IS
'Chapter of exposure_report(): literals in views, rules, policies, defaults, constraints, triggers and the like.';

CREATE FUNCTION rampart.exposure_of_functions() RETURNS SETOF rampart.exposure
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH f AS MATERIALIZED (
        SELECT p.oid, p.provolatile, p.prosrc, p.prosqlbody::text AS tree, p.prorettype, p.proargtypes,
               CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure::text AS name,
               rampart.object_name('pg_proc'::regclass, p.oid) AS object
        FROM pg_proc p
        WHERE p.oid >= 16384 AND p.prokind IN ('f', 'p', 'w') AND p.pronamespace <> 'rampart'::regnamespace
    )
    SELECT ROW('high', 'immutable decryption', object,
               'It decrypts and is declared IMMUTABLE: plans and EXPLAIN may print its result, and indexes and generated columns store it.',
               format('ALTER %s STABLE', name))::rampart.exposure
    FROM f WHERE provolatile = 'i' AND NOT rampart.is_encrypted(prorettype) AND prorettype <> 'bytea'::regtype
      AND (EXISTS (SELECT FROM unnest(proargtypes::oid[]) argument
                   WHERE rampart.is_encrypted(argument) OR EXISTS (
                       SELECT FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND NOT a.attisdropped
                       WHERE t.oid = argument AND a.attnum > 0 AND rampart.is_encrypted(a.atttypid)
                         AND prosrc ~ format('\m%s\M', regexp_replace(a.attname, '(\W)', '\\\1', 'g'))))
           OR prosrc ~* '\mrampart\s*\.\s*(decrypt|decrypt_bytea|decrypt_jsonb|try_decrypt|to_plain|reveal)\s*\('
           OR rampart.decrypts(tree))
    UNION ALL
    SELECT ROW('high', 'root key in a function', object,
               'Its body mentions a root key beside 64 hexadecimal digits.',
               format('DROP %s; if it was the root key in use, replace that', name))::rampart.exposure
    FROM f WHERE prosrc ~* 'root_?key' AND prosrc ~ '(^|[^0-9a-fA-F])[0-9a-fA-F]{64}($|[^0-9a-fA-F])'
    UNION ALL
    SELECT ROW('medium', 'literal in a function', object,
               'Its body encrypts a literal, which stands in the clear in the catalog and in dumps.',
               format('DROP %s; pass the value as an argument', name))::rampart.exposure
    FROM f WHERE prosrc ~* '\mrampart\s*\.\s*(encrypt|encrypt_deterministic|blind_index)\s*\(\s*''[^'']*''\s*,\s*[eE]?''[^'']'
    UNION ALL
    SELECT ROW('info', 'ciphertext in a function', object,
               'Its body holds armour: what that decrypts to is known to whoever may call and decrypt, and rotation does not reach it.',
               format('DROP %s; keep the value in an encrypted column', name))::rampart.exposure
    FROM f WHERE prosrc ~ '\mrmp1:[A-Za-z0-9_-]{30}';
END;
COMMENT ON FUNCTION rampart.exposure_of_functions() IS
'Chapter of exposure_report(): functions that hold or spread plaintext.';
