"""Who reads the log: a reader sees the entries of his organisations, by whatever way, and nobody else sees any."""
import psycopg2

from cluster import run
from world import Database, on

SEEN = "SELECT DISTINCT coalesce(org, '-') FROM rampart.audit_log WHERE class = 'normal' ORDER BY 1"
PARTITION = "rampart.audit_log_normal_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')"


def seen(database, user, sql=SEEN):
    return [row[0] for row in database.query(sql, user=user)]


def insert(database, number, org, secret):
    database.query("BEGIN; SELECT rampart.set_context('ada', %s); INSERT INTO a VALUES (%s, %s); COMMIT", (org, number, secret), user="app")


def check_nobody(database, report):
    report.equal(database.failure(SEEN, user="reader"), "42501", "access: no right, no entry")
    report.equal(database.failure("SELECT rampart.row_history('a', '{\"id\": 1}')", user="reader"), "42501", "access: nor by row_history")
    database.query("GRANT SELECT ON ALL TABLES IN SCHEMA rampart TO reader; GRANT EXECUTE ON FUNCTION rampart.row_history TO reader")
    report.equal(seen(database, "reader"), [], "access: SELECT alone shows nothing")
    partition = database.value(f"SELECT '{PARTITION}")
    report.equal(seen(database, "reader", f"SELECT count(*) FROM {partition}"), [0], "access: nor of a partition")
    report.equal(database.query("SELECT * FROM rampart.row_history('a', '{\"id\": 1}')", user="reader"), [], "access: nor row_history")
    database.query("REVOKE SELECT ON ALL TABLES IN SCHEMA rampart FROM reader; REVOKE EXECUTE ON FUNCTION rampart.row_history FROM reader")
    report.equal(database.value("SELECT count(*) FROM pg_partition_tree('rampart.audit_log') p JOIN pg_class c ON c.oid = p.relid WHERE NOT c.relrowsecurity"),
                 0, "access: each table of the log has row-level security")


def check_orgs(database, report):
    database.query("SELECT rampart.grant_audit('acme_reader', '{acme}'); SELECT rampart.grant_audit('auditor'); GRANT acme_reader TO acme_member;"
                   "SELECT rampart.grant_audit('both_reader', '{acme,globex}'); GRANT auditor TO stranger; ALTER ROLE stranger NOINHERIT")
    for role, expected in (("acme_reader", ["acme"]), ("acme_member", ["acme"]), ("both_reader", ["acme", "globex"]),
                           ("auditor", ["-", "acme", "globex"]), ("postgres", ["-", "acme", "globex"])):
        report.equal(seen(database, role), expected, f"orgs: what {role} sees")
    report.equal(database.failure(SEEN, user="stranger"), "42501", "orgs: a membership without inheritance is no right")
    report.equal(database.query("SET ROLE auditor; " + SEEN, user="stranger"), [("-",), ("acme",), ("globex",)], "orgs: SET ROLE is")
    partition = database.value(f"SELECT '{PARTITION}")
    database.query(f"GRANT SELECT ON {partition} TO acme_reader")
    report.equal(seen(database, "acme_reader", f"SELECT DISTINCT org FROM {partition}"), ["acme"], "orgs: of a partition as well")
    report.equal(seen(database, "acme_reader", "SELECT new_value #>> '{}' FROM rampart.row_history('a', '{\"id\": 1}') WHERE column_name = 'secret'"),
                 ["acme-secret", "acme-again"], "orgs: row_history shows what is the reader's")
    report.equal(database.query("SELECT * FROM rampart.row_history('a', '{\"id\": 2}')", user="acme_reader"), [], "orgs: and nothing of another's row")
    report.equal(seen(database, "auditor", "SELECT new_value #>> '{}' FROM rampart.row_history('a', '{\"id\": 1}') WHERE column_name = 'secret'"),
                 ["acme-secret", "globex-took", "acme-again"], "orgs: to an auditor all of it")
    report.equal(database.query("SELECT event, metadata ->> 'grantee', metadata -> 'orgs' FROM rampart.audit_log WHERE event = 'authz.grant' "
                                "AND metadata ->> 'grantee' = 'acme_reader' AND metadata ? 'orgs'"),
                 [("authz.grant", "acme_reader", ["acme"])], "orgs: a grant is recorded")
    database.query("SELECT rampart.grant_audit('both_reader', '{globex}')")
    report.equal(seen(database, "both_reader"), ["globex"], "orgs: a grant replaces the last")
    session = database.connect("both_reader")
    on(session, "PREPARE p AS " + SEEN)
    for _ in range(7):
        on(session, "EXECUTE p")
    database.query("SELECT rampart.grant_audit('both_reader', '{acme}')")
    report.equal(on(session, "EXECUTE p"), [("acme",)], "orgs: a change holds in running sessions and for prepared statements")
    database.query("SELECT rampart.revoke_audit('both_reader')")
    report.raises("42501", lambda: on(session, "EXECUTE p"), "orgs: and a revocation")
    session.close()


