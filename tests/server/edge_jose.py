"""Access tokens and npm's jose: what it verifies without asking the server, what it makes that the server refuses, and keys that change meanwhile."""
import json
import time

from guides import examples
from load import Load
from tokens import forged, jose, signing_key
from world import Server, claims_of

ISSUER = "https://id.example.com"
OPTIONS = {"issuer": ISSUER, "audience": "rampart", "typ": "at+jwt"}


def check(world, report):
    database = world.database("jose")
    settings = {"http": {"public_url": ISSUER}}
    server = Server(world, database, settings).start()
    verified_offline(report, server, world.person(server))
    refused(world, report, database, server)
    rotated(world, report, database, settings, server)
    dropped(world, report, database, server)


def jwks(server):
    return server.client().get("/.well-known/jwks.json").body


def verify(token, keys, **options):
    return jose().ask("verify", token=token, jwks=keys, options=OPTIONS | options)


def header_of(token):
    return claims_of("." + token.split(".")[0])


def verified_offline(report, server, person):
    keys = jwks(server)
    seen = verify(person.token, keys)
    me = person.get("/auth/me").body
    report.equal((seen.get("payload", {}).get("sub"), seen["payload"]["sid"], seen["header"]["kid"]), (me["id"], me["session"], keys["keys"][0]["kid"]),
                 "jose verifies a token by the published keys, and reads whom it names")
    report.equal((verify(person.token, keys, audience="other")["error"], verify(person.token, keys, issuer="https://other")["error"]),
                 ("ERR_JWT_CLAIM_VALIDATION_FAILED",) * 2, "and that it is for no other audience and of no other issuer")
    members = set().union(*(key.keys() for key in keys["keys"]))
    report.ok(not members & {"d", "p", "q", "k", "dp", "dq", "qi"} and {"kid", "alg", "use"} <= members, "nothing private is published", members)
    example = examples("server-tokens.md", "js").replace(f"{ISSUER}/.well-known", f"http://127.0.0.1:{server.port}/.well-known")
    report.equal((jose().example(example, person.token).get("payload", {}).get("sub"), "error" in jose().example(example, person.token[:-4] + "AAAA")),
                 (me["id"], True), "so does the guide's example, which fetches the keys itself")
    in_database = server.database.query("BEGIN; SELECT rampart.set_principal(%s); SELECT rampart.subject()", (person.token,))
    report.equal(in_database, [(me["id"],)], "PostgreSQL verifies the same token")


def refused(world, report, database, server):
    """Tokens that differ from a good one in one thing. One made the same way that differs in none is taken."""
    person = world.person(server)
    good = claims_of(person.token)
    kid, algorithm, _ = signing_key(database)
    public = next(key for key in jwks(server)["keys"] if key["kid"] == kid)
    pem = jose().ask("spki", jwk=public, alg=algorithm)["pem"]
    own = jose().ask("generate", alg="ES256")
    by_own_key = {"payload": good, "jwk": own["private"]}
    header = {"alg": algorithm, "kid": kid, "typ": "at+jwt"}

    def made(action, header, **parameters):
        return jose().ask(action, header=header, **({"payload": good} | parameters))["token"]

    tokens = {
        "alg none": made("unsecured", header),
        "alg none, with a signature": made("unsecured", header) + person.token.split(".")[2],
        "the public key's PEM as the secret of HS256": made("sign_by_public_key", header | {"alg": "HS256"}, secret=pem),
        "the public key's JWK as the secret of HS256": made("sign_by_public_key", header | {"alg": "HS256"}, secret=json.dumps(public)),
        "an unknown key": made("sign", {**header, "kid": "unknown"}, **by_own_key),
        "no kid": made("sign", {"alg": "ES256", "typ": "at+jwt"}, **by_own_key),
        "another's key under a known kid": made("sign", header, **by_own_key),
        "its own key in the header": made("sign", {**header, "jwk": own["public"]}, **by_own_key),
        "its own key at an address in the header": made("sign", {**header, "jku": "https://127.0.0.1:1/jwks.json"}, **by_own_key),
        "another algorithm than the key's": made("sign", {**header, "alg": "ES384"}, payload=good, jwk=jose().ask("generate", alg="ES384")["private"]),
        "another audience": forged(database, good | {"aud": "other"}),
        "another issuer": forged(database, good | {"iss": "https://other.example.com"}),
        "no audience": forged(database, {k: v for k, v in good.items() if k != "aud"}),
        "no expiry": forged(database, {k: v for k, v in good.items() if k != "exp"}),
        "expired": forged(database, good | {"exp": int(time.time()) - 60}),
        "not valid yet": forged(database, good | {"nbf": int(time.time()) + 600}),
        "of another type": forged(database, good, typ="id+jwt"),
        "no session": forged(database, {k: v for k, v in good.items() if k != "sid"}),
        "a claim changed, the signature kept": ".".join([person.token.split(".")[0], made("unsecured", header, payload=good | {"sub": "x"}).split(".")[1],
                                                        person.token.split(".")[2]]),
        "a part more": person.token + ".e30",
        "nothing": "",
    }
    same = server.client(token=forged(database, good)).get("/auth/me")
    report.equal(same.status, 200, "a token made by jose under the server's key is as good as the server's own")
    for fault, token in tokens.items():
        answer = server.client(token=token or " ").get("/auth/me")
        report.equal((answer.status, answer.code), (401, "not_authenticated"), f"refused: {fault}")


