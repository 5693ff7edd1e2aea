-- CASE with conditions
SELECT id, CASE WHEN city = 'Paris' THEN 'capital' WHEN city LIKE 'L%' THEN 'second' ELSE city END FROM people;

-- CASE with a value
SELECT id, CASE city WHEN 'Paris' THEN 1 WHEN 'Lyon' THEN 2 WHEN boss THEN 3 ELSE 0 END FROM people;
SELECT id, CASE points WHEN 7 THEN 'seven' WHEN visits % 40 THEN 'same' END FROM people;
SELECT id, CASE born WHEN '1961-02-02' THEN name END FROM people;

-- CASE with a randomised value
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT id, CASE name WHEN 'Ada B' THEN 1 END FROM people;

-- CASE that gives encrypted columns
SELECT id, CASE WHEN id % 2 = 0 THEN email ELSE name END, CASE WHEN id % 2 = 0 THEN born ELSE died END FROM people;
SELECT id, CASE WHEN id % 2 = 0 THEN points END + 1 FROM people;

-- CASE as a comparand
SELECT id FROM people WHERE city = CASE WHEN id < 100 THEN 'Paris' ELSE 'Lyon' END;
SELECT id FROM people WHERE CASE WHEN id < 100 THEN email ELSE boss END = 'user7@example.com';
SELECT id FROM people WHERE email = CASE WHEN id < 100 THEN boss ELSE 'user150@example.com' END;

-- CASE in aggregates
SELECT sum(CASE WHEN city = 'Paris' THEN points ELSE visits END), count(CASE city WHEN 'Lyon' THEN 1 END) FROM people;

-- CASE of an encrypted and a plain column
SELECT id, CASE WHEN id % 2 = 0 THEN email ELSE dept END FROM people;

-- CASE of an enc_int8 and an integer
-- error: 42846 `COALESCE`, `CASE`, `GREATEST` or `ARRAY[]` of an `enc_int8` or `enc_numeric` and an integer
SELECT id, CASE WHEN id % 2 = 0 THEN points ELSE 0 END FROM people;

-- CASE of an enc_int8 and an integer, cast
SELECT id, CASE WHEN id % 2 = 0 THEN points::int8 ELSE 0 END FROM people;

-- COALESCE
SELECT id, coalesce(boss, email, 'nobody'), coalesce(name, ''), coalesce(died, born) FROM people;
SELECT id FROM people WHERE coalesce(boss, email) = 'user7@example.com';
SELECT id FROM people WHERE coalesce(boss, 'none') = 'none';
SELECT id, coalesce(city, dept), coalesce(NULL, points) FROM people;
SELECT coalesce(max(points), -1), coalesce(sum(salary), 0) FROM people WHERE id < 0;

-- COALESCE of an enc_int8 and an integer
-- error: 42846 `COALESCE`, `CASE`, `GREATEST` or `ARRAY[]` of an `enc_int8` or `enc_numeric` and an integer
SELECT coalesce(points, 0) FROM people;

-- COALESCE of an enc_int8 and an integer, cast
SELECT coalesce(points::int8, 0), coalesce(points, '0') FROM people;

-- COALESCE of a column and its plain type
SELECT id, coalesce(died, current_date), coalesce(points, 0::int8), coalesce(salary, 0.5), coalesce(active, false) FROM people;

-- COALESCE of a randomised column, compared
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT id FROM people WHERE coalesce(name, 'none') = 'none';

-- NULLIF
SELECT id, nullif(city, 'Paris'), nullif(points, 7), nullif(born, '1961-02-02'), nullif(boss, email) FROM people;
SELECT id, nullif('Paris', city), nullif('Paris'::text, city) FROM people WHERE id < 30;
SELECT id, nullif(id, points), nullif(nick, '') IS NULL FROM people;

-- NULLIF of a randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT nullif(name, '') FROM people;

-- GREATEST and LEAST
SELECT id, greatest(email, boss), least(city, 'Paris'), greatest(nick, 'c') FROM people;
SELECT id, greatest(born, died), least(points, visits), least(joined, seen, '2020-01-05') FROM people;

-- GREATEST of a column and its plain type
SELECT id, greatest(born, date '1980-01-01'), least(points, 5::int8), greatest(salary, 10.5) FROM people;

-- GREATEST of an enc_numeric and an integer
-- error: 42846 `COALESCE`, `CASE`, `GREATEST` or `ARRAY[]` of an `enc_int8` or `enc_numeric` and an integer
SELECT greatest(salary, 10) FROM people;

-- GREATEST of an enc_numeric and an integer, cast
SELECT id, least(points::int8, 5), greatest(salary::numeric, 10) FROM people;

-- casts of an encrypted text
SELECT id, name::varchar, name::varchar(3), name::char(4), name::text, name::name, nick::bytea FROM people WHERE name NOT LIKE '%🙂%';
SELECT id, substr(email, 5, length(email) - 16)::int, ('1' || id)::text::int FROM people WHERE email IS NOT NULL;
SELECT id, (substr(name, 1, 0) || '7')::text::int + points FROM people WHERE id < 20;

-- casts of an encrypted text to a number
CREATE TEMP TABLE digits (t enc_text(pii)) ON COMMIT DROP;
INSERT INTO digits VALUES ('12'), ('-3'), (NULL);
SELECT t::int, t::numeric, t::int8 + 1, CAST(t AS float8), t::text::date IS NULL FROM digits WHERE t IS NULL OR length(t) > 5;
SELECT t::int, t::numeric, t::int8 + 1, CAST(t AS float8), t::int::bool FROM digits;

-- a cast that fails
-- both: 22P02
SELECT name::int FROM people WHERE id = 3;

