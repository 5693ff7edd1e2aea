-- IN over a subquery
SELECT id FROM people WHERE email IN (SELECT email FROM orders WHERE code = 3);

-- IN over a subquery of plain values
SELECT id FROM people WHERE city IN (SELECT c FROM (VALUES ('Paris'), ('Lyon'), (NULL)) v (c));

-- a plain value IN a subquery of encrypted ones
SELECT c FROM (VALUES ('Paris'), ('Rome'), (NULL)) v (c) WHERE c IN (SELECT city FROM people);

-- NOT IN over a subquery without NULL
SELECT id FROM people WHERE email NOT IN (SELECT email FROM orders WHERE email IS NOT NULL);

-- NOT IN over a subquery with NULL
SELECT id FROM people WHERE email NOT IN (SELECT email FROM orders);

-- NOT IN over a subquery of plain values
SELECT id FROM people WHERE city NOT IN (SELECT c FROM (VALUES ('Paris'), ('Lyon')) v (c));

-- NOT IN over an empty subquery
SELECT count(*) FROM people WHERE city NOT IN (SELECT city FROM people WHERE id < 0);

-- IN with rows
SELECT id FROM people WHERE (city, dept) IN (SELECT city, dept FROM people WHERE id < 5);
SELECT id FROM people WHERE (email, city) NOT IN (SELECT boss, city FROM people WHERE boss IS NOT NULL AND city IS NOT NULL) AND id < 50;

-- IN over an encrypted randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT id FROM people WHERE name IN (SELECT name FROM people WHERE id < 5);

-- EXISTS and NOT EXISTS
SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM people q WHERE q.boss = p.email);
SELECT id FROM people p WHERE NOT EXISTS (SELECT 1 FROM people q WHERE q.boss = p.email AND q.city = p.city);

-- = ANY, <> ALL and = SOME over a subquery
SELECT id FROM people WHERE city = ANY (SELECT city FROM visits_by_city WHERE n < 4);
SELECT id FROM people WHERE city <> ALL (SELECT city FROM visits_by_city WHERE city IS NOT NULL);
SELECT id FROM people WHERE points = SOME (SELECT code FROM orders WHERE id < 10);

-- < ANY and >= ALL over a subquery
SELECT id FROM people WHERE born < ANY (SELECT born FROM people WHERE id IN (3, 4));
SELECT id FROM people WHERE born >= ALL (SELECT born FROM people WHERE born IS NOT NULL);

-- a scalar subquery
-- index: people_email_key
SELECT id FROM people WHERE email = (SELECT email FROM orders WHERE id = 3);

-- a scalar subquery as a column
SELECT id, (SELECT max(amount) FROM orders o WHERE o.email = p.email) FROM people p;
SELECT id, (SELECT city FROM people b WHERE b.email = p.boss) AS boss_city FROM people p;
SELECT id, (SELECT b.city FROM people b WHERE b.email = p.boss) = ANY ('{Paris,Rome}'::text[]) FROM people p;

-- a scalar subquery without a row
SELECT (SELECT email FROM people WHERE id = -1) IS NULL;

-- a scalar subquery with two rows
-- both: 21000
SELECT id FROM people WHERE email = (SELECT email FROM orders WHERE id < 4);

-- a correlated aggregate
SELECT id FROM people p WHERE points = (SELECT max(points) FROM people q WHERE q.city = p.city);
SELECT id FROM people p WHERE salary > (SELECT avg(salary) FROM people q WHERE q.dept = p.dept AND q.salary <> 'NaN');

-- a subquery in FROM
SELECT c, count(*) FROM (SELECT city AS c, email FROM people WHERE points > 5) s GROUP BY c;
SELECT * FROM (SELECT email FROM people WHERE id < 9) a JOIN (SELECT email, code FROM orders) b USING (email);
SELECT e FROM (SELECT email AS e FROM people OFFSET 0) s WHERE e = 'user7@example.com';

-- a VALUES list beside an encrypted column
SELECT id FROM people, (VALUES ('Paris', 7), ('Lyon', 8)) v (c, n) WHERE city = c AND points = n;

-- an ARRAY subquery
SELECT id FROM people WHERE email = ANY (ARRAY(SELECT email FROM orders WHERE code = 3));
SELECT p.id, ARRAY(SELECT o.email FROM orders o WHERE o.code = p.points ORDER BY o.id) FROM people p WHERE p.id < 30;

-- a literal carried by a subquery
SELECT id FROM people JOIN (SELECT 'Paris' AS c) s ON city = c;
SELECT id FROM people WHERE city = (SELECT 'Paris');
SELECT id FROM people WHERE city = (SELECT 'Paris' WHERE id > 100);

-- a literal of the encrypted type carried by a subquery
SELECT id FROM people JOIN (SELECT 'Paris'::enc_text AS c) s ON city = c;
SELECT id FROM people JOIN (SELECT unnest(ARRAY['Paris', 'Lyon']::enc_text[]) AS c) s ON city = c;

-- a subquery in CASE, LIMIT and IN of a subquery
SELECT id FROM people WHERE CASE WHEN id < 50 THEN city = (SELECT city FROM people WHERE id = 2) ELSE points = 3 END;
SELECT id FROM people WHERE email IN (SELECT boss FROM people WHERE city IN (SELECT city FROM visits_by_city WHERE n = 1));
