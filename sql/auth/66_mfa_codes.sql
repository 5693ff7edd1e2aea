-- Codes that are sent, by mail or by SMS: six digits, ten minutes, one at a time. Kept as blind indexes and compared here.
--
-- Both methods are these same functions, and share their limits: one code a minute, ten before one of them is taken, and
-- the attempts of every other factor. By SMS they are a fallback for another factor and never the only one: numbers are
-- taken over and messages read on their way (NIST SP 800-63B, restricted authenticators).
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.random_code() RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    -- 48 random bits of a version 4 UUID: the remainder favours no code by more than one in 2^28.
    SELECT lpad((('x' || encode(substring(uuid_send(gen_random_uuid()) FROM 11), 'hex'))::bit(48)::int8 % 1000000)::text, 6, '0')
$$;

CREATE FUNCTION rampart_auth.code_index(challenge bytea, code text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart.blind_index('mfa', code, 'rampart_auth.code.' || encode(challenge, 'hex')) $$;

CREATE FUNCTION rampart_auth.code_recipient(account uuid, method text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE f.method WHEN 'sms' THEN f.phone::text ELSE a.email::text END
    FROM rampart_auth.mfa_factor f JOIN rampart_auth.account a ON a.id = f.account_id
    WHERE f.account_id = account AND f.method = code_recipient.method AND f.method IN ('email', 'sms') AND f.confirmed_at IS NOT NULL
$$;
COMMENT ON FUNCTION rampart_auth.code_recipient(uuid, text) IS 'Where the codes of a method go; NULL where the account has no such factor.';

CREATE FUNCTION rampart_auth.take_code(account uuid) RETURNS int
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    row_key CONSTANT bytea := rampart_auth.throttle_key('code', account::text);
    allowed CONSTANT int := 10;
    sent rampart_auth.throttle;
    seconds float8;
BEGIN
    INSERT INTO rampart_auth.throttle (key, last_failure) VALUES (row_key, '-infinity') ON CONFLICT DO NOTHING;
    SELECT t.* INTO sent FROM rampart_auth.throttle t WHERE t.key = row_key FOR UPDATE;
    IF sent.last_failure > '-infinity' THEN
        seconds := extract(epoch FROM clock_timestamp() - sent.last_failure);
        IF seconds < 60 THEN
            RETURN ceil(60 - seconds);
        ELSIF seconds >= 3600 THEN
            sent.failures := 0;
        ELSIF sent.failures >= allowed THEN
            RETURN ceil(3600 - seconds);
        END IF;
    END IF;
    UPDATE rampart_auth.throttle t SET failures = sent.failures + 1, last_failure = clock_timestamp() WHERE t.key = row_key;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION rampart_auth.take_code(uuid) IS
'Counts a code that an account is about to be sent: one a minute, and ten before one comes back, then none for an hour. Returns for how many seconds there is none: 0, go ahead.';

CREATE FUNCTION rampart_auth.code_came_back(account uuid) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ DELETE FROM rampart_auth.throttle t WHERE t.key = rampart_auth.throttle_key('code', account::text) $$;

CREATE FUNCTION rampart_auth.deliver_code(account uuid, method text, recipient text, code text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    by_sms CONSTANT bool := method = 'sms';
BEGIN
    PERFORM rampart_auth.enqueue(CASE WHEN by_sms THEN 'sms' ELSE 'mail' END, recipient, CASE WHEN by_sms THEN 'sms-code' ELSE 'mfa-code' END,
                                 jsonb_build_object('code', code, 'minutes', 10), '10 minutes');
    PERFORM rampart_auth.record('auth.mfa_code_sent', jsonb_build_object('account', account, 'method', method));
END
$$;

-- At a login --------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.send_code(challenge bytea, method text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun CONSTANT rampart_auth.mfa_challenge := rampart_auth.open_challenge(challenge);
    recipient CONSTANT text := rampart_auth.code_recipient(begun.account_id, method);
    digits CONSTANT text := rampart_auth.random_code();
    wait int;
BEGIN
    IF recipient IS NULL THEN
        RAISE EXCEPTION 'this account has no such codes' USING ERRCODE = 'RMU32';
    END IF;
    wait := rampart_auth.take_code(begun.account_id);
    IF wait > 0 THEN
        RETURN jsonb_build_object('outcome', 'wait', 'locked', wait);
    END IF;
    UPDATE rampart_auth.mfa_challenge c SET code_method = method, code = rampart_auth.code_index(challenge, digits),
        code_expires_at = now() + interval '10 minutes'
    WHERE c.hash = challenge;
    PERFORM rampart_auth.deliver_code(begun.account_id, method, recipient, digits);
    RETURN jsonb_build_object('outcome', 'ok', 'expires_in', 600);
END
$$;
COMMENT ON FUNCTION rampart_auth.send_code(bytea, text) IS
'Sends a code of ten minutes by this method; an earlier one is worth nothing then. {outcome: wait, locked: seconds} where that is too soon (take_code). Errors: RMU30, RMU32 the account has no such factor.';

CREATE FUNCTION rampart_auth.check_code(challenge bytea, method text, code text, token_hash bytea, jti text, access_seconds int,
                                        refresh_days int, session_days int, tell bool, device bytea DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt record;
    begun rampart_auth.mfa_challenge;
BEGIN
    SELECT * INTO attempt FROM rampart_auth.attempt_challenge(challenge);
    begun := attempt.begun;
    IF attempt.refusal IS NOT NULL THEN
        RETURN attempt.refusal;
    ELSIF (begun.code_method = method AND begun.code = rampart_auth.code_index(challenge, check_code.code)
           AND begun.code_expires_at > now()) IS NOT TRUE
          OR NOT rampart_auth.use_factor(begun.account_id, method, NULL, NULL) THEN
        RETURN rampart_auth.attempt_failed(begun.account_id, method);
    END IF;
    PERFORM rampart_auth.code_came_back(begun.account_id);
    RETURN rampart_auth.end_challenge(begun, method, token_hash, jti, access_seconds, refresh_days, session_days, tell, device);
END
$$;
COMMENT ON FUNCTION rampart_auth.check_code(bytea, text, text, bytea, text, int, int, int, bool, bytea) IS
'Judges a code that send_code sent by this method, and answers as find_factor, refuse_factor or accept_factor do. Errors: RMU30, RMU05.';

-- Set up ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.code_setup(account uuid) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT sha256('code' || uuid_send(account)) $$;
COMMENT ON FUNCTION rampart_auth.code_setup(uuid) IS 'The one challenge of an account that keeps the code which confirms a new factor. It has ended, so that no login can use it.';

CREATE FUNCTION rampart_auth.set_up_code(method text, phone text, codes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    setup CONSTANT bytea := rampart_auth.code_setup(account);
    first CONSTANT bool := NOT rampart_auth.has_factor(account);
    digits CONSTANT text := rampart_auth.random_code();
    wait int;
BEGIN
    IF (method = 'email' AND phone IS NULL OR method = 'sms' AND phone ~ '^\+[1-9][0-9]{6,14}$') IS NOT TRUE THEN
        RAISE EXCEPTION 'codes go by mail, or by SMS to a number such as +12025550123' USING ERRCODE = '22023';
    ELSIF method = 'sms' AND first THEN
        RAISE EXCEPTION 'codes by SMS are a fallback: another second factor comes first' USING ERRCODE = 'RMU13';
    END IF;
    wait := rampart_auth.take_code(account);
    IF wait > 0 THEN
        RETURN jsonb_build_object('outcome', 'wait', 'locked', wait);
    END IF;
    INSERT INTO rampart_auth.mfa_challenge AS c (hash, account_id, session_id, code_method, code, code_expires_at, expires_at, ended_at)
    VALUES (setup, account, (rampart_auth.my_session()).id, method, rampart_auth.code_index(setup, digits), now() + interval '10 minutes',
            now() + interval '10 minutes', now())
    ON CONFLICT ON CONSTRAINT mfa_challenge_pkey DO UPDATE SET session_id = excluded.session_id, code_method = excluded.code_method,
        code = excluded.code, code_expires_at = excluded.code_expires_at, expires_at = excluded.expires_at;
    DELETE FROM rampart_auth.mfa_factor f WHERE f.account_id = account AND f.method = set_up_code.method AND f.confirmed_at IS NULL;
    INSERT INTO rampart_auth.mfa_factor (account_id, method, phone) VALUES (account, set_up_code.method, set_up_code.phone);
    IF first THEN
        PERFORM rampart_auth.keep_backup_codes(account, codes);
    END IF;
    PERFORM rampart_auth.deliver_code(account, method, coalesce(phone, (SELECT a.email::text FROM rampart_auth.account a WHERE a.id = account)), digits);
    PERFORM rampart_auth.record('auth.mfa_setup', jsonb_build_object('account', account, 'method', method));
    RETURN jsonb_build_object('outcome', 'ok', 'backup_codes', first, 'phone', rampart_auth.mask_phone(phone));
END
$$;
COMMENT ON FUNCTION rampart_auth.set_up_code(text, text, jsonb) IS
'Begins with codes by mail, or by SMS to a phone (E.164): one is sent, and confirms them (confirm_code). As set_up_totp; {outcome: wait, locked: seconds} where that is too soon (take_code). Errors: 22023, RMU13 SMS without another factor, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.confirm_code(method text, code text, jti text, access_seconds int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    setup CONSTANT bytea := rampart_auth.code_setup(account);
    session CONSTANT uuid := (rampart_auth.my_session()).id;
    locked CONSTANT int := rampart_auth.take_attempt(account);
BEGIN
    IF locked > 0 THEN
        RETURN jsonb_build_object('outcome', 'locked', 'locked', locked);
    END IF;
    -- Not beside remove_factor: where the other factor goes, so does this challenge.
    PERFORM FROM rampart_auth.account a WHERE a.id = account FOR NO KEY UPDATE;
    DELETE FROM rampart_auth.mfa_challenge c
    WHERE c.hash = setup AND c.session_id = session AND c.code_method = method
      AND c.code = rampart_auth.code_index(setup, confirm_code.code) AND c.code_expires_at > now();
    IF NOT FOUND THEN
        RETURN rampart_auth.attempt_failed(account, method);
    END IF;
    PERFORM rampart_auth.code_came_back(account);
    RETURN rampart_auth.confirm_factor(account, method, NULL, jti, access_seconds);
END
$$;
COMMENT ON FUNCTION rampart_auth.confirm_code(text, text, text, int) IS
'Judges the code that set_up_code sent to this session''s user: as confirm_factor where it is right. Errors: RMU31, RMU02.';

GRANT EXECUTE ON FUNCTION rampart_auth.send_code, rampart_auth.check_code, rampart_auth.set_up_code, rampart_auth.confirm_code TO rampartd;
