"""A full disk under a table in mid-rotation: said, waited for, and gone on with when there is room."""
import os

from world import SETTINGS, Database, wait_until
from cluster import Cluster
from small_disk import start_with_a_small_disk

ROWS = 20000
TABLE = f"""
CREATE TABLE small (id int PRIMARY KEY, mail enc_text(pii));
CREATE TABLE filling (id int, mail enc_text(pii, deterministic), balance enc_numeric(pii), plain numeric) TABLESPACE small;
INSERT INTO filling SELECT i, 'mail' || i, i, i FROM generate_series(1, {ROWS}) i;
INSERT INTO small SELECT i, 'mail' || i FROM generate_series(1, 100) i;
"""


def check(world, report):
    cluster = Cluster("disk", settings=SETTINGS)
    directory = os.path.join(cluster.directory, "small")
    os.mkdir(directory)
    reason = start_with_a_small_disk(cluster, directory, 12)
    if reason:
        report.skip("disk full", f"no file system of its own: {reason}".splitlines()[0])
        return
    database = Database(cluster).set_up("pii")
    database.query(f"CREATE TABLESPACE small LOCATION '{directory}'")
    for statement in TABLE.split(";\n")[:-1]:
        database.query(statement)
    # About half of what the rotation needs is left.
    size = database.value("SELECT pg_table_size('filling')")
    used = 12 * 1024 * 1024 - size - size // 2
    database.query(f"COPY (SELECT repeat('x', {used})) TO '{directory}/balloon'")
    rotation = database.start(batch=500)
    seen = wait_until(lambda: database.query("SELECT state, left(last_error, 5), failures > 0 FROM rampart.rotation WHERE id = %s", (rotation,)),
                      lambda rows: rows[0][2], 20)
    report.equal(seen, [("running", "53100", True)], "disk full: the rotation says so, and tries again")
    report.equal(database.value("SELECT count(*) FROM filling WHERE mail::text = 'mail' || id AND balance::numeric = plain"), ROWS,
                 "disk full: every row reads, once")
    before = database.old_values()
    report.ok(0 < before < 2 * ROWS, "disk full: in the middle", before)
    database.query(f"COPY (SELECT 1) TO PROGRAM 'rm {directory}/balloon'")
    report.equal((database.wait(rotation, 40), database.old_values()), ("complete", 0), "disk full: goes on by itself when there is room")
    report.equal(database.value("SELECT sum(balance::numeric) FROM filling"), ROWS * (ROWS + 1) // 2, "disk full: nothing is lost or there twice")
    report.equal(database.destroy_retired_keys(), [], "disk full: the old key can be destroyed")
    cluster.remove()
