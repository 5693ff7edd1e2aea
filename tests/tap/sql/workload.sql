-- What an application does with encrypted columns, and everything that goes wrong while it does. Run by
-- app, on after errors; each failing statement has its SQLSTATE beside it. All plaintexts can be found by
-- lib/Plaintexts.pm.
\set VERBOSITY verbose

-- Literals.
INSERT INTO people (id, email, name, born) VALUES (5001, 'literal-zebrafish', 'QuaggaFoal literal', '1837-02-05');
INSERT INTO people (id, email) SELECT 5002, 'select-zebrafish';
UPDATE people SET name = 'QuaggaFoal updated', notes = '{"note-tapir": 2}' WHERE email = 'literal-zebrafish';
UPDATE people SET email = lower(email) || '-zebrafish' WHERE id = 5001;
DELETE FROM people WHERE name::text = 'QuaggaFoal nobody';
SELECT id FROM people WHERE email IN ('mail-zebrafish1@example.com', 'mail-zebrafish2@example.com');
SELECT id FROM people WHERE name LIKE 'Name QuaggaFoal1%' AND born = '1837-02-11';
INSERT INTO people (id, email) VALUES (5001, 'upsert-zebrafish') ON CONFLICT (id) DO UPDATE SET name = 'QuaggaFoal upsert';
EXPLAIN (VERBOSE) SELECT id FROM people WHERE email = 'mail-zebrafish1@example.com';
COPY (SELECT id FROM people WHERE email = 'mail-zebrafish3@example.com') TO STDOUT;

-- Prepared statements and cursors.
PREPARE by_email (text) AS SELECT id FROM people WHERE email = $1;
EXECUTE by_email ('mail-zebrafish4@example.com');
EXECUTE by_email ('mail-zebrafish5@example.com');
PREPARE literal AS SELECT id FROM people WHERE email = 'mail-zebrafish6@example.com';
EXECUTE literal;
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM people WHERE email = 'mail-zebrafish7@example.com';
FETCH c;
COMMIT;

-- Errors.
INSERT INTO people (id, email) VALUES (5003, 'mail-zebrafish1@example.com');                       -- 23505
INSERT INTO people (id, name) VALUES (5003, 'QuaggaFoal without mail');                            -- 23502
INSERT INTO people VALUES (1, 'duplicate-zebrafish', 'QuaggaFoal', NULL, '{"note-tapir": 3}', 771234567712.1);  -- 23505
INSERT INTO orders VALUES (5003, 'stranger-zebrafish');                                            -- 23503
INSERT INTO checked (name) VALUES ('');                                                        -- 23514
INSERT INTO checked (email, name) VALUES ('zebrafish', '');                                        -- 23514
INSERT INTO people (id, email, born) VALUES (5003, 'date-zebrafish', '1837-02-99');                -- 22008
INSERT INTO people (id, email, born) VALUES (5003, 'date-zebrafish', 'zebrafish day');                 -- 22007
INSERT INTO people (id, email, notes) VALUES (5003, 'json-zebrafish', '{"note-tapir": zebrafish}');    -- 22P02
INSERT INTO people (id, email, number) VALUES (5003, 'number-zebrafish', '65036409467131zebrafish');   -- 22P02
INSERT INTO people (id, email, token) VALUES (5003, 'uuid-zebrafish', 'deadbeef-feed-zebrafish');      -- 22P02
SELECT email::text::int FROM people WHERE id = 1;                                              -- 22P02
SELECT salary::int FROM people WHERE id = 1;                                                   -- 22003
SELECT 1 / (id - 1), email FROM people WHERE email = 'mail-zebrafish1@example.com';                -- 22012
SELECT 1 / (length(email) - length(email)) FROM people WHERE name::text <> 'QuaggaFoal zero';      -- 22012
UPDATE people SET id = 1 / 0 WHERE email = 'mail-zebrafish1@example.com';                          -- 22012
EXECUTE by_email (repeat('zebrafish', 1 / 0));                                                     -- 22012
SELECT email FROM people WHERE email = 'wrong-zebrafish' AND name = 'QuaggaFoal';                      -- RMT02
COPY people (id, email, born) FROM STDIN WITH (FORMAT csv);                                    -- 22007
6001,copy-zebrafish1,1837-02-01
6002,copy-zebrafish2,zebrafish day
\.
COPY people (id, email) FROM STDIN;                                                            -- 23505
6001	copy-zebrafish1
6002	mail-zebrafish1@example.com
\.
COPY people (id, email) FROM STDIN;                                                            -- 22P04
6001	copy-zebrafish1	and-zebrafish-more
\.
SET statement_timeout = 50;
SELECT pg_sleep(5) FROM people WHERE email = 'mail-zebrafish1@example.com';                        -- 57014
SELECT count(*) FROM people a, people b, people c WHERE a.name || 'zebrafish' < b.name || c.name;  -- 57014
RESET statement_timeout;
DO $$ BEGIN PERFORM 1 / 0 FROM people WHERE email = 'mail-zebrafish1@example.com'; END $$;         -- 22012
DO $$ DECLARE v enc_text(pii) := 'QuaggaFoal variable'; BEGIN PERFORM v::text::int; END $$;        -- 22P02

-- Everything that rewrites, samples, sorts.
ANALYZE people;
VACUUM FULL people;
CREATE INDEX people_born ON people (born);
REINDEX TABLE people;
CLUSTER people USING people_pkey;
SELECT count(*) FROM (SELECT name, email FROM people, generate_series(1, 50)
    WHERE name::text <> 'QuaggaFoal spill' ORDER BY name, email) s;
SELECT count(*) FROM (SELECT DISTINCT email FROM people) s;
SELECT count(*) FROM people a JOIN people b ON a.name::text = b.name::text;
