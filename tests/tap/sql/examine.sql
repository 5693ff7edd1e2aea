-- Prints what everything.sql made, as app sees it: the same in the original and in a restored database.
SELECT count(*), md5(string_agg(p::text, E'\n' ORDER BY id)) FROM people p;
SELECT p FROM people p WHERE id IN (7, 205, 1000) ORDER BY id;
SELECT count(*), md5(string_agg(r::text, E'\n' ORDER BY id)) FROM readable r;
SELECT count(*), md5(string_agg(r::text, E'\n' ORDER BY id)) FROM plain_view r;
SELECT count(*), md5(string_agg(m::text, E'\n' ORDER BY id)) FROM mat m;
SELECT count(*), md5(string_agg(h::text, E'\n' ORDER BY id)) FROM by_hash h;
SELECT tableoid::regclass, id, email FROM by_hash WHERE email = 'hash-zebrafish17';
SELECT tableoid::regclass, id, country FROM by_list ORDER BY id;
SELECT * FROM with_domain WHERE address = 'domain-zebrafish@example.com';
SELECT * FROM with_array WHERE 'array-zebrafish@example.com' = ANY (addresses);
SELECT (contact).address FROM with_array;
SELECT * FROM checked, checked_domain;
SELECT rampart.decrypt(secret) FROM by_function ORDER BY id;
SELECT count(*) FROM people p JOIN orders o ON o.customer = p.email;

SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT id FROM people WHERE email = 'mail-zebrafish7@example.com';
EXPLAIN (COSTS off) SELECT id FROM people WHERE token = 'deadbeef-feed-4bee-8dad-000000000007';
EXPLAIN (COSTS off) SELECT id FROM by_hash WHERE email = 'hash-zebrafish17';
SELECT id FROM people WHERE email = 'mail-zebrafish7@example.com';
SELECT id FROM people WHERE email = 'mail-zebrafish205@example.com';
SELECT id FROM people WHERE number = 6503640946713100295;
SELECT id FROM people WHERE token = 'deadbeef-feed-4bee-8dad-000000000007';
RESET ALL;

\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
INSERT INTO people (id, email) VALUES (2000, 'mail-zebrafish7@example.com');    -- unique: 23505
INSERT INTO orders VALUES (2000, 'mail-unknown@example.com');              -- foreign key: 23503
INSERT INTO checked (email) VALUES ('nobody');                             -- check: 23514
INSERT INTO checked_domain VALUES ('nobody');                              -- check: 23514
INSERT INTO by_hash_0 SELECT id, email FROM by_hash_1 LIMIT 1;             -- partition constraint: 23514
\set VERBOSITY default
\set ON_ERROR_STOP on

BEGIN;
INSERT INTO people (id, email) VALUES (2001, 'mail-new');
SELECT id, email, name FROM people WHERE email = 'mail-new';
UPDATE people SET email = 'mail-renamed' WHERE email = 'mail-zebrafish7@example.com';
SELECT customer FROM orders WHERE id = 7;
INSERT INTO by_list VALUES (3, 'Nepal-zebrafish');
SELECT tableoid::regclass FROM by_list WHERE country = 'Nepal-zebrafish';
ROLLBACK;
