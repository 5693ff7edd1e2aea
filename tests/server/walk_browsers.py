"""What browsers send and are told: cookies, CSRF tokens, origins, and headers of every answer."""
import re

from party import ORIGIN, Party
from walk import Walk, bearer

COOKIES = {"__Host-rampart_access": True, "__Host-rampart_refresh": True, "__Host-rampart_csrf": False}  # name -> HttpOnly
ALWAYS = {"x-content-type-options": "nosniff", "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp",
          "referrer-policy": "no-referrer", "cache-control": "no-store"}
BANNERS = ("server", "x-powered-by")


def cookie_header(cookies):
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def check_cookies(party, walk, report):
    person = party.person("browser")
    answer = walk.send("POST", "/auth/login", None, {"email": person.email, "password": person.password, "cookies": True})
    set_cookies = [value for name, value in answer.headers if name.lower() == "set-cookie"]
    report.equal(sorted(value.split("=")[0] for value in set_cookies), sorted(COOKIES), "browsers: logging in sets these cookies")
    for value in set_cookies:
        name, attributes = value.split("=")[0], {part.strip().lower() for part in value.split(";")[1:]}
        wanted = {"secure", "samesite=strict", "path=/"} | ({"httponly"} if COOKIES.get(name) else set())
        report.ok(wanted <= attributes and not any(a.startswith("domain") for a in attributes) and ("httponly" in attributes) == COOKIES.get(name),
                  f"browsers: {name}: Secure, SameSite=Strict, of this host alone, {'HttpOnly' if COOKIES.get(name) else 'for scripts'}", attributes)
    return person, answer.cookies(), answer.json


def check_csrf(party, walk, cookies, body, report):
    """Each unsafe route by cookie: refused without the token, with another session's, and from another origin."""
    stranger = party.log_in(party.person("stranger"), cookies=True)
    ways = [("without a token", {}), ("with an empty one", {"X-CSRF-Token": ""}), ("with one that is none", {"X-CSRF-Token": "x" * 43}),
            ("with another session's", {"X-CSRF-Token": stranger.json["csrf_token"]}),
            ("from another origin", {"X-CSRF-Token": body["csrf_token"], "Origin": "https://evil.example"}),
            ("from no origin that can be named", {"X-CSRF-Token": body["csrf_token"], "Origin": "null"})]
    for what, headers in ways:
        wrong, count = [], 0
        for operation in walk.operations:
            if operation.secured and operation.method != "GET":
                sample = walk.body(operation)
                answer = walk.send(operation.method, walk.path(operation), {**cookie_header(cookies), **headers}, sample)
                count += 1
                if (answer.status, answer.code) != (403, "csrf_refused"):
                    wrong.append(f"{operation.name}: {answer!r}")
        report.ok(not wrong, f"browsers: {what}: {count} unsafe routes are refused", "\n".join(wrong[:10]))
    good = {**cookie_header(cookies), "X-CSRF-Token": body["csrf_token"]}
    report.equal(walk.send("POST", "/organisations", good, {"name": "By cookie"}).status, 201, "browsers: with its own token it goes through")
    report.equal(walk.send("GET", "/auth/me", cookie_header(cookies)).status, 200, "browsers: what changes nothing needs no token")
    report.equal(walk.send("POST", "/organisations", bearer(body["access_token"]), {"name": "By header"}).status, 201, "browsers: a bearer token needs none")


