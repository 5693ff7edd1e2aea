-- every kind
-- parameters: user7@example.com | 1961-02-02 | 7 | 2020-01-14 12:45:00+00 | 78b1e6d7-75ce-c526-0001-af137a79dbd5 | \x
-- parameters: nobody | 1999-09-09 | -1 | 2020-01-01 00:00:00+00 | 78b1e6d7-75ce-c526-0001-af137a79dbd5 | \x00
-- parameters: \N | \N | \N | \N | \N | \N
SELECT id FROM people WHERE email = $1 OR born = $2 OR points = $3 OR joined = $4 OR token = $5 OR badge = $6;

-- plain types
-- types: text, date, int8, timestamptz, uuid, bytea
-- parameters: user7@example.com | 1961-02-02 | 7 | 2020-01-14 12:45:00+00 | 78b1e6d7-75ce-c526-0001-af137a79dbd5 | \x
-- parameters: \N | \N | \N | \N | \N | \N
SELECT id FROM people WHERE email = $1 OR born = $2 OR points = $3 OR joined = $4 OR token = $5 OR badge = $6;

-- narrower types
-- types: varchar, int, int2, timestamp, name
-- parameters: user7@example.com | 7 | 8 | 2020-01-14 12:45:00 | Lyon
SELECT id FROM people WHERE email = $1 OR points = $2 OR points = $3 OR joined = $4 OR city = $5;

-- one parameter for two columns
-- parameters: user7@example.com
-- parameters: Paris
SELECT id FROM people WHERE email = $1 OR boss = $1 OR city = $1;

-- one parameter for two kinds of use
-- parameters: user7@example.com
SELECT id, $1 || '!', email = $1, length($1) FROM people WHERE email = $1 OR name LIKE $1::text || '%';

-- an explicit cast of a parameter
-- index: people_email_key
-- parameters: user7@example.com
SELECT id FROM people WHERE email = $1::text;

-- a cast of a parameter to varchar
-- index: people_email_key
-- parameters: user7@example.com
SELECT id FROM people WHERE email = $1::varchar(40);

-- a cast of a parameter to the encrypted type
-- index: people_email_key
-- parameters: user7@example.com
SELECT id FROM people WHERE email = $1::enc_text;

-- IN over parameters
-- index: people_email_key
-- parameters: user7@example.com | user8@example.com | \N
SELECT id FROM people WHERE email IN ($1, $2, $3);

-- NOT IN over parameters
-- parameters: Paris | Lyon
-- parameters: Paris | \N
SELECT id FROM people WHERE city NOT IN ($1, $2);

-- an optional filter
-- parameters: Paris
-- parameters: \N
SELECT id FROM people WHERE ($1::text IS NULL OR city = $1) AND id < 30;

-- IS NOT DISTINCT FROM
-- parameters: Paris
-- parameters: \N
SELECT id FROM people WHERE city IS NOT DISTINCT FROM $1;

-- LIKE and inequality
-- parameters: user1% | 1960-01-01 | 5
SELECT id FROM people WHERE email LIKE $1 AND born > $2 AND points < $3;

-- BETWEEN
-- types: date, date
-- parameters: 1960-01-01 | 1970-01-01
SELECT id FROM people WHERE born BETWEEN $1 AND $2;

-- expressions of parameters
-- parameters: 7 | example.com
SELECT id FROM people WHERE email = 'user' || $1 || '@' || $2;

-- a join
-- parameters: user7@example.com
-- parameters: user8@example.com
SELECT p.id, o.id FROM people p JOIN orders o ON o.email = p.email WHERE p.email = $1;

-- a skewed column
-- parameters: Paris
-- parameters: 東京
-- parameters: nowhere
SELECT count(*), min(id) FROM people WHERE city = $1;

-- CASE and COALESCE
-- parameters: Paris | home
SELECT id, CASE city WHEN $1 THEN $2 ELSE city END, coalesce(boss, $2) FROM people WHERE id < 40;

-- a subquery
-- parameters: 3
SELECT id FROM people WHERE email IN (SELECT email FROM orders WHERE code = $1);

-- jsonb and numeric
-- parameters: {"home": {"city": "c3"}} | 5000.5 | age
SELECT id, profile -> $3 FROM people WHERE profile @> $1 OR salary > $2;

-- a randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
-- parameters: Ada B
SELECT id FROM people WHERE name = $1;

-- a randomised column, cast
-- parameters: Ada B
SELECT id FROM people WHERE name::text = $1;

-- a bad value
-- both: 22P02
-- parameters: seven
SELECT id FROM people WHERE points = $1;

-- UPDATE
-- parameters: Rome | user7@example.com
-- parameters: Oslo | nobody
UPDATE people SET city = $1, name = name || 'x' WHERE email = $2 RETURNING id, name;

-- a parameter that is both stored and an operand
-- error: 42P08 one parameter as the value of an encrypted column and as an operand
PREPARE q AS UPDATE people SET city = $1, name = name || $1 WHERE id = 7;

-- a parameter that is both stored and an operand, cast
-- parameters: Rome
UPDATE people SET city = $1::text, name = name || $1 WHERE id = 7;

-- DELETE
-- parameters: user7@example.com | 3
DELETE FROM orders WHERE email = $1 OR code = $2 RETURNING id;

-- a limit, an order and a window
-- ordered
-- parameters: Lyon | 3
SELECT email, rank() OVER (ORDER BY email) FROM people WHERE city = $1 ORDER BY email DESC LIMIT $2;

-- GROUP BY and HAVING
-- parameters: 2 | Paris
SELECT city, count(*) FROM people GROUP BY city HAVING count(*) > $1 AND city <> $2;

-- an encrypted domain
-- parameters: pupil1@school.edu | 3
SELECT id FROM pupils WHERE mail = $1 OR mark = $2;
