-- variables of encrypted types
DO $$
DECLARE
    e enc_text(pii, deterministic) := 'user7@example.com';
    n people.name%TYPE;
    c enc_text(pii);
    p people.points%TYPE := 3;
    total numeric;
BEGIN
    SELECT name, city INTO n, c FROM people WHERE email = e;
    p := p + 4;
    total := p * 2;
    RAISE NOTICE '% % % % %', e, n, c, p, total;
END $$;

-- variables without a scope
CREATE FUNCTION pg_temp.f(e enc_text, k int DEFAULT 1) RETURNS int LANGUAGE plpgsql AS $$
DECLARE copy enc_text := e; n int;
BEGIN
    SELECT count(*) INTO n FROM people WHERE email = copy OR city = e;
    RETURN n * k;
END $$;
SELECT pg_temp.f('user7@example.com'), pg_temp.f('Paris', 2), pg_temp.f(NULL), pg_temp.f(city) FROM people WHERE id < 10;

-- comparisons of variables
DO $$
DECLARE
    a enc_text(pii, deterministic) := 'x';
    b enc_text(pii, deterministic) := 'y';
    c enc_text := 'x';
    d enc_date := '2020-01-01';
BEGIN
    RAISE NOTICE '% % % % %', a = b, a = c, c = 'x', a <> 'x', a IN ('q', 'x');
    RAISE NOTICE '% % % %', a < b, d > '2019-01-01', d + 1 = '2020-01-02', a IS DISTINCT FROM NULL;
    IF a = 'x' AND b <> 'x' AND NOT a = b THEN RAISE NOTICE 'right'; END IF;
    a := b;
    IF a = b THEN RAISE NOTICE 'equal: % %', a, upper(b); ELSE RAISE NOTICE 'unequal'; END IF;
    CASE a WHEN 'x' THEN RAISE NOTICE 'x'; WHEN 'y' THEN RAISE NOTICE 'y'; ELSE RAISE NOTICE 'other'; END CASE;
END $$;

-- a comparison of randomised variables
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
DO $$
DECLARE a enc_text(pii) := 'x';
BEGIN
    IF a = 'x' THEN RAISE NOTICE 'x'; END IF;
END $$;

-- a comparison of randomised variables, cast
DO $$
DECLARE a enc_text(pii) := 'x'; n people.name%TYPE := 'n';
BEGIN
    IF a::text = 'x' AND n LIKE 'n' AND length(a || n) = 2 THEN RAISE NOTICE '% %', a, n; END IF;
END $$;

-- a comparison of variables of two scopes
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
DO $$
DECLARE a enc_text(pii, deterministic) := 'x'; b enc_text(hipaa, deterministic) := 'x';
BEGIN
    RAISE NOTICE '%', a = b;
END $$;

-- loops over rows
CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; q people%ROWTYPE; result text := '';
BEGIN
    FOR r IN SELECT id, email, city, points FROM people WHERE city IN ('Lyon', '東京') ORDER BY email, id LOOP
        IF r.city = 'Lyon' AND r.points > 3 THEN result := result || r.id || ','; END IF;
        CONTINUE WHEN r.email = 'user21@example.com';
        SELECT * INTO q FROM people WHERE boss = r.email ORDER BY id LIMIT 1;
        result := result || coalesce(q.email, 'none') || ';';
    END LOOP;
    RETURN result;
END $$;
SELECT pg_temp.f();

-- records that are compared and assigned
CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE a record; b cars; c cars;
BEGIN
    SELECT plate, seats INTO a FROM cars WHERE plate = 'AB-1';
    SELECT * INTO b FROM cars WHERE plate = a.plate;
    c := b;
    c.seats := c.seats + 1;
    c.plate := a.plate || '-copy';
    RETURN NEXT a.plate = b.plate;
    RETURN NEXT (b).seats <> c.seats;
    RETURN NEXT c.plate;
    RETURN NEXT b.plate = c.plate;
    INSERT INTO cars SELECT c.*;
    INSERT INTO cars VALUES (c.plate, b.owner, 3, c.seats);
