"""Revoked tokens: refused by every session from the commit on, and forgotten once they have expired."""
from world import on

REVOKED = "it was revoked"


def check(world, report):
    database = world.database("revocation")
    token = world.issuer.token(jti="stolen")
    session, other = database.connect("plain", autocommit=False), database.connect("postgres", autocommit=False)
    session.set_session(isolation_level="REPEATABLE READ")
    on(session, "SELECT rampart.set_principal(%s)", (token,))
    on(other, "SELECT rampart.revoke_token('stolen', now() + '15 minutes')")
    report.equal(database.refusal(token), None, "revocation: nobody sees it before the commit")
    on(other, "SAVEPOINT s")
    try:
        on(other, "SELECT rampart.set_principal(%s)", (token,))
        report.ok(False, "revocation: but its own transaction")
    except Exception as error:
        report.ok(REVOKED in str(error), "revocation: but its own transaction", error)
    on(other, "ROLLBACK TO s")
    other.commit()
    report.equal(database.refusal(token), REVOKED, "revocation: refused after the commit")
    report.equal(database.refusal(world.issuer.token(jti="stolen", sub="bob")), REVOKED, "revocation: it is the jti that counts")
    report.equal([database.refusal(world.issuer.token(jti=jti)) for jti in ("Stolen", "stolen ", "stole", None)], [None] * 4, "revocation: and that exactly")
    report.equal(on(session, "SELECT rampart.subject()"), [("ada",)], "revocation: a transaction that has its claims keeps them")
    try:
        on(session, "SELECT rampart.set_principal(%s)", (token,))
        report.ok(False, "revocation: also for the snapshot of an old transaction")
    except Exception as error:
        report.ok(REVOKED in str(error), "revocation: also for the snapshot of an old transaction", error)
    session.rollback()
    session.close(), other.close()

    database.query("SELECT rampart.revoke_token('old', now() - '2 hours'::interval), rampart.revoke_token('recent', now() - '1 minute'::interval)")
    database.query("SELECT rampart.revoke_token('stolen', now() + '5 minutes')")
    rows = dict(database.query("SELECT jti, until > now() + '10 minutes' FROM rampart.token_denylist"))
    report.equal(rows, {"stolen": True, "recent": False}, "pruning: what expired long ago is forgotten, and nothing is shortened")
    for name, arguments in [("NULL", "NULL, now()"), ("empty", "'', now()"), ("without an end", "'x', NULL"), ("long", "repeat('x', 1025), now()")]:
        report.equal(database.failure(f"SELECT rampart.revoke_token({arguments})", user="postgres")[0], "22023", f"arguments: {name}")
    database.query("ALTER TABLE rampart.token_denylist DROP CONSTRAINT token_denylist_pkey")
    report.equal(database.refusal(token), REVOKED, "pruning: it counts without its index, as during a restore")
    database.settle()
    report.equal(database.query("SELECT metadata ->> 'jti' FROM rampart.audit_log WHERE event = 'token.revoked' ORDER BY id LIMIT 1"), [("stolen",)], "events: a revocation is recorded")
