"""Tenants apart in SQL too: an application's role that passes on the tokens of rampartd sees and changes what the policy says,
by role and organisation, and nothing once a session has ended. The tables of rampart_auth are closed to it.
"""
import psycopg2

from database import on
from party import Party
from walk import bearer

TABLE = """
CREATE ROLE shop LOGIN;
CREATE TABLE public.document (id int PRIMARY KEY, org_id text NOT NULL, created_by text NOT NULL, body text);
ALTER TABLE public.document ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON public.document FOR SELECT USING (rampart.allowed('document', 'read', org_id, created_by));
CREATE POLICY writers ON public.document FOR INSERT WITH CHECK (rampart.allowed('document', 'create', org_id, created_by));
CREATE POLICY changers ON public.document FOR UPDATE USING (rampart.allowed('document', 'update', org_id, created_by));
CREATE POLICY removers ON public.document FOR DELETE USING (rampart.allowed('document', 'delete', org_id, created_by));
GRANT SELECT, INSERT, UPDATE, DELETE ON public.document TO shop;
"""
# By the customer's matrix: whose rows of one's organisation each may read, change and remove, and whether it may write its own.
MATRIX = {"OWNER": ("all", "all", "all", True), "ADMIN": ("all", "all", "all", True), "MEMBER": ("own", "own", None, True), "VIEWER": ("own", None, None, False)}
ROWS = [(number, org, whose) for number, (org, whose) in enumerate((o, w) for o in ("here", "there") for w in ("mine", "another's"))]


class Shop:
    """The application: a transaction for each request, in the name of the token that came with it."""

    def __init__(self, party):
        self.party, self.session = party, party.database.connect("shop", autocommit=False)

    def outcome(self, token, sql, parameters=None):
        """Sorted first columns of the rows, or the SQLSTATE; rolled back."""
        try:
            if token:
                on(self.session, "SELECT rampart.set_principal(%s)", (token,))
            return sorted(row[0] for row in on(self.session, sql, parameters) or [])
        except psycopg2.Error as error:
            return error.pgcode
        finally:
            self.session.rollback()


def fill(party, here, there, mine, anothers):
    orgs, people = {"here": here, "there": there}, {"mine": mine, "another's": anothers}
    party.database.query("TRUNCATE public.document")
    for number, org, whose in ROWS:
        party.database.query("INSERT INTO public.document VALUES (%s, %s, %s, 'x')", (number, orgs[org], people[whose]))


def rows(whose):
    return [number for number, org, owner in ROWS if org == "here" and (whose == "all" or whose == "own" and owner == "mine")]


def check_roles(party, shop, report):
    there = party.new_organisation("there")
    for role, (read, update, delete, create) in MATRIX.items():
        person, other = party.person_of_role(role), party.new_account()[0][0]
        fill(party, person.org, there, person.account, other)
        run = lambda sql, *parameters: shop.outcome(person.token, sql, parameters)  # noqa: E731
        insert = "INSERT INTO public.document VALUES (100, %s, %s, 'x') RETURNING id"
        got = (run("SELECT id FROM public.document"), run("UPDATE public.document SET body = 'y' RETURNING id"), run("DELETE FROM public.document RETURNING id"),
               run(insert, person.org, person.account), run(insert, there, person.account), run("UPDATE public.document SET org_id = %s RETURNING id", there))
        moved = "42501" if rows(update) else []
        report.equal(got, (rows(read), rows(update), rows(delete), [100] if create else "42501", "42501", moved), f"rows: {role}: reads, changes, removes, writes, and moves nothing out")
    root = party.administrator()
    report.equal(shop.outcome(root.token, "SELECT id FROM public.document"), [0, 1, 2, 3], "rows: SUPER_ADMIN sees every organisation")
    return there


def check_lifetime(party, shop, there, report):
    person = party.person_of_role("OWNER")
    fill(party, person.org, there, person.account, person.account)
    seen = lambda: shop.outcome(person.token, "SELECT id FROM public.document")  # noqa: E731
    report.equal(seen(), [0, 1], "rows: a token counts while its session lasts")
    report.equal(shop.outcome(None, "SELECT id FROM public.document"), [], "rows: without a token, nothing")
    forged = shop.outcome(person.token[:-4] + "AAAA", "SELECT id FROM public.document")
    report.ok(isinstance(forged, str), "rows: with a forged one, an error", forged)
    party.door.send("POST", "/auth/logout", bearer(person.token))
    report.ok(isinstance(seen(), str), "rows: after logging out, an error", seen())


def check_schema(party, shop, report):
    """What the application's role gets of rampart_auth: nothing, also in somebody's name."""
    owner = party.person_of_role("OWNER")
    tables = [name for name, in party.database.query("SELECT relname FROM pg_class WHERE relnamespace = 'rampart_auth'::regnamespace AND relkind IN ('r', 'p')")]
    open_tables = [name for name in tables for sql in (f"SELECT 1 FROM rampart_auth.{name}", f"DELETE FROM rampart_auth.{name}") if shop.outcome(owner.token, sql) != "42501"]
    report.equal(open_tables, [], f"rows: {len(tables)} tables of rampart_auth are closed to an application")
    functions = [name for name, in party.database.query("SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'rampart_auth'::regnamespace")]
    may = party.database.value("SELECT count(*) FROM unnest(%s::text[]) f WHERE has_function_privilege('shop', f::regprocedure, 'EXECUTE')", (functions,))
    report.equal(may, 0, f"rows: and its {len(functions)} functions")
    report.equal(shop.outcome(None, """SELECT rampart.trust_principal('{"sub": "x", "roles": ["SUPER_ADMIN"]}')"""), "42501", "rows: an application names nobody without a token")


def check_owner(party, report):
    """Row-level security holds for the owner of the tables too: a function that forgets its WHERE shows no other organisation."""
    ada, other = party.person_of_role("ADMIN"), party.person_of_role("OWNER")
    party.things_of(other)
    session, shown = party.database.connect("postgres", autocommit=False), {}
    on(session, "SET LOCAL ROLE rampart_auth")
    on(session, "SELECT rampart.set_principal(%s)", (ada.token,))
    for table in ("organisation", "membership", "team", "team_member", "invitation", "api_key"):
        column = "id" if table == "organisation" else "org_id"
        shown[table] = {row[0] for row in on(session, f"SELECT {column}::text FROM rampart_auth.{table}")} - {ada.org}
        changed = on(session, f"UPDATE rampart_auth.{table} SET {column} = {column} WHERE {column}::text = %s RETURNING 1", (other.org,))
        shown[table] |= {"changed"} if changed else set()
    session.rollback()
    session.close()
    report.equal({table: ids for table, ids in shown.items() if ids}, {}, "rows: the tables' owner in an administrator's name sees that organisation alone")


def check(world, report):
    party = Party(world)
    party.database.query(TABLE)
    shop = Shop(party)
    there = check_roles(party, shop, report)
    check_lifetime(party, shop, there, report)
    check_schema(party, shop, report)
    check_owner(party, report)
