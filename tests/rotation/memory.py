"""A large table takes no more memory than a small one, by the worker and in a session, nor does a large batch."""
import threading
import time

from world import SETTINGS, Database, on, wait_until
from cluster import Cluster
from process_memory import own_memory

TABLE = """
CREATE UNLOGGED TABLE narrow (id int, n enc_int8(pii, deterministic), word enc_text(pii)[]);
INSERT INTO narrow SELECT i, i, CASE WHEN i % 10 = 0 THEN ARRAY['x', 'y']::enc_text(pii)[] END FROM generate_series(1, {}) i;
"""
WORKER = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'rampart worker'"


def growth(database, rotation, pid):
    """From the beginning of a rotation to its largest, in MiB."""
    first, most, samples = own_memory(pid), 0, 0
    while database.state(rotation) == "running":
        now = own_memory(pid)
        if now:
            most, samples = max(most, now), samples + 1
        time.sleep(0.02)
    return most - first, samples


def check_process(settings, name, rows, batch, report):
    cluster = Cluster("memory", settings={**SETTINGS, **settings}).start()
    database = Database(cluster).set_up("pii")
    database.query(TABLE.format(rows))
    rotation = database.start(batch=batch)
    if name == "worker":
        pid = wait_until(lambda: database.query(WORKER), bool, 10)[0][0]
        caller = None
    else:
        connection = database.connect()
        pid = on(connection, "SELECT pg_backend_pid()")[0][0]
        caller = threading.Thread(target=on, args=(connection, "CALL rampart.run_rotation(%s)", (rotation,)))
        caller.start()
    megabytes, samples = growth(database, rotation, pid)
    if caller:
        caller.join()
    report.equal((database.state(rotation), database.old_values()), ("complete", 0), f"memory: the {name} rotates {rows} rows")
    report.ok(samples > 10 and megabytes < 20, f"memory: and the {name} does not grow", f"{megabytes} MB, {samples} samples")
    cluster.remove()


def check(world, report):
    check_process({}, "worker", 1000000, 5000, report)
    check_process({"max_worker_processes": 0}, "session", 500000, 1000000, report)