def check_context(database, report):
    report.equal(database.failure("SELECT rampart.grant_audit('acme_reader', of_context => true)"), "22023", "context: only for roles that may set one")
    database.query("SELECT rampart.grant_audit('app', of_context => true)")
    session = database.connect("app", autocommit=False)
    report.equal(on(session, SEEN), [], "context: none, nothing")
    on(session, "SELECT rampart.set_context('ada', 'globex'); SAVEPOINT s; SELECT rampart.set_context('ada', 'acme')")
    report.equal(on(session, SEEN), [("acme",)], "context: its organisation's entries")
    on(session, "ROLLBACK TO s")
    report.equal(on(session, SEEN), [("globex",)], "context: that of the savepoint")
    on(session, "SELECT rampart.set_context('ada', NULL)")
    report.equal(on(session, SEEN), [], "context: of no organisation, nothing")
    session.rollback()
    database.query("CREATE ROLE delegate; REVOKE EXECUTE ON FUNCTION rampart.set_context FROM app; GRANT EXECUTE ON FUNCTION rampart.set_context TO delegate; GRANT app TO delegate")
    on(session, "SET ROLE app")
    report.equal(on(session, SEEN), [], "context: ends with the right to set one")
    session.close()
    database.query("GRANT EXECUTE ON FUNCTION rampart.set_context TO app; REVOKE EXECUTE ON FUNCTION rampart.set_context FROM delegate; DROP ROLE delegate")
    database.query("SELECT rampart.grant_audit('app', '{acme}', of_context => true)")
    report.equal(database.query("BEGIN; SELECT rampart.set_context('ada', 'globex'); " + SEEN, user="app"), [("acme",), ("globex",)],
                 "context: beside named ones")


def check_leaks(database, report):
    """What a reader can run that sees rows before the policy does."""
    database.query("CREATE FUNCTION leak(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$;"
                   "CREATE OPERATOR <<< (FUNCTION = leak, RIGHTARG = text); ANALYZE", user="acme_reader")
    database.query("ANALYZE")
    session = database.connect("acme_reader")
    hidden = "globex"
    for name, sql in (("a function", "SELECT count(*) FROM rampart.audit_log WHERE leak(new::text || org)"),
                      ("an operator", "SELECT count(*) FROM rampart.audit_log WHERE <<< (new::text || org)"),
                      ("a join", "SELECT count(*) FROM rampart.audit_log a JOIN rampart.audit_log b ON leak(a.org || b.org)"),
                      ("a sort", "SELECT new FROM rampart.audit_log ORDER BY leak(org)"),
                      ("EXPLAIN", "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM rampart.audit_log WHERE org > 'b'"),
                      ("a row lock", "SELECT xid FROM rampart.audit_log WHERE leak(org)"),
                      ("statistics", "SELECT * FROM pg_stats WHERE tablename LIKE 'audit_log%'")):
        del session.notices[:]
        rows = on(session, sql)
        report.ok(hidden not in str(rows) + str(session.notices), f"leaks: nothing by {name}", f"{rows} {session.notices}"[:500])
    try:
        on(session, "SELECT count(*) FROM rampart.audit_log WHERE (new ->> 'secret')::int > 0")
        report.ok(False, "leaks: the error of a visible row was expected")
    except psycopg2.Error as error:
        report.ok("acme" in str(error) and hidden not in str(error), "leaks: errors tell of visible rows only", error)
    session.close()
    for name, sql in (("INSERT", "INSERT INTO rampart.audit_log SELECT * FROM rampart.audit_log LIMIT 1"), ("UPDATE", "UPDATE rampart.audit_log SET org = 'acme'"),
                      ("DELETE", "DELETE FROM rampart.audit_log"), ("COPY", "COPY rampart.audit_log_normal_other TO STDOUT"), ("TRUNCATE", "TRUNCATE rampart.audit_log"),
                      ("switching it off", "ALTER TABLE rampart.audit_log DISABLE ROW LEVEL SECURITY"), ("a policy", "CREATE POLICY p ON rampart.audit_log"),
                      ("row_security = off", "SET row_security = off; SELECT * FROM rampart.audit_log")):
        report.equal(database.failure(sql, user="acme_reader"), "42501", f"leaks: a reader cannot by {name}")
    database.query("GRANT ALL ON rampart.audit_log TO acme_reader")
    report.equal(database.failure("INSERT INTO rampart.audit_log SELECT * FROM rampart.audit_log LIMIT 1", user="acme_reader"), "42501",
                 "leaks: no row is written, whatever is granted")
    database.query("REVOKE ALL ON rampart.audit_log FROM acme_reader; SELECT rampart.grant_audit('acme_reader', '{acme}')")


