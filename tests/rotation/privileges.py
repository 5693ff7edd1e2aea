"""Who may rotate, what wrong arguments are told, and where rotations cannot be: standbys, full servers, ended databases."""
import time

from world import Database, on, wait_until
from cluster import Cluster, run

ARGUMENTS = [
    ("start_rotation(NULL)", "RMK01"), ("start_rotation('nowhere')", "RMK01"), ("start_rotation('pii', batch => 0)", "22023"),
    ("start_rotation('pii', batch => -1)", "22023"), ("start_rotation('pii', batch => NULL)", "22023"),
    ("start_rotation('pii', batch => 2147483647)", "22023"), ("start_rotation('pii', max_rows_per_second => 0)", "22023"),
    ("start_rotation('pii', max_rows_per_second => -5)", "22023"),
    ("rotation_plan('nowhere')", "RMK01"), ("rotation_plan(NULL)", "RMK01"),
    *((f"{what}_rotation({id})", "RMR02") for what in ("pause", "resume", "cancel") for id in ("0", "-1", "9223372036854775807", "NULL")),
    ("set_rotation_pace(99)", "RMR02"), ("set_rotation_pace(NULL)", "RMR02"), ("set_rotation_pace(99, 0)", "22023"),
    ("set_rotation_pace(99, 1000001)", "22023"), ("set_rotation_pace(99, 1, 0)", "22023"), ("rotation_step(99)", "RMR02"),
    ("register_column('pii', 'mail', 'pii')", "42703"), ("register_column('pii', 'nothing', 'pii')", "42703"),
    ("register_column('pii', 'raw', 'nowhere')", "RMK01"), ("register_column('pii', 'raw', 'pii', 'nothing')", "42703"),
    ("register_column('nowhere', 'raw', 'pii')", "42P01"), ("key_census(NULL)", None), ("key_census('nowhere')", None),
    ("destroy_key('nonsense', 'pii')", "RMK02"), ("destroy_key(NULL, 'pii')", "RMK02"),
    ("shred_scope('nowhere', 'nowhere')", "RMK01"), ("shred_scope('pii')", "RMK09"), ("shred_scope('pii', 'PII')", "RMK09"),
    ("shred_scope(NULL, NULL)", "RMK01"), ("drop_scope('pii', 'pii')", "RMR04"), ("drop_scope('pii')", "RMK09"),
    ("drop_scope(NULL, NULL)", "RMK01"),
]
CALLS = ["start_rotation('pii')", "pause_rotation(1)", "resume_rotation(1)", "cancel_rotation(1)", "set_rotation_pace(1)", "rotation_plan('pii')",
         "key_census('pii')", "rotation_step(1)", "work()", "rewrite_blocks(1, 1, '{}', '{}', '{}', '{}', 0, 1, 1, false, false)",
         "count_keys(1, '{}', 0)", "begin_round(1)", "change_rotation(1, '{}', 'x')", "register_column('pii', 'raw', 'pii')", "wake_worker()",
         "try_lock_table(1)", "keep_writers_out(1)", "destroy_key('x', 'pii')", "shred_scope('pii')", "drop_scope('pii')"]
TABLE = """CREATE TABLE pii (id int, mail enc_text(pii), raw bytea);
           INSERT INTO pii SELECT i, 'mail' || i FROM generate_series(1, {}) i"""


def check_arguments(database, report):
    for call, sqlstate in ARGUMENTS:
        report.equal(database.failure(f"SELECT rampart.{call}"), sqlstate, f"arguments: {call}")
    report.equal(database.failure("CALL rampart.run_rotation(99)"), "RMR02", "arguments: run_rotation of an unknown rotation")
    report.equal(database.failure("CALL rampart.run_rotation(NULL)"), "RMR02", "arguments: run_rotation(NULL)")
    report.equal(database.query("SELECT count(*) FROM rampart.rotation"), [(0,)], "arguments: no rotation was begun")


