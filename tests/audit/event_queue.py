"""The queue of events: nothing is lost without saying so, whatever is full, killed or restarted."""
import itertools
import os
import signal
import threading
import time

import psycopg2
from cluster import Cluster, run

from queue_tools import auditor, until
from world import SETTINGS, Database, on

SENDERS = 16
numbers = itertools.count(1)


def prepared(cluster, name):
    cluster.query(f"CREATE DATABASE {name}")
    database = Database(cluster, name)
    database.query("CREATE EXTENSION rampart; CREATE TABLE t (id int PRIMARY KEY); SELECT rampart.audit_table('t'); SELECT rampart.define_event('test.sent', 'security')")
    return database


class Watch:
    """One session for all looks at the log: each login is an event itself."""

    def __init__(self, database):
        self.database, self.session = database, database.connect()

    def query(self, sql):
        try:
            return on(self.session, sql)
        except psycopg2.Error:
            self.session = self.database.connect()
            return on(self.session, sql)

    def received(self):
        """How many came, how many of them differ, and how many the log says were lost."""
        came, distinct = self.query("SELECT count(*), count(DISTINCT metadata ->> 'n') FROM rampart.audit_log WHERE event = 'test.sent'")[0]
        lost = self.query("SELECT coalesce(sum((metadata ->> 'lost')::int8), 0)::int8 FROM rampart.audit_log WHERE event = 'audit.queue_overflow'")[0][0]
        return came, distinct, lost

    def all_there(self, sent):
        until(lambda: (lambda came, _, lost: came + lost >= sent)(*self.received()))
        return self.received()


def send(session, number, count, padding):
    """From one session: transactions that are rolled back."""
    on(session, f"DO $$ BEGIN FOR i IN 1..{count} LOOP PERFORM rampart.log_event('test.sent', metadata => jsonb_build_object('n', {number} * 1000000 + i, 'p', repeat('x', {padding}))); "
                "IF i % 100 = 0 THEN ROLLBACK; END IF; END LOOP; END $$")


def connect(database):
    return [database.connect() for _ in range(SENDERS)]


def flood(sessions, count, padding=0):
    threads = [threading.Thread(target=send, args=(session, next(numbers), count, padding)) for session in sessions]
    began = time.time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for session in sessions:
        session.close()
    return time.time() - began


def settled(database):
    """The auditor, stopped, when it has written what the sessions' logins left. In a cluster with no other database for
    which it would make room."""
    database.settle()
    assert until(lambda: auditor(database, "wait_event_type = 'Extension'"))
    pid = auditor(database)
    os.kill(pid, signal.SIGSTOP)
    return pid


def check_floods(report):
    cluster = Cluster("queue", settings={**SETTINGS, "rampart.audit_queue_size": "'64MB'"}).start()
    database = prepared(cluster, "flood")
    watch = Watch(database)
    sent = SENDERS * 4000
    seconds = flood(connect(database), 4000)
    report.equal(watch.all_there(sent), (sent, sent, 0), "flood: with room, none is lost")
    report.ok(sent / seconds >= 10000, f"flood: {sent / seconds:.0f} events a second from {SENDERS} sessions")
    cluster.remove()
    cluster = Cluster("stopped", settings={**SETTINGS, "rampart.audit_queue_size": "'256kB'"}).start()
    database = prepared(cluster, "tiny")
    sessions, watch = connect(database), Watch(database)
    pid = settled(database)
    flood(sessions, 10, 3000)
    os.kill(pid, signal.SIGCONT)
    came, distinct, lost = watch.all_there(SENDERS * 10)
    report.ok(came + lost == SENDERS * 10 and distinct == came and lost > 0, "overflow: what a tiny queue lost, the log counts", (came, distinct, lost))
    report.equal(watch.query("SELECT DISTINCT class, severity FROM rampart.audit_log WHERE event = 'audit.queue_overflow'"), [("security", "high")], "overflow: as an event")
    cluster.remove()


def check_kills(report):
    cluster = Cluster("kills", settings={**SETTINGS, "rampart.audit_queue_size": "'64MB'"}).start()
    database = prepared(cluster, "kills")
    watch = Watch(database)
    sent = 0
    for turn in range(4):
        sessions = connect(database)
        pid = settled(database)
        flood(sessions, 200)
        sent += SENDERS * 200
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.03 * turn)
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.5)
        until(lambda: cluster.query("SELECT 1"))
    report.equal(watch.all_there(sent), (sent, sent, 0), "kill: an auditor killed while it drains loses nothing, doubles nothing")
    report.ok(watch.query("SELECT count(*) FROM rampart.audit_log WHERE event = 'sys.crash_recovered'")[0][0] >= 4, "kill: that the server crashed is told")
    for mode in ("fast", "immediate"):
        sessions = connect(database)
        pid = settled(database)
        flood(sessions, 100)
        sent += SENDERS * 100
        stopper = threading.Thread(target=cluster.stop, args=(mode,))
        stopper.start()
        time.sleep(0.3)
        if mode == "fast":
            os.kill(pid, signal.SIGCONT)
        stopper.join()
        path = os.path.join(cluster.data, "pg_stat", "rampart_audit_queue.stat")
        report.ok(os.path.exists(path) and os.stat(path).st_mode & 0o777 == 0o600, f"restart: {mode}, what is queued is kept in a file of the server's own")
        cluster.start()
        report.equal(watch.all_there(sent), (sent, sent, 0), f"restart: {mode}, loses nothing, doubles nothing")
        report.ok(not os.path.exists(path), f"restart: {mode}, the file is gone")
        until(lambda: auditor(database))
    states = "SELECT metadata ->> 'state' FROM rampart.audit_log WHERE event = 'sys.started_or_stopped' ORDER BY at"
    report.ok(until(lambda: [s for s, in watch.query(states)][-3:] == ["stopped", "started", "started"]), "restart: that the server stopped and started is told",
              watch.query(states))
    cluster.kill_postmaster()
    until(lambda: not run("pg_ctl", "-D", cluster.data, "-l", cluster.log_file, "-w", "start", check=False, stdout=None).returncode)
    report.ok(until(lambda: watch.query("SELECT count(*) FROM rampart.audit_log WHERE event = 'sys.crash_recovered'")[0][0] >= 6),
              "crash: a killed postmaster is told of")
    cluster.remove()


