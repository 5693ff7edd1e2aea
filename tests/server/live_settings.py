"""Settings that administrators keep in the database: who may, what is refused, that all instances follow, and that no secret comes out."""
import json
import secrets
import subprocess
import time

from cluster import run
from mail import LINK, Outbox
from smtp_server import PASSWORD as MAIL_PASSWORD
from smtp_server import USER, SmtpServer
from walk_secrets import shown_in
from world import PASSWORD, PROGRAM, Server, claims_of, within_a_second

FILE_PASSWORD = "of-the-file-0123456789"
OTHER_PASSWORD = "of-another-relay-0123456789"
PASSWORDS = {"the file's": FILE_PASSWORD, "the relay's": MAIL_PASSWORD, "another's": OTHER_PASSWORD}
LOUD = {"log": {"level": "trace"}, "lockout": {"failures_per_address": 100000}}


def rampartd_check(server):
    return subprocess.run([PROGRAM, "-c", server.file, "check"], capture_output=True, text=True)


class Settings:
    """What an administrator sees and does."""

    def __init__(self, client):
        self.client = client

    def __getitem__(self, name):
        return next(item for item in self.client.get("/admin/settings").body["items"] if item["name"] == name)

    def put(self, name, value):
        return self.client.put(f"/admin/settings/{name}", {"value": value})

    def remove(self, name):
        return self.client.delete(f"/admin/settings/{name}")

    def change(self, **values):
        return self.client.patch("/admin/settings", {name.replace("__", "."): value for name, value in values.items()})


def events(database, client):
    return [(event, metadata["name"]) for event, metadata in database.query(
        "SELECT event, metadata FROM rampart.audit_log WHERE event LIKE 'setting.%%' AND actor = %s ORDER BY id", (str(client.id),))]


def log_says(server, text):
    return within_a_second(lambda: text in server.log(), True)


def check(world, report):
    database = world.database("live_settings")
    one, two = (Server(world, database, LOUD).start() for _ in range(2))
    who_may(world, report, database, one)
    what_is_refused(world, report, one)
    where_from(world, report, database)
    all_follow(world, report, database, one, two)
    what_was_missed(world, report, database, one, two)
    what_is_no_good(world, report, database, one)
    for server in (one, two):
        server.stop()
    mail(world, report)


def who_may(world, report, database, server):
    admin, person = world.admin(server), world.person(server)
    report.equal([person.get("/admin/settings").code, Settings(person).put("mail.port", 25).code, Settings(person).remove("mail.port").code,
                  Settings(person).put("no.such", 1).code], ["forbidden"] * 4, "only the platform's administrators see or change settings")
    owner = world.organisation(server)[1]["OWNER"]
    report.equal(Settings(owner).put("mail.port", 25).code, "forbidden", "owners of organisations do not")
    settings = Settings(admin)
    database.query("UPDATE rampart_auth.session SET proved_at = now() - interval '1 hour' WHERE id = %s", (claims_of(admin.token)["sid"],))
    report.equal((settings.put("mail.port", 25).code, settings.change(mail__port=25).code, settings.remove("mail.port").code, admin.get("/admin/settings").status),
                 ("step_up_required",) * 3 + (200,), "changing takes a recent proof, looking does not")
    admin.log_in(admin.email)
    report.equal((settings.put("mail.port", 2525).status, settings.change(mail__port=2526, lockout__minutes=7).status, settings.remove("mail.port").status,
                  settings.remove("mail.port").status, settings.remove("lockout.minutes").status), (204,) * 5, "after which it is done")
    report.equal(events(database, admin), [("setting.changed", "mail.port"), ("setting.changed", "lockout.minutes"), ("setting.changed", "mail.port"),
                                           ("setting.removed", "mail.port"), ("setting.removed", "lockout.minutes")],
                 "the log has each change, with the name")
    values = database.value("SELECT count(*) FROM rampart.audit_log WHERE event LIKE 'setting.%%' AND metadata::text ~ '252[56]'")
    report.equal(values, 0, "and never the value")