def rotated(world, report, database, settings, server):
    """From ES256 to EdDSA to RS256, while clients of two instances are logged in."""
    admin, person = world.admin(server), world.person(server)
    other = Server(world, database, settings | {"tokens": {"algorithm": "EdDSA"}}).start()
    instances = [server, other]
    first = person.token

    def asking(number):
        client = instances[number % 2].client(token=first)
        return lambda: client.get("/auth/me")
    with Load(asking, 4, pause=0.01) as load:
        to_eddsa = rotate(report, database, instances, admin, person, other, "EdDSA")
        third = Server(world, database, settings | {"tokens": {"algorithm": "RS256"}}).start()
        rotate(report, database, [*instances, third], admin, person, third, "RS256")
    report.ok(load.answered > 50 and not load.failures, "nobody was logged out meanwhile", (load.answered, load.failures[:5]))

    database.query("UPDATE rampart_auth.signing_key SET retired_at = now() - interval '1 day' WHERE retired_at IS NOT NULL")
    admin.post("/admin/signing-keys")
    admin.post("/admin/signing-keys/activate")
    kids = wait_for(lambda: {key["kid"] for key in jwks(other)["keys"]}, lambda kids: to_eddsa not in kids)
    report.ok(to_eddsa not in kids and len(kids) == 2, "keys whose last token has expired are withdrawn", kids)
    report.equal(wait_for(lambda: other.client(token=first).get("/auth/me").status, lambda status: status == 401), 401, "what was signed with them is refused")
    report.equal(person.post("/auth/refresh", {"refresh_token": person.refresh}).status, 200, "but the session lasts: its refresh token brings one under the new key")


def dropped(world, report, database, server):
    """A key in wrong hands: retired by the database's owner, as the guide says, and dropped with the next change."""
    admin, victim = world.admin(server), world.person(server)
    old = header_of(victim.token)["kid"]
    admin.post("/admin/signing-keys")
    admin.post("/admin/signing-keys/activate")
    database.query(examples("server-tokens.md", "sql skip").replace("(the old one)", old))
    fresh = server.client()
    wait_for(lambda: header_of(fresh.log_in(admin.email).body["access_token"])["kid"], lambda kid: kid != old)
    made = fresh.post("/admin/signing-keys").status, fresh.post("/admin/signing-keys/activate").status
    seen = wait_for(lambda: server.client(token=victim.token).get("/auth/me").status, lambda status: status == 401)
    in_database = database.failure(f"SELECT rampart.set_principal('{victim.token}')")
    report.equal((made, seen, in_database), ((201, 200), 401, "RMP08"), "a key in wrong hands: its tokens are refused everywhere, within seconds")
    report.equal(victim.post("/auth/refresh", {"refresh_token": victim.refresh}).status, 200, "a key in wrong hands: and sessions go on")


def rotate(report, database, instances, admin, person, maker, algorithm):
    """Publishes a key of an instance's algorithm, has a verifier fetch it, signs with it. The kid that signed before."""
    before = header_of(person.log_in(person.email).body["access_token"])["kid"]
    maker_admin = maker.client(token=admin.token)
    made = maker_admin.post("/admin/signing-keys")
    report.equal((made.status, made.body.get("algorithm")), (201, algorithm), f"{algorithm}: the next key is made")
    next_kid = made.body["kid"]
    seen = wait_for(lambda: [next_kid in {key["kid"] for key in jwks(s)["keys"]} for s in instances], all)
    report.ok(all(seen), f"{algorithm}: every instance publishes it", seen)
    report.equal(admin.post("/admin/signing-keys").code, "conflict", f"{algorithm}: there is one next key at most")
    fetched = jwks(instances[0])
    report.equal(header_of(person.log_in(person.email).body["access_token"])["kid"], before, f"{algorithm}: before it is activated nothing is signed with it")

    report.equal(admin.post("/admin/signing-keys/activate").body.get("kid"), next_kid, f"{algorithm}: it is activated")
    clients = [server.client() for server in instances]
    kids = wait_for(lambda: {header_of(client.log_in(person.email).body["access_token"])["kid"] for client in clients}, lambda kids: kids == {next_kid})
    report.equal(kids, {next_kid}, f"{algorithm}: every instance signs with it")
    verified = [verify(client.token, fetched) for client in clients]
    report.ok(all(v.get("header", {}).get("alg") == algorithm for v in verified), f"{algorithm}: whoever fetched the keys before verifies what it signs", verified)
    crossed = {server.client(token=client.token).get("/auth/me").status for server in instances for client in clients}
    report.equal(crossed, {200}, f"{algorithm}: every instance takes every other's tokens")
    return before


def wait_for(look, good, seconds=3):
    deadline = time.monotonic() + seconds
    while not good(seen := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen
