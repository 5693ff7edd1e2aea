-- GROUP BY a skewed column
SELECT city, count(*) FROM people GROUP BY city;

-- GROUP BY every deterministic kind
SELECT born, count(*) FROM people GROUP BY born;
SELECT joined, count(*) FROM people GROUP BY joined;
SELECT points, count(*), min(id) FROM people GROUP BY points;
SELECT token, count(*) FROM people GROUP BY token;
SELECT badge, count(*) FROM people GROUP BY badge;
SELECT nick, count(*) FROM people GROUP BY nick;

-- GROUP BY several columns
SELECT city, dept, points, count(*) FROM people GROUP BY city, dept, points;

-- GROUP BY a randomised kind
-- error: RMT02 `GROUP BY`, `DISTINCT` or `UNION` over a randomised column
SELECT name, count(*) FROM people GROUP BY name;

-- GROUP BY a boolean
-- error: RMT02 `GROUP BY`, `DISTINCT` or `UNION` over a randomised column
SELECT active, count(*) FROM people GROUP BY active;

-- GROUP BY a randomised kind, cast
SELECT name::text, count(*) FROM people GROUP BY name::text;
SELECT active::bool, salary::numeric % 2, count(*) FROM people GROUP BY 1, 2;

-- GROUP BY an expression
SELECT lower(city), count(*) FROM people GROUP BY lower(city);
SELECT extract(year FROM born) AS y, count(*) FROM people GROUP BY y;
SELECT substr(email, 1, 5), length(name) > 5, count(*) FROM people GROUP BY 1, 2;

-- GROUP BY an expression that mixes a column with a literal
-- error: RMT04 `GROUP BY`, `DISTINCT` or `UNION` that mixes a column with a literal
SELECT coalesce(city, 'none'), count(*) FROM people GROUP BY coalesce(city, 'none');

-- GROUP BY an expression that mixes a column with a literal, cast
SELECT coalesce(city::text, 'none'), count(*) FROM people GROUP BY 1;
SELECT CASE WHEN points > 7 THEN city::text ELSE 'other' END, count(*) FROM people GROUP BY 1;

-- GROUP BY an expression of two columns
SELECT coalesce(boss, email), count(*) FROM people GROUP BY coalesce(boss, email);
SELECT CASE WHEN id < 50 THEN city ELSE boss END, count(*) FROM people GROUP BY 1;

-- GROUP BY the primary key
SELECT p.id, p.email, p.name, count(o.id) FROM people p LEFT JOIN orders o USING (email) GROUP BY p.id;

-- HAVING
SELECT city, count(*) FROM people GROUP BY city HAVING count(*) > 5 AND city <> 'Paris';
SELECT city, sum(points) FROM people GROUP BY city HAVING city IN ('Paris', 'Lyon') OR max(born) > '1998-01-01';
SELECT count(*) FROM people HAVING max(email) > 'a';

-- GROUPING SETS, ROLLUP and CUBE
SELECT city, dept, count(*), grouping(city, dept) FROM people GROUP BY GROUPING SETS ((city), (dept), (city, dept), ());
SELECT city, points, count(*) FROM people WHERE id < 60 GROUP BY ROLLUP (city, points);
SELECT city, boss, dept, count(*) FROM people WHERE id < 60 GROUP BY CUBE (city, boss), dept;

-- GROUP BY DISTINCT sets
SELECT city, dept, count(*) FROM people GROUP BY DISTINCT ROLLUP (city, dept), ROLLUP (city);

-- DISTINCT
SELECT DISTINCT city FROM people;
SELECT DISTINCT city, points FROM people;
SELECT DISTINCT born, joined, badge FROM people;
SELECT count(*) FROM (SELECT DISTINCT email, city FROM people) s;

-- DISTINCT over a randomised column
-- error: RMT02 `GROUP BY`, `DISTINCT` or `UNION` over a randomised column
SELECT DISTINCT name FROM people;

-- DISTINCT over a randomised column, cast
SELECT DISTINCT name::text, salary::numeric FROM people;

-- DISTINCT over an expression
SELECT DISTINCT upper(city), born IS NULL FROM people;