def check_refresh(party, walk, cookies, report):
    forged = walk.send("POST", "/auth/refresh", {**cookie_header(cookies), "Origin": "https://evil.example"}, {})
    report.equal((forged.status, forged.code), (403, "csrf_refused"), "browsers: refresh from another origin is refused")
    answer = walk.send("POST", "/auth/refresh", cookie_header(cookies), {})
    report.ok(answer.status == 200 and answer.cookies().get("__Host-rampart_refresh") not in (None, cookies["__Host-rampart_refresh"]), "browsers: refresh by cookie sets the next one", answer)
    report.ok("refresh_token" not in answer.json, "browsers: and does not show it to scripts")
    fresh = {**cookies, **answer.cookies()}
    out = walk.send("POST", "/auth/logout", {**cookie_header(fresh), "X-CSRF-Token": answer.json["csrf_token"]})
    gone = {name: value for name, value in out.cookies().items()}
    report.equal((out.status, set(gone), set(gone.values())), (204, set(COOKIES), {""}), "browsers: logging out removes the cookies")
    report.equal(walk.send("GET", "/auth/me", cookie_header(fresh)).status, 401, "browsers: which are worth nothing any more")


def check_cors(party, walk, report):
    allowed, foreign = ORIGIN, "https://evil.example"
    preflight = {"Origin": allowed, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-csrf-token"}
    answer = walk.send("OPTIONS", "/auth/login", preflight)
    report.equal((answer.status, answer.header("Access-Control-Allow-Origin"), answer.header("Access-Control-Allow-Credentials")), (204, allowed, "true"), "CORS: an origin of the list is let in")
    report.ok("Origin" in (answer.header("Vary") or ""), "CORS: caches are told that it depends on the origin", answer.headers)
    exposed = walk.send("GET", "/.well-known/jwks.json", {"Origin": allowed}).header("Access-Control-Expose-Headers") or ""
    report.ok({"X-Request-Id", "X-RateLimit-Remaining", "Retry-After"} <= set(re.split(", *", exposed)), "CORS: scripts may read the id of a request and what is left of its rate", exposed)
    for origin in (foreign, "null", f"{allowed}.evil.example", f"https://evil.example/{allowed}", allowed.upper(), allowed.replace("https", "http"), f"{allowed}:8443", f"x{allowed}"):
        for method in ("OPTIONS", "GET"):
            got = walk.send(method, "/.well-known/jwks.json", {**preflight, "Origin": origin})
            report.equal(got.header("Access-Control-Allow-Origin"), None, f"CORS: {method} from {origin} is not")
    any_answer = walk.send("GET", "/auth/me", {"Origin": allowed})
    report.equal(any_answer.header("Access-Control-Allow-Origin"), allowed, "CORS: refusals can be read by an origin of the list")


def check_headers(walk, report):
    wrong = []
    for method, path in (("GET", "/auth/me"), ("GET", "/openapi.json"), ("POST", "/auth/login"), ("GET", "/nowhere"), ("PUT", "/auth/login"), ("GET", "/.well-known/jwks.json")):
        answer = walk.send(method, path)
        here = {name.lower(): value for name, value in answer.headers}
        wrong += [f"{method} {path}: {name}: {here.get(name)}" for name, value in ALWAYS.items() if here.get(name) != value and (name, path) not in
                  (("cache-control", "/.well-known/jwks.json"), ("cache-control", "/openapi.json"))]
        wrong += [f"{method} {path}: {name}: {here[name]}" for name in BANNERS if name in here]
        if "default-src 'none'" not in here.get("content-security-policy", "") or "frame-ancestors 'none'" not in here.get("content-security-policy", ""):
            wrong.append(f"{method} {path}: {here.get('content-security-policy')}")
        if walk.door.tls and "max-age=" not in here.get("strict-transport-security", ""):
            wrong.append(f"{method} {path}: no HSTS")
        if answer.status >= 400 and answer.json.get("traceId") != here.get("x-request-id"):
            wrong.append(f"{method} {path}: traceId {answer.json.get('traceId')}, X-Request-Id {here.get('x-request-id')}")
    report.equal(wrong, [], "browsers: every answer has the security headers, an id, and no banner")


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    person, cookies, body = check_cookies(party, walk, report)
    check_csrf(party, walk, cookies, body, report)
    check_refresh(party, walk, cookies, report)
    check_cors(party, walk, report)
    check_headers(walk, report)
    walk.report(report, "browsers")
