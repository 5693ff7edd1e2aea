"""Rights that change while sessions run: at the commit of the change, in plans and transactions that are older."""
from matrix import name_of
from world import EMAIL, attempt

FUNCTIONS = f"""
CREATE FUNCTION count_literal() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN RETURN (SELECT count(*) FROM pii WHERE email = '{EMAIL}'); END $$;
CREATE FUNCTION count_value(value text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN RETURN (SELECT count(*) FROM pii WHERE email = value); END $$;
CREATE FUNCTION count_dynamic(value text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM pii WHERE email = $1' INTO n USING value; RETURN n; END $$;
CREATE FUNCTION count_sql() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM pii WHERE email = '{EMAIL}' $$;
CREATE FUNCTION count_body() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM pii WHERE email = '{EMAIL}');
CREATE FUNCTION opened() RETURNS text LANGUAGE plpgsql AS $$
DECLARE e text; BEGIN SELECT email INTO e FROM pii WHERE id = 1; RETURN e; END $$;
CREATE FUNCTION is_ada(value enc_text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN value = '{EMAIL}'; END $$;
CREATE FUNCTION is_ada_called(value enc_text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN RETURN rampart.equal(value, '{EMAIL}'); END $$;
CREATE FUNCTION is_text(value enc_text, other text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN value = other; END $$;
CREATE VIEW matching AS SELECT id FROM pii WHERE email = '{EMAIL}';
GRANT SELECT ON matching TO PUBLIC;
"""

REVOKE = "SELECT rampart.revoke_scope('pii', 'app')"
LOOKUP = f"SELECT count(*) FROM pii WHERE email = '{EMAIL}'"

# What a granted role has used before, in the form that it uses again when its right is gone.
# (name, statements that prepare, the use, its answer, its answer without the right)
USES = [
    ("output", [], "SELECT email FROM pii WHERE id = 1", "plain", "armour"),
    ("a cast", [], "SELECT email::text FROM pii WHERE id = 1", "plain", "42501"),
    ("a comparison", [], LOOKUP, "1", "42501"),
    ("a view", [], "SELECT count(*) FROM matching", "1", "42501"),
    # Analysed as a result of the plain type, for a role that could decrypt: refused rather than of another type.
    ("a prepared output", ["PREPARE p AS SELECT email FROM pii WHERE id = 1"], "EXECUTE p", "plain", "42501"),
    ("a prepared output of the encrypted type",
     ["SET rampart.plain_results = off", "PREPARE p AS SELECT email FROM pii WHERE id = 1"], "EXECUTE p", "plain", "armour"),
    ("a prepared cast", ["PREPARE p AS SELECT email::text FROM pii WHERE id = 1"], "EXECUTE p", "plain", "42501"),
    ("a prepared literal", [f"PREPARE p AS {LOOKUP}"], "EXECUTE p", "1", "42501"),
    ("a prepared parameter, custom plan",
     ["SET plan_cache_mode = force_custom_plan", "PREPARE p AS SELECT count(*) FROM pii WHERE email = $1"],
     f"EXECUTE p ('{EMAIL}')", "1", "42501"),
    ("a prepared parameter, generic plan",
     ["SET plan_cache_mode = force_generic_plan", "PREPARE p AS SELECT count(*) FROM pii WHERE email = $1"],
     f"EXECUTE p ('{EMAIL}')", "1", "42501"),
    ("a prepared list, generic plan",
     ["SET plan_cache_mode = force_generic_plan", "PREPARE p (text[]) AS SELECT count(*) FROM pii WHERE email = ANY ($1)"],
     f"EXECUTE p ('{{{EMAIL}}}')", "1", "42501"),
    ("a prepared INSERT", ["PREPARE p AS INSERT INTO pii (id, email) VALUES ($1, 'x') ON CONFLICT DO NOTHING"],
     "EXECUTE p (5)", "done", "42501"),
    ("a PL/pgSQL function's literal", [], "SELECT count_literal()", "1", "42501"),
    ("a PL/pgSQL function's variable", [], f"SELECT count_value('{EMAIL}')", "1", "42501"),
    ("a PL/pgSQL function's EXECUTE", [], f"SELECT count_dynamic('{EMAIL}')", "1", "42501"),
    ("a PL/pgSQL function's cast", [], "SELECT opened()", "plain", "42501"),
    ("a PL/pgSQL function's own comparison", [], "SELECT is_ada(email) FROM pii WHERE id = 1", "True", "42501"),
    ("a PL/pgSQL function's call", [], "SELECT is_ada_called(email) FROM pii WHERE id = 1", "True", "42501"),
    ("a PL/pgSQL function's comparison with a text", [], f"SELECT is_text(email, '{EMAIL}') FROM pii WHERE id = 1",
     "True", "42501"),
    ("an SQL function", [], "SELECT count_sql()", "1", "42501"),
    ("an SQL function with a parsed body", [], "SELECT count_body()", "1", "42501"),
    ("an index scan", ["SET enable_seqscan = off"], LOOKUP, "1", "42501"),
]

