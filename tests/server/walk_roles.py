"""Every route by every role, and by API keys of every scope: who gets past the policy and who does not.

Who may is said here, by the customer's matrix, and not read from the server.
"""
from party import Party
from walk import Walk, bearer

ROLES = ("SUPER_ADMIN", "OWNER", "ADMIN", "MEMBER", "VIEWER")
REFUSED = {"forbidden", "tenant_forbidden", "tenant_required", "not_authenticated", "session_ended", "csrf_refused"}
# What only persons with a role that is named for it may do; a wildcard gives none of it away.
NAMED = {"settings": {"OWNER"}, "billing": {"OWNER"}, "users": {"OWNER", "ADMIN"}, "audit_log": {"OWNER", "ADMIN"}}
# Routes about the caller alone. Another one has to be written here as well.
SELF = """listFactors setUpFactor confirmFactor stepUp removeFactor renewBackupCodes setRecoveryEmail beginRegistration
finishRegistration listDevices forgetDevice logOut changePassword whoAmI verify profile listSessions endOtherSessions endSession createOrganisation acceptInvitation
checkPermission""".split()
# Ends what later requests need, and comes last.
LAST = ("logOut", "deleteOrganisation")


def may(role, permission):
    """By the matrix: rows of one's own are enough where the route says so."""
    resource, action, whose = permission["resource"], permission["action"], permission["whose"]
    if role == "SUPER_ADMIN":
        return True
    if whose == "platform":
        return False
    if resource in NAMED:
        return role in NAMED[resource] and not (resource == "audit_log" and role == "ADMIN" and action not in ("read", "view"))
    if role in ("OWNER", "ADMIN"):
        return action in ("read", "update", "delete", "export") or action == "create" and whose == "own"
    own = {"MEMBER": {"create", "read", "update"}, "VIEWER": {"read"}}[role]
    return whose == "own" and action in own


def ordered(operations):
    return sorted(operations, key=lambda operation: LAST.index(operation.item["operationId"]) if operation.item["operationId"] in LAST else -1)


def knock(walk, operation, headers, org):
    body = walk.body(operation)
    return walk.send(operation.method, walk.path(operation, organisation=org), headers, body)


def check_roles(walk, party, report):
    guarded = [operation for operation in walk.operations if "x-permission" in operation.item]
    own = sorted(o.item["operationId"] for o in walk.operations if o.secured and "x-permission" not in o.item)
    report.equal(own, sorted(SELF), "roles: routes that ask for no permission, as they are about the caller alone, are these")
    for role in ROLES:
        person, wrong = party.person_of_role(role), []
        for operation in ordered(guarded):
            answer = knock(walk, operation, bearer(person.token), person.org)
            passed = answer.code not in REFUSED
            if passed != may(role, operation.item["x-permission"]) or answer.code in REFUSED - {"forbidden"}:
                wrong.append(f"{operation.name} {operation.item['x-permission']}: {answer!r}")
        report.ok(not wrong, f"roles: {role}: {len(guarded)} routes as the matrix says", "\n".join(wrong))
    # An administrator has made second factors mandatory at once.
    party.query("UPDATE rampart_auth.mfa_requirement SET grace = '7 days'")


def check_api_keys(walk, party, report):
    """A key has the scopes it was given and no role of its maker's, who here may do everything in the organisation."""
    owner = party.person_of_role("OWNER")
    takes = [o for o in walk.operations if o.secured and any("apiKey" in way for way in o.item["security"])]
    refuses = [o for o in walk.operations if o.secured and o not in takes]
    for scopes in (["no_such:thing"], ["*:*"], ["users:*", "settings:*", "billing:*", "audit_log:*", "platform:*"],
                   ["organisation:*", "member:*", "team:*", "api_key:*"]):
        key = {"X-API-Key": party.api_key(owner, scopes)}
        barred = [f"{o.name}: {a!r}" for o in refuses for a in [knock(walk, o, key, owner.org)] if (a.status, a.code) != (403, "forbidden")]
        report.ok(not barred, f"API keys: {scopes}: {len(refuses)} routes are for persons only", "\n".join(barred[:10]))
        wrong = []
        for operation in ordered(o for o in takes if "x-permission" in o.item):
            permission = operation.item["x-permission"]
            covered = f"{permission['resource']}:*" in scopes or f"{permission['resource']}:{permission['action']}" in scopes
            wanted = covered and permission["resource"] not in NAMED and permission["whose"] == "own" and permission["action"] in ("read", "create", "update")
            answer = knock(walk, operation, key, owner.org)
            if (answer.code not in REFUSED) != wanted or answer.code in REFUSED - {"forbidden"}:
                wrong.append(f"{operation.name} {permission}: {answer!r}")
        report.ok(not wrong, f"API keys: {scopes}: each other route as its scopes say", "\n".join(wrong))


def check_scopes(walk, party, report):
    """What is no scope is not taken for one, nor for two."""
    owner = party.person_of_role("OWNER")
    for scope in ("abc", "document", "document:", ":read", "document:read document:delete", "document:read\n*:*", "document:read,users:read", "document:read:all"):
        answer = walk.send("POST", "/api-keys", bearer(owner.token), {"name": "walk", "scopes": ["document:read", scope]})
        report.ok(answer.code in ("not_possible", "validation_failed"), f"API keys: no scope: {scope!r}", answer)


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    check_roles(walk, party, report)
    check_api_keys(walk, party, report)
    check_scopes(walk, party, report)
    walk.report(report, "roles")
