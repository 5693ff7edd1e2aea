"""A plaintext column is encrypted while eight sessions write the table and the worker is killed; then the columns are swapped
under their feet."""
import os
import random
import signal
import threading
import time

import psycopg2

from world import on, wait_until

ROWS = 30000
SESSIONS = 8
TABLE = f"""
CREATE TABLE customer (id int PRIMARY KEY, phone text UNIQUE, n int NOT NULL DEFAULT 0, twin text);
INSERT INTO customer SELECT i, 'phone ' || i, 0, 'phone ' || i FROM generate_series(1, {ROWS}) i;
CREATE TABLE deletion (id int)
"""
WORKERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'rampart worker' AND datname = 'conversion'"
# Another session's statement was planned before the swap, or meets a server that recovers from a crash.
PASSING = {None, "57P01", "57P02", "57P03", "08006"}


class Writer(threading.Thread):
    """Inserts, updates and deletes rows of its own, by the names of the columns, and keeps going through crashes."""

    def __init__(self, database, number, stop):
        super().__init__(daemon=True)
        self.database, self.number, self.stop = database, number, stop
        self.chance, self.errors, self.written = random.Random(number), [], 0

    def run(self):
        connection = None
        while not self.stop.is_set():
            try:
                connection = connection or self.database.connect()
                self.write(connection)
                self.written += 1
                time.sleep(0.002)  # or the table grows faster than it is read
            except psycopg2.Error as error:
                if error.pgcode not in PASSING:
                    self.errors.append(f"{error.pgcode}: {error}")
                connection = None
                time.sleep(0.05)

    def write(self, connection):
        row = self.chance.randrange(1, ROWS) // SESSIONS * SESSIONS + self.number
        value = f"{self.number} {self.written} {time.monotonic_ns()}"
        kind = self.chance.random()
        if kind < 0.6:
            on(connection, "UPDATE customer SET phone = %s, twin = %s WHERE id = %s", (value, value, row))
        elif kind < 0.8:
            on(connection, "UPDATE customer SET n = n + 1 WHERE id = %s", (row,))
        elif kind < 0.9:
            on(connection, "INSERT INTO customer (id, phone, twin) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING",
               (ROWS + 1 + self.written * SESSIONS + self.number, value, value))
        else:
            on(connection, "WITH gone AS (DELETE FROM customer WHERE id = %s RETURNING id) INSERT INTO deletion SELECT id FROM gone", (row,))


def kill_worker(database):
    """With which the server kills all sessions, and recovers."""
    workers = database.query(WORKERS)
    for pid, in workers:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    return len(workers)


def through_crashes(look):
    """What it sees, None while the server does not answer."""
    def seen():
        try:
            return look()
        except psycopg2.OperationalError:
            return None
    return seen


def wait_for_rows(database, conversion, rows):
    """So many rows that the conversion, not a writer, has filled."""
    done = through_crashes(lambda: database.value("SELECT coalesce(sum(values_done[1]), 0) FROM rampart.rotation_table WHERE rotation = %s", (conversion,)))
    return wait_until(done, lambda n: n is not None and n >= rows, 60)


def finish(database, conversion):
    """Builds the index and swaps; tries again where the lock was not to be had in time."""
    connection = database.connect()
    for statement, in on(connection, "SELECT statement FROM rampart.conversion_indexes(%s)", (conversion,)):
        on(connection, statement)
    for _ in range(20):
        try:
            on(connection, "CALL rampart.finish_conversion(%s, '200 ms')", (conversion,))
            return True
        except psycopg2.Error as error:
            if error.pgcode != "55P03":
                raise
    return False


def check(world, report):
    database = world.database("conversion", "pii")
    for statement in TABLE.split(";\n"):
        database.query(statement)
    stop = threading.Event()
    writers = [Writer(database, number, stop) for number in range(SESSIONS)]
    for writer in writers:
        writer.start()
    conversion = database.value("SELECT rampart.encrypt_column('customer', 'phone', 'pii', 'deterministic', batch => 500, "
                                "max_rows_per_second => 15000)")
    killed = 0
    for rows in (3000, 12000, 20000):
        wait_for_rows(database, conversion, rows)
        killed += kill_worker(database)
    report.ok(killed > 0, f"conversion: the worker was killed, {killed} times")
    state = wait_until(through_crashes(lambda: database.state(conversion)), lambda state: state not in (None, "running"), 60)
    report.equal(state, "ready", "conversion: goes on by itself under load")
    target = database.value("SELECT target_column FROM rampart.rotation WHERE id = %s", (conversion,))
    report.equal(database.value(f"SELECT count(*) FROM customer WHERE {target}::text IS DISTINCT FROM phone"), 0,
                 "conversion: both columns say the same")
    report.ok(finish(database, conversion), "conversion: swapped under load, with a short lock")
    time.sleep(0.5)
    stop.set()
    for writer in writers:
        writer.join()
    errors = [error for writer in writers for error in writer.errors]
    report.equal(errors[:5], [], f"conversion: no writer was refused in {sum(writer.written for writer in writers)} statements")
    report.equal(database.query("SELECT count(*) FILTER (WHERE phone::text IS DISTINCT FROM twin), count(*) - count(DISTINCT phone) FROM customer"),
                 [(0, 0)], "conversion: every row says what was last written to it, once")
    report.equal(database.value("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'customer'::regclass AND attname = 'phone'"),
                 "enc_text(pii,deterministic)", "conversion: the column is encrypted")
    missing = f"SELECT count(*) FROM generate_series(1, {ROWS}) i WHERE i NOT IN (SELECT id FROM customer) AND i NOT IN (SELECT id FROM deletion)"
    report.equal(database.value(missing), 0, "conversion: no row is lost but those that were deleted")
    report.equal(database.old_values(), 0, "conversion: all values are under the active key")
