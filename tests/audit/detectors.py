"""What is noticed by itself: logins, refusals, statements that change who may do what. And no password with it."""
import os
import threading
import time

import psycopg2
from cluster import Cluster

from queue_tools import auditor, until
from world import Database, on

SECRET = "correct-horse-battery"


def found(database, event, since=0):
    """Metadata of the entries of one event, once all that is queued has been written."""
    database.settle()
    return [m for m, in database.query("SELECT coalesce(metadata, '{}') FROM rampart.audit_log WHERE id > %s AND event = %s ORDER BY at, id", (since, event))]


def entry(database, event, since, columns):
    database.settle()
    return database.query(f"SELECT {columns} FROM rampart.audit_log WHERE id > %s AND event = %s ORDER BY at, id", (since, event))


STATEMENTS = [
    # statement, event, what its metadata hold
    (f"CREATE ROLE d1 PASSWORD '{SECRET}' CREATEDB", "role.created", {"role": "d1", "options": ["password", "createdb"]}),
    ("CREATE ROLE d2 SUPERUSER", "authz.superuser_granted", {"role": "d2"}),
    (f"ALTER ROLE d1 PASSWORD '{SECRET}'", "role.altered", {"role": "d1", "options": ["password"]}),
    (f"ALTER ROLE d1 PASSWORD '{SECRET}2'", "auth.password_change", {"role": "d1"}),
    ("ALTER ROLE d1 SUPERUSER", "authz.superuser_granted", {"role": "d1"}),
    ("ALTER ROLE d1 NOSUPERUSER", "role.altered", {"role": "d1", "options": ["superuser"]}),
    ("GRANT d2 TO d1", "role.member_added", {"group": "d2", "members": ["d1"]}),
    ("REVOKE d2 FROM d1", "role.member_removed", {"group": "d2", "members": ["d1"]}),
    ("ALTER GROUP d2 ADD USER d1", "role.member_added", {"group": "d2", "members": ["d1"]}),
    ("GRANT SELECT, UPDATE ON seen TO d1 WITH GRANT OPTION", "authz.grant",
     {"kind": "table", "privileges": ["select", "update"], "objects": ["seen"], "roles": ["d1"], "option": "grant"}),
    ("REVOKE ALL ON seen FROM d1", "authz.revoke", {"kind": "table", "privileges": ["all"], "objects": ["seen"], "roles": ["d1"]}),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO d1", "authz.default_privileges_changed", {"kind": "table", "privileges": ["select"], "objects": [], "roles": ["d1"]}),
    ("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM d1", "authz.default_privileges_changed", {"privileges": ["select"]}),
    (f"ALTER SYSTEM SET primary_conninfo = 'password={SECRET}'", "config.changed", {"setting": "primary_conninfo", "of": "system"}),
    ("ALTER SYSTEM RESET ALL", "config.changed", {"of": "system", "change": "reset all"}),
    (f"ALTER ROLE d1 SET my.password = '{SECRET}'", "config.changed", {"setting": "my.password", "role": "d1"}),
    ("ALTER DATABASE detectors SET work_mem = '5MB'", "config.changed", {"setting": "work_mem", "database": "detectors"}),
    ("CREATE POLICY p ON seen USING (id > 0)", "policy.created", {"policy": "p"}),
    ("ALTER POLICY p ON seen USING (id > 1)", "policy.changed_or_dropped", {"policy": "p", "change": "altered"}),
    ("ALTER TABLE seen ENABLE ROW LEVEL SECURITY", "policy.changed_or_dropped", {"change": "enabled"}),
    ("ALTER TABLE seen DISABLE ROW LEVEL SECURITY", "policy.changed_or_dropped", {"change": "disabled"}),
    ("ALTER POLICY p ON seen RENAME TO q", "policy.changed_or_dropped", {"policy": "p", "change": "renamed", "to": "q"}),
    ("DROP POLICY q ON seen", "policy.changed_or_dropped", {"policy": "seen.q", "change": "dropped"}),
    ("CREATE FUNCTION f() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'", "schema.definer_function_created", {"function": "f"}),
    ("ALTER FUNCTION f() SECURITY DEFINER", "schema.definer_function_created", {"function": "f", "change": "altered"}),
    ("CREATE EXTENSION pgrowlocks", "schema.extension_installed_or_removed", {"extension": "pgrowlocks", "change": "installed"}),
    ("DROP EXTENSION pgrowlocks", "schema.extension_installed_or_removed", {"extension": "pgrowlocks", "change": "removed"}),
    ("COPY seen TO PROGRAM 'cat > /dev/null'", "data.program_run", {"direction": "to"}),
    ("COPY seen TO PROGRAM 'cat > /dev/null'", "data.export", {"direction": "to"}),
    ("COPY (SELECT 1) TO '/dev/null'", "data.server_file_access", {"direction": "to", "source": "query", "file": "/dev/null"}),
    ("COPY seen FROM '/dev/null'", "data.server_file_access", {"direction": "from", "file": "/dev/null"}),
    ("DO $$ BEGIN EXECUTE 'CREATE ROLE d3'; END $$", "role.created", {"role": "d3"}),
    ("ALTER ROLE d3 RENAME TO d4", "role.altered", {"role": "d3", "to": "d4"}),
    ("DROP ROLE d4", "role.dropped", {"roles": ["d4"]}),
]