def what_is_refused(world, report, server):
    settings = Settings(world.admin(server))
    for name in ("http.port", "http.address", "http.certificate", "database.connection", "password.hash", "mail.ca_file", "mail.templates", "signup.link_url", "mfa.rp_id"):
        answer = settings.put(name, "x")
        report.ok((answer.status, answer.code) == (422, "setting_fixed") and answer.body["detail"].startswith(f"{name} "), f"{name} is not for the database", answer)
    report.equal(settings.put("mail.hots", "x").code, "not_found", "what is no setting is none")
    for name, value, reason in (("mail.port", 0, "has to be from 1 to 65535"), ("mail.port", "many", "not an integer"), ("mail.port", 10 ** 12, "not an integer"),
                                ("signup.mode", "closed", "has to be one of open, domain, invitation, approval"), ("rates.sign_in", "5", "a rate is REQUESTS/TIME"),
                                ("mail.product", "a\nb", "is one line of text"), ("lockout.failures", True, "not an integer")):
        answer = settings.put(name, value)
        errors = (answer.body.get("errors") or [{}])[0]
        report.ok((answer.code, errors.get("pointer")) == ("validation_failed", "/value") and f"{name}: {reason}" in errors.get("detail", ""), f"{name}: {value!r} is refused, as in a file", answer)
    for values, reason in (({"signup__mode": "domain"}, "signup.domains: needed in mode domain"), ({"mail__host": "mail.example.com"}, "mail.from: is an address"),
                           ({"mail__host": "mail.example.com", "mail__from": "a@example.com", "mail__username": "x"}, "mail.password: goes with mail.username"),
                           ({"mail__host": "mail.example.com", "mail__from": "a@example.com", "mail__security": "none", "mail__username": "x", "mail__password": "y"},
                            "mail.security: has to be starttls or tls")):
        answer = settings.change(**values)
        report.ok(answer.code == "not_possible" and answer.body["detail"].startswith(reason), f"what does not go together is refused: {reason}", answer)
    kept = [item["name"] for item in settings.client.get("/admin/settings").body["items"] if item["source"] == "database"]
    report.equal(kept, [], "and nothing of it is kept")


def where_from(world, report, database):
    server = Server(world, database, {"lockout": {"failures": 9}, "mail": {"product": "Of the file"}}, environment={"RAMPART_LOCKOUT_MINUTES": "3"}).start()
    settings = Settings(world.admin(server))

    def seen(name):
        return settings[name]["value"], settings[name]["source"]

    report.equal((seen("mfa.issuer"), seen("lockout.failures"), seen("lockout.minutes")), (("Rampart", "default"), (9, "file"), (3, "environment")),
                 "each setting says where it comes from")
    settings.put("lockout.minutes", 4)
    settings.put("signup.domains", ["example.com", "example.org"])
    report.equal((seen("lockout.minutes"), seen("signup.domains")), ((4, "database"), (["example.com", "example.org"], "database")), "the database wins over all")
    report.equal((settings["lockout.minutes"]["changed_by"], settings["lockout.minutes"]["changed_at"] is not None, settings["lockout.failures"]["changed_by"]),
                 (str(settings.client.id), True, None), "and knows who changed it")
    settings.change(lockout__minutes=None, signup__domains=None)
    report.equal((seen("lockout.minutes"), seen("signup.domains")), ((3, "environment"), ([], "default")), "without it, what was before counts again")
    secret = settings["database.connection"]
    report.equal((secret["value"], secret["set"], secret["changeable"]), (None, True, False), "of a secret it is said whether it is set")
    server.stop()


