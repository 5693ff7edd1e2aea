-- inner join by an encrypted key
SELECT p.id, o.id, p.city, o.amount FROM people p JOIN orders o ON p.email = o.email;

-- inner join with an index on the inner side
-- index: people_email_key
SELECT p.name, o.note FROM orders o JOIN people p ON p.email = o.email WHERE o.id < 10;

-- left, right and full joins
SELECT p.id, o.id FROM people p LEFT JOIN orders o ON p.email = o.email;
SELECT p.id, o.id FROM people p RIGHT JOIN orders o ON p.email = o.email;
SELECT p.id, o.id, coalesce(p.email, o.email) FROM people p FULL JOIN orders o ON p.email = o.email;

-- left join with a filter in ON and in WHERE
SELECT p.id, o.id FROM people p LEFT JOIN orders o ON p.email = o.email AND o.code = 7 WHERE p.city = 'Lyon';
SELECT p.id FROM people p LEFT JOIN orders o ON p.email = o.email WHERE o.email IS NULL;

-- USING
SELECT id, email FROM people JOIN orders USING (id, email);
SELECT email, p.id, o.id FROM people p LEFT JOIN orders o USING (email) WHERE email LIKE 'user1%';
SELECT email, count(*) FROM people p FULL JOIN orders o USING (email) GROUP BY email;

-- NATURAL
SELECT * FROM (SELECT email, city FROM people) p NATURAL JOIN (SELECT email, code FROM orders) o;
SELECT * FROM (SELECT email, city FROM people WHERE id < 30) p NATURAL LEFT JOIN (SELECT email, code FROM orders) o;

-- a table with itself
SELECT a.id, b.id FROM people a JOIN people b ON a.boss = b.email;
SELECT a.id, b.id FROM people a JOIN people b ON a.city = b.city AND a.id < b.id WHERE a.points = b.points;

-- by two encrypted keys
SELECT a.id, b.id FROM people a JOIN people b ON a.city = b.city AND a.points = b.points AND a.id <> b.id;

-- by keys of every deterministic kind
SELECT count(*) FROM people a JOIN people b ON a.born = b.born;
SELECT count(*) FROM people a JOIN people b ON a.joined = b.joined;
SELECT count(*) FROM people a JOIN orders b ON a.points = b.code;
SELECT count(*) FROM people a JOIN people b ON a.token = b.token;
SELECT count(*) FROM people a JOIN people b ON a.badge = b.badge;
SELECT count(*) FROM people a JOIN orders o ON a.joined = o.placed;

-- by a randomised kind that compares by value
SELECT count(*) FROM people a JOIN people b ON a.salary = b.salary AND a.active = b.active;
SELECT count(*) FROM people a JOIN people b ON a.profile = b.profile;

-- by a randomised key
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT count(*) FROM people a JOIN people b ON a.name = b.name;

-- by a randomised key, cast
SELECT count(*) FROM people a JOIN people b ON a.name::text = b.name::text;

-- with a plain column
SELECT p.id, k.n FROM people p JOIN (VALUES ('Paris', 1), ('Lyon', 2), (NULL, 3)) k (city, n) ON p.city = k.city;
SELECT p.id, g FROM people p RIGHT JOIN generate_series(1, 50) g ON p.points = g;
SELECT p.id, k.n FROM (VALUES ('Paris'::text, 1), ('Lyon', 2)) k (city, n) LEFT JOIN people p ON p.city = k.city;

-- with a plain column of another width
SELECT p.id, g FROM people p JOIN generate_series(1::int8, 9) g ON p.points = g;
SELECT p.id FROM people p JOIN (VALUES (7::int2), (8::int2)) k (n) ON p.points = k.n;

-- full join with a plain column
SELECT p.id, k.city FROM people p FULL JOIN (VALUES ('Paris'), ('Rome'), (NULL)) k (city) ON p.city = k.city;

-- by an expression on one side
SELECT a.id, b.id FROM people a JOIN people b ON b.email = 'user' || a.points || '@example.com';
SELECT a.id, b.id FROM people a JOIN people b ON lower(a.city) = lower(b.city) AND a.id < b.id AND a.points = 7;

-- by inequality
SELECT a.id, b.id FROM people a JOIN people b ON a.born < b.born AND a.city = 'Lyon' AND b.city = '東京';
SELECT count(*) FROM people a JOIN people b ON a.city <> b.city;

-- cross join and a join in WHERE
SELECT count(*) FROM people a, orders b WHERE a.email = b.email AND a.city = 'Paris';
SELECT count(*) FROM (SELECT email FROM people WHERE id < 10) a CROSS JOIN (SELECT code FROM orders WHERE id < 10) b;

-- four tables
SELECT p.id, b.id, o.id, v.n FROM people p JOIN people b ON b.email = p.boss JOIN orders o ON o.email = b.email
    JOIN visits_by_city v ON v.city = p.city WHERE p.id < 60;

-- LATERAL
SELECT p.id, x.id FROM people p, LATERAL (SELECT id FROM orders o WHERE o.email = p.email ORDER BY id LIMIT 2) x;
SELECT p.id, x.total FROM people p LEFT JOIN LATERAL (SELECT sum(amount) AS total FROM orders o WHERE o.email = p.email) x ON true;
SELECT p.id, w FROM people p, LATERAL regexp_split_to_table(p.name, ' ') w WHERE p.id < 30;

-- a semi-join with an index
-- index: people_email_key
SELECT id FROM people p WHERE EXISTS (SELECT FROM orders o WHERE o.email = p.email AND o.code = 3);

-- an anti-join
SELECT id FROM people p WHERE NOT EXISTS (SELECT FROM orders o WHERE o.email = p.email);

-- a join below an aggregate
SELECT p.city, count(*), sum(o.amount) FROM people p JOIN orders o USING (email) GROUP BY p.city;

-- a join that repeats inner rows
SELECT o.id, p.id FROM orders o JOIN people p ON p.city = (SELECT city FROM people q WHERE q.email = o.email) WHERE o.id < 12;

-- a join removed because its key is unique
SELECT o.id FROM orders o LEFT JOIN people p ON p.email = o.email;
