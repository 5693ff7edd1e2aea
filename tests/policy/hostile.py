"""Models, rules and requests that are meant to harm: refused or bounded, and cancelled when asked to."""
import time

import psycopg2
from database import on
from decisions import load
from models import model

RBAC = model("g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", roles="g = _, _")
MANY = 100_000


def check_models(database, report):
    nested = "(" * 1000 + "r.sub == p.sub" + ")" * 1000
    long = " && ".join(["r.sub == p.sub"] * 10_000)
    for text, code, what in ((RBAC + "# " + "x" * 10_000_000, "RMP04", "10 MB"), (model(nested), "RMP04", "1,000 levels"), (model(long), "RMP04", "10,000 conditions"),
                             (model("r.sub == p.sub", request=", ".join(f"a{i}" for i in range(1000))), "RMP04", "1,000 fields"), ("\x01\x02", "RMP01", "control characters"),
                             (RBAC.replace("g = _, _", "g = " + ", ".join("_" * 200)), "RMP01", "a role of 200 fields"), ("ä" * 1000, "RMP01", "no ASCII")):
        report.equal(database.failure("SELECT rampart.load_model('h', %s)", (text,)), code, f"a model: {what}")
    report.equal(database.query("SELECT count(*) FROM rampart.policy_model WHERE name = 'h'"), [(0,)], "a model: none of it is there")


def check_expressions(database, report):
    load(database, "regex", model("regexMatch(r.sub, p.sub)", policy="sub"), "")
    database.query("SELECT rampart.add_policy('regex', 'p', '{^(a+)+$}'); SELECT rampart.add_policy('regex', 'p', '{(x*)*y}'); SELECT rampart.add_policy('regex', 'p', '{^(([a-z])+.)+[A-Z]([a-z])+$}')")
    began = time.time()
    report.equal(database.value("SELECT rampart.enforce('regex', repeat('a', 100000) || '!', 'b', 'c')"), False, "an expression: one that backtracks elsewhere")
    report.ok(time.time() - began < 10, "an expression: in linear time")
    report.equal(database.failure("SELECT rampart.add_policy('regex', 'p', '{\"(\"}')"), "RMP02", "an expression: malformed")
    report.equal(database.failure("SELECT rampart.add_policy('regex', 'p', ARRAY[repeat('(a{1000}){1000}', 2)])"), "RMP02", "an expression: one that would be huge")
    load(database, "eval", model("eval(p.rule)", policy="rule"), "")
    report.equal(database.failure("SELECT rampart.add_policy('eval', 'p', ARRAY[repeat('(', 2000) || '1' || repeat(')', 2000)])"), "RMP02", "a rule's expression: 2,000 levels")
    for request in ("[" * 100_000, "[" * 40 + "]" * 40, '"' + "x" * 2_000_000 + '"'):
        code = database.failure("SELECT rampart.enforce('eval', %s::jsonb)", (request,))
        report.ok(code in ("RMP04", "RMP05", "22P02", "54001"), f"a request: {request[:3]}... ({len(request)})", code)


def check_roles(database, report):
    """A ring of roles, and everybody a member of everybody's."""
    ring = "".join(f"g, r{i}, r{(i + 1) % MANY}\n" for i in range(MANY))
    began = time.time()
    load(database, "ring", RBAC, ring + f"p, r5, safe, open\np, r{MANY // 2}, safe, close\n")
    report.equal(database.query("SELECT rampart.enforce('ring', 'r0', 'safe', 'open'), rampart.enforce('ring', 'r0', 'safe', 'close')"), [(True, False)], f"roles: a ring of {MANY} is followed for ten links")
    report.equal(database.value("SELECT count(*) FROM (SELECT rampart.roles_of('ring', 'r0')) r"), MANY - 1, "roles: all of it where all are asked for")
    report.ok(time.time() - began < 120, f"roles: loaded in {time.time() - began:.1f} s")
    mesh = "".join(f"g, m{i}, m{j}\n" for i in range(200) for j in range(200) if i != j)
    load(database, "mesh", RBAC, mesh + "p, m9, safe, open\n")
    report.equal(database.query("SELECT rampart.enforce('mesh', 'm0', 'safe', 'open'), rampart.enforce('mesh', 'm0', 'safe', 'shut')"), [(True, False)], "roles: everybody in everybody's")
    depth = model("g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", policy="sub, obj, act, eft", roles="g = _, _", effect="subjectPriority(p.eft) || deny")
    load(database, "depth", depth, "g, a, b")
    database.query("SELECT rampart.add_policy('depth', 'g', '{b,c}')")
    report.raises("RMP02", lambda: database.query("SELECT rampart.add_policy('depth', 'g', '{c,a}')"), "roles: a circle is refused where their depth decides")


