"""Keys of tokens: which are taken, how long they count, where their secrets are."""
import json
import os
import time

from cluster import Cluster
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from issuer import AUDIENCE, ISSUER, Issuer, b64, pem
from world import Database, on

NONE = "it names a key that is not known here"


def add(database, kid, algorithm, key, user="postgres", **more):
    """The SQLSTATE that adding a key fails with, or None."""
    options = "".join(f", {name} => %s" for name in more)
    error = database.failure(f"SELECT rampart.add_token_key(%s, %s, %s, 'i', 'a'{options})", (kid, algorithm, key, *more.values()), user)
    return error and error[0]


def jwk(public_key):
    if isinstance(public_key, ed25519.Ed25519PublicKey):
        raw = public_key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    numbers = public_key.public_numbers()
    if isinstance(public_key, rsa.RSAPublicKey):
        return {"kty": "RSA", "n": b64(numbers.n.to_bytes(numbers.n.bit_length() // 8, "big")), "e": b64(numbers.e.to_bytes(3, "big"))}
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}


def private_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def check_forms(issuer, database, report):
    for kid, algorithm, key in [("ed", "EdDSA", issuer.ed), ("ec", "ES256", issuer.ec), ("rsa", "RS256", issuer.rsa)]:
        database.query("SELECT rampart.drop_token_key(%s)", (kid,))
        database.query("SELECT rampart.add_token_key(%s, %s, %s, %s, %s)", (kid, algorithm, json.dumps({**jwk(key.public_key()), "use": "sig", "kid": "x"}), ISSUER, AUDIENCE))
        report.equal(database.refusal(issuer.token(kid)), None, f"forms: {algorithm} as JWK")
        public = database.value("SELECT public_key FROM rampart.token_keys WHERE kid = %s", (kid,))
        report.equal(serialization.load_pem_public_key(public.encode()).public_numbers() if kid != "ed" else jwk(serialization.load_pem_public_key(public.encode())),
                     key.public_key().public_numbers() if kid != "ed" else jwk(key.public_key()), f"forms: {algorithm} is listed as PEM")
    database.query("SELECT rampart.drop_token_key('hmac')")
    database.query("SELECT rampart.add_token_key('hmac', 'HS256', %s, %s, %s)", (json.dumps({"kty": "oct", "k": b64(issuer.secret.encode())}), ISSUER, AUDIENCE))
    report.equal(database.refusal(issuer.token("hmac")), None, "forms: HS256 as JWK")


def check_refused(issuer, database, report):
    good, other = pem(issuer.ec.public_key()), jwk(issuer.ec.public_key())
    small = rsa.generate_private_key(65537, 1024).public_key()
    huge_exponent = {**jwk(issuer.rsa.public_key()), "e": b64(b"\x02")}
    for name, algorithm, key in [
        ("RSA of 1024 bits", "RS256", pem(small)), ("RSA of 1024 bits as JWK", "RS256", json.dumps(jwk(small))), ("RSA with an even exponent", "RS256", json.dumps(huge_exponent)),
        ("P-384", "ES256", pem(ec.generate_private_key(ec.SECP384R1()).public_key())), ("secp256k1", "ES256", pem(ec.generate_private_key(ec.SECP256K1()).public_key())),
        ("Ed448", "EdDSA", pem(ed448.Ed448PrivateKey.generate().public_key())), ("EC as EdDSA", "EdDSA", good), ("EC as RS256", "RS256", good), ("RSA as ES256", "ES256", pem(issuer.rsa.public_key())),
        ("a private key", "ES256", private_pem(issuer.ec)), ("a private JWK", "ES256", json.dumps({**other, "d": other["x"]})), ("a point off the curve", "ES256", json.dumps({**other, "y": other["x"]})),
        ("the point at infinity", "ES256", json.dumps({**other, "x": b64(b"\0" * 32), "y": b64(b"\0" * 32)})), ("a short coordinate", "ES256", json.dumps({**other, "x": b64(b"\1")})),
        ("a curve that is not stated", "ES256", json.dumps({k: v for k, v in other.items() if k != "crv"})), ("padding in a JWK", "ES256", json.dumps({**other, "x": other["x"] + "="})),
        ("a JWK that says things twice", "ES256", json.dumps(other)[:-1] + ', "kty": "EC"}'), ("a JWK of numbers", "ES256", json.dumps({**other, "x": 7})), ("a JWK that is none", "ES256", "{"),
        ("a JWK set", "ES256", json.dumps({"keys": [other]})), ("an empty key", "ES256", ""), ("text", "ES256", "key"), ("a damaged PEM", "ES256", good.replace("M", "A", 3)),
        ("an encrypted PEM", "ES256", good.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", 1)),
        ("100 kB", "ES256", good + "x" * 100_000), ("a short secret", "HS256", "x" * 31), ("an empty secret", "HS256", ""), ("a long secret", "HS256", "x" * 1025),
        ("a public key as secret", "HS256", pem(issuer.rsa.public_key())), ("a public JWK as secret", "HS256", json.dumps(other)), ("a short secret as JWK", "HS256", json.dumps({"kty": "oct", "k": b64(b"x" * 31)})),
        ("no algorithm", "none", good), ("another algorithm", "ES384", good), ("an algorithm in lower case", "es256", good), ("NULL for an algorithm", None, good), ("NULL for a key", "ES256", None),
    ]:
        report.equal(add(database, "refused", algorithm, key), "22023", f"refused: {name}")
    for name, kid, more in [("an empty kid", "", {}), ("a NULL kid", None, {}), ("a long kid", "k" * 256, {}), ("leeway", "k", {"leeway": 61}), ("leeway", "k", {"leeway": -1}), ("leeway", "k", {"leeway": None}),
                            ("access_only", "k", {"access_only": None}), ("valid_from", "k", {"valid_from": None})]:
        report.equal(add(database, kid, "ES256", good, **more), "22023", f"refused: {name} {more}")
    report.equal(add(database, "ec", "ES256", good), "RMP09", "refused: a kid that is taken")
    report.equal(database.failure("SELECT rampart.drop_token_key('nobody')", user="postgres")[0], "RMP09", "refused: dropping a key that is not there")
    report.equal(database.failure("SELECT rampart.drop_token_key(NULL)", user="postgres")[0], "RMP09", "refused: dropping NULL")


def check_validity(issuer, database, report):
    key, sign = pem(issuer.ed.public_key()), issuer.ed.sign
    for kid, options, reason in [
        ("later", "valid_from => now() + '1 hour'", "its key is not valid at this time"), ("over", "valid_until => now() - '1 second'::interval", "its key is not valid at this time"),
        ("now", "valid_from => now() - '1 hour'::interval, valid_until => now() + '1 hour'", None), ("strict", "access_only => true", None),
    ]:
        database.query(f"SELECT rampart.add_token_key(%s, 'EdDSA', %s, %s, %s, {options})", (kid, key, ISSUER, AUDIENCE))
        report.equal(database.refusal(issuer.token(header={"kid": kid}, sign=sign)), reason, f"validity: {kid}")
    for kind in ("JWT", None):
        report.equal(database.refusal(issuer.token(header={"kid": "strict", "typ": kind}, sign=sign)), "it is not of the type of access tokens", f"validity: access_only and typ {kind}")
    database.query("SELECT rampart.add_token_key('exact', 'EdDSA', %s, 'else', 'where', leeway => 0)", (key,))
    report.equal(database.refusal(issuer.token(header={"kid": "exact"}, sign=sign)), "it is of another issuer", "validity: a key speaks for its own issuer only")
    for kid in ("later", "over", "now", "strict", "exact"):
        database.query("SELECT rampart.drop_token_key(%s)", (kid,))


def check_one(world, report):
    database = world.database("alone")
    token = world.issuer.token(header={"kid": None})
    database.query("SELECT rampart.drop_token_key(kid) FROM rampart.token_key WHERE kid <> 'ed'")
    report.equal(database.refusal(token), None, "one key: needs no kid")
    report.equal(database.refusal(world.issuer.token("rsa", header={"kid": None})), "its algorithm is not the one of its key", "one key: and none of another algorithm")
    database.query("SELECT rampart.drop_token_key('ed')")
    report.equal(database.refusal(token), "it names no key, and there is more than one or none", "no key: nothing is believed")


def check_sessions(issuer, database, report):
    """A change is seen at once by its own transaction, by others at commit, whatever their snapshot."""
    key = pem(issuer.ed.public_key())
    token = issuer.token(header={"kid": "new"})
    insert = ("SELECT rampart.add_token_key('new', 'EdDSA', %s, %s, %s)", (key, ISSUER, AUDIENCE))
    owner, reader = database.connect("postgres", autocommit=False), database.connect("plain", autocommit=False)
    reader.set_session(isolation_level="REPEATABLE READ")
    on(reader, "SELECT 1")

    def reason(session):
        on(session, "SAVEPOINT s")
        try:
            on(session, "SELECT rampart.set_principal(%s)", (token,))
            return None
        except Exception as error:
            return str(error).split("\n")[0].removeprefix("token refused: ")
        finally:
            on(session, "ROLLBACK TO s")

    on(owner, *insert)
    report.equal((reason(owner), reason(reader)), (None, NONE), "sessions: a new key before the commit")
    owner.rollback()
    report.equal((reason(owner), reason(reader)), (NONE, NONE), "sessions: and after a rollback")
    on(owner, *insert)
    owner.commit()
    report.equal((reason(owner), reason(reader)), (None, None), "sessions: and after the commit, in REPEATABLE READ")
    on(owner, "SELECT rampart.drop_token_key('new')")
    owner.commit()
    report.equal((reason(owner), reason(reader)), (NONE, NONE), "sessions: a dropped key")
    owner.close(), reader.close()


def check_secrets(issuer, database, report):
    stored = bytes(database.value("SELECT secret FROM rampart.token_key WHERE kid = 'hmac'"))
    report.ok(issuer.secret.encode() not in stored and len(stored) == len(issuer.secret) + 28, "secret: stored encrypted")
    report.equal(database.value("SELECT count(*) FROM rampart.key WHERE purpose = 'token'"), 1, "secret: under a key of its own, which the root key wraps")
    database.query("SELECT rampart.add_token_key('second', 'HS256', %s, 'i', 'a')", ("y" * 40,))
    report.equal(database.value("SELECT count(*) FROM rampart.key WHERE purpose = 'token'"), 1, "secret: one key for all")
    database.query("UPDATE rampart.token_key t SET secret = (SELECT secret FROM rampart.token_key WHERE kid = 'second') WHERE kid = 'hmac'")
    report.equal(database.refusal(issuer.token("hmac")), "its key cannot be used at present", "secret: one that was moved to another kid")
    report.equal(database.refusal(issuer.token("ec")), None, "secret: other keys are not affected")
    database.query("UPDATE rampart.token_key SET secret = %s WHERE kid = 'hmac'", (stored,))
    report.equal(database.refusal(issuer.token("hmac")), None, "secret: in its place again")
    cut = "UPDATE rampart.token_key SET secret = substring(secret for {0}) WHERE kid = 'hmac'"
    for length in (0, 27, 28, 60):
        database.query(cut.format(length))
        report.equal(database.refusal(issuer.token("hmac")), "its key cannot be used at present", f"secret: cut to {length} bytes")
        database.query("UPDATE rampart.token_key SET secret = %s WHERE kid = 'hmac'", (stored,))
    damaged = "UPDATE rampart.token_key SET public_key = set_byte(public_key, {0}, 255 - get_byte(public_key, {0})) WHERE kid = 'ec'"
    database.query(damaged.format(5))
    report.equal(database.refusal(issuer.token("ec")), "its key cannot be used at present", "public key: damaged")
    database.query(damaged.format(5))
    report.equal(database.refusal(issuer.token("ec")), None, "public key: whole again")


def check_root_key(issuer, report):
    """Without a root key, tokens of HS256 are refused and the others are not; a new root key takes the old one's place."""
    cluster = Cluster("rootless", settings={"rampart.worker_naptime": 86400}).start()
    cluster.query("CREATE EXTENSION rampart")
    database = Database(cluster, "postgres")
    for kid, algorithm, key in issuer.published():
        database.query("SELECT rampart.add_token_key(%s, %s, %s, %s, %s)", (kid, algorithm, key, ISSUER, AUDIENCE))
    cluster.query("CREATE ROLE plain LOGIN")
    new_file = cluster.directory + "/new.key"
    with open(new_file, "w") as f:
        f.write("ab" * 32)
    os.chmod(new_file, 0o600)
    database.query("ALTER SYSTEM SET rampart.new_root_key_file = %s", (new_file,))
    cluster.reload()
    time.sleep(0.5)
    report.ok(database.value("SELECT rampart.rewrap_root_key()") >= 1, "root key: changed")
    report.equal(database.refusal(issuer.token("hmac")), None, "root key: secrets go with it")
    cluster.stop()
    os.rename(new_file, new_file + ".away")
    cluster.start()
    report.equal(database.refusal(issuer.token("hmac")), "its key cannot be used at present", "root key: without it, no token of HS256")
    report.equal(database.refusal(issuer.token("ed")), None, "root key: but others")
    session = database.connect("plain")
    os.rename(new_file + ".away", new_file)
    on(session, "BEGIN")
    on(session, "SELECT rampart.set_principal(%s)", (issuer.token("hmac"),))
    report.equal(on(session, "SELECT rampart.subject()"), [("ada",)], "root key: and again once it is there")
    session.close()
    cluster.remove()


def check_events(database, report):
    database.settle()
    kinds = "SELECT metadata FROM rampart.audit_log WHERE event = %s ORDER BY id DESC LIMIT 1"
    report.equal(database.query(kinds, ("token.key_added",)), [({"kid": "second", "algorithm": "HS256", "issuer": "i", "audience": "a"},)], "events: a key added")
    report.equal(database.query(kinds, ("token.key_removed",)), [({"kid": "new"},)], "events: a key removed")


def check(world, report):
    database = world.database("keys")
    check_forms(world.issuer, database, report)
    check_refused(world.issuer, database, report)
    check_validity(world.issuer, database, report)
    check_one(world, report)
    check_sessions(world.issuer, database, report)
    check_secrets(world.issuer, database, report)
    check_root_key(world.issuer, report)
    check_events(database, report)
