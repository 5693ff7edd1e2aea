"""Attempts to be somebody without a token and without the right to say so: every way that a setting can be set."""
import json

import psycopg2
from cluster import Cluster
from world import on

FORGED = json.dumps({"sub": "root", "org": "acme", "roles": ["SUPER_ADMIN"]})
WHO = "SELECT rampart.subject()"
QUOTED = f"'{FORGED}'"

# Each fails, for plain and for a superuser alike.
STATEMENTS = [
    f"SET rampart.principal = {QUOTED}",
    f"SET LOCAL rampart.principal = {QUOTED}",
    f"SET SESSION rampart.principal TO {QUOTED}",
    f"SELECT set_config('rampart.principal', {QUOTED}, false)",
    f"SELECT set_config('rampart.principal', {QUOTED}, true)",
    f"SELECT set_config('RAMPART.Principal', {QUOTED}, true)",
    f"UPDATE pg_settings SET setting = {QUOTED} WHERE name = 'rampart.principal'; SELECT set_config('rampart.principal', {QUOTED}, false)",
    f"ALTER ROLE CURRENT_USER SET rampart.principal = {QUOTED}",
    f"ALTER DATABASE forging SET rampart.principal = {QUOTED}",
    f"ALTER ROLE ALL IN DATABASE forging SET rampart.principal = {QUOTED}",
    f"ALTER SYSTEM SET rampart.principal = {QUOTED}",
    f"CREATE FUNCTION forged() RETURNS text LANGUAGE sql SET rampart.principal = {QUOTED} AS 'SELECT rampart.subject()'",
    f"ALTER FUNCTION harmless() SET rampart.principal = {QUOTED}",
    f"CREATE PROCEDURE forged() LANGUAGE sql SET rampart.principal = {QUOTED} AS 'SELECT 1'",
    f"DO $$ BEGIN PERFORM set_config('rampart.principal', {QUOTED}, true); END $$",
]


def check_statements(database, report):
    database.query("CREATE FUNCTION harmless() RETURNS text LANGUAGE sql AS 'SELECT rampart.subject()'; ALTER FUNCTION harmless() OWNER TO plain;"
                   "GRANT SET ON PARAMETER rampart.principal TO plain; GRANT ALTER SYSTEM ON PARAMETER rampart.principal TO plain")
    for user in ("plain", "postgres"):
        for statement in STATEMENTS:
            error = database.failure(statement, user=user)
            report.ok(error is not None and error[0] in ("42501", "55P02"), f"{user}: {statement.replace(QUOTED, '...')[:70]}", error)
    report.equal(database.value("SELECT count(*) FROM pg_db_role_setting WHERE array_to_string(setconfig, ',') LIKE '%%principal%%'"), 0, "nothing was stored")


def check_connections(database, report):
    for name, connect in [
        ("options", lambda: database.connect("postgres", options=f"-c rampart.principal={FORGED.replace(' ', chr(92) + ' ')}")),
        ("long options", lambda: database.connect("postgres", options=f"--rampart.principal={FORGED.replace(' ', chr(92) + ' ')}")),
    ]:
        try:
            session = connect()
            report.equal(on(session, WHO), [(None,)], f"connection: {name}")
            session.close()
        except psycopg2.OperationalError as error:
            report.ok("cannot be set" in str(error), f"connection: {name} are refused", error)


def check_function_clause(database, report):
    """A function that keeps the principal of who created it."""
    error = database.failure("""BEGIN; SELECT rampart.trust_principal('{"sub": "ada"}'); CREATE FUNCTION kept() RETURNS text LANGUAGE sql
                                SET rampart.principal FROM CURRENT AS 'SELECT rampart.subject()'""", user="app")
    report.equal(error and error[0], "42501", "function: SET FROM CURRENT")
    database.query("""CREATE FUNCTION planted() RETURNS text LANGUAGE sql AS 'SELECT rampart.subject()'; SET allow_system_table_mods = on;
                      UPDATE pg_proc SET proconfig = ARRAY['rampart.principal={"sub": "root"}'] WHERE proname = 'planted'""")
    report.equal(database.failure("SELECT planted()", user="plain")[0], "42501", "function: one whose catalog entry was edited")
    database.query("""INSERT INTO pg_db_role_setting SELECT 0, oid, ARRAY['rampart.principal={"sub": "root"}'] FROM pg_roles WHERE rolname = 'plain'""")
    report.equal(database.value(WHO, user="plain"), None, "role: one whose settings were edited in the catalog")
    session = database.connect("plain")
    on(session, "BEGIN; SET LOCAL force_parallel_mode = on")
    report.equal(on(session, WHO), [(None,)], "role: nor in its parallel workers")
    session.close()
    database.query("DELETE FROM pg_db_role_setting")


