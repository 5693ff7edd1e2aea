"""Codes by SMS: a fallback beside another factor, with the limits of mailed codes; and their way to a provider's hook, signed."""
import concurrent.futures
import os
import re
import secrets
import signal
import subprocess
import time

from mail import Mailer, Outbox, certified
from mfa import Enrolled, totp, unlock
from sms_hook import PATH, SECRET, Hook
from world import PROGRAM, claims_of


def number():
    return "+1202555" + f"{secrets.randbelow(10000):04}"


def settle(server):
    """As if the minute that is between two codes were over."""
    server.database.query("UPDATE rampart_auth.throttle SET last_failure = now() - interval '61 seconds' WHERE last_failure > '-infinity'")


class WithPhone(Enrolled):
    """A person with an authenticator app and a phone."""

    def __init__(self, world, server, hook):
        super().__init__(world, server)
        self.hook, self.phone = hook, number()
        self.set_up = self.client.post("/auth/mfa/setup", {"method": "sms", "phone": self.phone})
        assert self.set_up.status == 200, self.set_up
        self.setup_code = hook.code(self.phone)
        self.enabled = self.client.post("/auth/mfa/verify", {"sms_code": self.setup_code})
        assert self.enabled.status == 200, self.enabled

    def ask(self, challenge=None):
        """(challenge, code) of a login."""
        challenge = challenge or self.begin()
        answer = self.server.client().post("/auth/mfa/sms", {"session_id": challenge})
        assert answer.status == 202, answer
        return challenge, self.hook.code(self.phone)

    def answer(self, challenge, **code):
        return self.server.client().post("/auth/mfa", {"session_id": challenge, **code})


def check(world, report):
    off_by_default(world, report)
    database = world.database("sms")
    with Hook() as hook, Mailer(world, database, {"sms": hook.settings, "log": {"level": "trace"}}) as server:
        is_set_up(world, report, server, hook)
        is_no_first_factor(world, report, server, hook)
        logs_in(world, report, server, hook)
        is_limited(world, report, server, hook)
        goes_with_the_other(world, report, server, hook)
        is_administered(world, report, server, hook)
        stays_secret(world, report, server, hook)
        reaches_some(world, report, database, hook)
    outbox = Outbox(database, "sms")

    def sender(hook, **others):
        return Mailer(world, database, {"sms": {**hook.settings, **others}, "log": {"level": "trace"}})

    for part in (arrives, is_tried_again, is_given_up, follows_nobody, needs_tls, waits_for_nobody, survives_a_crash, expires, is_checked):
        outbox.clear()
        part(report, outbox, sender)


