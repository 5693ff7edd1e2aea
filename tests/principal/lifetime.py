"""How long a principal is there: the transaction, the savepoint, the workers; and nothing beyond."""
from world import on

ADA = """SELECT rampart.trust_principal('{"sub": "ada", "org": "acme"}')"""
BOB = """SELECT rampart.trust_principal('{"sub": "bob"}')"""
WHO = "SELECT rampart.subject()"
PARALLEL = """SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0; SET LOCAL force_parallel_mode = on"""


def after(session, *statements):
    """Whom the session works for after some statements; rolls back what is open."""
    for statement in statements:
        on(session, statement)
    who = on(session, WHO)[0][0]
    on(session, "ROLLBACK")
    return who


def check_transactions(session, report):
    report.equal(after(session, "BEGIN", ADA), "ada", "transaction: set")
    report.equal(after(session, "BEGIN", ADA, BOB), "bob", "transaction: set again")
    report.equal(after(session, "BEGIN", ADA, "SELECT rampart.reset_principal()"), None, "transaction: reset")
    for end in ("COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN"):
        report.equal(after(session, "BEGIN", ADA, end), None, f"transaction: gone after {end}")
    report.equal(after(session, ADA), None, "transaction: gone after a statement of its own")
    report.equal(after(session, "BEGIN", ADA, "CREATE TABLE IF NOT EXISTS p (id int)", "PREPARE TRANSACTION 'p'"), None, "transaction: gone after PREPARE")
    report.equal(after(session, "COMMIT PREPARED 'p'"), None, "transaction: and does not come back with COMMIT PREPARED")
    on(session, "BEGIN")
    on(session, ADA)
    try:
        on(session, "SELECT 1 / 0")
    except Exception:
        pass
    report.equal(after(session, "ROLLBACK"), None, "transaction: gone after an error")


def check_savepoints(session, report):
    report.equal(after(session, "BEGIN", ADA, "SAVEPOINT s", BOB, "ROLLBACK TO s"), "ada", "savepoint: restored by ROLLBACK TO")
    report.equal(after(session, "BEGIN", "SAVEPOINT s", ADA, "ROLLBACK TO s"), None, "savepoint: nobody before is nobody after")
    report.equal(after(session, "BEGIN", ADA, "SAVEPOINT s", BOB, "RELEASE s"), "bob", "savepoint: kept by RELEASE")
    report.equal(after(session, "BEGIN", ADA, "SAVEPOINT a", BOB, "SAVEPOINT b", ADA, "RELEASE b", "ROLLBACK TO a"), "ada", "savepoint: nested")
    report.equal(after(session, "BEGIN", ADA, "SAVEPOINT s", "SELECT rampart.reset_principal()", "ROLLBACK TO s"), "ada", "savepoint: a reset is undone too")
    block = "DO $$ BEGIN BEGIN PERFORM rampart.trust_principal('{\"sub\": \"bob\"}'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$"
    report.equal(after(session, "BEGIN", ADA, block), "ada", "savepoint: an exception block restores it")
    block = "DO $$ BEGIN BEGIN PERFORM rampart.trust_principal('{\"sub\": \"bob\"}'); EXCEPTION WHEN division_by_zero THEN NULL; END; END $$"
    report.equal(after(session, "BEGIN", ADA, block), "bob", "savepoint: one without an exception keeps it")


