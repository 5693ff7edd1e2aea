"""Mail: from the outbox to a real SMTP server, each once, whatever happens to server, network or rampartd meanwhile."""
import glob
import json
import os
import re
import signal
import subprocess
import time

from cluster import free_port
from database import on
from smtp_server import PASSWORD, USER, SmtpServer
from world import PROGRAM, Server, certificate

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CATCHER = os.path.join(ROOT, "server/mail/catcher.py")
TOKEN = "c2VjcmV0LW9mLXRoZS1saW5r"
LINK = f"https://app.example.com/verify?token={TOKEN}"


class Outbox:
    def __init__(self, database, channel="mail"):
        self.database, self.channel = database, channel
        self.directory = database.cluster.directory

    def add(self, recipient, template="verify-email", lifetime=None, **data):
        """Puts a message into the outbox as a flow does; its id."""
        values = {"link": LINK, "minutes": 30} if template == "verify-email" else {}
        connection = self.database.connect()
        on(connection, "SET ROLE rampart_auth")
        on(connection, "SELECT rampart_auth.enqueue(%s, %s, %s, %s::jsonb, %s::interval)", (self.channel, recipient, template, json.dumps(values | data), lifetime))
        ((identity,),) = on(connection, "SELECT id::text FROM rampart_auth.outbox ORDER BY id DESC LIMIT 1")
        connection.close()
        return identity

    def row(self, identity):
        columns = "attempts, sent_at IS NOT NULL, failed_at IS NOT NULL, coalesce(last_error, ''), recipient IS NULL AND data IS NULL"
        ((attempts, sent, failed, error, wiped),) = self.database.query(f"SELECT {columns} FROM rampart_auth.outbox WHERE id = %s", (identity,))
        return {"attempts": attempts, "sent": sent, "failed": failed, "error": error, "wiped": wiped}

    def wait(self, identity, condition, seconds=15):
        deadline = time.monotonic() + seconds
        while not condition(row := self.row(identity)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return row

    def settled(self, identity, seconds=15):
        """Once it is sent, given up, or has failed for a while."""
        return self.wait(identity, lambda row: row["sent"] or row["failed"] or row["error"], seconds)

    def retry_now(self):
        """As if the pause of every mail that is waiting were over."""
        self.database.query(f"UPDATE rampart_auth.outbox SET next_attempt_at = now() WHERE next_attempt_at IS NOT NULL; NOTIFY rampart_auth, '{self.channel}'")

    def events(self, identity):
        return [metadata for (metadata,) in self.database.query(
            "SELECT metadata FROM rampart.audit_log WHERE event = 'mail.failed' AND metadata ->> 'mail' = %s", (identity,))]

    def clear(self):
        self.database.query("DELETE FROM rampart_auth.outbox")


def options(smtp, security="none", **others):
    return {"mail": {"host": "localhost", "port": smtp.port, "security": security, "from": "Jürgen Müller <no-reply@example.com>",
                     "connect_seconds": 2, "total_seconds": 4, **others}, "log": {"level": "trace"}}


def certified(outbox, name, host="localhost"):
    """A certificate of its own authority for a host, and its key."""
    directory = os.path.join(outbox.directory, f"certificate-{name}")
    os.mkdir(directory)
    return certificate(directory, host)


class Mailer(Server):
    """A server that sends mails, for as long as a block lasts."""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def check(world, report):
    database = world.database("mail")
    outbox = Outbox(database)

    def mailer(smtp, security="none", **others):
        return Mailer(world, database, options(smtp, security, **others))

    for part in (fits_the_flows, arrives, needs_tls, authenticates, is_tried_again, is_given_up, waits_for_nobody, survives_a_crash, is_sent_once,
                 waits_for_its_key, goes_in_the_end, stays_secret, cannot_be_injected, stops_at_once, is_checked, is_caught):
        outbox.clear()
        part(report, outbox, mailer)


def fits_the_flows(report, outbox, mailer):
    calls = []
    for path in sorted(glob.glob(os.path.join(ROOT, "sql/auth/*.sql"))):
        with open(path, encoding="utf-8") as f:
            calls += re.findall(r"PERFORM rampart_auth\.enqueue_(?:mail|sms)\(.*?'([a-z-]+)',\s*(.*?)\);", f.read(), re.S)
    report.ok(len(calls) > 8, "the flows of sql/auth that send mails", calls)
    for name, data in calls:
        with open(os.path.join(ROOT, f"server/mail/templates/{name}.txt"), encoding="utf-8") as f:
            wanted = set(re.findall(r"\{\{(\w+)\}\}", f.read())) - {"product"}
        wanted = {"minutes" if name == "time" else name for name in wanted}
        report.ok(wanted <= set(re.findall(r"'(\w+)'", data)), f"{name} has what its template asks for", f"{wanted}: {data}")


def arrives(report, outbox, mailer):
    pair = certified(outbox, "good")
    with SmtpServer(tls=pair, authentication=True) as smtp, \
            mailer(smtp, "starttls", ca_file=pair[0], username=USER, password=PASSWORD):
        identity = outbox.add("ada@example.com", "invitation", link=LINK, organisation="Zürich 🔒 " + "ä" * 60)
        smtp.wait(1)
        row = outbox.settled(identity)
        recipient, message = smtp.mails[0] if smtp.mails else (None, None)
        report.equal(recipient, "ada@example.com", "a mail reaches the SMTP server")
        report.equal(smtp.encrypted, [True], "over TLS, begun by STARTTLS")
        report.equal(smtp.credentials, [(USER, PASSWORD)], "after authentication")
        report.equal(row, {"attempts": 1, "sent": True, "failed": False, "error": "", "wiped": True}, "its contents are wiped once it is sent")
        if message is None:
            return
        report.equal(str(message["Subject"]), f"Join Zürich 🔒 {'ä' * 60} on Rampart", "a subject in UTF-8 is read as it was written")
        report.equal(str(message["From"]), "Jürgen Müller <no-reply@example.com>", "and so is the sender's name")
        report.ok(LINK in message.get_content(), "and the text, with the link whole")
        report.equal(str(message["Message-ID"]), f"<{identity}@example.com>", "the Message-ID is that of the row")
        report.equal(str(message["Auto-Submitted"]), "auto-generated", "no machine answers it")
        report.equal([str(d) for d in message.defects], [], "the message has no defects")


def needs_tls(report, outbox, mailer):
    good = certified(outbox, "this")
    other = certified(outbox, "other")
    elsewhere = certified(outbox, "elsewhere", "mail.example.com")
    secrets = {"username": USER, "password": PASSWORD}
    for tls, implicit, ca, security, name in (
            (good, False, other[0], "starttls", "a certificate of an unknown authority"),
            (elsewhere, False, elsewhere[0], "starttls", "a certificate of another host"),
            (None, False, good[0], "starttls", "a server without STARTTLS"),
            (good, True, other[0], "tls", "an unknown authority, with TLS from the first byte")):
        with SmtpServer(tls=tls, implicit=implicit, authentication=True) as smtp, mailer(smtp, security, ca_file=ca, **secrets):
            row = outbox.settled(outbox.add("ada@example.com"))
            report.ok(row["error"] and not row["sent"] and not row["failed"], f"{name}: the mail waits", row)
            report.ok(not smtp.credentials and not smtp.commands["MAIL"], f"{name}: learns nothing", smtp.commands)
    with SmtpServer(tls=good, implicit=True) as smtp, mailer(smtp, "tls", ca_file=good[0]):
        outbox.add("ada@example.com")
        report.ok(smtp.wait(1) and smtp.encrypted == [True], "TLS from the first byte, with a good certificate")


def authenticates(report, outbox, mailer):
    pair = certified(outbox, "auth")
    with SmtpServer(tls=pair, authentication=True) as smtp:
        with mailer(smtp, "starttls", ca_file=pair[0], username=USER, password="not-this-Passw0rd") as server:
            identity = outbox.add("ada@example.com")
            row = outbox.settled(identity)
            report.ok(row["error"] and not row["failed"] and not row["wiped"], "a wrong password: the mail waits", row)
            report.ok("not-this-Passw0rd" not in server.log(), "which no log shows")
        with mailer(smtp, "starttls", ca_file=pair[0], username=USER, password=PASSWORD):
            outbox.retry_now()
            report.ok(smtp.wait(1), "and is sent once the password is right")


def is_tried_again(report, outbox, mailer):
    with SmtpServer() as smtp, mailer(smtp):
        for command, answer in (("RCPT", "450 4.2.0 <ada@example.com> greylisted"), ("DATA", "451 4.3.0 later"), ("MAIL", "452 4.3.1 full")):
            smtp.mails.clear()
            smtp.answers[command] = [answer]
            identity = outbox.add("ada@example.com")
            row = outbox.settled(identity)
            report.equal(row, {"attempts": 1, "sent": False, "failed": False, "error": f"the server said {answer[:9]}", "wiped": False},
                         f"{answer[:3]} to {command}: the mail waits, and the error does not quote")
            (pause,) = outbox.database.query("SELECT next_attempt_at - now() BETWEEN '20 seconds' AND '30 seconds' FROM rampart_auth.outbox WHERE id = %s",
                                    (identity,))[0]
            report.ok(pause, f"{answer[:3]} to {command}: for half a minute")
            outbox.retry_now()
            row = outbox.wait(identity, lambda row: row["sent"])
            report.equal((row["attempts"], [r for r, _ in smtp.mails]), (2, ["ada@example.com"]), f"{answer[:3]} to {command}: then it is sent, once")
        smtp.answers["MAIL"] = ["550 5.7.1 sender refused"]
        row = outbox.settled(outbox.add("ada@example.com"))
        report.ok(row["error"] and not row["failed"], "a server that refuses the sender does not cost the mail", row)


def is_given_up(report, outbox, mailer):
    with SmtpServer() as smtp, mailer(smtp):
        for command in ("RCPT", "DATA"):
            smtp.answers[command] = ["550 5.1.1 <ada@example.com> no such user"]
            identity = outbox.add("ada@example.com")
            row = outbox.settled(identity)
            report.equal(row, {"attempts": 1, "sent": False, "failed": True, "error": "the server said 550 5.1.1", "wiped": True},
                         f"550 to {command}: the mail is given up and wiped")
            report.equal(outbox.events(identity), [{"mail": identity, "template": "verify-email", "attempts": 1, "may_have_arrived": False,
                                                    "reason": "the server said 550 5.1.1"}], f"550 to {command}: the audit log says so")
        identity = outbox.add("ada@example.com")
        outbox.settled(identity)
        smtp.answers["RCPT"] = ["450 later"]
        identity = outbox.add("bob@example.com")
        outbox.settled(identity)
        outbox.database.query("UPDATE rampart_auth.outbox SET attempts = 12 WHERE id = %s", (identity,))
        smtp.answers["RCPT"] = ["450 later"]
        outbox.retry_now()
        report.ok(outbox.wait(identity, lambda row: row["failed"])["wiped"] and outbox.events(identity), "so it is after the thirteenth attempt")
        smtp.mails.clear()
        for template, recipient, data in (("no-such-template", "ada@example.com", {}), ("invitation", "ada@example.com", {"link": LINK}),
                                          ("approved", "nobody", {}), ("verify-email", "ada@example.com", {"link": "javascript:alert(1)"})):
            identity = outbox.add(recipient, template, **data)
            row = outbox.settled(identity)
            report.ok(row["failed"] and row["wiped"] and outbox.events(identity), f"{template} to {recipient} with {sorted(data)}: given up", row)
        identity = outbox.add("ada@example.com")
        report.ok(outbox.settled(identity)["sent"] and len(smtp.mails) == 1, "which stops no other mail")


def waits_for_nobody(report, outbox, mailer):
    with SmtpServer() as smtp:
        with mailer(smtp) as server:
            smtp.answers["RCPT"] = [SmtpServer.HANG]
            started = time.monotonic()
            identity = outbox.add("ada@example.com")
            smtp.wait_for_command("RCPT")
            asked = time.monotonic()
            report.ok(server.ready() and time.monotonic() - asked < 1, "while the SMTP server hangs, requests are answered")
            row = outbox.settled(identity)
            report.ok(row["error"] and not row["failed"] and time.monotonic() - started < 10, "it is waited for as long as the settings say", row)
            smtp.answers["DATA"] = [SmtpServer.HANG]
            started = time.monotonic()
            outbox.retry_now()
            row = outbox.wait(identity, lambda row: row["failed"])
            report.ok(row["failed"] and row["wiped"] and time.monotonic() - started < 7, "where it has the whole mail and does not answer, the mail is not sent again", row)
            report.equal([e["may_have_arrived"] for e in outbox.events(identity)], [True], "and the audit log says that it may have arrived")
    with mailer(smtp) as server:
        identity = outbox.add("bob@example.com")
        row = outbox.settled(identity)
        report.ok(row["error"] and not row["failed"] and server.ready(), "a server that is not there costs nobody anything but time", row)
        with SmtpServer(port=smtp.port) as again:
            outbox.retry_now()
            report.ok(again.wait(1, 30), "once it is there, the mail is sent")


def survives_a_crash(report, outbox, mailer):
    with SmtpServer() as smtp:
        for stage, again in (("RCPT", True), ("DATA", False)):
            smtp.mails.clear()
            smtp.commands.clear()
            smtp.answers[stage] = [SmtpServer.HANG]
            with mailer(smtp, total_seconds=60) as server:
                identity = outbox.add("ada@example.com")
                smtp.wait_for_command(stage)
                server.stop(signal.SIGKILL)
            with mailer(smtp):
                time.sleep(0.5)
                report.equal(smtp.commands[stage], 1, f"killed at {stage}: nobody else touches the mail while the lease lasts")
                outbox.retry_now()
                row = outbox.wait(identity, lambda row: row["sent"] or row["failed"])
                report.equal((row["sent"], row["failed"], len(smtp.mails)), (again, not again, int(again)),
                             f"killed at {stage}: {'sent by another' if again else 'never sent again, because the server may have it'}")
                report.equal([e["may_have_arrived"] for e in outbox.events(identity)], [] if again else [True],
                             f"killed at {stage}: {'nothing' if again else 'that'} is in the audit log")


def is_sent_once(report, outbox, mailer):
    with SmtpServer() as smtp, mailer(smtp), mailer(smtp):
        addresses = [f"user{i}@example.com" for i in range(200)]
        outbox.database.query("SET ROLE rampart_auth; SELECT rampart_auth.enqueue_mail('user' || i || '@example.com', 'approved', '{}') FROM generate_series(0, 199) i")
        smtp.wait(200, 60)
        time.sleep(1)
        report.equal(sorted(r for r, _ in smtp.mails), sorted(addresses), "two servers on one outbox send each of 200 mails once")
        identities = {str(m["Message-ID"]) for _, m in smtp.mails}
        report.equal(len(identities), 200, "each with a Message-ID of its own")
        left = outbox.database.query("SELECT count(*) FROM rampart_auth.outbox WHERE sent_at IS NULL OR recipient IS NOT NULL OR data IS NOT NULL OR attempts <> 1")
        report.equal(left, [(0,)], "and note it")


def waits_for_its_key(report, outbox, mailer):
    unreadable = outbox.add("ada@example.com")
    key = outbox.database.value("SELECT id FROM rampart.keys WHERE scope = 'pii' AND state = 'active' AND purpose = 'data'")
    outbox.database.query("SELECT rampart.rotate_key('pii')")
    outbox.database.query("SELECT rampart.disable_key(%s)", (key,))
    with SmtpServer() as smtp, mailer(smtp):
        outbox.add("bob@example.com")
        smtp.wait(1)
        row = outbox.settled(unreadable)
        report.equal(([r for r, _ in smtp.mails], row["failed"], row["error"]), (["bob@example.com"], False, "cannot be decrypted: RMK03"),
                     "a mail whose key is disabled waits, and no other waits for it")
        outbox.database.query("SELECT rampart.enable_key(%s)", (key,))
        outbox.retry_now()
        report.ok(smtp.wait(2), "it is sent once the key is there")


def goes_in_the_end(report, outbox, mailer):
    with SmtpServer() as smtp, mailer(smtp):
        sent = outbox.add("ada@example.com")
        outbox.settled(sent)
        smtp.answers["RCPT"] = ["450 later"]
        waiting = outbox.add("bob@example.com")
        outbox.settled(waiting)
        outbox.database.query("UPDATE rampart_auth.outbox SET created_at = now() - interval '31 days'")
        fresh = outbox.add("eve@example.com")
        outbox.settled(fresh)
        outbox.database.query("SELECT rampart_auth.clean_up()", user="rampartd")
        left = {identity for (identity,) in outbox.database.query("SELECT id::text FROM rampart_auth.outbox")}
        report.equal(left, {waiting, fresh}, "rows of mails that are done go after thirty days, those that wait stay")


def stays_secret(report, outbox, mailer):
    def dump():
        return subprocess.run([os.path.join(os.environ["RAMPART_BIN"], "pg_dump"), "-d", outbox.database.cluster.dsn(database=outbox.database.name)],
                              check=True, capture_output=True, text=True).stdout

    with SmtpServer(authentication=True) as smtp:
        smtp.answers["RCPT"] = ["450 4.2.0 <ada.secret@example.com> not now"]
        identity = outbox.add("ada.secret@example.com")
        before = dump()
        with mailer(smtp, username=USER, password=PASSWORD) as server:
            outbox.settled(identity)
            outbox.retry_now()
            sent = outbox.wait(identity, lambda row: row["sent"])["sent"]
            log = server.log()
        after = dump()
    report.ok("outbox" in before and "outbox" in after and sent, "a mail is sent at the most talkative log level, between two dumps", f"{outbox.row(identity)}\n{log}")
    for where, text in (("a dump before it is sent", before), ("a dump after", after), ("the server's log", log),
                        ("PostgreSQL's log", outbox.database.cluster.log())):
        report.ok(TOKEN not in text and "ada.secret" not in text and PASSWORD not in text, f"{where} has neither token, address nor password")


def cannot_be_injected(report, outbox, mailer):
    with SmtpServer() as smtp, mailer(smtp):
        outbox.add("ada@example.com", "invitation", link=LINK, organisation="Evil\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com>")
        smtp.wait(1)
        recipients, messages = [r for r, _ in smtp.mails], [m for _, m in smtp.mails]
        report.equal((recipients, [m["Bcc"] for m in messages]), (["ada@example.com"], [None]), "a name with line breaks makes no header and no recipient")
        report.ok(messages and "Evil  Bcc: eve@example.com" in str(messages[0]["Subject"]), "but stands in the line that it belongs to")
        outbox.add("dots@example.com", "invitation", link=LINK, organisation="\n.\n..\n")
        report.ok(smtp.wait(2), "nor do dots end the mail")
        smtp.commands.clear()
        for recipient in ("ada@example.com\r\nRCPT TO:<eve@example.com>", "ada@example.com>\r\nDATA", "a" * 300 + "@example.com", "<eve@example.com>"):
            row = outbox.settled(outbox.add(recipient, "approved"))
            report.ok(row["failed"] and row["error"] == "mail: the recipient is malformed", f"{recipient[:40]!r} is no recipient", row)
        report.equal(smtp.commands["RCPT"], 0, "of which the SMTP server hears nothing")


def stops_at_once(report, outbox, mailer):
    with SmtpServer() as smtp:
        for stage in ("MAIL", "RCPT", "DATA"):
            outbox.clear()
            smtp.commands.clear()
            smtp.answers[stage] = [SmtpServer.HANG]
            with mailer(smtp, total_seconds=60) as server:
                outbox.add("ada@example.com")
                smtp.wait_for_command(stage)
                started = time.monotonic()
                server.stop()
                took = time.monotonic() - started
            report.ok(took < (6 if stage == "DATA" else 3), f"a server that is stopped while it waits for the answer to {stage} stops", f"{took:.1f} s")


def is_checked(report, outbox, mailer):
    templates = os.path.join(outbox.directory, "templates")
    os.makedirs(templates, exist_ok=True)
    path = os.path.join(templates, "verify-email.txt")

    def template(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    with SmtpServer() as smtp:
        def found(pattern, name, **others):
            server = mailer(smtp, **others)
            done = subprocess.run([PROGRAM, "-c", server.file, "check"], capture_output=True, text=True)
            report.ok(done.returncode != 0 and re.search(pattern, done.stdout) and PASSWORD not in done.stdout + done.stderr,
                      f"rampartd check finds {name}", done.stdout + done.stderr)

        template("Subject: x\n\n{{lnik}} {{link}}\n")
        found(r"mail.templates: .*\{\{lnik\}\}", "an unknown placeholder", templates=templates)
        template("Subject: x\n\nno link\n")
        found(r"mail.templates: .*\{\{link\}\}", "a mail without its link", templates=templates)
        found("mail.templates: /nowhere", "a directory that is not there", templates="/nowhere")
        found("mail.from", "a sender that is none", **{"from": "nobody"})
        found("mail.host", "a host that is none", host="local host")
        found("mail.security", "a password without TLS", host="mail.example.com", username=USER, password=PASSWORD)
        found("mail.ca_file", "a file of authorities that is not there", ca_file="/nowhere.pem")
        template("Subject: Grüß Gott\n\n{{link}}\n")
        with mailer(smtp, templates=templates):
            outbox.add("ada@example.com")
            report.ok(smtp.wait(1) and str(smtp.mails[0][1]["Subject"]) == "Grüß Gott", "a template of one's own replaces that of the product")


def is_caught(report, outbox, mailer):
    directory = os.path.join(outbox.directory, "mails")

    class Catcher:
        port = free_port()

    process = subprocess.Popen(["/usr/bin/python3", CATCHER, "serve", directory, str(Catcher.port)])
    try:
        with mailer(Catcher):
            outbox.add("ada@example.com", "invitation", link=LINK, organisation="Zürich")
            deadline = time.monotonic() + 15
            while not glob.glob(directory + "/*.eml") and time.monotonic() < deadline:
                outbox.retry_now()
                time.sleep(0.2)
        shown = subprocess.run(["/usr/bin/python3", CATCHER, "show", directory], capture_output=True, text=True, encoding="utf-8",
                               env={**os.environ, "PYTHONIOENCODING": "utf-8"})
        report.ok(LINK in shown.stdout and "Subject: Join Zürich on Rampart" in shown.stdout, "the catcher for development shows the mail",
                  shown.stdout + shown.stderr)
    finally:
        process.terminate()
        process.wait()
