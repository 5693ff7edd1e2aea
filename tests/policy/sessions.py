"""Who decides by which state of a policy: the session that changes it, others, and those that began before."""
import threading
import time

import psycopg2
from cluster import Cluster, run
from database import Database, on
from decisions import load
from models import model

RBAC = model("g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", roles="g = _, _")
ASK = "SELECT rampart.enforce('app', 'ada', 'safe', 'open')"
ADD = "SELECT rampart.add_policy('app', 'p', '{ada,safe,open}')"
REMOVE = "SELECT rampart.remove_policy('app', 'p', '{ada,safe,open}')"


def ask(session):
    return on(session, ASK)[0][0]


def check_transactions(database, report):
    one, two = database.connect(), database.connect()
    report.equal((ask(one), ask(two)), (False, False), "transactions: nobody may")
    on(one, "BEGIN"), on(one, ADD)
    report.equal((ask(one), ask(two)), (True, False), "transactions: who changes it sees it at once, others do not")
    on(one, "ROLLBACK")
    report.equal((ask(one), ask(two)), (False, False), "transactions: rolled back, nobody may")
    on(one, "BEGIN"), on(one, ADD), on(one, "COMMIT")
    report.equal((ask(one), ask(two)), (True, True), "transactions: committed, both see it")
    on(one, "BEGIN"), on(one, "SAVEPOINT s"), on(one, REMOVE)
    inside = ask(one)
    on(one, "ROLLBACK TO s")
    report.equal((inside, ask(one), ask(two)), (False, True, True), "transactions: a savepoint that is rolled back")
    on(one, "SAVEPOINT s"), on(one, REMOVE), on(one, "RELEASE s"), on(one, "COMMIT")
    report.equal((ask(one), ask(two)), (False, False), "transactions: one that is released, and committed")
    on(one, "DO $$ BEGIN PERFORM rampart.add_policy('app', 'p', '{ada,safe,open}'); IF NOT rampart.enforce('app', 'ada', 'safe', 'open') THEN RAISE 'not seen'; END IF; "
            "RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN IF rampart.enforce('app', 'ada', 'safe', 'open') THEN RAISE 'still seen'; END IF; END $$")
    report.equal(ask(one), False, "transactions: an exception block")
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        on(one, ADD)
        on(two, f"BEGIN ISOLATION LEVEL {level}")
        before = ask(two)
        on(one, REMOVE)
        report.equal((before, ask(two)), (True, False), f"transactions: {level} does not keep a right that was taken away")
        on(two, "COMMIT")
    on(two, "BEGIN ISOLATION LEVEL REPEATABLE READ"), on(two, "SELECT 1")
    on(one, "CREATE TABLE wide AS SELECT generate_series(1, 3) i")
    on(two, "COMMIT")
    cursor = two.cursor()
    on(one, ADD), on(two, "BEGIN")
    cursor.execute("DECLARE c CURSOR FOR SELECT rampart.enforce('app', 'ada', 'safe', 'open') FROM generate_series(1, 2)")
    cursor.execute("FETCH c")
    first = cursor.fetchone()[0]
    on(one, REMOVE)
    cursor.execute("FETCH c")
    report.equal((first, cursor.fetchone()[0]), (True, False), "transactions: nor does a statement that goes on")
    on(two, "COMMIT")
    on(one, "BEGIN"), on(one, ADD), on(one, "PREPARE TRANSACTION 'changed'")
    report.equal((ask(one), ask(two)), (False, False), "transactions: prepared, not yet")
    on(one, "COMMIT PREPARED 'changed'")
    report.equal((ask(one), ask(two)), (True, True), "transactions: then committed")
    on(one, "BEGIN"), on(one, REMOVE), on(one, "PREPARE TRANSACTION 'changed'"), on(one, "ROLLBACK PREPARED 'changed'")
    report.equal((ask(one), ask(two)), (True, True), "transactions: or rolled back")
    on(one, "PREPARE asked AS " + ASK)
    report.equal([on(one, "EXECUTE asked")[0][0] for _ in range(7)], [True] * 7, "transactions: a prepared statement")
    on(two, REMOVE)
    report.equal(on(one, "EXECUTE asked"), [(False,)], "transactions: whose plan does not keep the answer")
    one.close(), two.close()


