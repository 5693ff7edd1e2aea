"""What a policy was, what it is expected to decide, and all of it for an auditor."""
import hashlib

from database import on
from decisions import load
from models import model

RBAC = model("g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", roles="g = _, _")
VERSIONS = "SELECT version, rules, encode(hash, 'hex'), definition FROM rampart.policy_version WHERE model = %s ORDER BY version"


def check_versions(database, report):
    session = database.connect()
    on(session, "BEGIN"), on(session, "SELECT rampart.load_model('v', %s)", (RBAC,)), on(session, "SELECT rampart.import_policy('v', 'p, a, b, c')"), on(session, "COMMIT")
    on(session, "BEGIN"), on(session, "SELECT rampart.add_policy('v', 'p', '{a,b,d}')"), on(session, "SELECT rampart.remove_policy('v', 'p', '{a,b,c}')"), on(session, "COMMIT")
    on(session, "BEGIN"), on(session, "SELECT rampart.add_policy('v', 'p', '{x,x,x}')"), on(session, "ROLLBACK")
    digest = lambda rules: hashlib.sha256(f"{RBAC}\n{{}}\n{rules}".encode()).hexdigest()
    report.equal(database.query(VERSIONS, ("v",)), [(1, 1, digest("p, a, b, c\n"), RBAC), (2, 1, digest("p, a, b, d\n"), None)], "versions: one a transaction, with the hash that is documented")
    report.equal(database.query("SELECT version, added, rule FROM rampart.policy_change WHERE model = 'v' ORDER BY id"),
                 [(1, True, ["a", "b", "c"]), (2, True, ["a", "b", "d"]), (2, False, ["a", "b", "c"])], "versions: what each changed")
    on(session, "BEGIN"), on(session, "SET CONSTRAINTS ALL IMMEDIATE"), on(session, "SELECT rampart.add_policy('v', 'p', '{y,y,y}')"), on(session, "SELECT rampart.add_policy('v', 'p', '{z,z,z}')"), on(session, "COMMIT")
    report.equal(database.query(VERSIONS, ("v",))[2:], [(3, 3, digest("p, a, b, d\np, y, y, y\np, z, z, z\n"), None)], "versions: completed anew by each change, where constraints are immediate")
    on(session, "SELECT rampart.drop_model('v')"), on(session, "SELECT rampart.load_model('v', %s)", (RBAC,))
    report.equal([(v, r, d) for v, r, _, d in database.query(VERSIONS, ("v",))[3:]], [(4, 0, ""), (5, 0, RBAC)], "versions: a model that was dropped and came again goes on counting")
    at = "SELECT array_agg(rule ORDER BY rule) FROM rampart.policies_at('v', (SELECT at FROM rampart.policy_version WHERE model = 'v' AND version = %s))"
    report.equal([database.value(at, (version,)) for version in (1, 2, 3, 4, 5)], [[["a", "b", "c"]], [["a", "b", "d"]], [["a", "b", "d"], ["y", "y", "y"], ["z", "z", "z"]], None, None], "versions: the rules at a time")
    report.equal(database.query("SELECT rampart.policies_at('v', '-infinity')"), [], "versions: before there was one")
    session.close()


