-- Second factors: what is kept of them, who needs one, and since when a session has shown one.
--
-- Secrets are encrypted in scope mfa; backup codes are hashed by the server, codes that are sent are kept as blind
-- indexes. A factor counts once it is confirmed, and backup codes count only beside a confirmed factor.
RESET ROLE;
SELECT rampart.define_event(e.name, 'security', e.severity, description => e.description)
FROM (VALUES
    ('auth.mfa_setup', 'info', 'A second factor was begun with'),
    ('auth.mfa_challenged', 'info', 'A login awaits its second factor'),
    ('auth.mfa_code_sent', 'info', 'A code was sent by mail or SMS'),
    ('auth.mfa_lockout', 'high', 'Second factors of an account are refused for a while'),
    ('auth.mfa_backup_used', 'medium', 'A backup code was used'),
    ('auth.mfa_backup_renewed', 'low', 'Backup codes were replaced'),
    ('auth.mfa_force_disabled', 'high', 'An administrator turned a second factor off'),
    ('auth.mfa_grace_reset', 'medium', 'An administrator began a grace period anew'),
    ('auth.mfa_requirement_changed', 'high', 'The roles that demand a second factor were changed'),
    ('auth.mfa_recovery_requested', 'medium', 'Recovery without the second factor was asked for'),
    ('auth.mfa_recovered', 'high', 'A second factor was turned off by recovery'),
    ('auth.recovery_email_set', 'medium', 'The address of recovery was changed'),
    ('auth.recovery_email_verified', 'info', 'The address of recovery was verified'),
    ('auth.device_trusted', 'low', 'A device logs in without the second factor for a while'),
    ('auth.device_revoked', 'info', 'Devices are trusted no more')) e (name, severity, description)
WHERE NOT EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = e.name);
SET ROLE rampart_auth;

ALTER TABLE rampart_auth.session ADD COLUMN proved_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN rampart_auth.session.proved_at IS
'When its user last showed the strongest proof the account has: the factor, or the password where there is none. -infinity: a trusted device stood in.';

CREATE TABLE rampart_auth.mfa_factor (
    id           uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    account_id   uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    method       text NOT NULL CHECK (method IN ('totp', 'email', 'sms', 'webauthn')),
    name         text CHECK (length(name) BETWEEN 1 AND 100),
    secret       enc_bytea(mfa),
    last_step    int8 NOT NULL DEFAULT -1,
    phone        enc_text(pii),
    created_at   timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    last_used_at timestamptz,
    CHECK ((method = 'totp') = (secret IS NOT NULL)),
    CHECK ((method = 'sms') = (phone IS NOT NULL))
);
COMMENT ON TABLE rampart_auth.mfa_factor IS 'Second factors of accounts. One that is not confirmed counts for nothing.';
COMMENT ON COLUMN rampart_auth.mfa_factor.phone IS 'Where codes by SMS go (E.164). Shown with its last two digits only.';
COMMENT ON COLUMN rampart_auth.mfa_factor.last_step IS 'The last time step a code was taken of: neither it nor an earlier one is taken again.';
CREATE UNIQUE INDEX mfa_factor_one ON rampart_auth.mfa_factor (account_id, method, (confirmed_at IS NULL)) WHERE method <> 'webauthn';
CREATE INDEX mfa_factor_account ON rampart_auth.mfa_factor (account_id);

CREATE TABLE rampart_auth.mfa_backup_code (
    account_id uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    selector   bytea NOT NULL CHECK (length(selector) = 32),
    hash       text NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (account_id, selector)
);
COMMENT ON TABLE rampart_auth.mfa_backup_code IS
'Backup codes: a keyed index of the first group, by which one is found, and the hash of the whole as crypt(3) writes it.';

CREATE FUNCTION rampart_auth.selector_index(account uuid, selector text) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN rampart.blind_index('mfa', selector, 'rampart_auth.backup_code.' || account);
END
$$;
COMMENT ON FUNCTION rampart_auth.selector_index(uuid, text) IS
'By what a backup code is found. The first group itself would leave a third less to guess of the hash beside it.';

