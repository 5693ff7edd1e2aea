-- hash partitions by key
SELECT * FROM visits_by_hash WHERE login = 'user7';
SELECT * FROM visits_by_hash WHERE login IN ('user1', 'user2', '', 'none');
SELECT * FROM visits_by_hash WHERE login IS NULL;

-- a hash partition by its index
-- index: visits_by_hash_2_login_idx
SELECT count(*) FROM visits_by_hash WHERE login IN ('user0', 'user1', 'user2', 'user3', 'user4', 'user5', 'user6', 'user7', 'user8', 'user9');

-- hash partitions with a parameter
-- parameters: user7
-- parameters:
-- parameters: \N
SELECT page, n FROM visits_by_hash WHERE login = $1;

-- hash partitions with a parameter of a plain type
-- types: text
-- parameters: user7
-- parameters: user8
SELECT page, n FROM visits_by_hash WHERE login = $1;

-- hash partitions aggregated and joined
SELECT login, count(*), max(page) FROM visits_by_hash GROUP BY login;
SELECT a.n, b.n FROM visits_by_hash a JOIN visits_by_hash b ON a.login = b.login AND a.n < b.n;
SELECT v.n, p.id FROM visits_by_hash v JOIN people p ON p.email = v.login || '@example.com';

-- hash partitions written
INSERT INTO visits_by_hash VALUES ('user7', 'again', 1000), ('brand new', 'x', 1001), (NULL, 'y', 1002);
INSERT INTO visits_by_hash SELECT email, name, id FROM people WHERE id < 40;
UPDATE visits_by_hash SET login = 'user8' WHERE login = 'user7';
UPDATE visits_by_hash SET login = login || 'x', page = upper(page) WHERE n < 30 RETURNING login, n;
DELETE FROM visits_by_hash WHERE login IN ('user9', 'user10') OR n = 77;
SELECT count(*), min(login) FROM visits_by_hash WHERE login LIKE 'user1%';

-- list partitions by key
SELECT * FROM visits_by_city WHERE city = 'Paris';
SELECT * FROM visits_by_city WHERE city IN ('Lyon', 'Rome');
SELECT count(*) FROM visits_by_city WHERE city IS NULL OR city <> 'Paris';

-- list partitions by their contents
SELECT tableoid::regclass::text LIKE '%french' AS french, city, count(*) FROM visits_by_city GROUP BY 1, 2;
SELECT DISTINCT city FROM visits_by_city_french;

-- list partitions with a parameter
-- parameters: Paris
-- parameters: 東京
-- parameters: \N
SELECT page, n FROM visits_by_city WHERE city = $1;

-- list partitions written
INSERT INTO visits_by_city VALUES ('Paris', 'new', 1000), ('Oslo', 'new', 1001), (NULL, 'new', 1002), ('paris', 'new', 1003);
UPDATE visits_by_city SET city = 'Lyon' WHERE city = 'Rome';
UPDATE visits_by_city SET city = NULL WHERE city = 'Paris' AND n < 30;
DELETE FROM visits_by_city WHERE city = '東京' RETURNING n;
INSERT INTO visits_by_city SELECT city, name, id FROM people WHERE id < 40;

-- a row that fits no partition
-- both: 23514
INSERT INTO visits_by_city_french VALUES ('Rome', 'x', 1);

-- a list partition that is attached
CREATE TEMP TABLE parts (k enc_text(pii, deterministic)) PARTITION BY LIST (k) ON COMMIT DROP;
CREATE TEMP TABLE parts_a (k enc_text(pii, deterministic)) ON COMMIT DROP;
INSERT INTO parts_a VALUES ('a'), ('A');
ALTER TABLE parts ATTACH PARTITION parts_a FOR VALUES IN ('a', 'A');
INSERT INTO parts VALUES ('a');
SELECT k, tableoid::regclass::text LIKE '%parts_a' FROM parts WHERE k = 'a';

