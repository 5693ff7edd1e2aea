-- What the platform's administrators do to accounts, and what keeps the tables small.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.create_admin(email text, name text, password_hash text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    created uuid;
BEGIN
    INSERT INTO rampart_auth.account (email, name, password_hash, password_changed_at, status, platform_role, email_verified_at)
    VALUES (create_admin.email, create_admin.name, create_admin.password_hash, now(), 'active', 'SUPER_ADMIN', now())
    ON CONFLICT DO NOTHING RETURNING id INTO created;
    IF created IS NULL THEN
        RAISE EXCEPTION 'an account of this address exists' USING ERRCODE = 'RMU04';
    END IF;
    PERFORM rampart_auth.record('user.created', jsonb_build_object('account', created, 'platform_role', 'SUPER_ADMIN'));
    RETURN jsonb_build_object('id', created);
END
$$;
COMMENT ON FUNCTION rampart_auth.create_admin(text, text, text) IS
'Makes an administrator of the platform. Not for the server''s role: rampartd create-admin calls it as the database''s owner. Errors: RMU04.';

CREATE FUNCTION rampart_auth.list_accounts(after uuid DEFAULT NULL, status text DEFAULT NULL, page int DEFAULT 50) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH accounts AS (
        SELECT a.* FROM rampart_auth.account a
        WHERE (after IS NULL OR a.id > after) AND (list_accounts.status IS NULL OR a.status = list_accounts.status)
        ORDER BY a.id LIMIT page)
    SELECT jsonb_build_object(
        'items', coalesce(jsonb_agg(jsonb_build_object(
            'id', a.id, 'email', a.email::text, 'name', a.name::text, 'status', a.status, 'platform_role', a.platform_role,
            'created_at', a.created_at, 'last_login_at', a.last_login_at,
            'locked', rampart_auth.locked_seconds(a.email::text, NULL) > 0) ORDER BY a.id), '[]'),
        'next', CASE WHEN count(*) = page THEN max(a.id::text) END)
    FROM accounts a
$$;
COMMENT ON FUNCTION rampart_auth.list_accounts(uuid, text, int) IS
'A page of all accounts, by id; next is what to ask for after. status: of these only.';

CREATE FUNCTION rampart_auth.require_account(id uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM rampart_auth.account a WHERE a.id = require_account.id) THEN
        RAISE EXCEPTION 'no such account' USING ERRCODE = 'RMU03';
    END IF;
END
$$;

