"""Tokens that are good: of each algorithm, with the claims that issuers write."""
import time

from issuer import AUDIENCE, ISSUER

CLAIMS = {"sub": "ada", "org": "acme", "roles": ["EDITOR"], "teams": ["red"], "scopes": ["documents:read", "documents:write"],
          "iss": ISSUER, "jti": "t-1", "sid": "s-1"}


def check_algorithms(world, database, report):
    for kid in world.issuer.signers:
        got = database.principal(world.issuer.token(kid))
        expiry = got.pop("exp")
        report.equal(got, CLAIMS, f"{kid}: the claims are there")
        report.ok(abs(expiry - time.time() - 900) < 60, f"{kid}: and when it expires", expiry)


def check_claims(world, database, report):
    token = world.issuer.token
    now = int(time.time())
    for name, changed in [
        ("audience in a list", {"aud": ["others", AUDIENCE]}), ("within the leeway", {"exp": now - 20}), ("begins within the leeway", {"nbf": now + 20}),
        ("fractions of a second", {"exp": now + 900.25}), ("nothing but what is needed", {"org": None, "roles": None, "teams": None, "scope": None, "jti": None, "sid": None, "iat": None}),
        ("unknown claims", {"amr": ["otp"], "nested": {"a": [1, {"b": None}]}}),
    ]:
        report.equal(database.refusal(token(**changed)), None, f"taken: {name}")
    for header in ({"typ": None}, {"typ": "JWT"}, {"typ": "jwt"}, {"typ": "application/at+jwt"}, {"typ": "AT+JWT"}, {"x5t": "abc"}, {"cty": "x"}, {"alg": "Ed25519"}):
        report.equal(database.refusal(token(header=header)), None, f"taken: header {header}")
    report.equal(database.principal(token(roles=None, role="VIEWER"))["roles"], ["VIEWER"], "claims: one role")
    report.equal(database.principal(token(role="ADMIN"))["roles"], ["ADMIN", "EDITOR"], "claims: role and roles")
    report.equal(database.principal(token(api_key=True))["api_key"], True, "claims: API key")
    report.equal(database.principal(token(sub="Zoë 中文 😀"))["sub"], "Zoë 中文 😀", "claims: any character")
    report.equal(database.query("SELECT rampart.set_principal(%s); SELECT rampart.subject(), rampart.org()", (token(),), user="plain"), [("ada", "acme")],
                 "functions: subject and org")


def check_encoding(world, report):
    database = world.database("latin", "ENCODING LATIN1 TEMPLATE template0")
    report.equal(database.principal(world.issuer.token(sub="Zoë"))["sub"], "Zoë", "encoding: a claim is converted")
    report.equal(database.refusal(world.issuer.token(sub="中文")), "a claim has characters that this database cannot hold", "encoding: or refused")
    report.equal(database.value("SELECT rampart.subject()"), None, "encoding: and nobody is there then")


def check(world, report):
    database = world.database("accepted")
    check_algorithms(world, database, report)
    check_claims(world, database, report)
    check_encoding(world, report)
