"""Damaged values in a table: listed, NULL for try_decrypt, an error where they are read, and no harm to other rows."""
import re

from matrix import name_of
from world import EMAIL, attempt

# The bytes are stored as bytea; then the columns are declared to be encrypted ones. So they come to stand in the
# table as damage to a data file would make them, past every check of input.
TABLE = "CREATE TABLE damaged (id int PRIMARY KEY, what text, email bytea, name bytea); GRANT ALL ON damaged TO PUBLIC"
GOOD = "INSERT INTO damaged SELECT id, 'good', rampart.ciphertext(email), rampart.ciphertext(name) FROM pii"
DECLARE = """
UPDATE pg_attribute d SET atttypid = t.atttypid, atttypmod = t.atttypmod, attcollation = t.attcollation
FROM pg_attribute t
WHERE d.attrelid = 'damaged'::regclass AND t.attrelid = 'pii'::regclass AND d.attname = t.attname
  AND t.attname IN ('email', 'name')
"""

# Made of a genuine ciphertext g of column name.
DAMAGE = [
    ("a bit of the format", "set_byte(g, 0, get_byte(g, 0) # 128)", "RMC01"),
    ("an unknown mode", "set_byte(g, 0, 20)", "RMC01"),
    ("the mode of a held value", "set_byte(g, 0, 16)", "RMC01"),
    ("the mode of a comparand", "set_byte(g, 0, 19)", "RMC01"),
    ("the other mode", "set_byte(g, 0, 18)", "RMC02"),
    ("kind 0", "set_byte(g, 1, 0)", "RMC01"),
    ("an unknown kind", "set_byte(g, 1, 200)", "RMC01"),
    ("another kind", "set_byte(g, 1, 5)", "RMC03"),
    ("an unknown key", "set_byte(g, 5, get_byte(g, 5) # 1)", "RMK02"),
    ("a bit of the IV", "set_byte(g, 12, get_byte(g, 12) # 1)", "RMC02"),
    ("a bit of the body", "set_byte(g, 22, get_byte(g, 22) # 1)", "RMC02"),
    ("a bit of the tag", "set_byte(g, length(g) - 1, get_byte(g, length(g) - 1) # 1)", "RMC02"),
    ("a byte missing", "substr(g, 1, length(g) - 1)", "RMC02"),
    ("a byte more", "g || '\\x00'", "RMC02"),
    ("only a header", "substr(g, 1, 10)", "RMC01"),
    ("only a header and an IV", "substr(g, 1, 22)", "RMC01"),
    ("one byte", "'\\x11'", "RMC01"),
    ("nothing", "''", "RMC01"),
    ("zeros", "decode(repeat('00', 60), 'hex')", "RMC01"),
    ("a large value", "g || decode(repeat('ab', 100000), 'hex')", "RMC02"),
]


def check_each(database, report):
    app, visitor = database.connect("app"), database.connect("visitor")
    for number, (what, _, sqlstate) in enumerate(DAMAGE, 10):
        row = f"FROM damaged WHERE id = {number}"
        for column in ("name", "email"):
            got = [attempt(app, f"SELECT {column} {row}"), attempt(app, f"SELECT {column}::text {row}"),
                   attempt(app, f"SELECT length({column}) {row}")]
            report.equal(got, [sqlstate] * 3, f"damage: {what}, {column} read")
            report.equal(attempt(app, f"SELECT rampart.try_decrypt({column}) {row}"), [(None,)], f"damage: {what}, {column}, try_decrypt")
        shown = attempt(visitor, f"SELECT name {row}")
        report.ok(shown == "RMC01" or name_of(shown[0][0]) == "armour",
                  f"damage: {what}, a role without rights", shown)
    app.close()
    visitor.close()


def check_lists(database, report):
    app, visitor = database.connect("app"), database.connect("visitor")
    for column in ("name", "email"):
        for role, connection in (("app", app), ("a role without rights", visitor)):
            listed = attempt(connection, f"SELECT d.id, v.problem FROM rampart.verify_column('damaged', '{column}') v "
                                         "JOIN damaged d ON d.ctid = v.row_id ORDER BY d.id")
            # The kind is authenticated: changed alone, the tag is wrong.
            expected = [(number, sqlstate.replace("RMC03", "RMC02")) for number, (_, _, sqlstate) in enumerate(DAMAGE, 10)]
            got = listed if isinstance(listed, str) else [(number, problem[:5]) for number, problem in listed]
            report.equal(got, expected, f"damage: verify_column lists {column} for {role}")
            readable = "" if isinstance(listed, str) else repr(listed)
            report.ok(not re.search("ada|grace", readable, re.I), f"damage: verify_column shows no plaintext, {column}, {role}", readable)
    app.close()
    visitor.close()


