-- How long a key lives. A data key may encrypt rampart.key_budget values in randomised mode: NIST SP 800-38D
-- allows 2^32 under one key where IVs are 96 random bits. The library counts them (extension/pg/keyring/usage.hpp)
-- and calls count_usage as transactions commit; what follows from a count is decided here.

CREATE TABLE rampart.key_usage (
    key_id int8 NOT NULL,
    amount int8 NOT NULL CHECK (amount > 0)
);
CREATE INDEX key_usage_key_id ON rampart.key_usage (key_id);
-- So that rows may be deleted where a publication is for all tables.
ALTER TABLE rampart.key_usage REPLICA IDENTITY FULL;
COMMENT ON TABLE rampart.key_usage IS
'Values encrypted in randomised mode, estimated in steps of 4,096. A key''s rows add up; they are only ever added, so that sessions do not wait for each other, and made one from time to time.';

CREATE TABLE rampart.rotation_policy (
    scope        text PRIMARY KEY,
    every        interval CHECK (every > '0' AND every <= '100 years'),
    after_values int8 CHECK (after_values > 0),
    reencrypt    bool NOT NULL DEFAULT true,
    CHECK (every IS NOT NULL OR after_values IS NOT NULL)
);
COMMENT ON TABLE rampart.rotation_policy IS 'When the data key of a scope is replaced: at an age, after a number of values.';
COMMENT ON COLUMN rampart.rotation_policy.reencrypt IS 'Whether rows are re-encrypted with the new key where the old one''s age was the reason.';

CREATE TABLE rampart.value_count (
    relation    oid,
    column_name name,
    key_id      int8,
    amount      int8 NOT NULL,
    counted_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (relation, column_name, key_id)
);
COMMENT ON TABLE rampart.value_count IS 'How many stored values of a column use a key, when it was last counted.';

SELECT pg_extension_config_dump('rampart.key_usage', '');
SELECT pg_extension_config_dump('rampart.rotation_policy', '');

CREATE FUNCTION rampart.key_budget() RETURNS int8
    AS 'MODULE_PATHNAME', 'rampart_key_budget' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.key_budget() IS 'The setting rampart.key_budget: values that a data key may encrypt.';

