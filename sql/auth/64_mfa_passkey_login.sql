-- Login by a passkey alone: nobody is asked for a name, nor for a password. Whoever has the passkey and was verified by it
-- has shown two factors.
SET ROLE rampart_auth;

CREATE TABLE rampart_auth.passkey_login (
    hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
    webauthn   bytea NOT NULL CHECK (length(webauthn) = 32),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE rampart_auth.passkey_login IS
'Logins by passkey that were begun, by SHA-256 of the id that the client has: nobody''s yet. They are no mfa_challenge, which takes the other factors of its account as well.';
CREATE INDEX passkey_login_expiry ON rampart_auth.passkey_login (expires_at);

CREATE FUNCTION rampart_auth.begin_passkey_login(challenge bytea, webauthn bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart_auth.passkey_login (hash, webauthn, expires_at) VALUES (challenge, begin_passkey_login.webauthn, now() + interval '5 minutes');
    RETURN jsonb_build_object('expires_in', 300);
END
$$;
COMMENT ON FUNCTION rampart_auth.begin_passkey_login(bytea, bytea) IS
'Keeps for five minutes what an authenticator has to sign; challenge: SHA-256 of the id that the login will be ended by. {expires_in}.';

CREATE FUNCTION rampart_auth.owner_of_passkey(credential_id bytea) RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT f.account_id FROM rampart_auth.webauthn_credential c JOIN rampart_auth.mfa_factor f ON f.id = c.factor_id
        WHERE c.credential_id = owner_of_passkey.credential_id AND f.confirmed_at IS NOT NULL);
END
$$;
COMMENT ON FUNCTION rampart_auth.owner_of_passkey(bytea) IS 'Whose account a passkey logs in to. NULL: nobody''s.';

CREATE FUNCTION rampart_auth.find_passkey(challenge bytea, credential_id bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT uuid := rampart_auth.owner_of_passkey(credential_id);
    taken bytea;
    locked int;
BEGIN
    DELETE FROM rampart_auth.passkey_login l WHERE l.hash = challenge AND l.expires_at > now() RETURNING l.webauthn INTO taken;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the login was not begun, or has ended' USING ERRCODE = 'RMU30', HINT = 'Begin again.';
    END IF;
    PERFORM rampart_auth.as_actor(owner::text);
    IF owner IS NOT NULL THEN
        locked := rampart_auth.take_attempt(owner);
        IF locked > 0 THEN
            RETURN jsonb_build_object('outcome', 'locked', 'locked', locked);
        END IF;
    END IF;
    RETURN jsonb_build_object('outcome', 'ok', 'webauthn', encode(taken, 'base64'), 'account', owner)
        || coalesce(rampart_auth.hold_credential(owner, credential_id), '{}');
END
$$;
COMMENT ON FUNCTION rampart_auth.find_passkey(bytea, bytea) IS
'Ends what begin_passkey_login began, takes an attempt of the passkey''s owner, and returns what to judge the assertion by: {outcome: ok, webauthn, account} and what hold_credential says, which is nothing where nobody has the passkey; {outcome: locked, locked: seconds}. Errors: RMU30.';

CREATE FUNCTION rampart_auth.accept_passkey(credential_id bytea, counter int8, backed_up bool, org uuid, token_hash bytea, jti text,
                                            access_seconds int, refresh_days int, session_days int, tell bool) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    request CONSTANT record := rampart_auth.context();
    owner CONSTANT uuid := rampart_auth.owner_of_passkey(credential_id);
    copied CONSTANT bool := rampart_auth.use_credential(owner, credential_id, counter, backed_up, true);
    candidate rampart_auth.account;
    bar jsonb;
BEGIN
    IF copied IS NULL THEN
        RETURN rampart_auth.attempt_failed(owner, 'passkey');
    END IF;
    PERFORM rampart_auth.act_as_server();
    PERFORM rampart_auth.attempt_succeeded(owner);
    SELECT a.* INTO candidate FROM rampart_auth.account a WHERE a.id = owner FOR NO KEY UPDATE;
    bar := rampart_auth.bar_of(candidate, request.ip);
    IF bar IS NOT NULL THEN
        RETURN bar;
    END IF;
    PERFORM rampart_auth.as_actor(owner::text, coalesce(org, rampart_auth.default_org(owner)));
    PERFORM rampart_auth.record('auth.mfa_success', jsonb_build_object('account', owner, 'method', 'passkey'));
    RETURN jsonb_build_object('outcome', 'ok', 'renewed', false, 'claims', rampart_auth.open_session(
        owner, org, rampart_auth.amr_of('webauthn', copied) || '{user}', request.ip, request.user_agent,
        token_hash, jti, access_seconds, refresh_days, session_days, tell));
END
$$;
COMMENT ON FUNCTION rampart_auth.accept_passkey(bytea, int8, bool, uuid, bytea, text, int, int, int, bool) IS
'The assertion was right, and its user verified: keeps the counter and opens the owner''s session, as accept_login does: {outcome: ok, claims}, or locked, unverified, awaiting_approval, disabled. Errors: RMU05.';

CREATE FUNCTION rampart_auth.refuse_passkey(credential_id bytea, reason text, ip_allowed int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT uuid := rampart_auth.owner_of_passkey(credential_id);
BEGIN
    PERFORM rampart_auth.count_failure(rampart_auth.address_key((rampart_auth.context()).ip), ip_allowed, interval '1 minute');
    IF owner IS NULL THEN
        PERFORM rampart_auth.record('auth.login_failure', jsonb_build_object('account', owner, 'method', 'passkey: ' || reason));
        RETURN '{"outcome": "refused"}';
    END IF;
    RETURN rampart_auth.attempt_failed(owner, 'passkey: ' || reason);
END
$$;
COMMENT ON FUNCTION rampart_auth.refuse_passkey(bytea, text, int) IS
'The assertion was wrong: a failure of the client address, and of the passkey''s owner. {outcome: refused}.';

GRANT EXECUTE ON FUNCTION rampart_auth.begin_passkey_login, rampart_auth.find_passkey, rampart_auth.accept_passkey, rampart_auth.refuse_passkey TO rampartd;
