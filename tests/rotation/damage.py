"""Damaged values: reported with table, column and row, and without plaintext; all others are rotated; the old key is kept."""
from world import on

SECRET = "zebrafish"
# The bytes are stored as bytea; then the columns are declared to be encrypted ones.
TABLE = f"""
CREATE TABLE whole (id int PRIMARY KEY, mail enc_text(pii, deterministic), name enc_text(pii));
INSERT INTO whole SELECT i, '{SECRET}-mail' || i, '{SECRET}-name' || i FROM generate_series(1, 500) i;
CREATE TABLE damaged (id int PRIMARY KEY, what text, mail bytea, name bytea);
INSERT INTO damaged SELECT id, NULL, rampart.ciphertext(mail), rampart.ciphertext(name) FROM whole;
CREATE TABLE listed (id int, names bytea[]);
CREATE TABLE model (names enc_text(pii)[]);
CREATE TABLE registered (id int, raw bytea);
INSERT INTO registered VALUES (1, rampart.encrypt('pii', '{SECRET}', '1')), (2, 'no ciphertext'), (3, rampart.encrypt('pii', '{SECRET}', 'another')),
                              (4, ''), (5, NULL), (6, rampart.encrypt('pii', '{SECRET}', '6'));
SELECT rampart.register_column('registered', 'raw', 'pii', 'id');
"""
DECLARE = """
UPDATE pg_attribute d SET atttypid = t.atttypid, atttypmod = t.atttypmod, attcollation = t.attcollation
FROM pg_attribute t
WHERE d.attname = t.attname AND t.attname IN ('mail', 'name', 'names')
  AND (d.attrelid, t.attrelid) IN (('damaged'::regclass, 'whole'::regclass), ('listed'::regclass, 'model'::regclass))
"""
# Made of a genuine ciphertext g; another database's key in {alien}, a disabled key's value in {disabled}, a destroyed one's in {destroyed}.
DAMAGE = [
    ("the format", "set_byte(g, 0, get_byte(g, 0) # 128)", "RMC01"), ("an unknown mode", "set_byte(g, 0, 20)", "RMC01"),
    ("kind 0", "set_byte(g, 1, 0)", "RMC01"), ("another kind", "set_byte(g, 1, 5)", "RMC02"),
    ("an unknown key", "set_byte(g, 5, get_byte(g, 5) # 1)", "RMK02"), ("the IV", "set_byte(g, 12, get_byte(g, 12) # 1)", "RMC02"),
    ("the body", "set_byte(g, 23, get_byte(g, 23) # 1)", "RMC02"), ("the tag", "set_byte(g, length(g) - 1, get_byte(g, length(g) - 1) # 1)", "RMC02"),
    ("a byte missing", "substr(g, 1, length(g) - 1)", "RMC02"), ("a byte more", "g || '\\x00'", "RMC02"), ("only a header", "substr(g, 1, 10)", "RMC01"),
    ("one byte", "'\\x11'", "RMC01"), ("nothing", "''", "RMC01"), ("zeros", "decode(repeat('00', 60), 'hex')", "RMC01"),
    ("a large value", "g || decode(repeat('ab', 100000), 'hex')", "RMC02"), ("another database's value", "'{alien}'", "RMK02"),
    ("a disabled key's value", "'{disabled}'", "RMK03"), ("a destroyed key's value", "'{destroyed}'", "RMK04"),
]
ERRORS = "SELECT table_name, column_name, row_id::text, left(problem, 5) FROM rampart.rotation_error WHERE rotation = %s"


def make(world, database):
    alien = world.database("damage_alien", "pii").value("SELECT rampart.encrypt('pii', 'alien')")
    database.query(TABLE)
    keys = {}
    for what in ("disabled", "destroyed"):
        keys[what] = database.value("SELECT rampart.encrypt('pii', 'x')")
        key = database.value("SELECT id FROM rampart.keys WHERE scope = 'pii' AND state = 'active' AND purpose = 'data'")
        database.query("SELECT rampart.rotate_key('pii')")
        database.query(f"SELECT rampart.disable_key('{key}')" if what == "disabled" else f"SELECT rampart.destroy_key('{key}', 'pii', true)")
    # The genuine values were made with the key that is disabled: it is not, yet.
    return {"alien": "\\x" + bytes(alien).hex(), **{what: "\\x" + bytes(value).hex() for what, value in keys.items()}}


