"""Retention, legal holds and erasure: what goes, what stays, and that all proofs hold."""
from sealing import check_independently, good, newest, sealed_all
from world import on

# Entries of months ago, as the trigger would have written them then.
AGED = """INSERT INTO rampart.audit_log (id, at, xid, lineage, event, class, severity, role, session_role, metadata, salt)
          SELECT nextval('rampart.audit_log_id'), now() - {age}::interval + i * interval '1 second', pg_current_xact_id(),
                 (SELECT lineage FROM rampart.audit_here), 'aged', '{0}', 'info', 'app', 'app', to_jsonb(i), sha256('salt')
          FROM generate_series(1, {1}) i"""


def aged(log_class, age, entries=20):
    return AGED.format(log_class, entries, age=f"'{age}'")


def classes(database):
    return dict(database.query("SELECT class, count(*) FROM rampart.audit_log WHERE event = 'aged' GROUP BY 1"))


def seal(database):
    return database.value("SELECT rampart.seal()")


def set_up(world, name):
    database = world.database(name)
    database.query("CREATE TABLE t (id int PRIMARY KEY); SELECT rampart.audit_table('t')")
    for statement in (aged("normal", "15 months", 300), aged("security", "15 months"), aged("normal", "14 months"),
                      # Of the month before, written later: the clock went back.
                      aged("normal", "15 months", 5), aged("security", "30 months"), "INSERT INTO t SELECT generate_series(1, 700)"):
        database.query(statement)
        seal(database)
    database.query("SELECT rampart.create_audit_partitions()")
    return database


def check_prune(report, database):
    first = database.value("SELECT note FROM rampart.audit_checkpoint ORDER BY number LIMIT 1")
    head = newest(database)
    report.ok(good(database), "retention: all is well before")
    report.equal(database.failure("SELECT rampart.prune_audit()", user="app"), "42501", "retention: not by anybody")
    database.query("SELECT rampart.hold_audit('case 4711', 'litigation'); SELECT rampart.seal()")
    report.equal((database.value("SELECT rampart.prune_audit()"), classes(database)), (0, {"normal": 325, "security": 40}), "legal hold: nothing goes")
    report.equal(database.failure("SELECT rampart.erase_entry(1, 'asked for')"), "RMA07", "legal hold: nothing is erased")
    report.equal(database.failure("SELECT rampart.hold_audit('case 4711', 'again')"), "23505", "legal hold: a name once")
    report.equal(database.failure("SELECT rampart.release_audit_hold('nonsense')"), "22023", "legal hold: an unknown one")
    database.query("SELECT rampart.release_audit_hold('case 4711'); SELECT rampart.hold_audit('case 4712', 'litigation', 'security'); SELECT rampart.seal()")
    report.equal((database.value("SELECT rampart.prune_audit()"), classes(database)), (2, {"security": 40}), "legal hold: of one class, the other goes")
    report.ok(good(database), "retention: the log verifies behind it")
    report.ok(good(database, head), "retention: the last head before it too")
    report.ok(not good(database, first), "retention: a head from inside of what was removed cannot be checked any more")
    database.query("SELECT rampart.release_audit_hold('case 4712'); SELECT rampart.seal()")
    report.equal((database.value("SELECT rampart.prune_audit()"), classes(database)), (1, {"security": 20}), "retention: security is kept for two years")
    report.equal(database.value("SELECT rampart.prune_audit()"), 0, "retention: and again: nothing")
    seal(database)
    report.ok(good(database) and good(database, head), "retention: the log verifies")
    report.equal(sorted(event for event, in database.query("SELECT event FROM rampart.audit_log WHERE event LIKE 'audit.%%' AND event <> 'audit.enabled' AND event <> 'audit.tamper_detected'")),
                 ["audit.held"] * 2 + ["audit.pruned"] * 3 + ["audit.released"] * 2, "retention: all of it is in the log")
    front = database.query("SELECT rampart.frontier_size(front), size FROM rampart.audit_tree WHERE class = 'normal'")[0]
    report.equal(front, (325, 1025), "retention: the tree keeps a frontier of what is gone")
    report.equal(database.value("SELECT count(*) FROM rampart.audit_tile WHERE class = 'normal' AND level = 0 AND index = 0"), 0, "retention: tiles of nothing but removed leaves are gone")
    proof = database.query("SELECT rampart.inclusion_proof(l.id) FROM rampart.audit_log l WHERE class = 'normal' LIMIT 1")
    report.equal(len(proof), 1, "retention: what is left can be proved")
    report.equal(database.failure("SELECT rampart.consistency_proof('normal', 300, 1025)"), "RMA06", "retention: no proof from inside of what is gone")
    report.equal(len(database.value("SELECT rampart.consistency_proof('normal', 325, 1025)")) > 0, True, "retention: a proof from where it ends")


def check_interleaved(report, world):
    """Leaves of a removed month between those of months that stay."""
    database = set_up(world, "interleaved")
    database.query("SELECT rampart.set_audit_retention('normal', '14 months 20 days'); SELECT rampart.set_audit_retention('security', '10 years')")
    before = classes(database)
    report.equal(before, {"normal": 325, "security": 40}, "interleaved: set up")
    removed = database.value("SELECT rampart.prune_audit()")
    seal(database)
    report.ok(removed >= 1 and good(database), "interleaved: removed leaves between others: the log verifies", database.query("SELECT * FROM rampart.verify_audit()"))
    database.query("ALTER TABLE rampart.audit_log DISABLE TRIGGER USER")
    database.query(aged("normal", "15 months", 1))
    database.query("UPDATE rampart.audit_log SET xid = (SELECT min(from_xid::text::int8)::text::xid8 FROM rampart.audit_run WHERE class = 'normal') WHERE id = (SELECT max(id) FROM rampart.audit_log)")
    report.ok(not good(database), "interleaved: an entry that comes back is found")


