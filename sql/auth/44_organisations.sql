-- Organisations, their members, teams and invitations. Whose rows these functions see and change is what row-level
-- security lets the request's principal see and change; what they add is what one may do to whom.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.rank(role text) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(array_position('{VIEWER,MEMBER,ADMIN,OWNER,SUPER_ADMIN}', role), 0) $$;

CREATE FUNCTION rampart_auth.require_rank(role text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rampart_auth.rank(role) > (SELECT max(rampart_auth.rank(r)) FROM jsonb_array_elements_text(rampart.principal() -> 'roles') r) THEN
        RAISE EXCEPTION 'nobody gives or takes a role above their own' USING ERRCODE = 'RMU02';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart_auth.require_rank(text) IS 'Errors: RMU02 if that role is above the caller''s.';

CREATE FUNCTION rampart_auth.organisation_json(o rampart_auth.organisation) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('id', o.id, 'name', o.name, 'created_at', o.created_at) $$;

CREATE FUNCTION rampart_auth.create_organisation(name text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.me();
    created rampart_auth.organisation;
BEGIN
    PERFORM rampart_auth.act_as_server();
    INSERT INTO rampart_auth.organisation (name) VALUES (create_organisation.name) RETURNING * INTO created;
    INSERT INTO rampart_auth.membership (org_id, account_id, role) VALUES (created.id, account, 'OWNER');
    PERFORM rampart_auth.as_actor(account::text, created.id);
    PERFORM rampart_auth.record('org.created', jsonb_build_object('organisation', created.id));
    RETURN rampart_auth.organisation_json(created) || '{"role": "OWNER"}';
END
$$;
COMMENT ON FUNCTION rampart_auth.create_organisation(text) IS 'Makes an organisation that the caller owns.';

CREATE FUNCTION rampart_auth.get_organisation() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart_auth.organisation_json(o) FROM rampart_auth.organisation o WHERE o.id = rampart_auth.here() $$;
COMMENT ON FUNCTION rampart_auth.get_organisation() IS
'The organisation that one works in.';

CREATE FUNCTION rampart_auth.rename_organisation(name text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed rampart_auth.organisation;
BEGIN
    UPDATE rampart_auth.organisation o SET name = rename_organisation.name WHERE o.id = rampart_auth.here() RETURNING * INTO changed;
    PERFORM rampart_auth.record('org.updated', jsonb_build_object('organisation', changed.id));
    RETURN rampart_auth.organisation_json(changed);
END
$$;
COMMENT ON FUNCTION rampart_auth.rename_organisation(text) IS
'Gives the organisation that one works in another name.';

CREATE FUNCTION rampart_auth.delete_organisation() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member uuid;
BEGIN
    UPDATE rampart_auth.organisation o SET deleted_at = now() WHERE o.id = rampart_auth.here();
    UPDATE rampart_auth.api_key k SET revoked_at = now() WHERE k.org_id = rampart_auth.here() AND k.revoked_at IS NULL;
    FOR member IN SELECT m.account_id FROM rampart_auth.membership m WHERE m.org_id = rampart_auth.here() LOOP
        PERFORM rampart_auth.recheck_sessions(member);
    END LOOP;
    PERFORM rampart_auth.record('org.deleted', jsonb_build_object('organisation', rampart_auth.here()));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.delete_organisation() IS 'Closes the organisation: nobody works in it any more. Its rows are kept until retention removes them.';

-- Members -----------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.list_members() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
        'account_id', m.account_id, 'email', a.email::text, 'name', a.name::text, 'role', m.role, 'since', m.since,
        'effective_roles', rampart_auth.roles_in(m.account_id, m.org_id)) ORDER BY m.since, m.account_id), '[]'))
    FROM rampart_auth.membership m JOIN rampart_auth.account a ON a.id = m.account_id
    WHERE m.org_id = rampart_auth.here()
$$;
COMMENT ON FUNCTION rampart_auth.list_members() IS
'The members of the organisation that one may see, with the roles that count: their own and their teams''.';