def check_parallel(database, report):
    session = database.connect()
    on(session, "CREATE TABLE many AS SELECT i FROM generate_series(1, 20000) i; ANALYZE many;"
                "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2")
    query = "SELECT count(*) FROM many WHERE rampart.enforce('app', 'ada', 'safe', 'open')"
    report.ok(any("Gather" in row[0] for row in on(session, "EXPLAIN " + query)), "parallel: there are workers")
    report.equal(on(session, query), [(0,)], "parallel: nothing is allowed")
    on(session, ADD)
    report.equal(on(session, query), [(20000,)], "parallel: all of it")
    on(session, "BEGIN"), on(session, REMOVE)
    report.equal(on(session, query), [(0,)], "parallel: what this transaction changed counts in workers as well")
    on(session, "ROLLBACK")
    report.equal(on(session, query), [(20000,)], "parallel: and no longer")
    session.close()


def check_many(database, report, deciders=16, turns=60):
    """Two rules change together: whoever decides sees both or none."""
    load(database, "pair", model("r.sub == p.sub"  " && r.obj == p.obj && r.act == p.act"), "p, a, x, y\n")
    stop, wrong = threading.Event(), []

    def decide():
        session = database.connect()
        while not stop.is_set():
            try:
                first, second = on(session, "SELECT rampart.enforce('pair', 'a', 'x', 'y'), rampart.enforce('pair', 'b', 'x', 'y')")[0]
            except psycopg2.Error as error:
                wrong.append(error)
                break
            # A commit may come in between the two: then it is asked again, twice in a row at most.
            if first == second:
                again = on(session, "SELECT rampart.enforce('pair', 'a', 'x', 'y') = rampart.enforce('pair', 'b', 'x', 'y') FROM generate_series(1, 3)")
                if all(same for same, in again):
                    wrong.append((first, second))
        session.close()

    threads = [threading.Thread(target=decide) for _ in range(deciders)]
    for thread in threads:
        thread.start()
    session = database.connect()
    for turn in range(turns):
        there, other = ("a", "b") if turn % 2 == 0 else ("b", "a")
        on(session, "BEGIN"), on(session, f"SELECT rampart.remove_policy('pair', 'p', '{{{there},x,y}}')"), on(session, f"SELECT rampart.add_policy('pair', 'p', '{{{other},x,y}}')"), on(session, "COMMIT")
    stop.set()
    for thread in threads:
        thread.join()
    session.close()
    report.equal(wrong, [], f"many: {deciders} sessions decide by committed states while one changes them")


def check_writers(database, report, writers=8, turns=10):
    """Who writes waits for who is writing, and for nobody else."""
    failed = []

    def write(writer):
        session = database.connect()
        try:
            on(session, "SELECT rampart.load_model('shared', %s)", (RBAC,))
            for turn in range(turns):
                on(session, f"SELECT rampart.add_policy('shared', 'p', '{{w{writer},{turn},x}}')")
        except psycopg2.Error as error:
            failed.append(error)
        session.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.equal((failed, database.query("SELECT max(version), count(*), bool_and(rules IS NOT NULL) FROM rampart.policy_version WHERE model = 'shared'"), database.value("SELECT count(*) FROM rampart.policy_rule WHERE model = 'shared'")),
                 ([], [(writers * (turns + 1), writers * (turns + 1), True)], writers * turns), f"writers: {writers} make a model and change it, a version each time")
    stranger, one, two = database.connect("app"), database.connect(), database.connect()
    on(stranger, "SELECT pg_advisory_lock(c.oid::int4, hashtext('shared')) FROM pg_class c WHERE c.relnamespace = 'rampart'::regnamespace AND c.relname LIKE 'policy%'")
    on(one, "SET statement_timeout = '5s'")
    report.equal(on(one, "SELECT rampart.remove_policy('shared', 'p', '{w0,0,x}')"), [(True,)], "writers: nobody without rights keeps one from being revoked")
    on(one, "BEGIN"), on(one, "SELECT rampart.add_policy('shared', 'p', '{y,y,y}')"), on(two, "SET lock_timeout = '200ms'")
    try:
        on(two, "SELECT rampart.add_policy('shared', 'p', '{z,z,z}')")
        report.ok(False, "writers: of one model wait for each other")
    except psycopg2.Error as error:
        report.equal(error.pgcode, "55P03", "writers: of one model wait for each other")
    report.equal((on(two, "SELECT rampart.add_policy('app', 'p', '{z,z,z}')"), on(two, "SELECT rampart.remove_policy('app', 'p', '{z,z,z}')")), ([(True,)], [(True,)]), "writers: of another do not")
    on(one, "ROLLBACK")
    for session in (stranger, one, two):
        session.close()


