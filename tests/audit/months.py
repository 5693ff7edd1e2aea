"""Partitions by month: none is missing silently."""


def places(database, since=0):
    return database.query("SELECT tableoid::regclass::text, count(*) FROM rampart.audit_log WHERE id > %s GROUP BY 1 ORDER BY 1", (since,))


def check(world, report):
    database = world.database("months")
    database.query("CREATE TABLE t (id int PRIMARY KEY)")
    report.equal(database.value("SELECT rampart.create_audit_partitions(1)"), 4, "months: this one and the next, of each class")
    report.equal(database.value("SELECT rampart.create_audit_partitions(1)"), 0, "months: and not again")
    report.equal(database.failure("SELECT rampart.create_audit_partitions(-1)"), "22023", "months: not of the past")
    report.equal(database.failure("SELECT rampart.create_audit_partitions()", user="app"), "42501", "months: not by anybody")
    database.query("SELECT rampart.audit_table('t')")
    month = database.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
    last = database.last()
    database.query("INSERT INTO t VALUES (1)")
    report.equal(places(database, last), [(f"rampart.audit_log_normal_{month}", 1)], "months: an entry is in its month")
    # As if nobody had made this month's in time.
    session = database.connect()
    with session.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (2)")
        database.query(f"ALTER TABLE rampart.audit_log_normal DETACH PARTITION rampart.audit_log_normal_{month}; DROP TABLE rampart.audit_log_normal_{month}")
        last = database.last()
        cursor.execute("INSERT INTO t VALUES (3)")
        cursor.execute("INSERT INTO t VALUES (4)")
        warnings = [n for n in session.notices if "no partition for this month" in n]
        report.equal((places(database, last), len(warnings)), ([("rampart.audit_log_normal_other", 2)], 1), "months: a missing one refuses nobody, and is reported")
        report.equal(database.failure("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT rampart.create_audit_partitions()"), "25001",
                     "months: entries are not moved by an old snapshot")
        report.equal(database.value("SELECT rampart.create_audit_partitions()"), 1, "months: it is made later")
        report.equal(places(database, last), [(f"rampart.audit_log_normal_{month}", 2)], "months: and takes over what is its")
        cursor.execute("INSERT INTO t VALUES (5)")
        report.equal(places(database, last), [(f"rampart.audit_log_normal_{month}", 3)], "months: running sessions find it")
    session.close()
    report.equal(database.failure("DELETE FROM rampart.audit_log"), "RMA01", "months: and it is append-only")
    report.equal(database.failure("TRUNCATE rampart.audit_log_normal_other"), "RMA01", "months: the default partition still is")
    report.equal(len(database.query("SELECT * FROM rampart.row_history('t', '{\"id\": 3}')")), 1, "months: and indexed")
    made = "SELECT count(*) FROM rampart.audit_partitions WHERE class = 'security'"
    before = database.value(made)
    database.query("""DO $$ BEGIN EXECUTE format('ALTER TABLE rampart.audit_log_security DETACH PARTITION %1$s; DROP TABLE %1$s',
                      'rampart.audit_log_security_' || to_char((now() + interval '1 month') AT TIME ZONE 'UTC', 'YYYY_MM')); END $$""")
    for _ in range(5):  # queued events come first
        database.query("SELECT rampart.audit_work()")
    report.equal(database.value(made), before, "months: the auditor makes those to come")
