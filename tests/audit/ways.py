"""Every way to write a row."""
from world import on

SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY, name text);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, n int DEFAULT 0);
SELECT rampart.audit_table('parent'); SELECT rampart.audit_table('child');
"""


def operations(entries):
    return [(entry[0], (entry[1] or {}).get("id")) for entry in entries]


def check_statements(database, report):
    def leaves(sql, expected, name):
        report.equal(operations(database.after(sql)), expected, f"ways: {name}")

    leaves("INSERT INTO parent SELECT i, 'p' FROM generate_series(1, 3) i", [("INSERT", 1), ("INSERT", 2), ("INSERT", 3)], "INSERT of many")
    leaves("INSERT INTO parent VALUES (1, 'again'), (4, 'p') ON CONFLICT (id) DO UPDATE SET name = 'upserted'", [("UPDATE", 1), ("INSERT", 4)], "ON CONFLICT DO UPDATE")
    leaves("INSERT INTO parent VALUES (1, 'again') ON CONFLICT DO NOTHING", [], "ON CONFLICT DO NOTHING")
    leaves("MERGE INTO parent p USING (VALUES (1, 'm'), (2, 'd'), (5, 'i')) v (id, name) ON v.id = p.id "
           "WHEN MATCHED AND v.name = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET name = v.name WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.name)",
           [("UPDATE", 1), ("DELETE", 2), ("INSERT", 5)], "MERGE")
    leaves("INSERT INTO child VALUES (1, 1), (2, 1); UPDATE parent SET id = 10 WHERE id = 1",
           [("INSERT", 1), ("INSERT", 2), ("UPDATE", 10), ("UPDATE", 1), ("UPDATE", 2)], "ON UPDATE CASCADE")
    leaves("DELETE FROM parent WHERE id = 10", [("DELETE", 10), ("DELETE", 1), ("DELETE", 2)], "ON DELETE CASCADE")
    leaves("WITH d AS (DELETE FROM parent WHERE id = 3 RETURNING id) INSERT INTO parent SELECT id + 100, 'w' FROM d", [("DELETE", 3), ("INSERT", 103)], "a CTE that writes")
    leaves("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.n := 42; RETURN new; END $$;"
           "CREATE TRIGGER b BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION f();"
           "INSERT INTO child VALUES (7, 103); DROP TRIGGER b ON child", [("INSERT", 7)], "a BEFORE trigger")
    report.equal(database.value("SELECT new -> 'n' FROM rampart.audit_log WHERE relation = 'public.child' ORDER BY id DESC LIMIT 1"), 42,
                 "ways: what a BEFORE trigger made of the row")
    leaves("SET session_replication_role = replica; INSERT INTO parent VALUES (50, 'r')", [("INSERT", 50)], "session_replication_role = replica")
    leaves("TRUNCATE parent, child", [("TRUNCATE", None), ("TRUNCATE", None)], "TRUNCATE")
    leaves("CREATE VIEW pv AS SELECT * FROM parent; INSERT INTO pv VALUES (60, 'v'); SELECT id FROM parent WHERE id = 60 FOR UPDATE", [("INSERT", 60)], "through a view")


def check_copy(world, database, report):
    last = database.last()
    world.cluster.psql("COPY parent FROM stdin;\n70\tcopied\n71\t\\N\n\\.\n", database=database.name)
    report.equal(operations(e[1:] for e in database.entries(last)), [("INSERT", 70), ("INSERT", 71)], "ways: COPY")
    world.cluster.psql("COPY parent FROM stdin;\n72\tcopied\n70\ttwice\n\\.\n", database=database.name, check=False)
    report.equal(len(database.entries(last)), 2, "ways: a COPY that fails leaves nothing")


def check_transactions(database, report):
    session = database.connect(autocommit=False)
    last = database.last()
    on(session, "INSERT INTO parent VALUES (80, 'a'); SAVEPOINT s; INSERT INTO parent VALUES (81, 'b'); ROLLBACK TO s; INSERT INTO parent VALUES (82, 'c')")
    report.equal(database.entries(last), [], "transactions: nothing is seen before the commit")
    session.commit()
    report.equal(operations(e[1:] for e in database.entries(last)), [("INSERT", 80), ("INSERT", 82)], "transactions: a savepoint rolled back takes its entries along")
    report.equal(database.value("SELECT count(DISTINCT xid) FROM rampart.audit_log WHERE id > %s", (last,)), 1, "transactions: one transaction, one xid")
    last = database.last()
    on(session, "INSERT INTO parent VALUES (83, 'd')")
    session.rollback()
    report.equal(database.entries(last), [], "transactions: so does a transaction")
    # A deferred constraint fails at commit.
    on(session, "INSERT INTO child VALUES (90, 999)")
    try:
        session.commit()
        committed = True
    except Exception:
        committed = False
    report.equal((committed, database.entries(last)), (False, []), "transactions: so does a deferred constraint that fails")
    session.rollback()
    for end, expected in (("COMMIT", [("INSERT", 84)]), ("ROLLBACK", [])):
        last = database.last()
        session.autocommit = True
        on(session, "BEGIN"), on(session, f"INSERT INTO parent VALUES ({84 if end == 'COMMIT' else 85}, 'p')"), on(session, "PREPARE TRANSACTION 'audit'")
        report.equal(database.entries(last), [], f"transactions: prepared, before {end} PREPARED")
        on(session, f"{end} PREPARED 'audit'")
        report.equal(operations(e[1:] for e in database.entries(last)), expected, f"transactions: after {end} PREPARED")
    session.close()


def check_numbers(world, database, report):
    """Numbers of entries are not the session's business, and none is given out twice."""
    database.query("CREATE TABLE serial (id serial PRIMARY KEY); SELECT rampart.audit_table('serial')")
    report.equal(database.query("INSERT INTO serial DEFAULT VALUES; SELECT lastval()"), [(1,)], "numbers: lastval() is the application's")
    report.ok(database.value("SELECT last_value FROM rampart.audit_log_id") >= database.last(), "numbers: the sequence knows the last one")
    for how in ("immediate", "fast"):
        database.query("CHECKPOINT")
        database.query("INSERT INTO serial SELECT FROM generate_series(1, 100)")
        last = database.last()
        world.cluster.stop(how)
        world.cluster.start()
        database.query("INSERT INTO serial SELECT FROM generate_series(1, 5)")
        numbers = [row[0] for row in database.query("SELECT id FROM rampart.audit_log ORDER BY id DESC LIMIT 5")]
        report.ok(min(numbers) > last, f"numbers: go up after a stop ({how})", f"{numbers} {last}")
    report.equal(database.value("SELECT count(*) - count(DISTINCT id) FROM rampart.audit_log"), 0, "numbers: no two entries share one")


def check(world, report):
    database = world.database("ways")
    database.query(SCHEMA)
    check_statements(database, report)
    check_copy(world, database, report)
    check_transactions(database, report)
    check_numbers(world, database, report)
