-- a thousand values in an array
SELECT id FROM people WHERE email = ANY (ARRAY(SELECT 'user' || g || '@example.com' FROM generate_series(1, 1000) g WHERE g % 3 = 0));
SELECT count(*) FROM people WHERE email <> ALL (ARRAY(SELECT 'user' || g || '@example.com' FROM generate_series(1, 1000) g WHERE g % 3 = 0));

-- an IN list of a thousand
-- repeat: 'user~@example.com'
SELECT id, email FROM people WHERE email IN (~);

-- a NOT IN list of a thousand
-- repeat: 'user~@example.com'
SELECT id FROM people WHERE email NOT IN (~);

-- an IN list of a thousand numbers
-- repeat: ~
SELECT id, points FROM people WHERE points IN (~) AND visits IS NOT NULL;

-- a VALUES list of a thousand
-- repeat: (~, 'user~@example.com')
SELECT p.id, v.n FROM people p JOIN (VALUES ~) v (n, e) ON p.email = v.e;

-- an INSERT of a thousand rows
-- repeat: (~ + 1000, 'bulk~@example.com', ~, '2020-01-01')
INSERT INTO orders (id, email, code, placed) VALUES ~;
SELECT count(*), count(DISTINCT email) FROM orders WHERE email LIKE 'bulk%';

-- 1 MB values
SELECT id, length(body), octet_length(body), md5(body), length(twin), md5(twin), length(raw), md5(raw) FROM blobs;
SELECT id, left(body, 20), right(body, 20), substr(body, 500000, 10), position('🙂' IN body) FROM blobs;
SELECT a.id, b.id FROM blobs a JOIN blobs b ON a.twin = b.twin AND a.raw = b.raw;
SELECT id FROM blobs WHERE twin = repeat('0123456789abcdef', 65536) OR raw = '\x00';
SELECT twin IS NULL, count(*), count(DISTINCT twin), max(length(twin)) FROM blobs GROUP BY 1;
SELECT md5(twin), count(*) FROM blobs GROUP BY twin;

-- 1 MB values written
-- slow
INSERT INTO blobs VALUES (10, repeat('x', 1000000), repeat('y', 1000000), decode(repeat('ab', 1000000), 'hex'));
UPDATE blobs SET body = body || body, twin = body, raw = convert_to(body, 'UTF8') WHERE id IN (2, 10);
SELECT id, length(body), md5(body), md5(twin), body = twin FROM (SELECT id, body::text, twin::text FROM blobs) s;
DELETE FROM blobs WHERE twin = repeat('x', 1000000);

-- 1 MB values shown
-- slow
SELECT body FROM blobs WHERE id = 3;
SELECT raw FROM blobs WHERE id = 1;
SELECT string_agg(body, '') FROM blobs;

-- 1 MB of json
-- slow
CREATE TEMP TABLE j (v enc_jsonb(pii)) ON COMMIT DROP;
INSERT INTO j SELECT jsonb_object_agg('key' || g, md5(g::text)) FROM generate_series(1, 20000) g;
SELECT v ->> 'key7', octet_length(v::text), md5(v::text) FROM j;

-- empty strings
SELECT id, nick = '', length(nick), nick || 'x', coalesce(nullif(nick, ''), 'none') FROM people WHERE nick = '' OR name LIKE '';
INSERT INTO people (id, email, badge, nick) VALUES (1000, '', '', ''), (1001, ' ', '\x00', E'\n\t');
SELECT id FROM people WHERE email = '' OR email = ' ' OR nick = E'\n\t' OR badge = '\x00';

-- multibyte text
INSERT INTO people (id, email, name, city) VALUES (1000, '山田@例え.jp', 'Ωμέγα', 'Zürich'), (1001, U&'e\0301@x', '👩‍👩‍👧', 'ZÜRICH'), (1002, 'é@x', '', 'zürich');
SELECT id, length(email), upper(city), octet_length(name), reverse(name) FROM people WHERE email IN ('山田@例え.jp', 'é@x') OR city = 'Zürich' OR id = 1001;
SELECT id FROM people WHERE email = U&'e\0301@x' OR lower(city) = 'zürich';
SELECT id FROM people WHERE email LIKE '山_@%' OR city ILIKE 'zürich' OR name ~ '^Ω';

-- characters that mean something elsewhere
INSERT INTO people (id, email, name, tags) VALUES (1000, 'a''b"c\d{e},f|g%h_i', E'tab\tline\nback\\', ARRAY['a,b', '"q"', 'NULL', '{}', '\', '']);
SELECT email, name, tags FROM people WHERE email = 'a''b"c\d{e},f|g%h_i' OR '{}' = ANY (tags) OR 'NULL' = ANY (tags);

-- text that resembles ciphertext
SELECT id FROM people WHERE email LIKE 'rmp1:%' OR email IN ('rmp1', 'RMP1:x', 'rmp2:x', ' rmp1:x');
INSERT INTO people (id, email, name) VALUES (1000, 'rmp1', 'RMP1:abc'), (1001, ' rmp1:x', 'rmp 1:');

-- text that begins as ciphertext does
-- error: RMC01 text that begins with `rmp1:`
INSERT INTO people (id, email) VALUES (1000, 'rmp1:x');

-- extreme numbers and dates
INSERT INTO people (id, points, visits, salary, born, joined) VALUES
    (1000, 9223372036854775807, -9223372036854775808, 1e100, '5874897-12-31', '294276-12-31 23:59:59.999999+00'),
    (1001, 0, -0, -0.000000000000000000001, '4713-01-01 BC', '-infinity'), (1002, -1, 1, 'NaN', 'infinity', 'infinity'), (1003, NULL, NULL, 'Infinity', 'epoch', 'epoch');
SELECT id FROM people WHERE points IN (9223372036854775807, -1) OR born = '5874897-12-31' OR joined = '-infinity' OR salary = 'Infinity';
SELECT points, visits, salary, born, joined FROM people WHERE id >= 1000 ORDER BY id;
SELECT max(points), min(visits), max(salary), max(born), min(joined) FROM people;

-- NULLs of every kind
INSERT INTO people (id, city) VALUES (1000, NULL);
SELECT * FROM people WHERE id = 1000;
UPDATE people SET email = NULL, name = NULL, born = NULL, points = NULL, salary = NULL, token = NULL, badge = NULL, active = NULL, profile = NULL, tags = NULL WHERE id < 20;
SELECT count(*), count(email), count(name), count(born), count(points), count(salary), count(token), count(badge), count(active), count(profile), count(tags) FROM people;
SELECT id, email || 'x', points + 1, born + 1, NOT active, profile -> 'age', tags[1], lower(name) FROM people WHERE id < 25;
