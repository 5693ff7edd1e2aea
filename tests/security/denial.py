"""What a scope answers where the right to decrypt is missing: armour, NULL, a mask or an error, as it is set.

That is an answer to a reader. What is copied or stored stays ciphertext, whatever the setting: a dump by a role
without the right restores.
"""
import io
import re

import psycopg2

from cluster import run
from world import attempt, without_ciphertext

MODES = ("armour", "null", "mask", "error")
# For a text; other types have no mask and are shown as NULL.
ANSWERS = {"armour": "armour", "null": None, "mask": "****", "error": "42501"}

TABLE = """
SELECT rampart.create_scope('{0}', '{1}'), rampart.grant_scope('{0}', 'app');
CREATE TABLE {0} (id int PRIMARY KEY, email enc_text({0}, deterministic), name enc_text({0}), born enc_date({0}));
CREATE VIEW {0}_view AS SELECT * FROM {0};
CREATE VIEW {0}_one AS SELECT email FROM {0};
CREATE FUNCTION {0}_sql() RETURNS enc_text LANGUAGE sql STABLE AS $$ SELECT email FROM {0} WHERE id = 1 $$;
CREATE FUNCTION {0}_body() RETURNS enc_text LANGUAGE sql RETURN (SELECT email FROM {0} WHERE id = 1);
CREATE FUNCTION {0}_set() RETURNS SETOF {0} LANGUAGE sql AS $$ SELECT * FROM {0} $$;
CREATE FUNCTION {0}_plpgsql() RETURNS enc_text LANGUAGE plpgsql AS $$
BEGIN RETURN (SELECT email FROM {0} WHERE id = 1); END $$;
CREATE FUNCTION {0}_query() RETURNS SETOF {0} LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT * FROM {0}; END $$;
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
"""

# The first column of the first row is shown.
READS = """
SELECT email FROM {0}
SELECT name FROM {0}
SELECT email, * FROM {0}
SELECT email FROM {0} WHERE id = 1
SELECT email FROM {0} ORDER BY id
SELECT email FROM {0} LIMIT 1
SELECT email FROM {0}_view
SELECT email FROM (SELECT * FROM {0}) s
SELECT (SELECT email FROM {0} WHERE id = 1)
WITH c AS (SELECT email FROM {0}) SELECT email FROM c
WITH c AS MATERIALIZED (SELECT email FROM {0}) SELECT email FROM c
SELECT a.email FROM {0} a JOIN {0} b USING (email)
SELECT coalesce(email, email) FROM {0}
SELECT CASE WHEN id = 1 THEN email END FROM {0}
SELECT * FROM (SELECT email FROM {0} UNION ALL SELECT email FROM {0}) u
SELECT {0}_sql()
SELECT {0}_body()
SELECT email FROM {0}_set()
SELECT {0}_plpgsql()
SELECT email FROM {0}_query()
SELECT first_value(email) OVER (ORDER BY id) FROM {0}
TABLE {0}_one
VALUES ((SELECT email FROM {0}))
UPDATE {0} SET id = id RETURNING email
DELETE FROM {0} WHERE id = 1 RETURNING email
PREPARE p AS SELECT email FROM {0}; EXECUTE p
DECLARE c CURSOR FOR SELECT email FROM {0}; FETCH c
DECLARE c CURSOR WITH HOLD FOR SELECT email FROM {0}; FETCH c
"""
# Where the value is part of something else, or made distinct, armour shows instead.
WITHIN = "\n".join(["SELECT DISTINCT email FROM {0}",
                    "SELECT DISTINCT ON (email) email FROM {0}",
                    "SELECT email FROM {0} GROUP BY email",
                    "SELECT email FROM {0} UNION ALL SELECT email FROM {0}",
                    "SELECT email FROM {0} UNION SELECT email FROM {0}",
                    "SELECT trim(array_agg(email)::text, '{{}}') FROM {0} GROUP BY id", "SELECT format('%s', email) FROM {0}",
                    "SELECT to_json(email) #>> '{{}}' FROM {0}", "SELECT min(format('%s', email)) FROM {0}"])