# What must go on working beside damaged rows.
BESIDE = [
    ("other rows by key", "SELECT email FROM damaged WHERE id < 10 ORDER BY id", [(EMAIL,), ("grace@example.com",)]),
    ("a comparison over whole rows that are well-formed", f"SELECT id FROM damaged WHERE id < 10 AND email = '{EMAIL}'", [(1,)]),
    ("count", "SELECT count(*) FROM damaged", [(2 + len(DAMAGE),)]),
    ("NULLs", "SELECT count(*) FROM damaged WHERE email IS NULL", [(0,)]),
    ("what can be read", "SELECT count(rampart.try_decrypt(email)) FROM damaged", [(2,)]),
    ("update of another column", "UPDATE damaged SET what = what", []),
    ("vacuum", "VACUUM FULL damaged", []),
    ("analyse", "ANALYZE damaged", []),
    ("rewrite by adding a column", "ALTER TABLE damaged ADD extra int DEFAULT random()", []),
    ("copy to another table", "CREATE TABLE spare AS SELECT * FROM damaged", []),
    ("repair", "UPDATE damaged SET name = 'Ada', email = 'x' || id WHERE id >= 10", []),
    ("nothing left to list", "SELECT count(*) FROM rampart.verify_column('damaged', 'name')", [(0,)]),
    ("an index after repair", "CREATE UNIQUE INDEX ON damaged (email)", []),
]


def check_trust(database, report):
    """Armour taken on trust by a superuser: what a restore without its root key amounts to."""
    boss = database.connect("boss", options="-c rampart.armour_input=trust")
    good = attempt(boss, "SELECT name FROM pii WHERE id = 1")[0][0]
    bad = good[:-2] + ("AA" if good[-2:] != "AA" else "QQ")
    report.equal(attempt(boss, f"INSERT INTO pii (id, name) VALUES (60, '{bad}')"), [], "damage: trust takes a bad tag from a superuser")
    report.equal(attempt(boss, "INSERT INTO pii (id, name) VALUES (61, 'rmp1:garbage')"), "RMC01", "damage: trust takes no garbage")
    writer = database.connect("writer", options="-c rampart.armour_input=trust")
    report.equal(attempt(writer, f"INSERT INTO pii (id, name) VALUES (62, '{bad}')"), "RMC02", "damage: trust is for superusers only")
    app = database.connect("app")
    report.equal(attempt(app, "SELECT rampart.try_decrypt(name) FROM pii WHERE id IN (1, 60) ORDER BY id"),
                 [("Ada Lovelace",), (None,)], "damage: try_decrypt beside a good row")
    report.equal(attempt(app, "SELECT count(*) FROM rampart.verify_column('pii', 'name')"), [(1,)], "damage: verify_column finds it")
    report.equal(attempt(app, "SELECT rampart.problem(rampart.ciphertext(name)) LIKE 'RMC02%' FROM pii WHERE id = 60"), [(True,)],
                 "damage: problem names it")
    for connection in (boss, writer, app):
        connection.close()


def check(world, report):
    database = world.database("corrupt_rows")
    database.query(TABLE)
    database.query(GOOD)
    for number, (what, bytes_of_g, _) in enumerate(DAMAGE, 10):
        database.query(f"INSERT INTO damaged SELECT {number}, %s, {bytes_of_g}, {bytes_of_g} "
                       "FROM (SELECT name AS g FROM damaged WHERE id = 1) s", (what,))
    database.query(DECLARE)
    check_each(database, report)
    check_lists(database, report)
    owner = database.connect()
    owner_rights = "SELECT rampart.grant_scope('pii', 'postgres')"
    attempt(owner, owner_rights)
    for name, sql, expected in BESIDE:
        report.equal(attempt(owner, sql), expected, f"damage: {name}")
    owner.close()
    check_trust(database, report)
