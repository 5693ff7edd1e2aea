"""Every password, token, code and key of a long visit is looked for where it must not be: in what the server logs at trace level, in
PostgreSQL's log, in answers that refuse, and, with addresses and names, in a dump of the database.
"""
import base64
import secrets
import urllib.parse

from cluster import run
from party import Party
from walk import bearer
from world import Server


class Visit:
    """Requests, and what of them is nobody else's business."""

    def __init__(self, world, database):
        self.server = Server(world, database, {"log": {"level": "trace"}}).start()
        self.party, self.world, self.database = Party(world, self.server), world, database
        self.secret, self.personal, self.refusals = {}, {}, []

    def keep(self, what, value):
        assert value and len(value) >= 12, (what, value)
        self.secret[what] = value
        return value

    def send(self, method, target, headers=None, body=None):
        answer = self.party.door.send(method, target, headers, body)
        if answer.status >= 400:
            self.refusals.append((f"{method} {target}", answer))
        return answer

    def password(self, what):
        return self.keep(what, f"Walk-{secrets.token_hex(6)}-9Z")

    def mailed(self, email, template):
        return self.keep(f"the token of {template}", self.world.mailed_token(self.database, email, template))

    def log_in(self, email, password, **more):
        answer = self.send("POST", "/auth/login", None, {"email": email, "password": password, **more})
        number = len(self.secret)
        self.keep(f"access token {number}", answer.json["access_token"].split(".")[2])
        self.keep(f"refresh token {number}", answer.cookies()["__Host-rampart_refresh"])
        self.keep(f"CSRF token {number}", answer.json["csrf_token"])
        return answer


def visit(v):
    """Signs up, loses a password, changes another, invites, makes keys; and does each of it wrongly too."""
    email, name = f"dora-{secrets.token_hex(8)}@example.com", f"Dora {secrets.token_hex(8)}"
    v.personal.update(email=email, name=name)
    first, second, third = v.password("the first password"), v.password("the second password"), v.password("the third password")
    v.send("POST", "/auth/signup", None, {"email": email, "password": first, "name": name})
    v.send("POST", "/auth/login", None, {"email": email, "password": first})
    v.send("POST", "/auth/verify-email", None, {"token": v.mailed(email, "verify-email")})
    v.send("POST", "/auth/login", None, {"email": email, "password": v.password("a wrong password")})
    v.log_in(email, first, cookies=True)
    v.send("POST", "/auth/password/forgot", None, {"email": email})
    v.send("POST", "/auth/password/reset", None, {"token": v.mailed(email, "password-reset"), "new_password": second})
    token = v.log_in(email, second).json["access_token"]
    v.send("POST", "/auth/password/change", bearer(token), {"old_password": v.password("a wrong old password"), "new_password": third})
    v.send("POST", "/auth/password/change", bearer(token), {"old_password": second, "new_password": second})
    v.send("POST", "/auth/password/change", bearer(token), {"old_password": second, "new_password": third})
    entered = v.log_in(email, third)
    token = entered.json["access_token"]
    renewed = v.send("POST", "/auth/refresh", None, {"refresh_token": entered.cookies()["__Host-rampart_refresh"]})
    v.keep("a renewed refresh token", renewed.json["refresh_token"])
    org = v.send("POST", "/organisations", bearer(token), {"name": "Walkers"}).json["id"]
    in_org = {**bearer(token), "X-Tenant-Id": org}
    guest = f"guest-{secrets.token_hex(8)}@example.com"
    v.personal["guest"] = guest
    v.send("POST", f"/organisations/{org}/invitations", in_org, {"email": guest, "role": "MEMBER"})
    v.send("POST", "/auth/signup", None, {"email": email, "password": first, "invitation": v.mailed(guest, "invitation")})
    made = {**in_org, "Idempotency-Key": v.keep("an idempotency key", secrets.token_urlsafe(20))}
    key = v.send("POST", "/api-keys", made, {"name": "Walk", "scopes": ["document:*"]}).json["key"]
    v.send("POST", "/api-keys", made, {"name": "Walk", "scopes": ["document:*"]})
    v.keep("an API key", key)
    v.send("GET", "/auth/me", {"X-API-Key": key})
    v.send("GET", "/api-keys", {"X-API-Key": key})
    administer(v, in_org)
    misplace(v, in_org)


