-- What everybody may do with the extension. A change here is a change of its security.
CREATE VIEW function AS
SELECT p.oid, p.proname, p.oid::regprocedure AS signature, p.prosecdef,
       has_function_privilege('public', p.oid, 'EXECUTE') AS public
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rampart');

-- PUBLIC may execute these; they ask for rights in the scope themselves, or reveal nothing.
SELECT regexp_replace(proname, 'enc_(text|bytea|jsonb|numeric|int8|date|timestamptz|uuid|bool)', 'enc_*') AS function,
       count(*)
FROM function WHERE public GROUP BY 1 ORDER BY 1;
-- Only who was granted EXECUTE.
SELECT signature FROM function WHERE NOT public ORDER BY signature::text COLLATE "C";
-- Nothing that runs with its owner's rights is public.
SELECT signature FROM function WHERE public AND prosecdef;
-- Every function in SQL or PL/pgSQL has its search_path locked, or is a single expression that was parsed at creation.
SELECT f.signature FROM function f JOIN pg_proc p USING (oid) JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname IN ('sql', 'plpgsql') AND p.proconfig IS NULL AND p.prosqlbody IS NULL;

-- Tables, views and sequences.
SELECT c.relname, c.relkind, has_table_privilege('public', c.oid, 'SELECT') AS "select",
       has_table_privilege('public', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES') AS change
FROM pg_class c WHERE c.relnamespace = 'rampart'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
ORDER BY c.relname COLLATE "C";
SELECT has_schema_privilege('public', 'rampart', 'USAGE') AS usage,
       has_schema_privilege('public', 'rampart', 'CREATE') AS "create";
DROP VIEW function;
