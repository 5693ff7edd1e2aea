"""Rotations of a ledger under load that are interrupted in every way, fifty times: they resume, and the books balance."""
import os
import random
import signal
import socket
import threading
import time

import psycopg2

from ledger import Ledger
from world import SETTINGS, Database, on, wait_until
from cluster import Cluster

TIMES = 50
WORKERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'rampart worker' AND datname = 'postgres'"
CLIENTS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = 'postgres'"
# What changes when a rotation goes on: its round, blocks, and what it waits for.
PLACE = """SELECT r.id, r.round, r.state, r.waiting_for, sum(t.next_block), max(t.tried_at) FROM rampart.rotation r
           JOIN rampart.rotation_table t ON t.rotation = r.id WHERE r.id = (SELECT max(id) FROM rampart.rotation) GROUP BY r.id"""


class Harm:
    """The ways to interrupt a rotation; true where somebody was hit."""

    def __init__(self, cluster, database, chance):
        self.cluster, self.database, self.chance = cluster, database, chance

    def pids(self, query):
        return [pid for pid, in self.database.query(query)]

    def kill_worker(self):
        workers = self.pids(WORKERS)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        return workers != []

    def kill_client(self):
        os.kill(self.chance.choice(self.pids(CLIENTS)), signal.SIGKILL)
        return True

    def terminate_worker(self):
        return self.database.query(f"SELECT pg_terminate_backend(pid) FROM ({WORKERS}) w") != []

    def cancel_worker(self):
        return self.database.query(f"SELECT pg_cancel_backend(pid) FROM ({WORKERS}) w") != []

    def terminate_clients(self):
        return self.database.query(f"SELECT pg_terminate_backend(pid) FROM ({CLIENTS}) c") != []

    def kill_postmaster(self):
        self.cluster.kill_postmaster()
        start_again(self.cluster)
        return True

    def stop_immediately(self):
        self.cluster.stop("immediate")
        start_again(self.cluster)
        return True

    def lose_call(self):
        """A session's CALL, whose client vanishes in the middle of it."""
        connection = self.database.connect()
        rotation = on(connection, "SELECT max(id) FROM rampart.rotation")[0][0]
        state = self.database.state(rotation)
        caller = threading.Thread(target=quietly, args=(connection, "CALL rampart.run_rotation(%s)", (rotation,)), daemon=True)
        caller.start()
        time.sleep(self.chance.random() / 3)
        with socket.socket(fileno=os.dup(connection.fileno())) as s:
            s.shutdown(socket.SHUT_RDWR)
        caller.join(10)
        return state == "running"


WAYS = [("kill_worker", 14), ("kill_client", 5), ("terminate_worker", 6), ("cancel_worker", 3), ("terminate_clients", 2), ("kill_postmaster", 10),
        ("stop_immediately", 4), ("lose_call", 6)]
assert sum(times for _, times in WAYS) == TIMES


def quietly(connection, sql, parameters):
    try:
        on(connection, sql, parameters)
    except psycopg2.Error:
        pass


def start_again(cluster):
    """Backends of a dead postmaster take a moment to see that it is."""
    for attempt in range(50):
        try:
            return cluster.start()
        except RuntimeError:
            if attempt == 49:
                raise
            time.sleep(0.1)


def patiently(look, seconds=20):
    """What look() gives, once the server takes connections again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return look()
        except psycopg2.Error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def interrupt(cluster, database, way, chance):
    """Whether somebody was hit while a rotation was under way, and whether it went on by itself."""
    time.sleep(chance.random() * 0.3)
    place = patiently(lambda: database.query(PLACE))
    if not place or place[0][2] not in ("running",):
        patiently(lambda: database.start(batch=chance.choice((50, 300, 1000)), max_rows_per_second=10000))
        time.sleep(chance.random() * 0.3)
    harm = Harm(cluster, database, chance)
    try:
        hit = getattr(harm, way)()
    except (psycopg2.Error, IndexError):
        hit = False
    place = patiently(lambda: database.query(PLACE))
    moved = wait_until(lambda: patiently(lambda: database.query(PLACE)), lambda now: now != place or now[0][2] != "running", 15)
    return hit, moved != place or moved[0][2] != "running"


def check(world, report):
    cluster = Cluster("crash", settings={**SETTINGS, "autovacuum": "on", "autovacuum_naptime": 1, "restart_after_crash": "on"}).start()
    database = Database(cluster).set_up("pii")
    ledger = Ledger(database)
    chance = random.Random(20)
    ways = [way for way, times in WAYS for _ in range(times)]
    chance.shuffle(ways)
    outcomes = [(way, *interrupt(cluster, database, way, chance)) for way in ways]
    missed = [way for way, hit, _ in outcomes if not hit]
    report.ok(len(missed) <= TIMES / 5, "crash: most of them hit somebody", missed)
    report.equal([way for way, _, went_on in outcomes if not went_on], [], f"crash: of {TIMES} interruptions, a rotation went on by itself after each")
    rotation = database.query(PLACE)[0][0]
    database.query("UPDATE rampart.rotation SET max_rows_per_second = NULL WHERE state = 'running'")
    report.equal(database.wait(rotation), "complete", "crash: the rotation completes under load")
    ended = "SELECT count(*) FILTER (WHERE state = 'complete'), count(*) FILTER (WHERE state <> 'complete') FROM rampart.rotation"
    # A slow machine interrupts one rotation many times.
    while database.query(ended)[0][0] < 3 and database.query(ended)[0][1] == 0:
        database.wait(database.start())
    report.ok(database.query(ended)[0][0] >= 3 and database.query(ended)[0][1] == 0, "crash: several rotations in all, all complete", database.query(ended))
    ledger.stop()
    report.ok(all(n > 100 for n in ledger.committed), "crash: all sessions worked all the while", ledger.committed)
    ledger.check(report, "crash")
    report.equal(database.old_values(), 0, "crash: no old version is left")
    report.equal(database.query("SELECT problem FROM rampart.rotation_error"), [], "crash: no error was noted")
    database.query("CREATE EXTENSION amcheck")
    report.equal(database.failure("SELECT bt_index_check(indexrelid, true) FROM pg_index WHERE indrelid IN ('current'::regclass, 'saving'::regclass)"),
                 None, "crash: amcheck finds nothing")
    report.equal(database.destroy_retired_keys(), [], "crash: all retired keys can be destroyed")
    # The sessions lock rows in the order of their keys: only a rotation could make a circle of them.
    report.equal(cluster.log().count("deadlock detected"), 0, "crash: no deadlock")
    ledger.check(report, "crash, without the old keys")
    cluster.remove()
