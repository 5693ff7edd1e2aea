-- a column that a window function passes on
SELECT id FROM (SELECT id, lag(email) OVER (ORDER BY id) AS e FROM people) s WHERE e = 'user7@example.com' OR e IN ('user8@example.com', 'user9@example.com');
SELECT e, count(*) FROM (SELECT first_value(email) OVER (PARTITION BY city ORDER BY id) AS e FROM people) s GROUP BY e;
SELECT s.id, p.id FROM (SELECT id, lag(email) OVER (ORDER BY id) AS e FROM people) s JOIN people p ON p.email = s.e;
SELECT a.id, b.id FROM (SELECT id, lag(email) OVER (ORDER BY id) AS e FROM people) a JOIN (SELECT id, lag(boss) OVER (ORDER BY id) AS e FROM people) b ON a.e = b.e;

-- an element of an array
SELECT a.id, b.id FROM people a JOIN people b ON a.tags[4] = b.tags[4] AND a.id < b.id + 9 WHERE a.id < 60;
SELECT id FROM people WHERE tags[1] IN ('t1', 't2') AND tags[1] = tags[1] AND tags[2] IN (tags[1], 'été');

-- CASE and COALESCE joined
SELECT a.id, b.id FROM people a JOIN people b ON coalesce(a.boss, a.email) = coalesce(b.boss, b.email) AND a.id < b.id;
SELECT a.id, b.id FROM people a JOIN people b ON CASE WHEN a.id < 100 THEN a.email ELSE a.boss END = b.email;
SELECT id FROM people WHERE coalesce(boss, email) IN (SELECT coalesce(email, 'none') FROM orders WHERE code = 3);

-- COALESCE with a literal joined
SELECT a.id, b.id FROM people a JOIN people b ON coalesce(a.boss, 'none') = coalesce(b.email, 'none');
SELECT a.id, b.id FROM people a JOIN people b ON coalesce(a.city, 'none') = b.city AND a.id = b.id;
SELECT id FROM people WHERE coalesce(boss, 'none') IN ('none', 'user7@example.com');

-- COALESCE with a literal in a semi-join
-- error: RMT04 a column beside a literal in `COALESCE` or `CASE`, in `EXISTS`, `IN (SELECT ...)` or a list of nine (by plan)
SELECT id FROM people a WHERE EXISTS (SELECT FROM orders o WHERE coalesce(o.email, 'none') = coalesce(a.boss, 'none'));

-- COALESCE with a literal in an IN list of nine
-- error: RMT04 a column beside a literal in `COALESCE` or `CASE`, in `EXISTS`, `IN (SELECT ...)` or a list of nine (by plan)
SELECT id FROM people WHERE coalesce(boss, 'none') IN ('none', 'user1@example.com', 'user2@example.com', 'user3@example.com', 'user4@example.com', 'user5@example.com', 'user6@example.com', 'user7@example.com', 'user8@example.com');

-- COALESCE with a literal in NOT IN
-- error by plan: RMT04 a column beside a literal in `COALESCE` or `CASE`, in `EXISTS`, `IN (SELECT ...)` or a list of nine (by plan)
SELECT id FROM people WHERE coalesce(boss, 'none') NOT IN (SELECT coalesce(email, 'none') FROM orders);

-- COALESCE with a literal in IN
-- error: RMT04 a column beside a literal in `COALESCE` or `CASE`, in `EXISTS`, `IN (SELECT ...)` or a list of nine (by plan)
SELECT id FROM people WHERE coalesce(boss, 'none') IN (SELECT coalesce(email, 'none') FROM orders);

-- UNION ALL of columns of two scopes, compared
SELECT * FROM (SELECT id, email FROM people UNION ALL SELECT id, email FROM patients) s WHERE email = 'user3@example.com';
SELECT * FROM (SELECT id, email FROM people UNION ALL SELECT id, 'literal' FROM patients) s WHERE email = 'literal' OR email = 'user3@example.com';

-- UNION ALL of columns of two scopes, in a list
-- error by plan: RMT04 `IN` over columns of two scopes (by plan)
SELECT * FROM (SELECT id, email FROM people UNION ALL SELECT id, email FROM patients) s WHERE email IN ('user3@example.com', 'user4@example.com');

-- UNION ALL of columns of two scopes, joined
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
SELECT p.id, s.id FROM people p JOIN (SELECT id, email FROM people UNION ALL SELECT id, email FROM patients) s ON p.email = s.email;

-- UNION ALL of columns of two scopes, grouped
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
SELECT email, count(*) FROM (SELECT id, email FROM people UNION ALL SELECT id, email FROM patients) s GROUP BY email;

