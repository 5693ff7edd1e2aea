-- Who may do what. Nobody is exempt: not the table's owner, not a superuser.
CREATE SCHEMA rights;
SET search_path = rights, public;
\set SHOW_CONTEXT never
CREATE ROLE writer;
CREATE ROLE reader;
CREATE ROLE clerk;
CREATE ROLE stranger;
CREATE ROLE staff;
CREATE ROLE member IN ROLE staff;
CREATE ROLE member_noinherit NOINHERIT IN ROLE staff;
SELECT rampart.create_scope('rights');
SELECT rampart.grant_scope('rights', 'writer', 'encrypt');
SELECT rampart.grant_scope('rights', 'reader', 'decrypt');
SELECT rampart.grant_scope('rights', 'clerk');
SELECT rampart.grant_scope('rights', 'staff', 'Decrypt');
SELECT role, can_encrypt, can_decrypt FROM rampart.scope_grant WHERE scope = 'rights' ORDER BY role::text;

CREATE TABLE person (
    id int PRIMARY KEY, email enc_text(rights, deterministic), ssn enc_text(rights), age enc_int8(rights)
);
GRANT USAGE ON SCHEMA rights TO PUBLIC;
GRANT ALL ON person TO PUBLIC;

-- The superuser made the table, and can neither write nor read its secrets.
INSERT INTO person VALUES (1, 'ada@example.com', '078-05-1120', 36);
\echo :SQLSTATE
SET ROLE clerk;
INSERT INTO person VALUES (1, 'ada@example.com', '078-05-1120', 36);
TABLE person;
RESET ROLE;
SELECT seen(person::text) FROM person;

-- The matrix: insert, see, cast, compare.
CREATE FUNCTION try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE command INTO result;
    RETURN public.seen(result);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION try_as(command text) RETURNS TABLE (role text, result text) LANGUAGE plpgsql AS $$
BEGIN
    FOR role IN SELECT unnest('{writer,reader,clerk,stranger,member,member_noinherit}'::text[]) LOOP
        EXECUTE format('SET LOCAL ROLE %I', role);
        result := rights.try(command);
        RESET ROLE;
        RETURN NEXT;
    END LOOP;
END
$$;
SELECT * FROM try_as($$INSERT INTO rights.person SELECT max(id) + 1, 'x', 'y', 1 FROM rights.person RETURNING 'done'$$);
SELECT * FROM try_as($$SELECT (email, ssn, age) FROM rights.person WHERE id = 1$$);
SELECT * FROM try_as($$SELECT upper(ssn) FROM rights.person WHERE id = 1$$);
SELECT * FROM try_as($$SELECT ssn::text FROM rights.person WHERE id = 1$$);
SELECT * FROM try_as($$SELECT age::text FROM rights.person WHERE id = 1$$);
SELECT * FROM try_as($$SELECT age + 1 FROM rights.person WHERE id = 1$$);
SELECT * FROM try_as($$SELECT id FROM rights.person WHERE email = 'ada@example.com'$$);
SELECT * FROM try_as($$SELECT id FROM rights.person WHERE ssn LIKE '078%'$$);
SELECT * FROM try_as($$SELECT count(*) FROM (SELECT id FROM rights.person ORDER BY email) s$$);
SELECT * FROM try_as($$SELECT count(DISTINCT email) > 0 FROM rights.person$$);
SELECT * FROM try_as($$SELECT rampart.decrypt(rampart.ciphertext(ssn)) FROM rights.person WHERE id = 1$$);
SELECT * FROM try_as($$SELECT rampart.encrypt('rights', 'x') IS NOT NULL$$);
SELECT * FROM try_as($$SELECT length(rampart.blind_index('rights', 'x', 'y'))$$);
SELECT * FROM try_as($$UPDATE rights.person SET email = email, ssn = ssn WHERE id = 1 RETURNING 'done'$$);
SELECT * FROM try_as($$SELECT i.kind FROM rights.person, rampart.inspect(rampart.ciphertext(ssn)) i WHERE id = 1$$);

