-- Whom a session acts for: the subject of a signed token, verified here, or of what a trusted role says. It holds for
-- the transaction, so a pooled connection never keeps one; it goes back with a savepoint, and is known to parallel
-- workers. Who can only run SQL cannot make himself somebody else.

CREATE TABLE rampart.token_key (
    kid       text PRIMARY KEY CHECK (kid ~ '^[^[:cntrl:]]{1,255}$'),
    algorithm text NOT NULL CHECK (algorithm IN ('EdDSA', 'ES256', 'RS256', 'HS256')),
    material  bytea NOT NULL,
    issuer    text NOT NULL,
    audience  text NOT NULL,
    leeway    int4 NOT NULL DEFAULT 30 CHECK (leeway BETWEEN 0 AND 300),
    since     timestamptz NOT NULL DEFAULT now(),
    until     timestamptz
);
COMMENT ON TABLE rampart.token_key IS 'Keys that verify tokens. rampart.add_token_key, add_token_secret and drop_token_key change it.';
COMMENT ON COLUMN rampart.token_key.material IS 'The public key in PEM; for HS256 the secret, encrypted in a scope.';
COMMENT ON COLUMN rampart.token_key.leeway IS 'Seconds by which clocks may differ.';

CREATE TABLE rampart.token_denylist (
    jti   text PRIMARY KEY,
    until timestamptz NOT NULL
);
COMMENT ON TABLE rampart.token_denylist IS 'Tokens that were revoked, until they have expired anyway. rampart.revoke_token changes it.';

SELECT pg_extension_config_dump('rampart.token_key', '');
SELECT pg_extension_config_dump('rampart.token_denylist', '');

CREATE FUNCTION rampart.set_principal(token text) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_set_principal_token' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.set_principal(text) IS
'Acts for the subject of a signed token (compact JWS: EdDSA, ES256, RS256, HS256) until the transaction ends. The audit context gets its subject and organisation, unless one was set. Not to be called in a function that has settings of its own (SET): they end with it, and so would this. Errors: RMP08 with the reason; a refused token is a security event.';

CREATE FUNCTION rampart.trust_principal(claims jsonb) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_set_principal_claims' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.trust_principal(jsonb) IS
'Acts for whom the claims name, unproven: {"sub": "17", "org": "acme", "roles": ["MEMBER"], "teams": [], "scope": "document:read", "api_key": false}. Grant it to roles whose word is to be taken: GRANT EXECUTE ON FUNCTION rampart.trust_principal TO server. Errors: RMP08.';

CREATE FUNCTION rampart.reset_principal() RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_reset_principal' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.reset_principal() IS 'Acts for nobody, until the transaction ends.';

CREATE FUNCTION rampart.principal() RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rampart_principal' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.principal() IS 'The claims that were set; NULL: none.';

CREATE FUNCTION rampart.subject() RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_subject' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.subject() IS 'Whom the session acts for; NULL: nobody.';

CREATE FUNCTION rampart.org() RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_org' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.org() IS 'The organisation in which; NULL: none.';

-- Keys ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.check_token_key(algorithm text, material bytea) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_check_token_key' LANGUAGE C IMMUTABLE STRICT;
COMMENT ON FUNCTION rampart.check_token_key(text, bytea) IS 'Whether a key is one of an algorithm. Errors: 22023.';