# How a session loses its right, and gets it back: (name, login, change, undo, who makes the change)
WAYS = [
    ("revoke_scope", "app", REVOKE, "SELECT rampart.grant_scope('pii', 'app')", "admin"),
    ("REVOKE of the group", "inherits", "REVOKE team FROM inherits", "GRANT team TO inherits", "admin"),
    ("NOINHERIT", "inherits", "ALTER ROLE inherits NOINHERIT", "ALTER ROLE inherits INHERIT", "admin"),
    ("SET ROLE", "app", "SET ROLE visitor", "RESET ROLE", "user"),
    ("the key disabled", "app", "SELECT rampart.disable_key(id) FROM rampart.keys WHERE scope = 'pii'",
     "SELECT rampart.enable_key(id) FROM rampart.keys WHERE scope = 'pii'", "admin"),
]


def answer(connection, sql):
    rows = attempt(connection, sql)
    if isinstance(rows, str):
        return rows
    return name_of(rows[0][0]) if rows else "done"


def without_right(way, use, in_transaction, sql, granted, refusal):
    if way != "the key disabled":
        return refusal
    # The plan holds the literal's token already; to compare it takes the right, which is there, but no key.
    if use == "a prepared literal" and in_transaction:
        return granted
    # Its values are an error for whoever may decrypt: never armour taken for a value.
    return "RMK07" if "(5)" in sql else "RMK03"


def check_way(database, report, way, in_transaction):
    """Uses everything, takes the right away, uses it again; gives it back, uses it again."""
    name, login, change, undo, who = way
    wrong = []
    for use, prepare, sql, granted, refused in USES:
        user, admin = database.connect(login), database.connect()
        for statement in prepare:
            attempt(user, statement)
        if in_transaction:
            attempt(user, "BEGIN")
        step = "SAVEPOINT s" if in_transaction else "SELECT"
        back = "ROLLBACK TO s" if in_transaction else "SELECT"
        got = [answer(user, sql), answer(user, sql)]
        changer = user if who == "user" else admin
        attempt(changer, change)
        attempt(user, step)
        got += [answer(user, sql)]
        attempt(user, back)
        attempt(changer, undo)
        got += [answer(user, sql)]
        wanted = [granted, granted, without_right(name, use, in_transaction, sql, granted, refused), granted]
        if got != wanted:
            wrong.append(f"{use}: {got}, expected {wanted}")
        user.close()
        admin.close()
    where = "in an open transaction" if in_transaction else "between statements"
    report.ok(not wrong, f"changes: {name}, {where}: {len(USES)} uses", "\n".join(wrong))


