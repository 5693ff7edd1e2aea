"""Sealing: no entry is sealed twice or never, whatever transactions do, and proofs are what an independent program makes of them."""
import os
import random
import sys
import threading
import time

import psycopg2

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors"))
import audit as independent  # noqa: E402
from process_memory import Growth  # noqa: E402
from world import on  # noqa: E402

SETUP = "CREATE TABLE t (id int PRIMARY KEY, v text); SELECT rampart.audit_table('t')"
# Of each class: entries in the log, leaves, entries of runs, and distinct ones by leaf.
STATE = """SELECT t.class, (SELECT count(*) FROM rampart.audit_log l WHERE l.class = t.class), t.size,
                  (SELECT coalesce(sum(r.entries), 0) FROM rampart.audit_run r WHERE r.class = t.class),
                  (SELECT count(DISTINCT ((e.entry).lineage, (e.entry).xid, (e.entry).id)) FROM rampart.sealed_entries(t.class, 0, t.size) e)
           FROM rampart.audit_tree t ORDER BY 1"""
HEADER = {"Event": 5, "Class": 6, "Severity": 7, "Actor": 8, "Org": 9, "Ip": 10, "UserAgent": 11, "RequestId": 12, "Role": 13,
          "SessionRole": 14, "Application": 15, "Client": 16, "Relation": 17, "Operation": 18}
# As docs/formats.md says, and from SQL alone.
ENTRIES = """SELECT (e).id, ((extract(epoch FROM (e).at) - 946684800) * 1000000)::int8, (e).xid::text, (e).lineage, e.index, (e).event, (e).class, (e).severity,
                    (e).actor, (e).org, (e).ip::text, (e).user_agent, (e).request_id, (e).role, (e).session_role, (e).application, (e).client::text,
                    (e).relation, (e).operation, (e).salt, (e).key::text, (e).old::text, (e).new::text, (e).metadata::text
             FROM (SELECT s.index, s.entry AS e FROM rampart.sealed_entries(%s, 0, 100000) s) e"""


def sealed_all(database):
    """Whether every entry is sealed, and once."""
    return all(len({entries, size, of_runs, distinct}) == 1 for _, entries, size, of_runs, distinct in database.query(STATE))


def good(database, since=None):
    return [row for row in database.query("SELECT class, ok, detail FROM rampart.verify_audit(%s)", (since,)) if not row[1]] == []


def newest(database):
    return database.value("SELECT note FROM rampart.audit_checkpoint ORDER BY number DESC LIMIT 1")


def leaf_of(row):
    text = {name: row[i] for name, i in HEADER.items()}
    values = {name: None if value is None else value.encode() for name, value in text.items()}
    payload = dict(zip(independent.PAYLOAD, (None if value is None else value.encode() for value in row[20:24])))
    salt = bytes(row[19]) if row[19] is not None else b""
    leaf = independent.leaf_bytes(row[0], row[1], int(row[2]), row[3], values, independent.payload_hash(salt, payload))
    return independent.leaf_hash(leaf)


def check_independently(report, database, name):
    """Leaves, roots, proofs and signatures, computed by a program that knows the documented format only."""
    origin, heads = independent.open_checkpoint(newest(database).replace("\n-- ", "\n\u2014 ").encode(), database.value("SELECT verifier FROM rampart.audit_keys LIMIT 1"))
    report.equal(origin, database.value("SELECT max(origin) FROM rampart.audit_tree"), f"{name}: the checkpoint is signed and of this log")
    for log_class, (size, root) in heads.items():
        rows = database.query("SELECT * FROM (" + ENTRIES + ") e ORDER BY index", (log_class,))
        leaves = [leaf_of(row) for row in rows][:size]
        report.equal((len(leaves), independent.root(leaves)), (size, root), f"{name}: the entries of class {log_class} make the signed root")
        for entry_id, index in random.Random(1).sample([(row[0], row[4]) for row in rows[:size]], min(10, size)):
            proof = database.query("SELECT index, size, leaf, proof FROM rampart.inclusion_proof(%s) WHERE class = %s", (entry_id, log_class))[0]
            if (proof[0], bytes(proof[2])) != (index, leaves[index]) or \
                    independent.root_of_inclusion(leaves[index], index, size, [bytes(h) for h in proof[3]]) != root:
                report.ok(False, f"{name}: entry {entry_id} of class {log_class} is included", proof)
                break
        else:
            report.ok(True, f"{name}: entries of class {log_class} are proved to be included")
        for old in random.Random(2).sample(range(1, size + 1), min(10, size)):
            proof = [bytes(h) for h in database.value("SELECT rampart.consistency_proof(%s, %s, %s)", (log_class, old, size))]
            if proof != independent.consistency(old, leaves):
                report.ok(False, f"{name}: class {log_class} is consistent from {old} to {size}", proof)
                break
        else:
            report.ok(True, f"{name}: class {log_class} is proved to be consistent")


