"""Rules that the extension's catalog entries keep: privileges, volatility, search paths, descriptions."""
import fnmatch
import os

from world import attempt

EXPECTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "public_functions.txt")

# Depend on nothing but their arguments, and neither encrypt nor decrypt.
IMMUTABLE = {"armour", "dearmour", "key_id_text", "mask", "mask_email", "mask_last", "operator_class_options", "rights_in",
             "scope_tag", "add_each", "check_pace", "conversion_trigger", "dropped_remark", "quotable_error", "require_confirmation",
             "audit_event_of", "checked_severity", "covers",
             "present", "json_line", "payload_size", "shorten_entry", "one_line", "audit_classes", "bad_alert_field", "alert_value",
             "alert_fields", "sum_firings", "format_policy_rule"}
# Procedures that commit cannot have a search_path of their own: their bodies qualify every name.
COMMITTING = {"run_rotation", "finish_conversion"}
# Make a new ciphertext each time, or change something.
VOLATILE = {"encrypt", "encrypt_deterministic", "coerce", "to_enc_*"}
PINNED = "search_path=pg_catalog, pg_temp"

FUNCTIONS = """
SELECT p.oid::regprocedure::text AS signature, p.proname AS name, p.provolatile AS volatility, p.proparallel AS parallel,
       p.prosecdef AS definer, p.proleakproof AS leakproof, coalesce(p.proconfig[1], '') AS config,
       has_function_privilege('visitor', p.oid, 'EXECUTE') AS public, l.lanname AS language,
       p.prosqlbody IS NOT NULL AS parsed, obj_description(p.oid, 'pg_proc') IS NOT NULL AS described
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'rampart'::regnamespace ORDER BY 1
"""


class Function:
    def __init__(self, row):
        (self.signature, self.name, self.volatility, self.parallel, self.definer, self.leakproof, self.config, self.public,
         self.language, self.parsed, self.described) = row


def groups():
    """Patterns by the first word of their group."""
    found, current = {}, None
    for line in open(EXPECTED, encoding="utf-8"):
        line = line.strip()
        if line.startswith("["):
            current = found.setdefault(line[1:].split(":")[0], [])
        elif current is not None and line and not line.startswith("#") and " " not in line:
            current.append(line)
    return found


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def check_functions(report, functions):
    listed = groups()
    group_of = {f.signature: [group for group, patterns in listed.items() if matches(f.name, patterns)] for f in functions}
    names = {f.name for f in functions}

    def rule(name, broken):
        report.equal(sorted({f.signature for f in functions if broken(f, (group_of[f.signature] or ["unlisted"])[0])}), [], f"rules: {name}")

    rule("every function is listed once", lambda f, _: len(group_of[f.signature]) != 1)
    report.equal([p for patterns in listed.values() for p in patterns if not fnmatch.filter(names, p)], [], "rules: every listed function is there")
    rule("PUBLIC may call what is listed as public and nothing else", lambda f, group: f.public != (group != "administration"))
    rule("SECURITY DEFINER functions are not for PUBLIC", lambda f, _: f.definer and f.public)
    rule("SECURITY DEFINER functions pin their search_path", lambda f, _: f.definer and f.config != PINNED)
    rule("functions with a body of text pin their search_path",
         lambda f, _: f.language != "c" and not f.parsed and f.config != PINNED and f.name not in COMMITTING)
    rule("only what neither encrypts nor decrypts is IMMUTABLE", lambda f, _: (f.volatility == "i") != (f.name in IMMUTABLE))
    rule("what encrypts is VOLATILE", lambda f, _: matches(f.name, VOLATILE) and f.volatility != "v")
    rule("what changes the keyring is PARALLEL UNSAFE", lambda f, group: group == "administration" and f.parallel != "u")
    rule("what runs once a row is PARALLEL SAFE",
         lambda f, group: group == "support" and f.parallel != "s" and f.name not in ("analyze_column",))
    rule("only comparison of ciphertexts is LEAKPROOF", lambda f, _: f.leakproof and f.name not in ("equal", "not_equal"))
    rule("functions that users call are described", lambda f, group: group != "support" and not f.described)


