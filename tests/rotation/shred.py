"""A scope is shredded: nothing in it can ever be decrypted, and everything else works."""
import psycopg2

TABLES = [
    """CREATE TABLE patient (id int PRIMARY KEY, mail enc_text(pii, deterministic) UNIQUE, notes enc_text(pii), other enc_text(kept),
       tags enc_text(pii)[], plain text)""",
    "INSERT INTO patient SELECT i, 'mail' || i, 'notes', 'other' || i, ARRAY['a', 'b'], 'plain' || i FROM generate_series(1, 100) i",
    "CREATE TABLE visit (patient enc_text(pii, deterministic) REFERENCES patient (mail) ON DELETE CASCADE)",
    "INSERT INTO visit SELECT 'mail' || i FROM generate_series(1, 10) i",
    "CREATE TABLE file (id int, body bytea)",
    "INSERT INTO file VALUES (1, rampart.encrypt('pii', 'body'))",
    "CREATE TABLE sealed AS SELECT rampart.armour(rampart.ciphertext(mail)) AS armour FROM patient WHERE id = 1",
    "SELECT rampart.register_column('file', 'body', 'pii')",
]
# What reads or writes values of the scope.
REFUSED = [
    ("SELECT mail FROM patient", "RMK04"),
    ("SELECT notes::text FROM patient", "RMK04"),
    ("SELECT tags FROM patient", "RMK04"),
    ("SELECT rampart.decrypt(body) FROM file", "RMK04"),
    ("SELECT * FROM patient WHERE mail = 'mail7'", "RMK04"),
    ("SELECT rampart.blind_index('pii', 'x', 'x')", "RMK04"),
    ("SELECT rampart.encrypt('pii', 'x')", "RMK07"),
    ("INSERT INTO patient (id, mail) VALUES (1000, 'new')", "RMK07"),
    ("UPDATE patient SET notes = 'new' WHERE id = 7", "RMK07"),
    ("SELECT rampart.decrypt(rampart.dearmour(armour)) FROM sealed", "RMK04"),
]
# What does not.
ALLOWED = [
    "SELECT count(*) FROM patient WHERE other::text LIKE 'other%'",
    "SELECT count(mail), count(DISTINCT mail) FROM patient",
    "SELECT count(*) FROM patient JOIN visit ON patient = mail",
    "UPDATE patient SET plain = 'changed', other = 'changed' WHERE id = 5",
    "DELETE FROM patient WHERE id = 3",
    "INSERT INTO patient (id, plain, other) VALUES (1001, 'new', 'new')",
    "SELECT rampart.try_decrypt(notes) FROM patient",
    "SELECT count(*) FROM rampart.verify_column('patient', 'mail') HAVING count(*) = 99",
    "VACUUM FULL patient",
    "ANALYZE patient",
    "REINDEX TABLE patient",
    "CREATE INDEX ON patient (mail)",
    "ALTER TABLE patient DROP COLUMN tags",
]


def attempt(database, sql):
    """The SQLSTATE of a statement's error; 'done' where it has none."""
    connection = database.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
        return "done"
    except psycopg2.Error as error:
        return error.pgcode
    finally:
        connection.close()


def check(world, report):
    database = world.database("shred", "pii", "kept")
    for statement in TABLES:
        database.query(statement)
    database.query("SELECT rampart.rotate_key('pii')")
    try:
        database.query("SELECT rampart.shred_scope('pii')")
        detail = None
    except psycopg2.Error as error:
        detail = error.diag.message_detail
    # 100 mails, 100 notes, 200 tags, 10 visits, 1 file.
    report.equal(detail, "411 values in 5 columns can then never be decrypted again.", "shred: counts what would be lost before it asks")
    report.equal(database.value("SELECT count(*) FROM patient WHERE mail = 'mail7'"), 1, "shred: nothing has happened yet")
    report.equal(database.value("SELECT rampart.shred_scope('pii', 'pii')"), 411, "shred: says how many values are gone")
    report.equal(database.value("SELECT count(*) FROM rampart.key WHERE scope = 'pii' AND (state <> 'destroyed' OR wrapped IS NOT NULL)"), 0,
                 "shred: no key of the scope is left")
    for sql, sqlstate in REFUSED:
        report.equal(attempt(database, sql), sqlstate, f"shred: {sql}")
    for sql in ALLOWED:
        report.equal(attempt(database, sql), "done", f"shred: still works: {sql}")
    report.ok("rmp1:" in database.query("SELECT mail FROM patient LIMIT 1", options="-c rampart.reveal=off")[0][0], "shred: ciphertext is still there to be dumped")
    report.equal(database.query("SELECT event FROM rampart.key_event WHERE event = 'scope_shredded'"), [("scope_shredded",)], "shred: is on record")
    database.query("SELECT rampart.rotate_key('pii')")
    database.query("INSERT INTO patient (id, mail, notes) VALUES (2000, 'mail7', 'anew')")
    report.equal(database.query("SELECT id, notes FROM patient WHERE mail = 'mail7'"), [(2000, "anew")], "shred: the scope begins anew")
    database.query("DROP TABLE patient, visit; SELECT rampart.unregister_column('file', 'body')")
    report.equal(database.query("SELECT rampart.drop_scope('pii', 'pii')"), [("",)], "shred: and is dropped when nothing uses it")