def check_drain(report):
    """By hand, while the auditor is kept away."""
    cluster = Cluster("drain", settings=SETTINGS).start()
    database = prepared(cluster, "drain")
    session, watch = database.connect(autocommit=False), Watch(database)
    other, old = database.connect(), database.connect()
    pid = settled(database)
    on(session, "SELECT rampart.log_event('test.sent', metadata => '{\"n\": 1}')")
    session.commit()
    report.equal(on(session, "SELECT rampart.flush_events(50)"), [(False,)], "drain: flushing says that it is not done")
    session.rollback()
    report.equal(on(session, "SELECT rampart.drain_events(), rampart.drain_events()"), [(1, 0)], "drain: once in a transaction")
    session.rollback()
    on(session, "SAVEPOINT s; SELECT rampart.drain_events()"), on(session, "ROLLBACK TO s")
    session.commit()
    report.equal(watch.received(), (0, 0, 0), "drain: rolled back, nothing is written")
    report.equal(on(session, "SELECT rampart.drain_events()"), [(1,)], "drain: and nothing lost")
    session.commit()
    report.equal(on(session, "SELECT rampart.drain_events()"), [(0,)], "drain: nor doubled")
    session.commit()
    report.equal(on(session, "SELECT rampart.flush_events(50)"), [(True,)], "drain: then flushing is done")
    session.commit()
    on(session, "SELECT rampart.log_event('test.sent', metadata => '{\"n\": 2}')"), session.commit()
    session.autocommit = True
    on(session, "BEGIN"), on(session, "SELECT rampart.drain_events()"), on(session, "PREPARE TRANSACTION 'drained'")
    report.equal(watch.received(), (1, 1, 0), "drain: prepared, not there yet")
    on(session, "COMMIT PREPARED 'drained'")
    report.equal(on(session, "SELECT rampart.drain_events()"), [(0,)], "drain: committed, not twice")
    report.equal(watch.received(), (2, 2, 0), "drain: but once")
    on(old, "BEGIN ISOLATION LEVEL REPEATABLE READ"), on(old, "SELECT count(*) FROM t")
    on(other, "SELECT rampart.log_event('test.sent', metadata => '{\"n\": 3}')"), on(other, "SELECT rampart.drain_events()")
    on(other, "SELECT rampart.log_event('test.sent', metadata => '{\"n\": 4}')")
    report.raises("40001", lambda: on(old, "SELECT rampart.drain_events()"), "drain: an old snapshot is refused")
    old.close()
    os.kill(pid, signal.SIGCONT)
    report.equal(watch.all_there(4), (4, 4, 0), "drain: each once")
    cluster.remove()


def check_ways(world, report):
    database = prepared(world.cluster, "make_way")
    until(lambda: auditor(database))
    began = time.time()
    world.cluster.query("CREATE DATABASE way_copy TEMPLATE make_way")
    world.cluster.query("ALTER DATABASE way_copy RENAME TO way_renamed")
    world.cluster.query("DROP DATABASE way_renamed")
    world.cluster.query("DROP DATABASE make_way")
    report.ok(time.time() - began < 20, "processes: an auditor makes way for who drops, copies or renames its database")
    cluster = Cluster("unloaded", settings=SETTINGS, preload=False).start()
    plain = prepared(cluster, "unloaded")
    session = plain.connect()
    on(session, "SELECT rampart.log_event('test.sent')"), on(session, "SELECT rampart.log_event('test.sent')")
    report.equal(sum("rolled back with their transactions" in notice for notice in session.notices), 1, "not preloaded: events are transactional, and it is said once")
    session.autocommit = False
    on(session, "SELECT rampart.log_event('test.sent')"), session.rollback(), session.close()
    report.equal((Watch(plain).received()[0], plain.value("SELECT rampart.flush_events()"), plain.value("SELECT rampart.drain_events()")), (2, True, 0), "not preloaded: nothing is queued")
    cluster.remove()


def check_many(report):
    """More audited databases than the server has processes for."""
    cluster = Cluster("many", settings={**SETTINGS, "max_worker_processes": 4}).start()
    databases = [prepared(cluster, f"many_{i}") for i in range(6)]
    for turn in range(2):
        sessions = [database.connect() for database in databases]
        for session in sessions:
            on(session, f"SELECT rampart.log_event('test.sent', metadata => '{{\"n\": {turn}}}')")
        report.equal([on(session, "SELECT rampart.flush_events(10000)")[0][0] for session in sessions], [True] * 6, "processes: auditors take turns")
        for session in sessions:
            session.close()
    counts = cluster.query("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rampart auditor'")
    report.ok(counts[0][0] <= 2, "processes: they take half of them at most", counts)
    cluster.remove()


def check(world, report):
    check_drain(report)
    check_ways(world, report)
    check_many(report)
    check_floods(report)
    check_kills(report)
