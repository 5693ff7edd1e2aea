-- How long keys live: their age, their use, and the policies that replace them.
CREATE SCHEMA key_status;
SET search_path = key_status, public;
SET timezone = 'UTC';  -- where each day has 24 hours
GRANT USAGE ON SCHEMA key_status TO PUBLIC;
SELECT rampart.create_scope('aging');
SELECT rampart.grant_scope('aging', current_user::regrole);
CREATE VIEW status AS
SELECT version, purpose, state, values_encrypted, budget_used, values_stored, rolls_at - created_at AS rolls_after, note
FROM rampart.key_status WHERE scope = 'aging' ORDER BY purpose, version;
CREATE FUNCTION key_of(asked int) RETURNS int8 STABLE LANGUAGE sql
AS $$ SELECT id FROM rampart.key WHERE scope = 'aging' AND purpose = 'data' AND version = asked $$;
CREATE FUNCTION try(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || regexp_replace(SQLERRM, '[0-9a-f]{16}', '<key id>');
END
$$;
SELECT rampart.key_budget();

-- A new key.
TABLE status;
-- Its use, here made up; the library counts it. Index keys encrypt nothing.
SELECT rampart.count_usage(key_of(1), 1000000000, true);
TABLE status;
-- By itself a key is replaced after half of the budget.
SELECT rampart.count_usage(key_of(1), 2000000000, true);
TABLE status;
-- What sessions still encrypt with the old key is counted, and nothing else follows.
SELECT rampart.count_usage(key_of(1), 1000000000, true);
TABLE status;

-- A policy may allow more, or less.
SELECT rampart.set_rotation_policy('aging', after_values => 4294967296);
SELECT rampart.count_usage(key_of(2), 3200000000, true);
SELECT rampart.count_usage(key_of(2), 40960000, true);
TABLE status;
SELECT item, state, detail FROM rampart.status() WHERE item = 'key' AND detail LIKE '%aging%';
SELECT rampart.set_rotation_policy('aging', after_values => 1000000);
SELECT rampart.rotation_due('aging');
SELECT scope, version, reason FROM rampart.apply_rotation_policies() WHERE scope = 'aging';
TABLE status;

-- By age: on the day, whoever calls.
SELECT rampart.set_rotation_policy('aging', every => '90 days', reencrypt => false);
TABLE status;
UPDATE rampart.key SET created_at = created_at - interval '89 days' WHERE id = key_of(3);
SELECT rampart.rotation_due('aging');
UPDATE rampart.key SET created_at = created_at - interval '2 days' WHERE id = key_of(3);
TABLE status;
SELECT item, state, detail FROM rampart.status() WHERE item = 'key' AND detail LIKE '%aging%';
SELECT scope, version, reason FROM rampart.apply_rotation_policies() WHERE scope = 'aging';
SELECT scope, version, reason FROM rampart.apply_rotation_policies() WHERE scope = 'aging';
-- A key that somebody disabled is left to them.
UPDATE rampart.key SET created_at = created_at - interval '1 year' WHERE id = key_of(4);
SELECT rampart.disable_key(rampart.key_id_text(key_of(4)));
SELECT rampart.rotation_due('aging');
SELECT rampart.enable_key(rampart.key_id_text(key_of(4)));
SELECT rampart.rotation_due('aging');

-- A policy with neither is none.
SELECT rampart.set_rotation_policy('aging');
SELECT count(*) FROM rampart.rotation_policy WHERE scope = 'aging';
SELECT rampart.rotation_due('aging'), rampart.rotation_limit('aging');

-- The end of a budget: the key decrypts, and encrypts no more.
CREATE TABLE secret (ssn enc_text(aging), email enc_text(aging, deterministic));
INSERT INTO secret VALUES ('078-05-1120', 'ada@example.com');
INSERT INTO rampart.key_usage VALUES (key_of(4), 4294967296);
SELECT rampart.set_key_state(rampart.key_id_text(key_of(4)), '{active}', 'exhausted') IS NOT NULL AS exhausted;
SELECT ssn, email FROM secret;
SELECT count(*) FROM secret WHERE email = 'ada@example.com';
SELECT try($$INSERT INTO secret VALUES ('078-05-1121', 'ada@example.org')$$);
TABLE status;
SELECT rampart.disable_key(rampart.key_id_text(key_of(4)));
SELECT rampart.enable_key(rampart.key_id_text(key_of(4)));
SELECT state FROM status WHERE version = 4;
SELECT scope, version, reason FROM rampart.apply_rotation_policies() WHERE scope = 'aging';
SELECT try($$INSERT INTO secret VALUES ('078-05-1121', 'ada@example.org')$$);
SELECT ssn FROM secret ORDER BY ssn;

-- Where stored values have been counted, it says how many there are.
INSERT INTO rampart.value_count VALUES ('secret'::regclass, 'ssn', key_of(4), 1), ('secret'::regclass, 'email', key_of(4), 1);
SELECT values_stored FROM status WHERE version = 4;
DELETE FROM rampart.value_count;

-- What a policy may say.
SELECT try($$SELECT rampart.set_rotation_policy('nowhere', every => '1 day')$$);
SELECT try($$SELECT rampart.set_rotation_policy('aging', every => '0')$$);
SELECT try($$SELECT rampart.set_rotation_policy('aging', every => '-1 day')$$);
SELECT try($$SELECT rampart.set_rotation_policy('aging', every => '178000000 years')$$);
SELECT try($$SELECT rampart.set_rotation_policy('aging', after_values => 0)$$);
SELECT try($$SELECT rampart.set_rotation_policy('aging', after_values => 4294967297)$$);

-- Nobody sees or does any of this without being asked in.
CREATE ROLE key_watcher;
SET ROLE key_watcher;
SELECT try('TABLE rampart.key_status'), try('TABLE rampart.key_usage'), try('SELECT rampart.flush_usage()');
SELECT try($$SELECT rampart.count_usage(1, 1, true)$$), try($$SELECT rampart.set_rotation_policy('aging')$$);
RESET ROLE;
GRANT SELECT ON rampart.key_status TO key_watcher;
GRANT EXECUTE ON FUNCTION rampart.pending_usage() TO key_watcher;
SET ROLE key_watcher;
SELECT count(*) FROM rampart.key_status WHERE scope = 'aging';
RESET ROLE;
REVOKE ALL ON FUNCTION rampart.pending_usage() FROM key_watcher;
REVOKE ALL ON rampart.key_status FROM key_watcher;
DROP ROLE key_watcher;

SELECT event, role, details FROM rampart.key_event
WHERE scope = 'aging' AND event ~ '^(rotation|key_(rot|budget|exh))' ORDER BY id;
DELETE FROM rampart.key_usage WHERE key_id IN (SELECT id FROM rampart.key WHERE scope = 'aging');
