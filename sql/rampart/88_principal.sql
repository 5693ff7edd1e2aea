-- Whom a transaction works for: set by a token that is verified here, or by a role whose word is taken; read by
-- policies. extension/pg/principal holds it. And the keys that tokens are verified with, and tokens that were revoked.

CREATE FUNCTION rampart.set_principal(token text) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_set_principal' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.set_principal(text) IS
'Verifies a signed access token (JWT in compact form) by the keys of rampart.add_token_key, and makes this transaction work for whom it names: signature, issuer, audience, expiry, type and revocation are checked. Ends with the transaction, and with a savepoint it was set under. Of no effect outside of a transaction block. A token that is refused is an event token.refused. Errors: RMP08, 54000 for more than 16 kB.';

CREATE FUNCTION rampart.trust_principal(claims jsonb) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_trust_principal' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.trust_principal(jsonb) IS
'Makes this transaction work for whom these claims say, without a token: {"sub": "ada", "org": "acme", "roles": ["EDITOR"], "teams": [], "scopes": [], "api_key": false}; sub is required. Ends as with set_principal. Grant it to roles whose word is to be taken: GRANT EXECUTE ON FUNCTION rampart.trust_principal TO app. Errors: 22023, 54000 for more than 16 kB.';

CREATE FUNCTION rampart.reset_principal() RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_reset_principal' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.reset_principal() IS 'From here to the end of the transaction it works for nobody.';

CREATE FUNCTION rampart.principal() RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rampart_principal' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.principal() IS
'The claims of whom this transaction works for: sub, org, roles, teams, scopes, api_key, and of a token iss, jti, sid, exp. NULL: nobody.';

CREATE FUNCTION rampart.subject() RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_subject' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.subject() IS 'Whom this transaction works for; NULL: nobody.';

CREATE FUNCTION rampart.org() RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_org' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.org() IS
'The organisation that this transaction works in, for policies: USING (org_id = (SELECT rampart.org())). NULL: none.';

-- Keys of tokens -------------------------------------------------------------------------------------------

-- extension/pg/principal/token_keys.cpp reads it by column number.
CREATE TABLE rampart.token_key (
    kid         text COLLATE "C" PRIMARY KEY CHECK (kid <> '' AND length(kid) <= 255),
    algorithm   text NOT NULL CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256', 'HS256')),
    public_key  bytea,
    secret      bytea,
    wrapped_by  int8,
    issuer      text NOT NULL,
    audience    text NOT NULL,
    leeway      int4 NOT NULL CHECK (leeway BETWEEN 0 AND 60),
    access_only bool NOT NULL,
    valid_from  timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((algorithm = 'HS256') = (public_key IS NULL)),
    CHECK ((secret IS NULL) = (public_key IS NOT NULL) AND (secret IS NULL) = (wrapped_by IS NULL))
);
COMMENT ON TABLE rampart.token_key IS 'The keys that access tokens are verified with. rampart.add_token_key and drop_token_key change it.';
COMMENT ON COLUMN rampart.token_key.public_key IS 'SubjectPublicKeyInfo in DER.';
COMMENT ON COLUMN rampart.token_key.secret IS 'A secret of HS256, encrypted under the key of purpose token in rampart.key that wrapped_by names.';
COMMENT ON COLUMN rampart.token_key.leeway IS 'Seconds that the issuer''s clock may differ by.';
COMMENT ON COLUMN rampart.token_key.access_only IS 'Whether tokens have to be of type at+jwt (RFC 9068).';
SELECT pg_extension_config_dump('rampart.token_key', '');

CREATE TRIGGER token_key_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rampart.token_key
    EXECUTE FUNCTION rampart.keyring_changed();
-- Logical apply fires row triggers only, and only those that are ALWAYS enabled.
CREATE TRIGGER token_key_row_changed AFTER INSERT OR UPDATE OR DELETE ON rampart.token_key
    FOR EACH ROW EXECUTE FUNCTION rampart.keyring_changed();
ALTER TABLE rampart.token_key ENABLE ALWAYS TRIGGER token_key_changed;
ALTER TABLE rampart.token_key ENABLE ALWAYS TRIGGER token_key_row_changed;

CREATE FUNCTION rampart.token_public_key(algorithm text, key text) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_token_public_key' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.token_public_key(text, text) IS
'The public key of a PEM or JWK as SubjectPublicKeyInfo; NULL for HS256. Errors: 22023.';
CREATE FUNCTION rampart.seal_token_secret(kid text, secret text, key_id int8, version int4, wrapped bytea, root_key int8) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_seal_token_secret' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.seal_token_secret(text, text, int8, int4, bytea, int8) IS
'A secret of HS256 (text or a JWK) as rampart.token_key has it. Errors: 22023, RMK02, RMK05, RMK06.';

CREATE FUNCTION rampart.add_token_key(kid text, algorithm text, key text, issuer text, audience text, leeway int DEFAULT 30,
                                      access_only bool DEFAULT false, valid_from timestamptz DEFAULT '-infinity',
                                      valid_until timestamptz DEFAULT 'infinity') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Before anything can fail: it keeps the statement out of the log.
    public_key CONSTANT bytea := rampart.token_public_key(add_token_key.algorithm, add_token_key.key);
    wrapping rampart.key;
    secret bytea;
