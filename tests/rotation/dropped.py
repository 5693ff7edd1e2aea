"""What is dropped, rewritten, renamed or moved in the middle of a rotation: noted, and the rotation goes on with the rest."""
from world import wait_until

ROWS = 3000
TABLE = """
CREATE TABLE {0} (id int PRIMARY KEY, mail enc_text(pii, deterministic), name enc_text(pii), plain text);
INSERT INTO {0} SELECT i, 'mail' || i, 'name' || i, 'p' || i FROM generate_series(1, {1}) i;
"""
SAID = "SELECT count(*) FROM {} WHERE mail::text = 'mail' || id AND name::text = 'name' || id"
STATE = "SELECT state, remark FROM rampart.rotation_table WHERE rotation = %s AND name = %s"
# Statements on a table that the rotation is in the middle of, its new name if it has one, and what becomes of the
# table: (state, a word of the remark), and how many rows must read.
CASES = [
    ("DROP TABLE t", None, ("dropped", "mail, name"), None),
    ("ALTER TABLE t DROP name", None, ("done", "name"), None),
    ("ALTER TABLE t DROP name, DROP mail", None, ("dropped", "mail, name"), None),
    ("ALTER TABLE t RENAME TO t_renamed", "t_renamed", ("done", None), ROWS),
    ("ALTER TABLE t RENAME name TO title", None, ("done", "name"), None),
    ("ALTER TABLE t SET SCHEMA elsewhere", "elsewhere.t", ("done", None), ROWS),
    ("TRUNCATE t", "t", ("done", None), 0),
    ("DELETE FROM t", "t", ("done", None), 0),
    ("DELETE FROM t WHERE id > 10; VACUUM t", None, ("done", None), None),
    ("VACUUM FULL t", "t", ("done", None), ROWS),
    ("CLUSTER t USING {t}_pkey", "t", ("done", None), ROWS),
    ("ALTER TABLE t ALTER plain TYPE varchar USING upper(plain)", "t", ("done", None), ROWS),
    ("ALTER TABLE t ADD more int DEFAULT (random() * 10)::int", "t", ("done", None), ROWS),
    ("ALTER TABLE t SET UNLOGGED", "t", ("done", None), ROWS),
    ("ALTER TABLE t ALTER name TYPE text", "t", ("done", "name"), ROWS),
    ("ALTER TABLE t ALTER name TYPE enc_text(other)", "t", ("done", "name"), ROWS),
    ("ALTER TABLE t ALTER name TYPE enc_text(pii, deterministic)", "t", ("done", None), ROWS),
    ("ALTER TABLE t ALTER plain TYPE enc_text(pii)", "t", ("done", None), ROWS),
    ("ALTER TABLE t ADD later enc_text(pii) DEFAULT 'later'", "t", ("done", None), ROWS),
    ("CREATE TABLE copied AS SELECT * FROM t", "copied", ("done", None), ROWS),
    ("CREATE UNIQUE INDEX ON t (mail)", "t", ("done", None), ROWS),
    ("ALTER TABLE whole DETACH PARTITION t", "t", ("done", None), ROWS),
    ("REFRESH MATERIALIZED VIEW t", "t", ("done", None), ROWS),
    ("REFRESH MATERIALIZED VIEW CONCURRENTLY t", "t", ("done", None), ROWS),
    ("DROP MATERIALIZED VIEW t", None, ("dropped", "mail, name"), None),
]


def prepare(database, sql, table):
    """The table that a case needs, by this name; a small one beside it is rotated afterwards."""
    if "VIEW" in sql:
        database.query(TABLE.format(f"{table}_source", ROWS))
        database.query(f"CREATE MATERIALIZED VIEW {table} AS SELECT * FROM {table}_source; CREATE UNIQUE INDEX ON {table} (id)")
    elif "PARTITION" in sql:
        database.query(f"CREATE TABLE whole (id int, mail enc_text(pii, deterministic), name enc_text(pii), plain text) PARTITION BY RANGE (id); "
                       f"CREATE TABLE {table} PARTITION OF whole DEFAULT; INSERT INTO {table} SELECT i, 'mail' || i, 'name' || i FROM generate_series(1, {ROWS}) i")
    else:
        database.query(TABLE.format(table, ROWS))
    database.query(TABLE.format(f"{table}_beside", 100))


