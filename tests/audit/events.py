"""Types of events: all that are built in can be logged, own ones too, by whom it was granted, and nobody forges anything."""
import json
import re
from pathlib import Path

from cluster import run

from world import on

REFERENCE = Path(__file__).resolve().parents[2] / "sql" / "rampart" / "74_audit_events.sql"
ENTRY = """SELECT event, class, severity, actor, org, host(ip), user_agent, request_id, role, session_role, application, relation, key, metadata
           FROM rampart.audit_log WHERE event = %s"""


def check_types(database, report):
    names = re.findall(r"^    \('([a-z_.]+)', '(?:normal|security)'", REFERENCE.read_text(), re.M)
    listed = database.query("SELECT name FROM rampart.audit_event_type WHERE builtin")
    report.equal(sorted(names), sorted(name for name, in listed), "types: the built-in ones are there")
    report.ok(len(names) >= 63 + 40, "types: those of the facts and the product's own")
    last = database.last()
    database.query("SELECT rampart.log_event(name, transactional => true) FROM rampart.audit_event_type WHERE name <> 'data.truncate'")
    logged = database.query("SELECT l.event FROM rampart.audit_log l JOIN rampart.audit_event_type t ON t.name = l.event AND t.class = l.class "
                            "AND t.severity = l.severity WHERE l.id > %s AND l.event <> 'config.changed' GROUP BY 1", (last,))
    report.equal(len(logged), len(names) - 2, "types: each can be logged, with its class and severity")
    queued = database.connect()
    on(queued, "SELECT rampart.log_event(name, transactional => false, metadata => '{\"way\": \"queue\"}') FROM rampart.audit_event_type")
    report.equal(on(queued, "SELECT rampart.flush_events()"), [(True,)], "types: the queue is drained")
    report.equal(database.value("SELECT count(DISTINCT l.event) FROM rampart.audit_log l JOIN rampart.audit_event_type t ON t.name = l.event "
                                "AND t.class = l.class AND t.severity = l.severity WHERE l.metadata ->> 'way' = 'queue'"), len(names),
                 "types: each through the queue as well")
    queued.close()
    report.equal(database.value("SELECT count(*) FROM rampart.audit_event_type WHERE NOT (ocsf_class BETWEEN 1001 AND 6999 AND cardinality(ecs_category) > 0 "
                                "AND cardinality(ecs_type) > 0 AND description <> '')"), 0, "types: each has its names for security tools")


def check_own(database, report):
    database.query("SELECT rampart.define_event('invoice.approved', severity => 'LOW', description => 'An invoice was approved')")
    database.query("SELECT rampart.log_event('invoice.approved', 'Critical', '{\"id\": 7}', key => '{\"id\": 7}', relation => 'owned')", user="app")
    report.equal(database.query(ENTRY, ("invoice.approved",)),
                 [("invoice.approved", "normal", "critical", None, None, None, None, None, "app", "app", "", "public.owned", {"id": 7}, {"id": 7})],
                 "own: logged, in any spelling of the severity")
    database.query("SELECT rampart.define_event('invoice.approved', 'security', 'high')")
    report.equal(database.query("SELECT class, severity, builtin FROM rampart.audit_event_type WHERE name = 'invoice.approved'"),
                 [("security", "high", False)], "own: defined again")
    for sql, code, name in (
            ("SELECT rampart.log_event('invoice.aproved')", "RMA08", "an unknown event"),
            ("SELECT rampart.log_event(NULL)", "22023", "no event"),
            ("SELECT rampart.log_event('invoice.approved', 'loud')", "22023", "an unknown severity"),
            ("SELECT rampart.define_event('Invoice')", "22023", "upper case in a name"),
            ("SELECT rampart.define_event('a..b')", "22023", "an empty part of a name"),
            ("SELECT rampart.define_event('a' || chr(10))", "22023", "a newline in a name"),
            ("SELECT rampart.define_event(repeat('a', 64))", "22023", "a long name"),
            ("SELECT rampart.define_event(NULL)", "22023", "no name"),
            ("SELECT rampart.define_event('a.b', 'other')", "22023", "an unknown class"),
            ("SELECT rampart.define_event('a.b', NULL)", "22023", "no class"),
            ("SELECT rampart.define_event('a.b', severity => 'x')", "22023", "an unknown severity of a type"),
            ("SELECT rampart.define_event('auth.login_failure')", "RMA09", "a built-in name"),
            ("SELECT rampart.drop_event('auth.login_failure')", "RMA09", "dropping a built-in one"),
            ("SELECT rampart.drop_event('never.was')", "RMA08", "dropping none"),
            ("SELECT rampart.alter_event('never.was', 'low')", "RMA08", "altering none"),
            ("SELECT rampart.alter_event('auth.login_failure', 'x')", "22023", "altering to no severity"),
            ("SELECT rampart.alter_event('audit.disabled', enabled => false)", "RMA09", "silencing the watch"),
            ("SELECT rampart.alter_event('data.update', 'low')", "RMA09", "altering row changes"),
            ("SELECT rampart.flush_events(-1)", "22023", "a negative timeout"),
    ):
        report.equal(database.failure(sql), code, f"own: {name} is refused")
    database.query("SELECT rampart.alter_event('user.created', 'high'); SELECT rampart.alter_event('user.deleted', enabled => false)")
    last = database.last()
    database.query("SELECT rampart.log_event('user.created', transactional => true), rampart.log_event('user.deleted', transactional => true)")
    report.equal(database.query("SELECT event, severity FROM rampart.audit_log WHERE id > %s AND event LIKE 'user.%%'", (last,)), [("user.created", "high")],
                 "own: a built-in one gets another severity, or is not recorded")
    report.equal(database.query("SELECT metadata FROM rampart.audit_log WHERE event = 'config.changed' AND metadata ->> 'event_type' = 'user.deleted'"),
                 [({"event_type": "user.deleted", "change": "disabled"},)], "own: that it is not recorded any more is recorded")


