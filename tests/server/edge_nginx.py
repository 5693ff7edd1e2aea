"""nginx as docs/guides/server-proxy.md sets it up: it asks /auth/verify about each request to an application."""
import http.client
import json
import ssl

from application import Application
from cluster import free_port
from nginx import Nginx
from tokens import forged
from world import Client, Server, claims_of, within_a_second

GUIDE = "server-proxy.md"


class Front:
    """nginx before instances and an application, in the shape that Client takes for a server."""

    def __init__(self, world, servers, application, rules=None):
        self.world, self.port = world, free_port()
        backends = "\n".join(f"    server 127.0.0.1:{server.port} max_fails=1 fail_timeout=2s;" for server in servers)
        self.nginx = Nginx(GUIDE, {
            "    server 10.0.0.11:8443 max_fails=1 fail_timeout=2s;\n    server 10.0.0.12:8443 max_fails=1 fail_timeout=2s;": backends,
            "10.0.0.21:3000": f"127.0.0.1:{application.port}", "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "/etc/nginx/app.example.com.crt": world.certificate[0], "/etc/nginx/app.example.com.key": world.certificate[1],
            "/etc/nginx/rampartd-ca.crt": world.certificate[0], "rampartd.internal": "localhost"}, rules)
        self.context = ssl.create_default_context(cafile=world.certificate[0])
        self.nginx.wait(f"https://127.0.0.1:{self.port}/", self.context)

    def connection(self, timeout=20, source="127.0.0.1"):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.context, source_address=(source, 0))

    def client(self, **kwargs):
        return Client(self, **kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.nginx.__exit__()


def instances(world, database, count, settings=None):
    """Servers that are one to their clients: one issuer, behind one proxy."""
    common = {"http": {"public_url": "https://app.example.com", "trusted_proxies": ["127.0.0.1"]}}
    for section, values in (settings or {}).items():
        common[section] = {**common.get(section, {}), **values}
    return [Server(world, database, common, plain=False).start() for _ in range(count)]


def reached(answer):
    """The headers that reached the application, None where the request did not."""
    return dict(answer.body["headers"]) if answer.status == 200 and "headers" in answer.body else None


def told(answer):
    """What the application was told of whom the request is from."""
    headers = reached(answer)
    return None if headers is None else {name[len("x-auth-"):]: value for name, value in headers.items() if name.replace("_", "-").startswith("x-auth-")}


def check(world, report):
    database = world.database("nginx")
    servers = instances(world, database, 2)
    with Application() as application, Front(world, servers, application) as front:
        org, members = world.organisation(servers[0], "VIEWER", "ADMIN")
        who_is_asked(report, database, front, members)
        what_is_told(report, front, org, members)
        how_it_is_carried(report, front, members)
        permission(report, front, members)
        for server in servers:
            server.stop()
        answer = front.client(token=members["VIEWER"].token).get("/x")
        report.equal((answer.status, answer.headers["Retry-After"], reached(answer)), (503, "2", None), "with no instance left, nothing is let through: 503")


def who_is_asked(report, database, front, members):
    owner = members["OWNER"]
    nobody = front.client()
    report.equal((nobody.get("/x").status, nobody.get("/x").code), (401, None), "nobody reaches the application without a login")
    answer = front.client(token=owner.token).get("/x")
    report.ok(reached(answer), "with a token the application is reached", answer)
    expired = forged(database, claims_of(owner.token) | {"exp": 1_700_000_000})
    report.equal(front.client(token=expired).get("/x").status, 401, "not with an expired token")
    report.equal(front.client(token=owner.token[:-8] + "AAAAAAAA").get("/x").status, 401, "nor with a forged one")

    person = front.client()
    person.log_in(owner.email, cookies=True)
    report.ok(reached(person.get("/x")), "with the cookies of a login, made through nginx, the application is reached")
    out = person.post("/auth/logout", headers={"X-CSRF-Token": person.csrf})
    report.equal((out.status, within_a_second(lambda: person.get("/x").status, 401)), (204, 401), "not any more after the logout")

    bearer = front.client()
    bearer.log_in(owner.email)
    before = bearer.get("/x").status
    bearer.post("/auth/logout")
    after = within_a_second(lambda: {bearer.get("/x").status for _ in range(4)}, {401})
    report.equal((before, after), (200, {401}), "nor with the token of a session that has ended, a second later at most on every instance")


def what_is_told(report, front, org, members):
    viewer = members["VIEWER"]
    truth = {"subject": str(viewer.id), "organisation": org, "roles": "VIEWER"}
    report.equal(told(front.client(token=viewer.token).get("/x")), truth, "the application is told who it is, where, and in which roles")
    lies = {"X-Auth-Subject": "someone", "X-Auth-Organisation": "theirs", "X-Auth-Roles": "OWNER", "X-Auth-Scopes": "*:*", "X_Auth_Subject": "someone",
            "x-auth-scopes": "*:*"}
    report.equal(told(front.client(token=viewer.token).get("/x", headers=lies)), truth, "and not what the client writes under those names")
    headers = reached(front.client(token=viewer.token).get("/x", headers={"X-API-Key": None}))
    report.ok("authorization" not in headers and "x-api-key" not in headers, "it is given no credential", headers)
    report.equal(front.client(token=viewer.token, org="00000000-0000-7000-8000-000000000000").get("/x").status, 403, "an organisation of others is refused")

    key = members["OWNER"].post("/api-keys", {"name": "k", "scopes": ["document:read"]}).body["key"]
    by_key = told(front.client(api_key=key).get("/x", headers=lies))
    report.equal({name: by_key[name] for name in ("subject", "roles", "scopes")}, {"subject": str(members["OWNER"].id), "roles": "API", "scopes": "document:read"},
                 "of an API key it is told the scopes")


def how_it_is_carried(report, front, members):
    client = front.client(token=members["VIEWER"].token)
    body = json.dumps({"text": "x" * 200_000}).encode()
    # Of an iterator http.client does not know the length, and sends chunks.
    for name, raw in {"with a body": body, "with a body in chunks": iter([body])}.items():
        answer = client.request("POST", "/x?q=1", raw=raw)
        report.equal((answer.status, answer.body and (answer.body.get("method"), answer.body.get("path"))), (200, ("POST", "/x?q=1")), f"a request {name} reaches the application")

    elsewhere = front.client()
    elsewhere.connection = front.connection(source="127.0.0.2")
    elsewhere.log_in(members["ADMIN"].email)
    elsewhere.request("POST", "/auth/refresh", {"refresh_token": elsewhere.refresh}, headers={"X-Forwarded-For": "10.9.9.9"})
    addresses = {session["ip"] for session in elsewhere.get("/auth/sessions", headers={"X-Forwarded-For": "10.9.9.9"}).body["items"] if session["current"]}
    report.equal(addresses, {"127.0.0.2"}, "rampartd knows the client's address, and does not take the client's word for it")
    answer = elsewhere.get("/auth/me", headers={"X-Request-Id": "chosen-by-client"})
    report.ok(answer.headers["X-Request-Id"] not in (None, "chosen-by-client"), "a request's id is nginx's", answer.headers)


def permission(report, front, members):
    seen = {role: front.client(token=client.token).get("/billing/").status for role, client in members.items()}
    report.equal(seen, {"OWNER": 200, "ADMIN": 403, "VIEWER": 403}, "a location can ask for a permission")
