"""Tokens that are not to be believed: each attack, and each way to be malformed."""
import json
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from issuer import AUDIENCE, ISSUER, Issuer, b64, mac, pem, unb64
from world import on

SIGNATURE = "its signature does not verify"
ALGORITHM = "its algorithm is not the one of its key"


def check_meaning(token, refusal, report):
    now = int(time.time())
    for reason, changed in [
        ("it has expired", {"exp": now - 31}), ("it has expired", {"exp": 0}), ("it has expired", {"exp": -1e300}), ("it does not say when it expires", {"exp": None}),
        ("it is not valid yet", {"nbf": now + 120}), ("it was issued in the future", {"iat": now + 120}),
        ("it is of another issuer", {"iss": ISSUER + "/"}), ("it is of another issuer", {"iss": None}), ("it is of another issuer", {"iss": [ISSUER]}),
        ("it is for another audience", {"aud": "billing"}), ("it is for another audience", {"aud": None}), ("it is for another audience", {"aud": []}),
        ("it is for another audience", {"aud": [[AUDIENCE]]}), ("it is for another audience", {"aud": {"a": AUDIENCE}}), ("it is for another audience", {"aud": AUDIENCE.upper()}),
        ("its claims are malformed", {"sub": None}), ("its claims are malformed", {"sub": ""}), ("its claims are malformed", {"sub": 7}),
        ("its claims are malformed", {"sub": "a\0b"}), ("its claims are malformed", {"roles": "ADMIN"}), ("its claims are malformed", {"org": {}}),
        ('its claim "exp" is not a number', {"exp": str(now + 900)}), ('its claim "nbf" is not a number', {"nbf": "now"}), ('its claim "iat" is not a number', {"iat": []}),
    ]:
        report.equal(refusal(token(**changed)), reason, f"claims: {changed}")


def check_algorithms(issuer, database, report):
    token, refusal = issuer.token, database.refusal
    good = token("rsa").split(".")
    for name in ("none", "None", "NONE", "nOnE", "", "HS256", "RS512", "PS256", "ES256K", "rs256"):
        for signature in ("", good[2]):
            forged = f"{b64(json.dumps({'alg': name, 'kid': 'rsa'}).encode())}.{good[1]}.{signature}"
            report.equal(refusal(forged), ALGORITHM, f"algorithm: {name!r} for RS256, signature {'kept' if signature else 'empty'}")
    report.equal(refusal(f"{b64(b'{}')}.{good[1]}.{good[2]}"), "its header names no algorithm", "algorithm: not named")
    # The public key, which everybody has, as the secret of HS256.
    for name, secret in [("PEM", pem(issuer.rsa.public_key())), ("PEM without its end", pem(issuer.rsa.public_key()).rstrip())]:
        forged = token("rsa", header={"alg": "HS256"}, sign=lambda m: mac(secret.encode(), m))
        report.equal(refusal(forged), ALGORITHM, f"algorithm: RS256 taken as HS256, {name}")
    for kid in issuer.signers:
        for other, (algorithm, sign) in issuer.signers.items():
            if other != kid:
                report.equal(refusal(token(kid, header={"alg": algorithm}, sign=sign)), ALGORITHM, f"algorithm: key {kid} with {algorithm}")
                report.equal(refusal(token(kid, sign=sign)), SIGNATURE, f"algorithm: key {kid}, signed by {other}")


