"""Whom a session acts for: only by a token or by who is trusted, only for the transaction, in parallel workers too."""
import psycopg2
from database import on

CLAIMS = '{"sub": "ada", "org": "acme", "roles": ["MEMBER"], "teams": ["billing"], "scope": "a:b"}'
SET = f"SELECT rampart.trust_principal('{CLAIMS}'::jsonb)"
WHO = "SELECT rampart.subject() || '@' || rampart.org()"


def who(session):
    return on(session, WHO)[0][0]


def check_transactions(database, report):
    session = database.connect("server")
    on(session, SET)
    report.equal(who(session), None, "scope: gone after a statement outside of a transaction")
    on(session, "BEGIN"), on(session, SET)
    report.equal((who(session), on(session, "SELECT rampart.principal() ->> 'scope'")[0][0]), ("ada@acme", "a:b"), "scope: the transaction")
    on(session, "COMMIT")
    report.equal(who(session), None, "scope: gone at its commit")
    on(session, "BEGIN"), on(session, SET), on(session, "ROLLBACK")
    report.equal(who(session), None, "scope: and its rollback")
    on(session, "BEGIN"), on(session, SET), on(session, "COMMIT AND CHAIN")
    chained = who(session)
    on(session, "COMMIT")
    report.equal(chained, None, "scope: a chained transaction has none")
    on(session, "BEGIN"), on(session, SET), on(session, "SAVEPOINT s"), on(session, SET.replace("ada", "bob"))
    inner = who(session)
    on(session, "ROLLBACK TO s")
    report.equal((inner, who(session)), ("bob@acme", "ada@acme"), "scope: a savepoint gives back the one before")
    on(session, "SAVEPOINT s"), on(session, SET.replace("ada", "bob")), on(session, "RELEASE s")
    report.equal(who(session), "bob@acme", "scope: one that is released does not")
    on(session, "SELECT rampart.reset_principal()")
    report.equal((who(session), on(session, "SELECT rampart.principal()")[0][0]), (None, None), "scope: reset")
    on(session, "COMMIT")
    on(session, "BEGIN"), on(session, SET), on(session, "PREPARE TRANSACTION 'p'")
    report.equal(who(session), None, "scope: a prepared transaction takes it along")
    on(session, "ROLLBACK PREPARED 'p'")
    on(session, "BEGIN"), on(session, SET)
    on(session, "DO $$ BEGIN PERFORM rampart.trust_principal('{\"sub\": \"eve\"}'::jsonb); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN END $$")
    report.equal(who(session), "ada@acme", "scope: an exception block gives back the one before")
    try:
        on(session, "SELECT 1 / 0")
    except psycopg2.Error:
        on(session, "ROLLBACK")
    report.equal(who(session), None, "scope: gone with an error")
    session.close()


def check_forging(database, report):
    report.equal(database.failure(SET, user="app"), "42501", "forging: claims need a right")
    forged = CLAIMS.replace("'", "''")
    for sql in (f"SET rampart.principal = '{forged}'", f"SET LOCAL rampart.principal = '{forged}'", f"SELECT set_config('rampart.principal', '{forged}', false)",
                f"ALTER ROLE app SET rampart.principal = '{forged}'", f"CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql SET rampart.principal = '{forged}' AS 'SELECT rampart.subject()'"):
        code = database.failure(sql, user="app")
        report.ok(code == "42501", f"forging: {sql[:40]}", code)
    for sql in (f"SET rampart.principal = '{forged}'", f"ALTER DATABASE {database.name} SET rampart.principal = '{forged}'", f"ALTER SYSTEM SET rampart.principal = '{forged}'"):
        code = database.failure(sql)
        report.ok(code is not None, f"forging: nor as a superuser: {sql[:40]}", code)
    try:
        session = database.cluster.connect("app", database.name, options="-c rampart.principal={\"sub\":\"x\"}")
        found = who(session)
        session.close()
    except psycopg2.Error:
        found = None
    report.equal(found, None, "forging: not by the options of a connection")
    session = database.connect("server")
    on(session, "BEGIN"), on(session, SET)
    for sql in ("RESET rampart.principal", "SET rampart.principal = ''", "RESET ALL"):
        on(session, "SAVEPOINT s"), on(session, sql)
        report.ok(who(session) in (None, "ada@acme"), f"forging: {sql} makes nobody else of it")
        on(session, "ROLLBACK TO s")
    on(session, "COMMIT")
    on(session, "BEGIN"), on(session, SET), on(session, "SET SESSION AUTHORIZATION server"), on(session, "COMMIT")
    report.equal(who(session), None, "forging: nothing keeps it past the transaction")
    on(session, "DISCARD ALL")
    session.close()


