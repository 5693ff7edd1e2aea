"""Decisions that were no are recorded where that is wanted, also of transactions that are rolled back, and never without bound."""
from database import on
from decisions import load
from models import model

NOTED = "SELECT role, metadata ->> 'model', metadata -> 'request' FROM rampart.audit_log WHERE event = 'policy.denied' AND id > %s ORDER BY id"


class Log:
    def __init__(self, database):
        self.database, self.session = database, database.connect()
        self.last = 0

    def new(self):
        on(self.session, "SELECT rampart.log_event('session.renewed', transactional => false)"), on(self.session, "SELECT rampart.flush_events(60000)")
        rows = on(self.session, NOTED, (self.last,))
        self.last = on(self.session, "SELECT max(id) FROM rampart.audit_log")[0][0]
        return rows


def check(world, report):
    database = world.database("denials")
    load(database, "app", model("r.sub == p.sub && r.obj == p.obj && r.act == p.act"), "p, ada, ledger, read")
    log, session = Log(database), database.connect("app")
    ask = lambda who: on(session, "SELECT rampart.enforce('app', %s, 'ledger', 'read')", (who,))
    ask("eve")
    report.equal(log.new(), [], "denials: not unless it is wanted")
    report.raises("42501", lambda: on(session, "SET rampart.audit_denials = on"), "denials: which is the administrator's to say")
    database.query("ALTER ROLE app SET rampart.audit_denials = on")
    session.close()
    session = database.connect("app")
    on(session, "BEGIN"), ask("ada"), ask("eve"), on(session, "SELECT rampart.enforce('app', '{\"sub\": \"x\", \"obj\": 1, \"act\": \"read\"}'::jsonb)"), on(session, "ROLLBACK")
    report.equal(log.new(), [("app", "app", ["eve", "ledger", "read"]), ("app", "app", ['{"act": "read", "obj": 1, "sub": "x"}'])], "denials: recorded although rolled back, and what was allowed is not")
    on(session, "SELECT count(*) FROM generate_series(1, 20000) i WHERE rampart.enforce('app', 'eve' || i, 'ledger', repeat('x', 1000))")
    on(session, "SELECT pg_sleep(1.1)")
    ask("eve")
    rows = log.new()
    lost = database.value("SELECT coalesce(sum((metadata ->> 'not_recorded')::int), 0) FROM rampart.audit_log WHERE event = 'policy.denied'")
    report.ok(100 <= len(rows) < 3000 and len(rows) + lost == 20001, "denials: a hundred a second, and the rest are counted", (len(rows), lost))
    report.ok(all(len(value) <= 256 for _, _, request in rows for value in request), "denials: long values are cut")
    database.query("SELECT rampart.load_roles(); GRANT EXECUTE ON FUNCTION rampart.trust_principal TO app")
    on(session, "BEGIN"), on(session, "SELECT rampart.trust_principal('{\"sub\": \"ada\", \"org\": \"acme\", \"roles\": [\"VIEWER\"]}'::jsonb)")
    on(session, "SELECT rampart.allowed('document', 'delete', 'acme'::text, 'ada'::text) FROM generate_series(1, 50)"), on(session, "SELECT rampart.allowed('document', 'read', 'acme'::text, 'bob'::text)")
    on(session, "COMMIT")
    report.equal(log.new(), [("app", "rampart", ["ada", "document", "delete"])], "denials: of a principal once in a transaction, and no row that is another's")
    session.close(), log.session.close()