def check_borrowed(database, report):
    """A reader's code that others run, superusers in maintenance too, sees what the reader sees."""
    database.query("CREATE TABLE trap (id int); CREATE TABLE loot (org text, way text);"
                   "CREATE FUNCTION rob_them() RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
                   "  INSERT INTO public.loot SELECT DISTINCT org, 'log' FROM rampart.audit_log;"
                   "  INSERT INTO public.loot SELECT DISTINCT new_value #>> '{}', 'history' FROM rampart.row_history('public.a', '{\"id\": 1}');"
                   "  RETURN 1; END $$;"
                   "CREATE FUNCTION rob(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.rob_them(); END $$;"
                   "CREATE FUNCTION rob_as_me() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT public.rob(1)';"
                   "CREATE INDEX ON trap (rob(id))", user="acme_reader")
    database.query("INSERT INTO trap VALUES (1)", user="acme_reader")
    database.query("TRUNCATE loot")
    database.query("REINDEX TABLE trap")
    report.ok(database.value("SELECT count(*) > 1 FROM loot"), "borrowed: an index's code ran in a superuser's REINDEX")
    database.query("SELECT rob_as_me()", user="auditor")
    database.query("SELECT rob_as_me()")
    report.equal(database.query("SELECT DISTINCT org FROM loot WHERE org LIKE '%%globex%%'"), [], "borrowed: it saw what its owner sees")
    for name, arguments in (("readable_orgs_for", "10"), ("readable_orgs_of", "10, NULL"), ("row_history_for", "10, 'a', '{\"id\": 1}'"),
                            ("grant_audit", "'acme_reader'"), ("revoke_audit", "'auditor'"), ("context_org", ""),
                            ("change_reader_rights", "'acme_reader', true"), ("veil_audit_partition", "'a'")):
        report.equal(database.failure(f"SELECT rampart.{name}({arguments})", user="acme_reader"), "42501", f"borrowed: {name} is not a reader's to call")
    report.equal(database.value("SELECT rampart.readable_orgs()", user="acme_reader"), ["acme"], "borrowed: readable_orgs tells everybody of himself")
    report.equal(database.value("SELECT rampart.readable_orgs()", user="stranger"), None, "borrowed: and a stranger of nothing")


def check_arguments(database, report):
    for arguments, code in (("'nobody'", "42704"), ("NULL", "42704"), ("0::regrole", "42704"), ("'reader', ARRAY['a', NULL]", "22023"),
                            ("'reader', ARRAY[['a'], ['b']]", "22023"), ("'public'", "42704")):
        report.equal(database.failure(f"SELECT rampart.grant_audit({arguments})"), code, f"arguments: grant_audit({arguments})")
    report.equal(database.failure("SELECT rampart.revoke_audit(NULL)"), "42704", "arguments: revoke_audit of nobody")
    database.query("""CREATE ROLE "o'""dd; role" LOGIN; SELECT rampart.grant_audit('"o''""dd; role"', ARRAY['', '{', 'a,"b'])""")
    insert(database, 90, "", "x"), insert(database, 91, 'a,"b', "x")
    report.equal(database.query('SET ROLE "o\'""dd; role"; ' + SEEN), [("",), ('a,"b',)], "arguments: names that need quoting")
    report.equal(database.failure("DROP ROLE \"o'\"\"dd; role\""), "2BP01", "arguments: a reader's role is not dropped unnoticed")
    database.query("SELECT rampart.revoke_audit('\"o''\"\"dd; role\"'); DROP ROLE \"o'\"\"dd; role\"")


def check_dump(world, database, report):
    archive = world.cluster.directory + "/access.dump"
    run("pg_dump", "-Fc", "-f", archive, "-d", world.cluster.dsn(database=database.name) + " options='-c rampart.reveal=off'")
    world.cluster.query("CREATE DATABASE access_restored")
    done = run("pg_restore", "-d", world.cluster.dsn(database="access_restored"), archive, check=False)
    report.equal((done.returncode, done.stderr), (0, ""), "dump: restores without an error")
    restored = Database(world.cluster, "access_restored")
    report.equal([seen(restored, "acme_reader"), "globex" in seen(restored, "auditor")], [["acme"], True], "dump: and readers see what they saw")
    done = run("pg_dump", "-f", archive, "-d", world.cluster.dsn("acme_reader", database.name), "-t", "rampart.audit_log*", check=False)
    with open(archive) as file:
        report.ok(done.returncode != 0 or "globex" not in file.read(), "dump: a reader's own has nothing hidden")


def check(world, report):
    database = world.database("access", quiet=False)
    world.cluster.query("CREATE ROLE acme_reader LOGIN; CREATE ROLE acme_member LOGIN; CREATE ROLE both_reader LOGIN; CREATE ROLE auditor LOGIN; CREATE ROLE stranger LOGIN")
    database.query("CREATE TABLE a (id int PRIMARY KEY, secret text); GRANT ALL ON a TO PUBLIC; SELECT rampart.audit_table('a');"
                   "GRANT EXECUTE ON FUNCTION rampart.set_context TO app")
    insert(database, 1, "acme", "acme-secret"), insert(database, 2, "globex", "globex-secret"), insert(database, 3, None, "no secret")
    for org, secret in (("globex", "globex-took"), ("acme", "acme-again")):
        database.query("BEGIN; SELECT rampart.set_context('bob', %s); UPDATE a SET secret = %s WHERE id = 1; COMMIT", (org, secret), user="app")
    check_nobody(database, report)
    check_orgs(database, report)
    check_context(database, report)
    check_leaks(database, report)
    check_borrowed(database, report)
    check_arguments(database, report)
    database.query("DROP TABLE trap")
    check_dump(world, database, report)
