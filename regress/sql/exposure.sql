-- What a DBA is shown of plaintext beside encrypted columns: each finding with its cause, and gone without it.
CREATE SCHEMA exposure;
SET search_path = exposure, public;
\set SHOW_CONTEXT never
SELECT rampart.create_scope('exposure');
CREATE ROLE exposure_app;
SELECT rampart.grant_scope('exposure', 'exposure_app');
GRANT ALL ON SCHEMA exposure TO exposure_app;

-- The findings of this story: other stories leave some of their own.
CREATE FUNCTION found(named text DEFAULT '') RETURNS TABLE (severity text, finding text, object text, advice text)
LANGUAGE sql AS $$
    SELECT severity, finding, object, advice FROM rampart.exposure_report()
    WHERE concat(object, detail) ~ 'exposure' AND finding LIKE named || '%' AND finding <> 'superuser'
$$;

-- A table with nothing beside it: no findings, whatever plain things there are.
CREATE TABLE people (
    id    int PRIMARY KEY,
    email enc_text(exposure, deterministic) UNIQUE,
    born  enc_date(exposure),
    notes enc_jsonb(exposure),
    phone enc_text(exposure),
    tags  enc_text(exposure)[],
    city  text DEFAULT 'London' CHECK (city <> 'nowhere')
);
GRANT ALL ON people TO exposure_app;
CREATE INDEX ON people (lower(city)) WHERE city <> 'Paris';
CREATE STATISTICS people_city ON lower(city), (id % 10) FROM people;
CREATE VIEW londoners AS SELECT * FROM people WHERE city = 'London';
CREATE VIEW in_the_clear AS SELECT id, lower(email) AS email, born::date FROM people;
CREATE MATERIALIZED VIEW sealed AS
    SELECT id, email, city FROM people WHERE extract(year FROM born) = id GROUP BY 1, 2, 3 HAVING min(born::date) IS NULL;