# (rule, query for what breaks it)
QUERIES = [
    ("PUBLIC may not read or change the extension's tables, views and sequences", """
        SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'rampart'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'S')
        AND (CASE WHEN c.relkind = 'S' THEN has_sequence_privilege('visitor', c.oid, 'USAGE, SELECT, UPDATE')
             ELSE has_table_privilege('visitor', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                  OR has_any_column_privilege('visitor', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') END)"""),
    ("PUBLIC may not create in schema rampart", "SELECT 1 WHERE has_schema_privilege('visitor', 'rampart', 'CREATE')"),
    ("tables, views and their schema are described", """
        SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'rampart'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p')
        AND obj_description(c.oid, 'pg_class') IS NULL
        UNION ALL SELECT 'rampart' WHERE obj_description('rampart'::regnamespace, 'pg_namespace') IS NULL"""),
    ("types are described", """
        SELECT t.typname FROM pg_type t JOIN pg_depend d ON d.objid = t.oid AND d.classid = 'pg_type'::regclass AND d.deptype = 'e'
        WHERE t.typname LIKE 'enc%' AND obj_description(t.oid, 'pg_type') IS NULL"""),
    ("there are nine types, in pg_catalog", """
        SELECT count(*) FROM pg_type WHERE typname LIKE 'enc\\_%' AND typnamespace = 'pg_catalog'::regnamespace HAVING count(*) <> 9"""),
    ("the event trigger always fires", "SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'rampart%' AND evtenabled <> 'A'"),
    ("the keyring's triggers always fire", """
        SELECT tgrelid::regclass, tgname FROM pg_trigger
        WHERE tgrelid IN ('rampart.scope'::regclass, 'rampart.key'::regclass, 'rampart.scope_grant'::regclass)
          AND tgname LIKE 'keyring%' AND tgenabled <> 'A'"""),
    ("each of the keyring's tables has both triggers", """
        SELECT t.name FROM unnest(ARRAY['scope', 'key', 'scope_grant']) t (name)
        WHERE (SELECT count(*) FROM pg_trigger WHERE tgrelid = ('rampart.' || t.name)::regclass AND tgname LIKE 'keyring%') <> 2"""),
    ("every public operator on encrypted types is in pg_catalog", """
        SELECT o.oid::regoperator FROM pg_operator o JOIN pg_type t ON t.oid IN (o.oprleft, o.oprright) AND t.typname LIKE 'enc\\_%'
        WHERE o.oprnamespace <> 'pg_catalog'::regnamespace AND o.oprname NOT LIKE '#%#'"""),
    ("every object of schema rampart belongs to the extension", """
        SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'rampart'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"""),
]

# Statements by which a role without rights would help itself.
REFUSED = [
    "SELECT * FROM rampart.key", "SELECT * FROM rampart.keys", "SELECT * FROM rampart.scope_grant", "SELECT * FROM rampart.key_event",
    "SELECT rampart.grant_scope('pii', 'visitor')", "SELECT rampart.create_scope('mine')", "SELECT rampart.rotate_key('pii')",
    "SELECT rampart.status()", "SELECT rampart.new_key('pii', 'data', 1)", "SELECT rampart.ask_root_key('current')",
    "INSERT INTO rampart.scope_grant VALUES ('pii', 'visitor', true, true)", "CREATE TABLE rampart.mine ()",
    "CREATE TRIGGER t AFTER INSERT ON pii EXECUTE FUNCTION rampart.keyring_changed()",
    "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION rampart.check_columns()",
    "ALTER EVENT TRIGGER rampart_check_columns DISABLE", "DROP EVENT TRIGGER rampart_check_columns",
    "SET rampart.root_key_file = '/tmp/x'", "SET rampart.root_key_command = 'id'", "SET rampart.core_dumps = on",
    "SET rampart.quiet_errors = off", "SET rampart.allow_deterministic = off", "SHOW rampart.root_key_file", "SHOW rampart.root_key_command",
    "CREATE CAST (bytea AS enc_text) WITHOUT FUNCTION", "CREATE OPERATOR CLASS mine DEFAULT FOR TYPE enc_text USING gist AS STORAGE enc_text",
    "ALTER TYPE enc_text OWNER TO visitor", "ALTER FUNCTION rampart.veil(enc_text) OWNER TO visitor", "DROP EXTENSION rampart",
]
# Not 42501 but as good: 55P02 cannot be changed now.
REFUSALS = {"42501", "55P02", "42P17"}


def check(world, report):
    database = world.database("rules")
    check_functions(report, [Function(row) for row in database.query(FUNCTIONS)])
    for name, query in QUERIES:
        report.equal([row[0] for row in database.query(query)], [], f"rules: {name}")
    connection = database.connect("visitor")
    for statement in REFUSED:
        got = attempt(connection, statement)
        report.ok(got in REFUSALS, f"rules: refused: {statement}", got)
    connection.close()
