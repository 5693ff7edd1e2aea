-- Sign-up in four modes, verification of the address, approval. What is answered does not tell whether an account exists:
-- who has one already gets a mail that says so.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.join_by_invitation(account uuid, email text, token_hash bytea) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate rampart_auth.invitation;
BEGIN
    SELECT i.* INTO candidate FROM rampart_auth.open_invitation i
    WHERE i.token_hash = join_by_invitation.token_hash AND i.email = join_by_invitation.email
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the invitation is not valid, or not any more' USING ERRCODE = 'RMU06';
    END IF;
    UPDATE rampart_auth.invitation i SET accepted_at = now() WHERE i.id = candidate.id;
    INSERT INTO rampart_auth.membership AS m (org_id, account_id, role) VALUES (candidate.org_id, account, candidate.role)
        ON CONFLICT DO NOTHING;
    PERFORM rampart_auth.as_actor(account::text, candidate.org_id);
    PERFORM rampart_auth.record('org.member_added', jsonb_build_object('account', account, 'role', candidate.role, 'invitation', candidate.id));
    RETURN candidate.org_id;
END
$$;

CREATE FUNCTION rampart_auth.sign_up(email text, name text, password_hash text, mode text, domains text[], invitation_hash bytea,
                                     token_hash bytea, link text, token_minutes int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    created uuid;
BEGIN
    PERFORM rampart_auth.act_as_server();
    IF mode = 'invitation' AND invitation_hash IS NULL THEN
        RAISE EXCEPTION 'signing up takes an invitation' USING ERRCODE = 'RMU08';
    ELSIF mode = 'domain' AND NOT split_part(email, '@', 2) = ANY (domains) THEN
        RAISE EXCEPTION 'addresses of this domain cannot sign up' USING ERRCODE = 'RMU08';
    END IF;
    INSERT INTO rampart_auth.account (email, name, password_hash, password_changed_at, status)
    VALUES (sign_up.email, sign_up.name, sign_up.password_hash, now(), 'unverified')
    ON CONFLICT DO NOTHING RETURNING id INTO created;
    IF created IS NULL THEN
        IF invitation_hash IS NOT NULL AND NOT EXISTS (
                SELECT FROM rampart_auth.open_invitation i WHERE i.token_hash = invitation_hash AND i.email = sign_up.email) THEN
            RAISE EXCEPTION 'the invitation is not valid, or not any more' USING ERRCODE = 'RMU06';
        END IF;
        PERFORM rampart_auth.enqueue_mail(email, 'already-registered', '{}');
        RETURN '{}';
    END IF;
    PERFORM rampart_auth.as_actor(created::text);
    PERFORM rampart_auth.record('auth.signup', jsonb_build_object('account', created, 'mode', mode));
    PERFORM rampart_auth.record('user.created', jsonb_build_object('account', created));
    IF invitation_hash IS NOT NULL THEN
        -- The invitation came by mail, which proves the address.
        PERFORM rampart_auth.join_by_invitation(created, email, invitation_hash);
        PERFORM rampart_auth.mark_verified(created, false);
    ELSE
        PERFORM rampart_auth.mail_verification(created, email, token_hash, link, token_minutes);
    END IF;
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION rampart_auth.sign_up(text, text, text, text, text[], bytea, bytea, text, int) IS
'Signs somebody up, by mode: open, domain, invitation or approval. Errors: RMU08 not in this mode, RMU06 the invitation does not count.';

CREATE FUNCTION rampart_auth.mail_verification(account uuid, email text, token_hash bytea, link text, minutes int) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart_auth.one_time_token t WHERE t.account_id = account AND t.purpose = 'verify_email';
    INSERT INTO rampart_auth.one_time_token (hash, purpose, account_id, expires_at)
    VALUES (token_hash, 'verify_email', account, now() + minutes * interval '1 minute');
    PERFORM rampart_auth.enqueue_mail(email, 'verify-email', jsonb_build_object('link', link, 'minutes', minutes));
END
$$;

CREATE FUNCTION rampart_auth.mark_verified(account uuid, needs_approval bool) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    admin record;
BEGIN
    UPDATE rampart_auth.account a SET email_verified_at = now(),
        status = CASE WHEN needs_approval THEN 'awaiting_approval' ELSE 'active' END
    WHERE a.id = account AND a.status = 'unverified';
    PERFORM rampart_auth.record('auth.email_verified', jsonb_build_object('account', account));
    IF needs_approval THEN
        FOR admin IN SELECT a.email::text AS email FROM rampart_auth.account a
                     WHERE a.platform_role = 'SUPER_ADMIN' AND a.status = 'active' LOOP
            PERFORM rampart_auth.enqueue_mail(admin.email, 'approval-requested', '{}');
        END LOOP;
    END IF;
END
$$;

CREATE FUNCTION rampart_auth.take_one_time_token(hash bytea, purpose text) RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account uuid;
BEGIN
    UPDATE rampart_auth.one_time_token t SET used_at = now()
    WHERE t.hash = take_one_time_token.hash AND t.purpose = take_one_time_token.purpose AND t.used_at IS NULL AND t.expires_at > now()
    RETURNING t.account_id INTO account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is not valid, or not any more' USING ERRCODE = 'RMU06';
    END IF;
    PERFORM rampart_auth.as_actor(account::text);
    RETURN account;
END
$$;
COMMENT ON FUNCTION rampart_auth.take_one_time_token(bytea, text) IS 'Whose token this is; it is used up. Errors: RMU06.';

CREATE FUNCTION rampart_auth.verify_email(token_hash bytea, needs_approval bool) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account uuid;
BEGIN
    PERFORM rampart_auth.act_as_server();
    account := rampart_auth.take_one_time_token(token_hash, 'verify_email');
    PERFORM rampart_auth.mark_verified(account, needs_approval);
    RETURN (SELECT jsonb_build_object('status', a.status) FROM rampart_auth.account a WHERE a.id = account);
END
$$;
COMMENT ON FUNCTION rampart_auth.verify_email(bytea, bool) IS 'Takes the token of a verification mail. Errors: RMU06.';

CREATE FUNCTION rampart_auth.resend_verification(email text, token_hash bytea, link text, token_minutes int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account uuid;
BEGIN
    SELECT a.id INTO account FROM rampart_auth.account a WHERE a.email = resend_verification.email AND a.status = 'unverified';
    IF FOUND THEN
        PERFORM rampart_auth.as_actor(account::text);
        PERFORM rampart_auth.mail_verification(account, email, token_hash, link, token_minutes);
    END IF;
    PERFORM rampart_auth.record('auth.verification_requested', jsonb_build_object(
        'account', account, 'email_hash', encode(rampart_auth.throttle_key('email', email), 'hex')));
    RETURN '{}';
END
$$;
COMMENT ON FUNCTION rampart_auth.resend_verification(text, bytea, text, int) IS 'Mails another token to an address that awaits verification, and nothing to others.';

GRANT EXECUTE ON FUNCTION rampart_auth.sign_up, rampart_auth.verify_email, rampart_auth.resend_verification TO rampartd;
