"""While old and new versions are mixed: every statement answers as it does on plaintext twins."""
from world import on

ROWS = 1500
TABLES = f"""
CREATE TABLE users (id int PRIMARY KEY, mail enc_text(pii, deterministic) UNIQUE, city enc_text(pii, deterministic), born enc_date(pii, deterministic),
                    name enc_text(pii), n int NOT NULL DEFAULT 0);
CREATE TABLE orders (id int PRIMARY KEY, mail enc_text(pii, deterministic) REFERENCES users (mail) ON UPDATE CASCADE ON DELETE CASCADE, amount enc_numeric(pii));
CREATE INDEX ON orders (mail);
CREATE INDEX ON users USING hash (city);
CREATE SCHEMA twin;
CREATE TABLE twin.users (id int PRIMARY KEY, mail text UNIQUE, city text, born date, name text, n int NOT NULL DEFAULT 0);
CREATE TABLE twin.orders (id int PRIMARY KEY, mail text REFERENCES twin.users (mail) ON UPDATE CASCADE ON DELETE CASCADE, amount numeric);
CREATE INDEX ON twin.orders (mail);
INSERT INTO twin.users SELECT i, 'mail' || i, 'city' || i % 7, '2000-01-01'::date + i % 50, 'name' || i FROM generate_series(1, {ROWS}) i;
INSERT INTO twin.orders SELECT i, 'mail' || 1 + i * 7 % {ROWS}, i * 1.25 FROM generate_series(1, {ROWS}) i;
INSERT INTO users SELECT * FROM twin.users;
INSERT INTO orders SELECT * FROM twin.orders;
ANALYZE;
"""
VERSIONS = """SELECT count(DISTINCT k.version) FROM rampart.key_census('pii') c JOIN rampart.key k ON k.id = c.key_id
              WHERE c.relation = '{}'::regclass"""

READS = [
    "SELECT id, mail, name FROM users WHERE mail = 'mail{}'".format(row) for row in (1, 2, 500, 900, ROWS)] + [
    "SELECT id FROM users WHERE mail IN ('mail1', 'mail1499', 'mail700', 'nobody') ORDER BY id",
    "SELECT id FROM users WHERE mail = ANY (ARRAY['mail5', 'mail1200']) ORDER BY id",
    "SELECT count(*) FROM users WHERE mail <> 'mail17'",
    "SELECT count(*) FROM users u JOIN orders o ON o.mail = u.mail",
    "SELECT count(*), sum(o.amount) FROM users u JOIN orders o USING (mail) WHERE u.city = 'city3'",
    "SELECT count(*) FROM users a JOIN users b ON a.city = b.city AND a.born = b.born",
    "SELECT count(*) FROM users u WHERE EXISTS (SELECT FROM orders o WHERE o.mail = u.mail)",
    "SELECT count(*) FROM users u WHERE u.mail NOT IN (SELECT mail FROM orders)",
    "SELECT count(*) FROM users u LEFT JOIN orders o ON o.mail = u.mail WHERE o.id IS NULL",
    "SELECT city::text, count(*) FROM users GROUP BY city ORDER BY 1",
    "SELECT born::date, city::text, count(*) FROM users GROUP BY GROUPING SETS ((born), (born, city)) ORDER BY 1, 2, 3",
    "SELECT count(*) FROM (SELECT DISTINCT city, born FROM users) s",
    "SELECT count(DISTINCT city), count(DISTINCT born) FROM users",
    "SELECT count(*) FROM (SELECT city FROM users UNION SELECT mail FROM orders) s",
    "SELECT count(*) FROM (SELECT mail FROM users EXCEPT SELECT mail FROM orders) s",
    "SELECT count(*) FROM (SELECT mail FROM users INTERSECT SELECT mail FROM orders) s",
    "SELECT max(c) FROM (SELECT count(*) OVER (PARTITION BY city) c FROM users) s",
    "SELECT count(*) FROM users WHERE ROW(mail, city) = ROW('mail8', 'city1')",
    "SELECT count(*) FROM users WHERE ARRAY[mail, city] = ARRAY['mail8', 'city1']::enc_text(pii, deterministic)[]",
]
TWIN_READS = {READS[-1]: "SELECT count(*) FROM users WHERE ARRAY[mail, city] = ARRAY['mail8', 'city1']"}
PLANS = ["seqscan hashjoin hashagg", "indexscan bitmapscan mergejoin sort", "indexscan nestloop", "seqscan mergejoin sort", "seqscan nestloop material"]
METHODS = ["seqscan", "indexscan", "indexonlyscan", "bitmapscan", "hashjoin", "mergejoin", "nestloop", "hashagg", "sort", "material"]
WRITES = [
    "INSERT INTO users VALUES (5001, 'mail2')", "INSERT INTO users VALUES (5001, 'mail1498')",
    "INSERT INTO users VALUES (5002, 'mail3') ON CONFLICT (mail) DO UPDATE SET n = users.n + 1 RETURNING id, n",
    "INSERT INTO users VALUES (5002, 'mail1497') ON CONFLICT (mail) DO UPDATE SET n = users.n + 1 RETURNING id, n",
    "INSERT INTO users VALUES (5002, 'mail4') ON CONFLICT DO NOTHING RETURNING id",
    "INSERT INTO orders VALUES (6001, 'mail5', 3), (6002, 'mail1496', 4)", "INSERT INTO orders VALUES (6003, 'nobody', 3)",
    "DELETE FROM users WHERE mail = 'mail6'", "DELETE FROM users WHERE mail = 'mail1495'",
    "UPDATE users SET mail = 'moved' WHERE mail = 'mail9'", "UPDATE users SET mail = 'moved too' WHERE mail = 'mail1490'",
    "UPDATE users SET mail = 'mail1491' WHERE mail = 'mail10'",
    "MERGE INTO users u USING (VALUES ('mail11'), ('mail1489'), ('fresh')) v (mail) ON u.mail = v.mail "
    "WHEN MATCHED THEN UPDATE SET n = u.n + 10 WHEN NOT MATCHED THEN INSERT VALUES (5003, v.mail)",
    "UPDATE users u SET n = n + 100 FROM orders o WHERE o.mail = u.mail AND o.mail IN ('mail12', 'mail1488')",
    "DELETE FROM users USING orders o WHERE o.mail = users.mail AND o.id = 77",
    "UPDATE users SET city = (SELECT city FROM users WHERE id = 900) WHERE id IN (20, 1480)",
]
ALL = ["SELECT id, mail::text, city::text, born::date, name::text, n FROM users ORDER BY id",
       "SELECT id, mail::text, amount::numeric FROM orders ORDER BY id"]


