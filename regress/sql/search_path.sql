-- Types and operators mean the same whatever the search_path is, and whatever stands in its schemas.
CREATE SCHEMA path;
\set SHOW_CONTEXT never
SELECT rampart.create_scope('path');
SELECT rampart.grant_scope('path', current_user::regrole);
CREATE TABLE path.t (
    id int PRIMARY KEY, a enc_text(path, deterministic) UNIQUE, d enc_date(path), i enc_int8(path, deterministic)
);
INSERT INTO path.t SELECT n, 'name' || n, date '2000-01-01' + n, n FROM generate_series(1, 100) n;

-- The same questions, asked under several paths. Not in a function with a path of its own.
CREATE FUNCTION path.ask() RETURNS TABLE (question text, answer text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH question IN ARRAY ARRAY[
        $q$SELECT id FROM path.t WHERE a = 'name7'$q$,
        $q$SELECT id FROM path.t WHERE a = 'name7'::text$q$,
        $q$SELECT id FROM path.t WHERE 'name7' = a$q$,
        $q$SELECT count(*) FROM path.t WHERE a <> 'name7'$q$,
        $q$SELECT count(*) FROM path.t WHERE a IN ('name7', 'name8')$q$,
        $q$SELECT count(*) FROM path.t WHERE a = ANY (ARRAY['name7', 'name8'])$q$,
        $q$SELECT count(*) FROM path.t WHERE i = 7$q$,
        $q$SELECT count(*) FROM path.t WHERE i < 7 AND d > '2000-01-03'$q$,
        $q$SELECT count(*) FROM path.t x JOIN path.t y USING (a)$q$,
        $q$SELECT count(DISTINCT a) FROM path.t$q$,
        $q$SELECT string_agg(a, ',' ORDER BY a) FROM (SELECT a FROM path.t ORDER BY a LIMIT 3) s$q$,
        $q$SELECT max(i - 1) FROM path.t$q$,
        $q$SELECT a LIKE 'name%' AND upper(a) = 'NAME7' FROM path.t WHERE id = 7$q$,
        $q$SELECT 'x'::pg_catalog.enc_text(path, deterministic) = 'x'$q$
    ] LOOP
        EXECUTE question INTO answer;
        RETURN NEXT;
    END LOOP;
END
$$;
SELECT * FROM path.ask();
CREATE TABLE path.answers AS SELECT * FROM path.ask();

SET search_path = '';
SELECT * FROM path.ask() EXCEPT SELECT * FROM path.answers;
CREATE TABLE path.t2 (a enc_text(path, deterministic) PRIMARY KEY);
DROP TABLE path.t2;
SET search_path = path, rampart;
SELECT * FROM path.ask() EXCEPT SELECT * FROM path.answers;
SET search_path = rampart, pg_catalog;
SELECT * FROM path.ask() EXCEPT SELECT * FROM path.answers;

-- Hostile: operators and functions of the same names, which answer wrong, before everything else.
CREATE SCHEMA hostile;
SET search_path = hostile, pg_catalog;
CREATE FUNCTION hostile.no(enc_text, enc_text) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION hostile.no(enc_text, text) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR hostile.= (LEFTARG = enc_text, RIGHTARG = enc_text, FUNCTION = hostile.no);
CREATE OPERATOR hostile.= (LEFTARG = enc_text, RIGHTARG = text, FUNCTION = hostile.no);
CREATE OPERATOR hostile.<> (LEFTARG = enc_text, RIGHTARG = enc_text, FUNCTION = hostile.no);
CREATE OPERATOR hostile.#<# (LEFTARG = enc_text, RIGHTARG = enc_text, FUNCTION = hostile.no);
CREATE OPERATOR hostile.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.textcat);
CREATE FUNCTION hostile.coerce(enc_text, int4, bool) RETURNS enc_text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION hostile.format_type(oid, int4) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'hostile' $$;
CREATE TYPE hostile.enc_text AS ENUM ('hostile');
SET search_path = path, hostile;
SELECT * FROM path.ask() EXCEPT SELECT * FROM path.answers;
SELECT 'x'::enc_text(path) IS NOT NULL AS right_type;
CREATE TABLE path.t3 (a enc_text(path, deterministic) UNIQUE CHECK (a <> 'no'));
INSERT INTO path.t3 VALUES ('x');
INSERT INTO path.t3 VALUES ('x');
INSERT INTO path.t3 VALUES ('no');
SELECT rampart.rotate_key('path');
SELECT count(*) FROM rampart.verify_column('path.t3', 'a');

-- Before pg_catalog such operators win, of every type, as its writer says. What the extension does
-- itself, its triggers and the indexes do not follow the path.
SET search_path = hostile, pg_catalog, path;
SELECT id FROM path.t WHERE a = 'name7'::pg_catalog.enc_text;
CREATE TABLE path.t4 (a pg_catalog.enc_text(path, deterministic) PRIMARY KEY);
INSERT INTO path.t4 VALUES ('x');
INSERT INTO path.t4 VALUES ('x');
CREATE TABLE path.t5 (a pg_catalog.enc_text(path, deterministic) REFERENCES path.t4);
INSERT INTO path.t5 VALUES ('x');
INSERT INTO path.t5 VALUES ('y');
CREATE TABLE path.t6 (a pg_catalog.enc_text);
CREATE TABLE path.t7 (a pg_catalog.enc_text(path) PRIMARY KEY);
SELECT rampart.rotate_key('path');
SELECT state FROM rampart.status() WHERE item = 'root key';
RESET search_path;
\set VERBOSITY terse
DROP SCHEMA hostile CASCADE;
