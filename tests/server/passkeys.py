"""Passkeys against the running server: registered, logged in with, refused each for its own reason."""
import base64
import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mfa import unlock
from world import claims_of


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value):
    """Integers, bytes, text, lists and maps (RFC 8949), in the order given."""
    def head(major, n):
        if n < 24:
            return bytes([major << 5 | n])
        return bytes([major << 5 | 24, n]) if n < 256 else bytes([major << 5 | 25]) + struct.pack(">H", n)
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


class Authenticator:
    """A browser with an authenticator in it."""

    def __init__(self, server, algorithm=-7):
        self.origin, self.party = f"{'http' if server.plain else 'https'}://localhost:{server.port}", "localhost"
        self.algorithm, self.id, self.counter, self.flags = algorithm, os.urandom(32), 1, 0x05
        self.key = {-7: lambda: ec.generate_private_key(ec.SECP256R1()), -8: ed25519.Ed25519PrivateKey.generate,
                    -257: lambda: rsa.generate_private_key(65537, 2048)}[algorithm]()

    def public_key(self):
        public = self.key.public_key()
        if self.algorithm == -8:
            return {1: 1, 3: -8, -1: 6, -2: public.public_bytes(Encoding.Raw, PublicFormat.Raw)}
        numbers = public.public_numbers()
        if self.algorithm == -7:
            return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        return {1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}

    def data(self, attested=b""):
        return hashlib.sha256(self.party.encode()).digest() + bytes([self.flags | (0x40 if attested else 0)]) + struct.pack(">I", self.counter) + attested

    def attested(self, model=bytes(16)):
        return model + struct.pack(">H", len(self.id)) + self.id + cbor(self.public_key())

    def client_data(self, kind, challenge):
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def create(self, options, name="key"):
        return {"name": name, "client_data": b64(self.client_data("webauthn.create", options["challenge"])),
                "attestation_object": b64(cbor({"fmt": "none", "attStmt": {}, "authData": self.data(self.attested())}))}

    def get(self, options, kind="webauthn.get"):
        client, data = self.client_data(kind, options["challenge"]), self.data()
        message = data + hashlib.sha256(client).digest()
        if self.algorithm == -7:
            signature = self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        elif self.algorithm == -8:
            signature = self.key.sign(message)
        else:
            signature = self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return {"credential_id": b64(self.id), "client_data": b64(client), "authenticator_data": b64(data), "signature": b64(signature)}

    def log_in(self, options, account):
        """What logs in alone, as the account that the authenticator was registered for."""
        return {"session_id": options["session_id"], "user_handle": b64(account.encode()), **self.get(options)}


def register(client, authenticator, name="key", **more):
    options = client.post("/auth/mfa/webauthn/register", more).body
    return client.post("/auth/mfa/webauthn/register/finish", authenticator.create(options, name))


def begin(server, person):
    """(session_id, options) of a login that asks for a passkey."""
    challenge = server.client().log_in(person.email).body["session_id"]
    return challenge, server.client().post("/auth/mfa/webauthn", {"session_id": challenge}).body


def finish(server, challenge, answer):
    return server.client().post("/auth/mfa/webauthn/finish", {"session_id": challenge, **answer})


def check(world, report):
    server = world.server
    for algorithm, name in ((-7, "ES256"), (-8, "EdDSA"), (-257, "RS256")):
        person, key = world.person(server), Authenticator(server, algorithm)
        answer = register(person, key, name)
        report.equal((answer.status, len(answer.body["backup_codes"])), (201, 10), f"{name}: registered, with backup codes")
        report.equal([(f["method"], f["name"]) for f in person.get("/auth/mfa").body["factors"]], [("webauthn", name)], f"{name}: listed by its name")
        challenge, options = begin(server, person)
        report.equal([unb64(c["id"]) for c in options["allowCredentials"]], [key.id], f"{name}: a login names it")
        key.counter += 1
        answer = finish(server, challenge, key.get(options))
        report.equal((answer.status, sorted(claims_of(answer.body["access_token"])["amr"])), (200, ["hwk", "mfa", "pwd"]), f"{name}: logs in")
    refusals(world, report, server)
    several(world, report, server)


