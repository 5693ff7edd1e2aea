-- The nine encrypted types: what goes in, what comes out, what they are declared as.
CREATE SCHEMA types;
SET search_path = types, public;
SET datestyle = ISO;
SET timezone = 'UTC';
SELECT rampart.create_scope('types');
SELECT rampart.grant_scope('types', current_user::regrole);

-- A column names its scope. Six kinds may be deterministic, so that equal values can be found.
CREATE TABLE each (
    id int PRIMARY KEY,
    t  enc_text(types, deterministic),
    b  enc_bytea(types, deterministic),
    j  enc_jsonb(types),
    n  enc_numeric(types),
    i  enc_int8(types, deterministic),
    d  enc_date(types, deterministic),
    z  enc_timestamptz(types, deterministic),
    u  enc_uuid(types, deterministic),
    f  enc_bool(types)
);
\d each

INSERT INTO each VALUES
    (1, 'Grüße, 世界', '\xdeadbeef', '{"k": [1, null, "v"]}', '3.1400', '9223372036854775807',
     '1815-12-10', '2024-02-29 12:34:56.789012+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'yes'),
    (2, '', '', '[]', 'NaN', -1,
     '0044-03-15 BC', 'infinity', '{00000000000000000000000000000000}', false),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
\pset null NULL
\x
TABLE each;

-- Every value is a ciphertext of its kind; the length is the plaintext's. NULL is not encrypted.
\x
SELECT col, i.scope, i.version, i.mode, i.kind, i.length
FROM each,
     LATERAL (VALUES
        ('t', rampart.ciphertext(t)), ('b', rampart.ciphertext(b)), ('j', rampart.ciphertext(j)),
        ('n', rampart.ciphertext(n)), ('i', rampart.ciphertext(i)), ('d', rampart.ciphertext(d)),
        ('z', rampart.ciphertext(z)), ('u', rampart.ciphertext(u)), ('f', rampart.ciphertext(f))) v (col, ciphertext),
     rampart.inspect(v.ciphertext) i
WHERE id = 1;
SELECT id, rampart.ciphertext(t) IS NULL AS is_null FROM each ORDER BY id;

-- The plain type's functions and operators work, by an implicit cast that decrypts.
SELECT lower(t) AS lower, t || '!' AS joined, t LIKE 'Gr%' AS "like", length(b), j -> 'k' ->> 2 AS element,
       n * 2 AS twice, i - 1 AS less, d + 30 AS later, z - interval '1 day' AS before, f AND true AS "and"
FROM each WHERE id = 1;
-- Casts to the plain type, and to what the plain type casts to.
SELECT pg_typeof(t::text), pg_typeof(j::jsonb), pg_typeof(n::numeric), pg_typeof(z::timestamptz) FROM each WHERE id = 1;
SELECT t::varchar(5), n::int, i::text, i::numeric, d::timestamp, z::date, z::time, j::text, u::text, f::int
FROM each WHERE id = 1;
SELECT i::int FROM each WHERE id = 1;

-- Into a column go also the types that would go into a plain one.
CREATE TABLE plain (
    v varchar(20), c char(4), js json, i4 int, i2 smallint, f8 float8, n numeric, ts timestamp, dt date
);
INSERT INTO plain VALUES ('varchar', 'char', '{"a":   1}', 4, 2, 8.5, 16, '2000-01-01 10:00', '1999-12-31');
INSERT INTO each (id, t, j, n, i, d, z) SELECT 10, v, js, i4, i4, ts, ts FROM plain;
INSERT INTO each (id, t, j, n, i, d, z) SELECT 11, c, js, f8, i2, dt, dt FROM plain;
INSERT INTO each (id, n, i) SELECT 12, i2, n FROM plain;
SELECT id, t, j, n, i, d, z FROM each WHERE id >= 10 ORDER BY id;

-- Casts between two scopes and modes decrypt and encrypt again.
SELECT rampart.create_scope('types_other');
SELECT rampart.grant_scope('types_other', current_user::regrole);
SELECT i.scope, i.mode, i.length
FROM each, rampart.inspect(rampart.ciphertext(t::enc_text(types_other))) i WHERE id = 1;

-- What is not a value of the kind is refused. The error does not repeat what was meant to be secret.
INSERT INTO each (id, b) VALUES (20, '\xsecret');
INSERT INTO each (id, j) VALUES (20, '{"secret": ');
INSERT INTO each (id, n) VALUES (20, 'secret');
INSERT INTO each (id, i) VALUES (20, '9223372036854775808');
INSERT INTO each (id, d) VALUES (20, '1815-13-10');
INSERT INTO each (id, z) VALUES (20, 'secret');
INSERT INTO each (id, u) VALUES (20, 'secret');
INSERT INTO each (id, f) VALUES (20, 'secret');
\echo :SQLSTATE

-- Arrays, domains, composite types and temporary tables are declared the same way.
CREATE DOMAIN address AS enc_text(types, deterministic) CHECK (VALUE LIKE '%@%');
CREATE TYPE person AS (name enc_text(types), born enc_date(types));
CREATE TEMPORARY TABLE more (emails enc_text(types, deterministic)[], main address, who person);
INSERT INTO more VALUES ('{a@example.com,b@example.com}', 'c@example.com', ROW('Ada', '1815-12-10'));
SELECT emails, emails[2], main, who, (who).name, (who).born FROM more;
SELECT count(*) FROM more WHERE 'b@example.com' = ANY (emails) AND main = 'c@example.com';
INSERT INTO more (main) VALUES ('nowhere');
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'more'::regclass AND attnum > 0;

SELECT e.mode AS emails, m.mode AS main, n.mode AS name, b.mode AS born
FROM more, rampart.inspect(rampart.ciphertext(emails[1])) e, rampart.inspect(rampart.ciphertext(main)) m,
     rampart.inspect(rampart.ciphertext((who).name)) n, rampart.inspect(rampart.ciphertext((who).born)) b;

-- Declarations.
CREATE TABLE t (a enc_text(nowhere));
\echo :SQLSTATE
CREATE TABLE t (a enc_text(types, sometimes));
CREATE TABLE t (a enc_text(types, deterministic, twice));
CREATE TABLE t (a enc_text('9lives'));
\echo :SQLSTATE
CREATE TABLE t (a enc_bool(types, deterministic));
\echo :SQLSTATE
CREATE TABLE t (a enc_numeric(types, deterministic));
CREATE TABLE t (a enc_jsonb(types, deterministic));
SET rampart.allow_deterministic = off;
CREATE TABLE t (a enc_text(types, deterministic));
\echo :SQLSTATE
RESET rampart.allow_deterministic;
SELECT rampart.create_scope('Types-2.x');
CREATE TABLE quoted (a enc_text("Types-2.x"), b enc_text('Types-2.x', 'Deterministic'), c enc_text(types, random));
\d quoted
-- A dump prints a modifier whose scope is not known as its hash, and reads it back.
SELECT format_type('enc_text'::regtype, (x'a1b2c3'::int << 2) | 2);