END $$;
SELECT * FROM pg_temp.f();

-- loops over arrays
CREATE FUNCTION pg_temp.f(keys enc_text[]) RETURNS int LANGUAGE plpgsql AS $$
DECLARE k enc_text; n int := 0; found_id int;
BEGIN
    FOREACH k IN ARRAY keys LOOP
        SELECT id INTO found_id FROM people WHERE email = k;
        n := n + coalesce(found_id, 0);
    END LOOP;
    RETURN n;
END $$;
SELECT pg_temp.f('{user7@example.com,user8@example.com,nobody}'), pg_temp.f((SELECT array_agg(email) FROM orders WHERE id < 9));

-- dynamic SQL with parameters
CREATE FUNCTION pg_temp.f(e text) RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE k people.email%TYPE := e; n int;
BEGIN
    RETURN QUERY EXECUTE 'SELECT id FROM people WHERE email = $1' USING e;
    RETURN QUERY EXECUTE 'SELECT id FROM people WHERE email = $1 OR boss = $1' USING k;
    RETURN QUERY EXECUTE format('SELECT id FROM people WHERE city = %L', (SELECT city FROM people WHERE email = k));
    EXECUTE 'SELECT count(*) FROM people WHERE city = $1 AND points = $2' INTO n USING 'Paris', 7;
    RETURN NEXT n;
END $$;
SELECT pg_temp.f('user7@example.com');

-- dynamic DML
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE plpgsql AS $$
DECLARE n int;
BEGIN
    EXECUTE 'UPDATE people SET city = $1, name = $2 WHERE email = ANY ($3)' USING 'Rome', 'Dyn'::text, ARRAY['user7@example.com', 'user8@example.com'];
    GET DIAGNOSTICS n = ROW_COUNT;
    EXECUTE format('INSERT INTO orders (id, email, code) VALUES (%s, %L, %L)', 1000, 'dyn@example.com', 7);
    RETURN n;
END $$;
SELECT pg_temp.f();

-- the same function called for many values, past the generic plan
CREATE FUNCTION pg_temp.f(i int) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE e people.email%TYPE; n text;
BEGIN
    SELECT email INTO e FROM people WHERE id = i;
    SELECT string_agg(note, ',' ORDER BY id) INTO n FROM orders WHERE email = e AND code <> i;
    RETURN n;
END $$;
SELECT id, pg_temp.f(id) FROM people WHERE id < 40;

-- a function of encrypted parameters
CREATE FUNCTION pg_temp.f(e enc_text, b enc_date, s enc_numeric, OUT a enc_text, OUT n enc_int8) LANGUAGE plpgsql AS $$
BEGIN
    a := e || coalesce(to_char(b::date, 'YYYY'), '');
    n := length(e) + nullif(s::numeric, 'NaN');
END $$;
SELECT id, (pg_temp.f(email, born, salary)).* FROM people WHERE id < 20;

-- a function of encrypted parameters given plain values
-- error: 42883 a plain value for a function parameter of an encrypted type
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN length(e); END $$;
SELECT pg_temp.f(dept) FROM people;

-- a function of plain parameters given encrypted values
CREATE FUNCTION pg_temp.f(e text, n int8, d date) RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT id FROM people WHERE email = e OR points = n AND born <> d;
END $$;
SELECT p.id, f FROM people p, pg_temp.f(p.boss, p.points, p.born) f WHERE p.id < 20;
SELECT pg_temp.f('user7@example.com', 7, '2020-01-01');

-- a function that returns a set of encrypted values
CREATE FUNCTION pg_temp.f(c enc_text) RETURNS TABLE (mail enc_text, pts enc_int8) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT p.email, p.points FROM people p WHERE p.city = c;
END $$;
SELECT * FROM pg_temp.f('Lyon');
SELECT p.id, f.pts FROM people p JOIN pg_temp.f('Paris') f ON f.mail = p.email;
SELECT mail FROM pg_temp.f('Lyon') WHERE mail = 'user9@example.com' OR pts = 7;

