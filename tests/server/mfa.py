"""Second factors: enrolled, asked for, used once; codes by mail and on paper; trusted devices; recovery; administration."""
import base64
import concurrent.futures
import contextlib
import datetime
import os
import re
import subprocess
import tempfile
import time

from database import on
from world import PASSWORD, Server, claims_of

STEP = 30


def totp(secret, offset=0):
    """A stranger's code for a secret, so many steps from now."""
    moment = time.strftime("@%s", time.localtime(time.time() + offset * STEP))
    return subprocess.run(["oathtool", "--totp", "--base32", "--now", moment, secret], check=True, capture_output=True, text=True).stdout.strip()


class Enrolled:
    """A person with an authenticator app. Codes are of the step before, the present and the next one, each used once."""

    def __init__(self, world, server, client=None):
        self.client = client or world.person(server)
        self.server = server
        answer = self.client.post("/auth/mfa/setup", {"method": "totp", "name": "phone"})
        assert answer.status == 200, answer
        self.secret, self.backup_codes, self.setup = answer.body["secret"], answer.body["backup_codes"], answer.body
        self.confirmed = self.client.post("/auth/mfa/verify", {"totp_code": totp(self.secret)})
        assert self.confirmed.status == 200, self.confirmed
        self.fresh()

    def fresh(self):
        """Lets the code of this moment be used again, so that tests need not wait for the next."""
        self.server.database.query("UPDATE rampart_auth.mfa_factor SET last_step = 0 WHERE account_id = %s", (self.client.id,))

    def begin(self, client=None):
        answer = (client or self.server.client()).log_in(self.client.email)
        assert answer.status == 200 and answer.body["mfa_required"], answer
        return answer.body["session_id"]

    def log_in(self, **more):
        """(client, answer) of a whole login."""
        client = self.server.client()
        self.fresh()
        answer = client.post("/auth/mfa", {"session_id": self.begin(client), "totp_code": totp(self.secret), **more})
        if answer.status == 200:
            client.token, client.cookies = answer.body["access_token"], {k: v for k, v in answer.cookies().items() if "device" in k}
        client.email, client.id = self.client.email, self.client.id
        return client, answer


def somewhere(path):
    """A path with ids of nothing in it."""
    return re.sub("{[^}]*}", "00000000-0000-7000-8000-000000000000", path.replace("{number}", "7").replace("{setting}", "mail.port"))


def unlock(server):
    server.database.query("UPDATE rampart_auth.throttle SET locked_until = NULL, failures = 0, lockouts = 0")


def check(world, report):
    server = world.server
    enrolment(world, report, server)
    login(world, report, server)
    attempts(world, report, server)
    backup_codes(world, report, server)
    mailed_codes(world, report, server)
    devices(world, report, server)
    step_up(world, report, server)
    removal(world, report, server)
    no_way_round(world, report, server)
    recovery(world, report, server)
    at_rest(world, report, server)
    key_rotation(world, report, server)
    clean_up(world, report, server)
    mandatory(world, report)


