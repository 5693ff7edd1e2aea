"""Shapes of tables and values: what an entry holds is what the row held."""

# (type, SQL value, what stands in the log)
VALUES = [
    ("int2", "-7", -7), ("int8", "9223372036854775807", 9223372036854775807), ("bool", "true", True),
    ("numeric", "1.50", 1.5), ("numeric", "'NaN'", "NaN"), ("numeric", "'-infinity'", "-Infinity"),
    ("float8", "'infinity'", "Infinity"), ("float8", "'nan'", "NaN"), ("float8", "1e100", 10**100), ("float4", "0.1", 0.1),
    ("text", "E'a\"b\\\\c\\n'", 'a"b\\c\n'), ("char(3)", "'x'", "x  "), ("bytea", "'\\x00ff'", "\\x00ff"),
    ("date", "'infinity'", "infinity"), ("date", "'0044-03-15 BC'", "0044-03-15 BC"), ("date", "'5874897-12-31'", "5874897-12-31"),
    ("timestamptz", "'2020-01-01 00:00+02'", "2019-12-31T22:00:00+00:00"), ("timestamp", "'2020-01-01 01:02:03.5'", "2020-01-01T01:02:03.5"),
    ("interval", "'1 day 2 hours'", "1 day 02:00:00"), ("json", "'{\"a\":  1}'", '{"a":  1}'), ("jsonb", "'{\"a\": [1, null]}'", {"a": [1, None]}),
    ("jsonb", "'\"s\"'", "s"), ("int4[]", "'{{1,2},{3,NULL}}'", [[1, 2], [3, None]]), ("text[]", "'{}'", []), ("int4range", "'[1,3)'", "[1,3)"),
    ("daterange", "'[2020-01-01,2020-02-01)'", "[2020-01-01,2020-02-01)"), ("mood", "'ok'", "ok"), ("positive", "5", 5),
    ("pair", "ROW(1, NULL)", {"a": 1, "b": None}), ("pair[]", "ARRAY[ROW(1, 'x')::pair]", [{"a": 1, "b": "x"}]),
    ("uuid", "'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"), ("inet", "'10.0.0.1'", "10.0.0.1"),
    ("xml", "'<a/>'", "<a/>"), ("tsvector", "'a b'", "'a' 'b'"), ("money", "1", "$1.00"),
]
SETTINGS = "SET datestyle = 'German, DMY'; SET bytea_output = escape; SET intervalstyle = iso_8601; SET extra_float_digits = -15; SET timezone = 'Asia/Tokyo';"


def check_values(database, report):
    database.query("CREATE TYPE mood AS ENUM ('ok'); CREATE DOMAIN positive AS int CHECK (value > 0); CREATE TYPE pair AS (a int, b text)")
    columns = ", ".join(f"c{i} {kind}" for i, (kind, _, _) in enumerate(VALUES))
    row = ", ".join(value for _, value, _ in VALUES)
    database.query(f"CREATE TABLE vals (id int PRIMARY KEY, {columns}); SELECT rampart.audit_table('vals')")
    expected = {"id": 1, **{f"c{i}": logged for i, (_, _, logged) in enumerate(VALUES)}}
    got = database.after(f"{SETTINGS} INSERT INTO vals VALUES (1, {row})")
    wrong = {name: (got[0][3].get(name), value) for name, value in expected.items() if got[0][3].get(name) != value}
    report.equal((got[0][:3], wrong), (("INSERT", {"id": 1}, None), {}), "values: each type stands in the log as it should, whatever the session's settings")
    nothing = database.after("UPDATE vals SET " + ", ".join(f"c{i} = c{i}" for i in range(len(VALUES))))
    report.equal(nothing, [], "values: an UPDATE that changes none leaves no entry")
    got = database.after("DELETE FROM vals")
    report.equal((got[0][0], got[0][2] == expected, got[0][3]), ("DELETE", True, None), "values: DELETE has the whole row as old")
    everything = {"id": 2, **{f"c{i}": None for i in range(len(VALUES))}}
    report.equal(database.after("INSERT INTO vals VALUES (2)"), [("INSERT", {"id": 2}, None, everything)], "values: NULL of each type")


