"""Organisations: roles, invitations, teams, and tenants that do not see each other, over HTTP and through SQL."""
import psycopg2

from database import on


def check(world, report):
    server = world.server
    org, who = world.organisation(server, "ADMIN", "MEMBER", "VIEWER")
    base = f"/organisations/{org}"
    owner, admin, member, viewer = (who[r] for r in ("OWNER", "ADMIN", "MEMBER", "VIEWER"))

    seen = {role: len(client.get(base + "/members").body["items"]) for role, client in who.items()}
    report.equal(seen, {"OWNER": 4, "ADMIN": 4, "MEMBER": 1, "VIEWER": 1}, "owners and admins see all members, others themselves")
    report.equal({r: c.patch(base, {"name": "New name"}).status for r, c in who.items()}, {"OWNER": 200, "ADMIN": 403, "MEMBER": 403, "VIEWER": 403},
                 "settings are the owner's")
    invited = {r: c.post(base + "/invitations", {"email": f"{r.lower()}@invited.example", "role": "MEMBER"}).status for r, c in who.items()}
    report.equal(invited, {"OWNER": 201, "ADMIN": 201, "MEMBER": 403, "VIEWER": 403}, "owners and admins invite")

    role = f"{base}/members/{member.id}"
    report.equal(admin.patch(role, {"role": "OWNER"}).code, "forbidden", "nobody gives a role above their own")
    report.equal(admin.patch(f"{base}/members/{owner.id}", {"role": "VIEWER"}).code, "forbidden", "nor takes one")
    report.equal(owner.patch(f"{base}/members/{owner.id}", {"role": "ADMIN"}).code, "not_possible", "the last owner stays one")
    report.equal(owner.delete(f"{base}/members/{owner.id}").code, "not_possible", "and stays")
    report.equal(member.get(base + "/invitations").code, "forbidden", "a member does not see invitations")
    report.equal(admin.patch(role, {"role": "ADMIN"}).status, 200, "an admin makes another")
    report.equal(member.get(base + "/invitations").status, 200, "who is one on the next request, with the same token")
    report.equal(admin.patch(role, {"role": "MEMBER"}).status, 200, "and is made a member again")
    report.equal(member.get(base + "/invitations").code, "forbidden", "on the next request")

    teams(world, report, base, owner, viewer)
    tenants(world, report, server, org, who)
    through_sql(world, report, server, org, who)
    invitations(world, report, server, org, base, owner)

    removed = who["VIEWER"]
    report.equal(owner.delete(f"{base}/members/{removed.id}").status, 204, "an owner removes a member")
    report.equal(removed.get(base).code, "tenant_forbidden", "who is out on the next request")
    report.equal(owner.delete(base).status, 204, "an owner closes the organisation")
    report.equal(admin.get(base).code, "tenant_forbidden", "which nobody enters any more")


def teams(world, report, base, owner, viewer):
    team = owner.post(base + "/teams", {"name": "Support", "role": "ADMIN"})
    report.equal(team.status, 201, "an owner makes a team with a role")
    report.equal(owner.post(base + "/teams", {"name": "Support"}).code, "conflict", "of a name of its own")
    path = f"{base}/teams/{team.body['id']}/members/{viewer.id}"
    report.equal(viewer.get(base + "/invitations").status, 403, "a viewer may not")
    report.equal(owner.put(path).status, 204, "put into the team")
    report.equal(viewer.get(base + "/invitations").status, 200, "has its role besides: the higher counts")
    report.equal(viewer.get("/auth/me").body["roles"], ["ADMIN", "VIEWER"], "and is told so, without a new token")
    report.equal(owner.put(f"{base}/teams/{team.body['id']}/members/{world.person(world.server).id}").code, "not_found", "only members join teams")
    report.equal(owner.delete(path).status, 204, "taken out of the team")
    report.equal(viewer.get(base + "/invitations").status, 403, "may not again")
    report.equal(owner.patch(f"{base}/teams/{team.body['id']}", {"name": "Help", "role": "MEMBER"}).body["name"], "Help", "a team is changed")
    report.equal(owner.delete(f"{base}/teams/{team.body['id']}").status, 204, "and deleted")


