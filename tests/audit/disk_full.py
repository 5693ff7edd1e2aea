"""A full disk: the writing transaction fails or has its entry, and nothing is silent."""
import os

import psycopg2

from cluster import Cluster
from sealing import good, sealed_all
from small_disk import start_with_a_small_disk
from world import QUIET, SETTINGS, Database, on


def fill(database, session):
    """Writes until it is refused; how many rows were acknowledged, and the refusal."""
    for i in range(1, 100_000):
        try:
            on(session, "INSERT INTO t VALUES (%s, repeat('x', 2000))", (i,))
        except psycopg2.Error as error:
            return i - 1, error.pgcode
    return i, None


def check(world, report):
    cluster = Cluster("full", settings=SETTINGS)
    directory = os.path.join(cluster.directory, "small")
    os.mkdir(directory)
    reason = start_with_a_small_disk(cluster, directory, 4)
    if reason:
        report.skip("disk full", f"no file system of its own: {reason}".splitlines()[0])
        return
    database = Database(cluster, "postgres")
    database.query("CREATE EXTENSION rampart")
    database.query(QUIET)
    database.query(f"CREATE TABLESPACE small LOCATION '{directory}'")
    database.query("CREATE TABLE t (id int PRIMARY KEY, v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL; SELECT rampart.audit_table('t', exclude => '{v}')")
    month = database.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
    database.query(f"ALTER TABLE rampart.audit_log_normal_{month} SET TABLESPACE small")
    database.query(f"ALTER INDEX rampart.audit_log_normal_{month}_xid_id_idx SET TABLESPACE small")
    session = database.connect()
    written, state = fill(database, session)
    report.ok(written > 100 and state == "53100", "disk full: the writer is told", (written, state))
    count = "SELECT count(*) FROM t"
    entries = "SELECT count(*) FROM rampart.audit_log WHERE relation = 'public.t' AND class = 'normal'"
    report.equal((database.value(count), database.value(entries)), (written, written), "disk full: as many entries as rows that were acknowledged")
    database.query("SELECT rampart.seal()")
    report.ok(sealed_all(database) and good(database), "disk full: what there is can be sealed and verified")
    database.query(f"ALTER TABLE rampart.audit_log_normal_{month} SET TABLESPACE pg_default")
    database.query(f"ALTER INDEX rampart.audit_log_normal_{month}_xid_id_idx SET TABLESPACE pg_default")
    on(session, "INSERT INTO t VALUES (-1, 'x')")
    database.query("SELECT rampart.seal()")
    report.equal((database.value(entries), sealed_all(database) and good(database)), (written + 1, True), "disk full: goes on when there is room")
    session.close()
    cluster.remove()
