-- a domain
SELECT id, mail, mark, mail || '!', mark + 1 FROM pupils WHERE mail = 'pupil3@school.edu' OR mark = 2;
SELECT mail, count(*), avg(mark) FROM pupils GROUP BY mail;
SELECT id FROM pupils WHERE mail IN ('pupil1@school.edu', 'pupil2@school.edu') AND mark <> ALL ('{1,2}');
SELECT DISTINCT mark FROM pupils;

-- a domain's index
-- index: pupils_mail
SELECT id FROM pupils WHERE mail = 'pupil3@school.edu';

-- a domain joined with its base type
SELECT a.id, b.id FROM pupils a JOIN pupils b ON a.mail = b.mail AND a.mark = b.mark WHERE a.id < b.id;
SELECT p.id, q.id FROM pupils p JOIN people q ON q.points = p.mark WHERE q.id < 60;

-- a domain ordered
-- ordered
SELECT mail, mark, id FROM pupils ORDER BY mark DESC, mail, id;

-- a domain written
INSERT INTO pupils (id, mail, mark) VALUES (100, 'new@school.edu', 3), (101, NULL, 6);
UPDATE pupils SET mark = mark + 1, mail = replace(mail, '@', '+x@') WHERE mark < 6;

-- a domain's check
-- both: 23514
INSERT INTO pupils (id, mail, mark) VALUES (100, 'no at sign', 3);

-- a domain's check, by a cast
-- both: 23514
SELECT 7::grade;

-- a domain that is NOT NULL
-- both: 23502
INSERT INTO pupils (id, mail) VALUES (100, 'a@b');

-- casts to a domain
SELECT 'a@b'::address AS a, 3::grade + 1 AS g, 'x@y'::text::address || 'z' AS x;
SELECT id FROM pupils WHERE mail = 'pupil3@school.edu'::address OR mark = 3::grade;

-- a domain in PL/pgSQL and as a parameter
CREATE FUNCTION pg_temp.f(a address) RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE g grade := 3;
BEGIN
    RETURN QUERY SELECT id FROM pupils WHERE mail = a AND mark > g;
    g := 9;
EXCEPTION WHEN check_violation THEN RETURN NEXT -1;
END $$;
SELECT pg_temp.f('pupil3@school.edu');

-- a domain of the session's own
CREATE DOMAIN pg_temp.code AS enc_text(pii, deterministic) DEFAULT 'zz' CHECK (VALUE <> '' AND length(VALUE) < 4);
CREATE TEMP TABLE coded (c pg_temp.code, d pg_temp.code[]) ON COMMIT DROP;
INSERT INTO coded VALUES ('abc', '{x,y}'), (DEFAULT, NULL), (NULL, '{}');
SELECT c, d, d[1] = 'x' FROM coded WHERE c = 'zz' OR 'y' = ANY (d);

-- composite types
SELECT id, home, (home).street, (home).zip, (home).since + 1 FROM pupils;
SELECT id FROM pupils WHERE (home).zip = '10001' OR (home).since::date = '2001-01-04';

-- composite fields that are deterministic
SELECT id FROM pupils WHERE (home).zip = '10001';
SELECT (home).zip, count(*) FROM pupils GROUP BY (home).zip;
SELECT a.id, b.id FROM pupils a JOIN pupils b ON (a.home).zip = (b.home).zip AND a.id < b.id;

-- composite fields that are randomised
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT id FROM pupils WHERE (home).street = 'Street 1';

-- composite values written
INSERT INTO pupils (id, mark, home) VALUES (100, 1, ROW('New Street', '99999', '2020-01-01')), (101, 2, '("Old ""Street""",88888,)'), (102, 3, ROW(NULL, NULL, NULL));
UPDATE pupils SET home.zip = '77777', home.street = upper((home).street) WHERE id < 5;
UPDATE pupils SET home = (SELECT home FROM pupils WHERE id = 1) WHERE id = 2;
SELECT id FROM pupils WHERE (home).zip IN ('77777', '88888');

-- casts to a composite type
SELECT ROW('a', 'b', '2020-01-01')::place, (ROW('a', 'b', NULL)::place).zip = 'b', ROW('a', 'b', NULL)::place IS NULL;

-- arrays of composite types
CREATE TEMP TABLE journeys (id int, stops place[]) ON COMMIT DROP;
INSERT INTO journeys VALUES (1, ARRAY[ROW('a', '1', NULL), ROW('b', '2', '2020-01-01')]::place[]), (2, (SELECT array_agg(home ORDER BY id) FROM pupils WHERE id < 4));
SELECT id, stops[1], (stops[2]).zip, (s).street FROM journeys, unnest(stops) s WHERE (s).zip = '2' OR id = 2;

-- a table's row as a type
CREATE TEMP TABLE log (id int, was cars) ON COMMIT DROP;
INSERT INTO log SELECT 1, c FROM cars c WHERE plate = 'AB-1';
SELECT (was).plate, (was).seats + 1, was FROM log WHERE (was).plate = 'AB-1';

-- temporary tables
CREATE TEMP TABLE t (k enc_text(pii, deterministic) PRIMARY KEY, v enc_int8(pii), d enc_date(pii, deterministic) DEFAULT '2020-02-02') ON COMMIT DROP;
INSERT INTO t SELECT email, points FROM people WHERE email IS NOT NULL;
INSERT INTO t VALUES ('user7@example.com', 1) ON CONFLICT (k) DO UPDATE SET v = t.v + 100;
SELECT t.v, p.id FROM t JOIN people p ON p.email = t.k WHERE t.k IN ('user7@example.com', 'user8@example.com') OR v::int8 = 7;
ALTER TABLE t ADD w enc_text(pii) DEFAULT 'w', DROP COLUMN v;
UPDATE t SET w = w || k WHERE d = '2020-02-02' AND k LIKE 'user1%';
SELECT count(*), min(w), max(w) FROM t;

-- a table LIKE another
INSERT INTO empty_people SELECT * FROM people WHERE id < 20;
SELECT id FROM empty_people WHERE email = 'user7@example.com';
SELECT count(*) FROM empty_people e JOIN people p USING (email, city, points);

-- an empty table
SELECT * FROM empty_people WHERE email = 'x' OR city IN ('a', 'b');
SELECT count(*), max(email), sum(points) FROM empty_people;
SELECT p.id FROM people p LEFT JOIN empty_people e USING (email) WHERE e.email IS NULL;

-- an encrypted type without a scope
-- error: RMT04 a column or domain without a scope
CREATE TEMP TABLE t (k enc_text) ON COMMIT DROP;

-- a default scope
SET LOCAL rampart.default_scope = 'pii';
CREATE TEMP TABLE t (k enc_text, n enc_int8[]) ON COMMIT DROP;
INSERT INTO t VALUES ('a', '{1,2}'), (upper('b'), NULL);
SELECT k, n, k || 'x' FROM t;