def check_columns(database, report):
    database.query('''
        CREATE TABLE odd ("Key ""1""" int, b text, gone int, twice int GENERATED ALWAYS AS ("Key ""1""" * 2) STORED, PRIMARY KEY ("Key ""1"""));
        ALTER TABLE odd DROP COLUMN gone; CREATE SCHEMA "My Schema"; ALTER TABLE odd SET SCHEMA "My Schema";
        SELECT rampart.audit_table('"My Schema".odd')''')
    last = database.last()
    database.query('INSERT INTO "My Schema".odd VALUES (1, NULL); ALTER TABLE "My Schema".odd ADD later int DEFAULT 7; '
                   'UPDATE "My Schema".odd SET b = \'x\', "Key ""1""" = 3')
    report.equal(database.entries(last), [
        ('"My Schema".odd', "INSERT", {'Key "1"': 1}, None, {'Key "1"': 1, "b": None, "twice": 2}),
        ('"My Schema".odd', "UPDATE", {'Key "1"': 3}, {'Key "1"': 1, "b": None, "twice": 2}, {'Key "1"': 3, "b": "x", "twice": 6})],
        "columns: quoted names, dropped, added and generated columns, a key that changes")
    history = database.query("SELECT operation, column_name, old_value, new_value FROM rampart.row_history('\"My Schema\".odd', '{\"Key \\\"1\\\"\": 3}')")
    report.equal([(h[0], h[1]) for h in history], [("INSERT", 'Key "1"'), ("INSERT", "b"), ("INSERT", "twice"), ("UPDATE", 'Key "1"'), ("UPDATE", "b"),
                                                   ("UPDATE", "twice")], "columns: row_history follows a changed key")
    wide = ", ".join(f"c{i} int" for i in range(1000))
    database.query(f"CREATE TABLE wide ({wide}); SELECT rampart.audit_table('wide')")
    got = database.after(f"INSERT INTO wide SELECT {', '.join(str(i) for i in range(1000))}; UPDATE wide SET c999 = -1")
    report.equal((len(got[0][3]), got[0][3]["c500"], got[1][3]), (1000, 500, {"c999": -1}), "columns: a thousand of them")


def check_keys(database, report):
    database.query("CREATE TABLE none (a int, b int); SELECT rampart.audit_table('none');"
                   "CREATE TABLE two (a int, b text, c int, PRIMARY KEY (b, a)); SELECT rampart.audit_table('two');"
                   "CREATE TABLE ident (a int UNIQUE NOT NULL, b int); ALTER TABLE ident REPLICA IDENTITY USING INDEX ident_a_key; SELECT rampart.audit_table('ident')")
    report.equal(database.after("INSERT INTO none VALUES (1, 2); UPDATE none SET b = 3"),
                 [("INSERT", None, None, {"a": 1, "b": 2}), ("UPDATE", None, {"a": 1, "b": 2}, {"b": 3})],
                 "keys: without one, old is the whole row")
    report.equal(database.after("INSERT INTO two VALUES (1, 'x', 1); UPDATE two SET c = 2"),
                 [("INSERT", {"a": 1, "b": "x"}, None, {"a": 1, "b": "x", "c": 1}), ("UPDATE", {"a": 1, "b": "x"}, {"c": 1}, {"c": 2})],
                 "keys: of two columns")
    report.equal(database.after("INSERT INTO ident VALUES (1, 1); UPDATE ident SET b = 2")[1][1], {"a": 1}, "keys: the replica identity")