def check_start(report, database):
    report.raises("RMA06", lambda: database.query("SELECT rampart.seal()"), "sealing: seal() before it has begun")
    report.equal(database.query("SELECT item, ok FROM rampart.verify_audit()"), [("sealing", False)], "sealing: verification says that it has not begun")
    report.equal(database.query("SELECT * FROM rampart.inclusion_proof(1)"), [], "sealing: no proof before it has begun")
    report.raises("22023", lambda: database.query("SELECT rampart.start_sealing('two words')"), "sealing: a name with white space")
    report.raises("22023", lambda: database.query("SELECT rampart.start_sealing(E'line\\nline')"), "sealing: a name of two lines")
    report.raises("22023", lambda: database.query("SELECT rampart.start_sealing('')"), "sealing: an empty name")
    report.raises("22023", lambda: database.query("SELECT rampart.start_sealing('Köln')"), "sealing: a name that some encodings do not have")
    database.query(SETUP)
    verifier = database.value("SELECT rampart.start_sealing()")
    report.ok(verifier.startswith("rampart/") and verifier == database.value("SELECT rampart.start_sealing()"),
              "sealing: begun by audit_table, and once", verifier)
    report.raises("55000", lambda: database.query("SELECT rampart.start_sealing('another/name')"), "sealing: a log keeps its name")


def check_transactions(report, database):
    """What is open when the sealer passes is sealed when it has ended, and not before."""
    seal = lambda: database.value("SELECT rampart.seal()")  # noqa: E731
    seal()
    open_one, rolled_back = database.connect(autocommit=False), database.connect(autocommit=False)
    on(open_one, "INSERT INTO t VALUES (1, 'open')")
    on(rolled_back, "INSERT INTO t VALUES (2, 'rolled back')")
    prepared = database.connect()
    on(prepared, "BEGIN; INSERT INTO t VALUES (3, 'prepared'); PREPARE TRANSACTION 'left open'")
    database.query("INSERT INTO t SELECT i, 'done' FROM generate_series(10, 19) i")
    report.equal(seal(), 10, "open transactions: they delay nobody else's entries")
    report.ok(good(database), "open transactions: the log verifies meanwhile")
    on(open_one, "SAVEPOINT a; INSERT INTO t VALUES (4, 'kept'); SAVEPOINT b; INSERT INTO t VALUES (5, 'not'); ROLLBACK TO b; RELEASE a")
    open_one.commit()
    rolled_back.rollback()
    report.equal(seal(), 2, "open transactions: sealed when they have ended, and what was rolled back never")
    database.query("COMMIT PREPARED 'left open'")
    report.equal((seal(), seal()), (1, 0), "open transactions: a prepared one is sealed when it is committed")
    report.ok(sealed_all(database) and good(database), "open transactions: every entry is sealed once", database.query(STATE))
    own = database.connect(autocommit=False)
    on(own, "INSERT INTO t VALUES (100, 'before')")
    report.equal(on(own, "SELECT rampart.seal()"), [(0,)], "the sealing transaction's own entries: not yet")
    on(own, "INSERT INTO t VALUES (101, 'after')")
    own.commit()
    report.equal(seal(), 2, "the sealing transaction's own entries: the next time")
    strict = database.connect(autocommit=False)
    strict.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
    report.raises("25001", lambda: on(strict, "SELECT rampart.seal()"), "sealing: at READ COMMITTED only")
    for connection in (open_one, rolled_back, prepared, own, strict):
        connection.close()


def check_keys(report, database):
    before = newest(database)
    old = database.value("SELECT verifier FROM rampart.audit_keys")
    new = database.value("SELECT rampart.rotate_audit_key()")
    database.query("INSERT INTO t VALUES (200, 'new key')")
    database.query("SELECT rampart.seal()")
    both = newest(database)
    database.query("INSERT INTO t VALUES (201, 'new key')")
    database.query("SELECT rampart.seal()")
    opens = lambda note, key: database.query("SELECT count(*) > 0 FROM rampart.open_checkpoint(%s, (SELECT max(origin) FROM rampart.audit_tree), ARRAY[%s])", (note, key))[0][0]  # noqa: E731
    report.equal([(opens(note, old), opens(note, new)) for note in (before, both, newest(database))], [(True, False), (True, True), (False, True)],
                 "signing key: the first checkpoint of a new key bears both signatures")
    report.ok(good(database) and good(database, before), "signing key: heads of both keys verify")
    report.equal(database.value("SELECT count(*) FROM rampart.key WHERE purpose = 'signing' AND state = 'active'"), 1, "signing key: one is active")


