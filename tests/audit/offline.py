"""The whole way: entries are sealed, exported with psql, and verified without the server; what a superuser does to them is named.

Each attack is done in a transaction that is rolled back once the export is made. The independent verifier reads the same files.
"""
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests/vectors"), str(ROOT / "tests/verify")]
import audit_export  # noqa: E402
from cluster import run as run_server_program  # noqa: E402
from program import Files, run  # noqa: E402
from world import on  # noqa: E402

CLASSES = ("normal", "security")
# As a superuser can.
OPEN = """
DO $$ DECLARE t record; BEGIN
    FOR t IN SELECT p.relid::regclass AS name FROM pg_partition_tree('rampart.audit_log') p LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', t.name);
    END LOOP;
END $$;
"""
SEAL_ANEW = """
DELETE FROM rampart.audit_run; DELETE FROM rampart.audit_tile; DELETE FROM rampart.audit_checkpoint;
UPDATE rampart.audit_tree SET size = 0; UPDATE rampart.audit_lineage SET next = '0', open = '{}'; SELECT rampart.seal();
"""
VICTIM = "(SELECT (e.entry).id FROM rampart.sealed_entries('normal', 5, 1) e)"
# What is done, what is found, and of which entry of class normal.
ATTACKS = [
    ("an actor changed", f"UPDATE rampart.audit_log SET actor = 'mallory' WHERE id = {VICTIM}", ["altered"], 5),
    ("a time changed", f"UPDATE rampart.audit_log SET at = at + interval '1 microsecond' WHERE id = {VICTIM}", ["altered"], 5),
    ("values changed", f"""UPDATE rampart.audit_log SET new = '{{"id": 1}}' WHERE id = {VICTIM}""", ["altered"], 5),
    ("values and salt taken away", f"UPDATE rampart.audit_log SET key = NULL, old = NULL, new = NULL, salt = NULL WHERE id = {VICTIM}", ["altered"], 5),
    ("a salt taken away", f"UPDATE rampart.audit_log SET salt = NULL WHERE id = {VICTIM}", ["altered"], 5),
    ("a false erasure", f"UPDATE rampart.audit_log SET key = NULL, old = NULL, new = NULL, salt = NULL, erased = '\\x00' WHERE id = {VICTIM}", ["altered"], 5),
    ("a row deleted", f"DELETE FROM rampart.audit_log WHERE id = {VICTIM}", ["missing", "removed"], 5),
    # Before all others of its transaction. Behind them all, it would be left out of the export: verify_audit finds it there.
    ("a row inserted in the past", f"""
        CREATE TEMP TABLE forged AS SELECT l.* FROM rampart.audit_log l WHERE l.id = {VICTIM};
        UPDATE forged SET id = -1, actor = 'mallory'; INSERT INTO rampart.audit_log TABLE forged""", ["inserted"], 0),
    ("a stored leaf hash changed", """
        UPDATE rampart.audit_tile SET hashes = set_byte(hashes, 5 * 32, get_byte(hashes, 5 * 32) # 1) WHERE class = 'normal' AND level = 0 AND index = 0""",
     ["leaf_hash"], 5),
]


def export(connection, *arguments):
    """The export of both classes as a session sees it."""
    lines = [row[0] for name in CLASSES for row in on(connection, "SELECT rampart.export_evidence(%s)", (name,))]
    return "\n".join(lines) + "\n"


def fill(database):
    database.query("CREATE TABLE people (id int PRIMARY KEY, name text, mail enc_text(pii, deterministic), picture bytea);"
                   "CREATE TABLE keyless (a int); SELECT rampart.audit_table('people'); SELECT rampart.audit_table('keyless')")
    key = database.value("SELECT rampart.start_sealing()")
    database.query("SELECT rampart.seal()")
    database.query("""INSERT INTO people SELECT i, 'Grüße "' || i || E'"\\\\\\n\\x01 日本 🙂', i || '@example.com', NULL FROM generate_series(1, 8) i""")
    database.query("BEGIN; SELECT rampart.set_context(actor => 'ada', org => '', ip => '2001:db8::/32', user_agent => repeat('x', 4000));"
                   "UPDATE people SET name = NULL WHERE id = 3; SET LOCAL application_name = 'a\"b'; DELETE FROM people WHERE id = 4; COMMIT")
    database.query("SELECT rampart.seal()")
    database.query("INSERT INTO keyless VALUES (NULL), (1); TRUNCATE keyless; UPDATE people SET picture = decode(repeat('00ff', 5000), 'hex') WHERE id = 1")
    database.query("SELECT rampart.seal()")
    database.query("INSERT INTO people SELECT i, 'x', 'y', NULL FROM generate_series(100, 700) i; ALTER TABLE people DISABLE TRIGGER rampart_audit_row")
    database.query("SELECT rampart.seal()")
    return key


def notes_of(database):
    return [row[0] for row in database.query("SELECT note FROM rampart.audit_checkpoint ORDER BY number")]


