-- Without the factor: recovery by a second address, what administrators do about it, and clean-up.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.set_recovery_address(email text, token_hash bytea, link text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.require_proof();
BEGIN
    IF EXISTS (SELECT FROM rampart_auth.account a WHERE a.id = account AND a.email = set_recovery_address.email) THEN
        RAISE EXCEPTION 'the recovery address is the account''s own' USING ERRCODE = 'RMU13';
    END IF;
    -- Whoever has the former address learns of it before it is gone.
    PERFORM rampart_auth.tell_factor_change(account, 'auth.recovery_email_set', 'the recovery address was changed');
    INSERT INTO rampart_auth.mfa_recovery_address AS r (account_id, email, token_hash, expires_at)
    VALUES (account, set_recovery_address.email, set_recovery_address.token_hash, now() + interval '1 day')
    ON CONFLICT (account_id) DO UPDATE SET email = excluded.email, token_hash = excluded.token_hash, expires_at = excluded.expires_at,
        verified_at = NULL;
    DELETE FROM rampart_auth.mfa_recovery r WHERE r.account_id = account;
    PERFORM rampart_auth.enqueue_mail(email, 'verify-recovery-email', jsonb_build_object('link', link, 'minutes', 1440));
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION rampart_auth.set_recovery_address(text, bytea, text) IS
'Names the address of one''s own recovery; it counts once the mailed token has come back. Errors: RMU13 it is the account''s own, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.verify_recovery_address(token_hash bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account uuid;
BEGIN
    PERFORM rampart_auth.act_as_server();
    UPDATE rampart_auth.mfa_recovery_address r SET verified_at = now(), token_hash = NULL, expires_at = NULL
    WHERE r.token_hash = verify_recovery_address.token_hash AND r.expires_at > now() RETURNING r.account_id INTO account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is not valid, or not any more' USING ERRCODE = 'RMU06';
    END IF;
    PERFORM rampart_auth.as_actor(account::text);
    PERFORM rampart_auth.record('auth.recovery_email_verified', jsonb_build_object('account', account));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.verify_recovery_address(bytea) IS 'Takes the token that was mailed to a recovery address. Errors: RMU06.';

CREATE FUNCTION rampart_auth.request_recovery(challenge bytea, token_hash bytea, link text, waiting_hours int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun CONSTANT rampart_auth.mfa_challenge := rampart_auth.open_challenge(challenge);
    address text;
BEGIN
    SELECT r.email::text INTO address FROM rampart_auth.mfa_recovery_address r
    WHERE r.account_id = begun.account_id AND r.verified_at IS NOT NULL AND begun.session_id IS NULL
      AND NOT EXISTS (SELECT FROM rampart_auth.mfa_recovery m
                      WHERE m.account_id = begun.account_id AND m.created_at > now() - interval '10 minutes');
    IF FOUND THEN
        DELETE FROM rampart_auth.mfa_recovery m WHERE m.account_id = begun.account_id;
        INSERT INTO rampart_auth.mfa_recovery (hash, account_id, usable_from, expires_at)
        VALUES (token_hash, begun.account_id, now() + waiting_hours * interval '1 hour', now() + (waiting_hours + 24) * interval '1 hour');
        PERFORM rampart_auth.enqueue_mail(address, 'mfa-recovery', jsonb_build_object('link', link, 'minutes', 1440));
        PERFORM rampart_auth.tell_factor_change(begun.account_id, 'auth.mfa_recovery_requested', 'recovery without the second factor was asked for');
    END IF;
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION rampart_auth.request_recovery(bytea, bytea, text, int) IS
'From a login between password and factor: mails a token of 24 hours to the verified recovery address, if there is one; usable after a waiting time, during which its owner is told. Errors: RMU30.';

CREATE FUNCTION rampart_auth.recover(token_hash bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    recovery rampart_auth.mfa_recovery;
BEGIN
    PERFORM rampart_auth.act_as_server();
    SELECT r.* INTO recovery FROM rampart_auth.mfa_recovery r WHERE r.hash = token_hash AND r.expires_at > now() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is not valid, or not any more' USING ERRCODE = 'RMU06';
    ELSIF recovery.usable_from > now() THEN
        RAISE EXCEPTION 'the token is not usable yet' USING ERRCODE = 'RMU34', DETAIL = 'From ' || recovery.usable_from::text || ' on.';
    END IF;
    PERFORM rampart_auth.as_actor(recovery.account_id::text);
    PERFORM rampart_auth.drop_factors(recovery.account_id);
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(recovery.account_id), 'second factor recovered');
    PERFORM rampart_auth.tell_factor_change(recovery.account_id, 'auth.mfa_recovered', 'the second factor was turned off by recovery');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.recover(bytea) IS
'Takes the token of request_recovery: the second factor is off, all sessions and trusted devices end. Errors: RMU06, RMU34 not usable yet.';

-- Administration ----------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.disable_mfa(id uuid, reason text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF id = rampart_auth.require_proof() THEN
        RAISE EXCEPTION 'nobody turns off their own second factor this way' USING ERRCODE = 'RMU13';
    ELSIF reason IS NULL OR length(btrim(reason)) NOT BETWEEN 1 AND 500 THEN
        RAISE EXCEPTION 'a reason of 1 to 500 characters is needed' USING ERRCODE = '22023';
    ELSIF NOT rampart_auth.has_factor(id) THEN
        RAISE EXCEPTION 'no such account, or it has no second factor' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.act_as_server();
    PERFORM rampart_auth.drop_factors(id);
    PERFORM rampart_auth.end_sessions(rampart_auth.sessions_of(id), 'second factor turned off by an administrator');
    PERFORM rampart_auth.tell_factor_change(id, 'auth.mfa_force_disabled', 'an administrator turned the second factor off',
                                            jsonb_build_object('reason', btrim(reason)));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.disable_mfa(uuid, text) IS
'Turns somebody''s second factor off, with a reason that stands in the log; their sessions and devices end. Errors: RMU13 one''s own, 22023, RMU03, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.reset_grace(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    allowed interval;
    ends timestamptz;
BEGIN
    IF id = rampart_auth.require_proof() THEN
        RAISE EXCEPTION 'nobody grants themselves more time' USING ERRCODE = 'RMU13';
    END IF;
    PERFORM rampart_auth.act_as_server();
    allowed := rampart_auth.factor_grace(id);
    IF allowed IS NULL OR rampart_auth.has_factor(id) THEN
        RAISE EXCEPTION 'no such account, or it needs no grace' USING ERRCODE = 'RMU03';
    END IF;
    INSERT INTO rampart_auth.mfa_grace AS g (account_id, ends_at) VALUES (id, now() + allowed)
    ON CONFLICT (account_id) DO UPDATE SET since = now(), ends_at = excluded.ends_at RETURNING g.ends_at INTO ends;
    PERFORM rampart_auth.recheck_sessions(id);
    PERFORM rampart_auth.record('auth.mfa_grace_reset', jsonb_build_object('account', id, 'ends_at', ends));
    RETURN jsonb_build_object('grace_ends_at', ends);
END
$$;
COMMENT ON FUNCTION rampart_auth.reset_grace(uuid) IS 'Begins somebody''s grace period anew. Errors: RMU13 one''s own, RMU03, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.list_grace() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
        'account', g.account_id, 'email', a.email::text, 'since', g.since, 'ends_at', g.ends_at, 'ended', g.ends_at <= now()) ORDER BY g.ends_at), '[]'))
    FROM rampart_auth.mfa_grace g JOIN rampart_auth.account a ON a.id = g.account_id