def check_cancel(database, report):
    session = database.connect()
    rules = "".join(f"p, s{i}, o{i}, read\n" for i in range(MANY))
    on(session, "SELECT rampart.load_model('big', %s)", (RBAC,))
    on(session, "SET statement_timeout = '200ms'")
    began = time.time()
    try:
        on(session, "SELECT rampart.import_policy('big', %s)", (rules,))
        report.ok(False, "time: an import is cancelled")
    except psycopg2.Error as error:
        report.ok(error.pgcode == "57014" and time.time() - began < 20, "time: an import is cancelled", error)
    report.equal(database.value("SELECT count(*) FROM rampart.policy_rule WHERE model = 'big'"), 0, "time: nothing of it is there")
    load(database, "slow", model("regexMatch(r.sub, p.sub)", policy="sub"), "".join(f"p, ^(a|b)*c{i}$\n" for i in range(3000)))
    database.query("CREATE FUNCTION long_text(int) RETURNS text LANGUAGE sql AS $$ SELECT repeat('ab', $1) || '!' $$")
    stranger = database.connect("app")
    for who, sql, what in ((stranger, "SELECT rampart.enforce('slow', long_text(500000), 'b', 'c')", "a decision of anybody's"),
                           (session, "SELECT rampart.enforce_explain('slow', long_text(500000), 'b', 'c')", "an explanation")):
        on(who, "SELECT rampart.enforce('slow', 'a', 'b', 'c')"), on(who, "SET statement_timeout = '200ms'")
        began = time.time()
        try:
            on(who, sql)
            report.ok(False, f"time: {what} is cancelled")
        except psycopg2.Error as error:
            report.ok(error.pgcode == "57014" and time.time() - began < 2, f"time: {what} is cancelled", (error.pgcode, time.time() - began))
    report.equal(database.failure("SELECT rampart.enforce('slow', long_text(600000), 'b', 'c')", user="app"), "RMP04", "time: a request that is longer than 1 MiB is refused")
    stranger.close()
    session.close()


def check_arguments(database, report):
    """Every function with NULLs, empty and long texts, of which none brings the server down."""
    pid = database.value("SELECT pg_postmaster_start_time()")
    functions = database.query("SELECT p.oid::regprocedure::text, p.proargtypes::regtype[]::text[], p.provariadic <> 0 FROM pg_proc p WHERE p.pronamespace = 'rampart'::regnamespace AND p.prokind = 'f'"
                               " AND p.prorettype <> 'trigger'::regtype AND p.proname ~ '(polic|model|enforce|permitted|roles_of|members_of)'")
    samples = {"text": ("NULL", "''", "repeat('x', 1000000)", "E'\\x01'"), "text[]": ("NULL", "'{}'", "'{NULL}'", "array_fill('x'::text, ARRAY[5000])", "'{{a},{b}}'"),
               "jsonb": ("NULL", "'null'", "'{}'", "'[]'", "'{\"a\": [1, {\"b\": null}]}'"), "boolean": ("NULL", "true"), "bigint": ("NULL", "-1"), "timestamp with time zone": ("NULL", "'infinity'")}
    broken, calls = [], 0
    for name, types, variadic in functions:
        for turn in range(5):
            arguments = [samples.get(t, ("NULL",))[turn % len(samples.get(t, ("NULL",)))] + f"::{t}" for t in types]
            if variadic:
                arguments[-1] = "VARIADIC " + arguments[-1]
            calls += 1
            code = database.failure(f"SELECT * FROM rampart.{name.split('(')[0].replace('rampart.', '')}({', '.join(arguments)})")
            if code is not None and (len(code) != 5 or code.startswith("XX")):
                broken.append((name, arguments, code))
    report.ok(calls > 80 and not broken, f"arguments: {calls} calls with bad ones", broken[:5])
    report.equal(database.value("SELECT pg_postmaster_start_time()"), pid, "arguments: the server has not gone down")


def check(world, report):
    database = world.database("hostile")
    check_models(database, report)
    check_expressions(database, report)
    check_roles(database, report)
    check_cancel(database, report)
    check_arguments(database, report)