def check_settings(report, database):
    for call, state in (("set_audit_retention('nonsense', '1 year')", "22023"), ("set_audit_retention('normal', '-1 year')", "22023"), ("set_audit_retention('normal', '1 hour')", "22023"),
                        ("set_audit_retention(NULL, '1 year')", "22023"), ("hold_audit('', 'x')", "22023"), ("hold_audit('x', NULL)", "22023"), ("hold_audit('x', 'y', 'nonsense')", "22023"),
                        ("erase_entry(1, '')", "22023"), ("erase_entry(1, NULL)", "22023")):
        report.equal(database.failure(f"SELECT rampart.{call}"), state, f"retention: {call} is refused")
    database.query("SELECT rampart.set_audit_retention('normal', '3 years')")
    report.equal(database.query("SELECT DISTINCT class, keep_until - (month + interval '1 month') AT TIME ZONE 'UTC' > interval '1000 days' FROM rampart.audit_months ORDER BY 1"),
                 [("normal", True), ("security", False)], "retention: can be set by class")
    database.query("SELECT rampart.set_audit_retention('normal', NULL)")
    report.equal(database.value("SELECT rampart.audit_keep('normal')::text"), "1 year", "retention: and set back")


def check_not_what_was_sealed(report, world):
    """What was tampered with, or is not sealed, is not removed."""
    database = set_up(world, "unpruned")
    database.query("SELECT rampart.set_audit_retention('security', '10 years'); ALTER TABLE rampart.audit_log DISABLE TRIGGER USER")
    database.query("UPDATE rampart.audit_log SET role = 'mallory' WHERE class = 'normal' AND at < now() - interval '14 months 20 days' AND metadata = '7'")
    database.query(aged("normal", "14 months", 1))
    report.equal((database.value("SELECT rampart.prune_audit()"), classes(database)["normal"]), (0, 326), "retention: months that were tampered with, or are not sealed, stay")
    seal(database)
    report.equal((database.value("SELECT rampart.prune_audit()"), classes(database)["normal"]), (1, 305), "retention: the other one goes when it is sealed")


def check_crash(report, world):
    database = set_up(world, "crashed")
    session = database.connect(autocommit=False)
    on(session, "SELECT rampart.prune_audit()")
    on(session, "SELECT pg_switch_wal()")
    before = database.cluster.log()
    world.cluster.crash()
    session.close()
    report.ok("recovery" in world.cluster.log()[len(before):], "retention: the server crashed in the middle")
    report.equal(classes(database), {"normal": 325, "security": 40}, "retention: a crash in the middle leaves all as it was")
    report.ok(good(database) and sealed_all(database), "retention: and proved", database.query("SELECT * FROM rampart.verify_audit()"))
    report.equal(database.value("SELECT rampart.prune_audit()"), 3, "retention: it is done the next time")
    seal(database)
    report.ok(good(database), "retention: after a crash, the log verifies")


def check_erasure(report, world):
    database = world.database("erased")
    database.query("CREATE TABLE t (id int PRIMARY KEY, name text); SELECT rampart.audit_table('t'); INSERT INTO t VALUES (1, 'Ada'), (2, 'Bob')")
    seal(database)
    entry = database.value("SELECT id FROM rampart.audit_log WHERE key = '{\"id\": 1}'")
    head = newest(database)
    report.equal(database.failure(f"SELECT rampart.erase_entry({entry}, 'asked for')", user="app"), "42501", "erasure: not by anybody")
    report.equal(database.value(f"SELECT rampart.erase_entry({entry}, 'asked for by the person')"), 1, "erasure: done")
    report.equal(database.query(f"SELECT key, old, new, metadata, salt, role, operation, relation FROM rampart.audit_log WHERE id = {entry}"),
                 [(None, None, None, None, None, "postgres", "INSERT", "public.t")], "erasure: values are gone, the rest stays")
    report.equal(database.value(f"SELECT rampart.erase_entry({entry}, 'again')"), 0, "erasure: once")
    seal(database)
    report.ok(good(database) and good(database, head), "erasure: the log verifies, also against a head from before")
    report.equal(database.query("SELECT metadata ->> 'entry', metadata ->> 'reason' FROM rampart.audit_log WHERE event = 'audit.erased'"), [(str(entry), "asked for by the person")], "erasure: is recorded")
    report.equal(database.failure("UPDATE rampart.audit_log SET new = NULL WHERE key = '{\"id\": 2}'"), "RMA01", "erasure: nothing else is taken for one")
    report.equal(database.failure("UPDATE rampart.audit_log SET new = NULL, key = NULL, salt = NULL, erased = sha256('x') WHERE key = '{\"id\": 2}'"), "RMA01", "erasure: nor one with another hash")
    report.equal(database.failure("UPDATE rampart.audit_log SET new = NULL, key = NULL, salt = NULL, role = 'x', erased = rampart.payload_hash(salt, key, old, new, metadata) WHERE key = '{\"id\": 2}'"), "RMA01",
                 "erasure: nor one that changes more")


def check(world, report):
    check_prune(report, set_up(world, "retention"))
    check_interleaved(report, world)
    check_not_what_was_sealed(report, world)
    check_crash(report, world)
    check_erasure(report, world)
    database = world.database("retention_settings")
    database.query("CREATE TABLE t (id int PRIMARY KEY); SELECT rampart.audit_table('t')")
    check_settings(report, database)