CREATE TABLE rampart_auth.mfa_challenge (
    hash            bytea PRIMARY KEY CHECK (length(hash) = 32),
    account_id      uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    session_id      uuid REFERENCES rampart_auth.session ON DELETE CASCADE,
    org_id          uuid,
    attempts        int4 NOT NULL DEFAULT 0,
    code            bytea,
    code_method     text CHECK (code_method IN ('email', 'sms')),
    code_expires_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz
);
COMMENT ON TABLE rampart_auth.mfa_challenge IS
'Logins between password and second factor, by SHA-256 of the id that the client has; with a session, a session that proves itself anew.';
CREATE INDEX mfa_challenge_account ON rampart_auth.mfa_challenge (account_id);
CREATE INDEX mfa_challenge_session ON rampart_auth.mfa_challenge (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX mfa_challenge_expiry ON rampart_auth.mfa_challenge (expires_at);

CREATE TABLE rampart_auth.trusted_device (
    id           uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    account_id   uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    hash         bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    ip           inet,
    user_agent   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
COMMENT ON TABLE rampart_auth.trusted_device IS 'Devices that log in without the second factor for a while: SHA-256 of their cookie.';
CREATE INDEX trusted_device_account ON rampart_auth.trusted_device (account_id);
CREATE INDEX trusted_device_expiry ON rampart_auth.trusted_device (expires_at);

CREATE TABLE rampart_auth.mfa_requirement (
    role  text PRIMARY KEY CHECK (role IN ('SUPER_ADMIN', 'OWNER', 'ADMIN', 'MEMBER', 'VIEWER')),
    grace interval NOT NULL CHECK (grace BETWEEN interval '0' AND interval '90 days')
);
COMMENT ON TABLE rampart_auth.mfa_requirement IS 'Roles that demand a second factor, and how long after the first login that finds none.';
INSERT INTO rampart_auth.mfa_requirement VALUES ('SUPER_ADMIN', '7 days'), ('ADMIN', '7 days');

CREATE TABLE rampart_auth.mfa_grace (
    account_id uuid PRIMARY KEY REFERENCES rampart_auth.account ON DELETE CASCADE,
    since      timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz NOT NULL
);
COMMENT ON TABLE rampart_auth.mfa_grace IS 'Accounts that need a second factor and have none: until when they do without.';

CREATE TABLE rampart_auth.mfa_recovery_address (
    account_id  uuid PRIMARY KEY REFERENCES rampart_auth.account ON DELETE CASCADE,
    email       enc_text(pii) NOT NULL,
    token_hash  bytea UNIQUE CHECK (length(token_hash) = 32),
    expires_at  timestamptz,
    verified_at timestamptz
);
COMMENT ON TABLE rampart_auth.mfa_recovery_address IS 'Where an account without its second factor gets help. It counts once a mailed token has come back.';

CREATE TABLE rampart_auth.mfa_recovery (
    hash        bytea PRIMARY KEY CHECK (length(hash) = 32),
    account_id  uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    usable_from timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
COMMENT ON TABLE rampart_auth.mfa_recovery IS 'SHA-256 of tokens that turn an account''s second factor off, until they are used or expire.';
CREATE INDEX mfa_recovery_account ON rampart_auth.mfa_recovery (account_id);

CREATE FUNCTION rampart_auth.has_factor(account uuid) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM rampart_auth.mfa_factor f WHERE f.account_id = account AND f.confirmed_at IS NOT NULL);
END
$$;
COMMENT ON FUNCTION rampart_auth.has_factor(uuid) IS 'Whether an account logs in with a second factor. The one place that decides.';

CREATE FUNCTION rampart_auth.factor_grace(account uuid) RETURNS interval
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT min(q.grace) FROM rampart_auth.mfa_requirement q WHERE q.role IN (
            SELECT m.role FROM rampart_auth.membership m WHERE m.account_id = account
            UNION ALL
            SELECT t.role FROM rampart_auth.team_member tm JOIN rampart_auth.team t ON t.id = tm.team_id WHERE tm.account_id = account
            UNION ALL
            SELECT a.platform_role FROM rampart_auth.account a WHERE a.id = account));
END
$$;
COMMENT ON FUNCTION rampart_auth.factor_grace(uuid) IS 'How long an account may do without a second factor, by the strictest of its roles anywhere. NULL: for good.';

CREATE FUNCTION rampart_auth.start_grace(account uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart_auth.mfa_grace (account_id, ends_at)
    SELECT account, now() + g FROM rampart_auth.factor_grace(account) g WHERE g IS NOT NULL AND NOT rampart_auth.has_factor(account)
    ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION rampart_auth.factor_claims(account uuid, amr text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT CASE
            WHEN 'mfa' = ANY (amr) OR rampart_auth.factor_grace(account) IS NULL OR rampart_auth.has_factor(account)
                 OR g.account_id IS NULL THEN '{}'
            WHEN g.ends_at > clock_timestamp() THEN jsonb_build_object('until', floor(extract(epoch FROM g.ends_at)))
            ELSE '{"enrol": true}' END
        FROM (SELECT) one LEFT JOIN rampart_auth.mfa_grace g ON g.account_id = account);
END
$$;
COMMENT ON FUNCTION rampart_auth.factor_claims(uuid, text[]) IS
'What a session''s claims say of a second factor that its account lacks: enrol, it may do nothing but enrol one; until, in seconds since 1970, when that begins.';

CREATE FUNCTION rampart_auth.tell_factor_change(account uuid, event text, what text, metadata jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    address text;
BEGIN
    PERFORM rampart_auth.record(event, jsonb_build_object('account', account, 'what', what) || metadata);
    FOR address IN
        SELECT a.email::text FROM rampart_auth.account a WHERE a.id = account
        UNION ALL
        SELECT r.email::text FROM rampart_auth.mfa_recovery_address r WHERE r.account_id = account AND r.verified_at IS NOT NULL
    LOOP
        PERFORM rampart_auth.enqueue_mail(address, 'mfa-changed', jsonb_build_object('what', what));
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart_auth.tell_factor_change(uuid, text, text, jsonb) IS 'Records a change of second factors and mails every address of the account.';

CREATE FUNCTION rampart_auth.forget_devices(account uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    forgotten int;
BEGIN
    DELETE FROM rampart_auth.trusted_device d WHERE d.account_id = account;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    IF forgotten > 0 THEN
        PERFORM rampart_auth.record('auth.device_revoked', jsonb_build_object('account', account, 'devices', forgotten));
    END IF;
END
$$;
COMMENT ON FUNCTION rampart_auth.forget_devices(uuid) IS 'Trusts none of an account''s devices any more: its password or its factors have changed.';

CREATE FUNCTION rampart_auth.drop_factors(account uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart_auth.mfa_factor f WHERE f.account_id = account;
    DELETE FROM rampart_auth.mfa_backup_code b WHERE b.account_id = account;
    DELETE FROM rampart_auth.mfa_challenge c WHERE c.account_id = account;
    DELETE FROM rampart_auth.mfa_recovery r WHERE r.account_id = account;
    PERFORM rampart_auth.forget_devices(account);
    PERFORM rampart_auth.start_grace(account);
END
$$;
COMMENT ON FUNCTION rampart_auth.drop_factors(uuid) IS
'Turns an account''s second factor off, with all that hangs on it; where its role demands one, a grace period that has not been begun begins.';

-- Password changes and resets pass through set_password; devices that were trusted on the old one are not on the new.
CREATE FUNCTION rampart_auth.on_password_change() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.forget_devices(NEW.id);
    DELETE FROM rampart_auth.mfa_challenge c WHERE c.account_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_devices AFTER UPDATE OF password_changed_at ON rampart_auth.account
    FOR EACH ROW WHEN (OLD.password_changed_at IS DISTINCT FROM NEW.password_changed_at)
    EXECUTE FUNCTION rampart_auth.on_password_change();
