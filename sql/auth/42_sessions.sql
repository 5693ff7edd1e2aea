-- Sessions renewed, listed and ended.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.renew_session(token_hash bytea, successor_hash bytea, jti text, access_seconds int, refresh_days int,
                                           grace_seconds int, org uuid DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    token rampart_auth.refresh_token;
    session rampart_auth.session;
BEGIN
    PERFORM rampart_auth.act_as_server();
    -- Whoever comes second with the same token waits here, and finds it used.
    SELECT t.* INTO token FROM rampart_auth.refresh_token t WHERE t.hash = token_hash FOR UPDATE;
    SELECT s.* INTO session FROM rampart_auth.session s WHERE s.id = token.session_id FOR NO KEY UPDATE;
    IF NOT FOUND OR session.revoked_at IS NOT NULL OR session.expires_at <= now() OR token.expires_at <= now() THEN
        RAISE EXCEPTION 'the session has ended' USING ERRCODE = 'RMU09';
    END IF;
    PERFORM rampart_auth.as_actor(session.account_id::text, session.org_id);
    PERFORM rampart_auth.start_grace(session.account_id);
    IF token.used_at IS NULL THEN
        UPDATE rampart_auth.refresh_token t SET used_at = clock_timestamp(), successor = successor_hash WHERE t.hash = token_hash;
        INSERT INTO rampart_auth.refresh_token (hash, session_id, expires_at)
        VALUES (successor_hash, session.id, least(now() + refresh_days * interval '1 day', session.expires_at));
        UPDATE rampart_auth.session s SET last_used_at = now(), org_id = coalesce(org, s.org_id) WHERE s.id = session.id;
        PERFORM rampart_auth.record('session.renewed', jsonb_build_object('session', session.id));
    ELSIF token.used_at > clock_timestamp() - grace_seconds * interval '1 second' AND token.successor = successor_hash THEN
        -- Another tab, or an answer that was lost: the same successor again, never a second one.
        NULL;
    ELSE
        PERFORM rampart_auth.record('auth.token_reused', jsonb_build_object('session', session.id, 'account', session.account_id));
        PERFORM rampart_auth.end_sessions(ARRAY[session.id], 'refresh token reused');
        RETURN jsonb_build_object('outcome', 'reused');
    END IF;
    INSERT INTO rampart_auth.issued_token (jti, session_id, expires_at) VALUES (renew_session.jti, session.id, now() + access_seconds * interval '1 second');
    RETURN jsonb_build_object('outcome', 'ok', 'claims', rampart_auth.claims_of_session(session.id, coalesce(org, session.org_id), org IS NOT NULL));
END
$$;
COMMENT ON FUNCTION rampart_auth.renew_session(bytea, bytea, text, int, int, int, uuid) IS
'Exchanges a refresh token for its successor (SHA-256 of both): {outcome: ok, claims}. Within grace_seconds the same token is answered with the same successor; later its reuse ends the session: {outcome: reused}. org: works in another organisation from now on. Errors: RMU09, RMU05, RMU01.';

CREATE FUNCTION rampart_auth.sessions_json(account uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
        'id', s.id, 'created_at', s.created_at, 'last_used_at', s.last_used_at, 'expires_at', s.expires_at, 'ip', host(s.ip),
        'user_agent', s.user_agent, 'amr', s.amr, 'current', s.id::text = coalesce(rampart.principal() ->> 'sid', '')) ORDER BY s.id DESC), '[]'))
    FROM rampart_auth.session s WHERE s.account_id = account AND s.revoked_at IS NULL AND s.expires_at > now()
$$;

CREATE FUNCTION rampart_auth.list_sessions() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart_auth.sessions_json(rampart_auth.me()) $$;
COMMENT ON FUNCTION rampart_auth.list_sessions() IS 'One''s own sessions.';

CREATE FUNCTION rampart_auth.end_session(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM rampart_auth.session s WHERE s.id = end_session.id AND s.account_id = rampart_auth.me() AND s.revoked_at IS NULL) THEN
        RAISE EXCEPTION 'no such session' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.end_sessions(ARRAY[end_session.id], 'ended by its user');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.end_session(uuid) IS 'Ends one of one''s own sessions. Errors: RMU03.';

CREATE FUNCTION rampart_auth.end_other_sessions() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(rampart_auth.me(), (rampart.principal() ->> 'sid')::uuid), 'ended by its user');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.end_other_sessions() IS 'Ends all of one''s own sessions but this one.';

CREATE FUNCTION rampart_auth.log_out() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session CONSTANT uuid := rampart.principal() ->> 'sid';
BEGIN
    PERFORM rampart_auth.record('auth.logout', jsonb_build_object('session', session));
    PERFORM rampart_auth.end_sessions(ARRAY[session], 'logged out');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.log_out() IS 'Ends this session.';

CREATE FUNCTION rampart_auth.profile() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('id', a.id, 'email', a.email::text, 'name', a.name::text, 'created_at', a.created_at,
                              'last_login_at', a.last_login_at, 'platform_role', a.platform_role,
        'organisations', coalesce((SELECT jsonb_agg(jsonb_build_object('id', o.id, 'name', o.name, 'role', m.role) ORDER BY m.since)
                                   FROM rampart_auth.membership m JOIN rampart_auth.organisation o ON o.id = m.org_id
                                   WHERE m.account_id = a.id AND o.deleted_at IS NULL), '[]'))
    FROM rampart_auth.account a WHERE a.id = rampart_auth.me()
$$;
COMMENT ON FUNCTION rampart_auth.profile() IS 'One''s own account, and the organisations one belongs to.';

GRANT EXECUTE ON FUNCTION rampart_auth.renew_session, rampart_auth.list_sessions, rampart_auth.end_session,
    rampart_auth.end_other_sessions, rampart_auth.log_out, rampart_auth.profile TO rampartd;