def wait_until(condition, seconds):
    end = time.time() + seconds
    while not condition() and time.time() < end:
        time.sleep(0.05)
    return condition()


def check_exported_heads(report, database):
    listener = database.connect()
    on(listener, "LISTEN rampart_checkpoint")
    database.query("INSERT INTO t VALUES (300, 'notified')")
    database.query("SELECT rampart.seal()")
    wait_until(lambda: listener.poll() or listener.notifies, 10)
    report.equal([n.payload for n in listener.notifies], [newest(database)], "heads: listeners get the signed checkpoint")
    for name, note in (("nothing", ""), ("not a note", "hello"), ("a forged size", newest(database).replace("\n", "\n1", 1)), ("another log's", newest(database).replace("rampart/", "other/"))):
        report.ok(not good(database, note), f"heads: {name} is not taken for a head")
    report.raises("22023", lambda: database.query("SELECT rampart.consistency_proof('normal', 5, 4)"), "proofs: from a larger to a smaller size")
    report.raises("22023", lambda: database.query("SELECT rampart.consistency_proof('normal', -1, 4)"), "proofs: from a negative size")
    report.raises("22023", lambda: database.query("SELECT rampart.consistency_proof('normal', 1, 999999999)"), "proofs: to a size that is not there")
    report.raises("RMA06", lambda: database.query("SELECT rampart.consistency_proof('nonsense', 1, 2)"), "proofs: of a class that is not there")


def write(database, stop, failures, number):
    """Commits, rolls back, stays open for a while, prepares; survives lost connections."""
    rng, at = random.Random(number), 0
    while not stop.is_set():
        try:
            connection = database.connect(autocommit=False)
            while not stop.is_set():
                at += 1
                on(connection, "INSERT INTO load SELECT %s + i, 'x' FROM generate_series(1, %s) i", (number * 10_000_000 + at * 100, rng.randint(1, 20)))
                if rng.random() < 0.1:
                    time.sleep(rng.random() * 0.3)
                if rng.random() < 0.2:
                    on(connection, "SAVEPOINT s; UPDATE load SET v = 'y' WHERE id = %s; ROLLBACK TO s", (number * 10_000_000 + at * 100 + 1,))
                connection.rollback() if rng.random() < 0.2 else connection.commit()
        except psycopg2.Error as error:
            if error.pgcode not in (None, "57P01", "57P02", "57P03"):
                failures.append(error)
            time.sleep(0.1)


def seal_until(database, stop, heads, pids):
    while not stop.is_set():
        try:
            connection = database.connect()
            pids.append(connection.info.backend_pid)
            while not stop.is_set():
                on(connection, "SELECT rampart.seal()")
                heads.append(on(connection, "SELECT number, note FROM rampart.audit_checkpoint ORDER BY number DESC LIMIT 1")[0])
                time.sleep(0.02)
        except psycopg2.Error:
            time.sleep(0.1)


def check_load(report, world, database, seconds=10):
    """16 writers, two sealers that are killed at random, the postmaster once; then everything is there, once."""
    database.query("CREATE TABLE load (id bigint PRIMARY KEY, v text); SELECT rampart.audit_table('load')")
    stop, failures, heads, pids, rng = threading.Event(), [], [], [], random.Random(7)
    threads = [threading.Thread(target=write, args=(database, stop, failures, n)) for n in range(16)]
    threads += [threading.Thread(target=seal_until, args=(database, stop, heads, pids)) for _ in range(2)]
    for thread in threads:
        thread.start()
    end, crashed = time.time() + seconds, False
    while time.time() < end or (len(dict(heads)) < 10 and time.time() < end + 60):
        time.sleep(0.2 + rng.random())
        if pids:
            try:
                world.cluster.query("SELECT pg_terminate_backend(%s)", (pids[-1],))
            except psycopg2.Error:
                pass
        if not crashed and time.time() > end - seconds / 2:
            crashed = True
            world.cluster.crash()
    stop.set()
    for thread in threads:
        thread.join()
    database.query("SELECT rampart.seal()")
    report.equal(failures, [], "load: nobody but who was interrupted failed")
    report.ok(sealed_all(database), "load: every entry of 16 writers is sealed once, whatever was killed", database.query(STATE))
    report.ok(good(database), "load: the log verifies")
    known = sorted(dict(heads).items())
    lost = [number for number, note in rng.sample(known, min(20, len(known))) if not good(database, note)]
    report.ok(len(known) >= 10 and not lost, "load: heads that were published are beginnings of the log", (len(known), lost))
    rows = database.value("SELECT count(*) FROM load")
    report.equal(database.value("SELECT count(*) FROM rampart.audit_log WHERE relation = 'public.load' AND operation = 'INSERT'"), rows, "load: an entry a row")