# (name, steps): a step is (session, SQL, its answer or None)
USER, ADMIN = "user", "admin"
SHOW = "SELECT email FROM pii WHERE id = 1"
STORIES = [
    ("an uncommitted revoke is not seen, nor one rolled back", [
        (ADMIN, "BEGIN", None), (ADMIN, REVOKE, None), (USER, SHOW, "plain"),
        (ADMIN, "ROLLBACK", None), (USER, SHOW, "plain")]),
    ("a revoke is seen by its own transaction at once", [
        (ADMIN, "BEGIN", None), (ADMIN, REVOKE, None), (ADMIN, "SET LOCAL ROLE app", None), (ADMIN, SHOW, "armour"),
        (ADMIN, "ROLLBACK", None), (ADMIN, "SET ROLE app", None), (ADMIN, SHOW, "plain")]),
    ("a revoke is undone by ROLLBACK TO", [
        (ADMIN, "BEGIN", None), (ADMIN, "SAVEPOINT s", None), (ADMIN, REVOKE, None), (ADMIN, "ROLLBACK TO s", None),
        (ADMIN, "SET LOCAL ROLE app", None), (ADMIN, SHOW, "plain"), (ADMIN, "COMMIT", None)]),
    ("a revoke is seen under REPEATABLE READ", [
        (USER, "BEGIN ISOLATION LEVEL REPEATABLE READ", None), (USER, SHOW, "plain"), (ADMIN, REVOKE, None),
        (USER, SHOW, "armour"), (USER, "COMMIT", None)]),
    ("encrypt is taken, decrypt stays", [
        (ADMIN, "SELECT rampart.revoke_scope('pii', 'app', 'encrypt')", None), (USER, SHOW, "plain"),
        (USER, "INSERT INTO pii (id, email) VALUES (70, 'x')", "42501"), (USER, LOOKUP, "1")]),
    ("decrypt is taken, encrypt stays", [
        (ADMIN, "SELECT rampart.revoke_scope('pii', 'app', 'decrypt')", None), (USER, SHOW, "armour"),
        (USER, "UPDATE pii SET name = 'Ada Lovelace' WHERE id = 1", "done"), (USER, LOOKUP, "1")]),
    ("rows of a cursor fetched after a revoke", [
        (USER, "BEGIN", None), (USER, f"DECLARE c CURSOR FOR {SHOW} OR id = 2", None), (ADMIN, REVOKE, None),
        (USER, "FETCH c", "42501"), (USER, "COMMIT", None)]),
    # Its rows wait as ciphertext.
    ("a held cursor after a revoke", [
        (USER, f"DECLARE c CURSOR WITH HOLD FOR {SHOW}", None), (ADMIN, REVOKE, None), (USER, "FETCH c", "armour")]),
    ("a cursor of another role", [
        (USER, "BEGIN", None), (USER, f"DECLARE c CURSOR FOR {SHOW}", None), (USER, "SET LOCAL ROLE visitor", None),
        (USER, "FETCH c", "42501"), (USER, "COMMIT", None)]),
    ("a cursor of encrypted types, of another role", [
        (USER, "SET rampart.plain_results = off", None), (USER, "BEGIN", None), (USER, f"DECLARE c CURSOR FOR {SHOW}", None),
        (USER, "SET LOCAL ROLE visitor", None), (USER, "FETCH c", "armour"), (USER, "COMMIT", None)]),
    ("a cursor that casts, of another role", [
        (USER, "BEGIN", None), (USER, "DECLARE c CURSOR FOR SELECT email::text FROM pii", None),
        (USER, "SET LOCAL ROLE visitor", None), (USER, "FETCH c", "42501"), (USER, "ROLLBACK", None)]),
    ("a superuser attribute gives no right", [
        (ADMIN, REVOKE, None), (ADMIN, "ALTER ROLE app SUPERUSER", None), (USER, SHOW, "armour"), (USER, LOOKUP, "42501"),
        (ADMIN, "ALTER ROLE app NOSUPERUSER", None)]),
    ("a grant is seen by a running session", [
        (ADMIN, REVOKE, None), (USER, LOOKUP, "42501"), (ADMIN, "SELECT rampart.grant_scope('pii', 'app')", None),
        (USER, LOOKUP, "1"), (USER, SHOW, "plain")]),
    ("a right through a role that is dropped", [
        (ADMIN, REVOKE, None), (ADMIN, "CREATE ROLE passing", None), (ADMIN, "GRANT passing TO app", None),
        (ADMIN, "SELECT rampart.grant_scope('pii', 'passing')", None), (USER, SHOW, "plain"),
        (ADMIN, "DROP ROLE passing", None), (USER, SHOW, "armour")]),
    ("TRUNCATE of the grants", [
        (ADMIN, "BEGIN", None), (ADMIN, "TRUNCATE rampart.scope_grant", None), (ADMIN, "SET LOCAL ROLE app", None),
        (ADMIN, SHOW, "armour"), (ADMIN, "ROLLBACK", None), (USER, SHOW, "plain")]),
]


def check_story(database, report, name, steps):
    sessions = {USER: database.connect("app"), ADMIN: database.connect()}
    wrong = []
    for number, (session, sql, wanted) in enumerate(steps, 1):
        got = answer(sessions[session], sql)
        if wanted is not None and got != wanted:
            wrong.append(f"step {number}, {session}: {sql}: {got}, expected {wanted}")
    for session in sessions.values():
        session.close()
    database.query("SELECT rampart.grant_scope('pii', 'app')")
    report.ok(not wrong, f"changes: {name}", "\n".join(wrong))


def check(world, report):
    database = world.database("changes")
    database.query(FUNCTIONS)
    for way in WAYS:
        for in_transaction in (False, True):
            check_way(database, report, way, in_transaction)
    for name, steps in STORIES:
        check_story(database, report, name, steps)
