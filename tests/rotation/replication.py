"""Replicas and dumps in mid-rotation: a promoted standby goes on by itself, subscribers stay right, dumps restore."""
import threading

from world import SETTINGS, Database, on, wait_until
from cluster import Cluster, run

TABLE = """
CREATE TABLE {0} (id int PRIMARY KEY, mail enc_text(pii, deterministic) UNIQUE, name enc_text(pii));
INSERT INTO {0} SELECT i, 'mail' || i, 'name' || i FROM generate_series(1, {1}) i;
"""
SAID = "SELECT count(*) FROM {} WHERE mail::text = 'mail' || id AND name::text = 'name' || id"
# Rows are found by an encrypted key, and by all their values.
PUBLISHED = """
CREATE TABLE by_mail (mail enc_text(pii, deterministic) PRIMARY KEY, name enc_text(pii), n int);
CREATE TABLE by_all (id int, mail enc_text(pii, deterministic), name enc_text(pii), n int);
ALTER TABLE by_all REPLICA IDENTITY FULL;
"""
KEYRING = ("scope", "key")
CONTENTS = "SELECT md5(string_agg(row, chr(10) ORDER BY row)), count(*) FROM (SELECT (mail::text, name::text, n)::text FROM {} t) s (row)"
WRITES = ["UPDATE by_mail SET n = n + 1 WHERE mail = 'mail{0}'", "UPDATE by_mail SET name = 'renamed {0}' WHERE mail = 'mail{0}'",
          "DELETE FROM by_mail WHERE mail = 'mail{0}'", "INSERT INTO by_mail VALUES ('new{0}', 'new', 0)",
          "UPDATE by_mail SET mail = 'moved{0}' WHERE mail = 'mail{0}'"]
FULL_WRITES = ["UPDATE by_all SET n = n + 1 WHERE id = {0}", "UPDATE by_all SET name = 'renamed {0}' WHERE id = {0}", "DELETE FROM by_all WHERE id = {0}",
               "INSERT INTO by_all VALUES ({0} + 10000, 'new{0}', 'new', 0)"]


def check_standby(report):
    primary = Cluster("primary", settings=SETTINGS).start()
    database = Database(primary).set_up("pii")
    database.query(TABLE.format("people", 20000))
    standby = primary.standby("standby", SETTINGS)
    replica = Database(standby)
    rotation = database.start(batch=200, max_rows_per_second=4000)
    database.wait_for_rows(rotation, 2000)
    wait_until(lambda: replica.query("SELECT sum(rows_done) FROM rampart.rotation_table")[0][0] or 0, lambda n: n >= 1000, 10)
    report.equal(replica.value(SAID.format("people")), 20000, "standby: reads mixed versions")
    report.equal([replica.failure("SELECT rampart.start_rotation('pii')"), replica.failure("SELECT rampart.pause_rotation(%s)", (rotation,)),
                  replica.failure("CALL rampart.run_rotation(%s)", (rotation,))], ["25006"] * 3, "standby: does not rotate by itself")
    report.equal(replica.query("SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'rampart%'"), [(0,)], "standby: has no workers")
    primary.kill_postmaster()
    run("pg_ctl", "-D", standby.data, "-w", "promote")
    at = replica.query("SELECT state, round FROM rampart.rotation WHERE id = %s", (rotation,))
    report.equal(at, [("running", 1)], "standby: promoted in mid-rotation")
    replica.query("UPDATE rampart.rotation SET max_rows_per_second = NULL")
    report.equal((replica.wait(rotation), replica.old_values(), replica.value(SAID.format("people"))), ("complete", 0, 20000),
                 "standby: goes on with it by itself, and completes")
    report.equal((replica.destroy_retired_keys(), replica.value(SAID.format("people"))), ([], 20000), "standby: the old key can be destroyed there")
    standby.remove()
    primary.remove()