def check_roles(database, report):
    database.query("CREATE ROLE nobody LOGIN; CREATE ROLE rotator LOGIN; GRANT EXECUTE ON FUNCTION "
                   "rampart.start_rotation(text, int4, int4, bool) TO rotator")
    for call in CALLS:
        report.equal(database.failure(f"SELECT rampart.{call}", user="nobody"), "42501", f"roles: without the right, {call.split('(')[0]}")
    report.equal(database.failure("CALL rampart.run_rotation(1)", user="nobody"), "42501", "roles: without the right, run_rotation")
    for table in ("rotation", "rotation_table", "rotation_error", "rotation_progress", "registered_column"):
        report.equal(database.failure(f"TABLE rampart.{table}", user="nobody"), "42501", f"roles: without the right, {table}")
    rotation = database.value("SELECT rampart.start_rotation('pii')", user="rotator")
    report.equal((database.wait(rotation), database.old_values()), ("complete", 0), "roles: one that may only start a rotation")
    report.equal(database.query("SELECT started_by FROM rampart.rotation WHERE id = %s", (rotation,)), [("rotator",)], "roles: is named")
    report.equal(database.failure("SELECT count(mail::text) FROM pii", user="rotator"), "42501", "roles: and reads nothing")


def check_end_of_extension(world, report):
    for statement, name in (("DROP EXTENSION rampart CASCADE", "ended_extension"), (None, "ended_database")):
        database = world.database(name, "pii")
        database.query(TABLE.format(20000))
        database.query("CREATE TABLE plain (i int)")
        rotation = database.start(batch=100, max_rows_per_second=3000)
        database.wait_for_rows(rotation, 200)
        workers = f"SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rampart worker' AND datname = '{name}'"
        if statement:
            report.equal(database.failure("DROP EXTENSION rampart"), "2BP01", "end: DROP EXTENSION needs CASCADE")
            report.equal(database.failure(statement), None, "end: DROP EXTENSION CASCADE in mid-rotation")
            report.equal(database.query("SELECT count(*) FROM information_schema.columns WHERE table_name = 'pii' AND column_name = 'mail'"), [(0,)],
                         "end: the columns are gone")
            idle = wait_until(lambda: world.cluster.query(workers)[0][0], lambda n: n == 0, 5)
            report.equal(idle, 0, "end: the worker has left a database without the extension")
            report.equal(database.failure("CREATE EXTENSION rampart"), None, "end: and the extension can come back")
        else:
            world.cluster.query(f"DROP DATABASE {name} WITH (FORCE)")
            report.equal(world.cluster.query(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'"), [(0,)], "end: DROP DATABASE in mid-rotation")
    time.sleep(0.5)
    report.equal(world.cluster.query("SELECT 1"), [(1,)], "end: the server goes on")


def check_without_preloading(report):
    cluster = Cluster("bare", settings={"max_worker_processes": 2, "max_logical_replication_workers": 0, "autovacuum": "off"}, preload=False).start()
    database = Database(cluster).set_up("pii")
    database.query(TABLE.format(5000))
    report.equal((database.rotate(), database.old_values()), ("complete", 0), "no preloading: a worker is started on demand")
    cluster.query("ALTER SYSTEM SET max_worker_processes = 0")
    cluster.restart()
    rotation = database.start()
    time.sleep(0.5)
    report.equal(database.state(rotation), "running", "no room for a worker: the rotation is begun")
    report.equal(database.failure("CALL rampart.run_rotation(%s)", (rotation,)), None, "no room for a worker: CALL runs it")
    report.equal((database.state(rotation), database.old_values()), ("complete", 0), "no room for a worker: to its end")
    cluster.remove()


def check(world, report):
    database = world.database("privileges", "pii")
    database.query(TABLE.format(2000))
    check_arguments(database, report)
    check_roles(database, report)
    check_end_of_extension(world, report)
    check_without_preloading(report)
