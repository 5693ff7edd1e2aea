"""Changing a policy: what is refused, what is recorded, and who may."""
from database import on
from decisions import load
from models import model

ROLES = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"
RBAC = model(ROLES, roles="g = _, _")
SCHEMA = "SELECT type, rule FROM rampart.policy_rule WHERE model = %s ORDER BY id"


def check_rules(database, report):
    load(database, "app", RBAC, "p, reader, ledger, read")
    add = lambda *values, type="p": database.value("SELECT rampart.add_policy('app', %s, %s)", (type, list(values)))
    ask = lambda *values: database.value("SELECT rampart.enforce('app', VARIADIC %s::text[])", (list(values),))
    report.equal((add("ada", "safe", "open"), ask("ada", "safe", "open")), (True, True), "rules: added, and decided by")
    report.equal(add("ada", "safe", "open"), False, "rules: not twice")
    report.equal((add("bob", "reader", type="g"), ask("bob", "ledger", "read")), (True, True), "rules: a role")
    report.equal(database.value("SELECT rampart.remove_policy('app', 'p', '{ada,safe,open}')"), True, "rules: removed")
    report.equal((ask("ada", "safe", "open"), database.value("SELECT rampart.remove_policy('app', 'p', '{ada,safe,open}')")), (False, False), "rules: and gone")
    for values, type, code in ((["ada"], "p", "RMP02"), (["a", "b", "c", "d"], "p", "RMP02"), (["a", "b", "c"], "p2", "RMP02"), (["a"], "g", "RMP02"), ([], "p", "RMP02"), (None, "p", "22023"),
                               (["a", None, "c"], "p", "RMP02"), (["a", "b", "c"], None, "22023"), (["a", "b", "c"], "", "RMP02"), (["a"] * 70, "p", "RMP02")):
        report.equal(database.failure("SELECT rampart.add_policy('app', %s, %s::text[])", (type, values)), code, f"rules: {type} {values and values[:4]} is none")
    report.equal(database.failure("SELECT rampart.add_policy('app', 'p', '{{a,b,c}}')"), "RMP02", "rules: an array of arrays is none")
    report.equal(database.failure("SELECT rampart.add_policy('other', 'p', '{a,b,c}')"), "RMP06", "rules: of a model that is not there")
    load(database, "eval", model("eval(p.rule)", policy="rule, obj, act"), "")
    report.equal(database.failure("SELECT rampart.add_policy('eval', 'p', '{r.sub.Age >,x,y}')"), "RMP02", "rules: an expression that does not parse")
    load(database, "order", model(ROLES, policy="priority, sub, obj, act, eft", roles="g = _, _", effect="priority(p.eft) || deny"), "")
    report.equal(database.failure("SELECT rampart.add_policy('order', 'p', '{first,a,b,c,allow}')"), "RMP02", "rules: a priority that is no number")
    long = "x" * 100_000
    report.equal((add("ada", long, "read"), ask("ada", long, "read"), add("ada", long, "read")), (True, True, False), "rules: longer than an index takes")
    database.query("SELECT rampart.remove_policy('app', 'p', ARRAY['ada', %s, 'read'])", (long,))


def check_csv(database, report):
    load(database, "csv", RBAC, "p, a, b, c")
    report.equal(database.value("SELECT rampart.import_policy('csv', 'p, a, b, c\n# more\n\ng, x, a\np, \"1, \"\"2\"\"\", b, c\ng, x, a\n')"), 2, "CSV: adds what is not there yet")
    text = 'p, a, b, c\ng, x, a\np, "1, ""2""", b, c\n'
    report.equal(database.value("SELECT rampart.export_policy('csv')"), text, "CSV: exported in order")
    load(database, "copy", RBAC, text)
    report.equal(database.value("SELECT rampart.export_policy('copy')"), text, "CSV: and imported again")
    report.equal(database.value("SELECT rampart.import_policy('copy', 'p, z, z, z', true)"), 1, "CSV: in place of what is there")
    report.equal(database.query(SCHEMA, ("copy",)), [("p", ["z", "z", "z"])], "CSV: nothing else is left")
    try:
        database.query("SELECT rampart.import_policy('csv', %s)", ("p, q, q, q\np, a, b\n",))
    except Exception as error:
        report.ok(error.pgcode == "RMP02" and "line 2" in str(error), "CSV: a rule that does not fit, with its line", error)
    report.equal(database.value("SELECT rampart.export_policy('csv')"), text, "CSV: of which nothing is left")
    report.equal([database.failure("SELECT rampart.import_policy('csv', %s)", (csv,)) for csv in (None, 'p, "a', "q, a, b, c", "p, a, b, c\x01")], ["22023", "RMP02", "RMP02", None], "CSV: malformed")
    report.equal(database.value("SELECT rampart.import_policy('csv', '')"), 0, "CSV: nothing")
    report.equal((database.value("SELECT rampart.remove_policies('csv', 'p, a, b, c\ng, x, a\np, a, b, c\np, not, there, yet\n')"), database.value("SELECT rampart.export_policy('csv')")), (2, 'p, "1, ""2""", b, c\np, a, b, c\x01\n'), "CSV: removed, what there is of it")
    report.equal([database.failure("SELECT rampart.remove_policies(%s, %s)", row) for row in (("csv", None), ("csv", "p, a"), ("nothing", ""), (None, ""))], ["22023", "RMP02", "RMP06", "RMP06"], "CSV: nothing that can be removed")
    report.equal(database.query("SELECT added, type, rule FROM rampart.policy_change WHERE model = 'csv' ORDER BY id DESC LIMIT 2"), [(False, "g", ["x", "a"]), (False, "p", ["a", "b", "c"])], "CSV: the version says what was removed")