def check_values(world, database, report):
    made = make(world, database)
    disabled = database.value("SELECT id FROM rampart.keys WHERE state = 'disabled'")
    database.query("SELECT rampart.enable_key(%s)", (disabled,))
    report.equal(database.rotate(new_key="false"), "complete with errors", "damage: registered columns with other bytes in them")
    report.equal(sorted(row[2:] for row in database.query("SELECT table_name, column_name, row_id::text, left(problem, 5) FROM rampart.rotation_error")),
                 [("(0,2)", "RMC01"), ("(0,3)", "RMC02"), ("(0,4)", "RMC01")], "damage: these are listed")
    database.query("DELETE FROM registered WHERE id IN (2, 3, 4); TRUNCATE damaged")
    database.query("INSERT INTO damaged SELECT id, NULL, rampart.ciphertext(mail), rampart.ciphertext(name) FROM whole")
    database.query("SELECT rampart.disable_key(%s)", (disabled,))
    for number, (what, sql, _) in enumerate(DAMAGE, 1000):
        sql = sql.format(**made)
        database.query(f"INSERT INTO damaged SELECT {number}, %s, {sql}, {sql} FROM (SELECT name AS g FROM damaged WHERE id = 7) s", (what,))
        if number % 3 == 0:
            database.query("INSERT INTO damaged SELECT id + 1000 * %s, NULL, mail, name FROM damaged WHERE id < 40", (number,))
    database.query("INSERT INTO listed SELECT id, ARRAY[(SELECT name FROM damaged WHERE id = 8), name] FROM damaged")
    database.query(DECLARE)
    database.query("DROP TABLE model")


def check_reports(database, report):
    good = "SELECT count(*) FROM {} WHERE rampart.try_decrypt(mail) LIKE 'zebrafish-mail%' AND rampart.try_decrypt(name) LIKE 'zebrafish-name%'"
    before = [database.value(good.format(table)) for table in ("damaged", "whole")]
    expected = sorted([("public.damaged", column, ctid, sqlstate) for number, (_, _, sqlstate) in enumerate(DAMAGE, 1000)
                       for column in ("mail", "name") for ctid in [database.value("SELECT ctid::text FROM damaged WHERE id = %s", (number,))]]
                      + [("public.listed", "names", database.value("SELECT ctid::text FROM listed WHERE id = %s", (number,)), sqlstate)
                         for number, (_, _, sqlstate) in enumerate(DAMAGE, 1000)])
    rotation = database.start(batch=50)
    report.equal(database.wait(rotation), "complete with errors", "damage: the rotation ends with errors")
    report.equal(sorted(database.query(ERRORS, (rotation,))), expected, "damage: each value is reported with its place and SQLSTATE")
    shown = database.query("SELECT table_name, problems FROM rampart.rotation_progress WHERE rotation = %s AND column_name IN ('name', 'names') OR "
                           "rotation = %s AND table_name IS NULL ORDER BY 1 NULLS FIRST", (rotation, rotation))
    n = len(DAMAGE)
    report.equal(shown, [(None, 3 * n), ("public.damaged", 2 * n), ("public.listed", n), ("public.whole", 0)], "damage: and counted in rotation_progress")
    report.equal([database.value(good.format(table)) for table in ("damaged", "whole")], before, "damage: all others still read")
    old = database.query("""SELECT k.state, c.relation::text, sum(c.amount)::int8 FROM rampart.key_census('pii') c LEFT JOIN rampart.key k ON k.id = c.key_id
                            WHERE k.state IS DISTINCT FROM 'active' GROUP BY 1, 2""")
    report.ok(all(amount <= 2 * n for _, _, amount in old), "damage: and are under the new key", old)
    report.equal(database.query("SELECT rampart.rotation_plan('pii', true) IS NOT NULL LIMIT 1"), [(True,)], "damage: rotation_plan still answers")