def enrolment(world, report, server):
    person = world.person(server)
    other = server.client()
    other.log_in(person.email)
    listed = person.get("/auth/mfa").body
    report.equal((listed["enabled"], listed["required"], listed["factors"]), (False, False, []), "an account begins without a second factor")
    answer = person.post("/auth/mfa/setup", {"method": "totp", "name": "phone"})
    secret = answer.body["secret"]
    report.equal(len(base64.b32decode(secret)), 20, "a secret has 160 bits")
    report.equal(answer.headers["Cache-Control"], "no-store", "and goes to no cache")
    report.ok(all(len(c) == 14 and c[4] == c[9] == "-" for c in answer.body["backup_codes"]) and len(set(answer.body["backup_codes"])) == 10,
              "ten backup codes come with it", answer.body["backup_codes"])
    with tempfile.NamedTemporaryFile(suffix=".png") as image:
        image.write(base64.b64decode(answer.body["qr_png"]))
        image.flush()
        read = subprocess.run(["zbarimg", "--quiet", "--raw", image.name], capture_output=True, text=True).stdout.strip()
    report.equal(read, answer.body["uri"], "the QR code says the URI")
    report.ok(secret in answer.body["uri"] and "issuer=Rampart" in answer.body["uri"], "which has secret and issuer", answer.body["uri"])
    report.ok(server.client().log_in(person.email).body.get("access_token"), "a factor that was not confirmed is not asked for")
    wrong = person.post("/auth/mfa/verify", {"totp_code": "000000" if totp(secret) != "000000" else "111111"})
    report.equal((wrong.status, wrong.code), (401, "mfa_refused"), "a wrong code confirms nothing")
    right = person.post("/auth/mfa/verify", {"totp_code": totp(secret)})
    report.equal((right.status, right.body["status"]), (200, "enabled"), "a right one does")
    report.equal((claims_of(right.body["access_token"])["sid"], sorted(claims_of(right.body["access_token"])["amr"])),
                 (claims_of(person.token)["sid"], ["mfa", "otp", "pwd"]), "and answers with the session's next token")
    listed = person.get("/auth/mfa").body
    report.equal((listed["enabled"], [f["method"] for f in listed["factors"]], listed["backup_codes_left"]), (True, ["totp"], 10), "and it is listed")
    report.equal((person.get("/auth/profile").status, other.get("/auth/profile").code), (200, "session_ended"),
                 "sessions from before it end, but for the one that enrolled it")
    report.equal(person.post("/auth/refresh", {"refresh_token": person.refresh}).status, 200, "which is renewed as ever")
    report.equal(server.client().post("/auth/refresh", {"refresh_token": other.refresh}).code, "session_ended", "and the others are not")
    report.equal([t for t, _ in world.mails(server.database, person.email)][-1], "mfa-changed", "a mail tells of it")
    events = {row[0] for row in server.database.query("SELECT event FROM rampart.audit_log WHERE actor = %s AND ip IS NOT NULL AND request_id IS NOT NULL", (person.id,))}
    report.ok({"auth.mfa_setup", "auth.mfa_enabled", "auth.mfa_failed"} <= events, "the log has each step, with whom and from where", events)


def login(world, report, server):
    ada = Enrolled(world, server)
    answer = server.client().log_in(ada.client.email)
    report.equal((answer.body["mfa_required"], answer.body["methods"], answer.cookies()), (True, ["totp", "backup"], {}),
                 "a login asks for the second factor, and gives no token before")
    challenge, code = answer.body["session_id"], totp(ada.secret)
    answer = server.client().post("/auth/mfa", {"session_id": challenge, "totp_code": code})
    report.equal((answer.status, sorted(claims_of(answer.body["access_token"])["amr"])), (200, ["mfa", "otp", "pwd"]), "a code ends it, and the token says how")
    report.ok("__Host-rampart_refresh" in answer.cookies(), "with a refresh token")
    again = server.client().post("/auth/mfa", {"session_id": challenge, "totp_code": code})
    report.equal(again.code, "mfa_session_ended", "a login ends once")
    replayed = server.client().post("/auth/mfa", {"session_id": ada.begin(), "totp_code": code})
    report.equal(replayed.code, "mfa_refused", "a code is taken once, also by another login")
    earlier = server.client().post("/auth/mfa", {"session_id": ada.begin(), "totp_code": totp(ada.secret, -1)})
    report.equal(earlier.code, "mfa_refused", "and no earlier one after it")
    for offset in (-1, 1):
        ada.fresh()
        answer = server.client().post("/auth/mfa", {"session_id": ada.begin(), "totp_code": totp(ada.secret, offset)})
        report.equal((answer.status, answer.body.get("clock_drift_seconds")), (200, offset * STEP), f"a clock that is {offset} step off is taken, and told of")
    for offset in (-2, 2):
        ada.fresh()
        report.equal(server.client().post("/auth/mfa", {"session_id": ada.begin(), "totp_code": totp(ada.secret, offset)}).code, "mfa_refused",
                     f"one that is {offset} steps off is not")
    for body in ({}, {"totp_code": "123456", "email_code": "123456"}, {"totp_code": "12345"}, {"totp_code": 123456}, {"totp_code": "123456", "x": 1}):
        report.equal(server.client().post("/auth/mfa", {"session_id": "x" * 43, **body}).code, "validation_failed", f"refused: {body}")
    report.equal(server.client().post("/auth/mfa", {"session_id": "x" * 43, "totp_code": "123456"}).code, "mfa_session_ended", "a login that was not begun has no end")
    challenge = ada.begin()
    server.database.query("UPDATE rampart_auth.mfa_challenge SET expires_at = now() WHERE account_id = %s AND ended_at IS NULL", (ada.client.id,))
    ada.fresh()
    report.equal(server.client().post("/auth/mfa", {"session_id": challenge, "totp_code": totp(ada.secret)}).code, "mfa_session_ended", "and it does not wait for ever")
    ada.fresh()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        challenges = [ada.begin() for _ in range(16)]
        code = totp(ada.secret)
        unlock(server)
        answers = list(pool.map(lambda c: server.client().post("/auth/mfa", {"session_id": c, "totp_code": code}), challenges))
    report.equal([a.status for a in answers].count(200), 1, "one code at sixteen logins at once opens one")
    unlock(server)


