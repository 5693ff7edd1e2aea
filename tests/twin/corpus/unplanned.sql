-- CHECK with GREATEST and LEAST
CREATE TEMP TABLE t (a enc_text(pii, deterministic), b enc_text(pii, deterministic), d enc_date(pii), CHECK (greatest(a, b)::text = b::text AND least(d, '2020-01-01') < '2020-01-02')) ON COMMIT DROP;
INSERT INTO t SELECT 'k' || g, 'k' || g + 10, '2020-01-01' FROM generate_series(10, 80) g;
SELECT * FROM t;

-- CHECK with GREATEST, violated
-- both: 23514
CREATE TEMP TABLE t (a enc_text(pii, deterministic), b enc_text(pii, deterministic), CHECK (greatest(a, b)::text = b::text)) ON COMMIT DROP;
INSERT INTO t VALUES ('b', 'a'), ('c', 'a'), ('d', 'a'), ('e', 'a');

-- CHECK with rows and inequalities
CREATE TEMP TABLE t (a enc_text(pii, deterministic), b enc_text(pii, deterministic), CHECK (a < b AND (a, b) < (b, b) AND a BETWEEN 'k' AND 'l' AND NOT a > b)) ON COMMIT DROP;
INSERT INTO t SELECT 'k' || g, 'k' || g + 10 FROM generate_series(10, 80) g;
SELECT * FROM t;

-- CHECK with CASE, COALESCE, NULLIF and ANY
CREATE TEMP TABLE t (a enc_text(pii, deterministic), b enc_text(pii, deterministic), g enc_text(pii, deterministic)[],
    CHECK (CASE a WHEN 'x' THEN b = 'y' WHEN 'z' THEN b IS NULL ELSE coalesce(b, a) = a END), CHECK (nullif(a, 'none') IS NOT NULL),
    CHECK (a = ANY (g) OR a <> ALL ('{p,q,r,s,t,u,v,w,y}') AND 'x' = ANY (g))) ON COMMIT DROP;
INSERT INTO t VALUES ('x', 'y', '{x}'), ('z', NULL, '{q,z}'), ('o', 'o', '{x,y}'), ('o', NULL, '{o}');
SELECT * FROM t;