CREATE FUNCTION rampart_auth.hold_member(account uuid) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role text;
BEGIN
    PERFORM FROM rampart_auth.organisation o WHERE o.id = rampart_auth.here() FOR NO KEY UPDATE;
    SELECT m.role INTO role FROM rampart_auth.membership m WHERE m.org_id = rampart_auth.here() AND m.account_id = account;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such member' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.require_rank(role);
    RETURN role;
END
$$;
COMMENT ON FUNCTION rampart_auth.hold_member(uuid) IS
'The role of a member that is to be changed; other changes of this organisation''s members wait. Errors: RMU03, RMU02 a role above the caller''s.';

CREATE FUNCTION rampart_auth.change_role(account_id uuid, role text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was CONSTANT text := rampart_auth.hold_member(account_id);
BEGIN
    PERFORM rampart_auth.require_rank(role);
    IF was = 'OWNER' AND role IS DISTINCT FROM 'OWNER' THEN
        PERFORM rampart_auth.require_other_owner(account_id);
    END IF;
    UPDATE rampart_auth.membership m SET role = change_role.role
    WHERE m.org_id = rampart_auth.here() AND m.account_id = change_role.account_id;
    PERFORM rampart_auth.recheck_sessions(account_id);
    PERFORM rampart_auth.record('org.member_role_changed', jsonb_build_object('account', account_id, 'from', was, 'to', role));
    RETURN jsonb_build_object('account_id', account_id, 'role', role);
END
$$;
COMMENT ON FUNCTION rampart_auth.change_role(uuid, text) IS
'Gives a member another role, as of the next request everywhere. Errors: RMU03, RMU02 a role above one''s own, RMU13 the last owner.';

CREATE FUNCTION rampart_auth.require_other_owner(account uuid) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM rampart_auth.membership m
                   WHERE m.org_id = rampart_auth.here() AND m.role = 'OWNER' AND m.account_id <> account) THEN
        RAISE EXCEPTION 'an organisation keeps an owner' USING ERRCODE = 'RMU13';
    END IF;
END
$$;

CREATE FUNCTION rampart_auth.remove_member(account_id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was CONSTANT text := rampart_auth.hold_member(account_id);
BEGIN
    IF was = 'OWNER' THEN
        PERFORM rampart_auth.require_other_owner(account_id);
    END IF;
    DELETE FROM rampart_auth.membership m WHERE m.org_id = rampart_auth.here() AND m.account_id = remove_member.account_id;
    PERFORM rampart_auth.recheck_sessions(account_id);
    PERFORM rampart_auth.record('org.member_removed', jsonb_build_object('account', account_id, 'role', was));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.remove_member(uuid) IS 'Removes a member, from teams too. Errors: RMU03, RMU02, RMU13.';

-- Invitations -------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.create_invitation(email text, role text, token_hash bytea, link text, hours int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    created rampart_auth.invitation;
BEGIN
    PERFORM rampart_auth.require_rank(role);
    IF role = 'OWNER' THEN
        RAISE EXCEPTION 'an owner is made of a member' USING ERRCODE = 'RMU13';
    ELSIF EXISTS (SELECT FROM rampart_auth.membership m JOIN rampart_auth.account a ON a.id = m.account_id
                  WHERE m.org_id = rampart_auth.here() AND a.email = create_invitation.email) THEN
        RAISE EXCEPTION 'a member already' USING ERRCODE = 'RMU04';
    END IF;
    UPDATE rampart_auth.invitation i SET revoked_at = now()
    WHERE i.org_id = rampart_auth.here() AND i.email = create_invitation.email AND i.accepted_at IS NULL AND i.revoked_at IS NULL;
    INSERT INTO rampart_auth.invitation (org_id, email, role, token_hash, invited_by, expires_at)
    VALUES (rampart_auth.here(), create_invitation.email, create_invitation.role, create_invitation.token_hash, rampart.subject()::uuid,
            now() + hours * interval '1 hour')
    RETURNING * INTO created;
    PERFORM rampart_auth.enqueue_mail(email, 'invitation', jsonb_build_object('link', link, 'organisation',
        (SELECT o.name FROM rampart_auth.organisation o WHERE o.id = created.org_id)));
    PERFORM rampart_auth.record('user.invited', jsonb_build_object('invitation', created.id, 'role', created.role));
    RETURN jsonb_build_object('id', created.id, 'email', created.email::text, 'role', created.role, 'expires_at', created.expires_at);
END
$$;
COMMENT ON FUNCTION rampart_auth.create_invitation(text, text, bytea, text, int) IS
'Invites an address into the organisation, by mail; an open invitation of the same address is replaced. Errors: RMU02 a role above one''s own, RMU04 a member already, RMU13.';

CREATE FUNCTION rampart_auth.list_invitations() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object(
        'id', i.id, 'email', i.email::text, 'role', i.role, 'expires_at', i.expires_at) ORDER BY i.id), '[]'))
    FROM rampart_auth.open_invitation i WHERE i.org_id = rampart_auth.here()