$$;
COMMENT ON FUNCTION rampart_auth.list_grace() IS 'Who needs a second factor and has none, and until when they do without.';

CREATE FUNCTION rampart_auth.require_mfa(role text, grace_days int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.require_proof();
    IF grace_days IS NULL THEN
        DELETE FROM rampart_auth.mfa_requirement q WHERE q.role = require_mfa.role;
    ELSIF grace_days NOT BETWEEN 0 AND 90 OR role IS NULL OR role NOT IN ('SUPER_ADMIN', 'OWNER', 'ADMIN', 'MEMBER', 'VIEWER') THEN
        RAISE EXCEPTION 'a role of people and 0 to 90 days' USING ERRCODE = '22023';
    ELSE
        INSERT INTO rampart_auth.mfa_requirement VALUES (role, grace_days * interval '1 day')
        ON CONFLICT ON CONSTRAINT mfa_requirement_pkey DO UPDATE SET grace = excluded.grace;
        -- For whoever is logged in it begins now, and not with the next login.
        PERFORM rampart_auth.act_as_server();
        PERFORM rampart_auth.start_grace(s.account_id), rampart_auth.recheck_sessions(s.account_id)
        FROM (SELECT DISTINCT o.account_id FROM rampart_auth.session o WHERE o.revoked_at IS NULL AND o.expires_at > now()) s
        WHERE rampart_auth.factor_grace(s.account_id) IS NOT NULL AND NOT rampart_auth.has_factor(s.account_id);
    END IF;
    PERFORM rampart_auth.record('auth.mfa_requirement_changed', jsonb_build_object('role', role, 'grace_days', grace_days));
    RETURN rampart_auth.list_requirements();
END
$$;
COMMENT ON FUNCTION rampart_auth.require_mfa(text, int) IS
'Makes a second factor mandatory for a role, after so many days of grace; NULL: not mandatory. Errors: 22023, RMU31, RMU02.';

CREATE FUNCTION rampart_auth.list_requirements() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
        'role', q.role, 'grace_days', extract(epoch FROM q.grace)::int / 86400) ORDER BY q.role), '[]'))
    FROM rampart_auth.mfa_requirement q