BEGIN
    IF kid IS NULL OR kid = '' OR length(kid) > 255 THEN
        RAISE EXCEPTION 'a kid has 1 to 255 characters' USING ERRCODE = '22023';
    ELSIF algorithm IS NULL OR key IS NULL OR issuer IS NULL OR audience IS NULL OR access_only IS NULL
          OR valid_from IS NULL OR valid_until IS NULL THEN
        RAISE EXCEPTION 'a token key needs an algorithm, a key, an issuer and an audience' USING ERRCODE = '22023';
    ELSIF leeway IS NULL OR leeway NOT BETWEEN 0 AND 60 THEN
        RAISE EXCEPTION 'a leeway is 0 to 60 seconds' USING ERRCODE = '22023';
    END IF;
    LOCK TABLE rampart.token_key IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM rampart.token_key t WHERE t.kid = add_token_key.kid) THEN
        RAISE EXCEPTION 'token key "%" already exists', kid USING ERRCODE = 'RMP09',
            HINT = 'rampart.drop_token_key() removes it. A new key has a kid of its own.';
    END IF;
    IF public_key IS NULL THEN
        IF NOT EXISTS (SELECT FROM rampart.key k WHERE k.purpose = 'token' AND k.state = 'active') THEN
            PERFORM rampart.add_key('', 'token',
                (SELECT coalesce(max(k.version), 0) + 1 FROM rampart.key k WHERE k.purpose = 'token'));
        END IF;
        SELECT * INTO STRICT wrapping FROM rampart.key k WHERE k.purpose = 'token' AND k.state = 'active';
        secret := rampart.seal_token_secret(kid, key, wrapping.id, wrapping.version, wrapping.wrapped, wrapping.root_key);
    END IF;
    INSERT INTO rampart.token_key AS t (kid, algorithm, public_key, secret, wrapped_by, issuer, audience, leeway, access_only,
                                        valid_from, valid_until)
    VALUES (add_token_key.kid, CASE add_token_key.algorithm WHEN 'Ed25519' THEN 'EdDSA' ELSE add_token_key.algorithm END,
            public_key, secret, wrapping.id, add_token_key.issuer, add_token_key.audience, add_token_key.leeway,
            add_token_key.access_only, add_token_key.valid_from, add_token_key.valid_until);
    PERFORM rampart.write_event('token.key_added', NULL, NULL, NULL, NULL, jsonb_build_object(
        'kid', kid, 'algorithm', algorithm, 'issuer', issuer, 'audience', audience));
END
$$;
COMMENT ON FUNCTION rampart.add_token_key(text, text, text, text, text, int, bool, timestamptz, timestamptz) IS
'Has tokens believed that this key signs: rampart.add_token_key(''2026-01'', ''ES256'', ''-----BEGIN PUBLIC KEY-----...'', issuer => ''https://id.example.com'', audience => ''orders''). algorithm: EdDSA, ES256, RS256 or HS256, for this key and no other; key: its public key as PEM or JWK, or for HS256 the secret (32 bytes at least), which is stored encrypted. leeway: seconds that clocks may differ by, at most 60. access_only: only tokens of type at+jwt. Recorded. Errors: 22023, RMP09 (the kid is taken), RMK05 (HS256 without a root key).';

CREATE FUNCTION rampart.drop_token_key(kid text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart.token_key t WHERE t.kid = drop_token_key.kid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'token key "%" does not exist', coalesce(kid, 'NULL') USING ERRCODE = 'RMP09';
    END IF;
    PERFORM rampart.write_event('token.key_removed', NULL, NULL, NULL, NULL, jsonb_build_object('kid', kid));
END
$$;
COMMENT ON FUNCTION rampart.drop_token_key(text) IS
'Has no token believed any more that this key signed; in every session at commit. Recorded. Errors: RMP09.';

CREATE VIEW rampart.token_keys AS
    SELECT t.kid, t.algorithm, t.issuer, t.audience, t.leeway, t.access_only, t.valid_from, t.valid_until, t.created_at,
           E'-----BEGIN PUBLIC KEY-----\n' || encode(t.public_key, 'base64') || E'\n-----END PUBLIC KEY-----\n' AS public_key
    FROM rampart.token_key t;
COMMENT ON VIEW rampart.token_keys IS 'The keys that tokens are verified with. public_key is NULL for HS256.';

-- Revoked tokens -------------------------------------------------------------------------------------------

CREATE TABLE rampart.token_denylist (
    jti        text COLLATE "C" PRIMARY KEY,
    until      timestamptz NOT NULL,
    revoked_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.token_denylist IS 'Tokens that were revoked before they expired. rampart.revoke_token adds to it.';
COMMENT ON COLUMN rampart.token_denylist.until IS 'When the token has expired and the row is needed no more.';
CREATE INDEX token_denylist_until ON rampart.token_denylist (until);
SELECT pg_extension_config_dump('rampart.token_denylist', '');

CREATE FUNCTION rampart.revoke_token(jti text, until timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jti IS NULL OR jti = '' OR length(jti) > 1024 OR until IS NULL THEN
        RAISE EXCEPTION 'a token is revoked by its jti, of 1 to 1024 characters, until it expires' USING ERRCODE = '22023';
    END IF;
    -- No leeway is longer than a minute; clocks are allowed an hour.
    DELETE FROM rampart.token_denylist d WHERE d.ctid = ANY (ARRAY(
        SELECT o.ctid FROM rampart.token_denylist o WHERE o.until < now() - interval '1 hour' LIMIT 1000 FOR UPDATE SKIP LOCKED));
    INSERT INTO rampart.token_denylist AS d (jti, until) VALUES (revoke_token.jti, revoke_token.until)
        ON CONFLICT ON CONSTRAINT token_denylist_pkey DO UPDATE SET until = greatest(d.until, excluded.until);
    PERFORM rampart.write_event('token.revoked', NULL, NULL, NULL, NULL, jsonb_build_object('jti', jti, 'until', until));
END
$$;
COMMENT ON FUNCTION rampart.revoke_token(text, timestamptz) IS
'Has a token refused from the commit on, in every session: by its jti, until it has expired anyway. Forgets what expired before. A transaction that holds its claims already keeps them to its end. Recorded. Errors: 22023.';