def with_psql(world, database, files, user="postgres"):
    """As the documentation says."""
    names = []
    for name in CLASSES:
        done = run_server_program("psql", "-AtX", "-v", "FETCH_COUNT=100", "-d", world.cluster.dsn(user, database.name) + " client_encoding=UTF8",
                                  "-c", f"SELECT rampart.export_evidence('{name}')")
        names.append(files.write(done.stdout))
    return names


def check_good(world, report, database, files, key, heads, notes):
    names = with_psql(world, database, files)
    answer = run("log", "--key", key, "--checkpoint", heads, *names)
    size = database.value("SELECT rampart.sealed_size('normal')")
    normal = next(part for part in answer.report["classes"] if part["class"] == "normal")
    report.equal((answer.code, answer.report["notes"], normal["proven"], normal["checkpoints"]), (0, [], size, len({n.split("\n")[3] for n in notes})),
                 "offline: an export verifies against all checkpoints")
    text = "".join(Path(name).read_text(encoding="utf-8") for name in names)
    report.equal(audit_export.verify(text, [note.encode() for note in notes], key), {"normal": None, "security": None}, "offline: and with the independent verifier")
    report.ok("@example.com" not in text and "rmp1:" in text, "offline: encrypted values are armour in it")
    part = "\n".join(row[0] for row in database.query("SELECT rampart.export_evidence('normal', 9)")) + "\n"
    answer = run("log", "--key", key, "--checkpoint", heads, "--class", "normal", "--kept-from", "normal=9", files.write(part))
    report.equal((answer.code, answer.report["classes"][0]["first"], answer.report["classes"][0]["proven"]), (0, 9, size), "offline: what came since leaf 9")
    part = "\n".join(row[0] for row in database.query("SELECT rampart.export_evidence('normal', 3, 300)")) + "\n"
    answer = run("log", "--key", key, "--checkpoint", heads, "--class", "normal", "--kept-from", "normal=3", "--until", "normal=303", files.write(part))
    report.equal((answer.code, answer.report["classes"][0]["end"]), (0, 303), "offline: a piece")


def check_attacks(report, database, files, key, heads, notes):
    for name, attack, kinds, first in ATTACKS:
        session = database.connect(autocommit=False)
        try:
            on(session, OPEN + attack)
            text = export(session)
        finally:
            session.rollback()
            session.close()
        answer = run("log", "--key", key, "--checkpoint", heads, files.write(text))
        report.equal((answer.code, sorted(answer.kinds), answer.first("normal")), (1, kinds, first), f"offline: {name}")
        report.equal(audit_export.verify(text, [note.encode() for note in notes], key)["normal"], first, f"offline: {name}, to the independent verifier")


def check_history(report, database, files, key, heads, notes):
    """What only a head that is kept outside shows."""
    session = database.connect(autocommit=False)
    on(session, OPEN + f"UPDATE rampart.audit_log SET actor = 'mallory' WHERE id = {VICTIM};" + SEAL_ANEW)
    text = export(session)
    session.rollback()
    export_file = files.write(text)
    answer = run("log", "--key", key, export_file)
    report.equal((answer.code, len(answer.report["notes"])), (0, 1), "offline: a history rewritten with the key is good to whoever has no checkpoint")
    answer = run("log", "--key", key, "--checkpoint", heads, export_file)
    report.equal((answer.code, answer.kinds[:1] + sorted(set(answer.kinds[1:]))), (1, answer.kinds[:1] + sorted(set(answer.kinds[1:]))),
                 "offline: and not to whoever has one")
    report.ok({"forked", "not_continued", "rewritten"} & set(answer.kinds), "offline: two histories were signed", answer.output)
    on(session, """DELETE FROM rampart.audit_run r WHERE r.class = 'normal' AND r.first >= (SELECT (c.sizes ->> 'normal')::int8 FROM rampart.audit_checkpoint c ORDER BY c.number DESC OFFSET 1 LIMIT 1);
                   DELETE FROM rampart.audit_checkpoint WHERE number = (SELECT max(number) FROM rampart.audit_checkpoint);
                   UPDATE rampart.audit_tree t SET size = (SELECT (c.sizes ->> t.class)::int8 FROM rampart.audit_checkpoint c ORDER BY c.number DESC LIMIT 1)""")
    text = export(session)
    session.rollback()
    session.close()
    answer = run("log", "--key", key, files.write(text))
    report.equal(answer.code, 0, "offline: a log that was rolled back is good to whoever has no newer checkpoint")
    answer = run("log", "--key", key, "--checkpoint", heads, files.write(text))
    report.equal((answer.code, set(answer.kinds)), (1, {"rolled_back"}), "offline: and not to whoever has")


def check_proofs(report, database, files, key, heads):
    entry = database.value(f"SELECT {VICTIM}")
    proof = database.value("SELECT rampart.export_proof(%s)", (entry,))
    answer = run("entry", "--key", key, "--checkpoint", heads, files.write(proof))
    report.ok(answer.code == 0 and f"(id {entry})" in answer.report["proved"][0], "offline: one entry by its proof", answer.output)
    report.equal(run("entry", "--key", key, "--checkpoint", heads, files.write(proof.replace("people", "peoplf"))).kinds, ["altered"], "offline: another entry by it")
    report.equal(database.value("SELECT rampart.export_proof(-1)"), None, "offline: no proof of an entry that is not sealed")
    sizes = [row[0] for row in database.query("SELECT (c.sizes ->> 'normal')::int8 FROM rampart.audit_checkpoint c ORDER BY 1")]
    growth = database.value("SELECT rampart.export_consistency('normal', %s, %s)", (sizes[1], sizes[-1]))
    report.equal(run("heads", "--key", key, "--checkpoint", heads, files.write(growth)).code, 0, "offline: that a checkpoint continues another")