def check_settings(database, report):
    database.query("CREATE TABLE hide (id int PRIMARY KEY, seen int, pw text, noise int)")
    database.query("SELECT rampart.audit_table('hide', exclude => '{noise}', redact => '{pw}')")
    masked = "[redacted]"
    report.equal(database.after("INSERT INTO hide VALUES (1, 1, 'secret', 1); UPDATE hide SET noise = 2; UPDATE hide SET pw = 'other', noise = 3; DELETE FROM hide"),
                 [("INSERT", {"id": 1}, None, {"id": 1, "seen": 1, "pw": masked}), ("UPDATE", {"id": 1}, {"pw": masked}, {"pw": masked}),
                  ("DELETE", {"id": 1}, {"id": 1, "seen": 1, "pw": masked}, None)], "settings: excluded columns do not appear, redacted ones as such")
    for statement in ("ALTER TABLE hide RENAME pw TO password", "ALTER TABLE hide DROP noise"):
        report.equal(database.failure(statement), "RMA03", f"settings: refused: {statement}")
    session = database.connect()
    with session.cursor() as cursor:
        cursor.execute("INSERT INTO hide VALUES (2, 1, 'a', 1)")
        database.query("SELECT rampart.audit_table('hide', redact => '{seen}')")
        last = database.last()
        cursor.execute("UPDATE hide SET noise = 9, seen = 9")
    session.close()
    report.equal(database.entries(last)[0][4], {"seen": masked, "noise": 9}, "settings: a change reaches sessions that have the table's settings")
    report.equal(database.query("SELECT relation::text, active, exclude, redact FROM rampart.audited_tables WHERE relation = 'hide'::regclass"),
                 [("hide", True, [], ["seen"])], "settings: audited_tables shows them")
    report.equal(database.failure("SELECT rampart.audit_table('hide', exclude => '{nope}')"), "42703", "settings: a column that is not there")
    database.query("CREATE VIEW v AS SELECT 1; CREATE SEQUENCE s")
    for name in ("v", "s", "pg_class", "rampart.key", "rampart.audit_log"):
        report.equal(database.failure(f"SELECT rampart.audit_table('{name}')"), "RMA04", f"settings: {name} cannot be audited")
    report.equal(database.failure("CREATE TEMP TABLE tt (a int); SELECT rampart.audit_table('tt')"), "RMA04", "settings: nor can a temporary table")
    report.equal(database.failure("SELECT rampart.unaudit_table('v')"), "RMA02", "settings: unaudit_table of what is not audited")
    last = database.last()
    database.query("SELECT rampart.unaudit_table('hide'); INSERT INTO hide VALUES (3)")
    report.equal((database.entries(last), database.events(last)), ([], [("audit.disabled", "public.hide")]), "settings: unaudit_table ends it and says so")


def check_big(database, report):
    database.query("CREATE TABLE big (id int PRIMARY KEY, small int, blob text); ALTER TABLE big ALTER blob SET STORAGE external;"
                   "SELECT rampart.audit_table('big'); INSERT INTO big SELECT 1, 1, repeat('0123456789', 300000)")
    report.equal(database.after("UPDATE big SET small = 2"), [("UPDATE", {"id": 1}, {"small": 1}, {"small": 2})], "big values: not there when unchanged")
    session = database.connect()
    toast = "SELECT pg_stat_get_numscans(i.indexrelid) FROM pg_class c JOIN pg_index i ON i.indrelid = c.reltoastrelid WHERE c.relname = 'big'"
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(toast)
        before = cursor.fetchone()[0]
        cursor.execute("UPDATE big SET small = small + 1")
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(toast)
        report.equal(cursor.fetchone()[0] - before, 0, "big values: unchanged ones are not fetched")
    session.close()
    got = database.after("UPDATE big SET blob = blob || 'x'")
    report.equal((len(got[0][2]["blob"]), len(got[0][3]["blob"])), (3000000, 3000001), "big values: whole when changed")


def check(world, report):
    database = world.database("shapes")
    for part in (check_values, check_columns, check_keys, check_settings, check_big):
        part(database, report)
