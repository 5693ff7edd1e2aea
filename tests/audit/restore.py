"""The sealed log elsewhere: dumped and restored into another cluster, on a standby that is promoted, and back at an earlier point."""
import shutil

from cluster import Cluster, run
from sealing import good, newest, sealed_all
from world import QUIET, SETTINGS, Database

SETUP = "CREATE TABLE t (id int PRIMARY KEY, v text); SELECT rampart.audit_table('t'); INSERT INTO t SELECT i, 'x' FROM generate_series(1, 400) i"


def seal(database):
    return database.value("SELECT rampart.seal()")


def restore(report, source, target, jobs):
    archive = source.cluster.directory + f"/{source.name}.dump"
    shutil.rmtree(archive, ignore_errors=True)
    run("pg_dump", "-Fd", "-f", archive, "-d", source.cluster.dsn(database=source.name) + " options='-c rampart.reveal=off'")
    target.query(f"DROP DATABASE IF EXISTS {source.name}_restored")
    target.query(f"CREATE DATABASE {source.name}_restored")
    done = run("pg_restore", "-j", str(jobs), "-d", target.dsn(database=source.name + "_restored"), archive, check=False)
    report.equal((done.returncode, done.stderr), (0, ""), f"restore, {jobs} jobs: without an error")
    return Database(target, source.name + "_restored")


def check_dump(report, world, elsewhere):
    """With sealed entries, some that are not, and in the other cluster transaction ids that start again."""
    source = world.database("moved")
    source.query(SETUP)
    seal(source)
    head = newest(source)
    source.query("INSERT INTO t SELECT i, 'not sealed' FROM generate_series(1001, 1050) i")
    for target, jobs, words in ((elsewhere, 4, "another cluster"), (world.cluster, 1, "the same cluster")):
        moved = restore(report, source, target, jobs)
        report.ok(good(moved, head), f"{words}: the restored log goes on from the head before it", moved.query("SELECT * FROM rampart.verify_audit(%s)", (head,)))
        moved.query("INSERT INTO t SELECT i, 'new' FROM generate_series(2001, 2030) i")
        moved.query("UPDATE t SET v = 'y' WHERE id <= 10")
        seal(moved)
        seal(moved)
        report.ok(sealed_all(moved), f"{words}: what was not sealed before is, and once, and what is new", moved.query("SELECT * FROM rampart.audit_run ORDER BY 1, 2"))
        report.ok(good(moved) and good(moved, head), f"{words}: all of it verifies", moved.query("SELECT * FROM rampart.verify_audit()"))
        events = moved.query("SELECT severity, metadata ->> 'checkpoint' FROM rampart.audit_log WHERE event = 'audit.continued'")
        report.equal(events, [("high", head)], f"{words}: an event tells of it, with the last head")
        moved.query("DELETE FROM t WHERE id > 2000")
        seal(moved)
        later = newest(moved)
        again = restore(report, moved, world.cluster if target is elsewhere else elsewhere, 1)
        again.query("INSERT INTO t VALUES (-1)")
        seal(again)
        seal(again)
        report.ok(sealed_all(again) and good(again) and good(again, later) and good(again, head), f"{words}, and back: all of it verifies", again.query("SELECT * FROM rampart.verify_audit()"))


def check_standby(report):
    primary = Cluster("sealed", settings=SETTINGS).start()
    database = Database(primary, "postgres")
    database.query("CREATE EXTENSION rampart")
    database.query(QUIET)
    database.query(SETUP)
    seal(database)
    standby = primary.standby("promoted")
    database.query("INSERT INTO t SELECT i, 'later' FROM generate_series(1001, 1040) i")
    seal(database)
    head = newest(database)
    database.query("INSERT INTO t SELECT i, 'not sealed' FROM generate_series(2001, 2040) i")
    copy = Database(standby, "postgres")
    primary.wait_for_replay(standby)
    report.ok(good(copy) and good(copy, head), "standby: verifies the log itself", copy.query("SELECT * FROM rampart.verify_audit()"))
    report.equal(copy.failure("SELECT rampart.seal()"), "25006", "standby: seals nothing")
    # What only the old primary has: lost by the promotion, and a head of it is out.
    primary.kill_postmaster()
    run("pg_ctl", "-D", standby.data, "-w", "promote")
    copy.query("INSERT INTO t VALUES (3000, 'new primary')")
    seal(copy)
    seal(copy)
    report.ok(sealed_all(copy) and good(copy) and good(copy, head), "promoted standby: every entry is sealed once, and heads go on", copy.query("SELECT * FROM rampart.verify_audit()"))
    report.equal(copy.query("SELECT metadata ->> 'timeline_before', metadata ->> 'timeline', metadata ->> 'checkpoint' FROM rampart.audit_log WHERE event = 'audit.continued'"),
                 [("1", "2", head)], "promoted standby: an event tells of it, with the last head")
    primary.remove()
    standby.remove()


def check(world, report):
    elsewhere = Cluster("elsewhere", root_key=world.cluster.root_key, settings=SETTINGS).start()
    elsewhere.query("CREATE ROLE app LOGIN; CREATE ROLE owner LOGIN; CREATE ROLE reader LOGIN")
    check_dump(report, world, elsewhere)
    elsewhere.remove()
    check_standby(report)