def attempts(world, report, server):
    ada = Enrolled(world, server)
    right = totp(ada.secret)
    wrong = [f"{n:06}" for n in range(100000, 100060) if f"{n:06}" not in (right, totp(ada.secret, 1), totp(ada.secret, -1))][:50]
    challenge = ada.begin()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        codes = [a.code for a in pool.map(lambda c: server.client().post("/auth/mfa", {"session_id": challenge, "totp_code": c}), wrong)]
    report.equal((codes.count("mfa_refused"), codes.count("mfa_refused") + codes.count("mfa_locked")), (5, 50), "of fifty guesses at once five are judged")
    answer = server.client().post("/auth/mfa", {"session_id": ada.begin(), "totp_code": right})
    report.equal((answer.status, answer.code), (429, "mfa_locked"), "then another login of the account is locked as well")
    report.ok(0 < int(answer.headers["Retry-After"]) <= 60, "for a minute", answer.headers["Retry-After"])
    report.equal(server.client().log_in(ada.client.email).status, 200, "the password has its own counter")
    for expected in (120, 240):
        server.database.query("UPDATE rampart_auth.throttle SET locked_until = now() WHERE locked_until IS NOT NULL")
        challenge = ada.begin()
        for code in wrong[:5]:
            last = server.client().post("/auth/mfa", {"session_id": challenge, "totp_code": code})
        wait = int(last.headers["Retry-After"])
        report.ok(expected - 10 <= wait <= expected, f"and each time for longer: {expected} s", wait)
    events = [row[0] for row in server.database.query("SELECT event FROM rampart.audit_log WHERE actor = %s", (ada.client.id,))]
    report.equal((events.count("auth.mfa_failed"), events.count("auth.mfa_lockout")), (15, 3), "each failure and each lock is recorded")
    report.ok("mfa-locked" in [t for t, _ in world.mails(server.database, ada.client.email)], "and its owner gets a mail")
    unlock(server)


def backup_codes(world, report, server):
    ada = Enrolled(world, server)
    code = ada.backup_codes[3]

    def use(typed, challenge=None):
        return server.client().post("/auth/mfa", {"session_id": challenge or ada.begin(), "backup_code": typed})

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = [a.status for a in pool.map(lambda c: use(code, c), [ada.begin() for _ in range(4)])]
    report.equal(sorted(statuses), [200, 401, 401, 401], "a backup code ends one login, of four at once")
    unlock(server)
    report.equal(use(ada.backup_codes[4].lower().replace("-", " ")).status, 200, "also as people type it")
    report.equal(use(ada.backup_codes[5][:10] + "ZZZZ").code, "mfa_refused", "half of one is none")
    report.equal(ada.client.get("/auth/mfa").body["backup_codes_left"], 8, "those that are left are counted")
    report.equal([t for t, _ in world.mails(server.database, ada.client.email)][-1], "mfa-changed", "a mail tells of each that is used")
    renewed = ada.client.post("/auth/mfa/backup-codes").body["backup_codes"]
    report.equal((use(ada.backup_codes[6]).code, use(renewed[0]).status), ("mfa_refused", 200), "a new set replaces the old one")
    report.equal(world.person(server).post("/auth/mfa/backup-codes").code, "mfa_not_set_up", "there are none without a factor")
    unlock(server)


def mailed_code(world, server, email):
    return [data["code"] for template, data in world.mails(server.database, email) if template == "mfa-code"][-1]