def all_follow(world, report, database, one, two):
    settings = Settings(world.admin(one))

    def lockouts(server):
        """After how many wrong passwords a server locks."""
        email, client = world.account(server)[0], server.client()
        return next((n for n in range(1, 9) if client.log_in(email, "Wrong-horse-7-battery").code == "login_locked"), 9) - 1

    report.equal((lockouts(one), lockouts(two)), (5, 5), "five failures lock")
    settings.put("lockout.failures", 2)
    report.equal(within_a_second(lambda: (lockouts(one), lockouts(two)), (2, 2)), (2, 2), "two, on both instances, within a second")
    settings.remove("lockout.failures")
    report.equal(within_a_second(lambda: (lockouts(one), lockouts(two)), (5, 5)), (5, 5), "five again")

    settings.change(signup__mode="domain", signup__domains=["example.com"])
    report.equal(within_a_second(lambda: [sign_up_refused(s) for s in (one, two)], [True, True]), [True, True], "the mode of sign-up, with its domains")
    settings.change(signup__mode=None, signup__domains=None)
    report.equal(within_a_second(lambda: [sign_up_refused(s) for s in (one, two)], [False, False]), [False, False], "and open again")

    settings.put("rates.sign_in", "1/1h")
    limited = within_a_second(lambda: [s.client().log_in(f"{secrets.token_hex(8)}@example.com").code for s in (one, two)], ["rate_limited"] * 2)
    report.equal(limited, ["rate_limited"] * 2, "a rate")
    settings.remove("rates.sign_in")
    report.equal(within_a_second(lambda: [s.client().log_in(f"{secrets.token_hex(8)}@example.com").code for s in (one, two)], ["invalid_credentials"] * 2), ["invalid_credentials"] * 2, "lifted")


def sign_up_refused(server):
    answer = server.client().post("/auth/signup", {"email": "somebody@example.net", "password": PASSWORD})
    return answer.code == "signup_refused"


def what_was_missed(world, report, database, one, two):
    """A change that no notification tells of is seen when the listener is connected again."""
    database.query("INSERT INTO rampart_auth.settings (name, value) VALUES ('signup.mode', 'invitation')", user="observer")
    report.equal([sign_up_refused(s) for s in (one, two)], [False, False], "nobody told of a change")
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query IN ('SELECT', 'LISTEN rampart_auth')")
    followed = None
    for _ in range(3):  # the pause before connecting again comes first
        followed = within_a_second(lambda: [sign_up_refused(s) for s in (one, two)], [True, True])
    report.equal(followed, [True, True], "it is read when the connection is back")
    database.query("DELETE FROM rampart_auth.settings; NOTIFY rampart_auth, 'settings'")
    within_a_second(lambda: [sign_up_refused(s) for s in (one, two)], [False, False])


def what_is_no_good(world, report, database, one):
    settings = Settings(world.admin(one))
    database.query("INSERT INTO rampart_auth.settings (name, value) VALUES ('lockout.failures', 'few'), ('signup.mode', 'closed'), ('mail.hots', 'x'), ('http.port', '1')",
                   user="observer")
    server = Server(world, database, LOUD).start()
    report.ok(server.ready(), "values of the database that are no good do not stop the start")
    for text in ("lockout.failures: not an integer", "signup.mode: has to be one of", "mail.hots: is no setting", "http.port: is no setting that the database can have"):
        report.ok(log_says(server, text), f"the log says {text!r}", server.log()[-1000:])
        report.ok(f"warning: in the database: {text}" in rampartd_check(server).stdout, "as does rampartd check")
    report.equal(sign_up_refused(server), True, "nobody signs up by a mode that nobody knows")
    elsewhere = server.client()
    elsewhere.log_in(settings.client.email)
    item = Settings(elsewhere)["lockout.failures"]
    report.equal((item["value"], item["source"], item["problem"]), (5, "default", "lockout.failures: not an integer"), "in its place counts what the server started with, and the list says why")
    report.equal((settings.put("lockout.minutes", 9).status, settings.put("lockout.failures", 6).status, settings.change(signup__mode="open").status), (204,) * 3,
                 "which keeps nobody from changing settings")
    report.equal(within_a_second(lambda: sign_up_refused(server), False), False, "nor from putting it right")
    server.stop()
    database.query("DELETE FROM rampart_auth.settings; NOTIFY rampart_auth, 'settings'")