def check_case(database, number, sql, name, outcome, rows, report):
    table = f"t{number}"
    prepare(database, sql, table)
    statements = sql.replace("{t}", table).replace(" t ", f" {table} ").replace(" t;", f" {table};")
    statements = statements[:-1] + table if statements.endswith(" t") else statements
    rotation = database.start(batch=100, max_rows_per_second=6000)
    wait_until(lambda: database.query("SELECT next_block FROM rampart.rotation_table WHERE rotation = %s AND name = %s AND rows_done > 0",
                                      (rotation, f"public.{table}")), bool, 10)
    for statement in statements.split("; "):
        failed = database.failure(statement)
        if failed:
            report.ok(False, f"dropped: {statement}", failed)
    database.query("SELECT rampart.set_rotation_pace(%s)", (rotation,))
    state, old = database.wait(rotation, 20), database.old_values()
    seen = database.query(STATE, (rotation, f"public.{table}")) or [("noted under another name", None)]
    if name and name not in ("t", "copied"):
        seen = database.query(STATE, (rotation, f"elsewhere.{table}" if "." in name else f"public.{name}")) or seen
    expected_state, word = outcome
    noted = (seen[0][0], (seen[0][1] or "").removeprefix("dropped meanwhile: "))
    fits = (state, old, noted) == ("complete", 0, (expected_state, word or ""))
    if fits and name:
        fits = database.value(SAID.format(table if name == "t" else name.replace("elsewhere.t", f"elsewhere.{table}"))) == rows
    report.ok(fits, f"dropped: {sql}", f"{state}, {old} old values, {seen}")
    for gone in (f"DROP TABLE IF EXISTS {table}, {table}_beside, t_renamed, copied, whole, {table}_source, elsewhere.{table} CASCADE",
                 f"DROP MATERIALIZED VIEW IF EXISTS {table}"):
        database.failure(gone)


def check_scopes(database, report):
    """A scope that is shredded in mid-rotation, and one that is dropped."""
    database.query(TABLE.format("shredded", ROWS))
    database.query("SELECT rampart.create_scope('spare'), rampart.grant_scope('spare', 'postgres')")
    database.query("CREATE TABLE spare (id int, mail enc_text(spare)); INSERT INTO spare SELECT i, 'x' FROM generate_series(1, 3000) i")
    spare = database.start("spare", batch=100, max_rows_per_second=4000)
    rotation = database.start(batch=100, max_rows_per_second=4000)
    database.wait_for_rows(rotation, 200)
    report.equal(database.failure("SELECT rampart.drop_scope('pii', 'pii')"), "RMR04", "scopes: one that columns are declared with is not dropped")
    report.equal(database.value("SELECT rampart.shred_scope('pii', 'pii')") >= 2 * ROWS, True, "scopes: shredded in mid-rotation")
    shown = database.query("SELECT state, last_error FROM rampart.rotation WHERE id = %s", (rotation,))
    report.equal(shown, [("cancelled", "the scope was shredded")], "scopes: its rotation is cancelled, and says why")
    report.equal(database.failure("SELECT mail::text FROM shredded"), "RMK04", "scopes: nothing of it can be read")
    report.equal(database.value("SELECT count(plain) FROM shredded"), ROWS, "scopes: but the rest of its tables")
    database.query("DROP TABLE spare; SELECT rampart.drop_scope('spare', 'spare')")
    report.equal(database.query("SELECT state, last_error FROM rampart.rotation WHERE id = %s", (spare,)),
                 [("cancelled", "the scope was dropped")], "scopes: one that was dropped in mid-rotation")
    database.query("SELECT rampart.rotate_key('pii'); INSERT INTO shredded (id, mail, name) VALUES (-1, 'mail-1', 'name-1')")
    report.equal(database.rotate(), "complete with errors", "scopes: what is left of a shredded one cannot be rotated, what came later can")
    report.equal(database.value(SAID.format("shredded") + " AND id < 0"), 1, "scopes: and reads")
    report.equal(database.rotate("other"), "complete", "scopes: other scopes rotate as ever")


def check(world, report):
    database = world.database("dropped", "pii", "other")
    database.query("CREATE SCHEMA elsewhere")
    for number, (sql, name, outcome, rows) in enumerate(CASES, 1):
        check_case(database, number, sql, name, outcome, rows, report)
    check_scopes(database, report)
