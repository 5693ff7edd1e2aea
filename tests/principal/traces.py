"""What tokens leave behind: events of refused ones, and nowhere the token itself."""
import time

from world import on


def check_events(world, database, report):
    session = database.connect("app", autocommit=False)
    on(session, "SELECT rampart.set_context('carl', request_id => 'r-1')")
    on(session, "SAVEPOINT s")
    for statement in ("SELECT rampart.set_principal(%s)", "DO $$ BEGIN PERFORM rampart.set_principal('a.b.c'); EXCEPTION WHEN SQLSTATE 'RMP08' THEN NULL; END $$ -- %s"):
        try:
            on(session, statement, (world.issuer.token(exp=0),))
        except Exception:
            on(session, "ROLLBACK TO s")
    session.rollback()
    session.close()
    database.settle()
    report.equal(database.query("SELECT actor, request_id, role, severity, metadata FROM rampart.audit_log WHERE event = 'token.refused' ORDER BY at, id"),
                 [("carl", "r-1", "app", "medium", {"code": "RMP08", "message": "token refused: it has expired"}),
                  ("carl", "r-1", "app", "medium", {"code": "RMP08", "message": "token refused: its header is not base64url"})],
                 "events: a refusal survives the rollback, also where a function catches it")


def check_silence(world, database, report):
    good, bad = world.issuer.token(sub="quiet"), world.issuer.token(sub="quiet", exp=0)
    secret = "s3cret-" * 6
    for user, statement in [
        ("plain", f"SELECT rampart.set_principal('{bad}')"), ("plain", f"SELECT rampart.set_principal('{good}'), 1 / 0"),
        ("plain", f"DO $$ BEGIN PERFORM rampart.set_principal('{bad}'); END $$"), ("plain", f"SELECT rampart.set_principal('{bad}x')"),
        ("postgres", f"SELECT rampart.add_token_key('ed', 'HS256', '{secret}', 'i', 'a')"), ("postgres", f"SELECT rampart.add_token_key(NULL, 'HS256', '{secret}', 'i', 'a')"),
        ("postgres", f"SELECT rampart.add_token_key('new', 'HS256', '{secret}', 'i', 'a', 99)"), ("postgres", f"SELECT rampart.add_token_key('new', 'NONE', '{secret}', 'i', 'a')"),
    ]:
        error = database.failure(statement, user=user)
        report.ok(error is not None and good not in error[1] and bad not in error[1] and secret not in error[1], f"silence: {statement.split('(')[0]} fails without a word of it", error)
    session = database.connect("plain")
    for token in (good, bad, good):
        try:
            on(session, "PREPARE p(text) AS SELECT rampart.set_principal($1)" if token == good and not on(session, "SELECT 1 FROM pg_prepared_statements") else "SELECT 1")
            on(session, f"EXECUTE p('{token}')")
        except Exception:
            pass
    session.close()
    time.sleep(0.3)
    log = world.cluster.log()
    parts = [part for token in (good, bad) for part in token.split(".")[1:]]
    report.equal([part[:20] for part in [*parts, secret] if part in log], [], "silence: no token and no secret in the server's log")
    report.ok("token refused: it has expired" in log, "silence: but the reason")
    database.settle()
    text = str(database.query("SELECT * FROM rampart.audit_log"))
    report.equal([part[:20] for part in [*parts, secret] if part in text], [], "silence: nor in the audit log")


def check(world, report):
    database = world.database("traces")
    check_events(world, database, report)
    check_silence(world, database, report)