def mailed_codes(world, report, server):
    person = world.person(server)
    report.equal(person.post("/auth/mfa/setup", {"method": "email"}).body["method"], "email", "codes by mail are set up")
    report.equal(person.post("/auth/mfa/setup", {"method": "email"}).code, "rate_limited", "once a minute")
    code = mailed_code(world, server, person.email)
    report.ok(len(code) == 6 and code.isdigit(), "they have six digits", code)
    report.equal(person.post("/auth/mfa/verify", {"email_code": "abcdef"}).code, "mfa_refused", "another code confirms nothing")
    report.equal(person.post("/auth/mfa/verify", {"email_code": code}).status, 200, "the mailed one does")
    client = server.client()
    challenge = client.log_in(person.email).body["session_id"]
    report.equal(client.post("/auth/mfa", {"session_id": challenge, "email_code": code}).code, "mfa_refused", "and not a second time")
    report.equal(client.post("/auth/mfa/email", {"session_id": challenge}).status, 202, "a login has a code mailed")
    again = client.post("/auth/mfa/email", {"session_id": challenge})
    report.equal((again.status, int(again.headers["Retry-After"]) > 0), (429, True), "not twice a minute")
    code = mailed_code(world, server, person.email)
    other = client.log_in(person.email).body["session_id"]
    report.equal(client.post("/auth/mfa", {"session_id": other, "email_code": code}).code, "mfa_refused", "it is for that login")
    server.database.query("UPDATE rampart_auth.mfa_challenge SET code_expires_at = now() - interval '1 second'")
    report.equal(client.post("/auth/mfa", {"session_id": challenge, "email_code": code}).code, "mfa_refused", "within ten minutes")
    server.database.query("UPDATE rampart_auth.mfa_challenge SET code_expires_at = now() + interval '1 minute'")
    report.equal(client.post("/auth/mfa", {"session_id": challenge, "email_code": code}).status, 200, "and ends it")
    report.equal(client.post("/auth/mfa/email", {"session_id": challenge}).code, "mfa_session_ended", "an ended login mails nothing")
    ada = Enrolled(world, server)
    report.equal(client.post("/auth/mfa/email", {"session_id": ada.begin()}).code, "mfa_not_set_up", "nor one of an account without codes by mail")
    unlock(server)


def devices(world, report, server):
    ada = Enrolled(world, server)
    trusted, answer = ada.log_in(trust_device=True)
    report.ok("__Host-rampart_device" in answer.cookies() and "Max-Age=1209600" in str(answer.headers), "a device is trusted for 14 days", answer.headers)
    report.ok(trusted.log_in(ada.client.email).body.get("access_token"), "and logs in by password alone")
    report.ok(trusted.log_in(ada.client.email).body.get("access_token"), "again and again")
    report.equal(trusted.post("/auth/mfa/backup-codes").code, "step_up_required", "which proves too little for changes of factors")
    bob = Enrolled(world, server)
    report.ok(trusted.log_in(bob.client.email).body.get("mfa_required"), "it is trusted by its own account only")
    listed = ada.client.get("/auth/mfa/devices").body["items"]
    report.equal((len(listed), listed[0]["user_agent"]), (1, "tests"), "devices are listed")
    report.equal(bob.client.delete(f"/auth/mfa/devices/{listed[0]['id']}").code, "not_found", "for nobody else to revoke")
    report.equal(ada.client.delete(f"/auth/mfa/devices/{listed[0]['id']}").status, 204, "and revoked")
    report.ok(trusted.log_in(ada.client.email).body.get("mfa_required"), "then the factor is asked for")
    new_password = "Other-horse-8-battery"
    for what, path, body, password in (("new backup codes", "/auth/mfa/backup-codes", None, PASSWORD),
                                       ("a password change", "/auth/password/change", {"old_password": PASSWORD, "new_password": new_password}, new_password)):
        trusted, _ = ada.log_in(trust_device=True)
        report.ok(ada.client.post(path, body).status in (200, 204), f"{what}: made")
        report.ok(trusted.log_in(ada.client.email, password).body.get("mfa_required"), f"{what}: trust in devices ends")
    server.database.query("UPDATE rampart_auth.trusted_device SET expires_at = now()")


def step_up(world, report, server):
    ada = Enrolled(world, server)
    session = claims_of(ada.client.token)["sid"]
    org = ada.client.post("/organisations", {"name": "Org of Ada"}).body["id"]
    ada.client.org = org
    key = {"name": "k", "scopes": ["document:read"]}
    server.database.query("UPDATE rampart_auth.session SET proved_at = now() - interval '16 minutes' WHERE id = %s", (session,))
    for path, body in (("/auth/mfa/setup", {"method": "totp"}), ("/auth/mfa/backup-codes", None), ("/api-keys", key)):
        answer = ada.client.post(path, body)
        report.equal((answer.status, answer.code), (403, "step_up_required"), f"an old proof is not enough for {path}")
    report.equal(ada.client.put("/auth/mfa/recovery-email", {"email": "x@example.com"}).code, "step_up_required", "nor for the recovery address")
    begun = ada.client.post("/auth/mfa/step-up", {"password": PASSWORD}).body
    report.ok(begun["mfa_required"] and begun["session_id"], "the factor is asked for, the password alone does not do", begun)
    ada.fresh()
    answer = ada.client.post("/auth/mfa", {"session_id": begun["session_id"], "totp_code": totp(ada.secret)})
    report.equal((answer.status, claims_of(answer.body["access_token"])["sid"], answer.cookies()), (200, session, {}), "it renews the proof of the same session")
    report.equal(ada.client.post("/auth/mfa/backup-codes").status, 200, "and changes are possible")
    created = ada.client.post("/api-keys", key)
    report.equal(created.status, 201, "keys too")
    report.equal(server.client(api_key=created.body["key"]).get("/auth/mfa").code, "forbidden", "an API key knows nothing of factors")
    person = world.person(server)
    server.database.query("UPDATE rampart_auth.session SET proved_at = now() - interval '1 hour' WHERE account_id = %s", (person.id,))
    report.equal(person.post("/auth/mfa/setup", {"method": "totp"}).code, "step_up_required", "enrolling takes a fresh proof as well")
    report.equal(person.post("/auth/mfa/step-up", {"password": "Wrong-horse-7-battery"}).code, "mfa_refused", "a wrong password is none")
    report.equal(person.post("/auth/mfa/step-up", {"password": PASSWORD}).body, {"mfa_required": False}, "without a factor the password is")
    report.equal(person.post("/auth/mfa/setup", {"method": "totp"}).status, 200, "and enrolment goes on")