def check_models(database, report):
    load(database, "m", RBAC, "p, a, b, c")
    for text, what in ((RBAC.replace("r.act == p.act", "r.act == "), "an expression that breaks off"), (RBAC.replace("[matchers]", "[matcher]"), "a missing section"),
                       (RBAC.replace("g(r.sub", "h(r.sub"), "an unknown function"), (RBAC.replace("r.obj", "r.object"), "an unknown field"), ("", "nothing"), ("[", "a bracket")):
        try:
            database.query("SELECT rampart.load_model('m', %s)", (text,))
            report.ok(False, f"models: {what} is refused")
        except Exception as error:
            report.equal(error.pgcode, "RMP01", f"models: {what} is refused")
            if "r." in text and what != "a missing section":
                report.ok("line" in str(error), f"models: {what}: and where it stands", error)
    report.equal(database.failure("SELECT rampart.load_model('m', %s)", (RBAC.replace("p = sub, obj, act", "p = sub, obj, act, eft"),)), "RMP02", "models: one that the rules do not fit")
    report.equal(database.value("SELECT rampart.enforce('m', 'a', 'b', 'c')"), True, "models: the old one is in force")
    database.query("SELECT rampart.load_model('m', %s)", (RBAC.replace("r.act == p.act", "r.act == 'x'"),))
    report.equal(database.query("SELECT rampart.enforce('m', 'a', 'b', 'c'), rampart.enforce('m', 'a', 'b', 'x')"), [(False, True)], "models: another, with the same rules")
    for options, code in (("[]", "RMP01"), ('{"x": {}}', "RMP01"), ('{"roles": {"g": {"matching": "eval"}}}', "RMP01"), ('{"roles": {"g": {"max_depth": 0}}}', "RMP01"),
                          ('{"fields": {"p": {"priority": 40}}}', "RMP01"), ('{"fields": {"p": {"priority": 7}}}', "RMP01"), ('{"roles": {"g": {"max_depth": 1}}}', None)):
        report.equal(database.failure("SELECT rampart.load_model('m', %s, %s)", (RBAC, options)), code, f"models: options {options}")
    report.equal([database.failure("SELECT rampart.load_model(%s, %s, %s)", row) for row in ((None, RBAC, "{}"), ("", RBAC, "{}"), ("m", None, "{}"), ("m", RBAC, None), ("x" * 64, RBAC, "{}"), ("a\nb", RBAC, "{}"))],
                 ["22023"] * 6, "models: names, and NULLs")
    database.query("SELECT rampart.drop_model('m')")
    report.equal((database.failure("SELECT rampart.enforce('m', 'a', 'b', 'c')"), database.failure("SELECT rampart.drop_model('m')"), database.query(SCHEMA, ("m",))), ("RMP06", "RMP06", []), "models: dropped, with the rules")


def check_record(database, report):
    last = database.value("SELECT max(id) FROM rampart.audit_log")
    load(database, "noted", RBAC, "p, a, b, c")
    database.query("SELECT rampart.add_policy('noted', 'g', '{x,a}')"), database.query("SELECT rampart.remove_policy('noted', 'p', '{a,b,c}')"), database.query("SELECT rampart.drop_model('noted')")
    report.equal(database.query("SELECT event, metadata -> 'added_rules', metadata -> 'removed_rules' FROM rampart.audit_log WHERE id > %s AND event LIKE 'policy.%%' ORDER BY id", (last,)),
                 [("policy.model_loaded", [], []), ("policy.changed", ["p, a, b, c"], []), ("policy.changed", ["g, x, a"], []), ("policy.changed", [], ["p, a, b, c"]), ("policy.model_dropped", [], ["g, x, a"])],
                 "record: every change is in the audit log, with the rules")


def check_rights(database, report):
    database.query("GRANT USAGE ON SCHEMA public TO app")
    calls = ("load_model('x', '')", "drop_model('app')", "add_policy('app', 'p', '{a,b,c}')", "remove_policy('app', 'p', '{a,b,c}')", "import_policy('app', '')", "remove_policies('app', '')", "needless_policies('app')", "export_policy('app')",
             "policy_map()", "enforce_explain('app', 'a', 'b', 'c')", "permitted('app', 'a')", "subjects_permitted('app', 'b', 'c')", "roles_of('app', 'a')", "members_of('app', 'a')",
             "policies_at('app', now())", "run_policy_tests()", "policy_hash('app')", "compile_model('app')", "begin_policy_version('app')")
    report.equal([call for call in calls if database.failure(f"SELECT rampart.{call}", user="app") != "42501"], [], "rights: changing and reading policies has to be granted")
    report.equal(database.failure("SELECT rampart.enforce('app', 'a', 'b', 'c')", user="app"), None, "rights: deciding has not")
    report.equal([database.failure(f"SELECT * FROM rampart.{table}", user="app") for table in ("policy_model", "policy_rule", "policy_version", "policy_change", "policy_test")], ["42501"] * 5, "rights: nor do tables show them")
    database.query("GRANT EXECUTE ON FUNCTION rampart.add_policy, rampart.export_policy TO officer")
    report.equal(database.failure("SELECT rampart.add_policy('app', 'p', '{o,b,c}')", user="officer"), None, "rights: who is granted it changes it")
    session = database.connect("officer")
    report.raises("42501", lambda: on(session, "INSERT INTO rampart.policy_rule (model, type, rule) VALUES ('app', 'p', '{o,b,d}')"), "rights: by the functions only")
    session.close()


def check(world, report):
    database = world.database("changes")
    check_rules(database, report)
    check_csv(database, report)
    check_models(database, report)
    check_record(database, report)
    check_rights(database, report)
