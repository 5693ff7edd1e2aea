-- Login by password. The server verifies the password between two calls: one that says what to verify it against, one that
-- takes the outcome. Failures are counted for addresses that nobody has as for others.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.throttle_key(kind text, value text) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN rampart.blind_index('pii', value, 'rampart_auth.throttle.' || kind);
END
$$;

CREATE FUNCTION rampart_auth.address_key(ip inet) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN rampart_auth.throttle_key('ip', rampart_auth.address_of(ip)::text);
END
$$;
COMMENT ON FUNCTION rampart_auth.address_key(inet) IS 'Under which the failures of a client address are counted.';

CREATE FUNCTION rampart_auth.locked_seconds(email text, ip inet) RETURNS int
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(ceil(extract(epoch FROM max(t.locked_until) - clock_timestamp())), 0)::int FROM rampart_auth.throttle t
        WHERE t.key IN (rampart_auth.throttle_key('email', email), rampart_auth.address_key(ip))
          AND t.locked_until > clock_timestamp());
END
$$;

CREATE FUNCTION rampart_auth.count_failure(throttle_key bytea, allowed int, pause interval) RETURNS rampart_auth.throttle
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    counted rampart_auth.throttle;
BEGIN
    INSERT INTO rampart_auth.throttle AS t (key, failures) VALUES (throttle_key, 1)
    ON CONFLICT ON CONSTRAINT throttle_pkey DO UPDATE SET
        failures = CASE WHEN t.last_failure < now() - interval '15 minutes' THEN 1 ELSE t.failures + 1 END,
        lockouts = CASE WHEN t.last_failure < now() - interval '1 day' THEN 0 ELSE t.lockouts END,
        last_failure = now()
    WHERE coalesce(t.locked_until <= clock_timestamp(), true)
    RETURNING * INTO counted;
    IF counted.failures >= allowed THEN
        UPDATE rampart_auth.throttle t SET failures = 0, lockouts = t.lockouts + 1,
            locked_until = clock_timestamp() + least(pause * 2 ^ least(t.lockouts, 20), interval '1 day')
        WHERE t.key = throttle_key RETURNING * INTO counted;
    ELSE
        counted.locked_until := NULL;
    END IF;
    RETURN counted;
END
$$;
COMMENT ON FUNCTION rampart_auth.count_failure(bytea, int, interval) IS
'Counts a failure, unless locked already. The last one allowed locks, for a pause that doubles each time, up to a day; locked_until says whether it did.';

CREATE FUNCTION rampart_auth.find_login(email text, ip inet, device bytea, period int, per_address int, per_network int) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate record;
BEGIN
    SELECT a.id, a.password_hash INTO candidate FROM rampart_auth.account a WHERE a.email = find_login.email;
    RETURN jsonb_build_object('locked', greatest(rampart_auth.locked_seconds(email, ip),
                                                 rampart_auth.attack_seconds(candidate.id, ip, device, period, per_address, per_network)))
        || CASE WHEN candidate.id IS NULL THEN '{}' ELSE jsonb_build_object('account', candidate.id, 'hash', candidate.password_hash) END;
END
$$;
COMMENT ON FUNCTION rampart_auth.find_login(text, inet, bytea, int, int, int) IS
'What to verify a password against: {account, hash}, without both where nobody has the address; locked: seconds that logins are refused for, of the address, the account, or because of an attack (attack_seconds).';