def mail(world, report):
    database = world.database("live_mail")
    outbox = Outbox(database)
    with SmtpServer() as of_file, SmtpServer(authentication=True) as other, SmtpServer() as third:
        mail_settings = {"host": "localhost", "port": of_file.port, "security": "none", "from": "file@example.com", "username": USER, "password": FILE_PASSWORD}
        servers = [Server(world, database, {"mail": mail_settings, **LOUD}, plain=True).start() for _ in range(2)]
        relays(world, report, database, outbox, servers, of_file, other, third)
        for server in servers:
            server.stop()
        logs = "".join(server.log() for server in servers) + world.cluster.log()
    report.equal(shown_in(logs, PASSWORDS), [], "no password stands in the servers' logs at trace level, or in PostgreSQL's")


def relays(world, report, database, outbox, servers, of_file, other, third):
    admin = world.admin(servers[0])
    settings, answers = Settings(admin), []

    def refused(answer, detail, name):
        answers.append(answer)
        report.ok(answer.code == "not_possible" and detail in answer.body["detail"], name, answer)

    outbox.clear()
    refused(settings.put("mail.port", other.port), "mail.password", "the file's password is not shown to another relay")
    refused(settings.put("mail.host", "127.0.0.1"), "mail.password", "wherever that is")
    answers.append(settings.change(mail__host="localhost", mail__port=other.port, mail__username=USER, mail__password=MAIL_PASSWORD, **{"mail__from": "other@example.com"}))
    report.equal(answers[-1].status, 204, "another relay, with its password")
    for _ in servers:
        outbox.add("ada@example.com", link=LINK)
    report.ok(other.wait(len(servers), 5), "mails go through it", (other.commands, [server.log()[-500:] for server in servers]))
    report.equal((set(other.credentials), [str(m["From"]) for _, m in other.mails][:1], len(of_file.mails)), ({(USER, MAIL_PASSWORD)}, ["other@example.com"], 0),
                 "by the password that came by PATCH, and no more through the file's")
    item = settings["mail.password"]
    report.equal((item["value"], item["set"], item["source"]), (None, True, "database"), "it is said to be set, and no more")
    refused(settings.put("mail.port", third.port), "mail.password", "nor is that one shown to yet another relay")
    refused(settings.remove("mail.password"), "mail.password", "nor the file's, when it is taken back alone")
    answers.append(settings.put("mail.password", OTHER_PASSWORD))
    report.equal(answers[-1].status, 204, "the password changes by PUT")
    time.sleep(0.5)  # the listeners hear it
    identity = outbox.add("ada@example.com", link=LINK)
    row = outbox.settled(identity)
    report.ok(row["error"] and not row["sent"] and other.credentials[-1] == (USER, OTHER_PASSWORD), "and is what the next mail is sent by", (row, len(other.credentials)))
    answers.append(settings.put("mail.password", MAIL_PASSWORD))
    outbox.retry_now()
    report.ok(outbox.wait(identity, lambda r: r["sent"], 5)["sent"], "with the right one it leaves at once")
    dump = run("pg_dump", "-d", world.cluster.dsn(database=database.name)).stdout
    report.ok(shown_in(dump, PASSWORDS) == [] and "mail.password\trmp1:" in dump, "in a dump the password is ciphertext")
    answers += [settings.change(mail__host="", mail__password=None), admin.get("/admin/settings")]
    answers.append(settings.change(mail__host=None, mail__port=None, mail__username=None, mail__password=None, **{"mail__from": None}))
    report.equal(answers[-1].status, 204, "all taken back")
    outbox.clear()
    report.ok(within_a_second(lambda: settings["mail.port"]["value"] == of_file.port, True), "the file's relay counts again")
    outbox.add("ada@example.com", link=LINK)
    report.ok(of_file.wait(1, 5) or of_file.commands["EHLO"] > 0, "and is used", of_file.commands)
    told = json.dumps([str(a.raw) for a in answers])
    report.equal(shown_in(told, PASSWORDS), [], "no answer shows a password")
