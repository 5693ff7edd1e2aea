"""Rows, transactions and keys that a rotation has to wait for."""
import threading
import time

from world import on, wait_until

TABLE = """
CREATE TABLE {0} (id int PRIMARY KEY, mail enc_text(pii, deterministic) UNIQUE, n int DEFAULT 0);
INSERT INTO {0} SELECT i, 'mail' || i FROM generate_series(1, 2000) i;
"""
SHOWN = "SELECT state, waiting_for::text FROM rampart.rotation_progress WHERE rotation = %s AND table_name IS NULL"
LOCKS = ["UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"]


def check_locked_rows(database, report):
    for lock in LOCKS:
        holder = database.connect(autocommit=False)
        on(holder, f"SELECT FROM held WHERE id % 100 = 7 FOR {lock}")
        pid = on(holder, "SELECT pg_backend_pid()")[0][0]
        rotation = database.start(batch=100)
        shown = wait_until(lambda: database.query(SHOWN, (rotation,))[0], lambda row: row[0] == "waits for transactions", 10)
        report.ok(shown[0] == "waits for transactions" and f"process {pid} " in shown[1], f"waiting: rows locked FOR {lock}, and by whom", shown)
        report.ok(database.old_values() <= 20, f"waiting: others are rotated beside FOR {lock}", database.old_values())
        # The holder changes some of its rows, and ends.
        on(holder, "UPDATE held SET n = n + 1 WHERE id IN (7, 107)")
        on(holder, "DELETE FROM held WHERE id = 207; INSERT INTO held VALUES (207, 'mail207')")
        holder.commit()
        report.equal((database.wait(rotation), database.old_values()), ("complete", 0), f"waiting: and they are come back to, FOR {lock}")
        holder.close()
    report.equal(database.query("SELECT sum(n), count(*) FROM held WHERE mail::text = 'mail' || id"), [(2 * len(LOCKS), 2000)], "waiting: the holders' changes are there")


def check_prepared(world, database, report):
    holder = database.connect(autocommit=False)
    on(holder, "INSERT INTO held VALUES (3000, 'mail3000'); UPDATE held SET n = 100 WHERE id = 9; PREPARE TRANSACTION 'it''s'")
    holder.close()
    rotation = database.start()
    shown = wait_until(lambda: database.query(SHOWN, (rotation,))[0], lambda row: row[0] == "waits for transactions", 10)
    report.ok("it''s" in shown[1], "waiting: for a prepared transaction, by its name", shown)
    world.cluster.restart()
    time.sleep(2)
    report.equal(database.state(rotation), "running", "waiting: across a restart")
    database.query("COMMIT PREPARED 'it''s'")
    report.equal((database.wait(rotation), database.old_values()), ("complete", 0), "waiting: until it ends, with its old values")


def check_snapshot(database, report):
    """A transaction that still sees old versions, and writes what it has read."""
    reader = database.connect(autocommit=False)
    on(reader, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM held")
    rotation = database.start()
    wait_until(lambda: database.query(SHOWN, (rotation,))[0], lambda row: row[0] == "waits for transactions", 10)
    on(reader, "INSERT INTO copies SELECT id, mail FROM held")
    reader.commit()
    report.equal((database.wait(rotation), database.old_values()), ("complete", 0), "waiting: for a snapshot, and what was copied from it")
    report.equal(database.value("SELECT count(*) FROM copies"), 2001, "waiting: all of it")
    reader.close()


def check_keys(database, report):
    """A step that fails is noted and tried again."""
    rotation = database.start(batch=100, max_rows_per_second=1000)
    database.wait_for_rows(rotation, 100)
    active = database.value("SELECT id FROM rampart.keys WHERE scope = 'pii' AND state = 'active' AND purpose = 'data'")
    database.query("SELECT rampart.disable_key(%s)", (active,))
    seen = wait_until(lambda: database.query("SELECT state, left(last_error, 3), failures > 0 FROM rampart.rotation WHERE id = %s", (rotation,))[0],
                      lambda row: row[2], 10)
    report.equal(seen, ("running", "RMK", True), "waiting: without an active key, and why")
    shown = database.query("SELECT last_error ~ '^RMK' FROM rampart.rotation_progress WHERE rotation = %s AND table_name IS NULL", (rotation,))
    report.equal(shown, [(True,)], "waiting: as rotation_progress shows")
    database.query("SELECT rampart.enable_key(%s)", (active,))
    database.query("SELECT rampart.set_rotation_pace(%s)", (rotation,))
    report.equal((database.wait(rotation, 30), database.old_values()), ("complete", 0), "waiting: and goes on when there is one")
    report.equal(database.query("SELECT last_error, failures FROM rampart.rotation WHERE id = %s", (rotation,)), [(None, 0)], "waiting: with nothing to report")
    report.equal(database.query("SELECT count(*) FROM rampart.rotation_error"), [(0,)], "waiting: no row was blamed")


def check_always_locked(database, report):
    """Rows that somebody has locked at every time: a batch's patience with them ends."""
    stop = threading.Event()

    def hold(late):
        connection = database.connect(autocommit=False)
        time.sleep(late)
        while not stop.is_set():
            on(connection, "SELECT count(*) FROM (SELECT FROM held WHERE id <= 100 FOR SHARE) s")
            time.sleep(1)
            connection.commit()
        connection.close()

    holders = [threading.Thread(target=hold, args=(late,)) for late in (0, 0.5)]
    for holder in holders:
        holder.start()
    time.sleep(0.6)
    rotation = database.start()
    longest = """SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
                 WHERE backend_type = 'rampart worker' AND datname = current_database()"""
    report.ok(wait_until(lambda: database.value(longest), lambda seconds: seconds > 0.5, 15) > 0.5, "waiting: patiently for rows that are always locked")
    began = time.monotonic()
    database.query("SELECT rampart.pause_rotation(%s)", (rotation,))
    report.ok(time.monotonic() - began < 3, "waiting: but a batch ends, and can be paused", time.monotonic() - began)
    stop.set()
    for holder in holders:
        holder.join()
    report.equal((database.finish(rotation), database.old_values()), ("complete", 0), "waiting: in the end they are rotated as well")


def check(world, report):
    database = world.database("waiting", "pii")
    database.query(TABLE.format("held"))
    database.query("CREATE TABLE copies (id int, mail enc_text(pii, deterministic))")
    check_locked_rows(database, report)
    check_prepared(world, database, report)
    check_snapshot(database, report)
    check_keys(database, report)
    check_always_locked(database, report)
