"""What the server's role and everybody may do in schema rampart_auth: what walk_rights.txt lists, and nothing else."""
import os
import re

from party import server_of

EXPECTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "walk_rights.txt")
PINNED = ["search_path=pg_catalog, pg_temp"]

FUNCTIONS = """
SELECT p.proname, p.oid::regprocedure::text, has_function_privilege('rampartd', p.oid, 'EXECUTE'),
       has_function_privilege('public', p.oid, 'EXECUTE'), p.prosecdef, p.proconfig, pg_get_userbyid(p.proowner),
       obj_description(p.oid, 'pg_proc') IS NOT NULL, p.proleakproof
FROM pg_proc p WHERE p.pronamespace = 'rampart_auth'::regnamespace ORDER BY 1"""

RELATIONS = """
SELECT c.relname, pg_get_userbyid(c.relowner), c.relkind, a.role,
       has_table_privilege(a.role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
       OR has_any_column_privilege(a.role, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'),
       c.relrowsecurity AND c.relforcerowsecurity, obj_description(c.oid, 'pg_class') IS NOT NULL
FROM pg_class c, (VALUES ('rampartd'), ('public')) a (role)
WHERE c.relnamespace = 'rampart_auth'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') ORDER BY 1"""

# Tables with a tenant's column, whose rows are shown by row-level security, also to their owner.
TENANT_TABLES = """
SELECT DISTINCT c.relname FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'rampart_auth'::regnamespace AND c.relkind IN ('r', 'p') AND (a.attnum IS NOT NULL OR c.relname = 'organisation')"""

ROLES = """
SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin,
       ARRAY(SELECT pg_get_userbyid(m.roleid)::text FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1)
FROM pg_roles r WHERE rolname IN ('rampartd', 'rampart_auth') ORDER BY 1"""

ELSEWHERE = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = 'rampart'::regnamespace AND has_function_privilege('rampartd', p.oid, 'EXECUTE')
  AND NOT has_function_privilege('public', p.oid, 'EXECUTE')"""


def listed():
    """Names by their group."""
    found, current = {}, None
    for line in open(EXPECTED, encoding="utf-8"):
        line = line.strip()
        if line.startswith("["):
            current = found.setdefault(re.match(r"\[([\w ]+)", line)[1], set())
        elif line and not line.startswith("#"):
            current.add(line)
    return found


def check_functions(database, report):
    rows = database.query(FUNCTIONS)
    expected = listed()
    report.equal(sorted({row[0] for row in rows if row[2]}), sorted(expected["server"]), "rights: functions that the server's role may execute")
    report.equal([row[1] for row in rows if row[3]], [], "rights: functions that everybody may execute")
    report.equal([row[1] for row in rows if row[5] != PINNED], [], "rights: each function pins its search_path")
    report.equal([row[1] for row in rows if row[6] != "rampart_auth"], [], "rights: each function is rampart_auth's")
    report.equal([row[1] for row in rows if row[8]], [], "rights: no function claims to leak nothing")
    report.equal([row[1] for row in rows if row[2] and not row[4]], [], "rights: what the server's role executes has its owner's rights, for it has none")
    report.equal([row[1] for row in rows if row[2] and not row[7]], [], "rights: each function of the server's role has a comment")


def check_relations(database, report):
    rows = database.query(RELATIONS)
    report.equal(sorted({(row[0], row[3]) for row in rows if row[4]}), [], "rights: tables that the server's role or everybody may touch")
    report.equal(sorted({row[0] for row in rows if row[1] != "rampart_auth"}), [], "rights: each table is rampart_auth's")
    report.equal(sorted({row[0] for row in rows if not row[6] and row[2] != "S"}), [], "rights: each table has a comment")
    protected = {row[0] for row in rows if row[5]}
    tenant = {name for name, in database.query(TENANT_TABLES)}
    report.equal(sorted(tenant - protected - listed()["tenant tables without row security"]), [], "rights: tenants' tables have row-level security, for their owner too")


def check_roles(database, report):
    report.equal(database.query(ROLES), [("rampart_auth", False, False, False, False, False, False, []),
                                         ("rampartd", False, False, False, False, False, True, [])],
                 "rights: neither role has attributes or memberships, and one cannot log in")
    may = database.query("SELECT a.role, a.privilege FROM (VALUES ('rampartd', 'USAGE'), ('rampartd', 'CREATE'), ('public', 'USAGE'), ('public', 'CREATE')) "
                         "a (role, privilege) WHERE has_schema_privilege(a.role, 'rampart_auth', a.privilege)")
    report.equal(may, [("rampartd", "USAGE")], "rights: the schema is the server's to use, and nobody's to create in")
    report.equal(sorted(name for name, in database.query(ELSEWHERE)), sorted(listed()["extension"]), "rights: functions of the extension that only the server's role may execute")
    outside = database.query("SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'rampart'::regnamespace AND c.relkind IN ('r', 'p', 'v') "
                             "AND has_table_privilege('rampartd', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')")
    report.equal(outside, [], "rights: the server's role writes no table of the extension")
    scopes = database.query("SELECT s.name FROM rampart.scope s WHERE EXISTS (SELECT FROM rampart.scope_grant g WHERE g.scope = s.name AND g.role = 'rampartd'::regrole)")
    report.equal(scopes, [], "rights: the server's role can decrypt nothing")


def check(world, report):
    database = server_of(world).database
    check_functions(database, report)
    check_relations(database, report)
    check_roles(database, report)
