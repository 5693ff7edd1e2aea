"""The auditor: seals, raises alerts and removes what is over, by itself, and goes on after whatever happens to it."""
import time

from cluster import Cluster
from sealing import good, sealed_all, wait_until
from world import QUIET, SETTINGS, Database


def check(world, report):
    cluster = Cluster("auditor", settings={**SETTINGS, "rampart.seal_interval": 100}).start()
    database = Database(cluster, "postgres")
    database.query("CREATE EXTENSION rampart")
    database.query(QUIET)
    database.query("CREATE TABLE t (id int PRIMARY KEY, v text); SELECT rampart.audit_table('t')")
    database.query("INSERT INTO t SELECT i, 'x' FROM generate_series(1, 500) i")
    report.ok(wait_until(lambda: sealed_all(database), 20), "auditor: seals by itself", database.query("TABLE rampart.audit_tree"))
    heads = database.value("SELECT count(*) FROM rampart.audit_checkpoint")
    where = database.value("SELECT pg_current_wal_insert_lsn()")
    time.sleep(1)
    report.equal(database.value("SELECT count(*) FROM rampart.audit_checkpoint"), heads, "auditor: signs nothing where nothing is new")
    report.ok(database.value("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", (where,)) < 10_000, "auditor: and writes nothing")
    database.query("ALTER TABLE t DISABLE TRIGGER rampart_audit_row")
    report.ok(wait_until(lambda: database.query("SELECT 1 FROM rampart.alert WHERE rule = 'auditing_disabled'"), 20), "auditor: raises alerts over what it sealed")
    database.query("ALTER TABLE t ENABLE ALWAYS TRIGGER rampart_audit_row")
    for way in ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'rampart auditor'", None):
        database.query(way) if way else cluster.crash()
        database.query("UPDATE t SET v = v || 'y'")
        report.ok(wait_until(lambda: sealed_all(database), 30), f"auditor: goes on after {'it was ended' if way else 'a crash'}", database.query("TABLE rampart.audit_tree"))
    report.ok(good(database), "auditor: the log verifies", database.query("SELECT * FROM rampart.verify_audit()"))
    # A root key that is gone: said once, and gone on with when it is back.
    key = cluster.root_key
    database.query("UPDATE rampart.audit_chore SET due = now() - interval '1 second'")
    cluster.write_root_key("ab" * 32)
    cluster.restart()
    database.query("INSERT INTO t VALUES (1000, 'without a root key')")
    report.ok(wait_until(lambda: "cannot seal the audit log" in cluster.log(), 30), "auditor: says that it cannot sign")
    time.sleep(1)
    report.equal(cluster.log().count("cannot seal the audit log"), 1, "auditor: and once")
    cluster.write_root_key(key)
    cluster.restart()
    report.ok(wait_until(lambda: sealed_all(database), 30) and good(database), "auditor: seals when the root key is back", database.query("TABLE rampart.audit_tree"))
    report.equal(database.value("SELECT count(*) FROM rampart.audit_log WHERE event = 'audit.seal_late'"), 1, "auditor: an event tells of it")
    cluster.remove()