def tenants(world, report, server, org, who):
    other, theirs = world.organisation(server, "ADMIN")
    mallory = theirs["ADMIN"]
    for path in ("", "/members", "/teams", "/invitations"):
        answer = mallory.get(f"/organisations/{org}{path}")
        report.equal(answer.code, "tenant_forbidden", f"another organisation's admin does not see {path or 'it'}")
    report.equal(mallory.get(f"/organisations/{org}/members", headers={"X-Tenant-Id": other}).code, "tenant_forbidden", "nor by a header that differs from the path")
    report.equal(mallory.get("/audit/events", headers={"X-Tenant-Id": org}).code, "tenant_forbidden", "nor its audit log by a header")
    member = who["MEMBER"].id
    report.equal(mallory.patch(f"/organisations/{other}/members/{member}", {"role": "ADMIN"}).code, "not_found", "nor changes its members under the own organisation's path")
    team = who["OWNER"].post(f"/organisations/{org}/teams", {"name": "Secret"}).body["id"]
    report.equal(mallory.patch(f"/organisations/{other}/teams/{team}", {"name": "x"}).code, "not_found", "nor its teams")
    report.equal(mallory.get(f"/organisations/{other}/teams/{team}/members").body["items"], [], "whose members it does not see")
    events = mallory.get("/audit/events?page=200").body["items"]
    report.ok(events and not any(org in str(e) for e in events), "its audit log has nothing of others", events)
    mine = who["OWNER"].get("/audit/events?page=200").body["items"]
    report.ok({"org.created", "team.created", "user.invited"} <= {e["event"] for e in mine}, "one's own is there", mine)
    super_admin = world.admin(server)
    report.equal(super_admin.get(f"/organisations/{org}/members").status, 200, "an administrator of the platform sees every organisation")


def through_sql(world, report, server, org, who):
    """As an application that has the tables granted, with the token of one of its users."""
    database = server.database
    database.query("DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'application') THEN CREATE ROLE application LOGIN; END IF; END$$;"
                   "GRANT USAGE ON SCHEMA rampart_auth TO application;"
                   "GRANT SELECT, UPDATE, DELETE ON rampart_auth.organisation, rampart_auth.membership, rampart_auth.team, rampart_auth.team_member, "
                   "rampart_auth.invitation, rampart_auth.api_key TO application")
    other, theirs = world.organisation(server, "MEMBER")

    def seen(token, table, organisation):
        connection = database.connect("application", autocommit=False)
        try:
            if token:
                on(connection, "SELECT rampart.set_principal(%s)", (token,))
            column = "id" if table == "organisation" else "org_id"
            return on(connection, f"SELECT count(*) FROM rampart_auth.{table} WHERE {column} = %s", (organisation,))[0][0]
        finally:
            connection.close()

    report.equal([seen(None, t, org) for t in ("organisation", "membership", "team", "invitation", "api_key")], [0] * 5, "SQL without a token sees no row")
    report.equal(seen(who["OWNER"].token, "membership", org), 4, "SQL with an owner's token sees the members")
    report.equal(seen(who["MEMBER"].token, "membership", org), 1, "with a member's their own row")
    report.equal([seen(theirs["OWNER"].token, t, org) for t in ("organisation", "membership", "team", "invitation")], [0] * 4, "with another organisation's nothing")
    connection = database.connect("application", autocommit=False)
    on(connection, "SELECT rampart.set_principal(%s)", (theirs["OWNER"].token,))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rampart_auth.membership SET role = 'OWNER' WHERE org_id = %s", (org,))
        report.equal(cursor.rowcount, 0, "nor changes a row there")
        try:
            cursor.execute("UPDATE rampart_auth.membership SET org_id = %s WHERE org_id = %s", (org, other))
            report.ok(False, "nor moves one into it", cursor.rowcount)
        except psycopg2.Error as error:
            report.equal(error.pgcode, "42501", "nor moves one into it")
    connection.close()


def invitations(world, report, server, org, base, owner):
    email, _ = world.account(server)
    invitation = owner.post(base + "/invitations", {"email": email, "role": "VIEWER"}).body["id"]
    token = world.mailed_token(server.database, email, "invitation")
    stranger = world.person(server)
    report.equal(stranger.post("/invitations/accept", {"token": token}).code, "token_invalid", "an invitation is no use to another")
    report.equal(owner.delete(f"{base}/invitations/{invitation}").status, 204, "it is withdrawn")
    guest = server.client()
    guest.log_in(email)
    report.equal(guest.post("/invitations/accept", {"token": token}).code, "token_invalid", "and counts no more")
    owner.post(base + "/invitations", {"email": email, "role": "VIEWER"})
    token = world.mailed_token(server.database, email, "invitation")
    answer = guest.post("/invitations/accept", {"token": token})
    report.equal(answer.body, {"organisation": org, "role": "VIEWER"}, "a new one is accepted")
    report.equal(owner.post(base + "/invitations", {"email": email, "role": "VIEWER"}).code, "conflict", "a member is not invited")
    report.equal(guest.get(base).status, 200, "who joined is in")
