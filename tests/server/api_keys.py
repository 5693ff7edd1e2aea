"""API keys: shown once, hashed, bounded by their scopes."""
from world import sha256


def check(world, report):
    server = world.server
    database = server.database
    org, who = world.organisation(server, "MEMBER", "VIEWER")
    member = who["MEMBER"]

    made = member.post("/api-keys", {"name": "build", "scopes": ["document:read", "team:read"]})
    report.equal(made.status, 201, "a member makes a key")
    key = made.body["key"]
    report.equal(database.value("SELECT hash = %s FROM rampart_auth.api_key WHERE id = %s", (sha256(key), made.body["id"])), True, "which is stored as its hash")
    report.equal(who["VIEWER"].post("/api-keys", {"name": "x", "scopes": ["document:read"]}).code, "forbidden", "a viewer makes none")

    program = server.client(api_key=key)
    me = program.get("/auth/me").body
    report.equal((me["id"], me["organisation"], me["roles"], me["scopes"]), (member.id, org, ["API"], ["document:read", "team:read"]), "the key says who it works for")
    report.equal(server.client(token=key).get("/auth/me").status, 200, "also as a bearer token")
    report.equal(program.get("/auth/verify?resource=document&action=read").status, 200, "what its scopes name is allowed")
    report.equal(program.get("/auth/verify?resource=document&action=update").code, "forbidden", "and nothing else")
    report.equal(program.get(f"/organisations/{org}/teams").status, 200, "on routes too")
    report.equal(program.get(f"/organisations/{org}/members").code, "forbidden", "a missing scope is refused")
    report.equal(program.post("/api-keys", {"name": "more", "scopes": ["*:*"]}).code, "forbidden", "a key makes no keys")
    report.equal(program.get("/auth/profile").code, "forbidden", "nor is it a person")
    other, _ = world.organisation(server)
    report.equal(program.get("/auth/me", headers={"X-Tenant-Id": other}).code, "tenant_forbidden", "it works in its organisation only")
    report.equal(program.get("/auth/me", headers={"Authorization": f"Bearer {member.token}"}).code, "malformed_request", "two credentials are refused")

    listed = member.get("/api-keys").body["items"]
    report.ok(len(listed) == 1 and key not in str(listed) and listed[0]["last_four"] == key[-4:] and listed[0]["last_used_at"], "the list shows what is left of it", listed)
    report.equal(len(who["OWNER"].get("/api-keys").body["items"]), 1, "the owner sees it too")
    report.equal(who["VIEWER"].get("/api-keys").body["items"], [], "a viewer does not")
    short = member.post("/api-keys", {"name": "short", "scopes": ["document:read"], "expires_at": "2199-01-01T00:00:00Z"}).body
    database.query("UPDATE rampart_auth.api_key SET expires_at = now() - interval '1 second' WHERE id = %s", (short["id"],))
    report.equal(server.client(api_key=short["key"]).get("/auth/me").status, 401, "an expired key")
    report.equal(member.post("/api-keys", {"name": "old", "scopes": ["document:read"], "expires_at": "2020-01-01T00:00:00Z"}).code, "not_possible", "is not made")
    report.equal(server.client(api_key="rmp_" + "x" * 43).get("/auth/me").status, 401, "a key that was never made")
    report.equal(who["VIEWER"].delete(f"/api-keys/{made.body['id']}").status, 403, "another does not revoke it")
    report.equal(member.delete(f"/api-keys/{made.body['id']}").status, 204, "its maker does")
    report.equal(program.get("/auth/me").status, 401, "it is dead on the next request")
    kept = member.post("/api-keys", {"name": "kept", "scopes": ["document:read"]}).body["key"]
    who["OWNER"].delete(f"/organisations/{org}/members/{member.id}")
    report.equal(server.client(api_key=kept).get("/auth/me").status, 401, "who leaves takes their keys' rights along")
    events = {e for (e,) in database.query("SELECT DISTINCT event FROM rampart.audit_log WHERE event LIKE 'apikey.%%' AND org = %s", (org,))}
    report.equal(events, {"apikey.created", "apikey.revoked"}, "all of it is recorded")