def removal(world, report, server):
    ada = Enrolled(world, server)
    other, _ = ada.log_in()
    factor = ada.client.get("/auth/mfa").body["factors"][0]["id"]
    bob = Enrolled(world, server)
    report.equal(bob.client.delete(f"/auth/mfa/factors/{factor}").code, "not_found", "nobody removes another's factor")
    report.equal(ada.client.delete(f"/auth/mfa/factors/{factor}").status, 204, "a factor is removed")
    report.equal(other.get("/auth/profile").code, "session_ended", "other sessions end with it")
    report.ok(server.client().log_in(ada.client.email).body.get("access_token"), "logins ask for none then")
    report.equal(ada.client.get("/auth/mfa").body["backup_codes_left"], 0, "backup codes go with the last one")


def no_way_round(world, report, server):
    ada = Enrolled(world, server)
    document = server.client().get("/openapi.json").body
    client = server.client()
    challenge = ada.begin(client)
    opened = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["security"] == []:
                continue
            for headers in ({"Authorization": f"Bearer {challenge}"}, {"Cookie": f"__Host-rampart_access={challenge}"}, {"X-API-Key": challenge}):
                answer = client.request(method.upper(), somewhere(path), headers=headers)
                if answer.status != 401 and answer.code != "csrf_refused":
                    opened.append((method, path, headers, answer))
    report.equal(opened, [], "between password and factor no route opens that asks who is there")
    report.equal(client.post("/auth/refresh", {"refresh_token": challenge}).code, "session_ended", "nothing is to be refreshed")
    client.post("/auth/password/forgot", {"email": ada.client.email})
    reset = client.post("/auth/password/reset", {"token": world.mailed_token(server.database, ada.client.email, "password-reset"),
                                                 "new_password": "Other-horse-8-battery"})
    report.equal((reset.status, reset.cookies()), (204, {}), "resetting the password opens no session")
    report.equal(client.post("/auth/mfa", {"session_id": challenge, "totp_code": totp(ada.secret)}).code, "mfa_session_ended",
                 "and ends logins that began with the old one")
    answer = client.log_in(ada.client.email, "Other-horse-8-battery")
    report.ok(answer.body.get("mfa_required") and "access_token" not in answer.body, "the factor is asked for after it", answer)
    report.equal(client.post("/auth/verify-email/resend", {"email": ada.client.email}).cookies(), {}, "nor does verifying the address")


