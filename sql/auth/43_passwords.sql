-- Passwords changed, forgotten and reset. The server checks a new one against the policy and the hashes given here.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.former_hashes(account uuid, kept int) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(h.hash), '[]') FROM (
        SELECT a.password_hash AS hash FROM rampart_auth.account a WHERE a.id = account AND a.password_hash IS NOT NULL
        UNION ALL
        (SELECT p.hash FROM rampart_auth.password_history p WHERE p.account_id = account ORDER BY p.until DESC LIMIT kept)) h
$$;

CREATE FUNCTION rampart_auth.set_password(account uuid, new_hash text, kept int) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart_auth.password_history (account_id, hash)
    SELECT a.id, a.password_hash FROM rampart_auth.account a WHERE a.id = account AND a.password_hash IS NOT NULL;
    DELETE FROM rampart_auth.password_history p WHERE p.account_id = account AND p.ctid <> ALL (ARRAY(
        SELECT n.ctid FROM rampart_auth.password_history n WHERE n.account_id = account ORDER BY n.until DESC LIMIT kept));
    UPDATE rampart_auth.account a SET password_hash = new_hash, password_changed_at = now() WHERE a.id = account;
    DELETE FROM rampart_auth.one_time_token t WHERE t.account_id = account AND t.purpose = 'reset_password';
    PERFORM rampart_auth.enqueue_mail((SELECT a.email::text FROM rampart_auth.account a WHERE a.id = account), 'password-changed', '{}');
END
$$;

CREATE FUNCTION rampart_auth.find_password(kept int, OUT result jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('email', a.email::text, 'name', a.name::text, 'hash', a.password_hash,
                              'locked', rampart_auth.locked_seconds(a.email::text, NULL), 'former', rampart_auth.former_hashes(a.id, kept))
    FROM rampart_auth.account a WHERE a.id = rampart_auth.me()
$$;
COMMENT ON FUNCTION rampart_auth.find_password(int) IS 'What the server verifies one''s own password against before it is changed, and which it must not be again.';

CREATE FUNCTION rampart_auth.change_password(old_hash text, new_hash text, kept int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.me();
BEGIN
    PERFORM FROM rampart_auth.account a WHERE a.id = account AND a.password_hash = old_hash FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the password was changed meanwhile' USING ERRCODE = 'RMU04';
    END IF;
    PERFORM rampart_auth.set_password(account, new_hash, kept);
    PERFORM rampart_auth.record('auth.password_change', jsonb_build_object('account', account));
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(account, (rampart.principal() ->> 'sid')::uuid), 'password changed');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.change_password(text, text, int) IS
'Gives oneself another password, when old_hash is still the one that was verified; all other sessions end. Errors: RMU04.';

CREATE FUNCTION rampart_auth.forget_password(email text, token_hash bytea, link text, token_minutes int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account uuid;
BEGIN
    SELECT a.id INTO account FROM rampart_auth.account a
    WHERE a.email = forget_password.email AND a.status IN ('active', 'awaiting_approval', 'unverified');
    IF FOUND THEN
        PERFORM rampart_auth.as_actor(account::text);
        DELETE FROM rampart_auth.one_time_token t WHERE t.account_id = account AND t.purpose = 'reset_password';
        INSERT INTO rampart_auth.one_time_token (hash, purpose, account_id, expires_at)
        VALUES (token_hash, 'reset_password', account, now() + token_minutes * interval '1 minute');
        PERFORM rampart_auth.enqueue_mail(email, 'password-reset', jsonb_build_object('link', link, 'minutes', token_minutes));
    END IF;
    PERFORM rampart_auth.record('auth.password_reset_requested', jsonb_build_object(
        'account', account, 'email_hash', encode(rampart_auth.throttle_key('email', email), 'hex')));
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION rampart_auth.forget_password(text, bytea, text, int) IS 'Mails a token to set another password by, and nothing to addresses that nobody has.';

CREATE FUNCTION rampart_auth.find_reset(token_hash bytea, kept int) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result jsonb;
BEGIN
    SELECT jsonb_build_object('email', a.email::text, 'name', a.name::text, 'former', rampart_auth.former_hashes(a.id, kept)) INTO result
    FROM rampart_auth.one_time_token t JOIN rampart_auth.account a ON a.id = t.account_id
    WHERE t.hash = token_hash AND t.purpose = 'reset_password' AND t.used_at IS NULL AND t.expires_at > now();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is not valid, or not any more' USING ERRCODE = 'RMU06';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION rampart_auth.find_reset(bytea, int) IS 'What a password that is to be reset must not be. The token stays unused. Errors: RMU06.';

CREATE FUNCTION rampart_auth.reset_password(token_hash bytea, new_hash text, kept int, needs_approval bool) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account uuid;
BEGIN
    PERFORM rampart_auth.act_as_server();
    account := rampart_auth.take_one_time_token(token_hash, 'reset_password');
    PERFORM rampart_auth.set_password(account, new_hash, kept);
    -- The mail proved the address, and whoever can read it may log in again.
    IF EXISTS (SELECT FROM rampart_auth.account a WHERE a.id = account AND a.status = 'unverified') THEN
        PERFORM rampart_auth.mark_verified(account, needs_approval);
    END IF;
    DELETE FROM rampart_auth.throttle t USING rampart_auth.account a
    WHERE a.id = account AND t.key = rampart_auth.throttle_key('email', a.email::text);
    PERFORM rampart_auth.record('auth.password_reset', jsonb_build_object('account', account));
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(account), 'password reset');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.reset_password(bytea, text, int, bool) IS 'Sets another password by the token of a mail; all sessions end, a lockout too. Errors: RMU06.';

GRANT EXECUTE ON FUNCTION rampart_auth.find_password, rampart_auth.change_password, rampart_auth.forget_password,
    rampart_auth.find_reset, rampart_auth.reset_password TO rampartd;