def administer(v, headers):
    root = v.party.administrator()
    v.keep("an administrator's access token", root.token.split(".")[2])
    v.keep("an administrator's refresh token", root.refresh_token)
    v.send("POST", "/admin/signing-keys", bearer(root.token))
    for kid, private in v.party.query("SELECT kid, private_key::text FROM rampart_auth.signing_key"):
        v.keep(f"the private half of key {kid}", private.split("\n")[1])
    v.send("POST", "/admin/signing-keys", headers)


def misplace(v, headers):
    """Secrets where none is expected: each is refused, none is repeated."""
    stray = lambda: v.password(f"a stray secret {len(v.secret)}")  # noqa: E731
    json_type = {"Content-Type": "application/json"}
    v.send("POST", "/auth/login", json_type, f'{{"email": "x@example.com", "password": "{stray()}"'.encode())
    v.send("POST", "/auth/login", json_type, f'{{"email": "x@example.com", "password": "a\\u0000{stray()}"}}'.encode())
    v.send("POST", "/auth/login", json_type, b'{"password": "' + stray().encode() + b'\xff"}')
    v.send("POST", "/auth/login", None, {"email": stray(), "password": stray()})
    v.send("POST", "/auth/login", None, {"email": "x@example.com", "password": "x", stray(): stray()})
    v.send("POST", "/auth/login", None, {"email": "x@example.com", "password": [stray()]})
    v.send("POST", "/auth/login", {"Content-Type": "application/x-www-form-urlencoded"}, f"password={stray()}".encode())
    v.send("POST", f"/auth/login?password={stray()}", None, {"email": "x@example.com", "password": "x"})
    v.send("GET", f"/auth/{stray()}")
    v.send("GET", f"/auth/me?access_token={stray()}", headers)
    v.send("GET", f"/audit/events?since={stray()}", headers)
    v.send("GET", f"/audit/events?before={stray()[:18]}", headers)
    v.send("GET", f"/organisations/{stray()}", headers)
    v.send("GET", "/auth/me", {"Authorization": f"Bearer {stray()}"})
    v.send("GET", "/auth/me", {"Authorization": "Basic " + base64.b64encode(stray().encode()).decode()})
    v.send("GET", "/auth/me", {"X-API-Key": f"rmp_{stray()}"})
    v.send("GET", "/auth/me", {"Cookie": f"__Host-rampart_access={stray()}; __Host-rampart_refresh={stray()}"})
    v.send("POST", "/auth/refresh", None, {"refresh_token": stray() + "x" * 20})
    v.send("POST", "/auth/verify-email", None, {"token": stray() + "x" * 20})
    v.send("POST", "/auth/password/reset", None, {"token": stray() + "x" * 20, "new_password": stray()})
    v.send("POST", "/organisations", {**headers, "Idempotency-Key": stray() + " "}, {"name": ""})
    v.send("POST", "/organisations", {**headers, "X-Tenant-Id": stray()}, {"name": "x"})
    v.send("GET", "/auth/me", {**headers, "X-CSRF-Token": stray(), "Origin": f"https://{stray()}.example"})


def shown_in(text, values):
    """Which of these a text shows: as they are, in base64, in hexadecimal, or escaped for a URL."""
    def forms(value):
        yield value
        yield base64.b64encode(value.encode()).decode().rstrip("=")
        yield value.encode().hex()
        yield urllib.parse.quote(value, safe="")
    return sorted(what for what, value in values.items() if any(form in text for form in forms(value)))


def check(world, report):
    v = Visit(world, world.database("walk_secrets"))
    visit(v)
    report.ok(len(v.secret) >= 45 and len(v.refusals) >= 25, f"secrets: {len(v.secret)} of a visit, {len(v.refusals)} of whose requests are refused")
    dump = run("pg_dump", "-d", world.cluster.dsn(database=v.database.name)).stdout
    v.server.stop()
    report.equal(shown_in(v.server.log(), {**v.secret, **v.personal}), [], "secrets: none is in the server's log at trace level")
    report.ok(v.server.log().count('"event":"request"') >= 40, "secrets: which has a line for each request", v.server.log().count("\n"))
    report.equal(shown_in(world.cluster.log(), v.secret), [], "secrets: none is in PostgreSQL's log")
    told = [f"{request}: {what}" for request, answer in v.refusals for what in shown_in(answer.text + repr(answer.headers), v.secret)]
    report.equal(told, [], "secrets: no refusal repeats one")
    report.equal(shown_in(dump, {**v.secret, **v.personal}), [], "secrets: none is in a dump, nor an address or a name")
    report.ok("rampart_auth.account" in dump and "rmp1:" in dump, "secrets: which has the accounts, as ciphertext")
