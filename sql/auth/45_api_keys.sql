-- API keys. The server makes the key and passes its SHA-256; the key itself is shown once and never stored.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.create_api_key(name text, scopes text[], hash bytea, last_four text, expires_at timestamptz DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    created rampart_auth.api_key;
BEGIN
    IF rampart_auth.me() IS NULL THEN
        RAISE EXCEPTION 'an API key makes no API keys' USING ERRCODE = 'RMU02';
    ELSIF expires_at <= now() THEN
        RAISE EXCEPTION 'expires_at has passed' USING ERRCODE = 'RMU13';
    ELSIF EXISTS (SELECT FROM unnest(scopes) s WHERE s !~ '^[[:alnum:]_.*-]+:[[:alnum:]_.*-]+$') THEN
        RAISE EXCEPTION 'a scope is resource:action' USING ERRCODE = 'RMU13';
    END IF;
    INSERT INTO rampart_auth.api_key (org_id, created_by, name, hash, last_four, scopes, expires_at)
    VALUES (rampart_auth.here(), rampart_auth.me(), create_api_key.name, create_api_key.hash, create_api_key.last_four,
            create_api_key.scopes, create_api_key.expires_at)
    RETURNING * INTO created;
    PERFORM rampart_auth.record('apikey.created', jsonb_build_object('key', created.id, 'scopes', created.scopes));
    RETURN jsonb_build_object('id', created.id, 'name', created.name, 'scopes', created.scopes, 'created_at', created.created_at,
                              'expires_at', created.expires_at);
END
$$;
COMMENT ON FUNCTION rampart_auth.create_api_key(text, text[], bytea, text, timestamptz) IS
'Makes an API key of the caller''s in this organisation, with scopes as "document:read" or "document:*". Errors: RMU02, RMU13.';

CREATE FUNCTION rampart_auth.list_api_keys() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
        'id', k.id, 'name', k.name, 'scopes', k.scopes, 'last_four', k.last_four, 'created_by', k.created_by, 'created_at', k.created_at,
        'expires_at', k.expires_at, 'last_used_at', k.last_used_at) ORDER BY k.id), '[]'))
    FROM rampart_auth.api_key k WHERE k.org_id = rampart_auth.here() AND k.revoked_at IS NULL
$$;
COMMENT ON FUNCTION rampart_auth.list_api_keys() IS 'The keys that the caller may see: their own, or all of the organisation.';

CREATE FUNCTION rampart_auth.revoke_api_key(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE rampart_auth.api_key k SET revoked_at = now()
    WHERE k.id = revoke_api_key.id AND k.org_id = rampart_auth.here() AND k.revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such API key' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.record('apikey.revoked', jsonb_build_object('key', id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.revoke_api_key(uuid) IS
'Revokes a key that the caller may see, as of the next request. Errors: RMU03.';

GRANT EXECUTE ON FUNCTION rampart_auth.create_api_key, rampart_auth.list_api_keys, rampart_auth.revoke_api_key TO rampartd;
