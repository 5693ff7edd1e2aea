-- ORDER BY means the order of the plaintexts, whatever is stored.
CREATE SCHEMA ordered;
SET search_path = ordered, public;
SET datestyle = ISO;
SELECT rampart.create_scope('ord');
SELECT rampart.grant_scope('ord', current_user::regrole);

CREATE TABLE person (
    id     int PRIMARY KEY,
    name   enc_text(ord, deterministic),
    born   enc_date(ord),
    salary enc_numeric(ord),
    grade  enc_int8(ord, deterministic)
);
CREATE INDEX ON person (name);
INSERT INTO person VALUES
    (1, 'Ada',   '1815-12-10', 900, 2), (2, 'Grace', '1906-12-09', 1000, 10), (3, 'Alan', '1912-06-23', 85.5, 2),
    (4, 'Joan',  '1917-06-24', 1000, 1), (5, NULL, NULL, NULL, NULL), (6, 'ada', '1815-12-10', -1, 10);

SELECT name FROM person ORDER BY name;
SELECT name FROM person ORDER BY name DESC NULLS LAST LIMIT 3;
SELECT name FROM person ORDER BY name COLLATE "C" DESC NULLS LAST OFFSET 1 LIMIT 2;
SELECT id, born, salary FROM person ORDER BY born, salary DESC;
SELECT id, grade FROM person ORDER BY grade DESC, id;
SELECT id, lower(name) AS lower FROM person ORDER BY lower(name), id;

-- The sort decrypts; the index of the column, whose order is that of ciphertexts, does not serve.
SET enable_seqscan = off;
SELECT plan('SELECT name FROM person ORDER BY name');
RESET enable_seqscan;

-- Comparisons, BETWEEN, min and max decrypt too.
SELECT name FROM person WHERE name < 'B' ORDER BY name;
SELECT name FROM person WHERE born BETWEEN '1900-01-01' AND '1914-12-31' ORDER BY born;
SELECT name FROM person WHERE salary >= 900 AND grade > 2 ORDER BY salary;
SELECT a.name, b.name FROM person a JOIN person b ON a.born < b.born AND a.grade = b.grade ORDER BY 1, 2;
SELECT min(name), max(name), min(born), max(salary), sum(salary), avg(grade) FROM person;

-- Windows and aggregates with an order of their own.
SELECT name, rank() OVER (ORDER BY salary DESC NULLS LAST), lag(name) OVER (ORDER BY born, id)
FROM person ORDER BY 2, id;
SELECT grade, string_agg(name, ',' ORDER BY name DESC) FROM person GROUP BY grade ORDER BY grade;
SELECT grade, sum(salary) OVER (PARTITION BY grade ORDER BY born) FROM person ORDER BY grade, born;
SELECT array_agg(name ORDER BY born DESC) FROM person WHERE born IS NOT NULL;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY salary::numeric) FROM person;

-- Views, subqueries, CTEs, cursors, DISTINCT, functions.
CREATE VIEW by_age AS SELECT name, born FROM person WHERE born IS NOT NULL ORDER BY born;
SELECT name FROM by_age LIMIT 2;
WITH oldest AS (SELECT * FROM person ORDER BY born LIMIT 2) SELECT name FROM oldest ORDER BY name;
SELECT DISTINCT ON (id % 2) id, name FROM person ORDER BY id % 2, name DESC NULLS LAST;
BEGIN;
DECLARE sorted CURSOR FOR SELECT name FROM person ORDER BY name;
FETCH 2 FROM sorted;
COMMIT;

SELECT DISTINCT name FROM person ORDER BY name DESC;
CREATE FUNCTION names() RETURNS SETOF text LANGUAGE sql STABLE
AS $$ SELECT name::text FROM ordered.person ORDER BY name $$;
SELECT * FROM names();

-- What cannot be expressed on plaintext is refused, and never answered in the order of ciphertexts.
SELECT name FROM person UNION SELECT name FROM person ORDER BY name;
\echo :SQLSTATE
SELECT array_agg(DISTINCT name ORDER BY name) FROM person;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY name) FROM person;
SELECT id FROM person ORDER BY name USING <;
SELECT id FROM person ORDER BY name USING OPERATOR(rampart.#<#);

-- Each has a way: order by the plain type.
SELECT name::text FROM person UNION SELECT name::text FROM person ORDER BY name;
SELECT array_agg(DISTINCT name::text ORDER BY name::text) FROM person;
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY name::text) FROM person;
SELECT id FROM person ORDER BY name::text USING <;

-- No planner sees a CHECK: one that would order encrypted elements is refused when it is declared.
CREATE TABLE tagged (tags enc_text(ord, deterministic)[] CHECK (tags < '{b}'));
CREATE TABLE tagged (tags enc_text(ord, deterministic)[] CHECK (tags::text[] < '{b}'));
DROP TABLE tagged;
