"""Requests of one organisation's people into another: by the path, by X-Tenant-Id, by ids of things that are not theirs."""
import uuid

from party import Party
from walk import Walk, bearer
from world import within_a_second


def check_foreign_organisation(walk, ada, other, report):
    """Ada owns hers; the other's is closed to her, however it is named."""
    wrong, count = [], 0
    for operation in walk.operations:
        permission = operation.item.get("x-permission")
        if not operation.secured or not (permission or "organisation" in operation.path_parameters):
            continue
        ways = [("X-Tenant-Id", walk.path(operation, organisation=ada.org), other.org)]
        if "organisation" in operation.path_parameters:
            ways = [("path", walk.path(operation, organisation=other.org), None), ("path and X-Tenant-Id", walk.path(operation, organisation=other.org), ada.org),
                    ("X-Tenant-Id beside the path", walk.path(operation, organisation=ada.org), other.org)]
        for way, path, tenant in ways:
            answer = walk.send(operation.method, path, bearer(ada.token, **({"X-Tenant-Id": tenant} if tenant else {})), walk.body(operation))
            count += 1
            if (answer.status, answer.code) != (403, "tenant_forbidden"):
                wrong.append(f"{operation.name} by {way}: {answer!r}")
    report.ok(not wrong, f"tenants: {count} requests into another organisation are refused", "\n".join(wrong))


def check_foreign_ids(walk, party, ada, other, report):
    """Within one's own organisation, ids of another's things are ids of nothing."""
    things, wrong, count = party.things_of(other), [], 0
    for operation in walk.operations:
        for kind, name in (("team", "teams"), ("invitation", "invitations"), ("member", "members"), ("api_key", "api-keys"), ("session", "sessions")):
            if f"/{name}/{{" not in operation.template or operation.template.startswith("/admin"):
                continue
            values = {"organisation": ada.org, "id": things[kind] if kind != "member" else things["team"], "account_id": other.account}
            answer = walk.send(operation.method, walk.path(operation, **values), bearer(ada.token), walk.body(operation))
            count += 1
            empty = answer.status == 200 and answer.json == {"items": []}
            if answer.status != 404 and not empty:
                wrong.append(f"{operation.name}: {answer!r}")
    report.ok(not wrong and count >= 8, f"tenants: {count} requests with ids of another organisation's things find nothing", "\n".join(wrong))
    report.equal(party.things_of(other), things, "tenants: and have changed nothing")


def check_lists(walk, ada, other, report):
    """No list shows anything of the other organisation: not an id, not an address."""
    shown = []
    for operation in walk.operations:
        if operation.method == "GET" and operation.secured and "platform" not in str(operation.item.get("x-permission")):
            answer = walk.send("GET", walk.path(operation, organisation=ada.org), bearer(ada.token))
            shown += [f"{operation.name} shows {what}" for what in (other.org, other.account, other.email) if what in answer.text]
    report.equal(shown, [], "tenants: lists show nothing of another organisation")


def check_header(walk, ada, report):
    for what, value in (("no id", "acme"), ("an id of nothing", str(uuid.uuid4())), ("two", None), ("an injection", "' OR true --"), ("brackets", "{" + ada.org + "}")):
        headers = [*bearer(ada.token).items(), *([("X-Tenant-Id", value)] if value else [("X-Tenant-Id", ada.org)] * 2)]
        answer = walk.send("GET", "/api-keys", headers)
        expected = (403, "tenant_forbidden") if what == "an id of nothing" else (400, "malformed_request")
        report.equal((answer.status, answer.code), expected, f"tenants: X-Tenant-Id that is {what}")
    report.equal(walk.send("GET", "/api-keys", bearer(ada.token, **{"X-Tenant-Id": ada.org.upper()})).status, 200, "tenants: X-Tenant-Id in capitals is the same id")


def check_left(walk, party, report):
    """Who was put out of the organisation of their token, or whose organisation is closed: out of it at once, and still themselves."""
    for what in ("put out", "closed"):
        owner = party.person_of_role("OWNER")
        person = party.member(owner.org, "MEMBER") if what == "put out" else owner
        path = f"/organisations/{owner.org}" + (f"/members/{person.account}" if what == "put out" else "")
        walk.send("DELETE", path, bearer(owner.token))

        def myself():
            me = walk.send("GET", "/auth/me", bearer(person.token))
            return me.status, me.json.get("organisation"), me.json.get("roles")

        # Asks the database once the change has been heard.
        report.equal(within_a_second(myself, (200, None, [])), (200, None, []), f"tenants: {what}: in no organisation, without a role")
        refused = [walk.send("GET", target, bearer(person.token)).code for target in (f"/organisations/{owner.org}/members", "/api-keys", "/auth/verify")]
        report.equal(refused, ["tenant_forbidden"] * 3, f"tenants: {what}: and out of that one")
        answers = [walk.send(method, target, bearer(person.token), body).status for method, target, body in (
            ("GET", "/auth/profile", None), ("GET", "/auth/sessions", None), ("POST", "/organisations", {"name": "Another"}))]
        report.equal(answers, [200, 200, 201], f"tenants: {what}: what is about oneself goes on")
        renewed = walk.send("POST", "/auth/refresh", None, {"refresh_token": person.refresh_token})
        report.equal(renewed.status, 200, f"tenants: {what}: the session can be renewed")
        report.equal(walk.send("POST", "/auth/logout", bearer(renewed.json["access_token"])).status, 204, f"tenants: {what}: and ended")


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    ada, other = party.person_of_role("OWNER"), party.person_of_role("OWNER")
    check_foreign_ids(walk, party, ada, other, report)
    check_foreign_organisation(walk, ada, other, report)
    check_lists(walk, ada, other, report)
    check_header(walk, ada, report)
    check_left(walk, party, report)
    walk.report(report, "tenants")