CREATE FUNCTION rampart_auth.change_status(account uuid, from_status text[], to_status text, event text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE rampart_auth.account a SET status = to_status WHERE a.id = account AND a.status = ANY (from_status);
    IF NOT FOUND THEN
        PERFORM rampart_auth.require_account(account);
        RAISE EXCEPTION 'the account is not in a state for that' USING ERRCODE = 'RMU04';
    END IF;
    PERFORM rampart_auth.record(event, jsonb_build_object('account', account));
    RETURN jsonb_build_object('id', account, 'status', to_status);
END
$$;

CREATE FUNCTION rampart_auth.approve_account(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result CONSTANT jsonb := rampart_auth.change_status(id, '{awaiting_approval}', 'active', 'user.approved');
BEGIN
    PERFORM rampart_auth.enqueue_mail((SELECT a.email::text FROM rampart_auth.account a WHERE a.id = approve_account.id), 'approved', '{}');
    RETURN result;
END
$$;
COMMENT ON FUNCTION rampart_auth.approve_account(uuid) IS 'Lets in who signed up and awaits it. Errors: RMU03, RMU04.';

CREATE FUNCTION rampart_auth.reject_account(id uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart_auth.change_status(id, '{awaiting_approval}', 'disabled', 'user.rejected') $$;
COMMENT ON FUNCTION rampart_auth.reject_account(uuid) IS
'Turns down who signed up and awaits approval. Errors: RMU03, RMU04.';

CREATE FUNCTION rampart_auth.disable_account(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    result jsonb;
BEGIN
    IF id = rampart_auth.me() THEN
        RAISE EXCEPTION 'nobody disables themselves' USING ERRCODE = 'RMU13';
    END IF;
    result := rampart_auth.change_status(id, '{unverified,awaiting_approval,active}', 'disabled', 'user.disabled');
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(id), 'account disabled');
    RETURN result;
END
$$;
COMMENT ON FUNCTION rampart_auth.disable_account(uuid) IS 'Shuts an account out, and ends its sessions. Errors: RMU03, RMU04, RMU13 one''s own.';

CREATE FUNCTION rampart_auth.enable_account(id uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT rampart_auth.change_status(id, '{disabled}', coalesce(
        (SELECT 'unverified' FROM rampart_auth.account a WHERE a.id = enable_account.id AND a.email_verified_at IS NULL), 'active'), 'user.enabled')
$$;
COMMENT ON FUNCTION rampart_auth.enable_account(uuid) IS
'Lets in again who was shut out; an address that was not verified before still has to be. Errors: RMU03, RMU04.';

CREATE FUNCTION rampart_auth.unlock_account(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart_auth.throttle t USING rampart_auth.account a
    WHERE a.id = unlock_account.id AND t.key = rampart_auth.throttle_key('email', a.email::text);
    PERFORM rampart_auth.require_account(id);
    PERFORM rampart_auth.record('user.unlocked', jsonb_build_object('account', id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.unlock_account(uuid) IS 'Lets in who was locked out after failed logins. Errors: RMU03.';

CREATE FUNCTION rampart_auth.end_account_sessions(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.require_account(id);
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(id), 'ended by an administrator');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.end_account_sessions(uuid) IS
'Ends all sessions of an account. Errors: RMU03.';

CREATE FUNCTION rampart_auth.list_sessions_of(id uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.require_account(id);
    RETURN rampart_auth.sessions_json(id);
END
$$;
COMMENT ON FUNCTION rampart_auth.list_sessions_of(uuid) IS
'The sessions of an account, for administrators. Errors: RMU03.';

CREATE FUNCTION rampart_auth.clean_up() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- One instance at a time is enough.
    IF NOT pg_try_advisory_xact_lock(hashtext('rampart_auth.clean_up')) THEN
        RETURN NULL;
    END IF;
    PERFORM rampart_auth.clean_up_mfa();
    DELETE FROM rampart_auth.idempotency i WHERE i.created_at < now() - interval '1 day';
    DELETE FROM rampart_auth.one_time_token t WHERE t.expires_at < now() - interval '1 day';
    DELETE FROM rampart_auth.issued_token t WHERE t.expires_at < now() - interval '5 minutes';
    DELETE FROM rampart_auth.throttle t WHERE t.last_failure < now() - interval '2 days' AND coalesce(t.locked_until < now(), true);
    DELETE FROM rampart_auth.refresh_token t WHERE t.expires_at < now() - interval '1 day';
    DELETE FROM rampart_auth.session s WHERE least(s.expires_at, s.revoked_at) < now() - interval '30 days';
    DELETE FROM rampart_auth.outbox o WHERE o.next_attempt_at IS NULL AND o.created_at < now() - interval '30 days';
    DELETE FROM rampart_auth.rate r WHERE (r.window_no + 2) * r.window_seconds < extract(epoch FROM now());
    DELETE FROM rampart_auth.known_address k WHERE k.seen_at < now() - interval '90 days';
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.clean_up() IS 'Removes what has expired. Every server calls it now and then; one at a time does it.';

GRANT EXECUTE ON FUNCTION rampart_auth.list_accounts, rampart_auth.approve_account, rampart_auth.reject_account, rampart_auth.disable_account,
    rampart_auth.enable_account, rampart_auth.unlock_account, rampart_auth.end_account_sessions, rampart_auth.list_sessions_of, rampart_auth.clean_up TO rampartd;