CREATE FUNCTION rampart.seal_token_secret(scope text, kid text, secret bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_seal_token_secret' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.seal_token_secret(text, text, bytea) IS 'A secret as it is stored: encrypted in a scope, for that key only. Errors: RMK02 and the keyring''s.';

CREATE FUNCTION rampart.store_token_key(kid text, algorithm text, material bytea, issuer text, audience text, leeway int4, until timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF num_nulls(kid, algorithm, material, issuer, audience, leeway) > 0 OR issuer = '' OR audience = '' OR kid !~ '^[^[:cntrl:]]{1,255}$' OR leeway NOT BETWEEN 0 AND 300 THEN
        RAISE EXCEPTION 'a key needs an id, an algorithm, an issuer and an audience, and a leeway of 0 to 300 seconds' USING ERRCODE = '22023';
    END IF;
    INSERT INTO rampart.token_key (kid, algorithm, material, issuer, audience, leeway, until)
        VALUES (store_token_key.kid, store_token_key.algorithm, store_token_key.material, store_token_key.issuer, store_token_key.audience, store_token_key.leeway, store_token_key.until);
    PERFORM rampart.write_event('token.key_added', NULL, NULL, NULL, NULL, jsonb_build_object('kid', kid, 'algorithm', algorithm, 'issuer', issuer, 'audience', audience));
END
$$;
COMMENT ON FUNCTION rampart.store_token_key(text, text, bytea, text, text, int4, timestamptz) IS 'The part that add_token_key and add_token_secret share.';

CREATE FUNCTION rampart.add_token_key(kid text, algorithm text, public_key text, issuer text, audience text, leeway int4 DEFAULT 30, until timestamptz DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF algorithm = 'HS256' THEN
        RAISE EXCEPTION 'a secret is no public key' USING ERRCODE = '22023', HINT = 'rampart.add_token_secret stores it encrypted.';
    END IF;
    PERFORM rampart.check_token_key(algorithm, convert_to(public_key, 'UTF8'));
    PERFORM rampart.store_token_key(kid, algorithm, convert_to(public_key, 'UTF8'), issuer, audience, leeway, until);
END
$$;
COMMENT ON FUNCTION rampart.add_token_key(text, text, text, text, text, int4, timestamptz) IS
'Takes tokens that are signed by a key: its id (kid), EdDSA, ES256 or RS256, the public key in PEM, and which issuer and audience they must name. leeway: seconds by which clocks may differ; until: when the key ends. Errors: 22023, 23505.';

CREATE FUNCTION rampart.add_token_secret(kid text, scope text, secret bytea, issuer text, audience text, leeway int4 DEFAULT 30, until timestamptz DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.check_token_key('HS256', secret);
    PERFORM rampart.store_token_key(kid, 'HS256', rampart.seal_token_secret(scope, kid, secret), issuer, audience, leeway, until);
END
$$;
COMMENT ON FUNCTION rampart.add_token_secret(text, text, bytea, text, text, int4, timestamptz) IS
'The same of a shared secret (HS256) of 32 bytes at least, which is stored encrypted in a scope. Rotations do not re-encrypt it: add it anew under another id. Errors: 22023, 23505, RMK02.';

CREATE FUNCTION rampart.drop_token_key(kid text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart.token_key k WHERE k.kid = drop_token_key.kid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no key of tokens of that id' USING ERRCODE = '22023', HINT = 'SELECT kid FROM rampart.token_key;';
    END IF;
    PERFORM rampart.write_event('token.key_removed', NULL, NULL, NULL, NULL, jsonb_build_object('kid', kid));
END
$$;
COMMENT ON FUNCTION rampart.drop_token_key(text) IS 'Takes no more tokens of a key. Errors: 22023.';

CREATE FUNCTION rampart.revoke_token(jti text, until timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(jti, '') = '' OR until IS NULL OR length(jti) > 256 THEN
        RAISE EXCEPTION 'a revocation needs the id of a token, and when it expires' USING ERRCODE = '22023';
    END IF;
    -- Longer than any leeway.
    DELETE FROM rampart.token_denylist d WHERE d.until < now() - interval '1 hour';
    INSERT INTO rampart.token_denylist AS d (jti, until) VALUES (revoke_token.jti, revoke_token.until)
        ON CONFLICT ON CONSTRAINT token_denylist_pkey DO UPDATE SET until = greatest(d.until, excluded.until);
    PERFORM rampart.write_event('token.revoked', NULL, NULL, NULL, NULL, jsonb_build_object('jti', jti));
END
$$;
COMMENT ON FUNCTION rampart.revoke_token(text, timestamptz) IS
'Refuses a token from now on, by its id (jti), until it has expired anyway. Errors: 22023.';
