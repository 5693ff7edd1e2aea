"""Logical replication: what is applied on a subscriber is recorded there."""
import time


def wait(database, sql, expected):
    deadline = time.monotonic() + 20
    while database.value(sql) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return database.value(sql)


def check(world, report):
    source, target = world.database("source"), world.database("target")
    schema = "CREATE TABLE t (id int PRIMARY KEY, a text, d enc_text(pii, deterministic))"
    source.query(schema + "; CREATE PUBLICATION p FOR TABLE t")
    source.query("SELECT pg_create_logical_replication_slot('audit', 'pgoutput')")
    target.query(schema + "; SELECT rampart.audit_table('t')")
    # In one cluster: the slot is made apart.
    target.query(f"CREATE SUBSCRIPTION s CONNECTION '{world.cluster.dsn(database='source')}' PUBLICATION p "
                 "WITH (create_slot = false, slot_name = 'audit', copy_data = false)")
    last = target.last()
    source.query("INSERT INTO t VALUES (1, 'x', NULL), (2, 'y', NULL); UPDATE t SET a = 'z' WHERE id = 1; DELETE FROM t WHERE id = 2; TRUNCATE t")
    wait(target, f"SELECT count(*) FROM rampart.audit_log WHERE id > {last}", 5)
    report.equal([(e[1], e[2]) for e in target.entries(last)],
                 [("INSERT", {"id": 1}), ("INSERT", {"id": 2}), ("UPDATE", {"id": 1}), ("DELETE", {"id": 2}), ("TRUNCATE", None)],
                 "replication: applied changes leave entries on the subscriber")
    target.query("DROP SUBSCRIPTION s")
