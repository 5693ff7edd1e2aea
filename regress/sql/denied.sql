-- What a reader without the right is shown: armour, or what the scope says instead.
CREATE SCHEMA denied;
SET search_path = denied, public;
\set SHOW_CONTEXT never
SET datestyle = ISO;
CREATE ROLE auditor;
CREATE ROLE owner_of_data;
GRANT USAGE ON SCHEMA denied TO auditor, owner_of_data;
SELECT rampart.create_scope('shown_armour');
SELECT rampart.create_scope('shown_null', 'null');
SELECT rampart.create_scope('shown_mask', denied => 'mask');
SELECT rampart.create_scope('shown_error', denied => 'error');
SELECT count(rampart.grant_scope(name, 'owner_of_data')) FROM rampart.scope WHERE name LIKE 'shown%';

CREATE TABLE t (
    id int PRIMARY KEY, a enc_text(shown_armour), n enc_text(shown_null), nd enc_date(shown_null),
    m enc_text(shown_mask), md enc_date(shown_mask), e enc_text(shown_error), d enc_text(shown_null, deterministic)
);
GRANT ALL ON t TO auditor, owner_of_data;
SET ROLE owner_of_data;
INSERT INTO t VALUES (1, 'armour', 'null', '2000-01-01', 'mask', '2000-01-01', 'error', 'deterministic');
INSERT INTO t (id) VALUES (2);
\pset null NULL
SELECT * FROM t ORDER BY id;

-- The one role's answers, and the other's; the error comes only where its column is shown.
SET ROLE auditor;
SELECT id, seen(format('%s', a)) AS a FROM t ORDER BY id;
SELECT id, n, nd, m, md, d FROM t ORDER BY id;
SELECT id, e FROM t ORDER BY id;
\echo :SQLSTATE
SELECT id, e FROM t WHERE id = 2;
SELECT count(*), count(n), count(e) FROM t;
SELECT * FROM (SELECT n, m FROM t WHERE id = 1) s;
WITH w AS MATERIALIZED (SELECT n, m FROM t WHERE id = 1) SELECT * FROM w;
PREPARE shown AS SELECT n, m FROM t WHERE id = 1;
EXECUTE shown;
SET ROLE owner_of_data;
EXECUTE shown;
SET ROLE auditor;
EXECUTE shown;
-- So is what RETURNING gives. Inside other values (grouped, united, in arrays and rows) armour stays armour.
UPDATE t SET id = id WHERE id = 1 RETURNING n, m;
UPDATE t SET id = id WHERE id = 1 RETURNING e;
SELECT seen(t::text) FROM t WHERE id = 1;
-- A value denied is not a value lost: what is not shown is still there to be compared and copied.
SELECT n IS NULL AS is_null, rampart.ciphertext(n) IS NOT NULL AS has_ciphertext FROM t WHERE id = 1;
SELECT upper(n) FROM t;
RESET ROLE;

-- alter_scope changes it for the next statement.
SELECT rampart.alter_scope('shown_null', 'mask');
SET ROLE auditor;
SELECT id, n, nd, d FROM t ORDER BY id;
RESET ROLE;
\set VERBOSITY terse
SELECT rampart.alter_scope('shown_null', 'nothing');
SELECT rampart.create_scope('shown_nothing', 'nothing');
SELECT name, denied FROM rampart.scope WHERE name LIKE 'shown%' ORDER BY name;
