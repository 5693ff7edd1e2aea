"""The detection table: what a superuser can do to the log, and who finds out.

Each attack is made on a copy of one database, sealed three times, of which an outsider kept every head. Verification in
the database is run twice: with what it has, and against the newest head that was kept outside.
"""
from world import Database

SETUP = """
CREATE TABLE account (id int PRIMARY KEY, owner text, amount numeric);
SELECT rampart.audit_table('account');
"""
STEPS = ["INSERT INTO account SELECT i, 'owner ' || i, i FROM generate_series(1, 700) i",
         "UPDATE account SET amount = amount + 1 WHERE id <= 300", "DELETE FROM account WHERE id > 650"]
# As a superuser opens the log for changes.
OPEN = "ALTER TABLE rampart.audit_log DISABLE TRIGGER USER;"
SHUT = "ALTER TABLE rampart.audit_log ENABLE ALWAYS TRIGGER append_only; ALTER TABLE rampart.audit_log ENABLE ALWAYS TRIGGER append_only_truncate;"
# An entry of somewhere in the middle.
VICTIM = "(SELECT (e.entry).id FROM rampart.sealed_entries('normal', 500, 1) e)"
COLUMNS = "class, at, event, severity, role, session_role, lineage, relation, operation, new"
FORGED = """INSERT INTO rampart.audit_log (id, xid, {0})
            SELECT {1}, {2}, l.class, l.at, l.event, l.severity, 'somebody', 'somebody', l.lineage, l.relation, l.operation, '{{{{"id": 4711}}}}'
            FROM rampart.audit_log l WHERE l.id = {3};""".format(COLUMNS, "{id}", "{xid}", VICTIM)
LEAF = """UPDATE rampart.audit_tile SET hashes = overlay(hashes PLACING
              sha256('\\x00'::bytea || 'forged'::bytea) FROM (500 % 256) * 32 + 1 FOR 32) WHERE class = 'normal' AND level = 0 AND index = 500 / 256;"""
RESEAL = """UPDATE rampart.audit_tree SET size = 0; DELETE FROM rampart.audit_run; DELETE FROM rampart.audit_tile;
            DELETE FROM rampart.audit_checkpoint; UPDATE rampart.audit_lineage SET next = '0', open = '{}'; SELECT rampart.seal();"""
FOUND_NOWHERE, FOUND_HERE, FOUND_OUTSIDE = (False, False), (True, True), (False, True)

