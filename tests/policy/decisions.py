"""Models of every kind decide in SQL as they should, as text and as JSON, and explain themselves."""
import json
import random

import psycopg2
from models import MODELS, PATTERNS, cases, model


def load(database, name, definition, rules, options="{}"):
    database.query("SELECT rampart.load_model(%s, %s, %s); SELECT rampart.import_policy(%s, %s)", (name, definition, options, name, rules))


def answer(database, sql, parameters):
    try:
        return "+" if database.value(sql, parameters) else "-"
    except psycopg2.Error as error:
        return "!" if error.pgcode in ("RMP03", "RMP05") else f"! {error.pgcode}"


def is_json(values):
    return any(value.startswith("{") for value in values)


def as_json(values):
    return json.dumps([json.loads(value) if value.startswith("{") else value for value in values])


def decide(database, name, values):
    """The answers of all ways to ask."""
    request = as_json(values)
    found = {answer(database, "SELECT rampart.enforce(%s, %s::jsonb)", (name, request))}
    found.add(answer(database, "SELECT (rampart.enforce_explain(%s, %s::jsonb) ->> 'allowed')::bool", (name, request)))
    if not is_json(values):
        found.add(answer(database, "SELECT rampart.enforce(%s, VARIADIC %s::text[])", (name, values)))
    return "/".join(sorted(found))


def check_models(database, report):
    for name, (definition, rules, lines) in MODELS.items():
        load(database, name, definition, rules)
        for expected, values in cases(lines):
            report.equal(decide(database, name, values), expected, f"{name}: {' | '.join(values)}")
    options, definition, rules, lines = PATTERNS
    load(database, "patterns", definition, rules, options)
    for expected, values in cases(lines):
        report.equal(decide(database, "patterns", values), expected, f"patterns: {' | '.join(values)}")


def check_requests(database, report):
    load(database, "abc", model("r.sub == p.sub && r.obj == p.obj && r.act == p.act"), "p, ada, ledger, read")
    for request, expected in (('{"sub": "ada", "obj": "ledger", "act": "read"}', "+"), ('{"act": "read", "obj": "ledger", "sub": "ada"}', "+"),
                              ('{"sub": "ada", "obj": "ledger"}', "!"), ('{"sub": "ada", "obj": "ledger", "act": "read", "x": 1}', "!"),
                              ('["ada", "ledger", null]', "-"), ('"ada"', "!"), ("[]", "!"), ("{}", "!")):
        report.equal(answer(database, "SELECT rampart.enforce('abc', %s::jsonb)", (request,)), expected, f"JSON: {request}")
    report.equal(answer(database, "SELECT rampart.enforce('abc', 'ada', 'ledger', NULL)", None), "-", "text: an unknown value is not allowed")
    report.equal(database.value("SELECT rampart.enforce(NULL, 'ada', 'ledger', 'read') IS NULL"), True, "text: nor is one by an unknown model")
    report.equal(answer(database, "SELECT rampart.enforce('abc', VARIADIC '{{ada},{ledger},{read}}'::text[])", None), "!", "text: an array of arrays is no request")
    report.raises("RMP06", lambda: database.query("SELECT rampart.enforce('nothing', 'ada')"), "a model that is not there")
    database.query("SELECT rampart.load_model('two', %s)", (model("r.sub == p.sub && r.obj == p.obj && r.act == p.act").replace(
        "[policy_definition]", "r2 = sub, obj\n[policy_definition]").replace("[policy_effect]", "[policy_effect]\ne2 = !some(where (p.eft == deny))") + "m2 = r2.sub == r2.obj\n",))
    report.equal([answer(database, "SELECT rampart.enforce('two', %s::jsonb, 'm2')", (r,)) for r in ('["a", "a"]', '["a", "b"]', '["a", "b", "c"]', '{"sub": "a", "obj": "a"}')],
                 ["+", "+", "!", "+"], "a matcher, effect and request of another number")
    report.equal(answer(database, "SELECT rampart.enforce('two', '[]'::jsonb, 'm3')", None), "!", "a matcher that is not there")


def random_value(chance, depth=0):
    kind = chance.randrange(7 if depth < 4 else 5)
    if kind == 5:
        return [random_value(chance, depth + 1) for _ in range(chance.randrange(5))]
    if kind == 6:
        return {f"{chance.choice('abcx')}{i}": random_value(chance, depth + 1) for i in range(chance.randrange(5))}
    return [None, chance.random() < 0.5, chance.choice([0, -1, 7, 2.5, 1e300, -0.001, 123456789012, chance.random()]), "x" * chance.randrange(9), chance.choice(["", "ä€😀", 'a"\\\n', "y" * 300])][kind]