def check_functions(database, session, report):
    database.query("""CREATE FUNCTION public.become(name text) RETURNS void SECURITY DEFINER SET search_path = pg_catalog LANGUAGE plpgsql
                      AS 'BEGIN PERFORM rampart.trust_principal(jsonb_build_object(''sub'', name)); END';
                      CREATE PROCEDURE public.twice() LANGUAGE plpgsql AS $$ BEGIN
                        PERFORM public.become('ada'); COMMIT;
                        IF rampart.subject() IS NOT NULL THEN RAISE EXCEPTION 'kept'; END IF; END $$""")
    report.equal(after(session, "BEGIN", "SELECT public.become('ada')"), "ada", "function: what a SECURITY DEFINER function set stays to the transaction's end")
    report.equal(after(session, "BEGIN", ADA, "SELECT public.become('bob')"), "bob", "function: also in the place of another")
    report.equal(after(session, "BEGIN", ADA, "SAVEPOINT s", "SELECT public.become('bob')", "ROLLBACK TO s"), "ada", "function: who comes back with the savepoint")
    report.equal(after(session, "CALL public.twice()"), None, "function: gone after a procedure's COMMIT")
    database.query("""CREATE TABLE trap (id int); CREATE FUNCTION trapped(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
                      AS 'BEGIN PERFORM public.become(''eve''); RETURN $1; END';
                      INSERT INTO trap VALUES (1); CREATE INDEX ON trap (trapped(id))""")
    report.equal(database.value("BEGIN; ANALYZE trap; SELECT rampart.subject()"), None, "function: an index's function sets nobody for whoever analyzes the table")


def check_roles(database, report):
    session = database.connect("postgres")
    report.equal(after(session, "BEGIN", ADA, "SET LOCAL ROLE plain"), "ada", "roles: SET ROLE does not change it")
    report.equal(after(session, "BEGIN", ADA, "SET LOCAL SESSION AUTHORIZATION plain"), "ada", "roles: nor does SET SESSION AUTHORIZATION")
    report.equal(after(session, "SET SESSION AUTHORIZATION plain", "RESET SESSION AUTHORIZATION"), None, "roles: and neither keeps it")
    for statement in ("DISCARD ALL", "RESET ALL"):
        report.equal(after(session, "BEGIN", ADA, "COMMIT", statement), None, f"roles: gone after {statement}")
    session.close()


def check_workers(database, session, report):
    database.query("CREATE TABLE big AS SELECT n FROM generate_series(1, 20000) n; ANALYZE big; GRANT SELECT ON big TO PUBLIC")
    on(session, "BEGIN")
    on(session, ADA)
    on(session, PARALLEL)
    query = "SELECT count(*), min(rampart.subject()), max(rampart.org()), min(rampart.principal() ->> 'sub') FROM big WHERE n > 0 AND rampart.subject() = 'ada'"
    plan = "\n".join(line for line, in on(session, "EXPLAIN (ANALYZE, COSTS OFF) " + query))
    report.ok("Workers Launched: 2" in plan, "workers: there are some", plan)
    report.equal(on(session, query), [(20000, "ada", "acme", "ada")], "workers: see their leader's")
    on(session, "SAVEPOINT s")
    on(session, BOB)
    report.equal(on(session, query)[0][0], 0, "workers: also after a change")
    on(session, "ROLLBACK TO s")
    report.equal(on(session, query)[0][0], 20000, "workers: and after it was undone")
    on(session, "COMMIT")
    report.equal(on(session, "SELECT count(*) FROM big WHERE rampart.subject() IS NULL"), [(20000,)], "workers: and nobody afterwards")


def check_context(database, report):
    database.query("CREATE TABLE c (id int); GRANT ALL ON c TO PUBLIC; SELECT rampart.audit_table('c')")
    actors = "SELECT actor, org FROM rampart.audit_log WHERE relation = 'public.c' ORDER BY id DESC LIMIT 1"
    for statements, expected, name in [
        (f"{ADA};", ("ada", "acme"), "context: the principal is the actor"),
        ("SELECT rampart.set_context('carl', ip => '10.0.0.1');" + ADA + ";", ("carl", None), "context: unless one was set"),
        (ADA + "; SELECT rampart.set_context(NULL, request_id => 'r');", ("ada", "acme"), "context: or one without an actor"),
        ("", (None, None), "context: nobody is nobody"),
    ]:
        database.query(f"BEGIN; {statements} INSERT INTO c VALUES (1); COMMIT", user="app")
        report.equal(database.query(actors), [expected], name)


def check(world, report):
    database = world.database("lifetime")
    session = database.connect("app")
    check_transactions(session, report)
    check_savepoints(session, report)
    check_functions(database, session, report)
    check_roles(database, report)
    check_workers(database, session, report)
    check_context(database, report)
    session.close()