def memory_grown(database, sql):
    """MiB by which a statement makes its backend grow."""
    session = database.connect()
    on(session, "SELECT 1")
    growth = Growth(session.info.backend_pid)
    on(session, sql)
    grown = growth.end()
    session.close()
    return grown


def check_long(report, database):
    """A transaction of more entries than a run has."""
    size = database.value("SELECT rampart.sealed_size('normal')")
    database.query("CREATE TABLE bulk (id int); SELECT rampart.audit_table('bulk'); INSERT INTO bulk SELECT generate_series(1, 150000)")
    database.query("SELECT rampart.seal()")
    report.equal(database.query("SELECT entries FROM rampart.audit_run WHERE class = 'normal' AND first >= %s ORDER BY first", (size,)), [(65536,), (65536,), (18928,)],
                 "long transaction: cut into runs")
    report.ok(good(database), "long transaction: verifies")
    grown = memory_grown(database, "SELECT bool_and(ok) FROM rampart.verify_audit()")
    report.ok(grown < 8, "long transaction: in memory that does not grow with it", f"{grown:.1f} MiB")
    report.equal(database.value("SELECT array_agg((e.entry).new -> 'id' ORDER BY e.index) FROM rampart.sealed_entries('normal', %s, 4) e", (size + 65534,)),
                 [65535, 65536, 65537, 65538], "long transaction: entries by leaf, across runs")


def check_unfinished(report, database):
    """As in the middle of a restore: nothing is sealed by halves."""
    sizes = "SELECT class, size FROM rampart.audit_tree ORDER BY 1"
    before = database.query(sizes)
    partition = database.value("SELECT 'rampart.audit_log_normal_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
    database.query(f"DROP INDEX {partition}_xid_id_idx")
    database.query("INSERT INTO t VALUES (500, 'not yet')")
    report.raises("RMA05", lambda: database.query("SELECT rampart.seal()"), "sealing: not while a partition has no index")
    report.equal(database.query(sizes), before, "sealing: and nothing by halves")
    database.query(f"CREATE INDEX ON {partition} (xid, id)")
    database.query("SELECT rampart.seal()")
    report.ok(sealed_all(database) and good(database), "sealing: when it is there, all of it")


def check_rights(report, database):
    for call in ("seal()", "start_sealing()", "verify_audit()", "inclusion_proof(1)", "consistency_proof('normal', 1, 1)", "rotate_audit_key()", "sealed_entries('normal', 0, 1)"):
        report.equal(database.failure(f"SELECT rampart.{call}", user="app"), "42501", f"rights: {call} is for those who are granted it")
    database.query("GRANT EXECUTE ON FUNCTION rampart.seal, rampart.verify_audit TO reader")
    database.query("SELECT rampart.seal(); INSERT INTO t VALUES (400, 'by another')")
    report.equal(database.value("SELECT rampart.seal()", user="reader"), 1, "rights: seal() works for who is granted it")
    report.ok(database.value("SELECT bool_and(ok) FROM rampart.verify_audit()", user="reader"), "rights: verify_audit() works for who is granted it")
    report.equal(database.failure("SELECT * FROM rampart.audit_tile", user="reader"), "42501", "rights: and shows nothing else")


def check(world, report):
    database = world.database("sealing")
    check_start(report, database)
    database.query("INSERT INTO t SELECT -i, 'Köln ' || i FROM generate_series(1, 600) i")
    for i in range(5):
        database.query("UPDATE t SET v = v || %s WHERE id < 0 AND id %% 7 = %s", (i, i))
        database.query("SELECT rampart.seal()")
    database.query("SELECT rampart.unaudit_table('t'); SELECT rampart.audit_table('t'); SELECT rampart.seal()")
    check_independently(report, database, "independent")
    check_transactions(report, database)
    check_keys(report, database)
    check_exported_heads(report, database)
    check_unfinished(report, database)
    check_rights(report, database)
    check_long(report, database)
    latin = world.latin_database("sealing_latin1")
    latin.query(SETUP)
    latin.query("INSERT INTO t VALUES (1, 'Köln'); SELECT rampart.seal()")
    check_independently(report, latin, "independent, LATIN1")
    check_load(report, world, database)
