"""Passkeys in a real browser: a page of its own origin registers them and logs in with them, as second factor and alone.

Chromium's authenticator makes keys of all three algorithms that the server offers, and always counts; one whose keys may be on several devices,
and one that does not count, are in passkeys.py and passkey_login.py.
"""
import os

import browser
from guides import examples
from mfa import unlock
from world import PASSWORD, Server, claims_of

HERE = os.path.dirname(os.path.realpath(__file__))
NAMES = {-7: "ES256", -8: "EdDSA", -257: "RS256"}


def page_of(server):
    """The page that calls this server, with the guide's example in it."""
    example = examples("server-mfa.md", "js").replace("'https://id.example.com'", "api")
    with open(os.path.join(HERE, "passkeys.html")) as f:
        return f.read().replace("API", f"http://localhost:{server.port}").replace("EXAMPLE", example)


def check(world, report):
    reason = browser.missing()
    if reason:
        report.skip("passkeys in a browser", reason)
        return
    servers = []
    site, other_site = browser.Site(lambda: page_of(servers[0])), browser.Site(lambda: page_of(servers[0]))
    server = Server(world, world.database("browser"), {"http": {"allowed_origins": [site.origin]}}).start()
    servers.append(server)
    chromium = browser.Browser()
    try:
        chromium.open(site.origin)
        report.ok(chromium.driver.execute_script("return isSecureContext"), "browser: the page may use passkeys")
        for algorithm in NAMES:
            flows(world, report, server, chromium, algorithm)
        removed(world, report, server, chromium)
        unverified(world, report, server, chromium)
        other_party(world, report, server, chromium)
        other_page(world, report, server, chromium, site, other_site)
    finally:
        chromium.close()
        server.stop()
        site.close()
        other_site.close()


def only(algorithm):
    return {"pubKeyCredParams": [{"type": "public-key", "alg": algorithm}]}


def registered(world, server, chromium, **changes):
    """(person, authenticator) with a passkey that logs in alone."""
    unlock(server)
    person, authenticator = world.person(server), chromium.authenticator()
    answer = chromium.run("register", person.token, {"passwordless": True}, changes)
    assert "id" in answer, answer
    return person, authenticator


def flows(world, report, server, chromium, algorithm):
    name = f"browser: {NAMES[algorithm]}"
    person, authenticator = world.person(server), chromium.authenticator()
    answer = chromium.run("register", person.token, {"passwordless": True}, only(algorithm))
    report.equal(len(answer.get("backup_codes", answer)), 10, f"{name}: registered, with backup codes")
    stored = server.database.query("SELECT c.algorithm FROM rampart_auth.webauthn_credential c JOIN rampart_auth.mfa_factor f ON f.id = c.factor_id WHERE f.account_id = %s",
                                   (person.id,))
    report.equal(stored, [(algorithm,)], f"{name}: under a key of that algorithm")
    report.equal(chromium.run("register", person.token, {}).get("error"), "InvalidStateError", f"{name}: once: the browser is told which there are")
    answer = chromium.run("logIn", person.email, PASSWORD)
    report.equal(sorted(claims_of(answer["access_token"])["amr"]), ["hwk", "mfa", "pwd"], f"{name}: logs in as the second factor")
    claims = claims_of(chromium.run("logInByPasskey")["access_token"])
    report.equal((claims["sub"], sorted(claims["amr"])), (person.id, ["hwk", "mfa", "user"]), f"{name}: and alone, by the guide's example")
    kept = authenticator.credentials()[0]
    counter = server.database.value("SELECT c.counter FROM rampart_auth.webauthn_credential c JOIN rampart_auth.mfa_factor f ON f.id = c.factor_id WHERE f.account_id = %s",
                                    (person.id,))
    report.ok(kept["isResidentCredential"] and counter == kept["signCount"] > 1, f"{name}: the counter is the authenticator's", (kept, counter))


def removed(world, report, server, chromium):
    person, authenticator = registered(world, server, chromium)
    factor = person.get("/auth/mfa").body["factors"][0]["id"]
    report.equal(person.delete(f"/auth/mfa/factors/{factor}").status, 204, "browser: a passkey is removed at the server")
    report.equal(chromium.run("logInByPasskey").get("code"), "webauthn_credential", "browser: what the authenticator still has is nobody's")
    person, authenticator = registered(world, server, chromium)
    authenticator.forget()
    report.equal((chromium.run("logIn", person.email, PASSWORD).get("error"), chromium.run("logInByPasskey").get("error")), ("NotAllowedError",) * 2,
                 "browser: where it was removed from the authenticator, the browser finds none")


def unverified(world, report, server, chromium):
    """The browser keeps to what the server asks for; a page that asks for less is refused by the server."""
    person, authenticator = registered(world, server, chromium)
    authenticator.verifies(False)
    report.equal(chromium.run("logInByPasskey").get("error"), "NotAllowedError", "browser: who was not verified does not log in alone")
    answer = chromium.run("logInByPasskeyWith", {"userVerification": "discouraged"})
    report.equal(answer.get("code"), "webauthn_user_not_verified", "browser: nor does a page that does not ask")
    report.ok("access_token" in chromium.run("logIn", person.email, PASSWORD, {"userVerification": "discouraged"}), "browser: as a second factor the touch does")


def other_party(world, report, server, chromium):
    """Keys of another domain than the server's, on a page that may use either."""
    registered(world, server, chromium)
    origin = chromium.driver.execute_script("return location.origin")
    party = Server(world, server.database, {"http": {"allowed_origins": [origin]}, "mfa": {"rp_id": "example.com"}}).start()
    chromium.driver.execute_script("api = arguments[0]", f"http://localhost:{party.port}")
    report.equal(chromium.run("logInByPasskey").get("error"), "SecurityError", "browser: a page asks for no key of another domain")
    report.equal(chromium.run("logInByPasskeyWith", {"rpId": "localhost"}).get("code"), "webauthn_relying_party", "browser: a server takes none of another domain")
    chromium.authenticator()
    answer = chromium.run("register", world.person(party).token, {}, {"rp": {"id": "localhost", "name": "x"}})
    report.equal(answer.get("code"), "webauthn_relying_party", "browser: nor does it register one")
    party.stop()
    chromium.open(origin)


def other_page(world, report, server, chromium, site, other_site):
    """A page that passes the server's options on, as those of phishers do."""
    person, _ = registered(world, server, chromium)
    chromium.open(other_site.origin)
    options = server.client().post("/auth/login/passkey").body
    answer = chromium.run("get", options)
    refused = server.client().post("/auth/login/passkey/finish", {"session_id": options["session_id"], **answer})
    report.equal(refused.code, "webauthn_origin", "browser: what was signed on another page is refused")
    other = world.person(server)
    chromium.authenticator()
    created = chromium.run("create", other.post("/auth/mfa/webauthn/register", {}).body)
    report.equal(other.post("/auth/mfa/webauthn/register/finish", created).code, "webauthn_origin", "browser: so is what was made there")
    chromium.open(site.origin)
