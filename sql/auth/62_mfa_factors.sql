-- One's own factors: enrolled, confirmed, removed; backup codes; trusted devices; proving oneself anew.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.my_session() RETURNS rampart_auth.session
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current rampart_auth.session;
BEGIN
    SELECT s.* INTO current FROM rampart_auth.session s
    WHERE s.id::text = rampart.principal() ->> 'sid' AND s.account_id = rampart_auth.me() AND s.revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'only for people who are logged in' USING ERRCODE = 'RMU02';
    END IF;
    RETURN current;
END
$$;
COMMENT ON FUNCTION rampart_auth.my_session() IS 'The session this transaction works for. Errors: RMU02 there is none, as with an API key.';

CREATE FUNCTION rampart_auth.require_proof(minutes int DEFAULT 15) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session CONSTANT rampart_auth.session := rampart_auth.my_session();
BEGIN
    IF session.proved_at > now() - minutes * interval '1 minute' THEN
        RETURN session.account_id;
    END IF;
    RAISE EXCEPTION 'this takes a recent proof of who is there' USING ERRCODE = 'RMU31', HINT = 'POST /auth/mfa/step-up.';
END
$$;
COMMENT ON FUNCTION rampart_auth.require_proof(int) IS
'Demands that this session has shown its second factor, or its password where there is none, within so many minutes; returns the account. Errors: RMU31, RMU02.';

CREATE FUNCTION rampart_auth.prove_recently() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.require_proof();
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.prove_recently() IS 'For routes that are flagged step_up: refuses a session whose proof is older than 15 minutes. Errors: RMU31, RMU02.';

