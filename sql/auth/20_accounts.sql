-- Accounts: who can log in, what guards their passwords, and the one-time tokens that are mailed to them.
-- Addresses and names are encrypted in scope pii; tokens are stored as SHA-256, passwords as argon2id or bcrypt.
SET ROLE rampart_auth;

-- Version 7 (RFC 9562): ids that rise with time, and so fill indexes from one end.
CREATE FUNCTION rampart_auth.uuid_v7() RETURNS uuid
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN encode(
        set_byte(set_byte(
            overlay(uuid_send(gen_random_uuid())
                    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::int8) FROM 3) FROM 1 FOR 6),
            6, get_byte(uuid_send(gen_random_uuid()), 6) & 15 | 112),
            8, get_byte(uuid_send(gen_random_uuid()), 8) & 63 | 128), 'hex')::uuid;
END
$$;
COMMENT ON FUNCTION rampart_auth.uuid_v7() IS 'A new id: 48 bits of time in milliseconds, 74 random ones.';

CREATE TABLE rampart_auth.account (
    id                  uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    email               enc_text(pii, deterministic) NOT NULL UNIQUE,
    name                enc_text(pii),
    password_hash       text,
    password_changed_at timestamptz,
    status              text NOT NULL CHECK (status IN ('unverified', 'awaiting_approval', 'active', 'disabled')),
    platform_role       text CHECK (platform_role = 'SUPER_ADMIN'),
    email_verified_at   timestamptz,
    last_login_at       timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart_auth.account IS 'Who can log in.';
COMMENT ON COLUMN rampart_auth.account.email IS 'In lower case; the server normalises it.';
COMMENT ON COLUMN rampart_auth.account.password_hash IS 'As crypt(3) and argon2 write it, parameters and salt included. NULL: no login by password.';
CREATE INDEX account_status ON rampart_auth.account (status) WHERE status <> 'active';

CREATE TABLE rampart_auth.password_history (
    account_id uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    hash       text NOT NULL,
    until      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart_auth.password_history IS 'Passwords that an account had before.';
CREATE INDEX password_history_account ON rampart_auth.password_history (account_id, until DESC);

CREATE TABLE rampart_auth.one_time_token (
    hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
    purpose    text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
    account_id uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
COMMENT ON TABLE rampart_auth.one_time_token IS 'SHA-256 of tokens that were mailed. Each is taken once.';
CREATE INDEX one_time_token_account ON rampart_auth.one_time_token (account_id, purpose);
CREATE INDEX one_time_token_expiry ON rampart_auth.one_time_token (expires_at);

CREATE TABLE rampart_auth.throttle (
    key          bytea PRIMARY KEY,
    failures     int4 NOT NULL DEFAULT 0,
    lockouts     int4 NOT NULL DEFAULT 0,
    locked_until timestamptz,
    last_failure timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart_auth.throttle IS
'Failed logins by account and by address, and codes that were sent to an account. The key is a blind index of either, so that an address nobody has is counted like one that somebody has.';
CREATE INDEX throttle_last_failure ON rampart_auth.throttle (last_failure);

CREATE TABLE rampart_auth.outbox (
    id              uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    channel         text NOT NULL CHECK (channel IN ('mail', 'sms')),
    recipient       enc_text(pii),
    template        text NOT NULL,
    data            enc_jsonb(secret),
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    attempts        int4 NOT NULL DEFAULT 0,
    next_attempt_at timestamptz DEFAULT now(),
    lease           uuid,
    sent_at         timestamptz,
    failed_at       timestamptz,
    last_error      text
);
COMMENT ON TABLE rampart_auth.outbox IS 'Messages to be sent, each written by the transaction that it tells of. Recipient and data are wiped once it is sent.';
COMMENT ON COLUMN rampart_auth.outbox.expires_at IS 'From when on it is worth nothing, and not sent any more. NULL: never.';
COMMENT ON COLUMN rampart_auth.outbox.next_attempt_at IS 'NULL: nothing is to be done any more.';
CREATE INDEX outbox_next ON rampart_auth.outbox (channel, next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE FUNCTION rampart_auth.enqueue(channel text, recipient text, template text, data jsonb, lifetime interval) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart_auth.outbox (channel, recipient, template, data, expires_at)
    VALUES (enqueue.channel, enqueue.recipient, enqueue.template, enqueue.data, now() + lifetime);
    PERFORM pg_notify('rampart_auth', enqueue.channel);
END
$$;
COMMENT ON FUNCTION rampart_auth.enqueue(text, text, text, jsonb, interval) IS
'Has a message sent when this transaction has committed. lifetime: for how long it is worth anything, NULL for ever.';

CREATE FUNCTION rampart_auth.enqueue_mail(recipient text, template text, data jsonb) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart_auth.enqueue('mail', recipient, template, data, NULL) $$;
COMMENT ON FUNCTION rampart_auth.enqueue_mail(text, text, jsonb) IS 'Has a mail sent that never is too late.';