-- A right is asked of the role that runs the statement: SECURITY DEFINER and view owners lend none by
-- accident, and can lend one on purpose.
CREATE FUNCTION last_four(person_id int) RETURNS text STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
LANGUAGE sql AS $$ SELECT right(ssn, 4) FROM rights.person WHERE id = person_id $$;
SELECT * FROM try_as('SELECT rights.last_four(1)');
ALTER FUNCTION last_four(int) OWNER TO reader;
SELECT * FROM try_as('SELECT rights.last_four(1)');
CREATE VIEW contact AS SELECT id, email, left(ssn, 3) AS area FROM person;
GRANT SELECT ON contact TO PUBLIC;
ALTER VIEW contact OWNER TO reader;
SELECT * FROM try_as('SELECT (email, area) FROM rights.contact WHERE id = 1');

-- A foreign key is checked, and cascades, as the tables' owner: for that he needs no right.
CREATE TABLE account (email enc_text(rights, deterministic) PRIMARY KEY);
CREATE TABLE login (email enc_text(rights, deterministic) REFERENCES account ON UPDATE CASCADE ON DELETE CASCADE);
GRANT ALL ON account, login TO clerk;
SET ROLE clerk;
INSERT INTO account VALUES ('ada@example.com'), ('grace@example.com');
INSERT INTO login VALUES ('ada@example.com'), ('grace@example.com');
INSERT INTO login VALUES ('alan@example.com');
UPDATE account SET email = 'countess@example.com' WHERE email = 'ada@example.com';
DELETE FROM account WHERE email = 'grace@example.com';
TABLE login;
RESET ROLE;

-- Revoking takes effect at once; a part of the rights can be taken.
SELECT rampart.revoke_scope('rights', 'clerk', 'decrypt');
SELECT rampart.revoke_scope('rights', 'staff');
SELECT role, can_encrypt, can_decrypt FROM rampart.scope_grant WHERE scope = 'rights' ORDER BY role::text;
SELECT * FROM try_as($$SELECT ssn::text FROM rights.person WHERE id = 1$$);

-- Armour. What a reader without the right copies out is the ciphertext, and goes in again as it is.
SELECT format('%s', ssn) AS armour FROM person WHERE id = 1 \gset
SET ROLE writer;
INSERT INTO person (id, ssn) VALUES (101, :'armour');
RESET ROLE;
-- One who could decrypt it might be tricked by a user who types another's ciphertext: refused, unless on purpose.
SELECT rampart.grant_scope('rights', 'clerk');
SET ROLE clerk;
\set VERBOSITY terse
INSERT INTO person (id, ssn) VALUES (102, :'armour');
\set VERBOSITY default
\echo :SQLSTATE
SET rampart.armour_input = 'verify';
INSERT INTO person (id, ssn) VALUES (102, :'armour');
SELECT id, ssn FROM person WHERE id > 100 ORDER BY id;
INSERT INTO person (id, ssn) VALUES (103, 'rmp1:AAAA');
\echo :SQLSTATE
RESET rampart.armour_input;
-- A reader may also ask not to see.
SET rampart.reveal = off;
SELECT seen(person::text) FROM person WHERE id = 1;
RESET rampart.reveal;
RESET ROLE;

-- Grants: words, roles, scopes.
SELECT rampart.grant_scope('rights', 'clerk', 'read');
SELECT rampart.grant_scope('rights', 'clerk', '');
SELECT rampart.grant_scope('rights', 'no_such_role');
SELECT rampart.grant_scope('nowhere', 'clerk');
SELECT rampart.revoke_scope('nowhere', 'clerk');
\echo :SQLSTATE
SET ROLE clerk;
SELECT rampart.grant_scope('rights', 'clerk');
SELECT * FROM rampart.scope_grant;
RESET ROLE;