CREATE POLICY own ON people USING (email = current_setting('app.email', true) AND city <> 'x');
CREATE FUNCTION harmless(people) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.id';
CREATE FUNCTION reads(enc_text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1::text';
CREATE FUNCTION hashes(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'$$;
CREATE FUNCTION asks() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM people';
-- A partition's bound is encrypted, unlike other literals.
SET ROLE exposure_app;
CREATE TABLE by_mail (email enc_text(exposure, deterministic)) PARTITION BY LIST (email);
CREATE TABLE by_mail_some PARTITION OF by_mail FOR VALUES IN ('secret@example.com', 'b');
RESET ROLE;
SELECT * FROM found();
DROP FUNCTION asks;

-- Literals, wherever a definition may have one.
ALTER TABLE people ALTER phone SET DEFAULT 'secret phone', ALTER born SET DEFAULT date '2000-01-01';
ALTER TABLE people ADD CHECK (email <> 'secret@example.com'), ADD CHECK (born > '1800-01-01');
CREATE VIEW literal AS SELECT id FROM people WHERE email = 'secret@example.com';
CREATE VIEW listed AS SELECT id FROM people WHERE email IN ('secret@example.com', 'b');
CREATE VIEW in_array AS SELECT id FROM people WHERE email = ANY ('{secret@example.com,b}');
CREATE VIEW as_text AS SELECT id FROM people WHERE email = 'secret@example.com'::text;
CREATE VIEW nested AS WITH w AS (SELECT id FROM people WHERE id IN (SELECT 1 FROM people WHERE email = 'secret')) TABLE w;
CREATE VIEW patterns AS SELECT id FROM people WHERE email LIKE 'secret%';
CREATE VIEW reversed AS SELECT id FROM people WHERE date '2000-01-01' < born::date;
CREATE POLICY named ON people USING (email = 'secret@example.com');
CREATE RULE adds AS ON INSERT TO londoners DO INSTEAD INSERT INTO people (id, email) VALUES (NEW.id, 'secret@example.com');
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER chosen BEFORE INSERT ON people FOR EACH ROW WHEN (NEW.email = 'secret@example.com') EXECUTE FUNCTION nothing();
CREATE FUNCTION parsed() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM people WHERE email = 'secret@example.com'; END;
CREATE DOMAIN mail AS enc_text(exposure, deterministic) DEFAULT 'secret@example.com';
SELECT * FROM found('literal');
SELECT * FROM found('compared');
-- No value is ever shown.
SELECT count(*) AS shown FROM rampart.exposure_report()
WHERE concat(object, detail) ~ 'exposure' AND concat(object, detail, advice) ~* 'secret|0011223344';
DROP VIEW literal, listed, in_array, as_text, nested, patterns, reversed;
DROP POLICY named ON people;
DROP RULE adds ON londoners;
DROP TRIGGER chosen ON people;
DROP FUNCTION parsed();
DROP DOMAIN mail;
ALTER TABLE people ALTER phone DROP DEFAULT, ALTER born DROP DEFAULT,
    DROP CONSTRAINT people_email_check, DROP CONSTRAINT people_born_check;
SELECT * FROM found();

-- Data made of decrypted values.
CREATE FUNCTION opened(enc_text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE FUNCTION opened_row(people) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1.phone; END';
CREATE FUNCTION opened_bytes(bytea) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT rampart.decrypt($1)';
CREATE FUNCTION token(enc_text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN RETURN rampart.blind_index('exposure', lower($1), 'people.email'); END$$;
CREATE INDEX by_token ON people (token(email));
CREATE INDEX by_phone ON people (opened(phone));
CREATE INDEX by_row ON people (opened_row(people));
CREATE INDEX "by part" ON people (id) WHERE opened(phone) LIKE '1%';
ALTER TABLE people ADD copy text GENERATED ALWAYS AS (opened(phone)) STORED;
CREATE MATERIALIZED VIEW lower_mail AS SELECT id, lower(email) AS email FROM people;
CREATE MATERIALIZED VIEW documents AS SELECT to_jsonb(p) AS document FROM people p;
CREATE MATERIALIZED VIEW through AS SELECT id, mail FROM (SELECT id, opened(phone) AS mail FROM people) p;
SELECT * FROM found();
DROP MATERIALIZED VIEW lower_mail, documents, through;
ALTER TABLE people DROP copy;
DROP INDEX by_phone, by_row, "by part";
DROP FUNCTION opened, opened_row, opened_bytes;
SELECT * FROM found();

-- Defaults survive the conversion of their column. Statistics would, if nobody refused.
CREATE TABLE converted (id int, phone text DEFAULT 'secret');
INSERT INTO converted SELECT n, 'secret' || n % 3 FROM generate_series(1, 90) n;
CREATE STATISTICS converted_phone ON lower(phone) FROM converted;
SELECT rampart.grant_scope('exposure', CURRENT_USER::regrole);
ALTER TABLE converted ALTER phone TYPE enc_text(exposure);
ALTER EVENT TRIGGER rampart_check_columns DISABLE;
ALTER TABLE converted ALTER phone TYPE enc_text(exposure);
ALTER EVENT TRIGGER rampart_check_columns ENABLE ALWAYS;
SELECT * FROM found();
DROP STATISTICS converted_phone;
ALTER TABLE converted ALTER phone DROP DEFAULT;
SELECT * FROM found();

-- Old versions of rows: a column filled from another one, which is then dropped.
CREATE TABLE filled (id int PRIMARY KEY, "the phone" text) WITH (autovacuum_enabled = false);
INSERT INTO filled SELECT n, 'secret' || n FROM generate_series(1, 100) n;
ALTER TABLE filled ADD "the phone_encrypted" enc_text(exposure);
UPDATE filled SET "the phone_encrypted" = "the phone";
SELECT pg_stat_force_next_flush();
SELECT * FROM found();
ALTER TABLE filled DROP "the phone";
GRANT SELECT ON filled TO exposure_app;
VACUUM filled;
SELECT * FROM found('dropped');
VACUUM FULL filled;
SELECT * FROM found('dropped');
-- In one transaction: before the table is written anew, and after.
ALTER TABLE filled ADD one text, ADD two text;
BEGIN;
ALTER TABLE filled DROP one;
ALTER TABLE filled ALTER "the phone_encrypted" TYPE enc_text(exposure, deterministic);
SELECT * FROM found('dropped');
ALTER TABLE filled DROP two;
SELECT * FROM found('dropped');
COMMIT;
DROP TABLE filled;

-- Functions.
CREATE FUNCTION "keeps key"() RETURNS text LANGUAGE sql AS
    $$SELECT 'rampart.root_key = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'$$;
CREATE PROCEDURE writes() LANGUAGE sql AS $$SELECT rampart.encrypt( 'exposure', 'secret')$$;
CREATE FUNCTION armoured() RETURNS text LANGUAGE sql AS $$SELECT 'rmp1:EgEJfZOv7YkiEgEJfZOv7YkiEgEJfZOv7Yki'$$;
SELECT * FROM found();
SELECT count(*) AS shown FROM rampart.exposure_report()
WHERE concat(object, detail) ~ 'exposure' AND concat(object, detail, advice) ~* 'secret|0011223344';
DROP FUNCTION "keeps key", armoured;
DROP PROCEDURE writes;

-- Declared while nobody looked.
ALTER EVENT TRIGGER rampart_check_columns DISABLE;
CREATE TABLE unscoped (phone enc_text, phones enc_text[]);
CREATE FOREIGN DATA WRAPPER exposure_wrapper;
CREATE SERVER exposure_server FOREIGN DATA WRAPPER exposure_wrapper;
SELECT severity, advice FROM rampart.exposure_report() WHERE finding = 'event trigger';
ALTER EVENT TRIGGER rampart_check_columns ENABLE ALWAYS;
CREATE FOREIGN TABLE remote (phone enc_text(exposure)) SERVER exposure_server;
SELECT * FROM found();
DROP TABLE unscoped;
DROP FOREIGN TABLE remote;
DROP SERVER exposure_server;
DROP FOREIGN DATA WRAPPER exposure_wrapper;

-- Roles: the owner of asks() may decrypt now.
CREATE FUNCTION asks() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM people';
CREATE FUNCTION asks_nothing() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE ROLE exposure_guest;
CREATE FUNCTION "asks too"() RETURNS text BEGIN ATOMIC SELECT min(email::text) FROM people; END;
ALTER FUNCTION "asks too" SECURITY DEFINER;
SELECT * FROM found('security');
DROP FUNCTION "asks too";
ALTER FUNCTION asks() OWNER TO exposure_app;
REVOKE EXECUTE ON FUNCTION asks() FROM PUBLIC;
SELECT * FROM found('security');
GRANT EXECUTE ON FUNCTION asks() TO exposure_guest;
SELECT detail FROM rampart.exposure_report() WHERE finding = 'security definer' AND object ~ 'exposure';
CREATE ROLE exposure_super SUPERUSER;
CREATE ROLE "exposure between" IN ROLE exposure_app;
SELECT count(*) FROM rampart.exposure_report() WHERE finding = 'superuser' AND object ~ 'exposure';
GRANT "exposure between" TO exposure_super;
SELECT object, advice FROM rampart.exposure_report() WHERE finding = 'superuser' AND object ~ 'exposure';
DROP ROLE exposure_super, "exposure between";
GRANT pg_monitor TO exposure_guest;
SELECT * FROM found('statement');
REVOKE pg_monitor FROM exposure_guest;
SELECT * FROM found('statement');
SELECT rampart.grant_scope('exposure', 'exposure_guest');
SELECT * FROM found('security');
SELECT severity, detail, replace(advice, quote_ident(CURRENT_USER), 'me') AS advice
FROM rampart.exposure_report() WHERE finding = 'superuser' AND detail ~ '\mexposure\M';
SELECT rampart.revoke_scope('exposure', CURRENT_USER::regrole);
SELECT count(*) FROM rampart.exposure_report() WHERE finding = 'superuser' AND detail ~ '\mexposure\M';

-- Publications.
SET client_min_messages = error;
CREATE PUBLICATION exposure_some FOR TABLE people (id, city);
CREATE PUBLICATION exposure_all FOR TABLES IN SCHEMA exposure;
SELECT * FROM found('publication');
ALTER PUBLICATION exposure_all ADD TABLE rampart.scope, rampart.key, rampart.scope_grant;
SELECT * FROM found('publication');
DROP PUBLICATION exposure_some, exposure_all;
RESET client_min_messages;

-- Nobody looks without being let.
SET ROLE exposure_guest;
SELECT * FROM rampart.exposure_report();
RESET ROLE;
GRANT EXECUTE ON FUNCTION rampart.exposure_report() TO exposure_guest;
SET ROLE exposure_guest;
SELECT count(*) >= 0 AS allowed FROM rampart.exposure_report();
RESET ROLE;
REVOKE EXECUTE ON FUNCTION rampart.exposure_report() FROM exposure_guest;

SET client_min_messages = warning;
DROP SCHEMA exposure CASCADE;
SELECT rampart.revoke_scope('exposure', role) FROM (VALUES ('exposure_app'::regrole), ('exposure_guest')) r (role);
DROP ROLE exposure_app, exposure_guest;