$$;
COMMENT ON FUNCTION rampart_auth.list_requirements() IS 'Roles that demand a second factor.';

CREATE FUNCTION rampart_auth.mfa_metrics() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH people AS (
        SELECT a.id, rampart_auth.has_factor(a.id) AS enrolled FROM rampart_auth.account a WHERE a.status = 'active'),
    roles AS (
        SELECT m.role::text AS role, m.org_id, m.account_id FROM rampart_auth.membership m
        UNION ALL
        SELECT a.platform_role, NULL, a.id FROM rampart_auth.account a WHERE a.platform_role IS NOT NULL)
    SELECT jsonb_build_object(
        'accounts', (SELECT count(*) FROM people),
        'enrolled', (SELECT count(*) FROM people p WHERE p.enrolled),
        'in_grace', (SELECT count(*) FROM rampart_auth.mfa_grace g WHERE g.ends_at > now()),
        'overdue', (SELECT count(*) FROM rampart_auth.mfa_grace g WHERE g.ends_at <= now()),
        'by_role', coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY c.role) FROM (
            SELECT r.role, count(DISTINCT p.id) AS accounts, count(DISTINCT p.id) FILTER (WHERE p.enrolled) AS enrolled
            FROM roles r JOIN people p ON p.id = r.account_id GROUP BY r.role) c), '[]'),
        'by_organisation', coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY c.organisation) FROM (
            SELECT r.org_id AS organisation, count(DISTINCT p.id) AS accounts, count(DISTINCT p.id) FILTER (WHERE p.enrolled) AS enrolled
            FROM roles r JOIN people p ON p.id = r.account_id WHERE r.org_id IS NOT NULL GROUP BY r.org_id) c), '[]'),
        'by_method', coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY c.method) FROM (
            SELECT f.method, count(DISTINCT f.account_id) AS accounts FROM rampart_auth.mfa_factor f JOIN people p ON p.id = f.account_id
            WHERE f.confirmed_at IS NOT NULL GROUP BY f.method) c), '[]'),
        'by_week', coalesce((SELECT jsonb_agg(to_jsonb(c) ORDER BY c.week) FROM (
            SELECT date_trunc('week', f.confirmed_at)::date AS week, count(DISTINCT f.account_id) AS enrolments FROM rampart_auth.mfa_factor f
            WHERE f.confirmed_at > now() - interval '26 weeks' GROUP BY 1) c), '[]'))
$$;
COMMENT ON FUNCTION rampart_auth.mfa_metrics() IS
'Adoption: how many of the active accounts have a second factor, by role, organisation and method, and how many enrolled in each of 26 weeks.';

CREATE FUNCTION rampart_auth.clean_up_mfa() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    DELETE FROM rampart_auth.mfa_challenge c WHERE c.expires_at < now();
    DELETE FROM rampart_auth.passkey_login l WHERE l.expires_at < now();
    DELETE FROM rampart_auth.mfa_recovery r WHERE r.expires_at < now();
    DELETE FROM rampart_auth.mfa_recovery_address r WHERE r.verified_at IS NULL AND r.expires_at < now();
    DELETE FROM rampart_auth.trusted_device d WHERE d.expires_at < now();
    DELETE FROM rampart_auth.mfa_factor f WHERE f.confirmed_at IS NULL AND f.created_at < now() - interval '1 day';
    DELETE FROM rampart_auth.mfa_backup_code b WHERE NOT EXISTS (SELECT FROM rampart_auth.mfa_factor f WHERE f.account_id = b.account_id);
$$;
COMMENT ON FUNCTION rampart_auth.clean_up_mfa() IS 'Removes challenges, recoveries, devices and set-ups that have expired: a part of clean_up().';

GRANT EXECUTE ON FUNCTION rampart_auth.set_recovery_address, rampart_auth.verify_recovery_address, rampart_auth.request_recovery,
    rampart_auth.recover, rampart_auth.disable_mfa, rampart_auth.reset_grace, rampart_auth.list_grace, rampart_auth.require_mfa,
    rampart_auth.list_requirements, rampart_auth.mfa_metrics TO rampartd;