def subscribe(world, publisher, subscriber, tables):
    """A subscription within one cluster: its slot is made beforehand."""
    name = subscriber.name
    publisher.query(f"CREATE PUBLICATION {name} FOR TABLE {', '.join(tables)}")
    publisher.query(f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")
    subscriber.query(f"CREATE SUBSCRIPTION {name} CONNECTION '{world.cluster.dsn(database=publisher.name)}' PUBLICATION {name} "
                     f"WITH (create_slot = false, slot_name = '{name}', copy_data = false)")


def caught_up(publisher, subscriber):
    position = publisher.value("SELECT pg_current_wal_lsn()")
    return wait_until(lambda: publisher.value("SELECT confirmed_flush_lsn >= %s FROM pg_replication_slots WHERE slot_name = %s", (position, subscriber.name)),
                      bool, 20)


def pair(world, publisher_name, subscriber_name):
    """Two databases with one keyring and the same rows."""
    publisher = world.database(publisher_name, "pii")
    world.cluster.query(f"CREATE DATABASE {subscriber_name}")
    subscriber = Database(world.cluster, subscriber_name).set_up()
    for table in KEYRING:
        columns = "name, tag, denied" if table == "scope" else "id, scope, purpose, version, state, wrapped, root_key"
        for row in publisher.query(f"SELECT {columns} FROM rampart.{table}"):
            subscriber.query(f"INSERT INTO rampart.{table} ({columns}) VALUES ({', '.join(['%s'] * len(row))})", row)
    subscriber.query("SELECT rampart.grant_scope('pii', 'postgres')")
    for database in (publisher, subscriber):
        database.query(PUBLISHED)
    return publisher, subscriber


def fill(publisher):
    publisher.query("INSERT INTO by_mail SELECT 'mail' || i, 'name' || i, 0 FROM generate_series(1, 1500) i")
    publisher.query("INSERT INTO by_all SELECT i, 'mail' || i, 'name' || i, 0 FROM generate_series(1, 300) i")


def write(publisher, writes, first, last, step):
    connection = publisher.connect()
    for n in range(first, last, step):
        on(connection, writes[n // step % len(writes)].format(n))
    connection.close()


def same(publisher, subscriber, table="by_mail"):
    return publisher.query(CONTENTS.format(table)) == subscriber.query(CONTENTS.format(table))


def check_subscriber(world, report):
    """A rotation at the publisher; its new keys travel before the values that need them."""
    publisher, subscriber = pair(world, "publisher", "subscriber")
    subscribe(world, publisher, subscriber, ["by_mail", "by_all", "rampart.scope", "rampart.key"])
    fill(publisher)
    report.ok(caught_up(publisher, subscriber) and same(publisher, subscriber) and same(publisher, subscriber, "by_all"), "subscriber: has all rows")
    rotation = publisher.start(batch=100, max_rows_per_second=1500)
    writers = [threading.Thread(target=write, args=(publisher, WRITES, 1, 1500, 3)), threading.Thread(target=write, args=(publisher, FULL_WRITES, 1, 300, 2))]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    report.equal(publisher.wait(rotation), "complete", "subscriber: a rotation at the publisher, with writes beside it")
    report.ok(caught_up(publisher, subscriber), "subscriber: keeps up")
    report.equal([same(publisher, subscriber, table) for table in ("by_mail", "by_all")], [True, True], "subscriber: has the same values")
    report.equal((publisher.old_values(), subscriber.old_values()), (0, 0), "subscriber: under the new key")
    report.equal(publisher.destroy_retired_keys(), [], "subscriber: the old key can be destroyed")
    report.ok(caught_up(publisher, subscriber) and same(publisher, subscriber), "subscriber: and there as well")
    subscriber.query("DROP SUBSCRIPTION subscriber")


def check_rotating_subscriber(world, report):
    """A rotation at a subscriber, which goes on receiving values under the old key."""
    publisher, subscriber = pair(world, "publisher2", "subscriber2")
    subscribe(world, publisher, subscriber, ["by_mail"])
    fill(publisher)
    caught_up(publisher, subscriber)
    rotation = subscriber.start(batch=100, max_rows_per_second=1500)
    write(publisher, WRITES, 1, 1500, 2)
    report.equal(subscriber.wait(rotation), "complete", "rotating subscriber: completes beside a stream of old versions")
    write(publisher, WRITES, 2, 1500, 6)
    report.ok(caught_up(publisher, subscriber) and same(publisher, subscriber), "rotating subscriber: has the same values")
    report.ok(subscriber.old_values() > 0, "rotating subscriber: what came later is under the old key")
    report.equal(subscriber.destroy_retired_keys(), ["RMR04"], "rotating subscriber: which is kept")
    report.equal((subscriber.rotate(new_key="false"), subscriber.old_values()), ("complete", 0), "rotating subscriber: until another rotation")
    subscriber.query("DROP SUBSCRIPTION subscriber2")


def check_dump(world, report):
    database = world.database("dumped", "pii")
    database.query(TABLE.format("people", 5000))
    database.query("CREATE TABLE registered (id int, raw bytea); INSERT INTO registered SELECT i, rampart.encrypt('pii', 'raw' || i, i::text) FROM "
                   "generate_series(1, 100) i; SELECT rampart.register_column('registered', 'raw', 'pii', 'id')")
    database.paused_midway(2000, batch=100, max_rows_per_second=6000)
    dump = f"{world.cluster.directory}/dump"
    run("pg_dump", "-d", world.cluster.dsn(database="dumped") + " options='-c rampart.reveal=off'", "-Fc", "-f", dump)
    world.cluster.query("CREATE DATABASE restored")
    run("pg_restore", "-d", world.cluster.dsn(database="restored"), "--exit-on-error", dump)
    restored = Database(world.cluster, "restored")
    report.equal(restored.value(SAID.format("people")), 5000, "dump: of mixed versions restores and reads")
    report.equal(restored.query("SELECT count(*) FROM rampart.rotation"), [(0,)], "dump: the rotation itself stays behind")
    report.ok(restored.old_values() > 0, "dump: old versions came along")
    report.equal((restored.rotate(new_key="false"), restored.old_values()), ("complete", 0), "dump: another rotation ends the work")
    report.equal((restored.destroy_retired_keys(), restored.value(SAID.format("people"))), ([], 5000), "dump: and the old key can be destroyed")
    report.equal(restored.value("SELECT count(*) FROM registered WHERE rampart.decrypt(raw, id::text) = 'raw' || id"), 100,
                 "dump: registered columns were taken in")


def check(world, report):
    check_standby(report)
    check_subscriber(world, report)
    check_rotating_subscriber(world, report)
    check_dump(world, report)