# What is done, who finds it (here, against the head from outside), and what the report says of it.
ATTACKS = [
    ("a value of a sealed row is edited", f"UPDATE rampart.audit_log SET new = '{{\"amount\": 0}}' WHERE id = {VICTIM};", FOUND_HERE, "Entry changed, at leaf 500."),
    ("the actor of a sealed row is edited", f"UPDATE rampart.audit_log SET actor = 'mallory' WHERE id = {VICTIM};", FOUND_HERE, "Entry changed, at leaf 500."),
    ("the role of a sealed row is edited", f"UPDATE rampart.audit_log SET role = 'mallory' WHERE id = {VICTIM};", FOUND_HERE, "Entry changed, at leaf 500."),
    ("the time of a sealed row is edited", f"UPDATE rampart.audit_log SET at = at - interval '1 second' WHERE id = {VICTIM};", FOUND_HERE, "at leaf 500."),
    ("the salt of a sealed row is edited", f"UPDATE rampart.audit_log SET salt = '\\x00' WHERE id = {VICTIM};", FOUND_HERE, "Entry changed, at leaf 500."),
    ("a payload is erased with a hash that is not its own", f"UPDATE rampart.audit_log SET new = NULL, key = NULL, salt = NULL, erased = sha256('') WHERE id = {VICTIM};",
     FOUND_HERE, "Entry changed, at leaf 500."),
    ("a sealed row is deleted", f"DELETE FROM rampart.audit_log WHERE id = {VICTIM};", FOUND_HERE, "Entry missing, at leaf 500."),
    ("all rows of a transaction are deleted", f"DELETE FROM rampart.audit_log WHERE xid = (SELECT xid FROM rampart.audit_log WHERE id = {VICTIM});",
     FOUND_HERE, "Entry missing, at leaf 0."),
    ("two rows change places", f"""UPDATE rampart.audit_log l SET id = -l.id WHERE l.id IN ({VICTIM}, {VICTIM} + 1);
        UPDATE rampart.audit_log l SET id = 2 * m.id + 1 + l.id FROM (SELECT -max(id) AS id FROM rampart.audit_log WHERE id < 0) m WHERE l.id < 0;""",
     FOUND_HERE, "Entry changed, at leaf 500."),
    ("a row is inserted into a sealed transaction", FORGED.format(id="-5", xid=f"(SELECT xid FROM rampart.audit_log WHERE id = {VICTIM})"), FOUND_HERE, "Entry added"),
    ("a row is inserted between sealed ones", FORGED.format(id=f"{VICTIM}", xid=f"(SELECT xid FROM rampart.audit_log WHERE id = {VICTIM})"), FOUND_HERE, "Entry added"),
    ("a row of a transaction id from before the log is inserted", FORGED.format(id="-5", xid="'100'::xid8"), FOUND_HERE, "Entry added"),
    ("a row is inserted into a month that has none", FORGED.replace("l.at", "l.at - interval '3 years'").format(id="-5", xid="'100'::xid8"), FOUND_HERE, "behind the sealer's back"),
    ("a row is inserted for another database", FORGED.replace("l.lineage,", "l.lineage + 1,").format(id="-5", xid="'100'::xid8"), FOUND_HERE, "of a database that the log does not know"),
    ("a row and its leaf hash are edited", f"UPDATE rampart.audit_log SET new = '{{}}' WHERE id = {VICTIM};" + LEAF, FOUND_HERE, "Root differs from a signed head"),
    ("a hash above the leaves is edited", "UPDATE rampart.audit_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 1 FOR 32) WHERE class = 'normal' AND level = 1;",
     FOUND_HERE, "Hashes of the tree differ"),
    ("a tile is deleted", "DELETE FROM rampart.audit_tile WHERE class = 'normal' AND level = 0 AND index = 1;", FOUND_HERE, "Leaf lost, at leaf 256"),
    ("which entries are where is deleted", "DELETE FROM rampart.audit_run WHERE class = 'normal' AND first = 700;", FOUND_HERE, "Which entries belong to leaves 700 to 999 is lost."),
    ("a month is marked as removed, and deleted", "UPDATE rampart.audit_run SET removed = true WHERE class = 'normal'; DELETE FROM rampart.audit_log WHERE class = 'normal';",
     FOUND_HERE, "are gone, and no event says that retention removed them."),
    ("the front of the log is cut off", """DELETE FROM rampart.audit_log WHERE class = 'normal' AND xid < (SELECT min(to_xid) FROM rampart.audit_run WHERE class = 'normal');
        UPDATE rampart.audit_tree t SET front = rampart.tree_frontier(t.class, t.front, 700) WHERE t.class = 'normal';
        DELETE FROM rampart.audit_run WHERE class = 'normal' AND first = 0;""", FOUND_HERE, "The first 700 entries are gone, and no event says"),
    ("a checkpoint is edited", "UPDATE rampart.audit_checkpoint SET note = replace(note, 'normal 1050', 'normal 1049');", FOUND_HERE, "is not signed by a key of this log"),
    ("the newest checkpoint is deleted", "DELETE FROM rampart.audit_checkpoint WHERE number = (SELECT max(number) FROM rampart.audit_checkpoint);", FOUND_HERE, "The newest signed head states 1000 entries, the log 1050."),
    ("the tail is cut without its head", """DELETE FROM rampart.audit_log WHERE class = 'normal' AND operation = 'DELETE'; DELETE FROM rampart.audit_run WHERE first = 1000;
        UPDATE rampart.audit_tree SET size = 1000 WHERE class = 'normal';""", FOUND_HERE, "The newest signed head states 1050 entries, the log 1000."),
    ("the tail is cut back to an older signed head", """DELETE FROM rampart.audit_log WHERE class = 'normal' AND operation = 'DELETE'; DELETE FROM rampart.audit_run WHERE first = 1000;
        UPDATE rampart.audit_tree SET size = 1000 WHERE class = 'normal'; UPDATE rampart.audit_tile t SET hashes = substr(t.hashes, 1, 232 * 32) WHERE class = 'normal' AND level = 0 AND index = 3;
        DELETE FROM rampart.audit_checkpoint WHERE number = (SELECT max(number) FROM rampart.audit_checkpoint);""", FOUND_OUTSIDE, "The log was cut back: it has 1000 entries, and had 1050."),
    ("everything is rewritten with the signing key", f"UPDATE rampart.audit_log SET new = '{{}}' WHERE id = {VICTIM};" + RESEAL, FOUND_OUTSIDE, "The log was rewritten"),
    ("a row is forged before it is sealed", FORGED.format(id="nextval('rampart.audit_log_id')", xid="pg_current_xact_id()"), FOUND_NOWHERE, None),
    ("a row is deleted before it is sealed", "INSERT INTO account VALUES (9999); DELETE FROM rampart.audit_log WHERE key = '{\"id\": 9999}';", FOUND_NOWHERE, None),
]
# Nothing is written any more: not found by the tree, but by the check of what should be recorded. What is left of it in the log.
SILENCED = [
    ("an audit trigger is disabled", "ALTER TABLE account DISABLE TRIGGER rampart_audit_row", "Changes of public.account are not recorded", "audit.disabled"),
    ("an audit trigger is dropped", "DROP TRIGGER rampart_audit_row ON account", "Changes of public.account are not recorded", "audit.disabled"),
    ("triggers fire for replicas only", "ALTER TABLE account ENABLE REPLICA TRIGGER rampart_audit_row", "Changes of public.account are not recorded", "audit.disabled"),
    ("the catalog is edited", "SET allow_system_table_mods = on; UPDATE pg_trigger SET tgenabled = 'D' WHERE tgname = 'rampart_audit_row'",
     "Changes of public.account are not recorded", None),
    ("the log is opened for changes", "ALTER TABLE rampart.audit_log DISABLE TRIGGER append_only", "rampart.audit_log can be changed", None),
    ("an event trigger is disabled", "ALTER EVENT TRIGGER rampart_watch_auditing DISABLE", "What is done to audit triggers is not recorded", None),
]


