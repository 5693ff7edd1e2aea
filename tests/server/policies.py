"""The policy over HTTP: read, changed, acting on the next request; signing keys in turn."""
import base64
import json
import time

from world import claims_of


def check(world, report):
    server = world.server
    org, who = world.organisation(server, "ADMIN", "MEMBER")
    admin, member = world.admin(server), who["MEMBER"]

    policies = who["ADMIN"].get("/rbac/policies")
    report.equal(policies.status, 200, "an admin reads the policy")
    report.ok(policies.body["models"][0]["hash"] and policies.body["models"][0]["version"], "with version and hash", policies)
    routes = policies.body["routes"]
    report.ok(all(r["access"] != "permission" or r["permission"]["resource"] for r in routes) and len(routes) >= 45, "and the permission of every route", len(routes))
    report.equal(member.get("/rbac/policies").code, "forbidden", "a member does not")

    path = "/auth/verify?resource=report&action=approve"
    report.equal(member.get(path).code, "forbidden", "a member may not approve reports")
    rule = {"type": "p", "rule": ["MEMBER", "report", "approve", "own"]}
    report.equal(who["ADMIN"].post("/rbac/rules", rule).code, "forbidden", "rules are the platform's to change")
    report.equal(admin.post("/rbac/rules", rule).body, {"added": True}, "an administrator adds a rule")
    report.equal(member.get(path).status, 200, "it acts on the next request")
    report.equal(who["ADMIN"].post("/rbac/explain", {"role": "MEMBER", "resource": "report", "action": "approve", "whose": "own"}).status, 200, "and is explained")
    report.equal(member.post("/rbac/check", {"resource": "report", "action": "approve"}).body, {"allowed": False, "allowed_own": True}, "one asks for oneself")
    report.equal(admin.post("/rbac/rules/remove", rule).body, {"removed": True}, "it is removed")
    report.equal(member.get(path).code, "forbidden", "as of the next request")
    report.equal(admin.post("/rbac/rules", {"type": "p", "rule": ["MEMBER", "x"]}).status, 422, "a rule of another length is refused")

    before = claims_header(member.token)["kid"]
    report.equal(admin.post("/admin/signing-keys").status, 201, "the next signing key is made")
    jwks = "/.well-known/jwks.json"
    wait_for(lambda: len(server.client().get(jwks).body["keys"]) == 2)
    kids = [k["kid"] for k in server.client().get(jwks).body["keys"]]
    report.equal(len(kids), 2, "it is published before it signs")
    report.equal(admin.post("/admin/signing-keys").code, "conflict", "one at a time")
    fresh = world.person(server)
    report.equal(claims_header(fresh.token)["kid"], before, "the old one signs until then")
    report.equal(admin.post("/admin/signing-keys/activate").status, 200, "the next one is put to use")
    wait_for(lambda: claims_header(world.person(server).token)["kid"] != before)
    fresh = world.person(server)
    report.ok(claims_header(fresh.token)["kid"] in kids and claims_header(fresh.token)["kid"] != before, "and signs")
    report.equal((member.get("/auth/me").status, fresh.get("/auth/me").status), (200, 200), "tokens of both are good: nobody is logged out")
    report.equal(server.database.failure("BEGIN; SELECT rampart.set_principal(%s); COMMIT", (fresh.token,)), None, "in the database too")
    report.ok(claims_of(fresh.token)["iss"].startswith("http://localhost"), "the issuer is the public address")


def claims_header(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def wait_for(condition, seconds=3):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
