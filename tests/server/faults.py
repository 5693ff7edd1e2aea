"""Faults of the database and of the server: what is answered meanwhile, that all is well again afterwards, and that nothing acknowledged is lost or half done."""
import os
import secrets
import signal
import time

import half_done
from cluster import Cluster
from database import on
from load import Load
from small_disk import start_with_a_small_disk
from world import RATES, Server, World

SETTINGS = {"http": {"public_url": "https://id.example.com"}}


def check(world, report):
    own = World()  # whose cluster others do not use
    database = own.database("faults")
    server = Server(own, database, SETTINGS).start()
    away(report, own, server, "PostgreSQL restarted", own.cluster.restart)
    away(report, own, server, "PostgreSQL crashed", own.cluster.crash)
    away(report, own, server, "connections killed again and again", lambda: kill_connections(database, 3))
    waits(report, own, database, server)
    server.stop()
    flooded(report, own, database)
    killed(report, own)
    own.kill()
    own.cluster.remove()
    full(report)


class Writers:
    """Clients that make organisations; which ones were acknowledged, and answers that are as they must not be."""

    def __init__(self, world, server, count=6):
        self.people = [world.person(server) for _ in range(count)]
        self.acknowledged, self.wrong = set(), []

    def __call__(self, number):
        person = self.people[number % len(self.people)]
        return self.judged(lambda: person.get("/auth/me")) if number % 3 == 0 else self.writing(person)

    def writing(self, person):
        def make():
            name = secrets.token_hex(8)
            answer = person.post("/organisations", {"name": name})
            if answer.status == 201:
                self.acknowledged.add(name)
            return answer
        return self.judged(make)

    def judged(self, send):
        def judge():
            answer = send()
            good = answer.status < 500 or (answer.status, answer.code) == (503, "unavailable") and "Retry-After" in answer.headers
            if not good:
                self.wrong.append(answer)
            return answer
        return judge


def away(report, world, server, fault, cause):
    """What comes of requests while the database goes and comes."""
    writers = Writers(world, server)
    with Load(writers, 6, expected=(200, 201, 503), pause=0.002) as load:
        time.sleep(0.5)
        cause()
        last = time.monotonic()
        server.wait_ready()
        back = time.monotonic() - last
        time.sleep(0.5)
    report.ok(not load.failures and not writers.wrong and load.statuses.get(201, 0) > 20, f"{fault}: each request is answered, or with 503 and Retry-After",
              (load.statuses, load.failures[:3], writers.wrong[:3]))
    report.ok(back < 5, f"{fault}: the server is ready again by itself", back)
    report.equal({writers(i)().status for i in range(6)}, {200, 201}, f"{fault}: and answers all")
    report.equal(half_done.lost(server.database, writers.acknowledged), set(), f"{fault}: nothing that was acknowledged is lost")
    report.equal(half_done.found(server.database), [], f"{fault}: nothing is half done")
    print(f"# {load.statuses}, ready after {back:.2f} s", flush=True)