def check_statements(database, report):
    for sql, event, expected in STATEMENTS:
        last = database.last()
        database.query(sql)
        got = found(database, event, last)
        report.ok(any(expected.items() <= m.items() for m in got), f"statements: {sql.split(chr(39))[0]} is {event}", (got, expected))
    last = database.last()
    for sql in ("CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SET work_mem = '5MB'", "COPY seen FROM PROGRAM 'true' WHERE false"):
        database.query(sql)
    report.equal([found(database, event, last) for event in ("schema.definer_function_created", "config.changed")], [[], []], "statements: what is harmless is not told of")
    session = database.connect(autocommit=False)
    on(session, "CREATE ROLE undone"), session.rollback(), session.close()
    report.equal(found(database, "role.created", last), [{"role": "undone", "options": []}], "statements: what is rolled back is")
    last = database.last()
    database.failure("CREATE ROLE by_app", user="app"), database.failure("COPY seen TO PROGRAM 'true'", user="app")
    report.equal([found(database, event, last) for event in ("role.created", "data.program_run", "data.export")], [[], [], []], "statements: what is refused is a refusal only")
    report.equal(len(found(database, "authz.denied", last)), 2, "statements: of which there are two")
    database.query("DROP OWNED BY d1; DROP ROLE d1, d2; DROP FUNCTION f(); DROP FUNCTION g()")


def check_refusals(database, report):
    database.query("CREATE TABLE guarded (id int, email enc_text(pii)); INSERT INTO guarded VALUES (1, 'ada'); GRANT ALL ON guarded TO app, reader;"
                   "CREATE TABLE closed (id int); CREATE TABLE ruled (id int); GRANT ALL ON ruled TO app; ALTER TABLE ruled ENABLE ROW LEVEL SECURITY;"
                   "CREATE POLICY even ON ruled USING (id % 2 = 0)")
    last = database.last()
    for sql, user in (("SELECT * FROM closed", "app"), ("SELECT rampart.set_context('root')", "reader"), ("DROP TABLE closed", "app")):
        report.equal(database.failure(sql, user=user), "42501", f"refusals: {sql}")
    report.equal([(row[0], row[1], row[2]["message"]) for row in entry(database, "authz.denied", last, "role, session_role, metadata")],
                 [("app", "app", "permission denied for table closed"), ("reader", "reader", "permission denied for function set_context"),
                  ("app", "app", "must be owner of table closed")], "refusals: each is told of")
    database.failure("DO $$ BEGIN RAISE EXCEPTION 'the password is " + SECRET + "' USING ERRCODE = '42501'; END $$", user="app")
    report.equal(found(database, "authz.denied", last)[3:], [{"code": "42501"}], "refusals: without the words of who raised it")
    report.equal(database.failure("INSERT INTO ruled VALUES (1)", user="app"), "42501", "refusals: a row policy")
    report.equal(len(found(database, "authz.row_policy_violation", last)), 1, "refusals: is told of by its name")
    report.equal(database.failure("SELECT email::text FROM guarded", user="reader"), "42501", "refusals: a key")
    database.query("DO $$ BEGIN PERFORM email::text FROM guarded; EXCEPTION WHEN OTHERS THEN NULL; END $$", user="reader")
    report.equal([(m["code"], SECRET in str(m)) for m in found(database, "crypto.key_denied", last)], [("42501", False)] * 2, "refusals: also where a function caught it")
    armour = database.value("SELECT rampart.armour(rampart.encrypt('pii', %s))", (SECRET,))
    at = len(armour) // 2
    forged = armour[:at] + ("A" if armour[at] != "A" else "B") + armour[at + 1:]
    report.equal(database.failure("SELECT rampart.decrypt(rampart.dearmour(%s))", (forged,)), "RMC02", "refusals: a forged ciphertext")
    report.equal([m["code"] for m in found(database, "crypto.decrypt_failed", last)], ["RMC02"], "refusals: is told of")
    database.query("SELECT rampart.alter_event('authz.denied', enabled => false)")
    last = database.last()
    database.failure("SELECT * FROM closed", user="app")
    report.equal(found(database, "authz.denied", last), [], "refusals: not if it is switched off")
    database.query("SELECT rampart.alter_event('authz.denied', enabled => true)")


def login(database, user, password):
    try:
        psycopg2.connect(host="127.0.0.1", port=database.cluster.port, user=user, password=password, dbname=database.name, application_name="probe").close()
        return True
    except psycopg2.OperationalError:
        return False