def check_claims(database, report):
    call = lambda claims: database.failure("SELECT rampart.trust_principal(%s::jsonb)", (claims,), user="server")
    report.equal([call(claims) for claims in ("{}", '{"sub": ""}', '{"sub": 1}', '{"sub": "a", "roles": "x"}', '{"sub": "a", "roles": [1]}', '{"sub": "a", "roles": [""]}', '{"sub": "a", "org": "\\u0007"}',
                                              '{"sub": "a", "api_key": "yes"}', '{"sub": "a", "scope": ["x"]}', "[]", '"a"', "1", '{"sub": "%s"}' % ("x" * 300), '{"sub": "a", "teams": [%s]}' % ",".join(['"t"'] * 300))],
                 ["RMP08"] * 14, "claims: of another type, empty, too long, too many, with control characters")
    report.equal([call(claims) for claims in (None, '{"sub": "a"}', '{"sub": "a", "more": {"x": [1]}}')], [None] * 3, "claims: a subject is enough, others do no harm")


def check_context(database, report):
    database.query("CREATE TABLE noted (id int PRIMARY KEY); SELECT rampart.audit_table('noted'); GRANT ALL ON noted TO server; GRANT EXECUTE ON FUNCTION rampart.set_context TO server")
    session = database.connect("server")
    on(session, "BEGIN"), on(session, SET), on(session, "INSERT INTO noted VALUES (1)"), on(session, "COMMIT")
    on(session, "BEGIN"), on(session, "SELECT rampart.set_context('clerk', 'elsewhere')"), on(session, SET), on(session, "INSERT INTO noted VALUES (2)"), on(session, "COMMIT")
    on(session, "INSERT INTO noted VALUES (3)")
    report.equal(database.query("SELECT actor, org FROM rampart.audit_log WHERE relation = 'public.noted' AND operation = 'INSERT' ORDER BY id"), [("ada", "acme"), ("clerk", "elsewhere"), (None, None)],
                 "context: the principal is the actor of what it does, where none was named")
    session.close()


def check_parallel(database, report):
    session = database.connect("server")
    on(session, "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off")
    query = "SELECT count(*) FROM many WHERE rampart.subject() = 'ada'"
    report.ok(any("Gather" in row[0] for row in on(session, "EXPLAIN " + query)), "parallel: there are workers")
    on(session, "BEGIN"), on(session, SET)
    inside = on(session, query)
    on(session, "COMMIT")
    report.equal((inside, on(session, query)), ([(20000,)], [(0,)]), "parallel: workers know it, for the transaction")
    session.close()


def check(world, report):
    world.cluster.query("DO $$ BEGIN CREATE ROLE server LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
    database = world.database("principals")
    database.query("GRANT EXECUTE ON FUNCTION rampart.trust_principal TO server; GRANT CREATE ON SCHEMA public TO app;"
                   "CREATE TABLE many AS SELECT i FROM generate_series(1, 20000) i; ANALYZE many; GRANT SELECT ON many TO server")
    check_transactions(database, report)
    check_forging(database, report)
    check_claims(database, report)
    check_context(database, report)
    check_parallel(database, report)
