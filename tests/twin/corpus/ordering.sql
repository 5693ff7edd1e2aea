-- ORDER BY an encrypted text
-- ordered
SELECT email FROM people ORDER BY email;
SELECT name, id FROM people ORDER BY name, id;
SELECT nick, id FROM people ORDER BY nick DESC, id DESC;
SELECT city, id FROM people ORDER BY city NULLS FIRST, id;

-- ORDER BY other kinds
-- ordered
SELECT id, born FROM people ORDER BY born, id;
SELECT id, joined FROM people ORDER BY joined DESC NULLS LAST, id;
SELECT id, points FROM people ORDER BY points, id;
SELECT id, salary FROM people ORDER BY salary DESC, id;
SELECT id, token FROM people ORDER BY token;
SELECT id, badge FROM people ORDER BY badge, id;
SELECT id, active FROM people ORDER BY active, id;
SELECT id, profile FROM people ORDER BY profile, id;
SELECT id, tags FROM people WHERE id < 30 ORDER BY id;

-- ORDER BY several columns, a position and an alias
-- ordered
SELECT city, points AS p, id FROM people ORDER BY 1, p DESC, 3;

-- ORDER BY an expression
-- ordered
SELECT id FROM people ORDER BY lower(name), length(email), id;
SELECT id, city FROM people ORDER BY city = 'Paris', city COLLATE "C", id;
SELECT id FROM people ORDER BY coalesce(boss, email), id;
SELECT id FROM people ORDER BY coalesce(boss, 'm'), id;
SELECT id FROM people ORDER BY CASE WHEN id < 100 THEN name END, id DESC;

-- ORDER BY a column that is not shown
-- ordered
SELECT id FROM people ORDER BY email, id;

-- ORDER BY USING an operator
-- error: 42809 `ORDER BY ... USING` an operator
SELECT id FROM people ORDER BY email USING >;

-- ORDER BY an array
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT id, tags FROM people ORDER BY tags, id;

-- ORDER BY a row
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT id FROM people ORDER BY (city, points), id;

-- ORDER BY a composite column
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT id FROM pupils ORDER BY home, id;

-- ORDER BY a whole row
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT c FROM cars c ORDER BY c;

-- min of an array
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT min(tags) FROM people;

-- inequality of arrays
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT id FROM people WHERE tags < '{t2}';

-- a window ordered by an array
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT id, rank() OVER (ORDER BY tags) FROM people;

-- arrays and rows by order, cast
-- ordered
SELECT id FROM people WHERE tags::text[] > '{t2}' ORDER BY tags::text[], id;
SELECT id FROM people ORDER BY city, points, id;

-- LIMIT and OFFSET
-- ordered
SELECT email FROM people ORDER BY email LIMIT 5;
SELECT email, born FROM people ORDER BY born, email OFFSET 20 LIMIT 7;
SELECT id FROM people ORDER BY points DESC, id LIMIT 3 OFFSET 2;

-- LIMIT that a parameter gives
-- ordered
-- parameters: 5 | 0
-- parameters: 3 | 100
SELECT email FROM people ORDER BY email LIMIT $1 OFFSET $2;

-- FETCH FIRST
-- ordered
SELECT email FROM people ORDER BY email FETCH FIRST 3 ROWS ONLY;

-- FETCH FIRST WITH TIES
SELECT points FROM people ORDER BY points FETCH FIRST 5 ROWS WITH TIES;
SELECT city FROM people ORDER BY city DESC OFFSET 20 ROWS FETCH FIRST 5 ROWS WITH TIES;

-- ORDER BY with GROUP BY
-- ordered
SELECT city, count(*) FROM people GROUP BY city ORDER BY city;
SELECT city, count(*) AS n FROM people GROUP BY city ORDER BY n DESC, city;
SELECT born, max(email) FROM people GROUP BY born ORDER BY born DESC;

-- ORDER BY an aggregate over an encrypted column
-- ordered
SELECT city FROM people GROUP BY city ORDER BY max(email), min(born), city;

-- ORDER BY with GROUPING SETS
-- ordered
SELECT city, dept, count(*) FROM people GROUP BY ROLLUP (city, dept) ORDER BY city, dept, count(*);

-- ORDER BY in a subquery
SELECT email FROM (SELECT email FROM people ORDER BY email LIMIT 10) s;
SELECT id FROM people WHERE email IN (SELECT email FROM orders ORDER BY email, id LIMIT 5);

-- ORDER BY with a join
-- ordered
SELECT p.email, o.id FROM people p JOIN orders o ON o.email = p.email ORDER BY p.email DESC, o.id LIMIT 20;