def refusals(world, report, server):
    person, key = world.person(server), Authenticator(server)
    options = person.post("/auth/mfa/webauthn/register", {}).body
    report.ok(options["rp"]["id"] == "localhost" and unb64(options["user"]["id"]).decode() == person.id, "options say for whom", options)
    created = key.create(options)
    report.equal(person.post("/auth/mfa/webauthn/register/finish", {**created, "attestation_object": "AAAA"}).code, "webauthn_malformed", "no object: refused")
    report.equal(person.post("/auth/mfa/webauthn/register/finish", created).code, "mfa_session_ended", "a registration is tried once")
    right, key.origin = key.origin, "https://evil.example"
    report.equal(register(person, key).code, "webauthn_origin", "not from another page")
    key.origin = right
    report.equal(register(person, key).status, 201, "registered")
    report.equal(register(person, key).code, "conflict", "once")

    def judged(change, kind="webauthn.get"):
        unlock(server)
        challenge, got = begin(server, person)
        key.counter += 1
        saved = key.origin, key.party, key.flags, key.counter
        changed = change(key, got) or got
        answer = key.get(changed, kind)
        key.origin, key.party, key.flags, key.counter = saved
        return finish(server, challenge, answer).code

    def attributes(**values):
        return lambda k, _: k.__dict__.update(values)

    report.equal(judged(attributes(origin="https://evil.example")), "webauthn_origin", "another page")
    report.equal(judged(attributes(party="evil.example")), "webauthn_relying_party", "another domain")
    report.equal(judged(attributes(flags=0x04)), "webauthn_user_absent", "nobody there")
    report.equal(judged(attributes(flags=0x0d)), "webauthn_backup_state", "a copy of what cannot be copied")
    report.equal(judged(lambda k, o: {**o, "challenge": b64(os.urandom(32))}), "webauthn_challenge", "another challenge")
    report.equal(judged(lambda k, o: None, kind="webauthn.create"), "webauthn_type", "made for something else")
    report.equal(judged(attributes(counter=0)), "webauthn_counter", "a counter that falls")
    stranger = Authenticator(server)
    report.equal(judged(lambda k, o: k.__dict__.update(saved_key=k.key, key=stranger.key)), "webauthn_signature", "another's signature")
    key.key = key.saved_key
    unlock(server)
    challenge, options = begin(server, person)
    key.counter += 1
    answer = key.get(options)
    tampered = unb64(answer["authenticator_data"])
    tampered = tampered[:-1] + bytes([tampered[-1] ^ 0x40])
    report.equal(finish(server, challenge, {**answer, "authenticator_data": b64(tampered)}).code, "webauthn_signature", "tampered")
    report.equal(finish(server, challenge, answer).code, "webauthn_challenge", "a challenge is signed once, right or wrong")
    options = server.client().post("/auth/mfa/webauthn", {"session_id": challenge}).body
    answer = key.get(options)
    report.equal(finish(server, challenge, answer).status, 200, "and right it ends the login")
    other = begin(server, person)[0]
    report.equal(finish(server, other, answer).code, "webauthn_challenge", "replayed to another login")
    events = {r[0] for r in server.database.query("SELECT metadata ->> 'method' FROM rampart.audit_log WHERE event = 'auth.mfa_failed' AND actor = %s", (person.id,))}
    report.ok({"webauthn: counter", "webauthn: origin"} <= events, "the log says why", events)
    unlock(server)


def several(world, report, server):
    person, first, second = world.person(server), Authenticator(server), Authenticator(server)
    register(person, first, "one")
    answer = register(person, second, "two")
    report.equal((answer.status, "backup_codes" in answer.body), (201, False), "a second passkey leaves the backup codes")
    challenge, options = begin(server, person)
    second.counter += 1
    report.equal(finish(server, challenge, second.get(options)).status, 200, "either logs in")
    copied = Authenticator(server)
    copied.flags |= 0x18
    register(person, copied, "synchronised")
    challenge, options = begin(server, person)
    copied.counter += 1
    claims = claims_of(finish(server, challenge, copied.get(options)).body["access_token"])
    report.equal(sorted(claims["amr"]), ["mfa", "pwd", "swk"], "one that may be on several devices is no hardware's")
    bob, key = world.person(server), Authenticator(server)
    register(bob, key)
    challenge, options = begin(server, person)
    key.counter += 1
    report.equal(finish(server, challenge, key.get(options)).code, "webauthn_credential", "another account's does not")
    unlock(server)