def check_expectations(database, report):
    load(database, "t", RBAC, "p, a, b, c")
    database.query("""INSERT INTO rampart.policy_test VALUES ('t', 'a may', '["a", "b", "c"]', true, true), ('t', 'x may not', '{"sub": "x", "obj": "b", "act": "c"}', false, false), ('t', 'x may', '["x", "b", "c"]', true, false)""")
    report.equal(database.query("SELECT name, got, ok FROM rampart.run_policy_tests('t')"), [("a may", True, True), ("x may", False, False), ("x may not", False, True)], "tests: run")
    try:
        database.query("SELECT rampart.remove_policy('t', 'p', '{a,b,c}')")
        report.ok(False, "tests: what would break an enforced one is not committed")
    except Exception as error:
        report.ok(error.pgcode == "RMP07" and '"a may"' in str(error), "tests: what would break an enforced one is not committed", error)
    report.equal(database.value("SELECT rampart.enforce('t', 'a', 'b', 'c')"), True, "tests: nor in force")
    session = database.connect()
    on(session, "BEGIN"), on(session, "SELECT rampart.remove_policy('t', 'p', '{a,b,c}')"), on(session, "SELECT rampart.import_policy('t', 'p, r, b, c\ng, a, r')"), on(session, "COMMIT")
    report.equal(database.query("SELECT name, ok FROM rampart.run_policy_tests('t') WHERE enforced"), [("a may", True)], "tests: only how it ends counts")
    report.raises("RMP07", lambda: database.query("SELECT rampart.load_model('t', %s)", (RBAC.replace("r.act == p.act", "r.act == 'q'"),)), "tests: nor a model that breaks one")
    database.query("""INSERT INTO rampart.policy_test VALUES ('t', 'no request', '["a"]', true, false)""")
    report.equal(database.query("SELECT name, got, ok, problem IS NULL FROM rampart.run_policy_tests('t') ORDER BY name"), [("a may", True, True, True), ("no request", None, False, False), ("x may", False, False, True), ("x may not", False, True, True)],
                 "tests: one that cannot be decided is not ok, and the others are run")
    report.equal(database.value("SELECT rampart.add_policy('t', 'p', '{a,b,e}')"), True, "tests: nor does it keep changes from being committed")
    database.query("UPDATE rampart.policy_test SET enforced = true WHERE name = 'no request'")
    report.raises("RMP07", lambda: database.query("SELECT rampart.add_policy('t', 'p', '{a,b,f}')"), "tests: unless it is enforced")
    session.close()


def check_map(database, report):
    load(database, "map", RBAC, "p, a, b, c\ng, x, a")
    found = database.value("SELECT rampart.policy_map('map')")
    report.equal([(m["model"], m["definition"], m["rules"], m["version"], m["as_committed"], m["committed_by"]) for m in found], [("map", RBAC, [["p", "a", "b", "c"], ["g", "x", "a"]], 1, True, "postgres")],
                 "map: a model with its rules, version and who committed it")
    database.query("UPDATE rampart.policy_rule SET rule = '{a,b,w}' WHERE model = 'map' AND type = 'p'")
    report.equal((database.value("SELECT rampart.policy_map('map') -> 0 ->> 'as_committed'"), database.value("SELECT rampart.enforce('map', 'a', 'b', 'w')")), ("false", True),
                 "map: a rule that was written past the functions counts, and shows")
    report.equal((database.value("SELECT rampart.policy_map('nothing')"), database.value("SELECT jsonb_array_length(rampart.policy_map())") >= 3), ([], True), "map: of none, of all")


def check_needless(database, report):
    load(database, "needless", RBAC, "p, member, doc, read\np, admin, doc, read\np, admin, doc, write\ng, admin, member")
    needless = "SELECT * FROM rampart.needless_policies('needless')"
    report.equal(database.query(needless), [("p", ["admin", "doc", "read"], ["member", "doc", "read"])], "needless: a rule that a role has anyway")
    database.query("SELECT rampart.remove_policy('needless', 'g', '{admin,member}')")
    report.equal(database.query(needless), [], "needless: not without the role")
    load(database, "needless2", model("r.sub == p.sub", policy="sub, eft"), "p, a, allow\np, a, deny")
    report.equal(database.query("SELECT * FROM rampart.needless_policies('needless2')"), [("p", ["a", "deny"], None)], "needless: an effect that does not count")
    load(database, "needless3", model("r.sub == p.sub && r.obj == p.obj", policy="sub, obj"), "".join(f"p, a{i}, b\n" for i in range(30_000)))
    report.equal((database.query("SELECT * FROM rampart.needless_policies('needless3')"), database.failure("SELECT rampart.needless_policies('nothing')"), database.failure(needless, user="app")), ([], "RMP06", "42501"),
                 "needless: none of many, no model, no right")


def check(world, report):
    database = world.database("versions")
    check_versions(database, report)
    check_expectations(database, report)
    check_map(database, report)
    check_needless(database, report)
