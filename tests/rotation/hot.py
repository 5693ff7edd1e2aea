"""Rows that an application updates all the time: each update moves the old value to another place of the table."""
import threading

from world import on

TABLE = """
CREATE TABLE hot (id int PRIMARY KEY, n int, padding text, email enc_text(pii, deterministic));
CREATE INDEX ON hot (n);
INSERT INTO hot SELECT i, i, repeat('x', 200), 'mail' || i FROM generate_series(1, 20000) i;
"""
ROWS = (10, 10000, 19990)


def check(world, report):
    database = world.database("hot", "pii")
    database.query(TABLE)
    stop = threading.Event()
    turns = []

    def update(row):
        connection = database.connect()
        n = 0
        while not stop.is_set():
            on(connection, "UPDATE hot SET n = n + 1 WHERE id = %s", (row,))
            n += 1
        connection.close()
        turns.append(n)

    threads = [threading.Thread(target=update, args=(row,)) for row in ROWS]
    for thread in threads:
        thread.start()
    state = database.rotate(max_rows_per_second=20000)
    left = database.old_values()
    stop.set()
    for thread in threads:
        thread.join()
    report.equal((state, left), ("complete", 0), "hot rows: none is missed")
    report.equal(database.value("SELECT sum(n) FROM hot"), sum(range(1, 20001)) + sum(turns), "hot rows: no update is lost")
    report.equal(database.destroy_retired_keys(), [], "hot rows: the old key can be destroyed")