def check_logins(database, report):
    cluster = database.cluster
    database.query(f"CREATE ROLE door LOGIN PASSWORD '{SECRET}'; CREATE ROLE shut; CREATE ROLE few LOGIN CONNECTION LIMIT 0; CREATE ROLE root LOGIN SUPERUSER PASSWORD '{SECRET}'")
    hba = os.path.join(cluster.data, "pg_hba.conf")
    with open(hba) as file:
        before = file.read()
    with open(hba, "w") as file:
        file.write("host all door,root 127.0.0.1/32 scram-sha-256\nhost all owner 127.0.0.1/32 reject\n" + before)
    cluster.reload()
    until(lambda: not login(database, "owner", "x"))
    last = database.last()
    columns = "session_role, role, host(client), metadata ->> 'code', metadata ->> 'application'"
    report.equal([login(database, "door", "wrong"), login(database, "owner", "x"), login(database, "shut", "x"), login(database, "no one's", "x"), login(database, "few", "x")], [False] * 5,
                 "logins: refused")
    report.equal(entry(database, "auth.login_failure", last, columns),
                 [("door", "door", "127.0.0.1", "28P01", "probe"), ("owner", "owner", "127.0.0.1", "28000", "probe"), ("shut", "shut", "127.0.0.1", "28000", "probe"),
                  ("no one's", "no one's", "127.0.0.1", "28000", "probe")], "logins: each refused one is told of")
    report.equal([row[0] for row in entry(database, "session.limit_exceeded", last, columns)], ["few"], "logins: and one too many")
    last = database.last()
    report.equal([login(database, "door", SECRET), login(database, "root", SECRET)], [True, True], "logins: let in")
    rows = [row for row in entry(database, "auth.login_success", last, columns) if row[4] == "probe"]
    report.equal(rows, [("door", "door", "127.0.0.1", None, "probe"), ("root", "root", "127.0.0.1", None, "probe")], "logins: each is told of")
    report.equal([row[0] for row in entry(database, "auth.superuser_login", last, columns) if row[4] == "probe"], ["root"], "logins: a superuser's as such")
    latin = psycopg2.connect(cluster.dsn(database=database.name) + " application_name=x client_encoding=LATIN1")
    latin.close()
    try:
        psycopg2.connect(host="127.0.0.1", port=cluster.port, user=b"caf\xe9".decode("utf-8", "surrogateescape"), dbname=database.name)
    except (psycopg2.OperationalError, UnicodeError):
        pass
    with open(hba, "w") as file:
        file.write(before)
    cluster.reload()
    until(lambda: login(database, "owner", "x"))
    cluster.query("CREATE DATABASE bare")
    for _ in range(20):
        cluster.query("SELECT 1", database="bare")
    report.ok(database.query("SELECT 1") == [(1,)] and auditor(Database(cluster, "bare")) is None, "logins: a database without Rampart gets no auditor")


def check_flood(world, report):
    cluster = Cluster("denials", settings={"rampart.audit_queue_size": "'256kB'", "rampart.worker_naptime": 86400}).start()
    cluster.query("CREATE ROLE app LOGIN"), cluster.query("CREATE DATABASE denials")
    database = Database(cluster, "denials")
    database.query("CREATE EXTENSION rampart; CREATE TABLE closed (id int); SELECT rampart.audit_table('closed')")
    until(lambda: auditor(database))
    each, sessions = 500, 8

    def flood():
        session = database.connect("app")
        for _ in range(each):
            try:
                on(session, "SELECT * FROM closed")
            except psycopg2.Error:
                pass
        session.close()

    threads = [threading.Thread(target=flood) for _ in range(sessions)]
    began = time.time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.time() - began
    count = """SELECT (SELECT count(*) FROM rampart.audit_log WHERE event = 'authz.denied'),
                      (SELECT coalesce(sum((metadata ->> 'lost')::int8), 0) FROM rampart.audit_log WHERE event = 'audit.queue_overflow')"""
    until(lambda: sum(database.query(count)[0]) >= each * sessions)
    came, lost = database.query(count)[0]
    # Logins of the look-outs may be among the lost.
    report.ok(came <= each * sessions <= came + lost <= each * sessions + 500, f"flood: {each * sessions} refusals in {seconds:.1f} s: {came} told of, {lost} counted", (came, lost))
    cluster.remove()


def check_secrets(database, report):
    rows = database.query("SELECT count(*) FROM rampart.audit_log l WHERE l::text LIKE %s", (f"%{SECRET}%",))
    report.equal(rows, [(0,)], "secrets: no password is in the log")


def check(world, report):
    database = world.database("detectors", quiet=False)
    database.query("CREATE TABLE seen (id int); SELECT rampart.audit_table('seen')")
    until(lambda: auditor(database))
    check_statements(database, report)
    check_refusals(database, report)
    check_logins(database, report)
    check_secrets(database, report)
    check_flood(world, report)
