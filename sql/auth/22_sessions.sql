-- Sessions and what opens them: refresh tokens, API keys, and the keys that access tokens are signed with.
SET ROLE rampart_auth;

CREATE TABLE rampart_auth.session (
    id            uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    account_id    uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    org_id        uuid,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used_at  timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    ip            inet,
    user_agent    text,
    amr           text[] NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT '-infinity',
    revoked_at    timestamptz,
    revoked_why   text
);
COMMENT ON TABLE rampart_auth.session IS 'Logins. A session is what its refresh tokens have in common: their family. Kept for thirty days after its end, to know devices and networks by.';
COMMENT ON COLUMN rampart_auth.session.amr IS 'How it was proved who is there (RFC 8176).';
COMMENT ON COLUMN rampart_auth.session.changed_at IS
'Since when access tokens that were issued before say too much: servers ask the database about them. Set when it ends and when a role changes.';
CREATE INDEX session_account ON rampart_auth.session (account_id, id);
CREATE INDEX session_changed ON rampart_auth.session (changed_at) WHERE changed_at > '-infinity';
CREATE INDEX session_end ON rampart_auth.session (least(expires_at, revoked_at));

CREATE TABLE rampart_auth.refresh_token (
    hash         bytea PRIMARY KEY CHECK (length(hash) = 32),
    session_id   uuid NOT NULL REFERENCES rampart_auth.session ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    successor    bytea REFERENCES rampart_auth.refresh_token DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE rampart_auth.refresh_token IS 'SHA-256 of refresh tokens.';
CREATE INDEX refresh_token_session ON rampart_auth.refresh_token (session_id);
CREATE INDEX refresh_token_expiry ON rampart_auth.refresh_token (expires_at);

CREATE TABLE rampart_auth.issued_token (
    jti        text COLLATE "C" PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES rampart_auth.session ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE rampart_auth.issued_token IS 'Access tokens, which are revoked by their jti where a session ends before they expire.';
CREATE INDEX issued_token_session ON rampart_auth.issued_token (session_id);
CREATE INDEX issued_token_expiry ON rampart_auth.issued_token (expires_at);

CREATE TABLE rampart_auth.api_key (
    id           uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    org_id       uuid NOT NULL REFERENCES rampart_auth.organisation ON DELETE CASCADE,
    created_by   uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    hash         bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    last_four    text NOT NULL,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
COMMENT ON TABLE rampart_auth.api_key IS 'Keys of programs: SHA-256, and what each may be used for.';
CREATE INDEX api_key_org ON rampart_auth.api_key (org_id);
ALTER TABLE rampart_auth.api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE rampart_auth.api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY readers ON rampart_auth.api_key USING (rampart.allowed('api_key', 'read', org_id, created_by))
    WITH CHECK (rampart.allowed('api_key', 'create', org_id, created_by) OR rampart.allowed('api_key', 'update', org_id, created_by));

CREATE TABLE rampart_auth.signing_key (
    kid          text PRIMARY KEY,
    algorithm    text NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256')),
    private_key  enc_text(secret) NOT NULL,
    public_key   text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    retired_at   timestamptz
);
COMMENT ON TABLE rampart_auth.signing_key IS
'Keys of access tokens, as PEM. One after the other: made and published, then signing (activated_at), then only verified with (retired_at).';

CREATE TABLE rampart_auth.server_secret (
    name  text PRIMARY KEY,
    value enc_bytea(secret) NOT NULL
);
COMMENT ON TABLE rampart_auth.server_secret IS 'Secrets that all instances of the server share.';

CREATE FUNCTION rampart_auth.end_sessions(ids uuid[], why text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    token record;
    ended record;
BEGIN
    FOR ended IN
        UPDATE rampart_auth.session s SET revoked_at = now(), changed_at = clock_timestamp(), revoked_why = why
        WHERE s.id = ANY (ids) AND s.revoked_at IS NULL
        RETURNING s.id, s.account_id
    LOOP
        FOR token IN SELECT t.jti, t.expires_at FROM rampart_auth.issued_token t
                     WHERE t.session_id = ended.id AND t.expires_at > now() LOOP
            PERFORM rampart.revoke_token(token.jti, token.expires_at);
        END LOOP;
        PERFORM pg_notify('rampart_auth', 'session ' || ended.id);
        PERFORM rampart_auth.record('session.revoked', jsonb_build_object('session', ended.id, 'account', ended.account_id, 'why', why));
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart_auth.end_sessions(uuid[], text) IS
'Ends sessions: refresh tokens and access tokens of them are worth nothing from the commit on, on every instance and in the database.';

CREATE FUNCTION rampart_auth.sessions_of(account uuid, except_session uuid DEFAULT NULL) RETURNS uuid[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(s.id), '{}') FROM rampart_auth.session s
    WHERE s.account_id = account AND s.revoked_at IS NULL AND s.id IS DISTINCT FROM except_session
$$;

CREATE FUNCTION rampart_auth.recheck_sessions(account uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session uuid;
BEGIN
    FOR session IN UPDATE rampart_auth.session s SET changed_at = clock_timestamp()
                   WHERE s.account_id = account AND s.revoked_at IS NULL RETURNING s.id LOOP
        PERFORM pg_notify('rampart_auth', 'session ' || session);
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart_auth.recheck_sessions(uuid) IS 'Has servers ask the database about the access tokens that an account holds: its roles have changed.';
