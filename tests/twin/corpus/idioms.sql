-- statistics of text search
SELECT * FROM ts_stat('SELECT to_tsvector(''simple'', name) FROM people');
SELECT id FROM people WHERE ts_rank(to_tsvector('simple', profile), 'fr') > 0;

-- a report with one column a value
SELECT dept, max(CASE city WHEN 'Paris' THEN email END), count(CASE WHEN city = 'Lyon' THEN 1 END) FROM people GROUP BY dept;

-- rows made of columns
SELECT id, v FROM people, LATERAL (VALUES (email), (boss), ('x')) s (v) WHERE id < 5;
SELECT id, v FROM people, LATERAL (VALUES (email), (boss), ('user3@example.com')) s (v) WHERE v = 'user3@example.com' OR v = email AND id < 20;
SELECT v, count(*) FROM people, LATERAL (VALUES (email), (boss)) s (v) GROUP BY v;
SELECT key, value FROM people p, jsonb_each_text(to_jsonb(p)) WHERE id = 5;

-- lists of values as rows
SELECT id FROM people JOIN string_to_table('user7@example.com,user8@example.com', ',') t ON t = email;
SELECT id, n FROM people JOIN unnest(ARRAY['Paris', 'Lyon'], ARRAY[1, 2]) u (c, n) ON city = c;
UPDATE people p SET points = u.n, name = u.c FROM unnest(ARRAY['user7@example.com', 'user8@example.com'], ARRAY[1, 2]) u (c, n) WHERE p.email = u.c;
INSERT INTO orders (id, email, code) SELECT * FROM unnest(ARRAY[1000, 1001], ARRAY['a', 'b'], ARRAY[1, 2]);
INSERT INTO orders (id, email, amount, placed) SELECT * FROM json_to_recordset('[{"id": 1002, "email": "j", "amount": 1.50, "placed": "2020-02-02"}]') r (id int, email text, amount numeric, placed timestamptz);

-- an update of many keys at once
UPDATE people SET points = CASE email WHEN 'user7@example.com' THEN 1 WHEN 'user8@example.com' THEN 2 END WHERE email IN ('user7@example.com', 'user8@example.com');

-- duplicates
SELECT boss, count(*) FROM people GROUP BY boss HAVING count(*) > 1;
DELETE FROM people a USING people b WHERE a.boss = b.boss AND a.id > b.id;
SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY city, dept ORDER BY id) AS n FROM people) s WHERE n > 1;

-- the latest of each
SELECT DISTINCT ON (email) email, id, placed FROM orders ORDER BY email, placed DESC, id;
SELECT o.id FROM orders o WHERE placed = (SELECT max(placed) FROM orders i WHERE i.email = o.email);

-- a page of a search
-- ordered
SELECT id, email, count(*) OVER () AS total FROM people WHERE name ILIKE '%a%' OR email ILIKE '%a%' OR city ILIKE '%a%' ORDER BY city, email DESC, id LIMIT 10 OFFSET 20;

-- gaps and islands
SELECT city, min(id), max(id), count(*) FROM (SELECT id, city, row_number() OVER (ORDER BY id) - row_number() OVER (PARTITION BY city ORDER BY id) AS g FROM people) s GROUP BY city, g;

-- a running balance and a share
SELECT id, sum(amount) OVER (PARTITION BY email ORDER BY placed, id), round(100 * amount / sum(amount) OVER (PARTITION BY email), 1) FROM orders WHERE email IS NOT NULL AND amount > 0;

-- ages and birthdays
SELECT id, extract(year FROM age(current_date, born::date)) > 30, extract(month FROM born) = 2 AND extract(day FROM born) = 2, (date '2030-01-01' - born) / 365 FROM people;
SELECT extract(year FROM born)::int / 10 * 10 AS decade, count(*), min(email) FROM people GROUP BY decade;

-- an archive
WITH old AS (DELETE FROM accounts WHERE plan = 'free' RETURNING *) INSERT INTO journal SELECT login, login, 'archived', label FROM old;

-- a queue
WITH next AS (SELECT id FROM orders WHERE status = 'new' AND email IS NOT NULL ORDER BY placed, id LIMIT 2 FOR UPDATE SKIP LOCKED)
UPDATE orders SET status = 'taken', code = coalesce(code::int8, 0) + 1 FROM next WHERE orders.id = next.id RETURNING orders.id, code;

-- quoted names
SELECT "email" AS "E Mail", people."city" FROM people WHERE people."email" = 'user7@example.com';

-- functions of numbers
SELECT abs(points), mod(points, 3), points / 2, points % 7, salary::int / 3, round(salary), trunc(salary, 1), log(abs(salary) + 1) FROM people WHERE points BETWEEN 0 AND 10 AND salary <> 'NaN';
SELECT to_char(points, '0000'), to_char(salary, '99999.99'), lpad(points::text, 5, '0'), born + points::int FROM people WHERE points BETWEEN 0 AND 40;

-- values of every kind in text
SELECT 'x' || points || active || born || salary || token, concat(active, points), format('%s %L %s', active, born, salary), quote_literal(email), quote_literal(points), quote_nullable(active) FROM people WHERE id < 20;

-- order of kinds that compare by value
SELECT id FROM people WHERE active < true OR active IN (true) AND active = ANY ('{t,f}');
SELECT id FROM people WHERE profile > '[]' OR token > secret AND badge < photo;
