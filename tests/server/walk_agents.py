"""Headers that a client may send as it likes: none makes a request fail, and what of them is kept is text."""
from party import Party
from walk import Walk, bearer

NO_TEXT = (b"\xff\xfe agent", b"\xc0\xaf", b"caf\xe9")
AGENTS = {"none": None, "empty": b"", "long": b"a" * 4000, "long and not of ASCII": "é".encode() * 1000, "quotes": b"'; DROP TABLE x; --", "a format": b"%s%n%p", "markup": b"<script>alert(1)</script>"}


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    person = party.person("agents")
    for what, agent in AGENTS.items():
        header = {"User-Agent": agent} if agent is not None else {}
        requests = [walk.send("POST", "/auth/login", header, {"email": person.email, "password": person.password}),
                    walk.send("POST", "/auth/login", header, {"email": person.email, "password": "Wrong-Horse-7-Battery"}),
                    walk.send("GET", "/auth/sessions", {**bearer(person.token), **header}),
                    walk.send("POST", "/organisations", {**bearer(person.token), **header}, {"name": "Agents"})]
        report.equal([answer.status for answer in requests], [200, 401, 200, 201], f"agents: a user agent that is {what}")
    codes = {walk.send(method, path, {**bearer(person.token), "User-Agent": agent}, body).code for agent in NO_TEXT
             for method, path, body in (("GET", "/auth/sessions", None), ("POST", "/auth/login", {"email": person.email, "password": person.password}))}
    report.equal(codes, {"malformed_request"}, "agents: one that is no UTF-8 is refused")
    for name in ("X-Request-Id", "X-Forwarded-For", "Forwarded", "X-Real-IP", "Accept", "Accept-Language", "X-Http-Method-Override", "Range", "If-None-Match", "Cookie"):
        for value in (b"x" * 3000, b"1, 2, 3", b"DELETE", b"bytes=0-0"):
            answer = walk.send("GET", "/auth/me", {**bearer(person.token), name: value})
            report.ok(answer.status == 200 and (answer.json or {}).get("id") == person.account, f"agents: {name}: {value[:12]!r}", answer)
    ids = {walk.send("GET", "/auth/me", {**bearer(person.token), "X-Request-Id": given}).header("X-Request-Id") for given in ("short", "with space in it", "x" * 65, "<script>")}
    report.ok(len(ids) == 4 and not ids & {"short", "with space in it", "x" * 65, "<script>"}, "agents: a request's id that is none is replaced", ids)
    walk.report(report, "agents")
