"""Rotations under their operator's hand: pause, resume, cancel, pace, several at once, in a session, and where to look."""
import threading
import time

import psycopg2

from world import on, wait_until

TABLE = """
CREATE TABLE {0} (id int PRIMARY KEY, mail enc_text({0}));
INSERT INTO {0} SELECT i, 'mail' || i FROM generate_series(1, {1}) i;
"""
BATCHES = "SELECT sum(rows_done)::int8, max(tried_at) FROM rampart.rotation_table WHERE rotation = %s"


def check_pause(database, report):
    """Beside a worker that starts a batch as soon as it has ended one, and one that a slow machine cannot make slower."""
    slowest, states, connection = 0, [], database.connect()
    for pace in (None, None, 5000, 5000, 5000):
        rotation = database.start(batch=100, max_rows_per_second=pace or "NULL")
        database.wait_for_rows(rotation, 500)
        began = time.monotonic()
        before = on(connection, BATCHES, (rotation,))[0][0]
        on(connection, "SELECT rampart.pause_rotation(%s)", (rotation,))
        slowest = max(slowest, time.monotonic() - began)
        paused_at = on(connection, BATCHES, (rotation,))[0]
        time.sleep(0.2)
        states.append((database.state(rotation), database.query(BATCHES, (rotation,))[0] == paused_at, pace is None or paused_at[0] - before < 2000))
        database.query("SELECT rampart.cancel_rotation(%s)", (rotation,))
    connection.close()
    report.equal(states, [("paused", True, True)] * 5, "pause: within a few batches, and nothing moves after it")
    report.ok(slowest < 1, "pause: takes effect at once", f"{slowest} s")


def check_restart(world, database, report):
    rotation = database.paused_midway(500, batch=100, max_rows_per_second=2000)
    at = database.query(BATCHES, (rotation,))
    world.cluster.restart()
    time.sleep(2.5)
    report.equal((database.state(rotation), database.query(BATCHES, (rotation,))), ("paused", at), "pause: survives a restart of the server")
    database.query("SELECT rampart.resume_rotation(%s)", (rotation,))
    more = database.wait_for_rows(rotation, at[0][0] + 500)
    report.ok(more >= at[0][0] + 500, "resume: goes on where it stood", f"{at} {more}")
    world.cluster.restart()
    database.query("SELECT rampart.set_rotation_pace(%s)", (rotation,))
    report.equal((database.wait(rotation), database.old_values()), ("complete", 0), "restart: a running rotation goes on by itself")


def check_cancel(database, report):
    rotation = database.start(batch=100, max_rows_per_second=3000)
    database.wait_for_rows(rotation, 200)
    database.query("SELECT rampart.cancel_rotation(%s)", (rotation,))
    left = database.old_values()
    time.sleep(0.3)
    report.ok(0 < left == database.old_values(), "cancel: old values are left, and stay", left)
    report.equal(database.value("SELECT count(*) FROM pii WHERE mail::text = 'mail' || id"), 20000, "cancel: all rows read in mid-rotation")
    for what in ("pause", "resume", "cancel"):
        report.equal(database.failure(f"SELECT rampart.{what}_rotation(%s)", (rotation,)), "RMR03", f"cancel: no {what} after it")
    version = "SELECT max(version) FROM rampart.keys WHERE scope = 'pii'"
    before = database.value(version)
    report.equal((database.rotate(new_key="false"), database.old_values(), database.value(version)), ("complete", 0, before),
                 "cancel: another rotation ends the work, without a new key")


def check_pace(database, report):
    rotation = database.start(batch=100, max_rows_per_second=2000)
    first = wait_until(lambda: database.query(BATCHES, (rotation,))[0], lambda row: row[0] > 0, 5)
    began = time.monotonic()
    time.sleep(3)
    rate = (database.query(BATCHES, (rotation,))[0][0] - first[0]) / (time.monotonic() - began)
    report.ok(1500 <= rate <= 2500, "pace: a throttle of 2000 rows a second holds", rate)
    rotation_rate = database.value("SELECT rows_per_second FROM rampart.rotation WHERE id = %s", (rotation,))
    report.ok(1200 < rotation_rate < 2500, "pace: and the rotation says so", rotation_rate)
    database.query("SELECT rampart.set_rotation_pace(%s, max_rows_per_second => 200, batch => 100)", (rotation,))
    time.sleep(1.1)
    first, began = database.query(BATCHES, (rotation,))[0], time.monotonic()
    time.sleep(3)
    rate = (database.query(BATCHES, (rotation,))[0][0] - first[0]) / (time.monotonic() - began)
    report.ok(130 <= rate <= 270, "pace: set slower meanwhile", rate)
    database.query("SELECT rampart.set_rotation_pace(%s)", (rotation,))
    began = time.monotonic()
    report.equal(database.wait(rotation), "complete", "pace: the throttle is taken away")
    report.ok(time.monotonic() - began < 6, "pace: and that is fast")


