"""Rights matrix: each actor tries each operation on a table of a scope it has rights in and of one it has not."""
import datetime
import io
import re

import psycopg2

import libpq
from operations import INPUT, OPERATIONS, PARAMETERS, RIGHTS
from world import EMAIL, NAME, attempt

# (who, login role, what it does first, rights in scope pii). Scope other is keeper's alone.
ACTORS = [
    ("a role with both rights", "app", "", "both"),
    ("a role that may encrypt", "writer", "", "encrypt"),
    ("a role that may decrypt", "reader", "", "decrypt"),
    ("a role without rights", "visitor", "", "none"),
    ("a role with another scope's rights", "keeper", "", "none"),
    ("a member that inherits", "inherits", "", "both"),
    ("a member that does not inherit", "apart", "", "none"),
    ("a member that does not inherit, after SET ROLE", "apart", "SET ROLE team", "both"),
    ("a granted role after SET ROLE to an ungranted one", "app", "SET ROLE visitor", "none"),
    ("a granted role back from SET ROLE", "app", "SET ROLE visitor; SELECT count(*) FROM pii; RESET ROLE", "both"),
    ("a superuser without a grant", "boss", "", "none"),
    ("a superuser with a grant", "chief", "", "both"),
    ("a granted superuser as an ungranted role", "chief", "SET SESSION AUTHORIZATION visitor", "none"),
    ("an ungranted superuser as a granted role", "boss", "SET SESSION AUTHORIZATION app", "both"),
    ("an ungranted superuser after SET ROLE", "boss", "SET ROLE app", "both"),
]

# SECURITY DEFINER: (who, caller, function's owner, rights)
DEFINERS = [
    ("an ungranted caller in a granted owner's function", "visitor", "app", "both"),
    ("a granted caller in an ungranted owner's function", "app", "visitor", "none"),
    ("an ungranted caller in an encrypting owner's function", "visitor", "writer", "encrypt"),
    ("a superuser in a granted owner's function", "boss", "reader", "decrypt"),
    ("a granted caller in a superuser's function", "app", "boss", "none"),
]
# What comes out of them is shown to the caller, so the function prints it itself.
DEFINER = """
CREATE FUNCTION run_as_{0}(sql text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE result record;
BEGIN
    IF sql ~* '^(select|explain)|returning' THEN
        EXECUTE sql INTO result;
        RETURN trim(format('%s', result), '()"');
    END IF;
    EXECUTE sql;
    RETURN NULL;
END $$;
ALTER FUNCTION run_as_{0} OWNER TO {0};
"""

# 1815-12-10 on the wire: days since 2000.
BORN = (datetime.date(1815, 12, 10) - datetime.date(2000, 1, 1)).days.to_bytes(4, "big", signed=True)
SHOWN = [
    (re.compile(r"rmp1:[\w-]+"), "armour"),
    (re.compile(r"\(rmp1:[\w-]+\)"), "row armour"),
    (re.compile(re.escape(EMAIL)), "plain"),
    (re.compile(rf"\({re.escape(EMAIL)}\)"), "row"),
    (re.compile(re.escape(NAME)), "name"),
    (re.compile(rf"{re.escape(EMAIL)}\n[\w@.]+\n"), "all plain"),
    (re.compile(r"(rmp1:[\w-]+\n){2}"), "all armour"),
    (re.compile(r"(Seq|Index|Bitmap|Aggregate).*", re.S), "plan"),
]


def name_of(value):
    """A result as the table of operations writes it."""
    if value is None:
        return "done"
    if isinstance(value, bytes):
        if value == BORN:
            return "date"
        if value.startswith(b"PGCOPY"):
            return "in binary" if EMAIL.encode() in value else "armour in binary" if b"rmp1:" in value else repr(value)
        value = value.decode()
    for pattern, name in SHOWN:
        if pattern.fullmatch(str(value)):
            return name
    return str(value)


def run_query(connection, _, sql):
    rows = attempt(connection, sql)
    if isinstance(rows, str):
        return rows
    return name_of(rows[0][0]) if rows else "done"


def run_extended(_, session, sql, binary=False):
    try:
        used = max((int(n) for n in re.findall(r"\$(\d)", sql)), default=0)
        rows = session.execute(sql, PARAMETERS[:used], binary)
        return name_of(rows[0][0]) if rows else "done"
    except libpq.Failed as error:
        return error.sqlstate


def run_copy(connection, sql, stream):
    try:
        with connection.cursor() as cursor:
            cursor.copy_expert(sql, stream)
    except psycopg2.Error as error:
        return error.pgcode
    return "done"


def run_out(connection, _, sql):
    stream = io.BytesIO()
    outcome = run_copy(connection, sql, stream)
    if outcome != "done":
        return outcome
    data = stream.getvalue()
    return name_of(data if data.startswith(b"PGCOPY") else data.decode().removesuffix("\n") if data.count(b"\n") == 1
                   else data.decode())


RUNNERS = {
    "query": run_query,
    "extended": run_extended,
    "binary": lambda connection, session, sql: run_extended(connection, session, sql, binary=True),
    "out": run_out,
    "in": lambda connection, _, sql: run_copy(connection, sql, io.StringIO(INPUT)),
}


def expected(outcomes, rights, scope):
    return outcomes[RIGHTS.index(rights)].format(t=scope)


def compare(report, who, scope, cells):
    """One check for a row of the matrix."""
    wrong = [f"{name}: {got}, expected {wanted}" for name, got, wanted in cells if got != wanted]
    report.ok(not wrong, f"rights: {who}, scope {scope}: {len(cells)} operations", "\n".join(wrong))


def actor_row(database, actor, scope):
    _, login, setup, rights = actor
    if scope == "other":
        rights = "both" if login == "keeper" else "none"
    connection, session = database.connect(login), libpq.Session(database.dsn(login))
    for statement in filter(None, setup.split(";")):
        attempt(connection, statement)
        session.execute(statement)
    for name, how, sql, outcomes in OPERATIONS:
        attempt(connection, "BEGIN")
        session.execute("BEGIN")
        got = RUNNERS[how](connection, session, sql.format(t=scope))
        attempt(connection, "ROLLBACK")
        session.execute("ROLLBACK")
        yield name, got, expected(outcomes, rights, scope)
    session.close()
    connection.close()


def definer_row(database, definer, scope):
    _, caller, owner, rights = definer
    if scope == "other":
        rights = "none"
    connection = database.connect(caller)
    for name, how, sql, outcomes in OPERATIONS:
        if how != "query" or sql.startswith("EXPLAIN"):
            continue
        attempt(connection, "BEGIN")
        rows = attempt(connection, f"SELECT run_as_{owner}(%s)", (sql.format(t=scope),))
        attempt(connection, "ROLLBACK")
        got = rows if isinstance(rows, str) else name_of({"t": True}.get(rows[0][0], rows[0][0]))
        wanted = expected(outcomes, rights, scope)
        # The function strips the parentheses of a row.
        yield name, got, {"row": "plain", "row armour": "armour"}.get(wanted, wanted)
    connection.close()


def check(world, report):
    database = world.database("matrix")
    for owner in {definer[2] for definer in DEFINERS}:
        database.query(DEFINER.format(owner))
    for scope in ("pii", "other"):
        for actor in ACTORS:
            compare(report, actor[0], scope, list(actor_row(database, actor, scope)))
        for definer in DEFINERS:
            compare(report, definer[0], scope, list(definer_row(database, definer, scope)))
