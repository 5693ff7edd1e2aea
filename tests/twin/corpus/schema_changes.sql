-- an index that is made later
-- index: orders_placed
CREATE INDEX orders_placed ON orders (placed) INCLUDE (note);
SELECT id FROM orders WHERE placed = '2020-01-01 07:13:00+00';

-- a hash index
-- index: people_boss
SELECT id FROM people WHERE boss = 'user7@example.com';

-- a unique index that fails
-- both: 23505
CREATE UNIQUE INDEX ON orders (email);

-- an index with a predicate on NULL
-- index: people_bossless
SELECT email FROM people WHERE email = 'user9@example.com' AND boss IS NULL;

-- an index of two columns
-- index: people_city_points
SELECT id FROM people WHERE city = 'Lyon' AND points = 7;

-- a GIN index on an array
CREATE INDEX people_tags ON people USING gin (tags);
SELECT id FROM people WHERE tags @> '{t1}' OR tags && '{x7,x9}';
SELECT id FROM people WHERE tags <@ '{t3,été,x3}' OR tags = '{t1,été,NULL,x1}';
UPDATE people SET tags = '{t1,new}' WHERE id < 5;
SELECT id FROM people WHERE tags @> '{t1,new}';

-- a BRIN index
-- error: 42704 a GIN, GiST, SP-GiST or BRIN index on an encrypted column
CREATE INDEX ON people USING brin (born);

-- a GIN index on jsonb
-- error: 42704 a GIN, GiST, SP-GiST or BRIN index on an encrypted column
CREATE INDEX ON people USING gin (profile);

-- an index on a randomised column
-- error: RMT02 an index, `UNIQUE`, key or partitions on a randomised column
CREATE INDEX ON people (name);

-- a unique constraint on a randomised column
-- error: RMT02 an index, `UNIQUE`, key or partitions on a randomised column
CREATE TEMP TABLE t (k enc_text(pii) UNIQUE) ON COMMIT DROP;

-- an index on an expression
-- error: 42P17 an index, predicate or generated column that computes with an encrypted column
CREATE INDEX ON people (lower(email));

-- an index predicate on an encrypted column
-- error: 42P17 an index, predicate or generated column that computes with an encrypted column
CREATE INDEX ON people (id) WHERE city = 'Paris';

-- a generated column
-- error: 42P17 an index, predicate or generated column that computes with an encrypted column
CREATE TEMP TABLE t (name enc_text(pii), size int GENERATED ALWAYS AS (length(name)) STORED) ON COMMIT DROP;

-- a generated column beside an encrypted one
CREATE TEMP TABLE t (k enc_text(pii, deterministic), n int, twice int GENERATED ALWAYS AS (n * 2) STORED) ON COMMIT DROP;
INSERT INTO t VALUES ('a', 1), ('b', 2);
UPDATE t SET n = 5 WHERE k = 'a' RETURNING *;

-- a plain column becomes encrypted
CREATE TEMP TABLE t (id int, k text UNIQUE, n int4, d date DEFAULT '2020-01-01') ON COMMIT DROP;
INSERT INTO t SELECT id, email, points % 1000, born FROM people;
ALTER TABLE t ALTER k TYPE enc_text(pii, deterministic), ALTER n TYPE enc_int8(pii, deterministic), ALTER d TYPE enc_date(pii);
INSERT INTO t VALUES (1000, 'new@example.com', 7);
SELECT * FROM t WHERE k IN ('user7@example.com', 'new@example.com') OR n = 3;

-- a plain column becomes encrypted and keeps its uniqueness
-- both: 23505
CREATE TEMP TABLE t (k text UNIQUE) ON COMMIT DROP;
INSERT INTO t VALUES ('a'), ('b');
ALTER TABLE t ALTER k TYPE enc_text(pii, deterministic);
INSERT INTO t VALUES ('a');

-- an encrypted column becomes plain
CREATE TEMP TABLE t ON COMMIT DROP AS SELECT id, email, name, points FROM people;
ALTER TABLE t ALTER email TYPE text, ALTER name TYPE varchar(100), ALTER points TYPE int8;
SELECT * FROM t WHERE email = 'user7@example.com' OR points = 3 ORDER BY email;

-- a column changes its mode
CREATE TEMP TABLE t ON COMMIT DROP AS SELECT id, email, name FROM people;
ALTER TABLE t ALTER name TYPE enc_text(pii, deterministic), ALTER email TYPE enc_text(pii);
SELECT name, count(*) FROM t GROUP BY name;
SELECT id FROM t WHERE name = 'Ada D' OR email LIKE 'user7@%';

-- a column changes its scope
CREATE TEMP TABLE t ON COMMIT DROP AS SELECT id, email FROM people;
ALTER TABLE t ALTER email TYPE enc_text(hipaa, deterministic);
SELECT t.id, p.id FROM t JOIN patients p USING (email);

-- a column is added with a default
ALTER TABLE orders ADD COLUMN channel enc_text(pii, deterministic) DEFAULT 'web', ADD COLUMN rank enc_int8(pii) DEFAULT 5;
UPDATE orders SET channel = 'shop' WHERE code = 3;
SELECT channel, count(*), sum(rank) FROM orders GROUP BY channel;

-- a column is added with a volatile default
ALTER TABLE orders ADD COLUMN made enc_timestamptz(pii) DEFAULT clock_timestamp();
SELECT count(*) FROM orders WHERE made <= clock_timestamp();
ALTER TABLE orders DROP COLUMN made;

-- NOT NULL that is added later
-- both: 23502
ALTER TABLE people ALTER email SET NOT NULL;

-- statistics and CLUSTER
CREATE STATISTICS pg_temp.people_stats (ndistinct, mcv) ON city, points, dept FROM people;
ANALYZE people;
SELECT count(*) FROM people WHERE city = 'Paris' AND points = 7 AND dept = 'ops';
CLUSTER orders USING orders_email;
SELECT count(*), count(email) FROM orders;
