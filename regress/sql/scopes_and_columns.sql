-- A column without a scope could hold a literal in the clear: there is none. What could never answer is
-- refused when it is declared, not when it is asked.
CREATE SCHEMA columns;
SET search_path = columns, public;
\set SHOW_CONTEXT never
SELECT rampart.create_scope('cols');
SELECT rampart.grant_scope('cols', current_user::regrole);

-- No scope.
CREATE TABLE t (a enc_text);
\echo :SQLSTATE
CREATE TABLE t (a enc_date[]);
CREATE TABLE t (a int);
ALTER TABLE t ADD COLUMN b enc_text;
ALTER TABLE t ALTER COLUMN a TYPE enc_int8;
CREATE TYPE pair AS (a enc_text, b enc_text(cols));
CREATE DOMAIN name AS enc_text;
CREATE TYPE period AS RANGE (subtype = enc_date);
CREATE TABLE made AS SELECT 'x'::enc_text AS a;
SELECT 'x'::enc_text AS a INTO made;
CREATE MATERIALIZED VIEW made AS SELECT 'x'::enc_text AS a;
CREATE TEMPORARY TABLE made (a enc_bool);
CREATE TABLE p (a enc_text) PARTITION BY HASH (a);
SELECT count(*) FROM pg_class WHERE relnamespace = 'columns'::regnamespace AND relname <> 't';

-- A default for such declarations.
SET rampart.default_scope = 'cols';
CREATE TABLE defaulted (id int PRIMARY KEY, a enc_text, b enc_date[], c enc_text(cols, deterministic));
ALTER TABLE defaulted ADD COLUMN d enc_bool;
INSERT INTO defaulted VALUES (1, 'x', '{2000-01-01}', 'y', true);
CREATE TABLE made AS SELECT a || 'z' AS plain, a, 'literal'::enc_text AS b FROM defaulted;
\d defaulted
\d made
SET rampart.default_scope = 'nowhere';
CREATE TABLE t2 (a enc_text);
RESET rampart.default_scope;

-- Randomised columns have no equality: no index, key, grouping or comparison. Another way is named.
CREATE TABLE r (id int, a enc_text(cols), n enc_numeric(cols), f enc_bool(cols));
CREATE INDEX ON r (a);
\echo :SQLSTATE
CREATE INDEX ON r USING hash (n);
ALTER TABLE r ADD UNIQUE (a);
CREATE TABLE r2 (a enc_text(cols) PRIMARY KEY);
CREATE TABLE r2 (a enc_text(cols), EXCLUDE USING hash (a WITH =));
INSERT INTO r VALUES (1, 'x', 1.0, true), (2, 'x', 1.00, true);
SELECT id FROM r WHERE a = 'x';
\echo :SQLSTATE
SELECT id FROM r WHERE a IN ('x', 'y');
SELECT a, count(*) FROM r GROUP BY a;
SELECT DISTINCT a FROM r;
SELECT count(*) FROM r a JOIN r b USING (a);
SELECT id FROM r WHERE a::text = 'x' ORDER BY id;
SELECT a::text, count(*) FROM r GROUP BY a::text;
-- numeric, jsonb and bool compare by their plain type: 1.0 and 1.00 are equal.
SELECT id FROM r WHERE n = 1 AND f ORDER BY id;
SELECT count(*) FROM r a JOIN r b ON a.n = b.n;

-- Partitions: by hash and by list of a deterministic column; the order of a range would mean nothing.
CREATE TABLE by_hash (id int, a enc_text(cols, deterministic)) PARTITION BY HASH (a);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT n, 'name' || n FROM generate_series(1, 100) n;
SELECT id FROM by_hash WHERE a = 'name50';
SELECT count(*) FROM by_hash;
CREATE TABLE by_list (id int, a enc_text(cols, deterministic)) PARTITION BY LIST (a);
CREATE TABLE by_list_1 PARTITION OF by_list FOR VALUES IN ('one', 'uno');
CREATE TABLE by_list_2 PARTITION OF by_list DEFAULT;
INSERT INTO by_list VALUES (1, 'one'), (2, 'uno'), (3, 'two');
SELECT tableoid::regclass, id, a FROM by_list ORDER BY id;
SELECT id FROM by_list WHERE a = 'uno';
CREATE TABLE by_range (id int, a enc_text(cols, deterministic)) PARTITION BY RANGE (a);
\echo :SQLSTATE
CREATE TABLE by_hash_r (a enc_text(cols)) PARTITION BY HASH (a);
CREATE TABLE by_range_id (id int, a enc_text(cols)) PARTITION BY RANGE (id);

-- CHECK, defaults, generated columns and partial indexes.
CREATE TABLE c (
    a enc_text(cols, deterministic) CHECK (a <> 'forbidden'),
    b enc_date(cols) DEFAULT '2000-01-01' CHECK (b > '1900-01-01'),
    g int GENERATED ALWAYS AS (1) STORED
);
CREATE INDEX ON c (a) WHERE a <> 'common';
INSERT INTO c VALUES ('allowed');
INSERT INTO c VALUES ('forbidden');
INSERT INTO c VALUES ('allowed', '1899-12-31');
SELECT * FROM c;
CREATE TABLE g (a enc_text(cols), l int GENERATED ALWAYS AS (length(a)) STORED);
CREATE INDEX ON c (lower(a));