def check_payload(database, report):
    report.equal(database.failure("SELECT rampart.log_event('user.updated', metadata => jsonb_build_object('a', repeat('x', 65536)))"), "54000",
                 "payload: metadata are bounded")
    report.equal(database.failure("SELECT rampart.log_event('user.updated', metadata => '[1e9999]', key => jsonb_build_object('a', repeat('x', 60000)))"), "54000",
                 "payload: as they are printed")
    report.equal(database.failure("SELECT rampart.set_context(repeat('x', 4097))"), "54000", "payload: so is the context")
    large = {"a": "é" * 30000, 'q"uote\\': "\x01\n\u2028"}
    for transactional in (True, False):
        session = database.connect()
        on(session, "SELECT rampart.log_event('user.updated', metadata => %s, transactional => %s, key => %s)", (json.dumps(large), transactional, '{"k": %d}' % transactional))
        on(session, "SELECT rampart.flush_events()")
        session.close()
        report.equal(database.query("SELECT metadata FROM rampart.audit_log WHERE event = 'user.updated' AND key = %s", ('{"k": %d}' % transactional,)), [(large,)],
                     f"payload: whole, transactional => {transactional}")


def check_transactions(database, report):
    session = database.connect("app", autocommit=False)
    on(session, "SELECT rampart.set_context('ada', 'acme', '10.1.2.3', 'curl/8', 'req-1'); SET LOCAL ROLE owner; SET LOCAL application_name = 'mine'; RESET ROLE")
    on(session, "INSERT INTO audited VALUES (1)")
    on(session, "SELECT rampart.log_event('apikey.refused', metadata => '{\"n\": 1}'), rampart.log_event('session.created', transactional => true)")
    session.rollback()
    try:
        on(session, "SELECT rampart.set_context('ada')"), on(session, "SELECT rampart.log_event('apikey.refused', metadata => '{\"n\": 2}'), 1 / count(*) FROM audited")
    except Exception:
        session.rollback()
    report.equal(on(session, "SELECT rampart.flush_events()"), [(True,)], "transactions: flushed")
    session.close()
    mine = ("apikey.refused", "security", "medium", "ada")
    report.equal([row[:4] for row in database.query(ENTRY + " ORDER BY id", ("apikey.refused",))][-2:], [mine, mine],
                 "transactions: security events of rolled-back and failed ones are there")
    report.equal(database.query(ENTRY + " AND metadata @> '{\"n\": 1}'", ("apikey.refused",))[0][3:11],
                 ("ada", "acme", "10.1.2.3", "curl/8", "req-1", "app", "app", "mine"), "transactions: with their context")
    report.equal((database.value("SELECT count(*) FROM rampart.audit_log WHERE relation = 'public.audited'  AND class = 'normal'"),
                  database.value("SELECT count(*) FROM rampart.audit_log WHERE event = 'session.created' AND role = 'app'")), (0, 0),
                 "transactions: row changes and transactional events are not")
    times = database.query("SELECT l.at < clock_timestamp() AND l.at > pg_postmaster_start_time() FROM rampart.audit_log l WHERE event = 'apikey.refused'")
    report.ok(all(row[0] for row in times), "transactions: at the time they happened")