def check_standby(report):
    primary = Cluster("policy1", settings={"wal_level": "replica", "rampart.seal_interval": 0}).start()
    database = Database(primary, "postgres")
    database.query("CREATE EXTENSION rampart")
    load(database, "app", RBAC, "p, ada, safe, open")
    standby = primary.standby("policy2")
    session = Database(standby, "postgres").connect()
    report.equal(ask(session), True, "standby: decides")
    database.query(REMOVE)
    primary.wait_for_replay(standby)
    report.equal(ask(session), False, "standby: a session that is open follows")
    session.close(), standby.remove(), primary.remove()


def check_subscriber(report):
    """Rules that logical replication brings count at once: it fires row triggers only, and those that are ALWAYS enabled."""
    settings = {"wal_level": "logical", "rampart.seal_interval": 0}
    publisher, subscriber = Cluster("policy3", settings=settings).start(), Cluster("policy4", settings=settings).start()
    from_here, to_here = Database(publisher, "postgres"), Database(subscriber, "postgres")
    for database in (from_here, to_here):
        database.query("CREATE EXTENSION rampart")
        load(database, "app", RBAC, "")
    from_here.query("CREATE PUBLICATION rules FOR TABLE rampart.policy_rule")
    to_here.query(f"CREATE SUBSCRIPTION rules CONNECTION '{publisher.dsn()}' PUBLICATION rules")
    session = to_here.connect()

    def follows(wanted):
        for _ in range(400):
            if ask(session) == wanted:
                return True
            time.sleep(0.05)
        return False

    followed = []
    for statement, wanted in ((ADD, True), (REMOVE, False), (ADD, True), ("TRUNCATE rampart.policy_rule", False)):
        from_here.query(statement)
        followed.append(follows(wanted))
    report.equal(followed, [True] * 4, "subscriber: a session that is open follows")
    session.close(), subscriber.remove(), publisher.remove()


def check_dump(world, database, report):
    load(database, "kept", RBAC, 'p, reader, "a, b", read\ng, ada, reader')
    database.query("INSERT INTO rampart.policy_test VALUES ('kept', 'ada reads', '[\"ada\", \"a, b\", \"read\"]', true, true)")
    shown = "SELECT rampart.policy_map('kept'), (SELECT count(*) FROM rampart.policy_version), (SELECT count(*) FROM rampart.policy_change)"
    before = database.query(shown)
    world.cluster.query("CREATE DATABASE restored")
    dump = run("pg_dump", "-Fc", "-f", world.cluster.directory + "/p.dump", "-d", world.cluster.dsn(database=database.name))
    done = run("pg_restore", "-d", world.cluster.dsn(database="restored"), world.cluster.directory + "/p.dump", check=False)
    report.equal((dump.returncode, done.returncode, done.stderr), (0, 0, ""), "dump: restores without an error")
    copy = Database(world.cluster, "restored")
    report.equal(copy.query(shown), before, "dump: models, rules, tests and versions are there, as committed")
    report.equal(copy.value("SELECT rampart.enforce('kept', 'ada', 'a, b', 'read')"), True, "dump: and decide")
    # As if the other cluster's transactions had had the numbers that this one's will have.
    copy.query("UPDATE rampart.policy_version SET xid = (pg_current_xact_id()::text::int8 + version)::text::xid8 WHERE model = 'kept'")
    report.equal((copy.value("SELECT rampart.add_policy('kept', 'p', '{x,y,z}')"), copy.value("SELECT max(version) FROM rampart.policy_version WHERE model = 'kept'")),
                 (True, database.value("SELECT max(version) + 1 FROM rampart.policy_version WHERE model = 'kept'")), "dump: and go on")


def check(world, report):
    database = world.database("sessions")
    load(database, "app", RBAC, "")
    check_transactions(database, report)
    check_parallel(database, report)
    check_many(database, report)
    check_writers(database, report)
    check_standby(report)
    check_subscriber(report)
    check_dump(world, database, report)