def answer(connection, sql, twin):
    """Rows, or the SQLSTATE."""
    on(connection, f"SET search_path = {'twin' if twin else 'public'}")
    try:
        return on(connection, TWIN_READS.get(sql, sql) if twin else sql)
    except Exception as error:
        return getattr(error, "pgcode", None) or repr(error)


def check_reads(connection, report, when, plans=PLANS[:2]):
    for plan in plans:
        for method in METHODS:
            on(connection, f"SET enable_{method} = {'on' if method in plan.split() else 'off'}")
        wrong = [(sql, got, expected) for sql in READS
                 if (got := answer(connection, sql, False)) != (expected := answer(connection, sql, True))]
        report.equal(wrong, [], f"mixed: {when}, {len(READS)} queries with {plan}")
    for method in METHODS:
        on(connection, f"RESET enable_{method}")


def check_across(database, rotation, connection, report):
    """Statements that were prepared, and cursors that were opened, before the batches they meet."""
    on(connection, "SET search_path = public; PREPARE p AS SELECT id FROM users WHERE mail = $1")
    report.equal([on(connection, "EXECUTE p(%s)", (f"mail{n}",)) for n in range(100, 108)], [[(n,)] for n in range(100, 108)], "across: a prepared statement")
    reader = database.connect(autocommit=False)
    on(reader, "DECLARE c SCROLL CURSOR FOR SELECT id, mail::text, name::text FROM users WHERE born = '2000-01-05' ORDER BY id")
    on(reader, "DECLARE d CURSOR FOR SELECT u.id, o.id FROM users u JOIN orders o ON o.mail = u.mail ORDER BY 1, 2")
    first = [on(reader, "FETCH 10 FROM c"), on(reader, "FETCH 1000 FROM d")]
    before = database.query("SELECT sum(rows_done) FROM rampart.rotation_table")[0][0]
    database.query("SELECT rampart.set_rotation_pace(%s), rampart.resume_rotation(%s)", (rotation, rotation))
    database.wait_for_rows(rotation, 2 * ROWS)
    after = database.query("SELECT sum(rows_done) FROM rampart.rotation_table")[0][0]
    report.ok(after > before, "across: batches went on beside open cursors", (before, after))
    got = [first[0] + on(reader, "FETCH ALL FROM c"), first[1] + on(reader, "FETCH ALL FROM d")]
    on(connection, "SET search_path = twin")
    expected = [on(connection, "SELECT id, mail, name FROM users WHERE born = '2000-01-05' ORDER BY id"),
                on(connection, "SELECT u.id, o.id FROM users u JOIN orders o ON o.mail = u.mail ORDER BY 1, 2")]
    report.equal(got == expected, True, "across: cursors give all their rows")
    on(reader, "MOVE ABSOLUTE 0 FROM c")
    report.equal(on(reader, "FETCH ALL FROM c") == expected[0], True, "across: and once more")
    shown = database.query("SELECT state, waiting_for FROM rampart.rotation_progress WHERE rotation = %s AND table_name IS NULL", (rotation,))
    report.ok(shown[0][0] == "waits for transactions" and len(shown[0][1]) == 1, "across: the next round waits for them, and says so", shown)
    reader.rollback()
    on(connection, "SET search_path = public")
    report.equal([on(connection, "EXECUTE p(%s)", (f"mail{n}",)) for n in range(100, 108)], [[(n,)] for n in range(100, 108)], "across: the prepared statement again")


def check(world, report):
    database = world.database("mixed", "pii")
    database.query(TABLES)
    rotation = database.paused_midway(ROWS // 2, batch=100, max_rows_per_second=3000)
    table = database.value("SELECT relation::regclass::text FROM rampart.rotation_table WHERE state = 'pending' AND next_block > 0")
    report.equal(database.value(VERSIONS.format(table)), 2, f"mixed: {table} holds two versions")
    connection = database.connect()
    check_reads(connection, report, "before writes", PLANS)
    for sql in WRITES:
        report.equal(answer(connection, sql, False), answer(connection, sql, True), f"mixed: {sql}")
    for sql in ALL:
        report.equal(answer(connection, sql, False) == answer(connection, sql, True), True, f"mixed: after writes, {sql}")
    check_reads(connection, report, "after writes")
    check_across(database, rotation, connection, report)
    report.equal((database.wait(rotation), database.old_values()), ("complete", 0), "mixed: the rotation completes")
    check_reads(connection, report, "after the rotation")
    report.equal(database.destroy_retired_keys(), [], "mixed: the old key can be destroyed")
    check_reads(connection, report, "after the old key's end")
    connection.close()
