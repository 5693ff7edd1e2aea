-- Clients are told the plain types of what they may decrypt, so that drivers convert values as ever.
CREATE SCHEMA results;
SET search_path = results, public;
SET datestyle = ISO;
CREATE ROLE blind;
GRANT USAGE ON SCHEMA results TO blind;
SELECT rampart.create_scope('results');
SELECT rampart.grant_scope('results', current_user::regrole);
CREATE TABLE person (
    id     int PRIMARY KEY,
    email  enc_text(results, deterministic),
    born   enc_date(results),
    visits enc_int8(results, deterministic),
    active enc_bool(results),
    notes  enc_jsonb(results)
);
GRANT ALL ON person TO blind;
INSERT INTO person VALUES
    (1, 'ada@example.com', '1815-12-10', 10, true, '{"a": 1}'),
    (2, 'grace@example.com', '1906-12-09', 9, false, '[]'),
    (3, 'alan@example.com', '1912-06-23', 9, NULL, NULL);
SELECT * FROM person \gdesc
SELECT email AS e, born + 1 AS b, visits FROM person WHERE email = 'x' ORDER BY visits DESC \gdesc
INSERT INTO person VALUES (4) RETURNING email, born \gdesc
WITH w AS (SELECT email, born FROM person) SELECT * FROM w \gdesc

-- The same rows in the same order, grouped and made distinct by what is stored.
SELECT visits, email FROM person ORDER BY visits, email;
SELECT DISTINCT visits FROM person ORDER BY visits DESC;
SELECT DISTINCT ON (visits) visits, email FROM person ORDER BY visits, born;
SELECT visits, count(*) FROM person GROUP BY visits ORDER BY visits;
SELECT visits, rank() OVER (ORDER BY visits) FROM person ORDER BY born LIMIT 2;
BEGIN;
DECLARE c CURSOR FOR SELECT email, active FROM person ORDER BY born;
FETCH FORWARD 1 FROM c;
FETCH 1 FROM c \gdesc
COMMIT;

-- A statement that is prepared by one role and run by another is still checked.
PREPARE shown AS SELECT email, active FROM person WHERE id = 1;
EXECUTE shown;
SET ROLE blind;
EXECUTE shown;
-- Who may not decrypt is told the encrypted types, and shown ciphertext.
SELECT email, active FROM person \gdesc
SELECT seen(format('%s', email)) AS email FROM person WHERE id = 1;
RESET ROLE;

-- Nothing that is stored changes its type by it.
CREATE TABLE copy AS SELECT email, born FROM person;
CREATE VIEW contact AS SELECT email, born FROM person;
CREATE FUNCTION emails() RETURNS SETOF enc_text LANGUAGE sql AS $$ SELECT email FROM results.person $$;
INSERT INTO copy SELECT email, born FROM person WHERE id = 1 RETURNING born;
SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid IN ('copy'::regclass, 'contact'::regclass) AND attnum > 0 ORDER BY 1, 2;
DECLARE held CURSOR WITH HOLD FOR SELECT email FROM person ORDER BY id;
FETCH 1 FROM held;
CLOSE held;

SET rampart.plain_results = off;
SELECT email, active FROM person \gdesc
RESET rampart.plain_results;