def check_keys(issuer, database, report):
    token, refusal = issuer.token, database.refusal
    stranger = Issuer()
    for kid, (_, sign) in stranger.signers.items():
        report.equal(refusal(token(kid, sign=sign)), SIGNATURE, f"key: signed by a stranger, {kid}")
    for kid in ("nobody", "", "ED", "ed ", "../ed", "ed\0", "' OR true --"):
        report.equal(refusal(token(header={"kid": kid})), "it names a key that is not known here", f"key: kid {kid!r}")
    report.equal(refusal(token(header={"kid": None})), "it names no key, and there is more than one or none", "key: no kid where there are several")
    for kid in (7, ["ed"], {"kid": "ed"}, True):
        report.equal(refusal(token(header={"kid": kid})), 'its header\'s "kid" is not a string', f"key: kid {kid!r}")
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(stranger.ed.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))}
    for name, value in [("jwk", jwk), ("jku", "https://evil.example.com/jwks"), ("x5u", "https://evil.example.com/x"), ("x5c", ["MIIB"]), ("crit", ["exp"]), ("crit", []), ("b64", False)]:
        report.equal(refusal(token(header={name: value}, sign=stranger.ed.sign)), f'its header has "{name}", which is not taken', f"header: {name} by a stranger")
        report.equal(refusal(token(header={name: value})), f'its header has "{name}", which is not taken', f"header: {name} by the issuer")
    for kind in ("id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "x"):
        report.equal(refusal(token(header={"typ": kind})), "it is not of the type of access tokens", f"header: typ {kind}")


def check_signatures(issuer, database, report):
    refusal = database.refusal
    whole = issuer.token("ec")
    message, _, text = whole.rpartition(".")
    signature = unb64(text)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    zero = b"\0" * 32
    for name, changed in [
        ("DER", encode_dss_signature(r, s)), ("r is zero", zero + signature[32:]), ("s is zero", signature[:32] + zero), ("both are zero", zero * 2),
        ("r is the order", order.to_bytes(32, "big") + signature[32:]), ("s is the order", signature[:32] + order.to_bytes(32, "big")),
        ("halves swapped", signature[32:] + signature[:32]), ("cut", signature[:-1]), ("longer", signature + b"\0"), ("empty", b""), ("all ones", b"\xff" * 64),
        ("padded halves", b"\0" + signature[:32] + b"\0" + signature[32:]),
    ]:
        report.equal(refusal(f"{message}.{b64(changed)}"), SIGNATURE, f"ES256: {name}")
    for kid in issuer.signers:
        whole = issuer.token(kid)
        message, _, text = whole.rpartition(".")
        signature = bytearray(unb64(text))
        taken = []
        session = database.connect()
        for bit in range(0, len(signature) * 8, 7):
            signature[bit // 8] ^= 1 << bit % 8
            taken += [bit] if not fails(session, f"{message}.{b64(bytes(signature))}") else []
            signature[bit // 8] ^= 1 << bit % 8
        report.equal(taken, [], f"{kid}: no bit of the signature can change")
        session.close()


def fails(session, token):
    try:
        on(session, "SELECT rampart.set_principal(%s)", (token,))
    except Exception as error:
        return getattr(error, "pgcode", None) in ("RMP08", "22021")
    return False


def check_form(issuer, database, report):
    token = issuer.token()
    header, payload, signature = token.split(".")
    refusal = database.refusal
    session = database.connect()
    report.equal([n for n in range(len(token)) if not fails(session, token[:n])], [], "form: cut at each byte")
    # The last characters of a part carry bits that base64 leaves unused: another form of the same bytes is refused too.
    alphabet = "A-_+/=. \n\u00e9"
    report.equal([(n, c) for n in range(len(token)) for c in alphabet if c != token[n] and not fails(session, token[:n] + c + token[n + 1:])], [],
                 "form: each character changed")
    report.equal([(n, c) for n in range(0, len(token) + 1, 3) for c in "A=. \n" if not fails(session, token[:n] + c + token[n:])], [],
                 "form: a character put in anywhere")
    for name, text in [("empty", ""), ("dots", ".."), ("one dot", "."), ("an extra dot", token + "."), ("five parts", token + ".a.b"), ("in front", "." + token),
                       ("white space around", f" {token} "), ("Bearer", f"Bearer {token}"), ("JSON form", json.dumps({"payload": payload, "protected": header, "signature": signature})),
                       ("padding", f"{header}.{payload}==.{signature}"), ("NULL", None), ("no signature", f"{header}.{payload}.")]:
        report.ok(refusal(text) not in (None, "lost"), f"form: {name}", refusal(text))
    report.equal(refusal("a" * 100_000), "54000", "form: 100 kB")
    report.equal(refusal(issuer.token(filler="x" * 100_000)), "54000", "form: 100 kB, well signed")
    report.equal(refusal("." * 16384), "it does not have three parts, as a signed token has", "form: dots only")
    session.close()


def check_json(issuer, database, report):
    good = issuer.claims()
    sign = issuer.ed.sign
    head = json.dumps({"alg": "EdDSA", "kid": "ed"}).encode()
    body = json.dumps(good).encode()
    for part, whole in (("header", head), ("payload", body)):
        for name, text in [
            ("twice", b'{"alg": "none", "sub": "root", ' + whole[1:]), ("twice inside", b'{"x": {"a": 1, "a": 2}, ' + whole[1:]),
            ("not JSON", b"{"), ("empty", b""), ("a list", b"[]"), ("a string", b'"x"'), ("null", b"null"), ("more behind", whole + b"{}"),
            ("not UTF-8", whole[:-1] + b', "x": "\xff"}'), ("overlong", whole[:-1] + b', "x": "\xc0\x80"}'),
            ("half a surrogate", whole[:-1] + b', "x": "\\ud800"}'), ("deep", whole[:-1] + b', "x": ' + b"[" * 2000 + b"]" * 2000 + b"}"),
            ("comment", b"/**/" + whole), ("byte order mark", b"\xef\xbb\xbf" + whole), ("NaN", whole[:-1] + b', "x": NaN}'),
            ("single quotes", whole.replace(b'"', b"'")),
        ]:
            token = Issuer.signed(text, body, sign) if part == "header" else Issuer.signed(head, text, sign)
            reason = database.refusal(token) or "taken"
            report.ok(reason.startswith(f"its {part} is not"), f"JSON: {part}, {name}", reason)


def check_nobody(issuer, database, report):
    """A refused token leaves nobody, and not the one before."""
    session = database.connect("app", autocommit=True)
    on(session, "BEGIN; SELECT rampart.trust_principal('{\"sub\": \"ada\"}'); SAVEPOINT s")
    report.ok(fails(session, "x.y.z"), "afterwards: refused in a savepoint")
    on(session, "ROLLBACK TO s")
    report.equal(on(session, "SELECT rampart.subject()"), [("ada",)], "afterwards: a savepoint before it is as it was")
    on(session, "ROLLBACK")
    report.equal(on(session, "SELECT rampart.subject()"), [(None,)], "afterwards: nobody")
    session.close()


def check(world, report):
    database = world.database("refused")
    check_meaning(world.issuer.token, database.refusal, report)
    check_algorithms(world.issuer, database, report)
    check_keys(world.issuer, database, report)
    check_signatures(world.issuer, database, report)
    check_form(world.issuer, database, report)
    check_json(world.issuer, database, report)
    check_nobody(world.issuer, database, report)