-- ORDER BY with DISTINCT
-- ordered
SELECT DISTINCT city FROM people ORDER BY city;

-- ORDER BY with DISTINCT, cast
-- ordered
SELECT DISTINCT city::text FROM people ORDER BY 1;

-- ORDER BY with DISTINCT around a subquery
-- ordered
SELECT city FROM (SELECT DISTINCT city FROM people) s ORDER BY city;

-- ORDER BY a plain column with DISTINCT
-- ordered
SELECT DISTINCT dept, city FROM people WHERE city = 'Paris' ORDER BY dept;

-- DISTINCT ON
-- ordered
SELECT DISTINCT ON (city) city, id FROM people ORDER BY city, id;

-- DISTINCT ON, cast
-- ordered
SELECT DISTINCT ON (city::text) city, id FROM people ORDER BY city::text, id;

-- DISTINCT ON by a plain column
-- ordered
SELECT DISTINCT ON (dept) dept, email FROM people ORDER BY dept, email;

-- DISTINCT ON by a plain column, cast
-- ordered
SELECT DISTINCT ON (dept) dept, email FROM people ORDER BY dept, email::text;

-- DISTINCT ON without ORDER BY
SELECT count(*) FROM (SELECT DISTINCT ON (city) city FROM people) s;

-- ORDER BY with locking
-- ordered
SELECT email FROM people WHERE city = 'Lyon' ORDER BY email FOR UPDATE;
SELECT p.id FROM people p JOIN orders o USING (email) WHERE o.code = 3 ORDER BY p.email, o.id FOR SHARE OF p SKIP LOCKED;

-- between and inequalities
SELECT id FROM people WHERE email BETWEEN 'user10' AND 'user2';
SELECT id FROM people WHERE name > 'L' AND name <= 'Zz';
SELECT id FROM people WHERE born NOT BETWEEN '1960-01-01' AND '1980-12-31';
SELECT id FROM people WHERE points BETWEEN SYMMETRIC 9 AND 3 OR salary BETWEEN 100 AND 500.50;
SELECT id FROM people WHERE visits >= 500 AND visits < 600 AND seen > '2022-07-01';
SELECT id FROM people WHERE token < md5('x')::uuid OR badge > '\xf0';

-- inequality of two columns
SELECT id FROM people WHERE born < died AND joined < seen AND points < visits AND email > boss;

-- keyset pagination
-- ordered
-- parameters: 1960-01-01 | 20
SELECT id, born FROM people WHERE (born, id) > ($1, $2) ORDER BY born, id LIMIT 10;

-- keyset pagination, written out
-- ordered
-- parameters: 1960-01-01 | 20
SELECT id, born FROM people WHERE born > $1 OR (born = $1 AND id > $2) ORDER BY born, id LIMIT 10;

-- TABLESAMPLE
SELECT count(email) FROM people TABLESAMPLE SYSTEM (100);
SELECT email FROM people TABLESAMPLE BERNOULLI (100) WHERE city = 'Lyon';

-- a view that is ordered
-- ordered
CREATE TEMP VIEW sorted AS SELECT email, city FROM people WHERE city IN ('Lyon', '東京') ORDER BY city, email, id;
SELECT * FROM sorted;
SELECT email FROM sorted WHERE city = 'Lyon' LIMIT 3;

-- an aggregate over an ordered subquery
SELECT array_agg(email), string_agg(email, ',') FROM (SELECT email FROM people WHERE id < 60 ORDER BY email DESC, id) s;
SELECT json_agg(s) FROM (SELECT email, points FROM people WHERE id < 30 ORDER BY points, email) s;

-- CREATE TABLE AS of an ordered query
-- ordered
CREATE TEMP TABLE t ON COMMIT DROP AS SELECT id, email FROM people ORDER BY email, id;
SELECT id FROM t;

-- INSERT of an ordered query
-- ordered
INSERT INTO labels SELECT row_number() OVER (), city FROM (SELECT city FROM people WHERE id < 30 ORDER BY born DESC, id LIMIT 9) s RETURNING id, word;

-- a hypothetical rank
-- error: RMT05 `WITHIN GROUP (ORDER BY ...)` by an encrypted column
SELECT rank('7') WITHIN GROUP (ORDER BY points) FROM people;

-- a limit from an encrypted column
-- ordered
SELECT id FROM people ORDER BY id LIMIT (SELECT points FROM people WHERE id = 1) OFFSET (SELECT visits % 7 FROM people WHERE id = 1);
