"""Signed tokens: those that hold are taken, and everything else is refused, with the reason and an event."""
import base64
import hashlib
import hmac
import json
import time

import psycopg2
from cluster import run
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from database import Database, on

ISSUER, AUDIENCE = "https://id.example.com", "ledger"
SECRET = b"an HMAC secret of 32 bytes or so"


def encode(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


class Keys:
    def __init__(self):
        self.ed, self.ec, self.rsa, self.weak = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)

    def pem(self, key):
        return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, algorithm, message):
        if algorithm == "EdDSA":
            return self.ed.sign(message)
        if algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.ec.sign(message, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if algorithm == "RS256":
            return self.rsa.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return hmac.new(SECRET, message, hashlib.sha256).digest()


def claims(**changes):
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "org": "acme", "roles": ["MEMBER"], "exp": time.time() + 600, **changes}
    return {name: value for name, value in made.items() if value is not None}


class Maker:
    def __init__(self):
        self.keys = Keys()

    def token(self, algorithm="EdDSA", header=None, payload=None, sign_as=None, **changes):
        """header None leaves out nothing; a member that is None is left out."""
        head = {"alg": algorithm, "kid": algorithm.lower(), "typ": "at+jwt", **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        body = f"{encode(head)}.{encode(claims(**changes) if payload is None else payload)}"
        return f"{body}.{encode(self.keys.sign(sign_as or algorithm, body.encode()))}"


class Taker:
    def __init__(self, database):
        self.session = database.connect("app")

    def take(self, token):
        """Whom the token stands for, or (SQLSTATE, reason)."""
        try:
            on(self.session, "BEGIN")
            on(self.session, "SELECT rampart.set_principal(%s::text)", (token,))
            return on(self.session, "SELECT rampart.subject() || '@' || rampart.org()")[0][0]
        except psycopg2.Error as error:
            return error.pgcode, (error.diag.message_detail or "").strip()
        finally:
            on(self.session, "ROLLBACK")


def check_taken(maker, taker, report):
    for algorithm in ("EdDSA", "ES256", "RS256", "HS256"):
        report.equal(taker.take(maker.token(algorithm)), "ada@acme", f"taken: {algorithm}")
    report.equal([taker.take(maker.token(aud=["x", AUDIENCE])), taker.take(maker.token(exp=time.time() - 10)), taker.take(maker.token(nbf=time.time() + 10)), taker.take(maker.token(header={"typ": None}))],
                 ["ada@acme"] * 4, "taken: one of several audiences, within the leeway, without a type")


def check_refused(database, maker, taker, report):
    key, token = maker.keys, maker.token
    head, body, signature = token().split(".")
    es = token("ES256")
    der = encode(key.ec.sign(es.rsplit(".", 1)[0].encode(), ec.ECDSA(hashes.SHA256())))
    as_secret = f"{encode({'alg': 'HS256', 'kid': 'rs256'})}.{encode(claims())}"
    as_secret += "." + encode(hmac.new(key.pem(key.rsa).encode(), as_secret.encode(), hashlib.sha256).digest())
    twice = json.dumps(claims())[:-1] + ', "sub": "eve"}'
    database.query("SELECT rampart.revoke_token('revoked', now() + interval '1 hour')")
    refused = {
        "expired": (token(exp=time.time() - 60), "It has expired."), "without an end": (token(exp=None), "It never expires."), "not yet valid": (token(nbf=time.time() + 60), "It does not hold yet."),
        "made in the future": (token(iat=time.time() + 60), "It does not hold yet."), "another issuer": (token(iss="https://evil.example.com"), "It is of another issuer."), "no issuer": (token(iss=None), "It is of another issuer."),
        "another audience": (token(aud="shop"), "It is for another audience."), "no audience": (token(aud=None), "It is for another audience."), "audiences of no text": (token(aud=[1, None]), "It is for another audience."),
        "alg none": (f"{encode({'alg': 'none', 'kid': 'eddsa'})}.{body}.", "It is signed by another algorithm than its key's."), "alg none in capitals": (f"{encode({'alg': 'NONE', 'kid': 'eddsa'})}.{body}.{signature}", "It is signed by another algorithm than its key's."),
        "RS256 taken as HS256": (as_secret, "It is signed by another algorithm than its key's."), "an unknown key": (token(header={"kid": "other"}), "Its key is not known."), "no key": (token(header={"kid": None}), "It names no key."),
        "a key that ended": (token(header={"kid": "ended"}), "Its key is not known."), "revoked": (token(jti="revoked"), "It was revoked."), "another's signature": (token(sign_as="HS256"), "Its signature is wrong."),
        "another type": (token(header={"typ": "dpop+jwt"}), "It is of another type."), "crit": (token(header={"crit": ["exp"]}), "It asks for an extension."), "b64": (token(header={"b64": False}), "It asks for an extension."),
        "DER": (es.rsplit(".", 1)[0] + "." + der, "Its signature is wrong."), "zeros": (es.rsplit(".", 1)[0] + "." + encode(bytes(64)), "Its signature is wrong."), "100 kB": (token(x="y" * 100_000), "It is too long."),
        "no subject": (token(sub=None), "It has no subject."), "a role that is no text": (token(roles=[1]), "A claim is not a list of names."), "a name twice": (f"{head}.{encode(twice.encode())}.{signature}", "Its claims are malformed."),
        "padded": (f"{head}.{body}.{signature}==", "Its signature is malformed."), "four parts": (f"{head}.{body}.{signature}.x", "It is not of three parts."), "two parts": (f"{head}.{body}", "It is not of three parts."),
        "nothing": ("", "It is not of three parts."), "dots": ("..", "Its header is malformed."), "a list": (f"{encode([1])}.{body}.{signature}", "Its header is malformed."), "a payload that is a list": (f"{head}.{encode([1])}.{signature}", "Its claims are malformed."),
        "an exp that is a text": (token(exp="2999"), "A time among its claims is no number."), "an exp that is huge": (token(payload=json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": 1e999').encode()), "Its claims are malformed."),
    }
    for name, (text, reason) in refused.items():
        report.equal(taker.take(text), ("RMP08", reason), f"refused: {name}")
    database.query("SELECT rampart.drop_token_key('rs256')")
    report.equal(taker.take(token("RS256")), ("RMP08", "Its key is not known."), "refused: a key that was dropped, in a session that used it")


def check_damage(maker, taker, report):
    whole = maker.token()
    wrong = [i for i in range(0, len(whole), 3) if taker.take(whole[:i]) == "ada@acme"]
    report.equal(wrong, [], "damage: cut off anywhere")
    alphabet = "ABCdef019-_"
    wrong = [i for i in range(0, len(whole), 2) for c in alphabet[i % 11] if whole[i] not in (c, ".") and taker.take(whole[:i] + c + whole[i + 1:]) == "ada@acme"]
    report.equal(wrong, [], "damage: another letter anywhere")
    wrong = [c for c in "\0 \n=+/é" if c != "\0" and taker.take(whole.replace(".", c + ".", 1)) == "ada@acme"]
    report.equal(wrong, [], "damage: something between")


def check_keys(database, maker, report):
    add = lambda *values: database.failure("SELECT rampart.add_token_key(%s, %s, %s, %s, %s)", values)
    pem = maker.keys.pem
    report.equal([add("x", "RS256", pem(maker.keys.weak), "i", "a"), add("x", "ES256", pem(maker.keys.ed), "i", "a"), add("x", "EdDSA", pem(maker.keys.rsa), "i", "a"), add("x", "ES256", pem(ec.generate_private_key(ec.SECP384R1())), "i", "a"),
                  add("x", "HS256", "x" * 40, "i", "a"), add("x", "none", pem(maker.keys.ed), "i", "a"), add("x", "EdDSA", "no key", "i", "a"), add("", "EdDSA", pem(maker.keys.ed), "i", "a"), add("x", "EdDSA", pem(maker.keys.ed), "", "a"),
                  add(None, "EdDSA", pem(maker.keys.ed), "i", "a")], ["22023"] * 10, "keys: weak, of another kind, none")
    report.equal([database.failure("SELECT rampart.add_token_secret('y', 'tokens', %s, 'i', 'a')", (b"short",)), database.failure("SELECT rampart.drop_token_key('nothing')"), database.failure("SELECT rampart.revoke_token('', now())"),
                  database.failure("SELECT rampart.revoke_token('x', NULL)")], ["22023"] * 4, "keys: a short secret, one that is not there, a revocation of nothing")
    report.equal([database.failure(f"SELECT rampart.{call}", user="app") for call in ("add_token_key('x', 'EdDSA', 'x', 'i', 'a')", "add_token_secret('x', 'tokens', 'x', 'i', 'a')", "drop_token_key('eddsa')", "revoke_token('x', now())")]
                 + [database.failure(f"SELECT * FROM rampart.{table}", user="app") for table in ("token_key", "token_denylist")], ["42501"] * 6, "keys: are the administrator's")
    database.query("SELECT rampart.revoke_token('old', now() - interval '2 hours')"), database.query("SELECT rampart.revoke_token('new', now())")
    report.equal(database.query("SELECT jti FROM rampart.token_denylist ORDER BY 1"), [("new",), ("revoked",)], "keys: revocations go when their tokens have expired")


def check_traces(world, database, maker, report):
    refused = maker.token(exp=time.time() - 3600, jti="trace-of-a-token")
    database.failure("SELECT rampart.set_principal(%s::text)", (refused,), user="app")
    session = database.connect()
    on(session, "SELECT rampart.log_event('session.renewed', transactional => false)"), on(session, "SELECT rampart.flush_events(60000)")
    found = database.query("SELECT event, role, metadata ->> 'reason' FROM rampart.audit_log WHERE event LIKE 'token.%%' ORDER BY id", ())
    report.ok(("token.refused", "app", "It has expired.") in found and {"token.key_added", "token.key_removed", "token.revoked"} <= {event for event, _, _ in found}, "traces: refusals and changes of keys are in the log", found[-5:])
    run("pg_dump", "-f", world.cluster.directory + "/t.sql", "-d", world.cluster.dsn(database=database.name))
    with open(world.cluster.directory + "/t.sql", errors="replace") as f:
        dump = f.read()
    places = {"the server's log": world.cluster.log(), "a dump": dump}
    parts = [refused.split(".")[2], SECRET.decode(), SECRET.hex(), base64.b64encode(SECRET).decode()]
    report.equal([(place, part[:8]) for place, text in places.items() for part in parts if part in text], [], "traces: no token and no secret is in the log or a dump")
    world.cluster.query("CREATE DATABASE tokens_restored")
    copy = Database(world.cluster, "tokens_restored")
    restored = world.cluster.psql(dump, database="tokens_restored", check=False)
    report.ok(restored.returncode == 0, "traces: a dump restores", restored.stderr[-300:])
    taker = Taker(copy)
    report.equal((taker.take(maker.token("HS256")), taker.take(maker.token("EdDSA")), taker.take(maker.token(jti="revoked"))), ("ada@acme", "ada@acme", ("RMP08", "It was revoked.")), "traces: with its keys and revocations")
    taker.session.close(), session.close()


def check(world, report):
    database = world.database("tokens")
    maker = Maker()
    keys = maker.keys
    database.query("SELECT rampart.create_scope('tokens')")
    for kid, algorithm, key in (("eddsa", "EdDSA", keys.ed), ("es256", "ES256", keys.ec), ("rs256", "RS256", keys.rsa)):
        database.query("SELECT rampart.add_token_key(%s, %s, %s, %s, %s)", (kid, algorithm, keys.pem(key), ISSUER, AUDIENCE))
    database.query("SELECT rampart.add_token_key('ended', 'EdDSA', %s, %s, %s, until => now())", (keys.pem(keys.ed), ISSUER, AUDIENCE))
    database.query("SELECT rampart.add_token_secret('hs256', 'tokens', %s, %s, %s)", (SECRET, ISSUER, AUDIENCE))
    taker = Taker(database)
    check_taken(maker, taker, report)
    check_refused(database, maker, taker, report)
    check_damage(maker, taker, report)
    check_keys(database, maker, report)
    check_traces(world, database, maker, report)
    taker.session.close()
