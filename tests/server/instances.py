"""Several instances before one database: what one learns the others know, whatever becomes of their ears; restarted one by one under load."""
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from application import Application
from database import on
from edge_nginx import Front, instances
from load import Load
from world import PASSWORD, Server, within_a_second

OTHER_PASSWORD = "Another-horse-8-battery"


def check(world, report):
    database = world.database("instances")
    a, b = (Server(world, database, {"http": {"public_url": "https://id.example.com"}}).start() for _ in range(2))
    revoked(world, report, a, b)
    rights(world, report, a, b)
    deaf(world, report, database, a, b)
    for server in (a, b):
        server.stop()
    rates(world, report)
    drained(world, report, database)
    rolling(world, report, database)


def status_at(server, token):
    return server.client(token=token).get("/auth/me").status


def revoked(world, report, a, b):
    """Each way in which a session ends on one instance: its token is refused by the other within a second."""
    ways = {
        "logout": lambda person, second: second.post("/auth/logout"),
        "a password changed": lambda person, second: person.post("/auth/password/change", {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}),
        "a session ended": lambda person, second: person.delete(f"/auth/sessions/{second.get('/auth/me').body['session']}"),
        "all others ended": lambda person, second: person.delete("/auth/sessions"),
        "sessions ended by an administrator": lambda person, second: world.admin(a).delete(f"/admin/users/{person.id}/sessions"),
        "an account disabled": lambda person, second: world.admin(a).post(f"/admin/users/{person.id}/disable"),
    }
    for way, end in ways.items():
        person = world.person(a)
        second = a.client()
        second.log_in(person.email)
        seen = status_at(b, second.token)
        answer = end(person, second)
        after = within_a_second(lambda: status_at(b, second.token), 401)
        report.equal((seen, answer.status // 100, after), (200, 2, 401), f"{way}: the other instance knows within a second")


def rights(world, report, a, b):
    """A change of rights acts on the next request, wherever that goes."""
    org, members = world.organisation(a, "MEMBER")
    owner, member = members["OWNER"], members["MEMBER"]
    path = f"/organisations/{org}/invitations"
    ask = [server.client(token=member.token) for server in (a, b)]
    change = f"/organisations/{org}/members/{member.id}"
    seen = []
    for role in ("ADMIN", "VIEWER"):
        owner.patch(change, {"role": role})
        seen.append([client.get(path).status for client in ask])
        told = within_a_second(lambda: [client.get("/auth/me").body["roles"] for client in ask], [[role], [role]])
        report.equal(told, [[role], [role]], f"{role}: both instances say so within a second, to the token from before")
    report.equal(seen, [[200, 200], [403, 403]], "a role that changes acts on the next request on both instances")

    admin = world.admin(a)
    question = {"resource": "document", "action": "create"}
    rule = {"type": "p", "rule": ["VIEWER", "document", "create", "all"]}
    allowed = lambda: [client.post("/rbac/check", question).body["allowed_own"] for client in ask]  # noqa: E731
    before = allowed()
    added = admin.post("/rbac/rules", rule)
    during = allowed()
    removed = admin.post("/rbac/rules/remove", rule)
    report.equal((before, added.status // 100, during, removed.status // 100, allowed()), ([False] * 2, 2, [True] * 2, 2, [False] * 2),
                 "so does a rule")


# A listener that does not hear --------------------------------------------------------------------------------

def listeners(database):
    """Backends of LISTEN connections: the question that keeps them alive is all they ask."""
    return [pid for pid, in database.query("SELECT pid FROM pg_stat_activity WHERE usename = 'rampartd' AND datname = %s AND query IN ('SELECT', 'LISTEN rampart_auth')",
                                           (database.name,))]


def deaf(world, report, database, a, b):
    """Sessions end while nothing is heard of them; nobody gets through with their tokens."""
    for name, silence in {"cut, again and again": cut, "cut, and no new one to be had": refused_anew, "silent": stopped}.items():
        person = world.person(a)
        ears = listeners(database)
        with silence(world, database, ears):
            time.sleep(0.05)
            person.post("/auth/logout")
            told = within_a_second(lambda: [status_at(server, person.token) for server in (a, b)], [401, 401])
            late = [status_at(server, person.token) for server in (a, b) for _ in range(3)]
            report.equal((len(ears), told, set(late)), (2, [401, 401], {401}), f"listening connections {name}: no instance lets an ended session through")
            valid = [status_at(server, world.person(a).token) for server in (a, b)]
            report.equal(valid, [200, 200], f"listening connections {name}: valid sessions go on, by the database's word")
        for server in (a, b):
            server.wait_ready()
        report.equal([status_at(server, person.token) for server in (a, b)], [401, 401], f"listening connections {name}: nor afterwards")


class cut:  # noqa: N801
    """Terminates every listening connection as soon as there is one."""

    def __init__(self, world, database, ears):
        self.database = database

    def __enter__(self):
        database = self.database
        self.load = Load(lambda _: lambda: terminate(database), 1, pause=0.05)
        self.load.__enter__()

    def __exit__(self, *_):
        self.load.__exit__()


class Done:
    status = 200


def terminate(database):
    for pid in listeners(database):
        database.query("SELECT pg_terminate_backend(%s)", (pid,))
    return Done()


class refused_anew:  # noqa: N801
    """Terminates the listening connections and lets the role have no more than those that answer requests."""

    def __init__(self, world, database, ears):
        self.database, self.ears = database, ears

    def __enter__(self):
        self.database.query("ALTER ROLE rampartd CONNECTION LIMIT 0")
        for pid in self.ears:
            self.database.query("SELECT pg_terminate_backend(%s)", (pid,))

    def __exit__(self, *_):
        self.database.query("ALTER ROLE rampartd CONNECTION LIMIT -1")


class stopped:  # noqa: N801
    """Stops the backends: the connections stay, and nothing comes through them."""

    def __init__(self, world, database, ears):
        self.ears = ears

    def __enter__(self):
        for pid in self.ears:
            os.kill(pid, signal.SIGSTOP)

    def __exit__(self, *_):
        for pid in self.ears:
            os.kill(pid, signal.SIGCONT)


# Limits ---------------------------------------------------------------------------------------------------------

def rates(world, report):
    """One quota for all instances, whichever of them a client asks."""
    database = world.database("rates")
    settings = {"http": {"public_url": "https://id.example.com"}, "rates": {"sign_in": "6/1m", "authenticated": "60/1m"}}
    a, b = (Server(world, database, settings).start() for _ in range(2))
    clients = [server.client() for server in (a, b)]
    answers = [clients[i % 2].post("/auth/login", {"email": f"nobody-{i}@example.com", "password": PASSWORD}) for i in range(12)]
    report.equal([answer.status for answer in answers], [401] * 6 + [429] * 6, "six logins an address are six on both instances together")
    report.equal([answer.headers["RateLimit-Remaining"] for answer in answers[:6]], [str(i) for i in (5, 4, 3, 2, 1, 0)], "each is told what remains")
    waits = {int(answer.headers["Retry-After"]) for answer in answers[6:]}
    report.ok(all(1 <= wait <= 120 for wait in waits) and {a.code for a in answers[6:]} == {"rate_limited"}, "whoever is refused is told for how long", waits)

    generous = Server(world, database, {"http": settings["http"]}).start()
    token = world.person(generous).token
    asked = [server.client(token=token) for server in (a, b)]
    answers = [asked[i % 2].get("/auth/me") for i in range(90)]
    granted = sum(answer.status == 200 for answer in answers)
    report.equal((granted, {answer.status for answer in answers[-20:]}), (60, {429}), "sixty requests a session are sixty on both")

    token = world.person(generous).token
    with Load(lambda number: lambda client=(a, b)[number % 2].client(token=token): client.get("/auth/me"), 12, expected=(200, 429)) as load:
        time.sleep(1.5)
    report.equal((load.statuses.get(200), load.failures), (60, []), "also where twelve clients ask at once")

    token = world.person(generous).token
    herd = threading.Barrier(12)

    def once(_):
        client = a.client(token=token)
        herd.wait()
        return client.get("/auth/me").status
    with ThreadPoolExecutor(12) as pool:
        first = list(pool.map(once, range(12)))
    others = sum(asked.get("/auth/me").status == 200 for asked in [b.client(token=token)] for _ in range(60))
    report.equal((set(first), others), ({200}, 48), "what twelve at once do not use is there for the other instance")

    org, members = world.organisation(generous)
    stranger, tenants = world.person(generous), Server(world, database, settings | {"rates": {"tenant": "20/1m"}}).start()
    asked = tenants.client(token=stranger.token, org=org)
    refused = {asked.get("/organisations/" + org).status for _ in range(40)}
    own = tenants.client(token=members["OWNER"].token)
    report.equal((refused, own.get("/auth/me").status), ({403}, 200), "who is no member uses up nothing of an organisation's quota")
    granted = sum(own.get("/auth/me").status == 200 for _ in range(40))
    report.equal(granted, 19, "which is one for its members")
    for server in (a, b, generous, tenants):
        server.stop()


# Restarts -------------------------------------------------------------------------------------------------------

def drained(world, report, database):
    """SIGTERM: not ready any more, what has begun ends, then the process does."""
    server = Server(world, database, {"http": {"drain_seconds": 10}}).start()
    person, answers, readiness = world.person(server), [], []
    holder = database.connect(autocommit=False)
    on(holder, "LOCK TABLE rampart_auth.organisation")
    slow = threading.Thread(target=lambda: answers.append(person.post("/organisations", {"name": "Slow"})))
    slow.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'rampart_auth.organisation'::regclass"
    while not answers and database.value(waiting) == 0:
        time.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    readiness.append(server.management("/readyz").status)
    refused = None
    try:
        server.client().get("/auth/me")
    except OSError as error:
        refused = error
    holder.rollback()
    slow.join(timeout=10)
    report.equal((readiness, [answer.status for answer in answers]), ([503], [201]), "SIGTERM: not ready, and a request that has begun is answered")
    report.ok(isinstance(refused, ConnectionError), "SIGTERM: no new connection is taken", refused)
    report.equal(server.process.wait(15), 0, "SIGTERM: then the process ends well")


def rolling(world, report, database):
    """Instances behind nginx are stopped and started one by one, while clients of many kinds go on."""
    servers = instances(world, database, 3)
    org, members = world.organisation(servers[0], "MEMBER")
    token, email = members["MEMBER"].token, members["MEMBER"].email
    with Application() as application, Front(world, servers, application) as front:
        kinds = (reader, asker, renewer, logger_in)

        def make(number):
            client = front.client(token=token)
            client.email = email
            return kinds[number % len(kinds)](client)
        with Load(make, 8, pause=0.002) as load:
            for server in servers:
                report.equal(server.stop(), 0, "an instance stops")
                server.start()
                time.sleep(2.5)  # nginx takes an instance that has failed back after two seconds
        report.ok(load.answered > 300 and not load.failures, "three instances restarted one by one: no request fails",
                  (load.statuses, load.failures[:5], front.nginx.log()[-1500:] if load.failures else ""))
        print(f"# {load.answered} requests, the slowest took {load.slowest:.2f} s", flush=True)
    for server in servers:
        server.stop()


def reader(client):
    """Of the application, by auth_request."""
    return lambda: client.get("/page")


def asker(client):
    return lambda: client.post("/rbac/check", {"resource": "document", "action": "read"})


def renewer(client):
    """Each answer's refresh token is what the next request gives: none may be lost."""
    client.log_in(client.email)

    def renew():
        answer = client.post("/auth/refresh", {"refresh_token": client.refresh})
        if answer.status == 200:
            client.refresh = answer.body["refresh_token"]
        return answer
    return renew


def logger_in(client):
    return lambda: client.log_in(client.email)