-- UNION ALL of two modes, compared
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT * FROM (SELECT id, email FROM people UNION ALL SELECT id, name FROM people) s WHERE email = 'user3@example.com';

-- variables and parameters without a scope
CREATE FUNCTION pg_temp.same(a enc_text, b enc_text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN a = b; END $$;
CREATE FUNCTION pg_temp.held(a enc_text) RETURNS enc_text LANGUAGE plpgsql AS $$ BEGIN RETURN a || ''; END $$;
SELECT pg_temp.same('x', 'x'), pg_temp.same('x', 'y'), pg_temp.same(email, 'user7@example.com'), pg_temp.same('user7@example.com', email), pg_temp.same(email, boss), pg_temp.same(pg_temp.held(email), email) FROM people WHERE id < 12;
SELECT a.id FROM people a JOIN people b ON pg_temp.held(a.email) = pg_temp.held(b.email) WHERE a.id < 20 AND b.id < 20;
SELECT id FROM people WHERE email = pg_temp.held('user7@example.com') OR boss IN (pg_temp.held('user7@example.com'), pg_temp.held(city));

-- variables of two scopes
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
CREATE FUNCTION pg_temp.same(a enc_text, b enc_text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN a = b; END $$;
SELECT pg_temp.same(p.email, q.email) FROM people p JOIN patients q USING (id);

-- a function's held results, grouped
-- error: RMT04 `GROUP BY`, `DISTINCT` or `UNION` that mixes a column with a literal
CREATE FUNCTION pg_temp.held(a enc_text) RETURNS enc_text LANGUAGE plpgsql AS $$ BEGIN RETURN a || ''; END $$;
SELECT pg_temp.held(city), count(*) FROM people GROUP BY 1;

-- literals of an encrypted type
SELECT 'a'::enc_text = 'a'::enc_text AS same, 'a'::enc_text = 'b' AS other, 7::enc_int8 = 7 AS seven, 'a'::enc_text IN ('b', 'a') AS within, 'a'::enc_text < 'b' AS less, greatest('a'::enc_text, 'b') AS more;
SELECT x FROM unnest('{a,b,a}'::enc_text[]) x WHERE x = 'a';
SELECT a.x FROM unnest('{a,b,a}'::enc_text[]) a (x) JOIN unnest('{a,c}'::enc_text[]) b (x) ON a.x = b.x;

-- literals of an encrypted type, grouped
-- error: RMT04 `GROUP BY`, `DISTINCT` or `UNION` that mixes a column with a literal
SELECT DISTINCT x FROM unnest('{a,b,a}'::enc_text[]) x;

-- an inlined function over a hash index
-- error by plan: RMT04 an encrypted parameter of an SQL function that is inlined (by plan)
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS SETOF people LANGUAGE sql STABLE AS $$ SELECT * FROM people WHERE boss = e $$;
SELECT id FROM pg_temp.f('user7@example.com');

-- an inlined function over hash partitions
-- error: RMT04 an encrypted parameter of an SQL function that is inlined (by plan)
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS SETOF visits_by_hash LANGUAGE sql STABLE AS $$ SELECT * FROM visits_by_hash WHERE login = e $$;
SELECT * FROM pg_temp.f('user7');

-- an inlined function over list partitions
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS SETOF visits_by_city LANGUAGE sql STABLE AS $$ SELECT * FROM visits_by_city WHERE city = e OR city IN (e, 'Rome') $$;
SELECT * FROM pg_temp.f('Paris');
SELECT count(*) FROM people p, LATERAL pg_temp.f(p.city) f WHERE p.id < 9;

-- an inlined function with GROUP BY over its parameter
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS TABLE (c enc_text, n int8) LANGUAGE sql STABLE AS $$ SELECT city, count(*) FROM people WHERE city <> e GROUP BY city $$;
SELECT * FROM pg_temp.f('Paris');

-- a prepared parameter that a subquery passes on
-- parameters: user7@example.com
SELECT p.id FROM people p JOIN (SELECT $1::enc_text AS e) s ON p.email = s.e;

-- a scalar subquery of a literal
SELECT id FROM people WHERE email = (SELECT 'user7@example.com'::enc_text) OR email IN (SELECT 'user8@example.com'::enc_text);
SELECT id FROM people WHERE email = (SELECT e FROM (VALUES (1, 'user7@example.com'::enc_text), (2, 'x')) v (n, e) WHERE n = 1);

-- encrypted under another mode, then compared
SELECT a.id FROM people a JOIN people b ON a.email::enc_text(pii) ::text = b.email::text WHERE a.id < 9;
SELECT id FROM people WHERE email::enc_text(hipaa, deterministic) = 'user7@example.com';
SELECT p.id FROM people p JOIN patients q ON p.email::enc_text(hipaa, deterministic) = q.email;