CREATE FUNCTION rampart_auth.refuse_login(email text, ip inet, allowed int, pause_minutes int, ip_allowed int, period int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account uuid;
    by_email rampart_auth.throttle;
    by_ip rampart_auth.throttle;
BEGIN
    SELECT a.id INTO account FROM rampart_auth.account a WHERE a.email = refuse_login.email;
    by_ip := rampart_auth.count_failure(rampart_auth.address_key(ip), ip_allowed, interval '1 minute');
    by_email := rampart_auth.count_failure(rampart_auth.throttle_key('email', email), allowed, pause_minutes * interval '1 minute');
    PERFORM rampart_auth.count_failed_login(ip, period);
    PERFORM rampart_auth.as_actor(account::text);
    PERFORM rampart_auth.record('auth.login_failure', jsonb_build_object(
        'account', account, 'email_hash', encode(rampart_auth.throttle_key('email', email), 'hex'), 'failures', by_email.failures));
    IF by_email.locked_until IS NOT NULL THEN
        PERFORM rampart_auth.record('auth.lockout', jsonb_build_object('account', account, 'until', by_email.locked_until));
        IF account IS NOT NULL THEN
            PERFORM rampart_auth.enqueue_mail(email, 'account-locked', jsonb_build_object(
                'minutes', ceil(extract(epoch FROM by_email.locked_until - clock_timestamp()) / 60), 'ip', host(ip)));
        END IF;
    END IF;
    RETURN jsonb_build_object('locked', rampart_auth.locked_seconds(email, ip));
END
$$;
COMMENT ON FUNCTION rampart_auth.refuse_login(text, inet, int, int, int, int) IS 'Counts a login that failed; locks the account after so many, for longer each time. {locked: seconds}.';

CREATE FUNCTION rampart_auth.default_org(account uuid) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT m.org_id FROM rampart_auth.membership m JOIN rampart_auth.organisation o ON o.id = m.org_id AND o.deleted_at IS NULL
        WHERE m.account_id = account ORDER BY m.since, m.org_id LIMIT 1);
END
$$;

CREATE FUNCTION rampart_auth.device_of(user_agent text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN regexp_replace(coalesce(user_agent, ''), '[0-9._]+', '', 'g');
END
$$;
COMMENT ON FUNCTION rampart_auth.device_of(text) IS 'A user agent without its version numbers, which change every few weeks.';

CREATE FUNCTION rampart_auth.provider_of(ip inet) RETURNS inet
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 16 ELSE 32 END));
END
$$;
COMMENT ON FUNCTION rampart_auth.provider_of(inet) IS 'About the provider that an address belongs to: phones change their address all day.';

CREATE FUNCTION rampart_auth.is_unfamiliar(account uuid, ip inet, user_agent text) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    device CONSTANT text := rampart_auth.device_of(user_agent);
    network CONSTANT inet := rampart_auth.provider_of(ip);
    knows_device bool := false;
    knows_network bool := false;
    earlier record;
BEGIN
    IF NOT EXISTS (SELECT FROM rampart_auth.account a WHERE a.id = account AND a.last_login_at IS NOT NULL) THEN
        RETURN false;
    END IF;
    -- The latest first, and no more than are needed: most logins are like the one before.
    FOR earlier IN SELECT s.ip, s.user_agent FROM rampart_auth.session s WHERE s.account_id = account ORDER BY s.id DESC LIMIT 100 LOOP
        knows_device := knows_device OR rampart_auth.device_of(earlier.user_agent) = device;
        knows_network := knows_network OR rampart_auth.provider_of(earlier.ip) IS NOT DISTINCT FROM network;
        EXIT WHEN knows_device AND knows_network;
    END LOOP;
    RETURN NOT (knows_device AND knows_network);
END
$$;
COMMENT ON FUNCTION rampart_auth.is_unfamiliar(uuid, inet, text) IS
'Whether none of an account''s last hundred sessions was from this device, or none from this network. False at its first login.';

CREATE FUNCTION rampart_auth.open_session(account uuid, org uuid, amr text[], ip inet, user_agent text, token_hash bytea, jti text,
                                          access_seconds int, refresh_days int, session_days int, tell bool) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session uuid;
    place CONSTANT uuid := coalesce(org, rampart_auth.default_org(account));
BEGIN
    IF tell AND rampart_auth.is_unfamiliar(account, ip, user_agent) THEN
        PERFORM rampart_auth.enqueue_mail((SELECT a.email::text FROM rampart_auth.account a WHERE a.id = account), 'new-login',
            jsonb_build_object('ip', coalesce(host(ip), 'unknown'), 'what', coalesce(user_agent, 'a program without a name')));
    END IF;
    INSERT INTO rampart_auth.session (account_id, org_id, expires_at, ip, user_agent, amr)
    VALUES (account, place, now() + session_days * interval '1 day', open_session.ip, left(open_session.user_agent, 500), open_session.amr)
    RETURNING id INTO session;
    INSERT INTO rampart_auth.refresh_token (hash, session_id, expires_at)
    VALUES (token_hash, session, now() + least(refresh_days, session_days) * interval '1 day');
    INSERT INTO rampart_auth.issued_token (jti, session_id, expires_at)
    VALUES (open_session.jti, session, now() + access_seconds * interval '1 second');
    UPDATE rampart_auth.account a SET last_login_at = now() WHERE a.id = account;
    PERFORM rampart_auth.know_address(account, ip);
    PERFORM rampart_auth.as_actor(account::text, place);
    PERFORM rampart_auth.record('auth.login_success', jsonb_build_object('session', session, 'amr', amr));
    RETURN rampart_auth.claims_of_session(session, place);
