-- The keys that access tokens are signed with. A key is published first, signs when every verifier has had time to
-- fetch it, and is kept for verification until its last token has expired. The database verifies with them too.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.list_signing_keys() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('kid', k.kid, 'algorithm', k.algorithm, 'private_key', k.private_key::text,
               'public_key', k.public_key, 'active', k.activated_at IS NOT NULL AND k.retired_at IS NULL,
               'next', k.activated_at IS NULL) ORDER BY k.created_at), '[]')
    FROM rampart_auth.signing_key k
$$;
COMMENT ON FUNCTION rampart_auth.list_signing_keys() IS 'All keys that tokens may bear, with private keys: for the server alone.';

CREATE FUNCTION rampart_auth.add_signing_key(kid text, algorithm text, private_key text, public_key text, issuer text, audience text,
                                             at_once bool) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE rampart_auth.signing_key IN SHARE ROW EXCLUSIVE MODE;
    IF at_once AND EXISTS (SELECT FROM rampart_auth.signing_key k WHERE k.activated_at IS NOT NULL AND k.retired_at IS NULL) THEN
        RETURN NULL;
    ELSIF NOT at_once AND EXISTS (SELECT FROM rampart_auth.signing_key k WHERE k.activated_at IS NULL) THEN
        RAISE EXCEPTION 'the next key is made already' USING ERRCODE = 'RMU04';
    END IF;
    INSERT INTO rampart_auth.signing_key (kid, algorithm, private_key, public_key, activated_at)
    VALUES (add_signing_key.kid, add_signing_key.algorithm, add_signing_key.private_key, add_signing_key.public_key,
            CASE WHEN at_once THEN now() END);
    PERFORM rampart.add_token_key(kid, algorithm, public_key, issuer, audience);
    PERFORM rampart_auth.record('signing_key.created', jsonb_build_object('kid', kid, 'algorithm', algorithm));
    NOTIFY rampart_auth, 'keys';
    RETURN jsonb_build_object('kid', kid, 'algorithm', algorithm);
END
$$;
COMMENT ON FUNCTION rampart_auth.add_signing_key(text, text, text, text, text, text, bool) IS
'Publishes a key: as the next one, or at once where there is none (NULL if another instance was first). Errors: RMU04 a next one is published already.';

CREATE FUNCTION rampart_auth.activate_signing_key(kept_seconds int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    next text;
    expired text;
BEGIN
    LOCK TABLE rampart_auth.signing_key IN SHARE ROW EXCLUSIVE MODE;
    SELECT k.kid INTO next FROM rampart_auth.signing_key k WHERE k.activated_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no next key is published' USING ERRCODE = 'RMU04';
    END IF;
    FOR expired IN DELETE FROM rampart_auth.signing_key k WHERE k.retired_at < now() - kept_seconds * interval '1 second' RETURNING k.kid LOOP
        PERFORM rampart.drop_token_key(expired);
    END LOOP;
    UPDATE rampart_auth.signing_key k SET retired_at = now() WHERE k.activated_at IS NOT NULL AND k.retired_at IS NULL;
    UPDATE rampart_auth.signing_key k SET activated_at = now() WHERE k.kid = next;
    PERFORM rampart_auth.record('signing_key.activated', jsonb_build_object('kid', next));
    NOTIFY rampart_auth, 'keys';
    RETURN jsonb_build_object('kid', next);
END
$$;
COMMENT ON FUNCTION rampart_auth.activate_signing_key(int) IS
'Signs with the next key from now on. Keys that were retired longer ago than kept_seconds are dropped. Errors: RMU04 none is published.';

CREATE FUNCTION rampart_auth.shared_secret(name text, candidate bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart_auth.server_secret AS s (name, value) VALUES (shared_secret.name, candidate)
        ON CONFLICT ON CONSTRAINT server_secret_pkey DO NOTHING;
    RETURN (SELECT jsonb_build_object('value', encode(s.value::bytea, 'hex')) FROM rampart_auth.server_secret s WHERE s.name = shared_secret.name);
END
$$;
COMMENT ON FUNCTION rampart_auth.shared_secret(text, bytea) IS 'The secret of this name that all instances share; the candidate, where there was none.';

GRANT EXECUTE ON FUNCTION rampart_auth.list_signing_keys, rampart_auth.add_signing_key, rampart_auth.activate_signing_key,
    rampart_auth.shared_secret TO rampartd;
