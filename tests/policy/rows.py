"""Row-level security by the principal: for each role, command and tenant the rows seen and changed, by whatever way."""
import json
import random

import psycopg2
from database import on
from models import cases

ORGS, PEOPLE = ("acme", "umbrella"), ("ada", "bob")
# What the customer's matrix says of rows, by role: (read, update, delete) of all or own, and whether it creates.
MATRIX = {"OWNER": ("all", "all", "all", True), "ADMIN": ("all", "all", "all", True), "MEMBER": ("own", "own", None, True), "VIEWER": ("own", None, None, False)}
ROWS = [(i, ORGS[i % 2], PEOPLE[i // 2 % 2]) for i in range(8)] + [(8, None, "ada"), (9, "acme", None), (10, None, None)]


class As:
    """A transaction of the application in somebody's name, rolled back."""

    def __init__(self, session, claims):
        self.session, self.claims = session, claims

    def __enter__(self):
        on(self.session, "BEGIN")
        if self.claims:
            on(self.session, "SELECT rampart.trust_principal(%s::jsonb)", (json.dumps(self.claims),))
        return self

    def __exit__(self, *_):
        on(self.session, "ROLLBACK")

    def ids(self, sql, parameters=None):
        return sorted(row[0] for row in on(self.session, sql, parameters))

    def code(self, sql):
        on(self.session, "SAVEPOINT s")
        try:
            on(self.session, sql)
            return None
        except psycopg2.Error as error:
            on(self.session, "ROLLBACK TO s")
            return error.pgcode


def person(role, org="acme", subject="ada", **more):
    return {"sub": subject, "org": org, "roles": [role], **more}


def expected(org, subject, whose):
    return [i for i, row_org, owner in ROWS if row_org == org and (whose == "all" or whose == "own" and owner == subject)]


def check_matrix(session, table, report):
    for role, (read, update, delete, create) in MATRIX.items():
        for org in ORGS:
            for subject in PEOPLE:
                with As(session, person(role, org, subject)) as me:
                    found = (me.ids(f"SELECT id FROM {table}"), me.ids(f"UPDATE {table} SET body = 'x' RETURNING id"),
                             me.code(f"INSERT INTO {table} VALUES (100, '{org}', '{subject}')"), me.code(f"INSERT INTO {table} VALUES (101, 'other', '{subject}')"), me.ids(f"DELETE FROM {table} WHERE id < 100 RETURNING id"))
                wanted = (expected(org, subject, read), expected(org, subject, update), None if create else "42501", "42501", expected(org, subject, delete))
                report.equal(found, wanted, f"{table}: {role} {subject} of {org}: reads, updates, creates and deletes")
    with As(session, None) as nobody:
        report.equal((nobody.ids(f"SELECT id FROM {table}"), nobody.ids(f"UPDATE {table} SET body = 'x' RETURNING id"), nobody.code(f"INSERT INTO {table} VALUES (100, 'acme', 'ada')"), nobody.ids(f"DELETE FROM {table} RETURNING id")),
                     ([], [], "42501", []), f"{table}: nobody, nothing")
    for claims, what in (({"sub": "ada", "roles": ["OWNER"]}, "without an organisation"), (person("NOBODY"), "with a role that is none"), ({"sub": "ada", "org": "acme"}, "without a role")):
        with As(session, claims) as me:
            report.equal(me.ids(f"SELECT id FROM {table}"), [], f"{table}: {what}, nothing")


def check_named(session, report):
    """What is only whose rules name it: a wildcard gives none of it away."""
    actions = ("manage", "read", "create", "update", "delete", "invite", "remove", "view", "export")
    all_of = lambda *resources: {(resource, action) for resource in resources for action in actions}
    admin = all_of("users") | {("audit_log", "read"), ("audit_log", "view")}
    owner = admin | all_of("settings", "billing")
    for role, wanted in (("SUPER_ADMIN", owner), ("OWNER", owner), ("ADMIN", admin), ("MEMBER", set()), ("VIEWER", set())):
        with As(session, person(role)):
            found = {(r, a) for r in ("settings", "billing", "users", "audit_log") for a in actions if on(session, "SELECT rampart.allowed(%s, %s, 'acme'::text, 'ada'::text)", (r, a))[0][0]}
        report.equal(found, wanted, f"named resources: {role}")
    with As(session, person("OWNER", api_key=True, scope="users:* billing:* settings:* audit_log:*")):
        report.equal(on(session, "SELECT rampart.allowed('users', 'read', 'acme'::text, 'ada'::text), rampart.allowed('billing', 'read', 'acme'::text, 'ada'::text)"), [(False, False)], "named resources: an API key")


def check_others(database, session, report):
    with As(session, person("SUPER_ADMIN", "elsewhere")) as me:
        report.equal((me.ids("SELECT id FROM by_row"), me.ids("SELECT id FROM by_query")), ([row[0] for row in ROWS], [row[0] for row in ROWS]), "platform: SUPER_ADMIN sees every organisation")
    with As(session, person("SUPER_ADMIN", "elsewhere", api_key=True, scope="document:read")) as me:
        report.equal(me.ids("SELECT id FROM by_row"), [], "platform: an API key is none, whatever it says")
    for scope, read, update in (("document:read", "own", None), ("document:read document:update", "own", "own"), ("document:*", "own", "own"), ("", None, None), ("other:read document", None, None), ("*", None, None)):
        with As(session, person("OWNER", api_key=True, scope=scope)) as me:
            report.equal((me.ids("SELECT id FROM by_row"), me.ids("UPDATE by_row SET body = 'x' RETURNING id"), me.ids("DELETE FROM by_row RETURNING id")), (expected("acme", "ada", read), expected("acme", "ada", update), []), f"API key: {scope or 'no scope'}")
    database.query("SELECT rampart.add_policy('rampart', 'g', '{team:lawyers,ADMIN}')")
    with As(session, {**person("VIEWER"), "teams": ["lawyers", "others"]}) as me:
        report.equal((me.ids("SELECT id FROM by_row"), me.ids("SELECT id FROM by_query")), (expected("acme", "ada", "all"),) * 2, "team: its role adds to one's own")
    with As(session, {**person("VIEWER"), "teams": ["others"]}) as me:
        report.equal(me.ids("SELECT id FROM by_row"), expected("acme", "ada", "own"), "team: another one does not")
    database.query("SELECT rampart.add_policy('rampart', 'g', '{team:hackers,SUPER_ADMIN}')")
    with As(session, {**person("VIEWER"), "teams": ["hackers"]}) as me:
        report.equal(me.ids("SELECT id FROM by_row"), expected("acme", "ada", "all"), "team: no team leads out of the organisation")
    with As(session, person("VIEWER")) as me:
        before = me.ids("SELECT id FROM by_row")
        database.query("SELECT rampart.remove_policy('rampart', 'p', '{VIEWER,*,read,own}')")
        report.equal((before, me.ids("SELECT id FROM by_row")), (expected("acme", "ada", "own"), []), "change: what is taken away is gone for transactions that are open")
    database.query("SELECT rampart.add_policy('rampart', 'p', '{VIEWER,*,read,own}')")
    report.equal([database.value("SELECT rampart.allowed('a', 'b', 'c'::text, 'd'::text)"), database.value("SELECT rampart.allowed(NULL, 'b')"), database.value("SELECT rampart.allowed('a', NULL, 1, 2)")], [False] * 3, "allowed: nobody, nothing")
    with As(session, person("ADMIN", org="7", subject="8f14e45f-ceea-467f-a8d3-3d1d9ad0a1b2")) as me:
        report.equal(on(session, "SELECT rampart.allowed('a', 'read', 7, NULL::int), rampart.allowed('a', 'read', 7::int8), rampart.allowed('a', 'read', '8'::varchar), rampart.allowed('a', 'read', NULL::uuid, NULL::uuid), rampart.allowed('a', 'read')"),
                     [(True, True, False, False, True)], "allowed: organisations of any type")
    with As(session, person("MEMBER", org="7", subject="8f14e45f-ceea-467f-a8d3-3d1d9ad0a1b2")) as me:
        report.equal(on(session, "SELECT rampart.allowed('a', 'update', 7, '8f14e45f-ceea-467f-a8d3-3d1d9ad0a1b2'::uuid), rampart.allowed('a', 'update', 7, '00000000-ceea-467f-a8d3-3d1d9ad0a1b2'::uuid), rampart.allowed('a', 'read')"),
                     [(True, False, False)], "allowed: owners of any type")


def check_ways(database, session, report):
    """Hidden rows do not show by joins, views, functions, COPY, foreign keys, statistics or errors."""
    own = expected("acme", "ada", "own")
    with As(session, person("MEMBER")) as me:
        report.equal(me.ids("SELECT a.id FROM by_row a JOIN by_query b USING (id)"), own, "ways: a join")
        report.equal(me.ids("SELECT id FROM by_row WHERE id IN (SELECT id FROM by_row)"), own, "ways: a subquery")
        report.equal(me.ids("SELECT id FROM invoker_view"), own, "ways: a view of the invoker")
        report.equal(me.ids("SELECT unnest(visible())"), own, "ways: a function")
        report.equal(me.ids("WITH gone AS (UPDATE by_row SET body = 'y' RETURNING id) SELECT id FROM gone"), own, "ways: a CTE that writes")
        report.equal(on(session, "SELECT count(*), max(id) FROM by_row"), [(len(own), max(own))], "ways: aggregates")
        report.equal(me.code("COPY by_row FROM stdin"), "0A000", "ways: COPY FROM is not for tables with row-level security")
        report.equal(me.code("INSERT INTO by_row VALUES (0, 'acme', 'ada') ON CONFLICT (id) DO UPDATE SET body = 'z'"), None, "ways: a conflict with one's own row")
        report.equal(me.code("INSERT INTO by_row VALUES (1, 'acme', 'ada') ON CONFLICT (id) DO UPDATE SET body = 'z'"), "42501", "ways: with another's, refused")
        report.equal(me.code("UPDATE by_row SET org_id = 'umbrella'"), "42501", "ways: a row is not given away to another organisation")
        report.equal(me.code("UPDATE by_query SET org_id = 'umbrella'"), "42501", "ways: nor by the other kind of policy")
        report.equal(me.code("SELECT id FROM by_row WHERE raises(created_by)"), None, "leak: a function that raises is not called on hidden rows")
        report.equal(me.code("SELECT id FROM by_query WHERE raises(created_by)"), None, "leak: nor under the other kind of policy")
        plan = "\n".join(row[0] for row in on(session, "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT id FROM by_query WHERE org_id = 'umbrella'"))
        report.ok("umbrella" in plan and "ada" not in plan and "MEMBER" not in plan, "leak: a plan shows no principal", plan)
        on(session, "SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in on(session, "EXPLAIN (COSTS off) SELECT id FROM indexed"))
        report.ok("indexed_org_id_idx" in plan, "index: policies made by policy_for use it", plan)
    found = database.query("SELECT problem, object FROM rampart.policy_for('bare', 'document', 'org_id') ORDER BY 1, 2")
    report.ok(("no index", "public.bare (org_id)") in found and any(row[1] == "public.bare_tags_idx" for row in found), "report: a missing index, and one that is of no use", found)
    report.equal([database.failure(f"SELECT rampart.policy_for({arguments})") for arguments in ("'bare', 'document', 'nothing'", "'bare', '', 'org_id'", "NULL, 'x', 'org_id'", "'bare', 'document', 'org_id', 'nothing'")], ["42703", "22023", "22023", "42703"], "policies: of a column that is not there")
    report.equal(database.failure("SELECT rampart.policy_for('bare', 'document', 'org_id')", user="server"), "42501", "policies: are the owner's to make")


def check_filter(database, session, report, turns=40):
    """The rows that a policy keeps are those that the single check allows, for random rules and people."""
    rng, different = random.Random(11), []
    roles, actions = list(MATRIX) + ["team:red", "team:blue", "NOBODY", "API"], ["read", "update", "delete", "create"]
    admin = database.connect()
    for _ in range(turns):
        on(admin, "BEGIN")
        for _ in range(4):
            on(admin, "SELECT rampart.add_policy('rampart', 'p', %s)", ([rng.choice(roles), rng.choice(["document", "*", "other"]), rng.choice(actions + ["*"]), rng.choice(["all", "own"])],))
        if rng.random() < 0.5:
            on(admin, "SELECT rampart.add_policy('rampart', 'g', %s)", ([rng.choice(["team:red", "team:blue"]), rng.choice(list(MATRIX))],))
        on(admin, "COMMIT")
        claims = {"sub": rng.choice(PEOPLE + ("eve",)), "org": rng.choice(ORGS + ("none",)), "roles": rng.sample(list(MATRIX) + ["NOBODY"], rng.randint(0, 2)), "teams": rng.sample(["red", "blue", "green"], rng.randint(0, 2)),
                  "api_key": rng.random() < 0.2, "scope": rng.choice(["document:read", "document:*", "other:read"])}
        with As(session, claims) as me:
            kept = (me.ids("SELECT id FROM by_row"), me.ids("SELECT id FROM by_query"))
            single = sorted(i for i, org, owner in ROWS if on(session, "SELECT rampart.allowed('document', 'read', %s::text, %s::text)", (org, owner))[0][0])
        if kept != (single, single):
            different.append((claims, kept, single))
    admin.close()
    report.equal(different, [], f"filter: keeps the rows that the check allows, {turns} times")


def check(world, report):
    world.cluster.query("DO $$ BEGIN CREATE ROLE server LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
    database = world.database("rows")
    session = database.connect("server")
    report.equal(on(session, "SELECT rampart.allowed('document', 'read', 'acme'::text)"), [(False,)], "allowed: nobody, before there is a policy")
    database.query("GRANT EXECUTE ON FUNCTION rampart.trust_principal TO server")
    with As(session, person("ADMIN")) as me:
        report.equal(me.code("SELECT rampart.allowed('document', 'read')"), "RMP06", "allowed: roles have to be loaded")
    database.query("SELECT rampart.load_roles()")
    for table in ("by_row", "by_query"):
        database.query(f"CREATE TABLE {table} (id int PRIMARY KEY, org_id text, created_by text, body text DEFAULT 'b'); CREATE INDEX ON {table} (org_id); GRANT ALL ON {table} TO server")
        for row in ROWS:
            database.query(f"INSERT INTO {table} VALUES (%s, %s, %s)", row)
    database.query("ALTER TABLE by_row ENABLE ROW LEVEL SECURITY;" + "".join(
        f"CREATE POLICY may_{action} ON by_row FOR {command} {'WITH CHECK' if command == 'INSERT' else 'USING'} (rampart.allowed('document', '{action}', org_id, created_by));"
        for command, action in (("SELECT", "read"), ("INSERT", "create"), ("UPDATE", "update"), ("DELETE", "delete"))))
    database.query("SELECT rampart.policy_for('by_query', 'document', 'org_id', 'created_by', platform => true)")
    database.query("CREATE TABLE indexed (id int PRIMARY KEY, org_id text, created_by text); CREATE INDEX ON indexed (org_id); GRANT ALL ON indexed TO server; SELECT rampart.policy_for('indexed', 'document', 'org_id', 'created_by')")
    database.query("CREATE FUNCTION raises(text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN IF $1 IS DISTINCT FROM rampart.subject() THEN RAISE EXCEPTION 'seen'; END IF; RETURN true; END $$;"
                   "CREATE VIEW invoker_view WITH (security_invoker = on) AS SELECT * FROM by_row; GRANT SELECT ON invoker_view TO server;"
                   "CREATE FUNCTION visible() RETURNS int[] LANGUAGE sql STABLE AS 'SELECT array_agg(id) FROM by_row';"
                   "CREATE TABLE bare (id int PRIMARY KEY, org_id text, tags jsonb); CREATE INDEX ON bare USING gin (tags)")
    check_matrix(session, "by_row", report)
    check_matrix(session, "by_query", report)
    check_named(session, report)
    check_others(database, session, report)
    check_ways(database, session, report)
    check_filter(database, session, report)
    session.close()
