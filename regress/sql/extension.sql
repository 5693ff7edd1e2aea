-- What the extension consists of. A change of this list needs an upgrade script.
\dx+ rampart

-- How its functions are marked. Nothing that encrypts or decrypts is IMMUTABLE: the planner would fold
-- it, and a plan or a view would hold a plaintext, or one nonce would be used twice.
SELECT regexp_replace(p.proname, 'enc_(text|bytea|jsonb|numeric|int8|date|timestamptz|uuid|bool)', 'enc_*') AS function,
       count(*), l.lanname, p.provolatile AS volatile, p.proparallel AS parallel, p.proisstrict AS strict,
       p.proleakproof AS leakproof, p.prosecdef AS definer
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'rampart'::regnamespace GROUP BY 1, 3, 4, 5, 6, 7, 8 ORDER BY 1, 4, 3, 6;

-- Every operator class is what the server's own checks expect.
SELECT am.amname, opc.opcname, amvalidate(opc.oid)
FROM pg_opclass opc JOIN pg_am am ON am.oid = opc.opcmethod
WHERE opc.opcnamespace = 'rampart'::regnamespace ORDER BY 1, 2;
-- Operators, by name; those of an equality know their commutator and negator.
SELECT o.oprnamespace::regnamespace AS schema, o.oprname, count(*), count(nullif(o.oprcom, 0)) AS commutator,
       count(nullif(o.oprnegate, 0)) AS negator, bool_and(o.oprcanhash) AS hashes, bool_and(o.oprcanmerge) AS merges
FROM pg_operator o JOIN pg_depend d ON d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e'
GROUP BY 1, 2 ORDER BY 1, o.oprname COLLATE "C";

-- Comments, which are the reference for users: of everything in the schema that has none, a line.
SELECT 'function' AS object, p.oid::regprocedure::text AS name FROM pg_proc p
WHERE p.pronamespace = 'rampart'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
  AND p.oid::regprocedure::text !~ 'enc_(text|bytea|jsonb|numeric|int8|date|timestamptz|uuid|bool)'
UNION ALL
SELECT 'relation', c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = 'rampart'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
  AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'type', t.oid::regtype::text FROM pg_type t
WHERE t.typname ~ '^enc_' AND t.typnamespace = 'pg_catalog'::regnamespace
  AND obj_description(t.oid, 'pg_type') IS NULL
ORDER BY 1, 2;
SELECT t.oid::regtype AS type, t.typcategory AS category, t.typstorage AS storage, t.typalign AS align,
       obj_description(t.oid, 'pg_type') AS comment
FROM pg_type t WHERE t.typname ~ '^enc_' AND t.typnamespace = 'pg_catalog'::regnamespace ORDER BY t.typname COLLATE "C";

-- It goes without a trace, and comes again.
CREATE DATABASE afresh;
\c afresh
CREATE EXTENSION rampart;
SELECT rampart.create_scope('pii');
CREATE TABLE t (a enc_text(pii));
DROP EXTENSION rampart;
DROP EXTENSION rampart CASCADE;
\d t
SELECT count(*) FROM pg_type WHERE typname ~ '^_?enc_';
SELECT count(*) FROM pg_operator WHERE oid >= 16384;
CREATE EXTENSION rampart;
SELECT rampart.create_scope('pii');
CREATE TABLE t2 (a enc_text(pii, deterministic) PRIMARY KEY);
SELECT extrelocatable, extnamespace::regnamespace FROM pg_extension WHERE extname = 'rampart';
\c regression
DROP DATABASE afresh;