def check_keys(database, report):
    needed = database.value("""SELECT rampart.key_id_text(c.key_id) FROM rampart.key_census('pii') c JOIN rampart.key k ON k.id = c.key_id
                               WHERE k.state = 'retired' LIMIT 1""")
    report.equal(database.failure("SELECT rampart.destroy_key(%s, 'pii')", (needed,)), "RMR04", "damage: a key that damaged values need is not destroyed")
    others = database.destroy_retired_keys()
    report.ok(others and set(others) == {"RMR04"}, "damage: nor is one, while there are values that do not say which key they need", others)
    report.equal(database.failure("SELECT rampart.destroy_key(%s, 'pii', true)", (needed,)), None, "damage: unless it is forced")
    database.query("DELETE FROM damaged WHERE id BETWEEN 1000 AND 1000 + %s; DELETE FROM listed WHERE id BETWEEN 1000 AND 1000 + %s", (len(DAMAGE), len(DAMAGE)))
    report.equal(database.rotate(new_key="false"), "complete", "damage: without the damaged rows there are no errors")
    report.equal(database.destroy_retired_keys(), [], "damage: and retired keys can be destroyed")


def check_secrecy(world, database, report):
    kept = database.query("""SELECT string_agg(t::text, '') FROM rampart.rotation_error t UNION ALL SELECT string_agg(t::text, '') FROM rampart.rotation t
                             UNION ALL SELECT string_agg(t::text, '') FROM rampart.rotation_table t""")
    report.ok(SECRET not in str(kept), "damage: no plaintext in what rotations have noted")
    connection = database.connect()
    # A unique index whose expression refuses a value, and quotes it.
    on(connection, """CREATE TABLE quoting (mail enc_text(pii));
                      INSERT INTO quoting VALUES ('zebrafish-quoted'), ('fine');
                      CREATE FUNCTION picky(v enc_text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
                          IF current_setting('picky.refuse', true) = 'yes' THEN RAISE EXCEPTION 'zebrafish-quoted is bad' USING DETAIL = 'zebrafish-quoted'; END IF;
                          RETURN 1; END $$;
                      CREATE INDEX ON quoting (picky(mail));
                      CREATE FUNCTION picky_about(v text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
                          IF current_setting('picky.refuse', true) = 'yes' THEN RAISE EXCEPTION '% is bad', v; END IF;
                          RETURN 1; END $$;
                      CREATE TABLE quoting_all (mail enc_text(pii));
                      INSERT INTO quoting_all VALUES ('fine');
                      CREATE INDEX ON quoting_all (picky_about('zebrafish-constant'));
                      ALTER DATABASE damage SET picky.refuse = 'yes'""")
    rotation = database.start()
    report.equal(database.wait(rotation), "complete with errors", "damage: rows that an index refuses are errors")
    noted = database.query("SELECT table_name, row_id::text, problem FROM rampart.rotation_error WHERE rotation = %s ORDER BY 1, 2", (rotation,))
    report.equal(noted, [("public.quoting", "(0,1)", "P0001: cannot be rewritten"), ("public.quoting", "(0,2)", "P0001: cannot be rewritten"),
                         ("public.quoting_all", "(0,0)", "SQLSTATE P0001")],
                 "damage: each of them, without the index's words")
    log = [line for line in world.cluster.log().splitlines() if SECRET in line]
    report.equal(log, [], "damage: no plaintext in the server's log")
    on(connection, "ALTER DATABASE damage RESET ALL")
    connection.close()


def check_many(database, report):
    """So many damaged rows that not all of them are listed."""
    database.query("CREATE TABLE many (id int, raw bytea); SELECT rampart.register_column('many', 'raw', 'pii')")
    database.query("INSERT INTO many SELECT i, CASE WHEN i <= 1500 THEN 'rubbish'::bytea ELSE rampart.encrypt('pii', 'x' || i) END FROM generate_series(1, 2000) i")
    rotation = database.start(batch=100000)
    report.equal(database.wait(rotation), "complete with errors", "damage: 1500 rows")
    report.equal(database.query("SELECT problems, rewritten FROM rampart.rotation_progress WHERE rotation = %s AND table_name = 'public.many'", (rotation,)),
                 [(1500, 500)], "damage: all of them are counted")
    listed = database.value("SELECT count(*) FROM rampart.rotation_error WHERE rotation = %s AND table_name = 'public.many'", (rotation,))
    report.ok(1000 <= listed < 1500, "damage: and the first 1000 listed", listed)
    database.query("DROP TABLE many")


def check(world, report):
    database = world.database("damage", "pii")
    check_values(world, database, report)
    check_reports(database, report)
    check_keys(database, report)
    check_many(database, report)
    check_secrecy(world, database, report)
