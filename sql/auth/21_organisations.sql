-- Organisations, who belongs to them in which role, teams, and invitations. Each row carries its organisation, and
-- row-level security shows it to whom the policy model "rampart" allows to see it: here also to the owner of the
-- tables, whose functions the server calls.
SET ROLE rampart_auth;

CREATE DOMAIN rampart_auth.role AS text CHECK (VALUE IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER'));

CREATE TABLE rampart_auth.organisation (
    id         uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
COMMENT ON TABLE rampart_auth.organisation IS 'Tenants.';

CREATE TABLE rampart_auth.membership (
    org_id     uuid NOT NULL REFERENCES rampart_auth.organisation ON DELETE CASCADE,
    account_id uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    role       rampart_auth.role NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, account_id)
);
COMMENT ON TABLE rampart_auth.membership IS 'Which role an account has in an organisation: one each.';
CREATE INDEX membership_account ON rampart_auth.membership (account_id);

CREATE TABLE rampart_auth.team (
    id         uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    org_id     uuid NOT NULL REFERENCES rampart_auth.organisation ON DELETE CASCADE,
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role       rampart_auth.role,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, name),
    UNIQUE (org_id, id),
    CHECK (role <> 'OWNER')
);
COMMENT ON TABLE rampart_auth.team IS 'Groups of members. A team''s role adds to its members'': the higher counts.';

CREATE TABLE rampart_auth.team_member (
    org_id     uuid NOT NULL,
    team_id    uuid NOT NULL,
    account_id uuid NOT NULL,
    PRIMARY KEY (team_id, account_id),
    FOREIGN KEY (org_id, team_id) REFERENCES rampart_auth.team (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, account_id) REFERENCES rampart_auth.membership ON DELETE CASCADE
);
COMMENT ON TABLE rampart_auth.team_member IS 'Who is in a team: members of its organisation only.';
CREATE INDEX team_member_membership ON rampart_auth.team_member (org_id, account_id);

CREATE TABLE rampart_auth.invitation (
    id          uuid PRIMARY KEY DEFAULT rampart_auth.uuid_v7(),
    org_id      uuid NOT NULL REFERENCES rampart_auth.organisation ON DELETE CASCADE,
    email       enc_text(pii, deterministic) NOT NULL,
    role        rampart_auth.role NOT NULL CHECK (role <> 'OWNER'),
    token_hash  bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    invited_by  uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at  timestamptz
);
COMMENT ON TABLE rampart_auth.invitation IS 'Invitations into an organisation, by mail.';
CREATE INDEX invitation_org ON rampart_auth.invitation (org_id);
CREATE VIEW rampart_auth.open_invitation AS
    SELECT * FROM rampart_auth.invitation i WHERE i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now();
COMMENT ON VIEW rampart_auth.open_invitation IS 'Those that can still be accepted.';

-- Whose word counts -------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.act_as_server() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.trust_principal('{"sub": "rampartd", "roles": ["SUPER_ADMIN"]}');
END
$$;
COMMENT ON FUNCTION rampart_auth.act_as_server() IS
'For what happens before anybody is known, or beyond what one may see: from here on this transaction sees every organisation.';

CREATE FUNCTION rampart_auth.me() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN CASE WHEN (rampart.principal() ->> 'api_key')::bool THEN NULL ELSE rampart.subject()::uuid END;
END
$$;
COMMENT ON FUNCTION rampart_auth.me() IS 'The account that this transaction works for. NULL: nobody, or an API key.';

CREATE FUNCTION rampart_auth.here() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rampart.org() IS NULL THEN
        RAISE EXCEPTION 'no organisation was chosen' USING ERRCODE = 'RMU12', HINT = 'Name one in X-Tenant-Id.';
    END IF;
    RETURN rampart.org()::uuid;
END
$$;
COMMENT ON FUNCTION rampart_auth.here() IS 'The organisation that this transaction works in. Errors: RMU12.';

ALTER TABLE rampart_auth.organisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE rampart_auth.organisation FORCE ROW LEVEL SECURITY;
CREATE POLICY members ON rampart_auth.organisation
    USING (rampart.allowed('organisation', 'read', id, rampart.subject()))
    WITH CHECK (rampart.allowed('settings', 'update', id));

-- By membership, which the policy on membership shows to its own account.
CREATE POLICY own ON rampart_auth.organisation FOR SELECT
    USING (EXISTS (SELECT FROM rampart_auth.membership m WHERE m.org_id = id AND m.account_id::text = (SELECT rampart.subject())));

ALTER TABLE rampart_auth.membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE rampart_auth.membership FORCE ROW LEVEL SECURITY;
CREATE POLICY readers ON rampart_auth.membership FOR SELECT
    USING (rampart.allowed('member', 'read', org_id, account_id));
CREATE POLICY own ON rampart_auth.membership FOR SELECT USING (account_id::text = rampart.subject());
CREATE POLICY writers ON rampart_auth.membership
    USING (rampart.allowed('users', 'update', org_id)) WITH CHECK (rampart.allowed('users', 'update', org_id));

ALTER TABLE rampart_auth.team ENABLE ROW LEVEL SECURITY;
ALTER TABLE rampart_auth.team FORCE ROW LEVEL SECURITY;
CREATE POLICY readers ON rampart_auth.team FOR SELECT USING (rampart.allowed('team', 'read', org_id, rampart.subject()));
CREATE POLICY writers ON rampart_auth.team
    USING (rampart.allowed('users', 'update', org_id)) WITH CHECK (rampart.allowed('users', 'update', org_id));

ALTER TABLE rampart_auth.team_member ENABLE ROW LEVEL SECURITY;
ALTER TABLE rampart_auth.team_member FORCE ROW LEVEL SECURITY;
CREATE POLICY readers ON rampart_auth.team_member FOR SELECT USING (rampart.allowed('member', 'read', org_id, account_id));
CREATE POLICY writers ON rampart_auth.team_member
    USING (rampart.allowed('users', 'update', org_id)) WITH CHECK (rampart.allowed('users', 'update', org_id));

ALTER TABLE rampart_auth.invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE rampart_auth.invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY managers ON rampart_auth.invitation
    USING (rampart.allowed('users', 'create', org_id)) WITH CHECK (rampart.allowed('users', 'create', org_id));