-- a list partition that is attached and does not fit
-- both: 23514
CREATE TEMP TABLE parts (k enc_text(pii, deterministic)) PARTITION BY LIST (k) ON COMMIT DROP;
CREATE TEMP TABLE parts_a (k enc_text(pii, deterministic)) ON COMMIT DROP;
INSERT INTO parts_a VALUES ('a'), ('b');
ALTER TABLE parts ATTACH PARTITION parts_a FOR VALUES IN ('a', 'A');

-- list partitions that overlap
-- both: 42P17
CREATE TEMP TABLE parts (k enc_text(pii, deterministic)) PARTITION BY LIST (k) ON COMMIT DROP;
CREATE TEMP TABLE parts_a PARTITION OF parts FOR VALUES IN ('a', 'b');
CREATE TEMP TABLE parts_b PARTITION OF parts FOR VALUES IN ('c', 'a');

-- list partitions by a number
CREATE TEMP TABLE parts (k enc_int8(pii, deterministic), d enc_date(pii)) PARTITION BY LIST (k) ON COMMIT DROP;
CREATE TEMP TABLE parts_1 PARTITION OF parts FOR VALUES IN (1, 2);
CREATE TEMP TABLE parts_x PARTITION OF parts DEFAULT;
INSERT INTO parts VALUES (1, '2020-01-01'), (2, NULL), (3, NULL), (NULL, NULL);
SELECT k, tableoid::regclass::text LIKE '%parts_1' FROM parts WHERE k < 3;
SELECT * FROM parts WHERE k = 2 OR k IN (3, 4);

-- a unique key over hash partitions
CREATE TEMP TABLE uniques (k enc_text(pii, deterministic) PRIMARY KEY, n int) PARTITION BY HASH (k) ON COMMIT DROP;
CREATE TEMP TABLE uniques_0 PARTITION OF uniques FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE uniques_1 PARTITION OF uniques FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO uniques SELECT 'k' || g, g FROM generate_series(1, 30) g;
INSERT INTO uniques SELECT 'k' || g, 100 FROM generate_series(20, 40) g ON CONFLICT (k) DO UPDATE SET n = uniques.n + excluded.n;
SELECT k, n FROM uniques WHERE k = 'k3' OR n > 120;

-- range partitions by a plain column
SELECT login, count(*) FROM visits_by_day WHERE day >= '2022-01-01' AND login IN ('user1', 'user2') GROUP BY login;
UPDATE visits_by_day SET day = day + 60, login = upper(login) WHERE login = 'user3';
INSERT INTO visits_by_day SELECT born + 20000, email, name FROM people WHERE born IS NOT NULL AND id < 30;

-- a range partition's index
-- index: visits_by_day_new_login_idx
SELECT day, page FROM visits_by_day WHERE login = 'user4';

-- range partitions by an encrypted key
-- error: RMT05 partitions by `RANGE` of an encrypted column
CREATE TEMP TABLE ranges (d enc_date(pii, deterministic)) PARTITION BY RANGE (d) ON COMMIT DROP;

-- partitions by a randomised key
-- error: RMT02 an index, `UNIQUE`, key or partitions on a randomised column
CREATE TEMP TABLE parts (k enc_text(pii)) PARTITION BY HASH (k) ON COMMIT DROP;

-- inherited tables
SELECT plate, owner, tableoid::regclass::text LIKE '%cars' FROM vehicles WHERE plate = 'AB-1';
SELECT plate FROM ONLY vehicles WHERE plate IN ('AB-1', 'CD-3');
SELECT v.plate, c.seats FROM vehicles v JOIN cars c USING (plate);
SELECT plate, count(*) FROM vehicles GROUP BY plate;
UPDATE vehicles SET plate = plate || '!', owner = lower(owner) WHERE plate <> 'AB-2';
DELETE FROM vehicles WHERE plate = 'AB-2' OR owner LIKE 'dan';

-- an inherited table's index
-- index: cars_plate
SELECT wheels FROM vehicles WHERE plate = 'CD-3';
