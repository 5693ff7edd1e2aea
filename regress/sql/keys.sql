-- The life of keys: create, rotate, disable, enable, destroy; and what is refused.
CREATE SCHEMA keys;
SET search_path = keys, public;
SELECT rampart.create_scope('keys');
SELECT rampart.grant_scope('keys', current_user::regrole);
CREATE VIEW keyring AS
SELECT purpose, version, state, root_key ~ '^[0-9a-f]{16}$' AS root_key
FROM rampart.keys WHERE scope = 'keys' ORDER BY purpose, version;
CREATE FUNCTION key_of(asked int) RETURNS text STABLE LANGUAGE sql
AS $$ SELECT id FROM rampart.keys WHERE scope = 'keys' AND purpose = 'data' AND version = asked $$;
CREATE FUNCTION try(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || regexp_replace(SQLERRM, '[0-9a-f]{16}', '<key id>');
END
$$;

-- A scope has one index key, which never turns, and data keys by version.
TABLE keyring;
CREATE TABLE secret (id int, email enc_text(keys, deterministic), ssn enc_text(keys));
INSERT INTO secret VALUES (1, 'ada@example.com', '078-05-1120');
SELECT rampart.rotate_key('keys');
INSERT INTO secret VALUES (2, 'ada@example.com', '078-05-1121');
SELECT rampart.rotate_key('keys');
TABLE keyring;

-- Old values stay readable and equal; an update encrypts with the newest key.
SELECT s.*, e.version AS email_version, n.version AS ssn_version
FROM secret s, rampart.inspect(rampart.ciphertext(email)) e, rampart.inspect(rampart.ciphertext(ssn)) n
WHERE email = 'ada@example.com' ORDER BY id;
UPDATE secret SET ssn = ssn::text WHERE id = 1;
SELECT id, e.version AS email_version, n.version AS ssn_version
FROM secret s, rampart.inspect(rampart.ciphertext(email)) e, rampart.inspect(rampart.ciphertext(ssn)) n ORDER BY id;

-- A disabled key opens nothing until it is enabled again.
SELECT rampart.disable_key(key_of(1));
SELECT id, try(format('SELECT email::text FROM secret WHERE id = %s', id)) FROM secret ORDER BY id;
SELECT count(*) FROM secret WHERE email = 'ada@example.com';
SELECT id, rampart.try_decrypt(email) FROM secret ORDER BY id;
SELECT rampart.enable_key(key_of(1));
TABLE keyring;
SELECT id, try(format('SELECT email::text FROM secret WHERE id = %s', id)) FROM secret ORDER BY id;

-- Without an active key nothing is encrypted. Enabling the newest makes it active again.
SELECT rampart.disable_key(key_of(3));
SELECT try($$INSERT INTO secret VALUES (3, 'x', 'y')$$);
SELECT rampart.enable_key(key_of(3));
SELECT try($$INSERT INTO secret VALUES (3, 'x', 'y')$$);
-- Unless a newer one has taken its place.
SELECT rampart.disable_key(key_of(3));
SELECT rampart.rotate_key('keys');
SELECT rampart.enable_key(key_of(3));
TABLE keyring;

-- Destruction is for good: not of the active key, and confirmed by the scope's name.
SELECT try($$SELECT rampart.destroy_key(key_of(4), 'keys')$$);
SELECT try($$SELECT rampart.destroy_key(key_of(1), 'other')$$);
SELECT try($$SELECT rampart.destroy_key(key_of(1), NULL)$$);
SELECT try($$SELECT rampart.destroy_key(key_of(1), 'keys')$$);
SELECT rampart.destroy_key(key_of(1), 'keys', force => true);
TABLE keyring;
SELECT wrapped IS NULL AS gone FROM rampart.key WHERE rampart.key_id_text(id) = key_of(1);
SELECT id, try(format('SELECT email::text FROM secret WHERE id = %s', id)) FROM secret ORDER BY id;
SELECT try($$SELECT rampart.enable_key(key_of(1))$$), try($$SELECT rampart.disable_key(key_of(1))$$);
SELECT regexp_replace(problem, '[0-9a-f]{16}', '<key id>') AS problem FROM rampart.verify_column('secret', 'email');
SELECT try($$SELECT rampart.disable_key('0000000000000000')$$), try($$SELECT rampart.disable_key('pii')$$);

-- Names of scopes.
SELECT try(format('SELECT rampart.create_scope(%L)', name)) AS result, name
FROM unnest(ARRAY['keys', '', '9lives', 'a b', 'sc"ope', 'naïve', 'a.b-c_1', repeat('n', 63), repeat('n', 64)]) name;
SELECT try($$SELECT rampart.create_scope('keys_denied', 'whatever')$$), try($$SELECT rampart.create_scope(NULL)$$);
SELECT try($$SELECT rampart.rotate_key('nowhere')$$), try($$SELECT rampart.alter_scope('nowhere', 'null')$$);
-- Two names of one hash would be one scope in a column's type.
SELECT rampart.scope_tag('keys_9') <> rampart.scope_tag('keys_8') AS tags_differ;

-- Every change is an event.
SELECT event, key_id ~ '^[0-9a-f]{16}$' AS key_id, role = current_user AS role, by_role = session_user AS by_role,
       details
FROM rampart.key_event WHERE scope = 'keys' ORDER BY id;

-- What a DBA looks at first.
SELECT item, state, regexp_replace(regexp_replace(detail, '[0-9a-f]{16}', '<fingerprint>'), '\d+ keys', '<n> keys') AS detail
FROM rampart.status() WHERE item <> 'scopes';
SELECT state::int = count(*) AS counted, bool_and(detail LIKE '%' || name || '%') AS named
FROM rampart.status(), rampart.scope WHERE item = 'scopes' GROUP BY state;