$$;
COMMENT ON FUNCTION rampart_auth.list_invitations() IS
'The invitations of the organisation that can still be accepted.';

CREATE FUNCTION rampart_auth.revoke_invitation(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE rampart_auth.invitation i SET revoked_at = now()
    WHERE i.id = revoke_invitation.id AND i.org_id = rampart_auth.here() AND i.accepted_at IS NULL AND i.revoked_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such invitation' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.record('org.invitation_revoked', jsonb_build_object('invitation', id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.revoke_invitation(uuid) IS
'Withdraws an invitation. Errors: RMU03 none that is open.';

CREATE FUNCTION rampart_auth.accept_invitation(token_hash bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    account CONSTANT uuid := rampart_auth.me();
    org uuid;
BEGIN
    PERFORM rampart_auth.act_as_server();
    org := rampart_auth.join_by_invitation(account, (SELECT a.email::text FROM rampart_auth.account a WHERE a.id = account), token_hash);
    RETURN (SELECT jsonb_build_object('organisation', org, 'role', m.role) FROM rampart_auth.membership m
            WHERE m.org_id = org AND m.account_id = account);
END
$$;
COMMENT ON FUNCTION rampart_auth.accept_invitation(bytea) IS 'Joins an organisation, by an invitation that was mailed to the caller''s own address. Errors: RMU06.';

-- Teams -------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.team_json(t rampart_auth.team) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('id', t.id, 'name', t.name, 'role', t.role, 'created_at', t.created_at) $$;

CREATE FUNCTION rampart_auth.list_teams() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(rampart_auth.team_json(t) ORDER BY t.id), '[]'))
    FROM rampart_auth.team t WHERE t.org_id = rampart_auth.here()
$$;
COMMENT ON FUNCTION rampart_auth.list_teams() IS
'The teams of the organisation that one may see.';