def recovery(world, report, server):
    ada = Enrolled(world, server)
    database, address = server.database, f"second-{ada.client.id}@example.org"
    report.equal(ada.client.put("/auth/mfa/recovery-email", {"email": ada.client.email}).code, "not_possible", "the recovery address is another one")
    report.equal(ada.client.put("/auth/mfa/recovery-email", {"email": address}).status, 202, "it is named")
    report.equal(server.client().post("/auth/mfa/recovery", {"session_id": ada.begin()}).status, 202, "a recovery is asked for")
    report.equal(world.mailed_token(database, address, "mfa-recovery"), None, "nothing goes to an address that was not verified")
    token = world.mailed_token(database, address, "verify-recovery-email")
    report.equal(server.client().post("/auth/mfa/recovery-email/verify", {"token": token}).status, 204, "its mail's token verifies it")
    report.equal(server.client().post("/auth/mfa/recovery-email/verify", {"token": token}).code, "token_invalid", "once")
    trusted, _ = ada.log_in(trust_device=True)
    report.equal(server.client().post("/auth/mfa/recovery", {"session_id": "x" * 43}).code, "mfa_session_ended", "recovery takes the password first")
    report.equal(server.client().post("/auth/mfa/recovery", {"session_id": ada.begin()}).status, 202, "and is asked for again")
    token = world.mailed_token(database, address, "mfa-recovery")
    report.ok(token, "a token goes to the recovery address")
    report.equal(database.value("SELECT round(extract(epoch FROM expires_at - created_at) / 3600) FROM rampart_auth.mfa_recovery WHERE account_id = %s",
                                (ada.client.id,)), 24, "it lasts a day")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = sorted(a.status for a in pool.map(lambda _: server.client().post("/auth/mfa/recovery/confirm", {"token": token}), range(4)))
    report.equal(statuses, [204, 400, 400, 400], "and works once")
    report.equal((ada.client.get("/auth/profile").code, trusted.get("/auth/profile").code), ("session_ended", "session_ended"), "all sessions end")
    report.equal(database.value("SELECT count(*) FROM rampart_auth.trusted_device WHERE account_id = %s", (ada.client.id,)), 0, "so does trust in devices")
    report.ok(server.client().log_in(ada.client.email).body.get("access_token"), "the factor is off")
    for recipient in (ada.client.email, address):
        report.equal(world.mails(database, recipient)[-1][1]["what"], "the second factor was turned off by recovery", "each address is told")
    waiting = Server(world, database, {"mfa": {"recovery_waiting_hours": 24}}).start()
    bob = Enrolled(world, waiting)
    bob.client.put("/auth/mfa/recovery-email", {"email": "bob-second@example.org"})
    waiting.client().post("/auth/mfa/recovery-email/verify", {"token": world.mailed_token(database, "bob-second@example.org", "verify-recovery-email")})
    waiting.client().post("/auth/mfa/recovery", {"session_id": bob.begin()})
    token = world.mailed_token(database, "bob-second@example.org", "mfa-recovery")
    report.equal(waiting.client().post("/auth/mfa/recovery/confirm", {"token": token}).code, "not_possible", "where there is a waiting time, not before it")
    database.query("UPDATE rampart_auth.mfa_recovery SET usable_from = now()")
    report.equal(waiting.client().post("/auth/mfa/recovery/confirm", {"token": token}).status, 204, "but after it")
    waiting.stop()


def at_rest(world, report, server):
    ada = Enrolled(world, server)
    _, answer = ada.log_in(trust_device=True)
    challenge = ada.begin()
    dump = subprocess.run([os.path.join(os.environ["RAMPART_BIN"], "pg_dump"), world.cluster.dsn(database=server.database.name)],
                          capture_output=True, text=True, check=True).stdout
    secret = base64.b32decode(ada.secret)
    secrets = [ada.secret, secret.hex(), base64.b64encode(secret).decode(), challenge, answer.cookies()["__Host-rampart_device"], *ada.backup_codes,
               *(code.replace("-", "") for code in ada.backup_codes)]
    report.equal([s for s in secrets if s in dump], [], "a dump has no secret, code, challenge or device in the clear")
    selectors = [f"{code[:4]}\t" for code in ada.backup_codes] + [code[:4].encode().hex() for code in ada.backup_codes]
    rows = [line for line in dump.splitlines() if line.startswith(f"{ada.client.id}\t\\\\x") and "$2" in line]
    report.equal((len(rows), [s for s in selectors for row in rows if s in row]), (10, []), "nor the group that a backup code is found by")
    report.equal([s for s in secrets if s in server.log() or s in world.cluster.log()], [], "nor have the logs")


def key_rotation(world, report, server):
    """New keys for scope mfa, and secrets encrypted anew, one rotation after the other while people log in."""
    people = [Enrolled(world, server) for _ in range(3)]
    mailed = world.person(server)
    mailed.post("/auth/mfa/setup", {"method": "email"})
    mailed.post("/auth/mfa/verify", {"email_code": mailed_code(world, server, mailed.email)})
    challenge = mailed.log_in(mailed.email).body["session_id"]
    mailed.post("/auth/mfa/email", {"session_id": challenge})
    unlock(server)
    rotations = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        logins = [pool.submit(lambda p: [p.log_in()[1].status for _ in range(4)], person) for person in people]
        while rotations == 0 or not all(login.done() for login in logins):
            rotation = server.database.value("SELECT rampart.start_rotation('mfa')")
            server.database.query("CALL rampart.run_rotation(%s)", (rotation,))
            rotations += 1
        report.equal([status for login in logins for status in login.result()], [200] * 12, f"{rotations} rotations of their key fail no login")
    people[0].fresh()
    report.equal(people[0].log_in()[1].status, 200, "nor one after them")
    answer = server.client().post("/auth/mfa", {"session_id": people[0].begin(), "backup_code": people[0].backup_codes[0]})
    report.equal(answer.status, 200, "nor one by a backup code from before")
    answer = mailed.post("/auth/mfa", {"session_id": challenge, "email_code": mailed_code(world, server, mailed.email)})
    report.equal(answer.status, 200, "nor one by a code that was sent before")


