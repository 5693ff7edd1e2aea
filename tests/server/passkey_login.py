"""Login by a passkey alone: nobody says who they are, and the same holds as at a login by password."""
import concurrent.futures
import os
import uuid

from mfa import Enrolled, totp, unlock
from passkeys import Authenticator, b64, register
from world import Server, claims_of


class Owner:
    """A person with a passkey that logs in alone."""

    def __init__(self, world, server, **flags):
        self.server, self.client, self.key = server, world.person(server), Authenticator(server)
        self.key.__dict__.update(flags)
        answer = register(self.client, self.key, passwordless=True)
        assert answer.status == 201, answer

    def begin(self):
        self.key.counter += 1
        return self.server.client().post("/auth/login/passkey").body

    def finish(self, options, **more):
        return self.server.client().post("/auth/login/passkey/finish", {**self.key.log_in(options, self.client.id), **more})

    def log_in(self, **more):
        return self.finish(self.begin(), **more)


def check(world, report):
    server = world.server
    login(world, report, server)
    refusals(world, report, server)
    account(world, report, server)
    attempts(world, report, server)
    unverified_key(world, report, server)
    not_a_second_step(world, report, server)
    settings(world, report, server)


def login(world, report, server):
    ada = Owner(world, server)
    options = ada.client.post("/auth/mfa/webauthn/register", {"passwordless": True}).body["authenticatorSelection"]
    report.equal(options, {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"}, "a passkey for that is asked to be found, and to verify")
    options = ada.client.post("/auth/mfa/webauthn/register", {}).body["authenticatorSelection"]
    report.equal(options, {"residentKey": "preferred", "requireResidentKey": False, "userVerification": "preferred"}, "another one as it can and as is configured")
    options = ada.begin()
    report.equal((options["allowCredentials"], options["userVerification"], options["rpId"], options["expires_in"]), ([], "required", "localhost", 300),
                 "a login names nobody, and asks who it is that uses the passkey")
    answer = ada.finish(options)
    claims = claims_of(answer.body["access_token"])
    report.equal((answer.status, claims["sub"], sorted(claims["amr"])), (200, ada.client.id, ["hwk", "mfa", "user"]), "the passkey alone logs in, with two factors in one")
    report.equal(sorted(answer.cookies()), ["__Host-rampart_refresh"], "with a refresh token, and no device that is trusted")
    client = server.client(token=answer.body["access_token"])
    report.equal(client.post("/auth/mfa/backup-codes").status, 200, "which is as recent a proof as there is")
    answer = ada.log_in(cookies=True)
    report.ok({"__Host-rampart_access", "__Host-rampart_refresh"} <= answer.cookies().keys(), "or with cookies", answer.cookies())
    copied = Owner(world, server, flags=0x1d)
    report.equal(sorted(claims_of(copied.log_in().body["access_token"])["amr"]), ["mfa", "swk", "user"], "one that may be on several devices is no hardware's")
    silent = Owner(world, server, counter=0)
    for _ in range(2):
        options = silent.begin()
        silent.key.counter = 0
        report.equal(silent.finish(options).status, 200, "a passkey that does not count logs in again and again")
    report.ok(server.client().log_in(ada.client.email).body["mfa_required"], "a password still asks for it as a second factor")
    events = server.database.query("SELECT event, metadata ->> 'method' FROM rampart.audit_log WHERE actor = %s AND event IN ('auth.mfa_success', 'auth.login_success')", (ada.client.id,))
    report.ok(("auth.mfa_success", "passkey") in events, "the log says by what", events)


def refusals(world, report, server):
    ada, bob = Owner(world, server), Owner(world, server)

    def judged(owner=ada, options=None, change=None, **attributes):
        """The code of a login that differs in one thing from a good one."""
        unlock(server)
        options = {**owner.begin(), **(options or {})}
        saved = dict(owner.key.__dict__)
        owner.key.__dict__.update(attributes)
        body = owner.key.log_in(options, owner.client.id)
        owner.key.__dict__.update(saved)
        return server.client().post("/auth/login/passkey/finish", {**body, **(change or {})}).code

    report.equal(judged(origin="https://evil.example"), "webauthn_origin", "refused: another page")
    report.equal(judged(party="evil.example"), "webauthn_relying_party", "refused: another domain")
    report.equal(judged(flags=0x01), "webauthn_user_not_verified", "refused: nobody was verified")
    report.equal(judged(flags=0x04), "webauthn_user_absent", "refused: nobody there")
    report.equal(judged(options={"challenge": b64(os.urandom(32))}), "webauthn_challenge", "refused: another challenge")
    report.equal(judged(options={"session_id": bob.begin()["session_id"]}), "webauthn_challenge", "refused: the challenge of another login")
    report.equal(judged(options={"session_id": "x" * 43}), "mfa_session_ended", "refused: a login that was not begun")
    report.equal(judged(counter=0), "webauthn_counter", "refused: a counter that falls")
    report.equal(judged(key=bob.key.key), "webauthn_signature", "refused: another's signature")
    report.equal(judged(id=os.urandom(32)), "webauthn_credential", "refused: a passkey that nobody has")
    report.equal(judged(change={"user_handle": b64(bob.client.id.encode())}), "webauthn_user_handle", "refused: a passkey that says it is another's")
    report.equal(judged(change={"user_handle": b64(b"x")}), "webauthn_user_handle", "refused: or nobody's")
    report.equal(judged(change={"signature": "!"}), "validation_failed", "refused: what is no base64url")
    unlock(server)
    options = ada.begin()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = [a.code or a.status for a in pool.map(lambda _: ada.finish(options), range(8))]
    report.equal(sorted(codes, key=str), [200] + ["mfa_session_ended"] * 7, "a challenge opens one session, of eight answers at once")
    report.equal(ada.finish(options).code, "mfa_session_ended", "nor is it replayed later")
    wrong = ada.begin()
    ada.finish({**wrong, "challenge": b64(os.urandom(32))})
    report.equal(ada.finish(wrong).code, "mfa_session_ended", "a challenge is answered once, right or wrong")
    late = ada.begin()
    server.database.query("UPDATE rampart_auth.passkey_login SET expires_at = now()")
    report.equal(ada.finish(late).code, "mfa_session_ended", "and not after its time")
    server.database.query("SELECT rampart_auth.clean_up()")
    report.equal(server.database.value("SELECT count(*) FROM rampart_auth.passkey_login"), 0, "then it is removed")
    factor = ada.client.get("/auth/mfa").body["factors"][0]["id"]
    ada.client.delete(f"/auth/mfa/factors/{factor}")
    report.equal(ada.log_in().code, "webauthn_credential", "a passkey that was removed is nobody's")


def account(world, report, server):
    """What keeps out after the right password keeps out after the right passkey."""
    ada, database = Owner(world, server), server.database
    for status, code in (("unverified", "email_not_verified"), ("awaiting_approval", "awaiting_approval"), ("disabled", "account_disabled")):
        database.query("UPDATE rampart_auth.account SET status = %s WHERE id = %s", (status, ada.client.id))
        report.equal(ada.log_in().code, code, f"no session for an account that is {status}")
    database.query("UPDATE rampart_auth.account SET status = 'active' WHERE id = %s", (ada.client.id,))
    for _ in range(5):
        server.client().log_in(ada.client.email, "Wrong-horse-7-battery")
    answer = ada.log_in()
    report.equal((answer.code, int(answer.headers["Retry-After"]) > 60), ("login_locked", True), "nor for one that is locked")
    unlock(server)
    org, _ = world.organisation(server)
    report.equal(ada.log_in(organisation=org).code, "tenant_forbidden", "nor in an organisation that one is no member of")
    database.query("INSERT INTO rampart_auth.membership (org_id, account_id, role) VALUES (%s, %s, 'MEMBER')", (org, ada.client.id))
    answer = ada.log_in(organisation=org)
    report.equal((claims_of(answer.body["access_token"])["org"], claims_of(answer.body["access_token"])["roles"]), (org, ["MEMBER"]), "but in one's own")
    database.query("INSERT INTO rampart_auth.mfa_requirement VALUES ('MEMBER', '0')")
    answer = ada.log_in(organisation=org)
    report.equal(claims_of(answer.body["access_token"])["roles"], ["MEMBER"], "whose second factor, where it demands one, this is")
    database.query("DELETE FROM rampart_auth.mfa_requirement WHERE role = 'MEMBER'")


def attempts(world, report, server):
    ada = Owner(world, server)
    unlock(server)
    for _ in range(5):
        options = ada.begin()
        ada.finish({**options, "challenge": b64(os.urandom(32))})
    answer = ada.log_in()
    report.equal((answer.status, answer.code), (429, "mfa_locked"), "five wrong answers lock, as those to any second factor")
    unlock(server)
    report.equal(ada.log_in().status, 200, "for a while")
    strict = Server(world, server.database, {"lockout": {"failures_per_address": 3}}).start()
    ada.server, ada.key.origin = strict, f"http://localhost:{strict.port}"
    for _ in range(3):
        stranger = Authenticator(strict)
        strict.client().post("/auth/login/passkey/finish", stranger.log_in(strict.client().post("/auth/login/passkey").body, str(uuid.uuid4())))
    report.equal(ada.log_in().code, "login_locked", "passkeys that nobody has lock the address that sends them")
    unlock(server)
    strict.stop()
    server.database.query("DELETE FROM rampart_auth.rate")
    limited = Server(world, server.database, {"rates": {"sign_in": "2/1m"}}).start()
    codes = [limited.client().post("/auth/login/passkey/finish", Authenticator(limited).log_in({"session_id": "x" * 43, "challenge": "x"}, "x")).code for _ in range(3)]
    report.equal(codes, ["mfa_session_ended", "mfa_session_ended", "rate_limited"], "answers are as rare as logins")
    limited.stop()


def unverified_key(world, report, server):
    """A key without a PIN: whoever finds it could set one."""
    person, key = world.person(server), Authenticator(server)
    key.flags = 0x01
    register(person, key)
    key.flags, key.counter = 0x05, 2
    client = server.client()
    answer = client.post("/auth/login/passkey/finish", key.log_in(client.post("/auth/login/passkey").body, person.id))
    report.equal(answer.code, "webauthn_user_not_verified", "a key that did not verify its user when it was registered does not log in alone")
    session = client.log_in(person.email).body["session_id"]
    key.counter += 1
    client.post("/auth/mfa/webauthn/finish", {"session_id": session, **key.get(client.post("/auth/mfa/webauthn", {"session_id": session}).body)})
    key.counter += 1
    answer = client.post("/auth/login/passkey/finish", key.log_in(client.post("/auth/login/passkey").body, person.id))
    report.equal(answer.status, 200, "but does once it has, beside the password")


def not_a_second_step(world, report, server):
    """A login that was begun by nobody is not to be ended by somebody's other factors, nor the other way round."""
    ada = Enrolled(world, server)
    options = server.client().post("/auth/login/passkey").body
    bodies = {"/auth/mfa": {"totp_code": totp(ada.secret)}, "/auth/mfa/email": {}, "/auth/mfa/webauthn": {}, "/auth/mfa/recovery": {}}
    codes = {path: server.client().post(path, {"session_id": options["session_id"], **body}).code for path, body in bodies.items()}
    report.equal(set(codes.values()), {"mfa_session_ended"}, "a login by passkey takes no other factor")
    bob = Owner(world, server)
    session = server.client().log_in(bob.client.email).body["session_id"]
    challenge = server.client().post("/auth/mfa/webauthn", {"session_id": session}).body["challenge"]
    bob.key.counter += 1
    report.equal(bob.finish({"session_id": session, "challenge": challenge}).code, "mfa_session_ended", "and a second step is no login by passkey")


def settings(world, report, server):
    off = Server(world, server.database, {"mfa": {"passwordless": False}}).start()
    ada = Owner(world, off)
    begun = off.client().post("/auth/login/passkey")
    report.equal((begun.status, begun.code), (422, "not_possible"), "a setting turns it off")
    options = server.client().post("/auth/login/passkey").body
    report.equal(ada.finish(options).code, "not_possible", "also for what was begun elsewhere")
    report.ok(off.client().log_in(ada.client.email).body["mfa_required"], "passkeys stay second factors then")
    off.stop()