-- aggregates over every kind
SELECT count(*), count(email), count(name), count(born), count(profile), count(active), count(photo) FROM people;
SELECT sum(points), sum(visits), sum(salary) FILTER (WHERE salary <> 'NaN') FROM people;
SELECT round(avg(points), 3), avg(visits), round(stddev(visits), 5), round(variance(visits), 5) FROM people;
SELECT min(points), max(points), min(salary), max(visits), min(born), max(born), min(died), max(joined), min(seen) FROM people;
SELECT min(email), max(email), min(name), max(name), min(nick), max(nick), min(city), max(city) FROM people;
SELECT bool_and(active), bool_or(active), every(active), bit_and(points), bit_or(points) FROM people;

-- aggregates of float8 over an enc_int8
-- error: 42883 an `enc_int8` beside a `numeric`, `float8` or `enc_numeric`
SELECT corr(points, visits) FROM people;

-- aggregates of float8 over an enc_int8, cast
SELECT corr(points::int8, visits::int8)::numeric(9, 6), regr_count(points::int8, visits::int8) FROM people;

-- aggregates over no rows
SELECT count(email), sum(points), avg(salary), min(name), max(born), string_agg(city, ','), array_agg(email) FROM people WHERE id < 0;

-- min and max by group
SELECT city, min(email), max(name), min(born), max(points), sum(salary) FROM people GROUP BY city;

-- count and sum of DISTINCT
SELECT count(DISTINCT city), count(DISTINCT points), count(DISTINCT born), count(DISTINCT email) FROM people;
SELECT dept, count(DISTINCT city), sum(DISTINCT points), avg(DISTINCT visits) FROM people GROUP BY dept;

-- count of DISTINCT over a randomised column
-- error: RMT02 `GROUP BY`, `DISTINCT` or `UNION` over a randomised column
SELECT count(DISTINCT name) FROM people;

-- count of DISTINCT over a randomised column, cast
SELECT count(DISTINCT name::text), count(DISTINCT (city, name::text)) FROM people;

-- FILTER
SELECT count(*) FILTER (WHERE city = 'Paris'), sum(points) FILTER (WHERE email LIKE '%1@%' AND active) FROM people;
SELECT city, count(*) FILTER (WHERE boss = 'user7@example.com'), max(born) FILTER (WHERE points IN (1, 2, 3)) FROM people GROUP BY city;

-- ORDER BY inside aggregates
SELECT city, string_agg(email, ',' ORDER BY email) FROM people GROUP BY city;
SELECT dept, string_agg(name, ',' ORDER BY name DESC NULLS LAST, id) FROM people GROUP BY dept;
SELECT array_agg(born ORDER BY born DESC, id) FROM people WHERE id < 60;
SELECT array_agg(id ORDER BY points NULLS FIRST, salary DESC, id) FROM people;
SELECT json_agg(email ORDER BY city, id) FROM people WHERE id < 20;

-- ORDER BY and DISTINCT inside an aggregate
SELECT string_agg(DISTINCT city, ',' ORDER BY city) FROM people;

-- ORDER BY and DISTINCT inside an aggregate, cast
SELECT string_agg(DISTINCT city::text, ',' ORDER BY city::text), array_agg(DISTINCT points::int8 ORDER BY points::int8) FROM people;

-- DISTINCT inside an aggregate
SELECT (SELECT array_agg(c ORDER BY c::text) FROM unnest(array_agg(DISTINCT city)) c) FROM people;

-- ordered-set aggregates
-- error: RMT05 `WITHIN GROUP (ORDER BY ...)` by an encrypted column
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY points) FROM people;

-- ordered-set aggregates, cast
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY points::int8), mode() WITHIN GROUP (ORDER BY city::text) FROM people;

-- string_agg, array_agg, json and xml aggregates
SELECT string_agg(city, '; ' ORDER BY id), json_object_agg(id, email ORDER BY id) FROM people WHERE id < 12;
SELECT jsonb_agg(jsonb_build_object('e', email, 'p', points, 's', salary, 'b', born, 'a', active, 'j', profile) ORDER BY id) FROM people WHERE id < 12;
SELECT array_agg(email ORDER BY id), array_agg(points ORDER BY id), array_agg(active ORDER BY id) FROM people WHERE id < 12;

-- aggregates of aggregates
SELECT max(n), min(c) FROM (SELECT city AS c, count(*) AS n FROM people GROUP BY city) s;
SELECT sum(m) FROM (SELECT max(points) AS m FROM people GROUP BY city) s;

-- an aggregate as an encrypted column's comparand
SELECT id FROM people WHERE points = (SELECT max(points) FROM people);
SELECT email FROM people WHERE born = (SELECT min(born) FROM people WHERE city = 'Lyon');