def check_values(database, report, turns=300):
    """An attribute is found, whatever stands before it, and is equal to its copy and to nothing else."""
    load(database, "values", model("r.sub.deep.wanted == r.obj.copy && r.sub.last == 1.5"), "p, x, y, z")
    chance, wrong = random.Random(7), []
    for _ in range(turns):
        wanted, other = random_value(chance), random_value(chance)
        deep = {f"k{i}": random_value(chance) for i in range(chance.randrange(80))} | {"wanted": wanted}
        for copy in (wanted, other):
            request = [{"deep": deep, "first": "x" * chance.randrange(9), "last": 1.5}, {"copy": copy}, "act"]
            same = json.dumps(copy, sort_keys=True) == json.dumps(wanted, sort_keys=True)
            if answer(database, "SELECT rampart.enforce('values', %s::jsonb)", (json.dumps(request),)) != ("+" if same else "-"):
                wrong.append(request)
    report.equal(wrong[:1], [], f"JSON: {turns} random values are equal to their copies only")
    number = "SELECT rampart.enforce('values', ('[{\"deep\": {\"wanted\": ' || %s || '}, \"last\": 1.5}, {\"copy\": ' || %s || '}, 1]')::jsonb)"
    for one, two, expected in (("1e2", "100", "+"), ("0.1", "0.10000000000000001", "+"), ("9007199254740993", "9007199254740992", "+"), ("1", "1.0000001", "-"), ("1e-400", "0", "+"), ("1e400", "1", "!")):
        report.equal(answer(database, number, (one, two)), expected, f"JSON: {one} and {two}")
    for text, code in ("'[' || repeat('[', 40) || repeat(']', 40) || ']'", "RMP04"), ("to_jsonb(ARRAY[repeat('x', 1100000)])::text", "RMP04"), ("'1'", "RMP05"), ("'null'", "RMP05"):
        report.equal(database.failure(f"SELECT rampart.enforce('values', ({text})::jsonb)"), code, f"JSON: {text}")


def check_explanations(database, report):
    why = lambda *values: database.value("SELECT rampart.enforce_explain('rbac', VARIADIC %s::text[])", (list(values),))
    rule = {"type": "p", "rule": ["reader", "ledger", "read"], "roles": [["g", "ada", "clerk", "reader"]]}
    report.equal(why("ada", "ledger", "read"), {"allowed": True, "rule": rule, "matched": [rule]}, "explained: the rule, and the path of roles to it")
    report.equal(why("bob", "ledger", "write"), {"allowed": False, "matched": [], "miss": {
        "type": "p", "rule": ["reader", "ledger", "read"], "roles": [["g", "bob", "reader"]], "lacking": ["r.act == p.act"]}}, "explained: what a denial lacked")
    report.equal(database.value("SELECT rampart.enforce_explain('rbac', 'a', NULL, 'b')"), {"allowed": False, "matched": []}, "explained: an unknown value")
    report.equal(database.value("SELECT rampart.enforce_explain('abac rules', '{\"sub\": {\"Age\": 20, \"Name\": \"x\"}, \"obj\": \"bar\", \"act\": \"enter\"}'::jsonb) ->> 'allowed'"), "true",
                 "explained: attributes")


def check_queries(database, report):
    report.equal(sorted(row[0] for row in database.query("SELECT rampart.permitted('rbac', 'ada')")),
                 [["ada", "safe", "open"], ["clerk", "ledger", "write"], ["reader", "ledger", "read"]], "permitted: with what the roles may")
    report.equal(database.query("SELECT * FROM rampart.permitted('rbac with domains', 'chief', 'south')"), [(["admin", "south", "data", "read"],)], "permitted: in a domain")
    report.equal(database.query("SELECT rampart.permitted('rbac', 'nobody')"), [], "permitted: nothing")
    report.equal(sorted(database.query("SELECT rampart.subjects_permitted('rbac', 'ledger', 'read')")), [("ada",), ("bob",)], "subjects: who is no role and may")
    report.equal(database.query("SELECT rampart.subjects_permitted('rbac', 'ledger', NULL)"), [], "subjects: of an unknown value nobody")
    report.equal(database.query("SELECT rampart.roles_of('rbac', 'ada')"), [("clerk",), ("reader",)], "roles: nearest first")
    report.equal(database.query("SELECT rampart.roles_of('rbac with domains', 'ada', 'south')"), [], "roles: in a domain")
    report.equal(database.query("SELECT * FROM rampart.members_of('rbac', 'reader')"), [("clerk",), ("bob",), ("ada",)], "members: nearest first")
    for call in ("permitted(NULL, 'x')", "permitted('rbac', NULL)", "roles_of(NULL, NULL)", "members_of('rbac', NULL)"):
        report.raises("22023", lambda: database.query(f"SELECT rampart.{call}"), f"NULL: {call}")


def check(world, report):
    database = world.database("decisions")
    check_models(database, report)
    check_requests(database, report)
    check_values(database, report)
    check_explanations(database, report)
    check_queries(database, report)
