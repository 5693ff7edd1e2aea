"""Second factors by strangers' packages of npm: an authenticator and an authenticator app that log in here, and a relying party that judges the same
answers. Where it accepts, this server does, and where it refuses, too."""
import random

from mfa import unlock
from npm import Program, lacks_node
from passkeys import b64, unb64
from world import claims_of

ALGORITHMS = ("ES256", "EdDSA", "RS256")


def check(world, report):
    if lacks_node(report, "second factors by strangers' packages", [20]):
        return
    strangers = Program("factors.mjs")
    try:
        for algorithm in ALGORITHMS:
            passkeys(world, report, Passkey(world, strangers, algorithm))
        not_counting(world, report, strangers)
        tampered(world, report, Passkey(world, strangers, "ES256").registered())
        authenticator_app(world, report, strangers)
    finally:
        strangers.close()


class Passkey:
    """A person with an emulated authenticator, and what a relying party of @simplewebauthn knows of it."""

    def __init__(self, world, strangers, algorithm, verified=True, increment=1):
        self.server, self.strangers = world.server, strangers
        self.person = world.person(self.server)
        self.algorithm, self.name = algorithm, self.person.id
        self.common = {"origin": f"http://localhost:{self.server.port}", "party": "localhost"}
        self.credential = None
        strangers.ask("authenticator", name=self.name, algorithm=algorithm, verified=verified, increment=increment)

    def ask(self, action, **parameters):
        answer = self.strangers.ask(action, name=self.name, origin=self.common["origin"], **parameters)
        assert "error" not in answer, answer
        return answer

    def create(self):
        options = self.person.post("/auth/mfa/webauthn/register", {"passwordless": True}).body
        created = self.ask("create", options=options)
        judged = self.strangers.ask("registered", response=created, challenge=options["challenge"], **self.common)
        self.credential = judged.get("credential")
        body = {"name": self.algorithm, "client_data": created["response"]["clientDataJSON"], "attestation_object": created["response"]["attestationObject"]}
        return judged, self.person.post("/auth/mfa/webauthn/register/finish", body)

    def registered(self):
        judged, answer = self.create()
        assert judged["verified"] and answer.status == 201, (judged, answer)
        return self

    def judged(self, response, challenge, verify=False):
        """What @simplewebauthn says; it keeps the counter, as a relying party does."""
        answer = self.strangers.ask("asserted", response=response, challenge=challenge, credential=self.credential, verify=verify, **self.common)
        if answer.get("verified"):
            self.credential["counter"] = answer["counter"]
        return answer

    @staticmethod
    def body(session, got, handle=False):
        response = got["response"]
        body = {"session_id": session, "credential_id": got["id"], "client_data": response["clientDataJSON"],
                "authenticator_data": response["authenticatorData"], "signature": response["signature"]}
        return {**body, "user_handle": response["userHandle"]} if handle else body

    def second_step(self):
        """(session, options, the authenticator's answer) of a login that asks for it."""
        client = self.server.client()
        session = client.log_in(self.person.email).body["session_id"]
        options = client.post("/auth/mfa/webauthn", {"session_id": session}).body
        return session, options, self.ask("get", options=options)

    def finish(self, session, got):
        return self.server.client().post("/auth/mfa/webauthn/finish", self.body(session, got))


def passkeys(world, report, passkey):
    name, server = f"strangers: {passkey.algorithm}", passkey.server
    judged, answer = passkey.create()
    report.equal((judged.get("verified"), answer.status), (True, 201), f"{name}: an emulated authenticator is registered, here and by @simplewebauthn")
    session, options, got = passkey.second_step()
    report.equal((passkey.judged(got, options["challenge"]).get("verified"), passkey.finish(session, got).status), (True, 200), f"{name}: it logs in as the second factor")
    client = server.client()
    options = client.post("/auth/login/passkey").body
    got = passkey.ask("get", options={**options, "allowCredentials": []})
    answer = client.post("/auth/login/passkey/finish", passkey.body(options["session_id"], got, handle=True))
    report.equal((passkey.judged(got, options["challenge"], verify=True).get("verified"), answer.status, claims_of(answer.body["access_token"])["sub"]),
                 (True, 200, passkey.person.id), f"{name}: and alone")


def not_counting(world, report, strangers):
    passkey = Passkey(world, strangers, "ES256", increment=0).registered()
    for time in ("once", "twice"):
        session, options, got = passkey.second_step()
        report.equal((passkey.judged(got, options["challenge"]).get("verified"), passkey.finish(session, got).status), (True, 200),
                     f"strangers: an authenticator that does not count logs in {time}")


def tampered(world, report, passkey):
    """One bit of an answer changed, anywhere: nobody takes it."""
    differ = []
    for field, name in (("clientDataJSON", "client_data"), ("authenticatorData", "authenticator_data"), ("signature", "signature")):
        for _ in range(4):
            unlock(passkey.server)
            session, options, got = passkey.second_step()
            changed = bytearray(unb64(got["response"][field]))
            place, bit = random.randrange(len(changed)), random.randrange(8)
            changed[place] ^= 1 << bit
            got["response"][field] = b64(bytes(changed))
            theirs, ours = passkey.judged(got, options["challenge"]), passkey.finish(session, got)
            if theirs.get("verified") or ours.status != 401 or not (ours.code or "").startswith("webauthn_"):
                differ.append((name, place, bit, theirs, ours))
    report.equal(differ, [], "strangers: an answer with a bit changed is refused, here and by @simplewebauthn")
    unlock(passkey.server)


def authenticator_app(world, report, strangers):
    person, server = world.person(world.server), world.server
    uri = person.post("/auth/mfa/setup", {"method": "totp"}).body["uri"]

    def code(seconds=0):
        return strangers.ask("code", uri=uri, seconds=seconds)["code"]

    report.equal(person.post("/auth/mfa/verify", {"totp_code": code()}).status, 200, "strangers: otpauth reads the URI, and its code confirms the app")
    session = server.client().log_in(person.email).body["session_id"]
    report.equal(server.client().post("/auth/mfa", {"session_id": session, "totp_code": code(30)}).status, 200, "strangers: and logs in")
    session = server.client().log_in(person.email).body["session_id"]
    report.equal(server.client().post("/auth/mfa", {"session_id": session, "totp_code": code(90)}).code, "mfa_refused", "strangers: but not with a code of minutes later")