CREATE FUNCTION rampart_auth.create_team(name text, role text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    created rampart_auth.team;
BEGIN
    PERFORM rampart_auth.require_rank(role);
    INSERT INTO rampart_auth.team (org_id, name, role) VALUES (rampart_auth.here(), create_team.name, create_team.role)
        ON CONFLICT DO NOTHING RETURNING * INTO created;
    IF created.id IS NULL THEN
        RAISE EXCEPTION 'a team of that name exists' USING ERRCODE = 'RMU04';
    END IF;
    PERFORM rampart_auth.record('team.created', jsonb_build_object('team', created.id, 'role', role));
    RETURN rampart_auth.team_json(created);
END
$$;
COMMENT ON FUNCTION rampart_auth.create_team(text, text) IS 'Makes a team; its role adds to what its members have. Errors: RMU02, RMU04.';

CREATE FUNCTION rampart_auth.recheck_team(team uuid) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart_auth.recheck_sessions(tm.account_id) FROM rampart_auth.team_member tm WHERE tm.team_id = team $$;

CREATE FUNCTION rampart_auth.require_team(team uuid) RETURNS rampart_auth.team
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    candidate rampart_auth.team;
BEGIN
    SELECT t.* INTO candidate FROM rampart_auth.team t WHERE t.id = team AND t.org_id = rampart_auth.here() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such team' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.require_rank(candidate.role);
    RETURN candidate;
END
$$;

CREATE FUNCTION rampart_auth.change_team(id uuid, name text DEFAULT NULL, role text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    changed rampart_auth.team := rampart_auth.require_team(id);
BEGIN
    PERFORM rampart_auth.require_rank(role);
    UPDATE rampart_auth.team t SET name = coalesce(change_team.name, t.name), role = coalesce(change_team.role, t.role)
    WHERE t.id = changed.id RETURNING * INTO changed;
    PERFORM rampart_auth.recheck_team(changed.id);
    PERFORM rampart_auth.record('team.updated', jsonb_build_object('team', changed.id, 'role', changed.role));
    RETURN rampart_auth.team_json(changed);
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'a team of that name exists' USING ERRCODE = 'RMU04';
END
$$;
COMMENT ON FUNCTION rampart_auth.change_team(uuid, text, text) IS
'Renames a team or gives it another role, which its members have from the next request on; NULL leaves either as it is. Errors: RMU03, RMU02 a role above one''s own, RMU04 the name is taken.';

CREATE FUNCTION rampart_auth.delete_team(id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.require_team(id);
    PERFORM rampart_auth.recheck_team(id);
    DELETE FROM rampart_auth.team t WHERE t.id = delete_team.id;
    PERFORM rampart_auth.record('team.deleted', jsonb_build_object('team', id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.delete_team(uuid) IS
'Deletes a team; its members lose its role with the next request. Errors: RMU03, RMU02 its role is above one''s own.';

CREATE FUNCTION rampart_auth.list_team_members(id uuid) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object('account_id', tm.account_id) ORDER BY tm.account_id), '[]'))
    FROM rampart_auth.team_member tm WHERE tm.team_id = id AND tm.org_id = rampart_auth.here()
$$;
COMMENT ON FUNCTION rampart_auth.list_team_members(uuid) IS
'Who is in a team, as far as one may see them.';

CREATE FUNCTION rampart_auth.add_team_member(id uuid, account_id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.require_team(id);
    IF NOT EXISTS (SELECT FROM rampart_auth.membership m WHERE m.org_id = rampart_auth.here() AND m.account_id = add_team_member.account_id) THEN
        RAISE EXCEPTION 'no such member' USING ERRCODE = 'RMU03';
    END IF;
    INSERT INTO rampart_auth.team_member (org_id, team_id, account_id) VALUES (rampart_auth.here(), id, add_team_member.account_id)
        ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM rampart_auth.recheck_sessions(account_id);
        PERFORM rampart_auth.record('team.member_added', jsonb_build_object('team', id, 'account', account_id));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.add_team_member(uuid, uuid) IS 'Puts a member into a team, whose role they have besides their own from the next request on. Errors: RMU03, RMU02.';

CREATE FUNCTION rampart_auth.remove_team_member(id uuid, account_id uuid) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart_auth.require_team(id);
    DELETE FROM rampart_auth.team_member tm WHERE tm.team_id = id AND tm.account_id = remove_team_member.account_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such member' USING ERRCODE = 'RMU03';
    END IF;
    PERFORM rampart_auth.recheck_sessions(account_id);
    PERFORM rampart_auth.record('team.member_removed', jsonb_build_object('team', id, 'account', account_id));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.remove_team_member(uuid, uuid) IS
'Takes a member out of a team, whose role they lose with the next request. Errors: RMU03, RMU02 the team''s role is above one''s own.';

GRANT EXECUTE ON FUNCTION rampart_auth.create_organisation, rampart_auth.get_organisation, rampart_auth.rename_organisation,
    rampart_auth.delete_organisation, rampart_auth.list_members, rampart_auth.change_role, rampart_auth.remove_member,
    rampart_auth.create_invitation, rampart_auth.list_invitations, rampart_auth.revoke_invitation, rampart_auth.accept_invitation,
    rampart_auth.list_teams, rampart_auth.create_team, rampart_auth.change_team, rampart_auth.delete_team,
    rampart_auth.list_team_members, rampart_auth.add_team_member, rampart_auth.remove_team_member TO rampartd;
