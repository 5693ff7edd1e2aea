"""Whom the application works for: only from roles whose word is taken, and for the transaction only."""
from world import on

LOOK = "SELECT key -> 'id', actor, org, host(ip), user_agent, request_id FROM rampart.audit_log WHERE id > %s AND class = 'normal' ORDER BY id"


def check_scope(database, report):
    session = database.connect("app", autocommit=False)
    last = database.last()
    on(session, "SELECT rampart.set_context('ada', 'acme', '10.1.2.3', 'curl/8', 'req-1')")
    on(session, "INSERT INTO c VALUES (1)")
    session.commit()
    on(session, "INSERT INTO c VALUES (2)")
    session.commit()
    on(session, "SELECT rampart.set_context('bob')")
    session.rollback()
    on(session, "INSERT INTO c VALUES (3)")
    session.commit()
    report.equal(database.query(LOOK, (last,)), [(1, "ada", "acme", "10.1.2.3", "curl/8", "req-1"), (2,) + (None,) * 5, (3,) + (None,) * 5],
                 "context: is of its transaction, committed or rolled back")
    last = database.last()
    on(session, "SELECT rampart.set_context('outer'); SAVEPOINT a; SELECT rampart.set_context('inner'); INSERT INTO c VALUES (10); ROLLBACK TO a; INSERT INTO c VALUES (11);"
                "SAVEPOINT b; SELECT rampart.set_context('released'); SAVEPOINT b2; SELECT rampart.set_context('deeper'); RELEASE b2; RELEASE b; INSERT INTO c VALUES (12);"
                "SAVEPOINT d; SELECT rampart.set_context('gone'); RELEASE d; SAVEPOINT e; INSERT INTO c VALUES (13)")
    session.commit()
    report.equal([row[:2] for row in database.query(LOOK, (last,))], [(11, "outer"), (12, "deeper"), (13, "gone")], "context: savepoints, rolled back and released")
    last = database.last()
    on(session, "SAVEPOINT a; SELECT rampart.set_context('inner'); ROLLBACK TO a; INSERT INTO c VALUES (20)")
    session.commit()
    report.equal([row[:2] for row in database.query(LOOK, (last,))], [(20, None)], "context: none before the savepoint, none after it is rolled back")
    session.autocommit = True
    last = database.last()
    on(session, "BEGIN"), on(session, "SELECT rampart.set_context('prepared')"), on(session, "INSERT INTO c VALUES (30)"), on(session, "PREPARE TRANSACTION 'ctx'")
    on(session, "INSERT INTO c VALUES (31)"), on(session, "COMMIT PREPARED 'ctx'")
    report.equal(sorted(row[:2] for row in database.query(LOOK, (last,))), [(30, "prepared"), (31, None)], "context: goes with a prepared transaction and does not linger")
    last = database.last()
    on(session, "SELECT rampart.set_context('alone')"), on(session, "INSERT INTO c VALUES (32)")
    report.equal([row[1] for row in database.query(LOOK, (last,))], [None], "context: nothing lingers outside of a transaction block")
    session.close()


def check_forgery(database, report):
    report.equal(database.failure("SELECT rampart.set_context('root')", user="owner"), "42501", "forgery: set_context has to be granted")
    last = database.last()
    database.query("SET audit.actor = 'root'; SET application_name = 'mine'; INSERT INTO c VALUES (40)", user="owner")
    report.equal(database.query("SELECT actor, role, session_role, application, client FROM rampart.audit_log WHERE id > %s", (last,)),
                 [(None, "owner", "owner", "mine", None)], "forgery: no setting is an actor")
    database.query("CREATE FUNCTION as_postgres() RETURNS void SECURITY DEFINER LANGUAGE sql AS $$ INSERT INTO c VALUES (41) $$; GRANT owner TO app")
    last = database.last()
    database.query("BEGIN; SELECT rampart.set_context('ada'); SELECT as_postgres(); SET ROLE owner; INSERT INTO c VALUES (42); COMMIT", user="app")
    report.equal(database.query("SELECT key -> 'id', actor, role, session_role FROM rampart.audit_log WHERE id > %s ORDER BY id", (last,)),
                 [(41, "ada", "postgres", "app"), (42, "ada", "owner", "app")], "forgery: the roles beside it are the server's word")
    session = database.cluster.connect("owner", database.name)
    session.close()
    import psycopg2
    tcp = psycopg2.connect(f"host=127.0.0.1 port={database.cluster.port} user=owner dbname={database.name}")
    last = database.last()
    on(tcp, "INSERT INTO c VALUES (43)")
    tcp.commit(), tcp.close()
    report.equal(database.value("SELECT host(client) FROM rampart.audit_log WHERE id > %s", (last,)), "127.0.0.1", "forgery: the client's address is recorded")


def check(world, report):
    database = world.database("context")
    database.query("CREATE TABLE c (id int PRIMARY KEY); GRANT ALL ON c TO PUBLIC; SELECT rampart.audit_table('c');"
                   "GRANT EXECUTE ON FUNCTION rampart.set_context TO app")
    check_scope(database, report)
    check_forgery(database, report)