def check_rights(report, database):
    calls = ["rampart.export_evidence('normal')", "rampart.export_proof(1)", "rampart.export_consistency('normal', 0, 1)",
             "rampart.evidence_range('normal', 0, 1)"]
    for call in calls:
        report.equal(database.failure(f"SELECT {call}", user="app"), "42501", f"offline: {call} is not for everybody")
    database.query("GRANT EXECUTE ON FUNCTION rampart.export_evidence TO reader")
    report.equal(database.failure("SELECT count(*) FROM (SELECT rampart.export_evidence('normal')) l", user="reader"), None, "offline: the function alone can be granted")
    for arguments, code in (("NULL", "RMA06"), ("'other'", "RMA06"), ("'normal; DROP TABLE x'", "RMA06"), ("'normal', -1", "22023"), ("'normal', NULL", "22023"),
                            ("'normal', 9223372036854775807", "22023"), ("'normal', 0, -1", "22023")):
        report.equal(database.failure(f"SELECT rampart.export_evidence({arguments})"), code, f"offline: export_evidence({arguments})")
    report.equal(len(database.query("SELECT rampart.export_evidence('normal', 2, 0)")), 2, "offline: no entries are none")
    report.equal(len(database.query("SELECT rampart.export_evidence('normal', 0, 9223372036854775807)")),
                 database.value("SELECT rampart.sealed_size('normal')") + 1, "offline: more than there are are all")


def check_retention(report, database, files, key, heads):
    """Erased values and removed months leave proofs whole."""
    session = database.connect(autocommit=False)
    on(session, f"SELECT rampart.erase_entry({VICTIM}, 'asked for')")
    answer = run("log", "--key", key, "--checkpoint", heads, files.write(export(session)))
    report.equal((answer.code, answer.report["classes"][0]["erased"]), (0, 1), "offline: erased values leave the log as it is")
    size = on(session, "SELECT rampart.sealed_size('normal')")[0][0]
    report.equal(on(session, "SELECT rampart.prune_month('normal', date_trunc('month', now() AT TIME ZONE 'UTC')::date)")[0][0], None, "offline: a month is removed")
    text = export(session)
    session.rollback()
    session.close()
    answer = run("log", "--key", key, "--checkpoint", heads, "--kept-from", f"normal={size}", files.write(text))
    report.equal((answer.code, answer.report["classes"][0]["first"]), (0, size), "offline: hashes stand for it")
    report.equal(run("log", "--key", key, "--checkpoint", heads, files.write(text)).code, 2, "offline: which is to be accounted for")


def check_encoding(world, report, files):
    """Leaves are of UTF-8 whatever the database is of."""
    world.cluster.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    database = type(world.database("offline_helper"))(world.cluster, "latin")
    database.query("CREATE EXTENSION rampart; CREATE TABLE t (id int PRIMARY KEY, a text); SELECT rampart.audit_table('t')")
    key = database.value("SELECT rampart.start_sealing()")
    database.query("INSERT INTO t VALUES (1, 'Grüße')")
    database.query("SELECT rampart.seal()")
    heads = files.heads(note.replace("\n-- ", "\n\u2014 ") for note in notes_of(database))
    answer = run("log", "--key", key, "--checkpoint", heads, *with_psql(world, database, files))
    report.equal((answer.code, answer.kinds, answer.report["problems"]), (0, [], []), "offline: a database in LATIN1")


def check(world, report):
    os.environ.setdefault("RAMPART_WORK", "/tmp")
    database, files = world.database("offline"), Files()
    key = fill(database)
    notes = notes_of(database)
    heads = files.heads(notes)
    check_good(world, report, database, files, key, heads, notes)
    check_attacks(report, database, files, key, heads, notes)
    check_history(report, database, files, key, heads, notes)
    check_proofs(report, database, files, key, heads)
    check_retention(report, database, files, key, heads)
    check_rights(report, database)
    check_encoding(world, report, files)
    new = database.value("SELECT rampart.rotate_audit_key()")
    database.query("INSERT INTO people VALUES (9001, 'z', 'z', NULL); UPDATE keyless SET a = 2")
    database.query("INSERT INTO keyless VALUES (5)")
    database.query("SELECT rampart.seal()")
    heads = files.heads(notes_of(database))
    names = with_psql(world, database, files)
    report.equal(run("log", "--key", key, "--key", new, "--checkpoint", heads, *names).code, 0, "offline: after a change of the signing key")
    report.equal(set(run("log", "--key", new, "--checkpoint", heads, *names).kinds), {"unsigned"}, "offline: older checkpoints take the older key")
