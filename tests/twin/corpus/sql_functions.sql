-- a function that is inlined, by an encrypted parameter
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS SETOF people LANGUAGE sql STABLE AS $$ SELECT * FROM people WHERE email = e $$;
SELECT id, name FROM pg_temp.f('user7@example.com');
SELECT p.id, f.id FROM people p, LATERAL pg_temp.f(p.boss) f WHERE p.id < 50;
SELECT id FROM pg_temp.f((SELECT email FROM orders WHERE id = 3));

-- a function that is inlined, by a plain parameter
CREATE FUNCTION pg_temp.f(e text, n int) RETURNS TABLE (id int, name enc_text) LANGUAGE sql STABLE AS $$ SELECT p.id, p.name FROM people p WHERE p.city = e AND p.points > n $$;
SELECT * FROM pg_temp.f('Paris', 20);
SELECT f.* FROM people q, LATERAL pg_temp.f(q.city, 35) f WHERE q.id < 10;

-- a function that is not inlined
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS SETOF int LANGUAGE sql VOLATILE AS $$ SELECT id FROM people WHERE email = e OR boss = e ORDER BY name, id $$;
SELECT * FROM pg_temp.f('user7@example.com');

-- scalar functions that are inlined
CREATE FUNCTION pg_temp.domain_of(e enc_text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT split_part(e, '@', 2) $$;
CREATE FUNCTION pg_temp.is_paris(c enc_text) RETURNS bool LANGUAGE sql STABLE AS $$ SELECT c = 'Paris' $$;
CREATE FUNCTION pg_temp.same(a enc_text, b enc_text) RETURNS bool LANGUAGE sql STABLE AS $$ SELECT a = b OR a IS NULL AND b IS NULL $$;
SELECT id, pg_temp.domain_of(email), pg_temp.is_paris(city), pg_temp.same(boss, email) FROM people;
SELECT id FROM people WHERE pg_temp.is_paris(city) AND pg_temp.same(email, 'user8@example.com');
SELECT pg_temp.same('x', 'x'), pg_temp.same('x', 'y'), pg_temp.same(NULL, 'y');

-- scalar functions of plain parameters
CREATE FUNCTION pg_temp.twice(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT t || t $$;
CREATE FUNCTION pg_temp.more(n int8) RETURNS int8 LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT n + 1 $$;
SELECT id, pg_temp.twice(nick), pg_temp.more(points) FROM people WHERE pg_temp.twice(city) = 'LyonLyon' OR pg_temp.more(points) = 8;

-- BEGIN ATOMIC
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS SETOF int LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT id FROM people WHERE email = e OR city = 'Lyon' AND points = 7;
END;
SELECT * FROM pg_temp.f('user7@example.com');

-- BEGIN ATOMIC with DML
CREATE FUNCTION pg_temp.f(e enc_text, c enc_text) RETURNS enc_text LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO orders (id, email, note) VALUES (1000, e, c);
    UPDATE people SET city = c WHERE email = e RETURNING email || city;
END;
SELECT pg_temp.f('user7@example.com', 'Rome');

-- an expression body
CREATE FUNCTION pg_temp.f(a enc_int8, b enc_int8) RETURNS enc_int8 LANGUAGE sql RETURN a + b;
SELECT id, pg_temp.f(points, visits), pg_temp.f(points, '1') FROM people;
SELECT id FROM people WHERE pg_temp.f(points, '1') = 8;

-- a plain value for an encrypted parameter
-- error: 42883 a plain value for a function parameter of an encrypted type
CREATE FUNCTION pg_temp.f(a enc_int8) RETURNS int8 LANGUAGE sql RETURN a + 1;
SELECT pg_temp.f(1);

-- DML in a function
CREATE FUNCTION pg_temp.f(e enc_text, c text) RETURNS SETOF people LANGUAGE sql AS $$ UPDATE people SET city = c, name = e WHERE email = e OR boss = e RETURNING * $$;
SELECT id, email, name, city FROM pg_temp.f('user7@example.com', 'Rome');

-- ORDER BY in a function that is inlined
-- error: RMT05 `ORDER BY` an encrypted column in an SQL function that is inlined
CREATE FUNCTION pg_temp.f() RETURNS SETOF enc_text LANGUAGE sql STABLE AS $$ SELECT email FROM people WHERE id < 30 ORDER BY email $$;
SELECT count(*) FROM pg_temp.f();

-- LIMIT and ORDER BY in a function that is inlined
-- error: RMT05 `ORDER BY` an encrypted column in an SQL function that is inlined
CREATE FUNCTION pg_temp.f() RETURNS SETOF enc_text LANGUAGE sql STABLE AS $$ SELECT email FROM people ORDER BY email LIMIT 5 $$;
SELECT * FROM pg_temp.f();

-- a window in a function that is inlined
-- error: RMT05 `ORDER BY` an encrypted column in an SQL function that is inlined
CREATE FUNCTION pg_temp.f() RETURNS TABLE (id int, n int8) LANGUAGE sql STABLE AS $$ SELECT id, row_number() OVER (ORDER BY email, id) FROM people $$;
SELECT * FROM pg_temp.f();

-- an aggregate in a function that is inlined
CREATE FUNCTION pg_temp.f() RETURNS TABLE (dept text, all_mail text) LANGUAGE sql STABLE AS $$ SELECT dept, string_agg(email, ',' ORDER BY email) FROM people GROUP BY dept $$;
SELECT * FROM pg_temp.f();

-- ORDER BY in a function that is not inlined
-- ordered
CREATE FUNCTION pg_temp.f() RETURNS SETOF enc_text LANGUAGE sql VOLATILE AS $$ SELECT email FROM people ORDER BY email LIMIT 5 $$;
SELECT * FROM pg_temp.f();

-- ORDER BY around a function
-- ordered
CREATE FUNCTION pg_temp.f(c enc_text) RETURNS SETOF people LANGUAGE sql STABLE AS $$ SELECT * FROM people WHERE city = c $$;
SELECT id, email FROM pg_temp.f('Lyon') ORDER BY email DESC, id;

-- GROUP BY and joins in a function that is inlined
CREATE FUNCTION pg_temp.f(lowest int) RETURNS TABLE (city enc_text, n int8) LANGUAGE sql STABLE AS $$
    SELECT p.city, count(*) FROM people p JOIN orders o ON o.email = p.email GROUP BY p.city HAVING count(*) > lowest $$;
SELECT * FROM pg_temp.f(3) WHERE city <> 'Paris';
SELECT * FROM pg_temp.f(3) WHERE city = 'Lyon';

-- DISTINCT and UNION in a function that is inlined
CREATE FUNCTION pg_temp.f() RETURNS SETOF enc_text LANGUAGE sql STABLE AS $$ SELECT city FROM people UNION SELECT city FROM visits_by_city $$;
SELECT * FROM pg_temp.f();

-- a randomised comparison in a function that is inlined
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
CREATE FUNCTION pg_temp.f(n enc_text) RETURNS SETOF int LANGUAGE sql STABLE AS $$ SELECT id FROM people WHERE name = n $$;
SELECT * FROM pg_temp.f('Ada B');

-- a literal in a function that is inlined
CREATE FUNCTION pg_temp.f() RETURNS SETOF people LANGUAGE sql STABLE AS $$ SELECT * FROM people WHERE city = 'Paris' AND points IN (1, 2, 3) AND born <> '1961-02-02' $$;
SELECT id FROM pg_temp.f();
SELECT f.id FROM pg_temp.f() f JOIN orders o USING (email);

-- an encrypted array parameter
-- error by plan: RMT04 an encrypted parameter of an SQL function that is inlined (by plan)
CREATE FUNCTION pg_temp.f(VARIADIC keys enc_text[]) RETURNS SETOF int LANGUAGE sql STABLE AS $$ SELECT id FROM people WHERE email = ANY (keys) $$;
SELECT * FROM pg_temp.f('user7@example.com', 'user8@example.com');
SELECT * FROM pg_temp.f(VARIADIC '{user7@example.com,nobody}');

-- a composite parameter
CREATE FUNCTION pg_temp.describe(p people) RETURNS text LANGUAGE sql STABLE AS $$ SELECT p.name || ' <' || p.email || '>' $$;
SELECT id, pg_temp.describe(p) FROM people p WHERE p.city = 'Lyon';

-- an encrypted default of a parameter
CREATE FUNCTION pg_temp.f(c enc_text DEFAULT 'Lyon', d enc_date DEFAULT '1990-01-01') RETURNS int8 LANGUAGE sql STABLE AS $$ SELECT count(*) FROM people WHERE city = c AND born < d $$;
SELECT pg_temp.f(), pg_temp.f('Paris'), pg_temp.f(d => '1970-01-01');

-- an aggregate of one's own
CREATE FUNCTION pg_temp.step(a text, e enc_text) RETURNS text LANGUAGE sql AS $$ SELECT coalesce(a || ',', '') || coalesce(e, '-') $$;
CREATE AGGREGATE pg_temp.chain (enc_text) (SFUNC = pg_temp.step, STYPE = text);
SELECT dept, pg_temp.chain(email ORDER BY email, id) FROM people GROUP BY dept;
