-- From the password to the session: a challenge, attempts at it, and what ends it.
--
-- An attempt is counted before it is judged, under the challenge's and the account's row locks: fifty at once are
-- fifty attempts one after the other. The server judges codes between find_factor and accept_factor or refuse_factor,
-- since a database has no business with TOTP or password hashing.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.challenge_methods(account uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(m.method ORDER BY array_position('{webauthn,totp,email,backup,sms}', m.method)), '[]') FROM (
            SELECT f.method FROM rampart_auth.mfa_factor f WHERE f.account_id = account AND f.confirmed_at IS NOT NULL
            UNION
            SELECT 'backup' FROM rampart_auth.mfa_backup_code b
            WHERE b.account_id = account AND b.used_at IS NULL AND rampart_auth.has_factor(account)) m);
END
$$;
COMMENT ON FUNCTION rampart_auth.challenge_methods(uuid) IS 'What a login can be ended by, the strongest first. Codes by SMS come last, and never alone.';

CREATE FUNCTION rampart_auth.begin_challenge(account uuid, session uuid, org uuid, challenge bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart_auth.mfa_challenge (hash, account_id, session_id, org_id, expires_at)
    VALUES (challenge, account, session, org, now() + interval '10 minutes');
    PERFORM rampart_auth.as_actor(account::text, org);
    PERFORM rampart_auth.record('auth.mfa_challenged', jsonb_build_object('account', account, 'session', session));
    RETURN jsonb_build_object('outcome', 'mfa', 'methods', rampart_auth.challenge_methods(account), 'expires_in', 600);
END
$$;
COMMENT ON FUNCTION rampart_auth.begin_challenge(uuid, uuid, uuid, bytea) IS 'Asks for the second factor, by a challenge of ten minutes: {outcome: mfa, methods, expires_in}.';

CREATE FUNCTION rampart_auth.trusts_device(account uuid, device bytea) RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE rampart_auth.trusted_device d SET last_used_at = now(), ip = (rampart_auth.context()).ip
    WHERE d.hash = device AND d.account_id = account AND d.expires_at > now();
    RETURN FOUND;
END
$$;

CREATE FUNCTION rampart_auth.second_step(account uuid, org uuid, challenge bytea, device bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT rampart_auth.has_factor(account) THEN
        PERFORM rampart_auth.start_grace(account);
        RETURN NULL;
    ELSIF device IS NOT NULL AND rampart_auth.trusts_device(account, device) THEN
        RETURN NULL;
    END IF;
    RETURN rampart_auth.begin_challenge(account, NULL, coalesce(org, rampart_auth.default_org(account)), challenge);
END
$$;
COMMENT ON FUNCTION rampart_auth.second_step(uuid, uuid, bytea, bytea) IS
'What must follow a right password: NULL, nothing; or a challenge has begun (begin_challenge). Every way to a session that begins with one proof asks here.';

-- Attempts ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.take_attempt(account uuid) RETURNS int
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    row_key CONSTANT bytea := rampart_auth.throttle_key('mfa', account::text);
    allowed CONSTANT int := 5;
    counted rampart_auth.throttle;
BEGIN
    INSERT INTO rampart_auth.throttle (key) VALUES (row_key) ON CONFLICT DO NOTHING;
    SELECT t.* INTO counted FROM rampart_auth.throttle t WHERE t.key = row_key FOR UPDATE;
    IF counted.locked_until > clock_timestamp() THEN
        RETURN ceil(extract(epoch FROM counted.locked_until - clock_timestamp()));
    ELSIF counted.last_failure < now() - interval '15 minutes' THEN
        counted.failures := 0;
    ELSIF counted.failures >= allowed THEN
        -- As many as are allowed are being judged at this moment, or their judge has died.
        RETURN 60;
    END IF;
    UPDATE rampart_auth.throttle t SET failures = counted.failures + 1, last_failure = clock_timestamp(),
        lockouts = CASE WHEN t.last_failure < now() - interval '1 day' THEN 0 ELSE t.lockouts END
    WHERE t.key = row_key;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION rampart_auth.take_attempt(uuid) IS
'Counts an attempt at an account''s second factor, before it is judged. Returns for how many seconds there is none: 0, go ahead. A counter of its own, beside the password''s.';

CREATE FUNCTION rampart_auth.attempt_failed(account uuid, method text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked int := 0;
BEGIN
    UPDATE rampart_auth.throttle t SET failures = 0, lockouts = t.lockouts + 1,
        locked_until = clock_timestamp() + least(interval '1 minute' * 2 ^ least(t.lockouts, 20), interval '1 day')
    WHERE t.key = rampart_auth.throttle_key('mfa', account::text) AND t.failures >= 5
    RETURNING ceil(extract(epoch FROM t.locked_until - clock_timestamp())) INTO locked;
    PERFORM rampart_auth.record('auth.mfa_failed', jsonb_build_object('account', account, 'method', method));
    IF locked > 0 THEN
        PERFORM rampart_auth.record('auth.mfa_lockout', jsonb_build_object('account', account, 'seconds', locked));
        PERFORM rampart_auth.enqueue_mail((SELECT a.email::text FROM rampart_auth.account a WHERE a.id = account), 'mfa-locked',
            jsonb_build_object('minutes', ceil(locked / 60.0)));
    END IF;
    RETURN jsonb_build_object('outcome', 'refused', 'locked', coalesce(locked, 0));
END
$$;
COMMENT ON FUNCTION rampart_auth.attempt_failed(uuid, text) IS
'Records that an attempt was wrong. The fifth in a row locks, for a minute first and twice as long each time, up to a day.';

CREATE FUNCTION rampart_auth.attempt_succeeded(account uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE rampart_auth.throttle t SET failures = 0 WHERE t.key = rampart_auth.throttle_key('mfa', account::text);
END
$$;

CREATE FUNCTION rampart_auth.open_challenge(challenge bytea) RETURNS rampart_auth.mfa_challenge
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun rampart_auth.mfa_challenge;
BEGIN
    PERFORM rampart_auth.act_as_server();
    SELECT c.* INTO begun FROM rampart_auth.mfa_challenge c WHERE c.hash = challenge FOR UPDATE;
    IF NOT FOUND OR begun.ended_at IS NOT NULL OR begun.expires_at <= now()
       OR NOT EXISTS (SELECT FROM rampart_auth.account a WHERE a.id = begun.account_id AND a.status = 'active') THEN
        RAISE EXCEPTION 'the login was not begun, or has ended' USING ERRCODE = 'RMU30', HINT = 'Begin again with the password.';
    END IF;
    PERFORM rampart_auth.as_actor(begun.account_id::text, begun.org_id);
    RETURN begun;
END
$$;
COMMENT ON FUNCTION rampart_auth.open_challenge(bytea) IS 'A challenge that counts, locked: only one request at a time works on it. Errors: RMU30.';

CREATE FUNCTION rampart_auth.attempt_challenge(challenge bytea, OUT begun rampart_auth.mfa_challenge, OUT refusal jsonb)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked int;
BEGIN
    begun := rampart_auth.open_challenge(challenge);
    locked := rampart_auth.take_attempt(begun.account_id);
    IF locked > 0 THEN
        refusal := jsonb_build_object('outcome', 'locked', 'locked', locked);
    ELSE
        UPDATE rampart_auth.mfa_challenge c SET attempts = c.attempts + 1,
            ended_at = CASE WHEN c.attempts + 1 > 5 THEN now() END
        WHERE c.hash = challenge RETURNING c.* INTO begun;
        IF begun.ended_at IS NOT NULL THEN
            refusal := jsonb_build_object('outcome', 'ended');
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart_auth.attempt_challenge(bytea) IS 'Takes one of a challenge''s five attempts, and one of the account''s. refusal: NULL, or what to answer instead of judging. Errors: RMU30.';

CREATE FUNCTION rampart_auth.find_factor(challenge bytea, method text, selector text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt record;
    material jsonb;
BEGIN
    SELECT * INTO attempt FROM rampart_auth.attempt_challenge(challenge);
    IF attempt.refusal IS NOT NULL THEN
        RETURN attempt.refusal;
    ELSIF method = 'totp' THEN
        SELECT jsonb_build_object('secret', encode(f.secret::bytea, 'base64')) INTO material FROM rampart_auth.mfa_factor f
        WHERE f.account_id = (attempt.begun).account_id AND f.method = 'totp' AND f.confirmed_at IS NOT NULL;
    ELSIF method = 'backup' AND rampart_auth.has_factor((attempt.begun).account_id) THEN
        SELECT jsonb_build_object('hash', b.hash) INTO material FROM rampart_auth.mfa_backup_code b
        WHERE b.account_id = (attempt.begun).account_id AND b.selector = rampart_auth.selector_index(b.account_id, find_factor.selector) AND b.used_at IS NULL;
    END IF;
    RETURN jsonb_build_object('outcome', 'ok') || coalesce(material, '{}');
END
$$;
COMMENT ON FUNCTION rampart_auth.find_factor(bytea, text, text) IS
'Takes an attempt and returns what to judge it by: {outcome: ok, secret} for totp, {outcome: ok, hash} for backup, neither where there is no such factor; or {outcome: locked, locked: seconds}, {outcome: ended}. Errors: RMU30.';

CREATE FUNCTION rampart_auth.refuse_factor(challenge bytea, method text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN rampart_auth.attempt_failed((rampart_auth.open_challenge(challenge)).account_id, method);
END
$$;
COMMENT ON FUNCTION rampart_auth.refuse_factor(bytea, text) IS 'The attempt was wrong: {outcome: refused, locked: seconds}. Errors: RMU30.';

-- The end of a challenge --------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.use_factor(account uuid, method text, step int8, selector text) RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF method = 'backup' THEN
        UPDATE rampart_auth.mfa_backup_code b SET used_at = now()
        WHERE b.account_id = account AND b.selector = rampart_auth.selector_index(account, use_factor.selector) AND b.used_at IS NULL
          AND rampart_auth.has_factor(account);
    ELSE
        UPDATE rampart_auth.mfa_factor f SET last_used_at = now(), last_step = coalesce(step, f.last_step)
        WHERE f.account_id = account AND f.method = use_factor.method AND f.confirmed_at IS NOT NULL
          AND (use_factor.method <> 'totp' OR step > f.last_step);
    END IF;
    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION rampart_auth.use_factor(uuid, text, int8, text) IS 'Uses a code up. False: it was used before, or the factor is gone.';

CREATE FUNCTION rampart_auth.amr_of(method text, copied bool DEFAULT false) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY['mfa', CASE method WHEN 'sms' THEN 'sms' WHEN 'webauthn' THEN CASE WHEN copied THEN 'swk' ELSE 'hwk' END ELSE 'otp' END] $$;
COMMENT ON FUNCTION rampart_auth.amr_of(text, bool) IS
'What a session can say of itself once a factor was shown (RFC 8176). copied: the passkey may be on several devices, so that no hardware holds its key (swk).';

CREATE FUNCTION rampart_auth.renew_proof(session uuid, shown text[], jti text, access_seconds int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    org uuid;
BEGIN
    UPDATE rampart_auth.session s SET proved_at = now(), amr = ARRAY(SELECT DISTINCT unnest(s.amr || shown))
    WHERE s.id = session RETURNING s.org_id INTO org;
    INSERT INTO rampart_auth.issued_token (jti, session_id, expires_at)
    VALUES (renew_proof.jti, session, now() + access_seconds * interval '1 second');
    RETURN rampart_auth.claims_of_session(session, org, false);
END
$$;
COMMENT ON FUNCTION rampart_auth.renew_proof(uuid, text[], text, int) IS
'Notes what a session has shown (amr_of), and returns the claims of its next access token. Takes act_as_server(). Errors: RMU01.';

CREATE FUNCTION rampart_auth.end_challenge(challenge rampart_auth.mfa_challenge, method text, token_hash bytea, jti text, access_seconds int,
                                           refresh_days int, session_days int, tell bool, device bytea, copied bool DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := challenge.account_id;
    request CONSTANT record := rampart_auth.context();
    shown CONSTANT text[] := rampart_auth.amr_of(method, copied);
    claims jsonb;
BEGIN
    UPDATE rampart_auth.mfa_challenge c SET ended_at = now() WHERE c.hash = challenge.hash;
    PERFORM rampart_auth.attempt_succeeded(account);
    PERFORM rampart_auth.record('auth.mfa_success', jsonb_build_object('account', account, 'method', method));
    IF challenge.session_id IS NOT NULL THEN
        claims := rampart_auth.renew_proof(challenge.session_id, shown, jti, access_seconds);
    ELSE
        claims := rampart_auth.open_session(account, challenge.org_id, '{pwd}' || shown, request.ip, request.user_agent,
                                            token_hash, jti, access_seconds, refresh_days, session_days, tell);
    END IF;
    IF device IS NOT NULL THEN
        INSERT INTO rampart_auth.trusted_device (account_id, hash, ip, user_agent, expires_at)
        VALUES (account, device, request.ip, request.user_agent, now() + interval '14 days');
        PERFORM rampart_auth.record('auth.device_trusted', jsonb_build_object('account', account));
    END IF;
    IF method = 'backup' THEN
        PERFORM rampart_auth.tell_factor_change(account, 'auth.mfa_backup_used', 'a backup code was used', jsonb_build_object('left', (
            SELECT count(*) FROM rampart_auth.mfa_backup_code b WHERE b.account_id = account AND b.used_at IS NULL)));
    END IF;
    RETURN jsonb_build_object('outcome', 'ok', 'claims', claims, 'renewed', challenge.session_id IS NOT NULL);
END
$$;

CREATE FUNCTION rampart_auth.accept_factor(challenge bytea, method text, step int8, selector text, token_hash bytea, jti text, access_seconds int,
                                           refresh_days int, session_days int, tell bool, device bytea DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun CONSTANT rampart_auth.mfa_challenge := rampart_auth.open_challenge(challenge);
BEGIN
    IF method NOT IN ('totp', 'backup') OR NOT rampart_auth.use_factor(begun.account_id, method, step, selector) THEN
        RETURN rampart_auth.attempt_failed(begun.account_id, method);
    END IF;
    RETURN rampart_auth.end_challenge(begun, method, token_hash, jti, access_seconds, refresh_days, session_days, tell, device);
END
$$;
COMMENT ON FUNCTION rampart_auth.accept_factor(bytea, text, int8, text, bytea, text, int, int, int, bool, bytea) IS
'The attempt was right: ends the challenge and opens the session, as accept_login does, or renews the proof of the one that asked (renewed). A code that was used before is refused. device: SHA-256 of the cookie of a device to be trusted for 14 days. Errors: RMU30, RMU05.';

GRANT EXECUTE ON FUNCTION rampart_auth.find_factor, rampart_auth.accept_factor, rampart_auth.refuse_factor TO rampartd;