EXPIRING = {  # what clean_up removes: the kind, and a row that expires at a moment
    "mfa_challenge": "INSERT INTO rampart_auth.mfa_challenge (hash, account_id, expires_at) VALUES (sha256(%(name)s), %(account)s, %(moment)s)",
    "trusted_device": "INSERT INTO rampart_auth.trusted_device (hash, account_id, expires_at) VALUES (sha256(%(name)s), %(account)s, %(moment)s)",
    "mfa_recovery": "INSERT INTO rampart_auth.mfa_recovery (hash, account_id, usable_from, expires_at) VALUES (sha256(%(name)s), %(account)s, now(), %(moment)s)",
    "mfa_factor": "INSERT INTO rampart_auth.mfa_factor (account_id, method, created_at) VALUES (%(account)s, 'email', %(moment)s - interval '1 day')",
    "mfa_recovery_address": "INSERT INTO rampart_auth.mfa_recovery_address (account_id, email, token_hash, expires_at) VALUES (%(account)s, 'x@example.org', sha256(%(name)s), %(moment)s)",
}


def clean_up(world, report, server):
    """What has expired goes, and nothing else; by one server at a time."""
    database = server.database
    ada = Enrolled(world, server)
    ada.log_in(trust_device=True)
    ada.begin()
    ada.client.put("/auth/mfa/recovery-email", {"email": f"kept-{ada.client.id}@example.org"})
    server.client().post("/auth/mfa/recovery-email/verify", {"token": world.mailed_token(database, f"kept-{ada.client.id}@example.org", "verify-recovery-email")})

    def rows():
        return {table: {row for row, in database.query(f"SELECT md5(t::text) FROM rampart_auth.{table} t")} for table in (*EXPIRING, "mfa_backup_code")}

    database.query("SELECT rampart_auth.clean_up()")
    for table, insert in EXPIRING.items():
        _, other = world.account(server)
        database.query(insert, {"name": f"new {table}".encode(), "account": other, "moment": datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)}, "observer")
    kept = rows()
    report.ok(all(kept.values()), "of each kind something is there", kept)
    for table, insert in EXPIRING.items():
        _, other = world.account(server)
        database.query(insert, {"name": f"old {table}".encode(), "account": other, "moment": datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)}, "observer")
    old = rows()
    report.equal([table for table in EXPIRING if len(old[table]) != len(kept[table]) + 1], [], "of each kind something has expired")
    with contextlib.closing(database.connect("postgres")) as another:
        on(another, "SELECT pg_advisory_lock(hashtext('rampart_auth.clean_up'))")
        database.query("SELECT rampart_auth.clean_up()", user="rampartd")
        report.equal(rows(), old, "while one server cleans up, another leaves it to that")
    database.query("SELECT rampart_auth.clean_up()", user="rampartd")
    left = rows()
    report.equal([table for table in left if left[table] != kept[table]], [], "what has expired is removed, and nothing else")