def check_rights(database, report):
    report.equal(database.failure("SELECT rampart.trust_principal('{\"sub\": \"root\"}')")[0], "42501", "rights: to say who it is has to be granted")
    for function in ("add_token_key('k', 'HS256', repeat('x', 40), 'i', 'a')", "drop_token_key('ed')", "revoke_token('t', now())",
                     "token_public_key('HS256', 'x')", "seal_token_secret('k', 'x', 1, 1, '', 1)"):
        report.equal(database.failure(f"SELECT rampart.{function}")[0], "42501", f"rights: {function.split('(')[0]}")
    for relation in ("token_key", "token_keys", "token_denylist"):
        report.equal(database.failure(f"SELECT * FROM rampart.{relation}")[0], "42501", f"rights: {relation} is not read")
    for statement in ("SHOW rampart.principal", "SELECT current_setting('rampart.principal')"):
        report.equal(database.failure(statement)[0], "42501", f"rights: {statement}")
    report.equal(database.value("SELECT count(*) FROM pg_settings WHERE name = 'rampart.principal' AND setting <> ''", user="plain"), 0, "rights: not listed")


def check_claims(database, report):
    def refused(claims):
        error = database.failure("SELECT rampart.trust_principal(%s::jsonb)", (claims,), user="app")
        return error and error[0]
    for claims in ("{}", '{"sub": ""}', '{"sub": null}', '{"sub": 7}', '{"sub": ["a"]}', "[]", '"ada"', "7", "null", '{"sub": "a", "org": 1}',
                   '{"sub": "a", "roles": "ADMIN"}', '{"sub": "a", "roles": [1]}', '{"sub": "a", "roles": {"a": 1}}', '{"sub": "a", "api_key": "yes"}',
                   '{"sub": "a", "scope": ["x"]}', '{"sub": "a", "exp": "soon"}', '{"sub": "a", "exp": 1e300}', None):
        report.equal(refused(claims), "22023", f"claims: {claims}")
    report.equal(refused(json.dumps({"sub": "a" * 20000})), "54000", "claims: too many")
    report.equal(refused(json.dumps({"sub": "a", "teams": ['"' * 9000]})), "54000", "claims: too many once written")
    nested = '{"sub": "a", "x": ' + "[" * 200 + "]" * 200 + "}"
    report.ok(refused(nested) is not None, "claims: too deep", refused(nested))
    odd = {"sub": 'a"\\\n\t\u0001é😀', "org": "', '", "roles": ["", " "], "scopes": ["x y"]}
    got = database.value("BEGIN; SELECT rampart.trust_principal(%s::jsonb); SELECT rampart.principal()", (json.dumps(odd),), user="app")
    report.equal(got, odd, "claims: any character is kept")


def check_late_library(report):
    """Where nothing preloads the library, a client sets the setting before it is loaded."""
    cluster = Cluster("late", preload=False).start()
    cluster.query("CREATE EXTENSION rampart; CREATE ROLE plain LOGIN")
    cluster.query("ALTER DATABASE postgres RESET session_preload_libraries")
    session = cluster.connect("plain")
    on(session, f"SET rampart.principal = {QUOTED}")
    report.equal(on(session, WHO), [(None,)], "late library: what was set before does not count")
    session.close()
    session = cluster.connect("plain")
    on(session, f"SET rampart.principal = {QUOTED}")
    on(session, "SET force_parallel_mode = on")
    report.equal(on(session, WHO), [(None,)], "late library: nor in a worker that loads it first")
    session.close()
    cluster.remove()


def check(world, report):
    database = world.database("forging")
    check_statements(database, report)
    check_connections(database, report)
    check_function_clause(database, report)
    check_rights(database, report)
    check_claims(database, report)
    check_late_library(report)