-- casts of other kinds
SELECT id, points::text, points::int8, salary::text, born::text, joined::text, active::text, profile::text, token::text, badge::text FROM people;
SELECT id, salary::int, salary::float8, points::numeric(20, 1), points::float8 FROM people WHERE salary <> 'NaN';
SELECT id, born::timestamp, born::timestamptz, joined::date, joined::timestamp, seen::time FROM people;
SELECT id, active::int, active::bool, profile::json::text, token::uuid FROM people;
SELECT id, visits::int, visits::int2, points::int8::int FROM people WHERE points BETWEEN 0 AND 99;

-- casts to an encrypted type
SELECT 'x'::enc_text AS t, 7::enc_int8 AS i, '2020-02-02'::enc_date AS d, true::enc_bool AS b, 1.5::enc_numeric AS n, 'a'::enc_text || 'b';
SELECT 7::enc_int8(pii) + 1, 'x'::enc_text(pii) || 'y', (date '2020-01-01')::enc_date(pii, deterministic) + 1;
SELECT email::enc_text(pii), name::enc_text(pii, deterministic), city::enc_text(pii, deterministic) FROM people;

-- a randomised column cast to deterministic is compared
SELECT id FROM people WHERE name::enc_text(pii, deterministic) = 'Ada D';
SELECT a.id, b.id FROM people a JOIN people b ON a.name::enc_text(pii, deterministic) = b.name::enc_text(pii, deterministic) AND a.id < b.id;
SELECT name::enc_text(pii, deterministic) AS n, count(*) FROM people GROUP BY n;

-- arithmetic
SELECT id, points + 1, 1 + points, points - visits, points * 2, points / 3, points % 5, -points, abs(points), points::int8 ^ 2, @ points FROM people;
SELECT id, salary * 1.1, salary / 3, round(salary, 1), floor(salary), ceil(salary), mod(salary, 7), salary + visits::int8 FROM people WHERE salary <> 'NaN';
SELECT id, points & 7, points # 1, points << 1, gcd(points, visits), to_hex(points), factorial(visits % 9), power(salary, 2), sqrt(salary), width_bucket(salary, 0, 10000, 5) FROM people WHERE salary <> 'NaN' AND points < 100;

-- arithmetic beside a fraction
-- error: 42883 an `enc_int8` beside a `numeric`, `float8` or `enc_numeric`
SELECT points * 1.5 FROM people;

-- arithmetic of two encrypted types
-- error: 42883 an `enc_int8` beside a `numeric`, `float8` or `enc_numeric`
SELECT salary + points FROM people;

-- arithmetic of float8
-- error: 42883 an `enc_int8` beside a `numeric`, `float8` or `enc_numeric`
SELECT points ^ 2 FROM people;

-- arithmetic beside a fraction, cast
SELECT id, points::int8 * 1.5, points::numeric / 4 FROM people;

-- overflow
-- both: 22003
SELECT points * 9223372036854775807 FROM people WHERE id = 2;

-- arithmetic in conditions
SELECT id FROM people WHERE points + 1 = 8;
SELECT id FROM people WHERE salary * 2 > 9000 AND points * 2 < visits AND -points < 3;
SELECT id FROM people WHERE points = visits - 440 OR points = id OR points = 3 + 4;

-- booleans
SELECT id, NOT active, active AND points > 7, active OR active IS NULL, active = (city = 'Paris') FROM people;
SELECT id, active IS TRUE, active IS NOT FALSE, active IS DISTINCT FROM true FROM people;

-- uuid and bytes
SELECT id, upper(token::text), secret::text, length(badge), encode(badge, 'base64'), badge || '\x00', substr(photo, 2, 3), md5(badge), get_byte(photo, 0) FROM people;
SELECT id, sha256(badge), convert_from(substr(photo, 1, 0), 'UTF8'), photo LIKE '\xc4', position('\x20'::bytea IN photo) FROM people;

-- IS JSON-like predicates and type tests
SELECT id, name IS NULL, (name, city) IS NULL, (name, city) IS NOT NULL, num_nulls(name, city, born), num_nonnulls(email, boss) FROM people;

-- a whole row
SELECT p FROM people p WHERE id < 10;
SELECT (p).email, (p).born FROM people p WHERE (p).city = 'Lyon';
SELECT row(email, 7, city) FROM people WHERE id < 10;
SELECT count(p), count(p.*) FROM people p;

-- booleans as conditions
SELECT a.id, b.id FROM people a JOIN people b ON a.active AND NOT b.active AND a.email = b.boss;
SELECT count(*) FILTER (WHERE active), sum(CASE WHEN active THEN 1 ELSE 0 END) FROM people HAVING bool_or(active);
SELECT id FROM people WHERE (active AND city = 'Paris') IS NOT TRUE AND coalesce(active, true) AND id < 60;

-- series of an encrypted number
SELECT p.id, g FROM people p, generate_series(1, p.points) g WHERE p.points BETWEEN 1 AND 4;

-- comparison of composite subqueries
SELECT id FROM people WHERE (SELECT ROW(city, points)) = (SELECT ROW(city, points) FROM people WHERE id = 8);
SELECT id FROM people p WHERE (p.email, p.city) = ANY (SELECT email, city FROM people WHERE id < 5);

-- arrays of aggregates, compared
SELECT dept FROM people GROUP BY dept HAVING 'Lyon' = ANY (array_agg(city)) AND array_agg(city ORDER BY id) <> '{}';
SELECT count(*) FROM (SELECT array_agg(city ORDER BY id) AS a FROM people GROUP BY dept) x JOIN (SELECT array_agg(city ORDER BY id) AS a FROM people GROUP BY dept) y ON x.a = y.a;
