-- The functions: ciphertexts as bytea, blind indexes, looking at ciphertexts, masks, damaged rows.
CREATE SCHEMA functions;
SET search_path = functions, public;
SELECT rampart.create_scope('fn');
SELECT rampart.grant_scope('fn', current_user::regrole);
\pset null NULL

-- encrypt and decrypt: text, bytea, jsonb. NULL gives NULL.
SELECT rampart.decrypt(rampart.encrypt('fn', 'Grüße')) AS text,
       rampart.decrypt_bytea(rampart.encrypt('fn', '\x00ff'::bytea)) AS bytea,
       rampart.decrypt_jsonb(rampart.encrypt('fn', '{"b": 1, "a": [true]}'::jsonb)) AS jsonb,
       rampart.decrypt(rampart.encrypt('fn', '')) AS empty,
       rampart.decrypt(rampart.encrypt('fn', NULL::text)) AS null;
SELECT md5(rampart.decrypt(rampart.encrypt('fn', repeat('long', 500000)))) = md5(repeat('long', 500000)) AS long;

-- Associated data ties a ciphertext to its place: another place, or none, does not open it.
CREATE TABLE note (id int PRIMARY KEY, body bytea);
INSERT INTO note SELECT id, rampart.encrypt('fn', 'note ' || id, aad => 'note:' || id) FROM generate_series(1, 2) id;
SELECT id, rampart.decrypt(body, aad => 'note:' || id) FROM note ORDER BY id;
SELECT rampart.try_decrypt(body, 'note:2') IS NULL AS moved, rampart.try_decrypt(body) IS NULL AS "without aad"
FROM note WHERE id = 1;
DO $$
BEGIN
    PERFORM rampart.decrypt(body, 'note:2') FROM functions.note WHERE id = 1;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE '%: %', SQLSTATE, regexp_replace(SQLERRM, '[0-9a-f]{16}', '<key id>');
END
$$;

-- Deterministic ciphertexts are equal for equal text and aad, and for nothing else.
SELECT rampart.encrypt_deterministic('fn', 'x') = rampart.encrypt_deterministic('fn', 'x') AS same,
       rampart.encrypt_deterministic('fn', 'x') = rampart.encrypt_deterministic('fn', 'y') AS "other text",
       rampart.encrypt_deterministic('fn', 'x', 'a') = rampart.encrypt_deterministic('fn', 'x', 'b') AS "other aad",
       rampart.encrypt_deterministic('fn', 'x') = rampart.encrypt_deterministic('fn', 'x'::bytea) AS "other kind";
SET rampart.allow_deterministic = off;
SELECT rampart.encrypt_deterministic('fn', 'x');
\echo :SQLSTATE
RESET rampart.allow_deterministic;

-- A blind index finds what the user computes himself: here without case.
CREATE TABLE member (id int, email enc_text(fn), email_index bytea);
CREATE INDEX ON member (email_index);
INSERT INTO member
SELECT n, email, rampart.blind_index('fn', lower(email), 'member.email')
FROM generate_series(1, 1000) n, concat('User', n, '@Example.com') email;
ANALYZE member;
SELECT id, email FROM member WHERE email_index = rampart.blind_index('fn', lower('user77@EXAMPLE.com'), 'member.email');
SELECT plan($$SELECT id FROM member WHERE email_index = rampart.blind_index('fn', 'x', 'member.email')$$);
SELECT rampart.blind_index('fn', 'x', 'a') = rampart.blind_index('fn', 'x', 'b') AS "other context",
       rampart.blind_index('fn', NULL, 'a') AS "null";

-- inspect says what a ciphertext is; nothing about it is secret. armour and dearmour change its form.
SELECT i.scope, i.version, i.mode, i.kind, i.length, i.key_id ~ '^[0-9a-f]{16}$' AS key_id
FROM rampart.inspect(rampart.encrypt('fn', '{}'::jsonb)) i;
SELECT count(*) FROM rampart.keys k, member m, rampart.inspect(rampart.ciphertext(m.email)) i WHERE k.id = i.key_id;
SELECT rampart.dearmour(rampart.armour(body)) = body AS same, left(rampart.armour(body), 5) AS prefix
FROM note WHERE id = 1;
SELECT * FROM rampart.inspect('\x00');
\echo :SQLSTATE
SELECT rampart.armour('not a ciphertext');
SELECT rampart.dearmour('rmp1:!');
SELECT rampart.ciphertext('no scope yet'::enc_text);
\echo :SQLSTATE

-- Wrong calls.
SELECT rampart.encrypt('nowhere', 'x');
\echo :SQLSTATE
SELECT rampart.decrypt('\x1234');
\echo :SQLSTATE
SELECT rampart.decrypt(rampart.encrypt('fn', '\x00'::bytea));
\echo :SQLSTATE
SELECT rampart.decrypt(overlay(body PLACING '\x0102030405060708' FROM 3 FOR 8)) FROM note WHERE id = 1;
\echo :SQLSTATE
SELECT rampart.try_decrypt('\x1234') AS malformed, rampart.try_decrypt(rampart.encrypt('fn', '\x00'::bytea)) AS bytea,
       rampart.try_decrypt(NULL::bytea) AS null;

-- One damaged row: the rest is readable, and the row is found.
CREATE TABLE damaged (id int PRIMARY KEY, secret enc_text(fn));
INSERT INTO damaged SELECT n, 'secret ' || n FROM generate_series(1, 3) n;
SELECT rampart.armour(set_byte(c, length(c) - 1, get_byte(c, length(c) - 1) # 1)) AS armour
FROM damaged, rampart.ciphertext(secret) c WHERE id = 2 \gset
SET rampart.armour_input = 'trust';                       -- superusers may store ciphertext unverified
UPDATE damaged SET secret = :'armour' WHERE id = 2;
RESET rampart.armour_input;
SELECT id, rampart.try_decrypt(secret) FROM damaged ORDER BY id;
SELECT id, secret FROM damaged WHERE id <> 2 ORDER BY id;
SELECT row_id, regexp_replace(problem, '[0-9a-f]{16}', '<key id>') FROM rampart.verify_column('damaged', 'secret');
SELECT d.id FROM damaged d JOIN rampart.verify_column('damaged', 'secret') v ON v.row_id = d.ctid;

-- Masks, for views over decrypted values.
SELECT value, rampart.mask(value), rampart.mask_last(value), rampart.mask_last(value, 2), rampart.mask_email(value)
FROM (VALUES ('078-05-1120'), ('ada@example.com'), ('a@b'), ('short'), (''), ('Grüße'), (NULL)) v (value);
SELECT rampart.mask_last('12345678', -1), rampart.mask_last('12345678', 0), rampart.mask_last('123456789', 4);
CREATE VIEW contact AS SELECT id, rampart.mask_email(email) AS email FROM member;
SELECT * FROM contact WHERE id = 1;