def check_one_a_scope(database, report):
    outcomes = []

    def start():
        outcomes.append(database.failure("SELECT rampart.start_rotation('pii', max_rows_per_second => 20000)"))
    together = [threading.Thread(target=start) for _ in range(8)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    report.equal(sorted(outcomes, key=str), [None] + ["RMR01"] * 7,
                 "start: of eight at once one starts")
    running = database.query("SELECT id FROM rampart.rotation WHERE state = 'running'")
    report.equal(len(running), 1, "start: and one is running")
    versions = database.query("SELECT count(*) FROM rampart.keys WHERE scope = 'pii' AND state = 'active' AND purpose = 'data'")
    report.equal(versions, [(1,)], "start: with one new key")
    database.wait(running[0][0])


def check_several_scopes(database, report):
    rotations = [database.start(scope, batch=500) for scope in ("pii", "second", "third")]
    report.equal([database.wait(rotation) for rotation in rotations], ["complete"] * 3, "scopes: three rotate at once")
    report.equal([database.old_values(scope) for scope in ("pii", "second", "third")], [0, 0, 0], "scopes: and no old value is left")


def check_call(database, report):
    """In sessions: beside the worker and beside each other."""
    rotation = database.start(batch=100)
    failures = []

    def call():
        failures.append(database.failure("CALL rampart.run_rotation(%s)", (rotation,)))
    together = [threading.Thread(target=call) for _ in range(2)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    done = database.value("SELECT sum(v)::int8 FROM rampart.rotation_table t, unnest(t.values_done) v WHERE rotation = %s", (rotation,))
    report.equal((failures, database.state(rotation), database.old_values(), done), ([None, None], "complete", 0, 20000),
                 "call: two sessions and the worker at one rotation, each value once")
    report.equal(database.failure("CALL rampart.run_rotation(%s)", (rotation,)), None, "call: of one that has ended")
    rotation = database.start(max_rows_per_second=5000)
    in_block = database.connect(autocommit=False)
    try:
        on(in_block, "CALL rampart.run_rotation(%s)", (rotation,))
        code = None
    except psycopg2.Error as error:
        code = error.pgcode
    in_block.rollback()
    report.equal(code, "2D000", "call: in a transaction block is refused")
    database.query("SELECT rampart.set_rotation_pace(%s)", (rotation,))
    report.equal((database.wait(rotation), database.old_values()), ("complete", 0), "call: and has broken nothing")


def check_progress(database, report):
    database.query("VACUUM FULL pii")
    rotation = database.start(batch=200, max_rows_per_second=8000)
    rows, connection = [], database.connect()
    while not rows or rows[-1][0] == "running":
        rows.append(on(connection, """SELECT r.state, p.round, p.percent, p.done, p.total, p.eta, p.bar, p.rewritten FROM rampart.rotation_progress p
                                      JOIN rampart.rotation r ON r.id = p.rotation WHERE r.id = %s AND p.table_name IS NULL""", (rotation,))[0])
        time.sleep(0.02)
    connection.close()
    wrong = [row for row in rows if not (0 <= row[2] <= 100 and 0 <= row[3] <= row[4] and len(row[6]) == 20)]
    report.equal(wrong, [], "progress: percent is 0 to 100, done at most total")
    back = [(a, b) for a, b in zip(rows, rows[1:]) if a[1] == b[1] and (b[2] < a[2] or b[3] < a[3])]
    report.equal(back, [], "progress: never goes back within a round")
    report.equal((rows[-1][0], rows[-1][2], rows[-1][3], rows[-1][7]), ("complete", 100, 20000, 20000), "progress: at the end")
    first = [row for row in rows if row[1] == 1 and 30 <= row[2] <= 70]
    report.ok(first and all(row[5] is not None and 0 <= row[5].total_seconds() <= 10 for row in first), "progress: tells when it will be done", first[:3])
    totals = {row[4] for row in first}
    report.ok(totals and max(totals) <= 22000 and min(totals) >= 18000, "progress: estimates the total well", totals)


def check(world, report):
    database = world.database("control", "pii", "second", "third")
    for scope in ("pii", "second", "third"):
        database.query(TABLE.format(scope, 20000 if scope == "pii" else 5000))
    check_pause(database, report)
    check_restart(world, database, report)
    check_cancel(database, report)
    check_pace(database, report)
    check_one_a_scope(database, report)
    check_several_scopes(database, report)
    check_call(database, report)
    check_progress(database, report)