CREATE FUNCTION rampart.pending_usage(OUT key_id int8, OUT amount int8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rampart_pending_usage' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.pending_usage() IS
'Values of this database that are counted and not yet in rampart.key_usage: of all sessions where the library is in shared_preload_libraries, else of this session.';

CREATE FUNCTION rampart.flush_usage() RETURNS int8
    AS 'MODULE_PATHNAME', 'rampart_flush_usage' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.flush_usage() IS
'Writes what is pending to rampart.key_usage and acts on it, as a commit would; returns the number of values. Errors: 25006 (read-only transaction).';

CREATE FUNCTION rampart.values_encrypted(key_id int8) RETURNS int8
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(sum(u.amount), 0)::int8 FROM rampart.key_usage u WHERE u.key_id = values_encrypted.key_id;
END;
COMMENT ON FUNCTION rampart.values_encrypted(int8) IS 'The values that rampart.key_usage has for a key.';

-- --- Policies ------------------------------------------------------------------------------------

CREATE FUNCTION rampart.set_rotation_policy(scope text, every interval DEFAULT NULL, after_values int8 DEFAULT NULL,
                                            reencrypt bool DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.lock_scope(set_rotation_policy.scope);
    IF every <= interval '0' OR every > interval '100 years' THEN
        RAISE EXCEPTION 'the age of a key must be positive and at most 100 years' USING ERRCODE = '22023';
    ELSIF after_values NOT BETWEEN 1 AND rampart.key_budget() THEN
        RAISE EXCEPTION 'the number of values must be between 1 and %', rampart.key_budget()
            USING ERRCODE = '22023', HINT = 'The upper bound is the setting rampart.key_budget.';
    END IF;
    DELETE FROM rampart.rotation_policy p WHERE p.scope = set_rotation_policy.scope;
    IF every IS NULL AND after_values IS NULL THEN
        PERFORM rampart.record_key_event('rotation_policy_removed', scope);
        RETURN;
    END IF;
    INSERT INTO rampart.rotation_policy VALUES (scope, every, after_values, coalesce(reencrypt, true));
    PERFORM rampart.record_key_event('rotation_policy_set', scope, NULL, NULL, jsonb_build_object(
        'every', every, 'after_values', after_values, 'reencrypt', coalesce(reencrypt, true)));
END
$$;
COMMENT ON FUNCTION rampart.set_rotation_policy(text, interval, int8, bool) IS
'Has the data key of a scope replaced at an age, after a number of values, or whichever comes first; with neither the policy is removed. reencrypt: where age is the reason, rows are re-encrypted with the new key. Without a policy a key is replaced after half of rampart.key_budget. Errors: RMK01, 22023.';

CREATE FUNCTION rampart.rotation_limit(scope text) RETURNS int8
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT least(coalesce((SELECT p.after_values FROM rampart.rotation_policy p WHERE p.scope = rotation_limit.scope),
                          rampart.key_budget() / 2), rampart.key_budget());
END;
COMMENT ON FUNCTION rampart.rotation_limit(text) IS 'After how many values the data key of a scope is replaced.';

CREATE FUNCTION rampart.rotation_due(scope text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Of the newest key; one that was disabled is in somebody's hands.
    SELECT CASE WHEN k.state = 'exhausted' THEN 'values'
                WHEN k.state = 'active' AND rampart.values_encrypted(k.id) >= rampart.rotation_limit(k.scope) THEN 'values'
                WHEN k.state = 'active' AND k.created_at + p.every <= now() THEN 'age' END
    FROM rampart.key k LEFT JOIN rampart.rotation_policy p ON p.scope = k.scope
    WHERE k.scope = rotation_due.scope AND k.purpose = 'data'
    ORDER BY k.version DESC LIMIT 1;
END;
COMMENT ON FUNCTION rampart.rotation_due(text) IS
'Why the data key of a scope should be replaced now: values, age, or NULL.';

CREATE FUNCTION rampart.roll_key(scope text, reason text) RETURNS int4
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version int4 := rampart.rotate_key(scope);
    -- Used up is the number of encryptions. To encrypt all rows once more would use up the next key's.
    reencrypt bool := reason = 'age' AND coalesce(
        (SELECT p.reencrypt FROM rampart.rotation_policy p WHERE p.scope = roll_key.scope), false);
BEGIN
    PERFORM rampart.record_key_event('key_rotated_by_policy', scope, NULL, NULL, jsonb_build_object(
        'version', version, 'reason', reason, 'reencrypt', reencrypt));
    -- A rotation that is not ended goes on to the new key by itself.
    IF reencrypt AND NOT EXISTS (SELECT FROM rampart.rotation r WHERE r.scope = roll_key.scope
                                 AND r.state IN ('running', 'paused') AND r.source_column IS NULL) THEN
        PERFORM rampart.start_rotation(scope, new_key => false);
    END IF;
    RETURN version;
END
$$;
COMMENT ON FUNCTION rampart.roll_key(text, text) IS
'Replaces the data key of a scope because it is due, and returns the new version. Errors: RMK01, RMK05.';

CREATE FUNCTION rampart.apply_rotation_policies() RETURNS TABLE (scope text, version int4, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    FOR scope IN SELECT s.name FROM rampart.scope s ORDER BY s.name LOOP
        CONTINUE WHEN rampart.rotation_due(scope) IS NULL;
        BEGIN
            PERFORM rampart.lock_scope(scope);
            -- Another session may have been quicker.
            reason := rampart.rotation_due(scope);
            CONTINUE WHEN reason IS NULL;
            version := rampart.roll_key(scope, reason);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'the key of scope "%" is due for rotation and could not be replaced: %', scope, SQLERRM
                USING ERRCODE = SQLSTATE;
            CONTINUE;
        END;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.apply_rotation_policies() IS
'Replaces the data keys that are due: by their scope''s policy, or after half of rampart.key_budget. For a scheduler; two at once replace a key once. A scope that fails is a warning.';

-- --- Counting ------------------------------------------------------------------------------------

CREATE FUNCTION rampart.compact_usage(key_id int8) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (SELECT count(*) FROM rampart.key_usage u WHERE u.key_id = compact_usage.key_id) <= 64 THEN
        RETURN;
    END IF;
    WITH free AS MATERIALIZED (
        SELECT u.ctid AS row FROM rampart.key_usage u WHERE u.key_id = compact_usage.key_id FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM rampart.key_usage u USING free WHERE u.ctid = free.row RETURNING u.amount
    )
    INSERT INTO rampart.key_usage SELECT compact_usage.key_id, sum(gone.amount) FROM gone HAVING count(*) > 0;
END
$$;
COMMENT ON FUNCTION rampart.compact_usage(int8) IS 'Makes one row of many rows of a key in rampart.key_usage.';

CREATE FUNCTION rampart.review_usage(key_id int8) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key rampart.key;
    used int8 := rampart.values_encrypted(key_id);
    budget int8 := rampart.key_budget();
    percent int8 := 100 * used / budget;
BEGIN
    SELECT * INTO key FROM rampart.key k
        WHERE k.id = review_usage.key_id AND k.purpose = 'data' AND k.state = 'active';
    IF NOT FOUND OR used < least(rampart.rotation_limit(key.scope), budget / 4 * 3) THEN
        RETURN;
    END IF;
    -- A commit waits for nobody: whoever has the scope now, the next count looks again.
    PERFORM FROM rampart.scope s WHERE s.name = key.scope FOR UPDATE SKIP LOCKED;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM rampart.key k WHERE k.id = review_usage.key_id AND k.state = 'active') THEN
        RETURN;
    END IF;
    IF used >= rampart.rotation_limit(key.scope) THEN
        BEGIN
            PERFORM rampart.roll_key(key.scope, 'values');
            RETURN;
        EXCEPTION
            WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
                RAISE;
            WHEN OTHERS THEN
                RAISE WARNING 'the key of scope "%" is due for rotation and could not be replaced: %', key.scope, SQLERRM
                    USING ERRCODE = SQLSTATE, HINT = format('SELECT rampart.rotate_key(%L)', key.scope);
        END;
    END IF;
    IF used >= budget THEN
        PERFORM rampart.set_key_state(rampart.key_id_text(key_id), '{active}', 'exhausted');
    ELSIF used >= budget / 4 * 3 THEN
        RAISE WARNING 'the key of scope "%" has encrypted % %% of the values it may', key.scope, percent
            USING HINT = format('SELECT rampart.rotate_key(%L)', key.scope);
        IF NOT EXISTS (SELECT FROM rampart.key_event e
                       WHERE e.event = 'key_budget_warning' AND e.key_id = rampart.key_id_text(key.id)) THEN
            PERFORM rampart.record_key_event('key_budget_warning', key.scope, key.id, NULL,
                                             jsonb_build_object('version', key.version, 'values', used));
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.review_usage(int8) IS
'Does what the number of a key''s values asks for: replaces it, warns, or ends its use.';

CREATE FUNCTION rampart.count_usage(key_id int8, amount int8, review bool) RETURNS bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart.key_usage VALUES (key_id, amount);
    IF review THEN
        BEGIN
            PERFORM rampart.compact_usage(key_id);
            PERFORM rampart.review_usage(key_id);
        EXCEPTION
            -- Others were quicker. The next count looks again.
            WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN NULL;
            WHEN OTHERS THEN
                RAISE WARNING 'the use of key % could not be reviewed: %', rampart.key_id_text(key_id), SQLERRM
                    USING ERRCODE = SQLSTATE;
        END;
    END IF;
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'values encrypted with key % could not be counted: %', rampart.key_id_text(key_id), SQLERRM
        USING ERRCODE = SQLSTATE;
    RETURN false;
END
$$;
COMMENT ON FUNCTION rampart.count_usage(int8, int8, bool) IS
'Adds to the values of a key and reviews it. Called by the library at the commit of whatever transaction, which must not suffer: failures are warnings, and the answer is false.';

-- --- What to look at -----------------------------------------------------------------------------

CREATE VIEW rampart.key_status AS
    WITH usage AS (
        SELECT counted.key_id, sum(counted.amount)::int8 AS amount
        FROM (SELECT u.key_id, u.amount FROM rampart.key_usage u
              UNION ALL SELECT p.key_id, p.amount FROM rampart.pending_usage() p) counted
        GROUP BY counted.key_id
    ), stored AS (
        SELECT c.key_id, sum(c.amount)::int8 AS amount, min(c.counted_at) AS counted_at
        FROM rampart.value_count c GROUP BY c.key_id
    ), known AS (
        SELECT k.*, k.purpose = 'data' AND k.state = 'active' AS encrypts, p.every, p.after_values,
               stored.amount AS stored, stored.counted_at,
               CASE WHEN k.purpose = 'data' THEN coalesce(usage.amount, 0) END AS used,
               CASE WHEN k.purpose = 'data' THEN round(100.0 * coalesce(usage.amount, 0) / b.budget, 2) END AS percent,
               least(coalesce(p.after_values, b.budget / 2), b.budget) AS most
        FROM rampart.key k
        CROSS JOIN (SELECT rampart.key_budget()) b (budget)
        LEFT JOIN rampart.rotation_policy p ON p.scope = k.scope
        LEFT JOIN usage ON usage.key_id = k.id
        LEFT JOIN stored ON stored.key_id = k.id
    )
    SELECT scope, version, rampart.key_id_text(id) AS key_id, purpose, state, created_at, now() - created_at AS age,
           changed_at, used AS values_encrypted, percent AS budget_used, stored AS values_stored, counted_at,
           CASE WHEN encrypts THEN created_at + every END AS rolls_at,
           CASE WHEN state = 'exhausted' THEN 'its budget is used up'
                WHEN NOT encrypts THEN NULL
                ELSE nullif(concat_ws(', ',
                     CASE WHEN used >= most OR created_at + every <= now() THEN 'due for rotation' END,
                     CASE WHEN percent >= 50 THEN trunc(percent) || ' % of its budget is used' END), '')
           END AS note
    FROM known;
COMMENT ON VIEW rampart.key_status IS
'Keys with their age, their use (estimated in steps of 4,096 values; percent of rampart.key_budget), the stored values where counted, and what is to be done.';

CREATE FUNCTION rampart.keys_in_need() RETURNS TABLE (item text, state text, detail text)
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'key', CASE WHEN s.state = 'exhausted' THEN 'exhausted'
                       WHEN s.note LIKE 'due%' THEN 'due' ELSE 'budget' END,
           format('scope "%s", version %s: %s. SELECT rampart.rotate_key(%L) makes a new key.',
                  s.scope, s.version, s.note, s.scope)
    FROM rampart.key_status s
    WHERE (s.state = 'exhausted' OR s.note LIKE 'due%' OR (s.note IS NOT NULL AND s.budget_used >= 75))
      AND NOT EXISTS (SELECT FROM rampart.key newer WHERE newer.scope = s.scope AND newer.purpose = 'data'
                      AND newer.version > s.version)
    ORDER BY s.scope;
END;
COMMENT ON FUNCTION rampart.keys_in_need() IS
'Rows for status(): the keys that want a successor, because of their age or use.';

DO $$
DECLARE
    administrative text;
BEGIN
    FOREACH administrative IN ARRAY ARRAY[
        'pending_usage()', 'flush_usage()', 'values_encrypted(int8)', 'set_rotation_policy(text, interval, int8, bool)',
        'rotation_limit(text)', 'rotation_due(text)', 'roll_key(text, text)', 'apply_rotation_policies()',
        'compact_usage(int8)', 'review_usage(int8)', 'count_usage(int8, int8, bool)', 'keys_in_need()'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION rampart.%s FROM PUBLIC', administrative);
    END LOOP;
END
$$;