def check_rights(database, report):
    for function in ("log_event('user.created')", "define_event('a.b')", "alter_event('user.created')", "drop_event('a.b')", "flush_events()", "drain_events()",
                     "audit_work()", "write_event('user.created', NULL, NULL, NULL, NULL, NULL)", "write_queued_events(0, 0, 0)", "wake_auditor()"):
        report.equal(database.failure(f"SELECT rampart.{function}", user="reader"), "42501", f"rights: {function} has to be granted")
    for table in ("audit_event_type", "audit_drained"):
        report.equal(database.failure(f"SELECT * FROM rampart.{table}", user="reader"), "42501", f"rights: so has {table}")
    report.equal(database.failure("SELECT rampart.set_context('root'), rampart.log_event('user.created')", user="owner"), "42501",
                 "rights: who may log events may not set a context")
    database.query("SET application_name = 'x'; SET rampart_fake.actor = 'root'; SELECT rampart.log_event('org.created', transactional => true)", user="owner")
    report.equal(database.query(ENTRY, ("org.created",))[-1][3:10], (None, None, None, None, None, "owner", "owner"), "rights: and appears as itself")


def check_dump(world, database, report):
    archive = world.cluster.directory + "/events.dump"
    run("pg_dump", "-Fc", "-f", archive, "-d", world.cluster.dsn(database=database.name))
    world.cluster.query("CREATE DATABASE events_restored")
    done = run("pg_restore", "-d", world.cluster.dsn(database="events_restored"), archive, check=False)
    report.equal((done.returncode, done.stderr), (0, ""), "dump: restores without an error")
    sql = "SELECT name, class, severity, builtin, enabled, altered FROM rampart.audit_event_type WHERE altered OR NOT builtin ORDER BY 1"
    report.equal(world.cluster.query(sql, database="events_restored"), database.query(sql), "dump: own and altered types are restored")
    report.equal(world.cluster.query("SELECT count(*) FROM rampart.audit_event_type", database="events_restored"),
                 database.query("SELECT count(*) FROM rampart.audit_event_type"), "dump: beside the others")


def check_keyring(database, report):
    last = database.last()
    database.query("SELECT rampart.create_scope('keys'); SELECT rampart.grant_scope('keys', 'app', 'encrypt'); SELECT rampart.revoke_scope('keys', 'app');"
                   "SELECT rampart.shred_scope('keys', 'keys')")
    sql = "SELECT event, metadata ->> 'key_event' FROM rampart.audit_log WHERE id > %s AND metadata ->> 'scope' = 'keys' ORDER BY id"
    events = database.query(sql, (last,))
    kept = database.query("SELECT event FROM rampart.key_event WHERE scope = 'keys' ORDER BY id")
    report.equal([name for _, name in events], [name for name, in kept], "keyring: each of its events is in the log")
    report.equal({event for event, _ in events}, {"scope.created", "crypto.key_created_or_rotated", "scope.granted", "scope.revoked", "crypto.key_destroyed"},
                 "keyring: under its name there")
    last = database.last()
    session = database.connect(autocommit=False)
    on(session, "SELECT rampart.create_scope('undone')")
    session.rollback(), session.close()
    report.equal(database.query("SELECT event FROM rampart.audit_log WHERE id > %s AND metadata ->> 'scope' = 'undone'", (last,)), [], "keyring: in its transaction")


def check(world, report):
    database = world.database("events", quiet=False)
    database.query("CREATE TABLE owned (id int PRIMARY KEY); CREATE TABLE audited (id int PRIMARY KEY); GRANT ALL ON audited TO PUBLIC; GRANT owner TO app;"
                   "SELECT rampart.audit_table('audited'); GRANT EXECUTE ON FUNCTION rampart.log_event, rampart.flush_events TO app, owner;"
                   "GRANT EXECUTE ON FUNCTION rampart.set_context TO app")
    check_types(database, report)
    check_payload(database, report)
    check_own(database, report)
    check_transactions(database, report)
    check_rights(database, report)
    check_keyring(database, report)
    check_dump(world, database, report)