END
$$;
COMMENT ON FUNCTION rampart_auth.open_session(uuid, uuid, text[], inet, text, bytea, text, int, int, int, bool) IS
'Begins a session and its first refresh token (SHA-256); returns the claims of the access token. org NULL: the account''s first. tell: whether the account gets a mail where the login is_unfamiliar. Errors: RMU05.';

CREATE FUNCTION rampart_auth.bar_of(candidate rampart_auth.account, ip inet) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    locked CONSTANT int := rampart_auth.locked_seconds(candidate.email::text, ip);
BEGIN
    IF locked > 0 THEN
        RETURN jsonb_build_object('outcome', 'locked', 'locked', locked);
    ELSIF candidate.status <> 'active' THEN
        PERFORM rampart_auth.as_actor(candidate.id::text);
        PERFORM rampart_auth.record('auth.login_failure', jsonb_build_object('account', candidate.id, 'status', candidate.status));
        RETURN jsonb_build_object('outcome', candidate.status);
    END IF;
    DELETE FROM rampart_auth.throttle t WHERE t.key = rampart_auth.throttle_key('email', candidate.email::text);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.bar_of(rampart_auth.account, inet) IS
'What keeps somebody out who has shown who they are, by whatever means: {outcome: locked, locked: seconds}, or {outcome: status} of an account that is not active. NULL: nothing, and former failures are forgotten.';

CREATE FUNCTION rampart_auth.accept_login(account uuid, old_hash text, new_hash text, org uuid, ip inet, user_agent text, token_hash bytea, jti text,
                                          access_seconds int, refresh_days int, session_days int, tell bool, challenge bytea,
                                          device bytea DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate rampart_auth.account;
    bar jsonb;
    second_step jsonb;
    claims jsonb;
BEGIN
    PERFORM rampart_auth.act_as_server();
    SELECT a.* INTO candidate FROM rampart_auth.account a WHERE a.id = account FOR NO KEY UPDATE;
    IF NOT FOUND OR candidate.password_hash IS DISTINCT FROM old_hash THEN
        RETURN '{"outcome": "changed"}';
    END IF;
    -- Also of a lock: others may have failed while this password was being verified.
    bar := rampart_auth.bar_of(candidate, ip);
    IF bar IS NOT NULL THEN
        RETURN bar;
    END IF;
    IF new_hash IS NOT NULL THEN
        UPDATE rampart_auth.account a SET password_hash = new_hash WHERE a.id = account;
    END IF;
    second_step := rampart_auth.second_step(account, org, challenge, device);
    IF second_step IS NOT NULL THEN
        RETURN second_step;
    END IF;
    claims := rampart_auth.open_session(account, org, '{pwd}', ip, user_agent, token_hash, jti, access_seconds, refresh_days, session_days, tell);
    IF rampart_auth.has_factor(account) THEN
        UPDATE rampart_auth.session s SET proved_at = '-infinity' WHERE s.id = (claims ->> 'sid')::uuid;
    END IF;
    RETURN jsonb_build_object('outcome', 'ok', 'claims', claims);
END
$$;
COMMENT ON FUNCTION rampart_auth.accept_login(uuid, text, text, uuid, inet, text, bytea, text, int, int, int, bool, bytea, bytea) IS
'Logs in whose password was right: {outcome: ok, claims}, {outcome: mfa, methods, expires_in} where a second factor must follow (challenge: SHA-256 of the id it will be asked by; device: of the cookie of a trusted device), or locked, unverified, awaiting_approval, disabled, or changed: old_hash, which was verified against, is the account''s no more. new_hash: the password hashed anew, where its parameters had risen. Errors: RMU05.';

GRANT EXECUTE ON FUNCTION rampart_auth.find_login, rampart_auth.refuse_login, rampart_auth.accept_login TO rampartd;
