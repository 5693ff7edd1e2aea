"""A dump carries the log, the settings and the triggers."""
from cluster import run


def check(world, report):
    database = world.database("dumped")
    database.query("CREATE TABLE t (id int PRIMARY KEY, a enc_text(pii)); CREATE TABLE m (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE m_1 PARTITION OF m DEFAULT;"
                   "SELECT rampart.audit_table('t', redact => '{a}'); SELECT rampart.audit_table('m'); INSERT INTO t VALUES (1, 'x'); INSERT INTO m VALUES (1)")
    columns = "id, at, event, role, relation, operation, key, old, new, metadata"
    everything = f"SELECT {columns} FROM rampart.audit_log WHERE id <= %s ORDER BY id"
    last = database.last()
    before = database.query(everything, (last,))
    archive = world.cluster.directory + "/audit.dump"
    run("pg_dump", "-Fc", "-f", archive, "-d", world.cluster.dsn(database="dumped") + " options='-c rampart.reveal=off'")
    world.cluster.query("CREATE DATABASE restored")
    done = run("pg_restore", "-d", world.cluster.dsn(database="restored"), archive, check=False)
    report.equal((done.returncode, done.stderr), (0, ""), "dump: restores without an error")
    from world import Database
    restored = Database(world.cluster, "restored")
    report.equal(restored.query(everything, (last,)), before, "dump: the log is as it was")
    report.equal(restored.query("SELECT relation::text, partitions, active, redact FROM rampart.audited_tables"),
                 [("m", 1, True, []), ("t", 0, True, ["a"])], "dump: the settings and triggers are there")
    restored.query("GRANT ALL ON t TO PUBLIC")
    newest = restored.last()
    got = restored.after("UPDATE t SET id = 2; INSERT INTO m VALUES (2)")
    report.equal([e[0] for e in got], ["UPDATE", "INSERT"], "dump: and work")
    report.ok(restored.last() > newest >= last, "dump: numbers go on")
    report.equal(restored.value("SELECT count(*) FROM rampart.row_history('t', '{\"id\": 2}')"), 3, "dump: history reaches back behind it")
    report.equal(restored.failure("DELETE FROM rampart.audit_log"), "RMA01", "dump: append-only")
    report.equal(restored.failure("DROP EXTENSION rampart"), "2BP01", "extension: not dropped while tables are audited")
    restored.query("DROP EXTENSION rampart CASCADE")
    report.equal(restored.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'audit%%'"), 0, "extension: goes without a trace")
