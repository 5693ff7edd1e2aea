"""Keys and revocations in a dump, on a standby, in another encoding of the same cluster."""

from cluster import Cluster, run
from world import Database, on


def check_dump(world, report):
    database = world.database("dumped")
    database.query("SELECT rampart.revoke_token('t-0', now() + '1 hour')")
    archive = world.cluster.directory + "/tokens.sql"
    run("pg_dump", "-f", archive, "-d", world.cluster.dsn(database="dumped"))
    with open(archive) as f:
        text = f.read()
    report.ok(world.issuer.secret not in text and world.issuer.secret.encode().hex() not in text, "dump: the secret of HS256 is not in it")
    report.ok("token_key" in text and "t-0" in text, "dump: keys and revoked tokens are")
    world.cluster.query("CREATE DATABASE restored")
    done = run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", archive, "-d", world.cluster.dsn(database="restored"), check=False)
    report.equal((done.returncode, done.stderr), (0, ""), "dump: restores without an error")
    restored = Database(world.cluster, "restored")
    for kid in world.issuer.signers:
        report.equal(restored.refusal(world.issuer.token(kid)), None, f"dump: tokens of {kid} are believed afterwards")
    report.equal(restored.refusal(world.issuer.token(jti="t-0")), "it was revoked", "dump: and revoked ones refused")


def check_standby(world, report):
    primary = Cluster("primary", settings={"wal_level": "replica", "max_wal_senders": 4, "rampart.worker_naptime": 86400}).start()
    primary.query("CREATE EXTENSION rampart; CREATE ROLE plain LOGIN")
    before = Database(primary, "postgres")
    for kid, algorithm, key in world.issuer.published():
        before.query("SELECT rampart.add_token_key(%s, %s, %s, 'https://id.example.com', 'orders')", (kid, algorithm, key))
    standby = primary.standby("standby")
    copy = Database(standby, "postgres")
    for kid in world.issuer.signers:
        report.equal(copy.principal(world.issuer.token(kid))["sub"], "ada", f"standby: believes tokens of {kid}")
    report.equal(copy.refusal(world.issuer.token(exp=0)), "it has expired", "standby: and refuses others")
    token = world.issuer.token(jti="leaked")
    session = copy.connect("plain")
    on(session, "SELECT rampart.set_principal(%s)", (token,))
    before.query("SELECT rampart.revoke_token('leaked', now() + '1 hour'), rampart.drop_token_key('ec')")
    primary.wait_for_replay(standby)
    reasons = []
    for refused in (token, world.issuer.token("ec")):
        try:
            on(session, "SELECT rampart.set_principal(%s)", (refused,))
        except Exception as error:
            reasons.append(str(error).split("\n")[0].removeprefix("token refused: "))
    report.equal(reasons, ["it was revoked", "it names a key that is not known here"], "standby: its sessions hear of revocations and dropped keys")
    session.close()
    report.equal(copy.failure("SELECT rampart.revoke_token('x', now())", user="postgres")[0], "25006", "standby: revokes nothing itself")
    standby.remove()
    primary.remove()


def check(world, report):
    check_dump(world, report)
    check_standby(world, report)
