-- Passkeys and security keys (WebAuthn). The server judges what authenticators sign; here stands which credentials there
-- are, and each challenge is given out and taken once.
SET ROLE rampart_auth;

CREATE TABLE rampart_auth.webauthn_credential (
    factor_id       uuid PRIMARY KEY REFERENCES rampart_auth.mfa_factor ON DELETE CASCADE,
    credential_id   bytea NOT NULL UNIQUE CHECK (length(credential_id) BETWEEN 1 AND 1023),
    public_key      bytea NOT NULL,
    algorithm       int4 NOT NULL CHECK (algorithm IN (-7, -8, -257)),
    aaguid          bytea NOT NULL,
    counter         int8 NOT NULL,
    backup_eligible bool NOT NULL,
    backed_up       bool NOT NULL,
    user_verified   bool NOT NULL
);
COMMENT ON TABLE rampart_auth.webauthn_credential IS 'Public keys of authenticators: one each of the factors of this method.';
COMMENT ON COLUMN rampart_auth.webauthn_credential.user_verified IS
'Whether it has verified its user at registration, or beside a password since. Only then it logs in alone: to a key without a PIN, whoever finds it can give one.';

ALTER TABLE rampart_auth.mfa_challenge ADD COLUMN webauthn bytea CHECK (length(webauthn) = 32);
COMMENT ON COLUMN rampart_auth.mfa_challenge.webauthn IS 'What an authenticator has to sign: public, random, and taken once.';

CREATE FUNCTION rampart_auth.credentials_of(account uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(translate(encode(c.credential_id, 'base64'), E'\n', '')), '[]')
    FROM rampart_auth.webauthn_credential c JOIN rampart_auth.mfa_factor f ON f.id = c.factor_id WHERE f.account_id = account
$$;