CREATE FUNCTION rampart_auth.begin_step_up(challenge bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session CONSTANT rampart_auth.session := rampart_auth.my_session();
BEGIN
    IF NOT rampart_auth.has_factor(session.account_id) THEN
        RETURN jsonb_build_object('outcome', 'password', 'methods', '["password"]'::jsonb);
    END IF;
    RETURN rampart_auth.begin_challenge(session.account_id, session.id, session.org_id, challenge);
END
$$;
COMMENT ON FUNCTION rampart_auth.begin_step_up(bytea) IS
'Begins a challenge that renews this session''s proof; without a factor the password does (prove_password): {outcome: password}. Errors: RMU02.';

CREATE FUNCTION rampart_auth.find_own_password() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := (rampart_auth.my_session()).account_id;
    locked CONSTANT int := rampart_auth.take_attempt(account);
BEGIN
    IF locked > 0 THEN
        RETURN jsonb_build_object('outcome', 'locked', 'locked', locked);
    END IF;
    RETURN (SELECT jsonb_build_object('outcome', 'ok', 'hash', a.password_hash) FROM rampart_auth.account a WHERE a.id = account);
END
$$;
COMMENT ON FUNCTION rampart_auth.find_own_password() IS 'Takes an attempt and returns what to judge one''s own password by: {outcome: ok, hash} or {outcome: locked, locked: seconds}. Errors: RMU02.';

CREATE FUNCTION rampart_auth.prove_password(verified_hash text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session CONSTANT rampart_auth.session := rampart_auth.my_session();
BEGIN
    IF rampart_auth.has_factor(session.account_id) OR NOT EXISTS (
            SELECT FROM rampart_auth.account a WHERE a.id = session.account_id AND a.password_hash = verified_hash) THEN
        RETURN rampart_auth.attempt_failed(session.account_id, 'password');
    END IF;
    PERFORM rampart_auth.attempt_succeeded(session.account_id);
    UPDATE rampart_auth.session s SET proved_at = now() WHERE s.id = session.id;
    PERFORM rampart_auth.record('auth.mfa_success', jsonb_build_object('account', session.account_id, 'method', 'password'));
    RETURN jsonb_build_object('outcome', 'ok');
END
$$;
COMMENT ON FUNCTION rampart_auth.prove_password(text) IS
'Renews this session''s proof by the password; verified_hash: what it was verified against, NULL where it was wrong. Not for accounts with a second factor. Errors: RMU02.';

-- Enrolment ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.mask_phone(phone text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT repeat('*', length(phone) - 2) || right(phone, 2) $$;
COMMENT ON FUNCTION rampart_auth.mask_phone(text) IS 'A phone number as it may be shown.';

CREATE FUNCTION rampart_auth.list_factors() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := (rampart_auth.my_session()).account_id;
BEGIN
    -- Roles in all organisations count, and the policy shows those of one.
    PERFORM rampart_auth.act_as_server();
    RETURN jsonb_build_object(
        'enabled', rampart_auth.has_factor(account),
        'required', rampart_auth.factor_grace(account) IS NOT NULL,
        'grace_ends_at', (SELECT g.ends_at FROM rampart_auth.mfa_grace g WHERE g.account_id = account AND NOT rampart_auth.has_factor(account)),
        'backup_codes_left', (SELECT count(*) FROM rampart_auth.mfa_backup_code b WHERE b.account_id = account AND b.used_at IS NULL),
        'recovery_email_verified', EXISTS (
            SELECT FROM rampart_auth.mfa_recovery_address r WHERE r.account_id = account AND r.verified_at IS NOT NULL),
        'factors', coalesce((
            SELECT jsonb_agg(jsonb_build_object('id', f.id, 'method', f.method, 'name', f.name, 'phone', rampart_auth.mask_phone(f.phone::text),
                                                'created_at', f.created_at, 'last_used_at', f.last_used_at) ORDER BY f.id)
            FROM rampart_auth.mfa_factor f WHERE f.account_id = account AND f.confirmed_at IS NOT NULL), '[]'));
END
$$;
COMMENT ON FUNCTION rampart_auth.list_factors() IS 'One''s own factors, and whether one must have any. Errors: RMU02.';

CREATE FUNCTION rampart_auth.keep_backup_codes(account uuid, codes jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF codes IS NULL OR jsonb_typeof(codes) <> 'array' OR jsonb_array_length(codes) <> 10 THEN
        RAISE EXCEPTION 'backup codes are ten' USING ERRCODE = '22023';
    END IF;
    DELETE FROM rampart_auth.mfa_backup_code b WHERE b.account_id = account;
    INSERT INTO rampart_auth.mfa_backup_code (account_id, selector, hash)
    SELECT account, rampart_auth.selector_index(account, c ->> 'selector'), c ->> 'hash' FROM jsonb_array_elements(codes) c;
END
$$;

CREATE FUNCTION rampart_auth.set_up_totp(secret bytea, name text, codes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    first CONSTANT bool := NOT rampart_auth.has_factor(account);
BEGIN
    DELETE FROM rampart_auth.mfa_factor f WHERE f.account_id = account AND f.method = 'totp' AND f.confirmed_at IS NULL;
    INSERT INTO rampart_auth.mfa_factor (account_id, method, name, secret) VALUES (account, 'totp', set_up_totp.name, set_up_totp.secret);
    IF first THEN
        PERFORM rampart_auth.keep_backup_codes(account, codes);
    END IF;
    PERFORM rampart_auth.record('auth.mfa_setup', jsonb_build_object('account', account, 'method', 'totp'));
    RETURN jsonb_build_object('email', (SELECT a.email::text FROM rampart_auth.account a WHERE a.id = account), 'backup_codes', first);
END
$$;
COMMENT ON FUNCTION rampart_auth.set_up_totp(bytea, text, jsonb) IS
'Begins with an authenticator app: it counts once confirmed, and replaces the former one then. codes: the backup codes that come with the first factor, [{selector, hash}]; backup_codes says whether they were kept. Errors: RMU31, RMU02.';

CREATE FUNCTION rampart_auth.find_pending_totp() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    locked CONSTANT int := rampart_auth.take_attempt(account);
BEGIN
    IF locked > 0 THEN
        RETURN jsonb_build_object('outcome', 'locked', 'locked', locked);
    END IF;
    RETURN jsonb_build_object('outcome', 'ok') || coalesce((
        SELECT jsonb_build_object('secret', encode(f.secret::bytea, 'base64')) FROM rampart_auth.mfa_factor f
        WHERE f.account_id = account AND f.method = 'totp' AND f.confirmed_at IS NULL AND f.created_at > now() - interval '1 hour'), '{}');
END
$$;
COMMENT ON FUNCTION rampart_auth.find_pending_totp() IS 'Takes an attempt and returns what to judge the confirming code by: as find_factor. Errors: RMU31, RMU02.';

CREATE FUNCTION rampart_auth.confirm_factor(account uuid, method text, step int8, jti text, access_seconds int, copied bool DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session CONSTANT uuid := (rampart_auth.my_session()).id;
BEGIN
    PERFORM rampart_auth.attempt_succeeded(account);
    DELETE FROM rampart_auth.mfa_factor f
    WHERE f.account_id = account AND f.method = confirm_factor.method AND f.confirmed_at IS NOT NULL AND f.method <> 'webauthn';
    UPDATE rampart_auth.mfa_factor f SET confirmed_at = now(), last_step = coalesce(step, f.last_step)
    WHERE f.account_id = account AND f.method = confirm_factor.method AND f.confirmed_at IS NULL;
    DELETE FROM rampart_auth.mfa_grace g WHERE g.account_id = account;
    -- Sessions from before knew the password at most, and so did devices.
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(account, session), 'second factor enrolled');
    PERFORM rampart_auth.forget_devices(account);
    PERFORM rampart_auth.tell_factor_change(account, 'auth.mfa_enabled', 'a second factor was added', jsonb_build_object('method', method));
    -- The session's former token may say that a factor is to be enrolled.
    UPDATE rampart_auth.session s SET changed_at = clock_timestamp() WHERE s.id = session;
    PERFORM pg_notify('rampart_auth', 'session ' || session);
    PERFORM rampart_auth.act_as_server();
    RETURN jsonb_build_object('outcome', 'ok', 'claims', rampart_auth.renew_proof(
        session, rampart_auth.amr_of(method, copied), jti, access_seconds));
END
$$;
COMMENT ON FUNCTION rampart_auth.confirm_factor(uuid, text, int8, text, int, bool) IS
'Has a factor count from now on, in place of the former one of its method: {outcome: ok, claims} of this session''s next access token. Other sessions end. Errors: RMU02.';

CREATE FUNCTION rampart_auth.confirm_totp(step int8, jti text, access_seconds int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
BEGIN
    PERFORM FROM rampart_auth.mfa_factor f
    WHERE f.account_id = account AND f.method = 'totp' AND f.confirmed_at IS NULL FOR UPDATE;
    IF NOT FOUND OR step IS NULL THEN
        RETURN rampart_auth.attempt_failed(account, 'totp');
    END IF;
    RETURN rampart_auth.confirm_factor(account, 'totp', step, jti, access_seconds);
END
$$;
COMMENT ON FUNCTION rampart_auth.confirm_totp(int8, text, int) IS
'The code of a new authenticator app was right, at this time step (NULL: it was wrong): as confirm_factor. Errors: RMU31, RMU02.';

CREATE FUNCTION rampart_auth.remove_factor(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    session CONSTANT uuid := (rampart_auth.my_session()).id;
    removed text;
    others bool;
BEGIN
    PERFORM rampart_auth.act_as_server();
    -- One removal at a time, or two could each think the other's factor is left.
    PERFORM FROM rampart_auth.account a WHERE a.id = account FOR NO KEY UPDATE;
    -- Codes by SMS are a fallback for another factor, and stay no longer than it.
    others := EXISTS (SELECT FROM rampart_auth.mfa_factor f
                      WHERE f.account_id = account AND f.confirmed_at IS NOT NULL AND f.id <> remove_factor.id AND f.method <> 'sms');
    SELECT f.method INTO removed FROM rampart_auth.mfa_factor f
    WHERE f.id = remove_factor.id AND f.account_id = account AND f.confirmed_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such factor' USING ERRCODE = 'RMU03';
    ELSIF NOT others AND rampart_auth.factor_grace(account) IS NOT NULL THEN
        RAISE EXCEPTION 'the role demands a second factor' USING ERRCODE = 'RMU33', HINT = 'Enrol another one first.';
    END IF;
    IF others THEN
        DELETE FROM rampart_auth.mfa_factor f WHERE f.id = remove_factor.id;
        PERFORM rampart_auth.forget_devices(account);
    ELSE
        PERFORM rampart_auth.drop_factors(account);
    END IF;
    PERFORM rampart_auth.tell_factor_change(account, 'auth.mfa_disabled', 'a second factor was removed', jsonb_build_object('method', removed));
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(account, session), 'second factor removed');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.remove_factor(uuid) IS
'Removes one of one''s own factors; with the last one go backup codes and codes by SMS. Devices are forgotten, other sessions end. Errors: RMU03, RMU33 the role demands one, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.renew_backup_codes(codes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
BEGIN
    IF NOT rampart_auth.has_factor(account) THEN
        RAISE EXCEPTION 'there is no second factor yet' USING ERRCODE = 'RMU32';
    END IF;
    PERFORM rampart_auth.keep_backup_codes(account, codes);
    PERFORM rampart_auth.forget_devices(account);
    PERFORM rampart_auth.tell_factor_change(account, 'auth.mfa_backup_renewed', 'the backup codes were replaced');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.renew_backup_codes(jsonb) IS 'Replaces the whole set of backup codes, [{selector, hash}]. Errors: RMU32 no factor yet, RMU31, RMU02.';

-- Devices -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.list_devices() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
        'id', d.id, 'created_at', d.created_at, 'last_used_at', d.last_used_at, 'expires_at', d.expires_at, 'ip', host(d.ip),
        'user_agent', d.user_agent) ORDER BY d.id DESC), '[]'))
    FROM rampart_auth.trusted_device d WHERE d.account_id = rampart_auth.me() AND d.expires_at > now()
$$;
COMMENT ON FUNCTION rampart_auth.list_devices() IS 'Devices that log in to one''s own account without the second factor.';

CREATE FUNCTION rampart_auth.forget_device(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart_auth.trusted_device d WHERE d.id = forget_device.id AND d.account_id = rampart_auth.me();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such device' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.record('auth.device_revoked', jsonb_build_object('account', rampart_auth.me(), 'device', id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.forget_device(uuid) IS 'Trusts a device no more. Errors: RMU03.';

GRANT EXECUTE ON FUNCTION rampart_auth.prove_recently, rampart_auth.begin_step_up, rampart_auth.find_own_password, rampart_auth.prove_password,
    rampart_auth.list_factors, rampart_auth.set_up_totp, rampart_auth.find_pending_totp, rampart_auth.confirm_totp, rampart_auth.remove_factor, rampart_auth.renew_backup_codes, rampart_auth.list_devices,
    rampart_auth.forget_device TO rampartd;
