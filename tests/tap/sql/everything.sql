-- Every type, and everything that may stand around an encrypted column. Loaded by app, so that plaintext
-- goes in. Every plaintext holds something that lib/Plaintexts.pm can find; literals of definitions
-- (views, CHECKs, defaults) do not: they are code.
CREATE TABLE people (
    id     int PRIMARY KEY,
    email  enc_text(pii, deterministic) NOT NULL UNIQUE,
    name   enc_text(pii) DEFAULT 'nameless',
    photo  enc_bytea(pii),
    notes  enc_jsonb(pii),
    salary enc_numeric(pii),
    number enc_int8(pii, deterministic),
    born   enc_date(pii, deterministic),
    seen   enc_timestamptz(pii),
    token  enc_uuid(pii, deterministic),
    member enc_bool(pii)
);
INSERT INTO people
SELECT i, 'mail-zebrafish' || i || '@example.com', 'Name QuaggaFoal' || i, convert_to('photo-okapicalf' || i, 'UTF8'),
       jsonb_build_object('note-tapir', i), 7712345677120000.25 + i, 6503640946713100288 + i, date '1837-02-03' + i % 20,
       timestamptz '1848-03-04 05:06:07+00' + i % 20 * interval '1 day',
       ('deadbeef-feed-4bee-8dad-' || lpad(i::text, 12, '0'))::uuid, i % 2 = 0
FROM generate_series(1, 200) i;
INSERT INTO people (id, email) VALUES (1000, '');

CREATE INDEX people_number ON people (number);
CREATE INDEX people_token ON people USING hash (token);
CREATE STATISTICS people_statistics ON email, number FROM people;

CREATE TABLE orders (
    id       int PRIMARY KEY,
    customer enc_text(pii, deterministic) REFERENCES people (email) ON UPDATE CASCADE
);
INSERT INTO orders SELECT i, 'mail-zebrafish' || i || '@example.com' FROM generate_series(1, 100) i;

CREATE DOMAIN mail_address AS enc_text(pii, deterministic);
CREATE TABLE with_domain (id int, address mail_address);
INSERT INTO with_domain VALUES (1, 'domain-zebrafish@example.com');

CREATE TYPE contact AS (label text, address enc_text(pii, deterministic));
CREATE TABLE with_array (id int, addresses enc_text(pii, deterministic)[], contact contact);
INSERT INTO with_array VALUES (1, '{array-zebrafish@example.com,NULL}', ('home', 'row-zebrafish@example.com'));

CREATE TABLE by_hash (id int, email enc_text(pii, deterministic)) PARTITION BY HASH (email);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT i, 'hash-zebrafish' || i FROM generate_series(1, 50) i;

CREATE TABLE by_list (id int, country enc_text(pii, deterministic)) PARTITION BY LIST (country);
CREATE TABLE by_list_1 PARTITION OF by_list FOR VALUES IN ('Bhutan-zebrafish', 'Nepal-zebrafish');
CREATE TABLE by_list_2 PARTITION OF by_list DEFAULT;
INSERT INTO by_list VALUES (1, 'Bhutan-zebrafish'), (2, 'Tonga-zebrafish');

CREATE TABLE checked (
    email enc_text(pii, deterministic) CHECK (email <> 'nobody'),
    name  enc_text(pii) CHECK (length(name) > 2)
);
INSERT INTO checked VALUES ('check-zebrafish', 'check-QuaggaFoal');
CREATE DOMAIN somebody AS enc_text(pii, deterministic) CHECK (value <> 'nobody');
CREATE TABLE checked_domain (email somebody);
INSERT INTO checked_domain VALUES ('somebody-zebrafish');

CREATE TABLE by_function (id int, secret bytea);
INSERT INTO by_function SELECT i, rampart.encrypt('pii', 'function-zebrafish' || i) FROM generate_series(1, 10) i;

CREATE VIEW readable AS SELECT id, upper(email) AS shouted, born + 1 AS day_after FROM people WHERE born > '1700-01-01';
CREATE VIEW plain_view AS SELECT id, email, name FROM people;
CREATE MATERIALIZED VIEW mat AS SELECT id, email, born FROM people WHERE id <= 20;
CREATE UNIQUE INDEX mat_email ON mat (email);
ANALYZE people, orders, by_hash, by_list, mat;