CREATE FUNCTION rampart_auth.begin_registration(webauthn bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    session CONSTANT uuid := (rampart_auth.my_session()).id;
BEGIN
    INSERT INTO rampart_auth.mfa_challenge AS c (hash, account_id, session_id, webauthn, expires_at, ended_at)
    VALUES (sha256('webauthn' || uuid_send(session)), account, session, begin_registration.webauthn, now() + interval '5 minutes', now())
    ON CONFLICT ON CONSTRAINT mfa_challenge_pkey DO UPDATE SET webauthn = excluded.webauthn, expires_at = excluded.expires_at;
    PERFORM rampart_auth.record('auth.mfa_setup', jsonb_build_object('account', account, 'method', 'webauthn'));
    RETURN (SELECT jsonb_build_object('account', a.id, 'email', a.email::text, 'name', coalesce(a.name::text, a.email::text),
                                      'credentials', rampart_auth.credentials_of(a.id))
            FROM rampart_auth.account a WHERE a.id = account);
END
$$;
COMMENT ON FUNCTION rampart_auth.begin_registration(bytea) IS
'Keeps a challenge of five minutes for a new passkey, and says whom it is for and which they have. Errors: RMU31, RMU02.';

CREATE FUNCTION rampart_auth.take_registration() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    taken bytea;
BEGIN
    DELETE FROM rampart_auth.mfa_challenge c
    WHERE c.hash = sha256('webauthn' || uuid_send((rampart_auth.my_session()).id)) AND c.account_id = account AND c.expires_at > now()
    RETURNING c.webauthn INTO taken;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no registration was begun, or it has ended' USING ERRCODE = 'RMU30';
    END IF;
    RETURN jsonb_build_object('webauthn', encode(taken, 'base64'));
END
$$;
COMMENT ON FUNCTION rampart_auth.take_registration() IS 'The challenge of begin_registration: it is used up. Errors: RMU30, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.add_credential(name text, credential_id bytea, public_key bytea, algorithm int, aaguid bytea, counter int8,
                                            backup_eligible bool, backed_up bool, user_verified bool, codes jsonb, jti text,
                                            access_seconds int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
    first CONSTANT bool := NOT rampart_auth.has_factor(account);
    factor uuid;
BEGIN
    IF EXISTS (SELECT FROM rampart_auth.webauthn_credential c WHERE c.credential_id = add_credential.credential_id) THEN
        RAISE EXCEPTION 'this authenticator is registered already' USING ERRCODE = 'RMU04';
    ELSIF (SELECT count(*) FROM rampart_auth.mfa_factor f WHERE f.account_id = account AND f.method = 'webauthn') >= 20 THEN
        RAISE EXCEPTION 'twenty authenticators are the most' USING ERRCODE = 'RMU13';
    END IF;
    INSERT INTO rampart_auth.mfa_factor (account_id, method, name) VALUES (account, 'webauthn', add_credential.name) RETURNING id INTO factor;
    INSERT INTO rampart_auth.webauthn_credential
    VALUES (factor, add_credential.credential_id, add_credential.public_key, add_credential.algorithm, add_credential.aaguid,
            add_credential.counter, add_credential.backup_eligible, add_credential.backed_up, add_credential.user_verified);
    IF first THEN
        PERFORM rampart_auth.keep_backup_codes(account, codes);
    END IF;
    RETURN rampart_auth.confirm_factor(account, 'webauthn', NULL, jti, access_seconds, add_credential.backup_eligible)
        || jsonb_build_object('id', factor, 'backup_codes', first);
END
$$;
COMMENT ON FUNCTION rampart_auth.add_credential(text, bytea, bytea, int, bytea, int8, bool, bool, bool, jsonb, text, int) IS
'Registers an authenticator that the server has verified. As set_up_totp and confirm_factor, for it counts at once: {outcome, claims, id, backup_codes}. Errors: RMU04 registered already, RMU13 too many, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.begin_assertion(challenge bytea, webauthn bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun CONSTANT rampart_auth.mfa_challenge := rampart_auth.open_challenge(challenge);
    credentials CONSTANT jsonb := rampart_auth.credentials_of(begun.account_id);
BEGIN
    IF credentials = '[]' THEN
        RAISE EXCEPTION 'this account has no passkeys' USING ERRCODE = 'RMU32';
    END IF;
    UPDATE rampart_auth.mfa_challenge c SET webauthn = begin_assertion.webauthn WHERE c.hash = challenge;
    RETURN jsonb_build_object('credentials', credentials);
END
$$;
COMMENT ON FUNCTION rampart_auth.begin_assertion(bytea, bytea) IS 'Gives a login something for an authenticator to sign. Errors: RMU30, RMU32 the account has none.';

CREATE FUNCTION rampart_auth.hold_credential(account uuid, credential_id bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object('public_key', encode(c.public_key, 'base64'), 'algorithm', c.algorithm, 'counter', c.counter,
                                  'backup_eligible', c.backup_eligible, 'backed_up', c.backed_up, 'user_verified', c.user_verified)
        FROM rampart_auth.webauthn_credential c JOIN rampart_auth.mfa_factor f ON f.id = c.factor_id
        WHERE f.account_id = account AND c.credential_id = hold_credential.credential_id FOR UPDATE OF c);
END
$$;
COMMENT ON FUNCTION rampart_auth.hold_credential(uuid, bytea) IS
'Locks one of an account''s credentials until its assertion was judged, and returns what to judge it by: {public_key, algorithm, counter, backup_eligible, backed_up, user_verified}, in base64. NULL: the account has no such credential.';

CREATE FUNCTION rampart_auth.use_credential(account uuid, credential_id bytea, counter int8, backed_up bool, user_verified bool,
                                            OUT copied bool)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH used AS (
        UPDATE rampart_auth.webauthn_credential c SET counter = use_credential.counter, backed_up = use_credential.backed_up,
            user_verified = c.user_verified OR use_credential.user_verified
        FROM rampart_auth.mfa_factor f
        WHERE f.id = c.factor_id AND f.account_id = account AND c.credential_id = use_credential.credential_id
          AND (use_credential.counter > c.counter OR (use_credential.counter = 0 AND c.counter = 0))
        RETURNING c.factor_id, c.backup_eligible)
    UPDATE rampart_auth.mfa_factor f SET last_used_at = now() FROM used WHERE f.id = used.factor_id
    RETURNING used.backup_eligible INTO copied;
END
$$;
COMMENT ON FUNCTION rampart_auth.use_credential(uuid, bytea, int8, bool, bool) IS
'An assertion was right: keeps the counter, which never falls. copied: whether the key may be on several devices; NULL, there is no such credential any more.';

CREATE FUNCTION rampart_auth.find_credential(challenge bytea, credential_id bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt record;
    begun rampart_auth.mfa_challenge;
BEGIN
    SELECT * INTO attempt FROM rampart_auth.attempt_challenge(challenge);
    IF attempt.refusal IS NOT NULL THEN
        RETURN attempt.refusal;
    END IF;
    begun := attempt.begun;
    UPDATE rampart_auth.mfa_challenge c SET webauthn = NULL WHERE c.hash = challenge;
    RETURN jsonb_build_object('outcome', 'ok', 'webauthn', encode(begun.webauthn, 'base64'))
        || coalesce(rampart_auth.hold_credential(begun.account_id, credential_id), '{}');
END
$$;
COMMENT ON FUNCTION rampart_auth.find_credential(bytea, bytea) IS
'Takes an attempt and the challenge of begin_assertion, and returns what to judge the assertion by: {outcome: ok, webauthn} and what hold_credential says; as find_factor otherwise. Errors: RMU30.';

CREATE FUNCTION rampart_auth.accept_assertion(challenge bytea, credential_id bytea, counter int8, backed_up bool, user_verified bool, token_hash bytea, jti text,
                                              access_seconds int, refresh_days int, session_days int, tell bool, device bytea DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun CONSTANT rampart_auth.mfa_challenge := rampart_auth.open_challenge(challenge);
    copied CONSTANT bool := rampart_auth.use_credential(begun.account_id, credential_id, counter, backed_up, user_verified);
BEGIN
    IF copied IS NULL THEN
        RETURN rampart_auth.attempt_failed(begun.account_id, 'webauthn');
    END IF;
    RETURN rampart_auth.end_challenge(begun, 'webauthn', token_hash, jti, access_seconds, refresh_days, session_days, tell, device, copied);
END
$$;
COMMENT ON FUNCTION rampart_auth.accept_assertion(bytea, bytea, int8, bool, bool, bytea, text, int, int, int, bool, bytea) IS
'The assertion was right: as accept_factor, and keeps the new counter. Errors: RMU30, RMU05.';

GRANT EXECUTE ON FUNCTION rampart_auth.begin_registration, rampart_auth.take_registration, rampart_auth.add_credential,
    rampart_auth.begin_assertion, rampart_auth.find_credential, rampart_auth.accept_assertion TO rampartd;