def kill_connections(database, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rampartd'")
        time.sleep(0.1)


def waits(report, world, database, server):
    """Statements that wait for a lock, or too long: 503, and other requests go on."""
    person, writers = world.person(server), Writers(world, server, 12)
    holder = database.connect(autocommit=False)
    on(holder, "LOCK TABLE rampart_auth.organisation IN SHARE MODE")
    slow = person.post("/organisations", {"name": "waits"})
    report.equal((slow.status, slow.code, "Retry-After" in slow.headers), (503, "unavailable", True), "a lock that is not had in time: 503 with Retry-After")
    report.equal(person.get("/auth/sessions").status, 200, "others are answered meanwhile")
    with Load(lambda number: writers.writing(writers.people[number]), 12, expected=(503,)) as load:
        time.sleep(4)
    report.ok(not load.failures and load.slowest < 10, "as many as there are connections, and more: 503 for all, in time", (load.failures[:3], load.slowest))
    holder.rollback()
    report.equal(person.post("/organisations", {"name": "waits"}).status, 201, "and when the lock is free, they are served")

    database.query("ALTER ROLE rampartd SET statement_timeout = '300ms'; ALTER ROLE rampartd SET lock_timeout = 0")
    kill_connections(database, 0.1)
    server.wait_ready()
    on(holder, "LOCK TABLE rampart_auth.organisation IN SHARE MODE")
    began = time.monotonic()
    slow = person.post("/organisations", {"name": "times out"})
    report.ok((slow.status, "Retry-After" in slow.headers) == (503, True) and time.monotonic() - began < 2, "a statement that takes too long: 503 with Retry-After", slow)
    holder.close()
    database.query("ALTER ROLE rampartd SET statement_timeout = '5s'; ALTER ROLE rampartd SET lock_timeout = '3s'")
    kill_connections(database, 0.1)


def flooded(report, world, database):
    """More logins than passwords can be hashed, of a server with few threads."""
    server = Server(world, database, SETTINGS | {"http": {**SETTINGS["http"], "threads": 8}, "password": {"argon2_memory_kib": 64 * 1024, "argon2_iterations": 3}}).start()
    person, people = world.person(server), [world.person(server) for _ in range(4)]

    def login(number):
        client = server.client()
        return lambda: client.log_in(people[number % 4].email)
    slowest = 0.0
    with Load(login, 24, expected=(200, 503)) as load:
        time.sleep(1)
        for _ in range(20):
            began = time.monotonic()
            assert person.get("/auth/me").status == 200
            slowest = max(slowest, time.monotonic() - began)
    report.ok(slowest < 1, "a flood of logins: others are answered", slowest)
    report.ok(not load.failures and load.statuses.get(200) and load.statuses.get(503), "a flood of logins: some get in, others 503", (load.statuses, load.failures[:3]))
    print(f"# {load.statuses}, others took {slowest:.3f} s at most", flush=True)
    server.stop()


def killed(report, world):
    """The server dies in the middle of flows, again and again; another one takes its place."""
    database = world.database("killed")
    # What a server has taken of a quota in advance dies with it.
    rates = {name: "1000000/1m" for name in RATES}
    server = Server(world, database, SETTINGS | {"rates": rates}).start()
    people = [half_done.Person(world, server) for _ in range(6)]
    # What is not answered is what this is about; what is answered must be right.
    with Load(lambda number: people[number].step, 6, expected=(200, 201, 202, 204)) as load:
        for _ in range(6):
            time.sleep(0.3 + secrets.randbelow(500) / 1000)
            server.stop(signal.SIGKILL)
            server.start()
    wrong = [failure for failure in load.failures if " <" in failure]  # an Answer, where others are exceptions
    report.ok(load.answered > 100 and not wrong, "killed in the middle of flows: what is answered is right", (load.statuses, wrong[:3]))
    server.wait_ready()
    report.equal({person.settle() for person in people}, {"alive"}, "killed: who lost an answer asks again, and goes on with the same session")
    acknowledged = set().union(*(person.acknowledged for person in people))
    report.equal(half_done.lost(database, acknowledged), set(), "killed: nothing that was acknowledged is lost")
    report.equal(half_done.found(database), [], "killed: nothing is half done")
    twice = database.query("SELECT name, count(*) FROM rampart_auth.organisation GROUP BY name HAVING count(*) > 1")
    report.equal(twice, [], "killed: what was sent again under the same Idempotency-Key was done once")
    idle = database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in transaction%%'", (database.name,))
    report.equal(idle, 0, "killed: no transaction is left open")
    print(f"# {load.statuses}", flush=True)
    server.stop()


def full(report):
    """A disk without room for another organisation."""
    cluster = Cluster("full")
    directory = os.path.join(cluster.directory, "small")
    os.mkdir(directory)
    reason = start_with_a_small_disk(cluster, directory, 4)
    if reason:
        report.skip("disk full", f"no file system of its own: {reason}".splitlines()[0])
        return
    own = World(cluster)
    database = own.database("small")
    server = Server(own, database, SETTINGS).start()
    writers = Writers(own, server)
    write = writers(1)
    database.query(f"CREATE TABLESPACE small LOCATION '{directory}'")
    database.query("ALTER TABLE rampart_auth.organisation SET TABLESPACE small")
    database.query("CREATE TABLE ballast (v text) TABLESPACE small; ALTER TABLE ballast ALTER v SET STORAGE PLAIN")
    while database.failure("INSERT INTO ballast SELECT repeat('x', 7000) FROM generate_series(1, 10)") is None:
        pass
    statuses = [write().status for _ in range(300)]
    report.equal((set(statuses[-50:]), writers.wrong, person_status(writers)), ({503}, [], 200), "disk full: who writes is answered 503 with Retry-After, who reads is served")
    database.query("DROP TABLE ballast")
    database.query("CHECKPOINT")
    report.equal(write().status, 201, "disk full: when there is room, all goes on")
    report.equal((half_done.lost(database, writers.acknowledged), half_done.found(database)), (set(), []), "disk full: nothing is lost or half done")
    server.stop()
    cluster.remove()


def person_status(writers):
    return writers.people[0].get("/auth/sessions").status
