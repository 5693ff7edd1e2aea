-- Where each request begins: who it is from, whether that counts, in which organisation, and whether the policy
-- allows what it asks for. The one place that decides, at the state of the moment the request is made.
SET ROLE rampart_auth;

-- What begin_request was told of the request, kept for when the actor becomes known.
CREATE FUNCTION rampart_auth.context(OUT ip inet, OUT user_agent text, OUT request_id text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    ip := nullif(current_setting('rampart_auth.ip', true), '')::inet;
    user_agent := nullif(current_setting('rampart_auth.user_agent', true), '');
    request_id := nullif(current_setting('rampart_auth.request_id', true), '');
END
$$;

CREATE FUNCTION rampart_auth.as_actor(actor text, org uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.set_context(actor, org::text, c.ip, c.user_agent, c.request_id) FROM rampart_auth.context() c;
END
$$;
COMMENT ON FUNCTION rampart_auth.as_actor(text, uuid) IS 'Has the audit entries of this transaction name this actor and organisation, beside the request that begin_request told of.';

CREATE FUNCTION rampart_auth.roles_in(account uuid, org uuid) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(array_agg(DISTINCT role), '{}') FROM (
            SELECT m.role::text AS role FROM rampart_auth.membership m WHERE m.account_id = account AND m.org_id = org
            UNION ALL
            SELECT t.role::text FROM rampart_auth.team_member tm JOIN rampart_auth.team t ON t.id = tm.team_id
            WHERE tm.account_id = account AND tm.org_id = org AND t.role IS NOT NULL
            UNION ALL
            SELECT a.platform_role FROM rampart_auth.account a WHERE a.id = account AND a.platform_role IS NOT NULL) r);
END
$$;
COMMENT ON FUNCTION rampart_auth.roles_in(uuid, uuid) IS 'An account''s roles in an organisation: its own, its teams'', and the platform''s.';

CREATE FUNCTION rampart_auth.claims_of_session(session uuid, org uuid, org_required bool DEFAULT true) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate record;
    place uuid := org;
    roles text[];
    factor jsonb;
BEGIN
    SELECT s.account_id, s.amr INTO candidate
    FROM rampart_auth.session s JOIN rampart_auth.account a ON a.id = s.account_id
    WHERE s.id = session AND s.revoked_at IS NULL AND s.expires_at > now() AND a.status = 'active';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the session has ended' USING ERRCODE = 'RMU01';
    END IF;
    roles := rampart_auth.roles_in(candidate.account_id, place);
    IF place IS NOT NULL AND (roles = '{}' OR NOT EXISTS (
            SELECT FROM rampart_auth.organisation o WHERE o.id = place AND o.deleted_at IS NULL)) THEN
        IF org_required THEN
            RAISE EXCEPTION 'not a member of this organisation' USING ERRCODE = 'RMU05';
        END IF;
        place := NULL;
        roles := rampart_auth.roles_in(candidate.account_id, NULL);
    END IF;
    factor := rampart_auth.factor_claims(candidate.account_id, candidate.amr);
    -- Whoever has to enrol a second factor first may do that and nothing else: has no role until then.
    RETURN jsonb_build_object('sub', candidate.account_id, 'org', place, 'roles', CASE WHEN factor ? 'enrol' THEN '{MFA_REQUIRED}' ELSE roles END,
                              'sid', session, 'amr', candidate.amr) || factor - 'enrol';
END
$$;
COMMENT ON FUNCTION rampart_auth.claims_of_session(uuid, uuid, bool) IS
'Whom a session is of and what it may be in an organisation, now. Whether a session is valid is decided here and nowhere else. Errors: RMU01, RMU05.';

CREATE FUNCTION rampart_auth.claims_of_api_key(hash bytea, org uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate rampart_auth.api_key;
BEGIN
    SELECT k.* INTO candidate
    FROM rampart_auth.api_key k JOIN rampart_auth.account a ON a.id = k.created_by
    JOIN rampart_auth.organisation o ON o.id = k.org_id AND o.deleted_at IS NULL
    WHERE k.hash = claims_of_api_key.hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
      AND a.status = 'active'
      AND EXISTS (SELECT FROM rampart_auth.membership m WHERE m.account_id = k.created_by AND m.org_id = k.org_id);
    IF NOT FOUND THEN
        PERFORM rampart.log_event('apikey.refused', transactional => false);
        RAISE EXCEPTION 'the API key is not valid' USING ERRCODE = 'RMU01';
    ELSIF org <> candidate.org_id THEN
        RAISE EXCEPTION 'the API key is of another organisation' USING ERRCODE = 'RMU05';
    END IF;
    IF candidate.last_used_at IS NULL OR candidate.last_used_at < now() - interval '1 minute' THEN
        UPDATE rampart_auth.api_key k SET last_used_at = now()
        WHERE k.ctid = (SELECT ctid FROM rampart_auth.api_key i WHERE i.id = candidate.id FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN jsonb_build_object('sub', candidate.created_by, 'org', candidate.org_id, 'roles', '["API"]'::jsonb, 'scopes', candidate.scopes,
                              'api_key', true, 'key', candidate.id, 'amr', '["api_key"]'::jsonb);
END
$$;
COMMENT ON FUNCTION rampart_auth.claims_of_api_key(bytea, uuid) IS
'Whom an API key works for: the account that made it, by its own scopes alone, as long as that account is a member. Errors: RMU01, RMU05.';

CREATE FUNCTION rampart_auth.is_permitted(claims jsonb, resource text, action text, whose text) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE whose
        WHEN 'own' THEN rampart.allowed(resource, action, claims ->> 'org', claims ->> 'sub')
        WHEN 'platform' THEN EXISTS (SELECT FROM jsonb_array_elements_text(claims -> 'roles') r
                                     WHERE rampart.enforce('rampart', r, resource, action, 'all'))
        ELSE rampart.allowed(resource, action) END;
END
$$;

CREATE FUNCTION rampart_auth.begin_request(request_id text, ip inet, user_agent text, session uuid DEFAULT NULL, api_key bytea DEFAULT NULL,
                                           org uuid DEFAULT NULL, resource text DEFAULT NULL, action text DEFAULT NULL, whose text DEFAULT NULL,
                                           org_required bool DEFAULT true)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    claims jsonb;
BEGIN
    PERFORM set_config('rampart_auth.ip', coalesce(host(ip), ''), true),
            set_config('rampart_auth.user_agent', left(coalesce(user_agent, ''), 500), true),
            set_config('rampart_auth.request_id', coalesce(request_id, ''), true);
    PERFORM rampart_auth.as_actor(NULL);
    IF session IS NULL AND api_key IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM rampart_auth.act_as_server();
    claims := CASE WHEN api_key IS NULL THEN rampart_auth.claims_of_session(session, org, org_required)
                   ELSE rampart_auth.claims_of_api_key(api_key, org) END;
    PERFORM rampart_auth.as_actor(coalesce('key:' || (claims ->> 'key'), claims ->> 'sub'), (claims ->> 'org')::uuid);
    PERFORM rampart.trust_principal(jsonb_strip_nulls(claims));
    IF resource IS NULL THEN
        RETURN claims;
    ELSIF claims ->> 'org' IS NULL AND whose IS DISTINCT FROM 'platform' THEN
        RAISE EXCEPTION 'no organisation was chosen' USING ERRCODE = 'RMU12', HINT = 'Name one in X-Tenant-Id.';
    ELSIF NOT rampart_auth.is_permitted(claims, resource, action, whose) THEN
        PERFORM rampart.log_event('authz.denied', metadata => jsonb_build_object('resource', resource, 'action', action), transactional => false);
        RAISE EXCEPTION 'not allowed: % %', action, resource USING ERRCODE = 'RMU02';
    END IF;
    RETURN claims;
END
$$;
COMMENT ON FUNCTION rampart_auth.begin_request(text, inet, text, uuid, bytea, uuid, text, text, text, bool) IS
'Makes this transaction one request''s: its audit context and its principal, from a session that the server has verified a token of, or an API key''s SHA-256. With a resource it asks the policy: whose is own (rows of the caller''s own are enough), all (of the organisation) or platform. org_required: without it somebody who has left the organisation works in none, as about themselves they can. Returns the claims, NULL for nobody. Errors: RMU01 not (any more) logged in, RMU02 not allowed, RMU05 not a member of that organisation, RMU12 none was chosen.';

CREATE FUNCTION rampart_auth.changed_sessions(since interval) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(s.id), '[]') FROM rampart_auth.session s
    WHERE s.changed_at > now() - since AND s.changed_at > '-infinity'
$$;
COMMENT ON FUNCTION rampart_auth.changed_sessions(interval) IS 'Sessions about which a server must ask the database, because they ended or changed since.';

GRANT EXECUTE ON FUNCTION rampart_auth.begin_request, rampart_auth.changed_sessions TO rampartd;