-- CHECK with an IN list of twelve, violated
-- both: 23514
CREATE TEMP TABLE t (a enc_text(pii, deterministic) CHECK (a IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'))) ON COMMIT DROP;
INSERT INTO t VALUES ('a'), ('l'), (NULL);
INSERT INTO t VALUES ('m');

-- CHECK with an IN list of twelve
CREATE TEMP TABLE t (a enc_text(pii, deterministic) CHECK (a IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l')), n enc_int8(pii, deterministic) CHECK (n NOT IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10))) ON COMMIT DROP;
INSERT INTO t VALUES ('a', 0), ('l', 11), (NULL, NULL);
SELECT * FROM t WHERE a = 'l';

-- CHECK of an array's order
-- error: RMT05 ordering arrays or rows that hold encrypted values
CREATE TEMP TABLE t (g enc_text(pii, deterministic)[] CHECK (g < '{b}')) ON COMMIT DROP;

-- CHECK with a function
CREATE FUNCTION pg_temp.fine(e enc_text) RETURNS bool LANGUAGE sql STABLE AS $$ SELECT e <> 'bad' AND e < 'zz' AND greatest(e, 'm') IN ('m', e) $$;
CREATE TEMP TABLE t (a enc_text(pii, deterministic) CHECK (pg_temp.fine(a)), b enc_text(pii) CHECK (pg_temp.fine(b::text::enc_text))) ON COMMIT DROP;
INSERT INTO t SELECT 'k' || g, 'l' || g FROM generate_series(1, 50) g;
SELECT count(*), max(a), min(b) FROM t;

-- a domain with GREATEST
CREATE DOMAIN pg_temp.early AS enc_text(pii, deterministic) CHECK (greatest(VALUE, 'm')::text = 'm' AND VALUE IN ('a', 'b', 'c', 'l', 'm'));
SELECT 'a'::pg_temp.early AS a, 'b'::pg_temp.early AS b, 'c'::pg_temp.early AS c, 'l'::pg_temp.early AS l;

-- a domain with GREATEST, violated
-- both: 23514
CREATE DOMAIN pg_temp.early AS enc_text(pii, deterministic) CHECK (greatest(VALUE, 'm')::text = 'm');
SELECT x::pg_temp.early FROM unnest('{n,o,p,q}'::text[]) x;

-- a trigger's WHEN with GREATEST and rows
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO journal VALUES (NEW.email, OLD.email, 'grew', NEW.note); RETURN NULL; END $$;
CREATE TRIGGER note AFTER UPDATE ON orders FOR EACH ROW
    WHEN (greatest(OLD.email, NEW.email)::text = NEW.email::text AND (OLD.email, OLD.code) < (NEW.email, NEW.code) AND OLD.email > 'user2') EXECUTE FUNCTION pg_temp.note();
UPDATE orders SET email = 'user' || (id * 7) % 100 || '@example.com';

-- a trigger's WHEN on whole rows
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO journal VALUES (NEW.login, OLD.login, 'changed', NULL); RETURN NULL; END $$;
CREATE TRIGGER note AFTER UPDATE ON devices FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION pg_temp.note();
UPDATE devices SET kind = CASE WHEN id % 2 = 0 THEN 'tablet' || id ELSE kind END;

-- a default with GREATEST
CREATE TEMP TABLE t (id int, a enc_text(pii, deterministic) DEFAULT greatest('b'::enc_text, 'a'::enc_text, 'c'), b enc_date(pii) DEFAULT least(current_date, '2020-01-01'), c enc_int8(pii) DEFAULT 7 + length('x')) ON COMMIT DROP;
INSERT INTO t (id) VALUES (1), (2);
SELECT * FROM t;

-- ALTER TABLE ... USING with GREATEST and CASE
CREATE TEMP TABLE t ON COMMIT DROP AS SELECT id, email, boss, city FROM people;
ALTER TABLE t ALTER email TYPE enc_text(pii, deterministic) USING greatest(email, boss), ALTER city TYPE enc_text(pii) USING CASE city WHEN 'Paris' THEN 'Lutetia' ELSE coalesce(city, 'none') END;
SELECT * FROM t;

-- ADD COLUMN with CHECK
ALTER TABLE orders ADD COLUMN low enc_text(pii, deterministic) DEFAULT 'm' CHECK (least(low, 'z')::text = low::text AND low IN ('a', 'm'));
SELECT low, count(*) FROM orders GROUP BY low;

-- GREATEST in PL/pgSQL
CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE a enc_text(pii, deterministic); b enc_text(pii, deterministic); m enc_text;
BEGIN
    FOR a, b IN SELECT email, boss FROM people WHERE id < 60 ORDER BY id LOOP
        m := greatest(a, b);
        RETURN NEXT m;
        IF least(a, b) = a THEN RETURN NEXT 'a'; END IF;
        IF (a, b) < (b, a) THEN RETURN NEXT '<'; END IF;
    END LOOP;
END $$;
SELECT pg_temp.f();

-- width_bucket over an encrypted array
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT id, width_bucket(born, (SELECT array_agg(born ORDER BY born) FROM people WHERE id IN (3, 4, 5, 6))) FROM people;

-- width_bucket over a plain array
SELECT id, width_bucket(born, ARRAY['1960-01-01', '1970-01-01', '1980-01-01']::date[]), width_bucket(points::int8, '{5,10,20}'::int8[]) FROM people;

-- GREATEST of arrays
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT id, greatest(tags, '{t2}') FROM people;

-- records by order
-- error: RMT05 ordering arrays or rows that hold encrypted values
SELECT p.id FROM people p JOIN cars c ON ROW(p.city, p.points)::record < (SELECT ROW(q.city, q.points) FROM people q WHERE q.id = 3);

-- a default by the order of arrays
-- error: RMT05 ordering arrays or rows that hold encrypted values
CREATE TEMP TABLE t (id int, a bool DEFAULT '{a}'::enc_text[] < '{b}'::enc_text[]) ON COMMIT DROP;
INSERT INTO t VALUES (1);