def shown(rows):
    if isinstance(rows, str):
        return rows
    value = rows[0][0]
    return "armour" if str(value).startswith("rmp1:") else value


def last_of(connection, statements):
    for statement in statements[:-1]:
        failed = attempt(connection, statement)
        if isinstance(failed, str):
            return failed
    return shown(attempt(connection, statements[-1]))


def check_read(database, report, statement, answers):
    wrong = []
    for mode in MODES:
        connection = database.connect("visitor", autocommit=False)
        got = last_of(connection, statement.format(f"as_{mode}").split("; "))
        if got != answers[mode]:
            wrong.append(f"{mode}: {got}, expected {answers[mode]}")
        connection.rollback()
        connection.close()
    report.ok(not wrong, f"denial: {statement.format('t')}", "\n".join(wrong))


def check_copy(database, report, mode):
    connection = database.connect("visitor")
    for name, sql in [("COPY table", f"COPY as_{mode} (email) TO STDOUT"),
                      ("COPY table, binary", f"COPY as_{mode} (email) TO STDOUT (FORMAT binary)"),
                      ("COPY query", f"COPY (SELECT email FROM as_{mode}) TO STDOUT")]:
        stream = io.BytesIO()
        try:
            with connection.cursor() as cursor:
                cursor.copy_expert(sql, stream)
            got = stream.getvalue()
        except psycopg2.Error as error:
            got = error.pgcode.encode()
        report.ok(b"rmp1:" in got, f"denial: {name} stays armour, {mode}", got)
    connection.close()


def check_dump(database, report):
    """A dump by a role without the right holds armour only, row security or not, and restores."""
    database.query("ALTER TABLE as_mask ENABLE ROW LEVEL SECURITY; CREATE POLICY everything ON as_mask USING (true)")
    tables = [argument for mode in MODES for argument in ("-t", f"as_{mode}")]
    dump = run("pg_dump", "--enable-row-security", "--data-only", *tables, database.dsn("visitor")).stdout
    # Any three letters may stand in the token of \\restrict, too.
    rest = re.sub(r"\\(un)?restrict \w+", "", without_ciphertext(dump)).lower()
    report.ok(dump.count("rmp1:") == 3 * len(MODES) and "****" not in rest and "ada" not in rest,
              "denial: a dump holds armour", dump)


def check(world, report):
    database = world.database("denial")
    tables = {mode: f"as_{mode}" for mode in MODES}
    for mode, table in tables.items():
        database.query(TABLE.format(table, mode))
        database.query(f"INSERT INTO {table} VALUES (1, 'ada@example.com', 'Ada', '1815-12-10')", user="app")
        report.equal(database.value(f"SELECT email FROM {table}", "app"), "ada@example.com",
                     f"denial: a role with the right, {mode}")
    for statement in filter(None, READS.splitlines()):
        check_read(database, report, statement, ANSWERS)
    for statement in WITHIN.splitlines():
        check_read(database, report, statement, dict.fromkeys(MODES, "armour"))
    for mode in MODES:
        check_copy(database, report, mode)
    for mode, wanted in zip(MODES, ("armour", None, None, "42501")):
        connection = database.connect("visitor")
        report.equal(shown(attempt(connection, f"SELECT born FROM as_{mode}")), wanted, f"denial: a date, {mode}")
    check_dump(database, report)
    check_settings(database, report)


def check_settings(database, report):
    database.query("SELECT rampart.alter_scope('as_mask', 'null')")
    report.equal(database.value("SELECT email FROM as_mask", "visitor"), None, "denial: alter_scope changes the answer")
    report.raises("23514", lambda: database.query("SELECT rampart.alter_scope('as_mask', 'nonsense')"),
                  "denial: alter_scope refuses what is no mode")
    report.raises("23514", lambda: database.query("SELECT rampart.create_scope('fresh', 'nonsense')"),
                  "denial: create_scope refuses what is no mode")
    for mode in MODES:
        report.equal(shown(database.query(f"SET rampart.reveal = off; SELECT email FROM as_{mode}", user="app")), "armour",
                     f"denial: reveal off gives armour to those who may decrypt, {mode}")