def reaches_some(world, report, database, hook):
    with Mailer(world, database, {"sms": {**hook.settings, "prefixes": ["+41", "+1202"]}}) as server:
        ada = Enrolled(world, server)
        answers = [ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": phone}) for phone in ("+4930123456", "+12125550123", "+12025550199")]
        report.equal([answer.status for answer in answers], [422, 422, 200], "numbers are taken by what they begin with")
        report.ok(answers[0].body["errors"][0]["pointer"] == "/phone" and b"+4930" not in answers[0].raw, "and those that are not are told so", answers[0])


# Between user and server -----------------------------------------------------------------------------------------------

def off_by_default(world, report):
    server = world.server
    ada = Enrolled(world, server)
    answer = ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": number()})
    report.equal((answer.status, answer.code), (422, "not_possible"), "without a hook there are no codes by SMS")
    server.database.query("INSERT INTO rampart_auth.mfa_factor (account_id, method, phone, confirmed_at) VALUES (%s, 'sms', %s, now())", (ada.client.id, number()), "observer")
    answer = server.client().log_in(ada.client.email)
    report.equal(answer.body["methods"], ["totp", "backup"], "nor are they offered to whoever has set them up before")
    report.equal(server.client().post("/auth/mfa/sms", {"session_id": answer.body["session_id"]}).code, "mfa_not_set_up", "or sent")
    report.equal(server.database.value("SELECT count(*) FROM rampart_auth.outbox WHERE channel = 'sms'"), 0, "and nothing waits to be")


def is_set_up(world, report, server, hook):
    person = world.person(server)
    answer = person.post("/auth/mfa/setup", {"method": "sms", "phone": number()})
    report.equal((answer.status, answer.code), (422, "not_possible"), "codes by SMS are nobody's first factor")
    ada = Enrolled(world, server)
    for phone in ("12025550123", "+02025550123", "+1 202 5550123", "+120255", "+1202555012345678", "+1202555012a", ""):
        report.equal(ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": phone}).code, "validation_failed", f"no number: {phone!r}")
    for body in ({"method": "sms"}, {"method": "totp", "phone": number()}, {"method": "email", "phone": number()}):
        report.equal(ada.client.post("/auth/mfa/setup", body).code, "validation_failed", f"a number goes with SMS and with nothing else: {body['method']}")
    report.equal(hook.posts, [], "of which the hook hears nothing")
    phone = number()
    set_up = ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": phone})
    report.equal(set_up.body, {"method": "sms", "phone": "*" * 10 + phone[-2:]}, "a number is named, shown masked, and no backup codes come with it")
    report.equal(ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": number()}).code, "rate_limited", "once a minute")
    report.equal(ada.client.post("/auth/mfa/setup", {"method": "email"}).code, "rate_limited", "by whichever way the code goes")
    code = hook.code(phone)
    report.equal(server.client().log_in(ada.client.email).body["methods"], ["totp", "backup"], "before it is confirmed it is not offered")
    other = server.client(token=ada.log_in()[1].body["access_token"])
    report.equal(other.post("/auth/mfa/verify", {"sms_code": code}).code, "mfa_refused", "another session does not confirm it")
    report.equal(ada.client.post("/auth/mfa/verify", {"email_code": code}).code, "mfa_refused", "nor does its code as a mailed one")
    report.equal(ada.client.post("/auth/mfa/verify", {"sms_code": "000000" if code != "000000" else "111111"}).code, "mfa_refused", "nor another code")
    confirmed = ada.client.post("/auth/mfa/verify", {"sms_code": code})
    report.equal((confirmed.status, confirmed.body["status"], "sms" in claims_of(confirmed.body["access_token"])["amr"]), (200, "enabled", True), "its code does")
    report.equal(ada.client.post("/auth/mfa/verify", {"sms_code": code}).code, "mfa_refused", "once")
    listed = ada.client.get("/auth/mfa").body["factors"]
    report.equal([(f["method"], f["phone"]) for f in listed], [("totp", None), ("sms", "*" * 10 + phone[-2:])], "it is listed, masked")
    report.equal(other.get("/auth/profile").code, "session_ended", "other sessions end")
    report.equal([t for t, _ in world.mails(server.database, ada.client.email)][-1], "mfa-changed", "a mail tells of it")
    events = {(event, method) for event, method in server.database.query("SELECT event, metadata ->> 'method' FROM rampart.audit_log WHERE actor = %s", (ada.client.id,))}
    report.ok({("auth.mfa_setup", "sms"), ("auth.mfa_code_sent", "sms"), ("auth.mfa_enabled", "sms"), ("auth.mfa_failed", "sms")} <= events, "the log has each step", events)
    another = number()
    report.equal(ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": another}).status, 200, "another number can be named")
    report.equal(ada.client.post("/auth/mfa/verify", {"sms_code": hook.code(another)}).status, 200, "confirmed")
    listed = ada.client.get("/auth/mfa").body["factors"]
    report.equal([f["phone"] for f in listed if f["method"] == "sms"], ["*" * 10 + another[-2:]], "and takes the place of the first")
    unlock(server)


def is_no_first_factor(world, report, server, hook):
    """Not even where the other factor goes while the number is being confirmed."""
    ada = Enrolled(world, server)
    phone = number()
    ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": phone})
    code = hook.code(phone)
    factor = ada.client.get("/auth/mfa").body["factors"][0]["id"]
    report.equal(ada.client.delete(f"/auth/mfa/factors/{factor}").status, 204, "the other factor is removed before the number is confirmed")
    report.equal(ada.client.post("/auth/mfa/verify", {"sms_code": code}).code, "mfa_refused", "then the number is not")
    for _ in range(3):
        ada = Enrolled(world, server)
        phone = number()
        ada.client.post("/auth/mfa/setup", {"method": "sms", "phone": phone})
        code = hook.code(phone)
        factor = ada.client.get("/auth/mfa").body["factors"][0]["id"]
        clients = [server.client(token=ada.client.token) for _ in range(2)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            confirming = pool.submit(clients[0].post, "/auth/mfa/verify", {"sms_code": code})
            removing = pool.submit(clients[1].delete, f"/auth/mfa/factors/{factor}")
            statuses = confirming.result().status, removing.result().status
        left = server.database.query("SELECT method FROM rampart_auth.mfa_factor WHERE account_id = %s AND confirmed_at IS NOT NULL", (ada.client.id,))
        report.ok(("sms",) not in left or ("totp",) in left, "nor if both happen at once", f"{statuses} {left}")
    unlock(server)


def logs_in(world, report, server, hook):
    ada = WithPhone(world, server, hook)
    challenge = ada.begin()
    answer = server.client().log_in(ada.client.email)
    report.equal(answer.body["methods"], ["totp", "backup", "sms"], "at a login they are offered last")
    report.equal(ada.answer(challenge, sms_code=ada.setup_code).code, "mfa_refused", "the code that confirmed the number is worth nothing more")
    _, code = ada.ask(challenge)
    again = server.client().post("/auth/mfa/sms", {"session_id": challenge})
    report.equal((again.status, 0 < int(again.headers["Retry-After"]) <= 60), (429, True), "a code is sent, once a minute")
    other = ada.begin()
    report.equal(server.client().post("/auth/mfa/sms", {"session_id": other}).code, "rate_limited", "for the account, not for each login")
    report.equal(ada.answer(other, sms_code=code).code, "mfa_refused", "a code is for its login")
    report.equal(ada.answer(challenge, email_code=code).code, "mfa_refused", "and for its method")
    server.database.query("UPDATE rampart_auth.mfa_challenge SET code_expires_at = now() - interval '1 second'")
    report.equal(ada.answer(challenge, sms_code=code).code, "mfa_refused", "and for ten minutes")
    left = server.database.value("SELECT max(expires_at - created_at) FROM rampart_auth.outbox WHERE channel = 'sms'")
    report.equal(left.total_seconds(), 600, "which are ten")
    server.database.query("UPDATE rampart_auth.mfa_challenge SET code_expires_at = now() + interval '1 minute'")
    ended = ada.answer(challenge, sms_code=code)
    report.equal((ended.status, sorted(claims_of(ended.body["access_token"])["amr"])), (200, ["mfa", "pwd", "sms"]), "it ends the login, and the token says how")
    report.equal(ada.answer(challenge, sms_code=code).code, "mfa_session_ended", "once")
    report.equal(ada.answer(ada.begin(), sms_code=code).code, "mfa_refused", "at no other login either")
    report.equal(server.client().post("/auth/mfa/sms", {"session_id": challenge}).code, "mfa_session_ended", "an ended login has none sent")
    report.equal(server.client().post("/auth/mfa/sms", {"session_id": "x" * 43}).code, "mfa_session_ended", "nor has one that was not begun")
    bob = Enrolled(world, server)
    report.equal(server.client().post("/auth/mfa/sms", {"session_id": bob.begin()}).code, "mfa_not_set_up", "nor an account without a number")
    report.equal(hook.posts, [], "of which the hook hears nothing")
    server.database.query("UPDATE rampart_auth.session SET proved_at = now() - interval '1 hour' WHERE account_id = %s", (ada.client.id,))
    begun = ada.client.post("/auth/mfa/step-up", {}).body
    report.equal(begun["methods"], ["totp", "backup", "sms"], "a step-up offers them last as well")
    unlock(server)


def is_limited(world, report, server, hook):
    ada = WithPhone(world, server, hook)
    challenge = ada.begin()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = [a.status for a in pool.map(lambda _: server.client().post("/auth/mfa/sms", {"session_id": challenge}), range(8))]
    report.equal(sorted(statuses), [202] + [429] * 7, "of eight requests at once one has a code sent")
    right = hook.code(ada.phone)
    codes = [ada.answer(challenge, sms_code=f"{(int(right) + n) % 1000000:06}").code for n in range(1, 6)]
    report.equal((codes, ada.answer(challenge, sms_code=right).code), (["mfa_refused"] * 5, "mfa_locked"), "five wrong codes lock, also for the right one")
    unlock(server)
    report.equal(ada.answer(challenge, sms_code=right).code, "mfa_session_ended", "and that login takes none any more")
    sent = 0
    for _ in range(12):
        settle(server)
        last = server.client().post("/auth/mfa/sms", {"session_id": ada.begin()})
        sent += last.status == 202
    report.ok(sent == 10 and last.status == 429 and int(last.headers["Retry-After"]) > 3000, "ten codes that nobody enters are the most, for an hour", f"{sent} {last}")
    hook.wait(sent)
    hook.posts.clear()
    ada.fresh()
    report.equal(ada.log_in()[1].status, 200, "other factors go on")
    unlock(server)


def goes_with_the_other(world, report, server, hook):
    ada = WithPhone(world, server, hook)
    factors = {f["method"]: f["id"] for f in ada.client.get("/auth/mfa").body["factors"]}
    report.equal(ada.client.delete(f"/auth/mfa/factors/{factors['sms']}").status, 204, "the number is removed")
    report.equal(server.client().log_in(ada.client.email).body["methods"], ["totp", "backup"], "and not offered any more")
    report.equal(server.database.value("SELECT count(*) FROM rampart_auth.mfa_factor WHERE account_id = %s AND phone IS NOT NULL", (ada.client.id,)), 0, "nor kept")
    report.equal(world.mails(server.database, ada.client.email)[-1][1]["what"], "a second factor was removed", "a mail tells of it")
    bob = WithPhone(world, server, hook)
    factors = {f["method"]: f["id"] for f in bob.client.get("/auth/mfa").body["factors"]}
    report.equal(bob.client.delete(f"/auth/mfa/factors/{factors['totp']}").status, 204, "with the last other factor")
    report.equal(bob.client.get("/auth/mfa").body["factors"], [], "the number goes")
    report.ok(server.client().log_in(bob.client.email).body.get("access_token"), "so that it is never asked for alone")
    eve = WithPhone(world, server, hook)
    server.database.query("INSERT INTO rampart_auth.mfa_requirement VALUES ('MEMBER', '7 days')")
    eve.client.post("/organisations", {"name": "Org of Eve"})
    server.database.query("UPDATE rampart_auth.membership SET role = 'MEMBER' WHERE account_id = %s", (eve.client.id,))
    factors = {f["method"]: f["id"] for f in eve.client.get("/auth/mfa").body["factors"]}
    report.equal(eve.client.delete(f"/auth/mfa/factors/{factors['totp']}").code, "not_possible", "where a role demands a factor, a number does not do")
    report.equal(eve.client.delete(f"/auth/mfa/factors/{factors['sms']}").status, 204, "and can go")
    server.database.query("DELETE FROM rampart_auth.mfa_requirement WHERE role = 'MEMBER'")


def is_administered(world, report, server, hook):
    late = world.admin(server)
    server.database.query("UPDATE rampart_auth.mfa_grace SET ends_at = now()")
    late.log_in(late.email)
    report.equal((late.get("/admin/users").code, late.post("/auth/mfa/setup", {"method": "sms", "phone": number()}).code),
                 ("mfa_enrolment_required", "not_possible"), "whoever has to enrol a factor does not get by with a number")
    enrolled = Enrolled(world, server, late)
    admin = server.client(token=enrolled.confirmed.body["access_token"])
    ada = WithPhone(world, server, hook)
    methods = {m["method"]: m["accounts"] for m in admin.get("/admin/mfa/metrics").body["by_method"]}
    kept = server.database.value("SELECT count(DISTINCT account_id) FROM rampart_auth.mfa_factor WHERE method = 'sms' AND confirmed_at IS NOT NULL")
    report.equal((methods["sms"], kept > 0), (kept, True), "adoption counts them")
    report.equal(admin.post(f"/admin/users/{ada.client.id}/mfa/disable", {"reason": "lost"}).status, 204, "an administrator's reset")
    report.equal(server.database.value("SELECT count(*) FROM rampart_auth.mfa_factor WHERE account_id = %s", (ada.client.id,)), 0, "takes the number too")


def stays_secret(world, report, server, hook):
    ada = WithPhone(world, server, hook)
    hook.answers += [500]
    waiting = ada.begin()
    server.client().post("/auth/mfa/sms", {"session_id": waiting})
    code = hook.code(ada.phone)
    dump = subprocess.run([os.path.join(os.environ["RAMPART_BIN"], "pg_dump"), world.cluster.dsn(database=server.database.name)],
                          capture_output=True, text=True, check=True).stdout
    log, database_log = server.log(), world.cluster.log()
    report.ok("sms_sent" in log and "sms_not_sent" in log, "SMS were sent and refused at the most talkative log level", log[-500:])
    for where, text in (("the server's log", log), ("PostgreSQL's log", database_log), ("a dump while one waits", dump)):
        found = [what for what, value in (("number", ada.phone), ("number", ada.phone[1:]), ("secret", SECRET), ("secret", SECRET.removeprefix("whsec_")),
                                          ("URL", PATH)) if value in text]
        found += ["code" for one in (code, ada.setup_code) if re.search(rf"(?<![\w.]){one}(?![\w.:+-])", text)]
        report.equal(found, [], f"{where} has neither number, code, secret nor URL")


# Between server and hook -----------------------------------------------------------------------------------------------

def add(outbox, phone="+12025550123", code="123456", lifetime="10 minutes"):
    return outbox.add(phone, "sms-code", lifetime, code=code, minutes=10)


def arrives(report, outbox, sender):
    with Hook() as hook, sender(hook):
        identity = add(outbox)
        hook.wait(1)
        row = outbox.settled(identity)
        post = hook.posts[0]
        report.equal((post["to"], post["type"], post["content"], post["path"]), ("+12025550123", "sms-code", "application/json", PATH), "a hook is posted an SMS")
        report.ok(post["text"].startswith("123456 is your code for Rampart. It works once, for 10 minutes."), "with its text", post["text"])
        report.equal((post["good"], post["id"]), (True, identity), "signed, under its id")
        report.equal(row, {"attempts": 1, "sent": True, "failed": False, "error": "", "wiped": True}, "number and code are wiped once it is taken")
        outbox.database.query("SET ROLE rampart_auth; SELECT rampart_auth.enqueue('sms', '+12025550' || 200 + i, 'sms-code', '{\"code\": \"1\", \"minutes\": 10}', NULL) FROM generate_series(0, 49) i")
        with sender(hook):
            hook.wait(51)
        report.equal((len(hook.posts), len({p["to"] for p in hook.posts}), all(p["good"] for p in hook.posts)), (51, 51, True), "two servers on one outbox post each of fifty once")


def is_tried_again(report, outbox, sender):
    with Hook() as hook, sender(hook):
        for status in (500, 503, 429, 401, 404):
            hook.posts.clear()
            hook.answers = [status]
            identity = add(outbox)
            row = outbox.settled(identity)
            report.equal(row, {"attempts": 1, "sent": False, "failed": False, "error": f"the hook said {status}", "wiped": False}, f"{status}: the SMS waits")
            pause = outbox.database.value("SELECT next_attempt_at - now() BETWEEN '20 seconds' AND '30 seconds' FROM rampart_auth.outbox WHERE id = %s", (identity,))
            report.ok(pause, f"{status}: for half a minute")
            outbox.retry_now()
            row = outbox.wait(identity, lambda row: row["sent"])
            report.equal((row["attempts"], [(p["id"], p["good"]) for p in hook.posts]), (2, [(identity, True)] * 2), f"{status}: then it is posted again, under the same id")


def is_given_up(report, outbox, sender):
    with Hook() as hook, sender(hook):
        for status in (400, 422):
            hook.answers = [status]
            identity = add(outbox)
            row = outbox.settled(identity)
            report.equal(row, {"attempts": 1, "sent": False, "failed": True, "error": f"the hook said {status}", "wiped": True}, f"{status}: the SMS is given up and wiped")
            event = outbox.database.query("SELECT metadata FROM rampart.audit_log WHERE event = 'sms.failed' AND metadata ->> 'sms' = %s", (identity,))
            report.equal(event, [({"sms": identity, "template": "sms-code", "attempts": 1, "reason": f"the hook said {status}", "may_have_arrived": False},)],
                         f"{status}: the audit log says so")
        identity = add(outbox)
        report.ok(outbox.settled(identity)["sent"], "which stops no other")


def follows_nobody(report, outbox, sender):
    with Hook() as elsewhere, Hook() as hook, sender(hook):
        def redirect(handler):
            handler.send_response(307)
            handler.send_header("Location", elsewhere.url)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        hook.answers = [redirect]
        row = outbox.settled(add(outbox))
        report.equal((row["error"], row["sent"]), ("the hook said 307", False), "a redirect is not taken for an answer")
        time.sleep(0.3)
        report.equal(elsewhere.posts, [], "and not followed")


def needs_tls(report, outbox, sender):
    good, other = certified(outbox, "hook-good"), certified(outbox, "hook-other", "other.example")
    with Hook(tls=good) as hook:
        with sender(hook, ca_file=good[0]):
            report.ok(outbox.settled(add(outbox))["sent"] and hook.posts[0]["good"], "over TLS, of an authority of one's own")
        hook.posts.clear()
        for what, ca in (("an authority that is not trusted", other[0]), ("the system's authorities", "")):
            with sender(hook, ca_file=ca):
                row = outbox.settled(add(outbox))
                report.ok(row["error"] and not row["sent"] and not row["failed"] and not hook.posts, f"{what}: nothing is posted", row)
    with Hook(tls=other) as hook, sender(hook, ca_file=other[0]):
        row = outbox.settled(add(outbox))
        report.ok(row["error"] and not row["sent"] and not hook.posts, "another host's certificate: nothing is posted", row)


def waits_for_nobody(report, outbox, sender):
    with Hook() as hook, sender(hook) as server:
        def hang(handler):
            time.sleep(4)

        def trickle(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(40):
                handler.wfile.write(b"x")
                time.sleep(0.1)

        def flood(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(1000):
                handler.wfile.write(b"x" * 100_000)

        for what, answer in (("does not answer", hang), ("answers a byte at a time", trickle)):
            hook.answers = [answer]
            started = time.monotonic()
            identity = add(outbox)
            hook.wait(1)
            asked = time.monotonic()
            report.ok(server.ready() and time.monotonic() - asked < 1, f"while a hook {what}, requests are answered")
            row = outbox.settled(identity)
            report.ok(row["error"] and not row["sent"] and time.monotonic() - started < 6, f"a hook that {what} is cut off, and asked again later", row)
            hook.posts.clear()
        hook.answers = [flood]
        outbox.clear()
        started = time.monotonic()
        row = outbox.settled(add(outbox))
        report.ok(row["sent"] and time.monotonic() - started < 2, "an answer without end is read no further", row)
        hook.answers = [hang]
        add(outbox)
        hook.wait(2)
        started = time.monotonic()
        server.stop()
        report.ok(time.monotonic() - started < 3, "a server that is stopped while a hook hangs stops")


def survives_a_crash(report, outbox, sender):
    with Hook() as hook:
        hook.answers = [lambda handler: time.sleep(3)]
        with sender(hook, total_seconds=60) as server:
            identity = add(outbox)
            hook.wait(1)
            server.stop(signal.SIGKILL)
        with sender(hook):
            time.sleep(0.5)
            report.equal(len(hook.posts), 1, "killed while a hook is asked: nobody else touches the SMS while the lease lasts")
            outbox.retry_now()
            row = outbox.wait(identity, lambda row: row["sent"] or row["failed"])
            report.equal((row["sent"], [p["id"] for p in hook.posts]), (True, [identity] * 2), "then another posts it, under the id by which the hook knows it")


def expires(report, outbox, sender):
    with Hook() as hook, sender(hook):
        hook.answers = [500]
        identity = add(outbox)
        outbox.settled(identity)
        outbox.database.query("UPDATE rampart_auth.outbox SET expires_at = now()")
        outbox.retry_now()
        row = outbox.wait(identity, lambda row: row["failed"])
        report.equal((row["failed"], row["wiped"], row["error"], len(hook.posts)), (True, True, "expired; before: the hook said 500", 1), "a code that has expired is not sent any more")


def is_checked(report, outbox, sender):
    directory = outbox.directory
    files = {"empty": "", "good": SECRET + "\n", "open": SECRET}
    for name, text in files.items():
        files[name] = os.path.join(directory, f"sms-{name}.secret")
        with open(files[name], "w") as f:
            f.write(text)
        os.chmod(files[name], 0o644 if name == "open" else 0o600)

    def output(**others):
        server = sender(hook, **others)
        done = subprocess.run([PROGRAM, "-c", server.file, "check"], capture_output=True, text=True)
        report.ok(SECRET not in done.stdout + done.stderr and "a-key-in" not in done.stdout + done.stderr, "rampartd check quotes neither secret nor URL")
        return done

    with Hook() as hook:
        for what, pattern, others in (
                ("a URL that is none", "sms.hook_url: is no URL", {"hook_url": "sms.example.com"}),
                ("another protocol", "sms.hook_url: is no URL", {"hook_url": "ftp://sms.example.com/a-key-in"}),
                ("a user in the URL", "sms.hook_url: has a user", {"hook_url": "https://a:a-key-in@sms.example.com/"}),
                ("http to another machine", "sms.hook_url: has to be https", {"hook_url": "http://sms.example.com/a-key-in"}),
                ("http to a name that only looks like this machine", "sms.hook_url: has to be https", {"hook_url": "http://127.0.0.1.example.com/"}),
                ("no secret", "sms.secret: is needed", {"secret": ""}),
                ("a secret that is none", "sms.secret: is not base64", {"secret": "correct horse"}),
                ("a short secret", "sms.secret: is not base64", {"secret": "whsec_c2hvcnQ="}),
                ("two secrets", "sms.secret: is given", {"secret_file": files["good"]}),
                ("a secret's file that is not there", "sms.secret_file: cannot be read", {"secret": "", "secret_file": "/nowhere"}),
                ("a secret's file that is empty", "sms.secret_file: cannot be read", {"secret": "", "secret_file": files["empty"]}),
                ("a secret's file that everybody can read", "sms.secret_file: can be read by everybody", {"secret": "", "secret_file": files["open"]}),
                ("a file of authorities that is not there", "sms.ca_file: cannot be read", {"ca_file": "/nowhere"})):
            done = output(**others)
            report.ok(done.returncode != 0 and pattern in done.stdout, f"rampartd check finds {what}", done.stdout + done.stderr)
        for others in ({}, {"hook_url": "https://sms.example.com/"}, {"hook_url": "http://[::1]:8080/"}, {"secret": "", "secret_file": files["good"]}):
            report.ok("sms." not in output(**others).stdout, f"and nothing wrong with {others}")
        report.ok("sms.hook_url: not set" in output(hook_url="").stdout, "a secret without a hook is told of")
        with sender(hook, secret="", secret_file=files["good"]):
            outbox.settled(add(outbox))
            report.ok(hook.posts and hook.posts[0]["good"], "a secret from a file signs")