def mandatory(world, report):
    server = Server(world, world.database("mandatory")).start()
    database, admin = server.database, world.admin(server)
    report.equal({r["role"]: r["grace_days"] for r in admin.get("/admin/mfa/requirements").body["items"]}, {"SUPER_ADMIN": 7, "ADMIN": 7},
                 "administrators need a second factor, after a week")
    report.ok(admin.get("/auth/mfa").body["grace_ends_at"], "their first login begins the week")
    report.equal([g["account"] for g in admin.get("/admin/mfa/grace").body["items"]], [admin.id], "who is in it is listed")
    report.equal(admin.post(f"/admin/users/{admin.id}/mfa/grace").code, "not_possible", "nobody grants themselves more time")
    database.query("UPDATE rampart_auth.mfa_grace SET ends_at = now() + interval '3 seconds'")
    admin.log_in(admin.email)
    claims = claims_of(admin.token)
    report.ok(claims["exp"] - claims["iat"] <= 3, "a token does not outlast the grace period", claims)
    report.equal(admin.get("/admin/users").status, 200, "within it all is as ever")
    time.sleep(3.1)
    admin.log_in(admin.email)
    report.equal(claims_of(admin.token)["roles"], ["MFA_REQUIRED"], "after it a session has no role")
    document, refused = server.client().get("/openapi.json").body, []
    enrolling = {"logOut", "whoAmI", "listFactors", "setUpFactor", "confirmFactor", "stepUp", "renewBackupCodes", "beginRegistration", "finishRegistration"}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["security"] and operation["operationId"] not in enrolling:
                answer = admin.request(method.upper(), somewhere(path))
                if answer.code != "mfa_enrolment_required":
                    refused.append((method, path, answer))
    report.equal(refused, [], "and may do nothing but enrol")
    factor = Enrolled(world, server, admin)
    report.equal(admin.get("/admin/users").code, "mfa_enrolment_required", "its old token stays what it was")
    token = factor.confirmed.body["access_token"]
    report.equal((server.client(token=token).get("/admin/users").status, claims_of(token)["roles"]), (200, ["SUPER_ADMIN"]), "the answer to the enrolment has one with the roles")
    factor.fresh()
    again, answer = factor.log_in()
    report.equal((answer.status, again.get("/admin/users").status), (200, 200), "with a factor all is possible again")
    own = again.get("/auth/mfa").body["factors"][0]["id"]
    report.equal(again.delete(f"/auth/mfa/factors/{own}").code, "not_possible", "the last factor stays while a role demands one")
    administration(world, report, server, again)
    server.stop()


def administration(world, report, server, admin):
    ada = Enrolled(world, server)
    path = f"/admin/users/{ada.client.id}/mfa/disable"
    report.equal(admin.post(f"/admin/users/{admin.id}/mfa/disable", {"reason": "mine"}).code, "not_possible", "nobody forces off their own factor")
    report.equal(ada.client.post(path, {"reason": "x"}).code, "forbidden", "only administrators do")
    report.equal((admin.post(path, {"reason": ""}).code, admin.post(path, {}).code), ("validation_failed", "validation_failed"), "with a reason")
    report.equal(admin.post(path, {"reason": "Lost her phone; identity checked by call"}).status, 204, "an administrator turns a factor off")
    report.equal(ada.client.get("/auth/profile").code, "session_ended", "sessions end")
    report.ok(server.client().log_in(ada.client.email).body.get("access_token"), "logins ask for none")
    reason = server.database.value("SELECT metadata ->> 'reason' FROM rampart.audit_log WHERE event = 'auth.mfa_force_disabled' AND actor = %s", (admin.id,))
    report.equal(reason, "Lost her phone; identity checked by call", "the reason stands in the log")
    report.equal(admin.post(path, {"reason": "again"}).code, "not_found", "there is nothing to turn off twice")
    bob = Enrolled(world, server)
    metrics = admin.get("/admin/mfa/metrics").body
    report.equal((metrics["enrolled"], metrics["by_method"], metrics["by_role"]),
                 (2, [{"method": "totp", "accounts": 2}], [{"role": "SUPER_ADMIN", "accounts": 1, "enrolled": 1}]), "adoption is counted")
    org, members = world.organisation(server, "MEMBER")
    member = members["MEMBER"]
    report.equal(admin.put("/admin/mfa/requirements", {"role": "MEMBER", "grace_days": 0}).status, 200, "a requirement is made")
    report.equal(member.get(f"/organisations/{org}").code in ("forbidden", "mfa_enrolment_required"), True, "and holds at once for who is logged in")
    report.equal(admin.put("/admin/mfa/requirements", {"role": "MEMBER", "grace_days": 30}).status, 200, "it gets a grace period")
    reset = admin.post(f"/admin/users/{member.id}/mfa/grace")
    report.equal(reset.status, 200, "which is begun anew for somebody")
    member.log_in(member.email, organisation=org)
    report.equal(claims_of(member.token)["roles"], ["MEMBER"], "who can work until then")
    report.equal(admin.put("/admin/mfa/requirements", {"role": "MEMBER", "grace_days": None}).status, 200, "a requirement is dropped")
    report.equal(server.client().log_in(bob.client.email).body["mfa_required"], True, "which turns nobody's factor off")
    server.database.query("UPDATE rampart_auth.session SET proved_at = now() - interval '1 hour'")
    report.equal(admin.put("/admin/mfa/requirements", {"role": "MEMBER", "grace_days": 1}).code, "step_up_required", "administration takes a fresh proof")