-- a function that returns an encrypted value, compared
CREATE FUNCTION pg_temp.boss_of(e enc_text) RETURNS enc_text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT boss FROM people WHERE email = e); END $$;
SELECT id FROM people WHERE email = pg_temp.boss_of('user21@example.com');
SELECT id FROM people WHERE pg_temp.boss_of(email) = 'user7@example.com';
SELECT pg_temp.boss_of('user21@example.com') = 'user7@example.com', pg_temp.boss_of(email) = boss FROM people WHERE id < 30 AND email IS NOT NULL;

-- polymorphic functions
CREATE FUNCTION pg_temp.first_of(a anyelement, b anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$ BEGIN RETURN coalesce(a, b); END $$;
SELECT id, pg_temp.first_of(boss, email), pg_temp.first_of(born, died) FROM people;
SELECT id FROM people WHERE pg_temp.first_of(boss, email) = 'user7@example.com';

-- a cursor variable
CREATE FUNCTION pg_temp.f(town enc_text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c CURSOR (k enc_text) FOR SELECT email, points FROM people WHERE city = k ORDER BY email;
    e people.email%TYPE; p people.points%TYPE; result text := '';
BEGIN
    OPEN c(town);
    LOOP
        FETCH c INTO e, p;
        EXIT WHEN NOT FOUND;
        result := result || e || ':' || coalesce(p, 0::int8) || ' ';
    END LOOP;
    CLOSE c;
    RETURN result;
END $$;
SELECT pg_temp.f('Lyon');

-- UPDATE and DELETE WHERE CURRENT OF
DO $$
DECLARE c CURSOR FOR SELECT id, email FROM people WHERE city = 'Lyon' FOR UPDATE;
BEGIN
    FOR r IN c LOOP
        IF r.email LIKE '%9%' THEN UPDATE people SET email = upper(r.email) WHERE CURRENT OF c;
        ELSIF r.email < 'user2' THEN DELETE FROM people WHERE CURRENT OF c; END IF;
    END LOOP;
END $$;

-- exceptions
CREATE FUNCTION pg_temp.f(e enc_text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people (id, email) VALUES (1000, e);
    RETURN 'made';
EXCEPTION WHEN unique_violation THEN
    UPDATE people SET nick = 'again' WHERE email = e;
    RETURN 'was there';
END $$;
SELECT pg_temp.f('user7@example.com'), pg_temp.f('fresh@example.com');

-- INSERT ... RETURNING INTO
DO $$
DECLARE e people.email%TYPE; r orders; i int;
BEGIN
    INSERT INTO orders (id, email, amount) VALUES (1000, 'r@example.com', 5) RETURNING email, amount * 2 INTO e, i;
    UPDATE orders SET note = e WHERE email = e RETURNING * INTO r;
    RAISE NOTICE '% % %', e, i, r;
    DELETE FROM orders WHERE email = r.email RETURNING note INTO STRICT e;
    ASSERT e = 'r@example.com';
    PERFORM 1 FROM orders WHERE email = e;
    RAISE NOTICE '%', FOUND;
END $$;

-- a procedure with INOUT
CREATE PROCEDURE pg_temp.rename(INOUT e enc_text, c enc_text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE people SET city = c WHERE email = e RETURNING email || '/' || city INTO e;
END $$;
CALL pg_temp.rename('user7@example.com', 'Rome');

-- RAISE with an encrypted value
-- both: P0001
DO $$
DECLARE e people.email%TYPE := 'x';
BEGIN
    RAISE EXCEPTION 'no such person: %', e;
END $$;

-- a constant and a NOT NULL variable
-- both: 22004
DO $$
DECLARE e CONSTANT enc_text(pii, deterministic) NOT NULL := 'x'; f enc_text(pii) NOT NULL := 'y';
BEGIN
    RAISE NOTICE '%', e = 'x';
    f := NULL;
END $$;