def findings(database, since=None):
    """The lines of the report that are not good."""
    rows = database.query("SELECT class, entry_id, detail FROM rampart.verify_audit(%s) WHERE NOT ok", (since,))
    return [detail for _, _, detail in rows]


def copy(world, base, number):
    name = f"attacked_{number}"
    world.cluster.query(f"CREATE DATABASE {name} TEMPLATE {base.name}")
    return Database(world.cluster, name)


def drop(world, database):
    world.cluster.query(f"DROP DATABASE {database.name} WITH (FORCE)")


def check_attack(world, report, base, number, head, attack):
    name, sql, expected, words = attack
    database = copy(world, base, number)
    database.query(OPEN + sql + SHUT)
    here = findings(database)
    outside = here + findings(database, head)
    report.equal((bool(here), bool(outside)), expected, f"attack: {name}: {'found' if expected[0] else 'not found'} here, {'found' if expected[1] else 'not found'} from outside")
    if words:
        report.ok(any(words in detail for detail in outside), f"attack: {name}: the report says so", "\n".join(outside))
    drop(world, database)


def check_silenced(world, report, base, number, head, attack):
    name, sql, words, event = attack
    database = copy(world, base, number)
    last = database.last()
    database.query(sql)
    for where, found in (("here", findings(database)), ("from outside", findings(database, head))):
        report.ok(any(words in detail for detail in found), f"attack: {name}: found {where} by what should be recorded", found)
    if event:
        report.ok(event in [row[0] for row in database.events(last)], f"attack: {name}: the log says so", database.events(last))
    drop(world, database)


def check_older_copy(world, report, base, heads):
    """A copy of the database from before the last head: right in itself, and shown to be old by any later head."""
    older = copy(world, base, "older")
    head = older.value("SELECT note FROM rampart.audit_checkpoint ORDER BY number DESC LIMIT 1")
    base.query("INSERT INTO account VALUES (10000)")
    base.query("SELECT rampart.seal()")
    newer = base.value("SELECT note FROM rampart.audit_checkpoint ORDER BY number DESC LIMIT 1")
    report.equal(findings(older), [], "attack: an older copy is restored: not found here")
    report.equal(findings(older, head), [], "attack: an older copy is restored: not found by a head that it has")
    report.ok(any("cut back" in detail for detail in findings(older, newer)), "attack: an older copy is restored: found by a later head")
    # Different heads for different auditors: no proof leads from the one to the other.
    older.query("INSERT INTO account VALUES (20000)")
    older.query("SELECT rampart.seal()")
    forked = older.value("SELECT note FROM rampart.audit_checkpoint ORDER BY number DESC LIMIT 1")
    report.ok(any("rewritten" in detail for detail in findings(base, forked)) and any("rewritten" in detail for detail in findings(older, newer)),
              "attack: two auditors are shown two logs: found when they compare heads")
    report.equal((findings(base), findings(older)), ([], []), "attack: two auditors are shown two logs: not found by either alone")
    drop(world, older)


def check(world, report):
    base = world.database("attacks")
    base.query(SETUP)
    for step in STEPS:
        base.query(step)
        base.query("SELECT rampart.seal()")
    heads = [row[0] for row in base.query("SELECT note FROM rampart.audit_checkpoint ORDER BY number")]
    report.equal((findings(base), findings(base, heads[0]), findings(base, heads[-1])), ([], [], []), "attack: none yet, nothing found")
    for number, attack in enumerate(ATTACKS):
        check_attack(world, report, base, number, heads[-1], attack)
    for number, attack in enumerate(SILENCED):
        check_silenced(world, report, base, f"silenced_{number}", heads[-1], attack)
    check_older_copy(world, report, base, heads)
    report.equal(base.value("SELECT count(*) FROM rampart.audit_log WHERE event = 'audit.tamper_detected'"), 1, "attack: what verification finds becomes an event")
