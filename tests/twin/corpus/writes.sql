-- INSERT of literals
INSERT INTO people (id, email, name, city, born, joined, points, salary, token, badge, active, profile, tags)
VALUES (1000, 'new@example.com', 'Née O''Neil', DEFAULT, '2001-02-03', '2021-05-06 07:08:09.5+03', 42, 12.50,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\xdeadbeef', true, '{"k": [1, 2.0]}', '{a,"b c",NULL}'),
       (1001, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, '{}');

-- INSERT of plain types
INSERT INTO people (id, email, name, born, joined, points, visits, salary, token, active, profile)
VALUES (1000, 'new@example.com'::varchar, 'x'::char(5), current_date, '2020-01-01'::timestamp, 7::int2, 8.4, 9::int4, md5('x')::uuid, 't', '{}'::json)
RETURNING id, email, name, points, visits, salary, born = current_date;

-- INSERT of now and today
INSERT INTO people (id, joined, seen, born) VALUES (1000, now(), current_timestamp, now()), (1001, current_date, 'now', 'today');
SELECT id, joined = now(), seen::timestamptz = now(), born = current_date FROM people WHERE id > 999;
DELETE FROM people WHERE id > 999 AND born = current_date RETURNING id;

-- INSERT ... SELECT from encrypted, plain and mixed columns
INSERT INTO orders (id, email, code, amount, note) SELECT id + 5000, email, points, salary, name FROM people WHERE city = 'Paris';
INSERT INTO orders (id, email, note, status) SELECT g, 'gen' || g, md5(g::text), 'x' FROM generate_series(6000, 6020) g;
INSERT INTO orders (id, email, note) SELECT id + 7000, name, email FROM people WHERE id < 20;
INSERT INTO orders (id, email, code) SELECT max(id) + 8000, max(email), sum(points) FROM people WHERE points < 99 GROUP BY city;

-- INSERT ... SELECT between scopes
INSERT INTO patients SELECT id + 100, email, name FROM people WHERE id < 10;

-- INSERT with a subquery as a value
INSERT INTO orders (id, email, code) VALUES (1000, (SELECT email FROM people WHERE id = 3), (SELECT count(*) FROM people));

-- INSERT ... DEFAULT VALUES and OVERRIDING
CREATE TEMP TABLE defaults (id int GENERATED ALWAYS AS IDENTITY, a enc_text(pii, deterministic) DEFAULT 'x', b enc_int8(pii) DEFAULT 1 + 1, c enc_date(pii) DEFAULT current_date, d enc_jsonb(pii) DEFAULT '{}') ON COMMIT DROP;
INSERT INTO defaults DEFAULT VALUES;
INSERT INTO defaults (a) VALUES (DEFAULT), (upper('y')), (NULL);
INSERT INTO defaults OVERRIDING SYSTEM VALUE VALUES (7, 'seven', 7, '2007-07-07', '7');
SELECT id, a, b, c::date = current_date, d FROM defaults WHERE a = 'x' OR b > 6;

-- INSERT of a bad value
-- both: 22P02
INSERT INTO people (id, points) VALUES (1000, 'seven');

-- INSERT of a number out of range
-- both: 22003
INSERT INTO people (id, points) VALUES (1000, 9223372036854775808);

-- INSERT with parameters
-- parameters: 1000 | new@example.com | 2001-02-03 | 7 | 1.50 | {"a": 1} | {x,y}
-- parameters: 1001 | \N | \N | \N | \N | \N | \N
INSERT INTO people (id, email, born, points, salary, profile, tags) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *;

-- INSERT with parameters of plain types
-- types: int, text, date, int, numeric
-- parameters: 1000 | new@example.com | 2001-02-03 | 7 | 1.50
INSERT INTO people (id, email, born, points, salary) VALUES ($1, $2, $3, $4, $5);

-- UPDATE by an encrypted key
-- index: people_email_key
UPDATE people SET name = 'Renamed', points = 8, born = '2002-02-02' WHERE email = 'user7@example.com';

-- UPDATE of the key itself
UPDATE people SET email = 'moved@example.com' WHERE email = 'user7@example.com' RETURNING id, email;
UPDATE people SET email = replace(email, 'example.com', 'example.org') WHERE id < 50;

-- UPDATE from expressions
UPDATE people SET points = points + 1, salary = salary * 1.1, name = upper(name), born = born + 30 WHERE city = 'Lyon' RETURNING id, points, salary, name, born;
UPDATE people SET name = name || ' (' || city || ')', visits = length(email) WHERE id BETWEEN 30 AND 60;
UPDATE people SET active = NOT active, joined = joined + interval '1 day', badge = badge || '\xff' WHERE id < 30;
UPDATE people SET city = CASE city WHEN 'Paris' THEN 'Lutetia' ELSE coalesce(city, 'nowhere') END;

-- UPDATE that swaps columns
UPDATE people SET boss = email, email = coalesce(boss, 'x') || id WHERE id < 40;
UPDATE people SET name = nick, nick = name WHERE id < 40;
UPDATE people SET born = died, died = born, points = visits, visits = points WHERE id < 40;

-- UPDATE of several columns at once
UPDATE people SET (name, city) = ('both', 'Rome') WHERE id = 5;
UPDATE people SET (name, points) = (SELECT note, code FROM orders o WHERE o.email = people.email ORDER BY o.id LIMIT 1) WHERE id < 30;
UPDATE people SET city = DEFAULT, name = NULL WHERE id = 6;

-- UPDATE ... FROM
UPDATE people p SET points = o.code, name = o.note FROM orders o WHERE o.email = p.email AND o.id < 30 AND o.code = 3;
UPDATE orders o SET email = b.email FROM people p JOIN people b ON b.email = p.boss WHERE o.email = p.email AND o.status = 'new' AND p.id < 30;
UPDATE people SET boss = v.b FROM (VALUES ('Paris', 'mayor@paris'), ('Lyon', 'mayor@lyon')) v (c, b) WHERE city = v.c;

-- UPDATE by IN and by a subquery
UPDATE people SET points = 0 WHERE email IN ('user1@example.com', 'user2@example.com') OR id IN (SELECT id FROM people WHERE city = '東京');
UPDATE people SET city = 'Rome' WHERE email IN (SELECT email FROM orders WHERE code = 5);

-- UPDATE that violates a unique constraint
-- both: 23505
UPDATE people SET email = 'user8@example.com' WHERE email = 'user7@example.com';

-- UPDATE with parameters
-- index: people_email_key
-- parameters: Paris | 7 | user7@example.com
-- parameters: \N | \N | user8@example.com
UPDATE people SET city = $1, points = $2 WHERE email = $3 RETURNING id, city, points;

-- DELETE by an encrypted key
-- index: people_email_key
DELETE FROM people WHERE email = 'user7@example.com';

-- DELETE by other conditions
DELETE FROM people WHERE city = 'Paris' AND points < 20 RETURNING id, email;
DELETE FROM people WHERE email IN (SELECT email FROM orders WHERE code = 3) OR name LIKE 'Z%';
DELETE FROM orders USING people p WHERE orders.email = p.email AND p.city = 'Lyon' RETURNING orders.id, p.name;
DELETE FROM orders WHERE NOT EXISTS (SELECT FROM people WHERE people.email = orders.email);

-- RETURNING expressions
INSERT INTO orders AS o (id, email, amount) VALUES (1000, 'r@example.com', 5) RETURNING email, upper(email), amount + 1, email = 'r@example.com', o;
UPDATE orders SET amount = 6 WHERE id = 1000 RETURNING *;
DELETE FROM orders WHERE id = 1000 RETURNING email || '!', (SELECT count(*) FROM people WHERE people.email = orders.email);

-- TRUNCATE
TRUNCATE journal, labels;
SELECT count(*) FROM labels;

-- UPSERT on the encrypted key, nothing
INSERT INTO people (id, email) VALUES (1000, 'user7@example.com'), (1001, 'fresh@example.com'), (1002, NULL) ON CONFLICT (email) DO NOTHING RETURNING id;
INSERT INTO people (id, email) VALUES (1003, 'user7@example.com'), (5, 'other@example.com') ON CONFLICT DO NOTHING;

-- UPSERT on the encrypted key, update
INSERT INTO people (id, email, name, points) VALUES (1000, 'user7@example.com', 'Seven', 1), (1001, 'fresh@example.com', 'Fresh', 2)
ON CONFLICT (email) DO UPDATE SET name = excluded.name, points = people.points + excluded.points, nick = 'upserted' RETURNING id, email, name, points;

-- UPSERT with a condition
INSERT INTO people (id, email, city) VALUES (1000, 'user7@example.com', 'Rome'), (1001, 'user8@example.com', 'Rome')
ON CONFLICT (email) DO UPDATE SET city = excluded.city WHERE people.city = 'paris' OR people.city <> excluded.city AND excluded.email = 'user8@example.com';

-- UPSERT on a named constraint and on a primary key
INSERT INTO people (id, email) VALUES (1000, 'user7@example.com') ON CONFLICT ON CONSTRAINT people_email_key DO UPDATE SET email = excluded.email || '.old';
INSERT INTO people (id, email) VALUES (7, 'seven@example.com') ON CONFLICT (id) DO UPDATE SET email = excluded.email, boss = people.email;
INSERT INTO accounts (login, plan) VALUES ('alice', 'gold'), ('new', 'free') ON CONFLICT (login) DO UPDATE SET plan = excluded.plan, balance = 0;

-- UPSERT from a SELECT
INSERT INTO people (id, email, points) SELECT id + 2000, email, code FROM orders o WHERE email LIKE 'user1%' AND id = (SELECT min(id) FROM orders i WHERE i.email = o.email)
ON CONFLICT (email) DO UPDATE SET points = excluded.points;

-- UPSERT that hits a row twice
-- both: 21000
INSERT INTO people (id, email) VALUES (1000, 'user7@example.com'), (1001, 'user7@example.com') ON CONFLICT (email) DO UPDATE SET name = 'twice';

-- UPSERT with parameters
-- parameters: 1000 | user7@example.com | Seven
-- parameters: 1001 | fresh@example.com | Fresh
INSERT INTO people (id, email, name) VALUES ($1, $2, $3) ON CONFLICT (email) DO UPDATE SET name = excluded.name || '!' RETURNING id, name;

-- MERGE by the encrypted key
MERGE INTO people p USING (VALUES ('user7@example.com', 'Rome', 70), ('fresh@example.com', 'Oslo', 80), ('user8@example.com', NULL, NULL)) v (e, c, n)
ON p.email = v.e
WHEN MATCHED AND v.c IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET city = v.c, points = v.n
WHEN NOT MATCHED THEN INSERT (id, email, city, points) VALUES (v.n + 1000, v.e, v.c, v.n);

-- MERGE of encrypted tables
MERGE INTO people p USING (SELECT email, max(code) AS code, max(note) AS note FROM orders WHERE email IS NOT NULL GROUP BY email) o
ON p.email = o.email
WHEN MATCHED AND p.city = 'Paris' THEN DO NOTHING
WHEN MATCHED AND p.points = o.code THEN DELETE
WHEN MATCHED THEN UPDATE SET points = o.code, name = o.note
WHEN NOT MATCHED AND o.email LIKE 'stranger%' THEN INSERT (id, email, name) VALUES (length(o.email) * 1000 + substr(o.email, 9, length(o.email) - 20)::int, o.email, o.note);

-- MERGE with literals in its source
MERGE INTO accounts a USING (SELECT 'alice' AS login, 'gold' AS plan) v ON a.login = v.login
WHEN MATCHED THEN UPDATE SET plan = v.plan WHEN NOT MATCHED THEN INSERT (login, plan) VALUES (v.login, v.plan);

-- MERGE by columns of two scopes
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
MERGE INTO people p USING patients q ON p.email = q.email WHEN MATCHED THEN DELETE;

-- COPY of a table and of a query
COPY orders TO STDOUT;
COPY (SELECT id, email, born, tags, profile FROM people WHERE city = 'Paris' ORDER BY email) TO STDOUT (FORMAT csv, HEADER);
COPY people (id, name, salary) TO STDOUT (DELIMITER '|', NULL 'none');

-- locks
SELECT id FROM people WHERE email = 'user7@example.com' FOR UPDATE;
SELECT id FROM people WHERE city IN ('Lyon', '東京') ORDER BY id FOR NO KEY UPDATE NOWAIT;

-- SELECT INTO and CREATE TABLE AS
SELECT id, email, city, born INTO TEMP copied FROM people WHERE points < 10;
SELECT * FROM copied WHERE city = 'Paris' OR email = 'user5@example.com';
CREATE TEMP TABLE counted ON COMMIT DROP AS SELECT city, count(*) AS n, max(email) AS last FROM people GROUP BY city;
SELECT * FROM counted WHERE city = 'Lyon' OR last = 'user9@example.com';

-- an expression without a scope in CREATE TABLE AS
-- error: RMT04 a column without a scope in `CREATE TABLE AS` or a view
CREATE TEMP TABLE mixed AS SELECT id, coalesce(city, 'none') AS city FROM people;

-- an expression without a scope in CREATE TABLE AS, cast
CREATE TEMP TABLE mixed ON COMMIT DROP AS SELECT id, coalesce(city, 'none')::enc_text(pii, deterministic) AS city, coalesce(boss, '')::text AS boss FROM people;
SELECT * FROM mixed WHERE city = 'none';

-- writing encrypted values to plain columns
UPDATE people SET dept = city WHERE id < 30;
INSERT INTO journal (what, login) SELECT email || ' ' || coalesce(points::text, '-'), city FROM people WHERE id < 30;
INSERT INTO visits_by_day SELECT born, email, name FROM people WHERE born IS NOT NULL AND id < 30;
CREATE TEMP TABLE plain_copy (a text, b int8, c int, d date, e timestamp, f numeric, g bool, h jsonb, i text[], j varchar(10)) ON COMMIT DROP;
INSERT INTO plain_copy SELECT email, points, visits, born, joined, salary, active, profile, tags, left(name, 10) FROM people WHERE id < 60;
SELECT p.a FROM plain_copy p JOIN people q ON p.a = q.email AND p.b = q.points AND p.d = q.born;

-- upserts that change nothing
INSERT INTO accounts (login, plan) SELECT login, plan FROM accounts ON CONFLICT (login) DO UPDATE SET plan = excluded.plan WHERE accounts.plan IS DISTINCT FROM excluded.plan;

-- a deferrable unique key that is swapped
CREATE TEMP TABLE seats (k enc_text(pii, deterministic) UNIQUE DEFERRABLE INITIALLY DEFERRED, n int) ON COMMIT DROP;
INSERT INTO seats VALUES ('a', 1), ('b', 2);
UPDATE seats SET k = CASE k WHEN 'a' THEN 'b' ELSE 'a' END;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT * FROM seats;

-- a deferrable unique key that is violated
-- both: 23505
CREATE TEMP TABLE seats (k enc_text(pii, deterministic) UNIQUE DEFERRABLE INITIALLY DEFERRED, n int) ON COMMIT DROP;
INSERT INTO seats VALUES ('a', 1), ('b', 2);
UPDATE seats SET k = 'a';
SET CONSTRAINTS ALL IMMEDIATE;

-- a table out of a prepared statement
-- error: RMT08 `CREATE TABLE AS EXECUTE` of encrypted columns that the role may decrypt
PREPARE adults AS SELECT id, email FROM people WHERE id < 9;
CREATE TEMP TABLE adults AS EXECUTE adults;
