"""Every function of schema rampart with NULLs, empty, huge, malformed and random arguments.

The server must stay up, errors must be tidy (no internal error, no broken characters), and nothing may be shown that
was not given in.
"""
import random

import psycopg2

SEED = 7
ROUNDS = 12  # random argument lists a function, beside the fixed ones
HUGE = 10 << 20

# SQL expressions by argument type. Of each, the plain ones first.
INT4 = ["0", "1", "-1", "2147483647", "(-2147483648)::int4", "67108863", "67108864", "4", "3", "scope_mod(1)", "scope_mod(2)",
        "scope_mod(0)", "scope_mod(3)", "scope_mod(1) + 4", "NULL::int4"]
TEXT = ["''", "'pii'", "'x'", "'data'", "'armour'", "'encrypt'", "'rmp1:'", "'rmp1:AAAA'", "repeat('é', 600)", "repeat('é', 255) || 'x'",
        "repeat('é', 511)", "U&'\\0001'", "'%s%n%s'", "'\";--'", "E'a\\nb'", "huge_text()", "good_armour()", "NULL::text"]
BYTEA = ["''::bytea", "'\\x00'::bytea", "'\\x11'::bytea", "'\\x1101'::bytea", "decode(repeat('11', 38), 'hex')", "good()", "good() || '\\x00'::bytea",
         "substr(good(), 1, 22)", "huge_text()::bytea", "decode(repeat('00', 100), 'hex')", "NULL::bytea"]
PLAIN = {
    "int4": INT4,
    "int2": ["0::int2", "32767::int2", "NULL::int2"],
    "int8": ["0::int8", "-1::int8", "9223372036854775807", "(-9223372036854775808)::int8", "NULL::int8"],
    "float4": ["0::float4", "'nan'::float4", "'-infinity'::float4", "1e38::float4"],
    "float8": ["0::float8", "'nan'::float8", "'infinity'::float8", "1e308::float8"],
    "numeric": ["0::numeric", "'nan'::numeric", "'infinity'::numeric", "repeat('9', 1000)::numeric", "1e-1000::numeric"],
    "text": TEXT,
    "varchar": [f"({text})::varchar" for text in TEXT],
    "bpchar": ["'x'::bpchar", "''::bpchar", "repeat('é', 600)::bpchar"],
    "name": ["''::name", "'x'::name", "repeat('é', 600)::name", "'email'::name", "NULL::name"],
    "cstring": ["''::cstring", "'x'::cstring", "'rmp1:'::cstring", "'rmp1:zzzz'::cstring", "'{}'::cstring", "'1'::cstring", "'t'::cstring",
                "'\\x00'::cstring", "'2000-01-01'::cstring", "textout(huge_text())", "textout(good_armour())", "textout(repeat('é', 600))",
                "'infinity'::cstring", "'294277-01-01'::cstring", "NULL::cstring"],
    "bytea": BYTEA,
    "bool": ["true", "false", "NULL::bool"],
    "xid8": ["'0'::xid8", "'1000'::xid8", "'18446744073709551615'::xid8", "NULL::xid8"],
    "xid8[]": ["'{}'::xid8[]", "'{0,NULL,18446744073709551615}'::xid8[]", "'{{1},{2}}'::xid8[]", "NULL::xid8[]"],
    "bytea[]": ["'{}'::bytea[]", "'{NULL,\"\\\\x00\"}'::bytea[]", "ARRAY[sha256('x')]", "NULL::bytea[]"],
    "oid": ["0::oid", "1::oid", "4294967295::oid", "25::oid", "'pii'::regclass::oid", "'enc_text'::regtype::oid", "NULL::oid"],
    "oid[]": ["'{}'::oid[]", "'{1259,0,NULL}'::oid[]", "NULL::oid[]"],
    "regclass": ["'pii'::regclass", "0::regclass", "4294967295::regclass", "'pg_class'::regclass", "'rampart.keys'::regclass"],
    "regrole": ["'app'::regrole", "0::regrole", "4294967295::regrole"],
    "jsonb": ["'{}'::jsonb", "'null'::jsonb", "'1e1000'::jsonb", "to_jsonb(huge_text())", "('\"' || repeat('é', 600) || '\"')::jsonb"],
    "json": ["'{}'::json", "'[1, 1.0]'::json", "('[' || repeat('[', 5000) || repeat(']', 5000) || ']')::json"],
    "date": ["'2000-01-01'::date", "'infinity'::date", "'-infinity'::date", "'4714-11-24 BC'::date", "'5874897-12-31'::date"],
    "timestamp": ["'2000-01-01'::timestamp", "'infinity'::timestamp", "'4714-11-24 BC'::timestamp", "'294276-12-31'::timestamp"],
    "timestamptz": ["'2000-01-01'::timestamptz", "'infinity'::timestamptz", "'-infinity'::timestamptz"],
    "interval": ["'0'::interval", "'1 day'::interval", "'-178000000 years'::interval", "'178000000 years'::interval", "NULL::interval"],
    "inet": ["'10.0.0.1'::inet", "'::/0'::inet", "NULL::inet"],
    "uuid": ["'00000000-0000-0000-0000-000000000000'::uuid", "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"],
    "text[]": ["'{}'::text[]", "'{a,NULL,b}'::text[]", "ARRAY[ARRAY['a'],ARRAY['b']]", "array_fill('x'::text, ARRAY[1000])", "NULL::text[]"],
    "int8[]": ["'{}'::int8[]", "'{1,NULL}'::int8[]", "'{{1},{2}}'::int8[]", "NULL::int8[]"],
    "name[]": ["'{}'::name[]", "'{x,NULL}'::name[]", "NULL::name[]"],
    "tid[]": ["'{}'::tid[]", "ARRAY['(0,0)'::tid, NULL]", "NULL::tid[]"],
    "cstring[]": ["'{}'::cstring[]", "'{pii}'::cstring[]", "'{pii,deterministic}'::cstring[]", "'{pii,random,x}'::cstring[]",
                  "'{NULL}'::cstring[]", "'{pii,NULL}'::cstring[]", "'{{pii},{deterministic}}'::cstring[]", "'{{{pii}}}'::cstring[]",
                  "'[5:6]={pii,random}'::cstring[]", "'{\"\"}'::cstring[]", "('{' || repeat('pii,', 999) || 'pii}')::cstring[]",
                  "('{' || huge_text() || '}')::cstring[]", "('{' || repeat('é', 600) || '}')::cstring[]", "'{#123456}'::cstring[]",
                  "'{#12345g}'::cstring[]", "'{#}'::cstring[]", "('{\"' || repeat('é', 600) || '\",x}')::cstring[]", "NULL::cstring[]"],
    '"any"': ["NULL::int", "'x'::text", "1", "'{}'::jsonb", "ARRAY[1]", "huge_text()"],
}
# Values of the encrypted types: sealed in both modes and another scope, held, huge, and NULL.
LITERALS = {"text": "''|'x'|huge_text()", "bytea": "''|'\\x00'", "jsonb": "'{}'|'1.0'", "numeric": "'0'|'nan'|'1e100'", "int8": "'0'|'-1'",
            "date": "'2000-01-01'|'infinity'", "timestamptz": "'2000-01-01'|'infinity'",
            "uuid": "'00000000-0000-0000-0000-000000000000'", "bool": "'t'"}
DETERMINISTIC = {"text", "bytea", "int8", "date", "timestamptz", "uuid"}

HELPERS = """
CREATE FUNCTION huge_text() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT repeat('0123456789', %d) $$;
CREATE FUNCTION scope_mod(mode int) RETURNS int LANGUAGE sql STABLE AS $$ SELECT rampart.scope_tag('pii') * 4 + mode $$;
CREATE TABLE genuine AS SELECT rampart.ciphertext(name) AS bytes FROM pii LIMIT 1;
GRANT SELECT ON genuine TO PUBLIC;
CREATE FUNCTION good() RETURNS bytea LANGUAGE sql STABLE AS $$ SELECT bytes FROM genuine $$;
CREATE FUNCTION good_armour() RETURNS text LANGUAGE sql STABLE AS $$ SELECT rampart.armour(bytes) FROM genuine $$;
""" % (HUGE // 10)


def encrypted_values(kind):
    values = [f"NULL::enc_{kind}"]
    for literal in LITERALS[kind].split("|"):
        typed = literal if literal.startswith("'") else f"{literal}::text"
        values += [f"{typed}::enc_{kind}", f"{typed}::enc_{kind}(pii)"]
        if "huge" in typed:
            continue
        values.append(f"{typed}::enc_{kind}(other)")
        if kind in DETERMINISTIC:
            values.append(f"{typed}::enc_{kind}(pii, deterministic)")
            values.append(f"rampart.comparand({typed}::enc_{kind}, scope_mod(2))")
    return values


def functions(database):
    """(signature, name, argument types) of all that SQL can call."""
    return database.query("""
        SELECT p.oid::regprocedure::text, p.oid::regproc::text,
               coalesce((SELECT array_agg(format_type(a, NULL) ORDER BY n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u (a, n)), '{}')
        FROM pg_proc p
        WHERE p.pronamespace = 'rampart'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
          AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
        ORDER BY 1""")


SHORT = {"integer": "int4", "smallint": "int2", "bigint": "int8", "real": "float4", "double precision": "float8", "boolean": "bool",
         "character varying": "varchar", "character": "bpchar", "timestamp with time zone": "timestamptz",
         "timestamp without time zone": "timestamp"}


def arrays_of(element, values):
    return [f"NULL::{element}[]", f"'{{}}'::{element}[]", f"ARRAY[NULL]::{element}[]", f"ARRAY[{', '.join(values[1:3])}]",
            f"ARRAY[ARRAY[{values[1]}], ARRAY[{values[-1]}]]"]


def rows_of(table):
    """Rows that no table holds: empty, and with numbers and names that refer to nothing or to what is not meant."""
    empty = f"NULL::{table}"
    return [empty, f"jsonb_populate_record({empty}, '{{}}')",
            f"jsonb_populate_record({empty}, '{{\"id\": 1, \"scope\": \"pii\", \"batch\": -1, \"round\": 3, \"state\": \"running\", "
            "\"rotation\": 1, \"relation\": 1259, \"columns\": [\"relname\", null], \"next_block\": -1, \"end_block\": 99999999999, "
            "\"waiting_for\": []}')"]


def values_of(type_name):
    if type_name.startswith("enc_") and type_name.endswith("[]"):
        element = type_name.removesuffix("[]")
        return arrays_of(element, encrypted_values(element.removeprefix("enc_")))
    if type_name.startswith("enc_"):
        return encrypted_values(type_name.removeprefix("enc_"))
    if type_name.startswith("rampart."):
        element = type_name.removesuffix("[]")
        return arrays_of(element, rows_of(element)) if element != type_name else rows_of(type_name)
    element = type_name.removesuffix("[]")
    return PLAIN[SHORT.get(element, element) + type_name.removeprefix(element)]


def argument_lists(choose, types, thorough):
    pools = [values_of(name) for name in types]
    small = [[value for value in pool if "huge" not in value] for pool in pools]
    yield ["NULL::" + name.replace('"any"', "text") for name in types]
    for position, pool in enumerate(pools if thorough else []):  # each value once, the others plain
        for value in pool:
            yield [value if position == other else pools[other][len(pools[other]) > 1] for other in range(len(pools))]
    for _ in range(ROUNDS if pools else 1):
        yield [choose.choice(pool) for pool in small]


def call(cursor, sql):
    """None if it answers, else what is untidy about its error, if anything is."""
    try:
        cursor.execute(sql)
    except psycopg2.OperationalError as error:
        return f"lost connection: {error}" if cursor.connection.closed else untidy(error)
    except psycopg2.Error as error:
        return untidy(error)
    except UnicodeDecodeError as error:
        return f"broken characters: {error}"
    return None


def untidy(error):
    if error.pgcode in (None, "XX000", "XX001", "XX002"):
        return f"{error.pgcode}: {error}"
    message = error.diag.message_primary or ""
    return f"broken characters: {message[:700]}" if "\ufffd" in message else None


def check_role(database, report, role, signatures, thorough):
    choose = random.Random(SEED)
    # A second: expressions over 10 MB may take longer, and are then cancelled.
    connection = database.connect(role, options="-c statement_timeout=1s -c client_min_messages=error")
    cursor = connection.cursor()
    problems, calls = {}, 0
    for signature, name, types in signatures:
        for arguments in argument_lists(choose, types, thorough):
            sql = f"SELECT {name}({', '.join(arguments)}) IS NULL"
            # A superuser's calls change the keyring.
            problem = call(cursor, f"BEGIN; {sql}; ROLLBACK" if role == "chief" else sql)
            calls += 1
            if problem:
                problems.setdefault(signature, f"{sql}: {problem}")
            if connection.closed:
                connection = database.connect(role)
                cursor = connection.cursor()
            elif role == "chief":
                cursor.execute("ROLLBACK")
    connection.close()
    report.ok(not problems, f"hostile arguments as {role}: {calls} calls of {len(signatures)} functions", "\n".join(problems.values()))


# The same from an old client: a message cut in the middle of a character would fail to convert.
def check_client_encoding(database, report):
    connection = database.connect("app")
    cursor = connection.cursor()
    cursor.execute("SET client_encoding = latin1")
    wrong = []
    for length in range(500, 516):
        for sql in (f"SELECT rampart.encrypt(repeat(U&'\\00e9', {length}), 'x')",
                    f"SELECT rampart.blind_index('x' || repeat(U&'\\00e9', {length}), 'x', 'x')",
                    f"SELECT rampart.modifier_in(('{{' || repeat(U&'\\00e9', {length}) || '}}')::cstring[])",
                    f"SELECT rampart.grant_scope(repeat(U&'\\00e9', {length}), 'app')"):
            try:
                cursor.execute(sql)
            except psycopg2.Error as error:
                if error.pgcode in (None, "22021", "22P05", "XX000"):
                    wrong.append(f"{sql}: {error.pgcode} {error}"[:200])
    connection.close()
    report.equal(wrong[:5], [], "hostile arguments: long names in messages are cut between characters")


def check(world, report):
    database = world.database("hostile")
    database.query(HELPERS)
    started = database.value("SELECT pg_postmaster_start_time()")
    signatures = functions(database)
    for role, thorough in (("app", True), ("visitor", False), ("chief", False)):
        check_role(database, report, role, signatures, thorough)
    check_client_encoding(database, report)
    report.equal(database.value("SELECT pg_postmaster_start_time()"), started, "hostile arguments: the server did not restart")
    log = world.cluster.log()
    report.ok("was terminated by signal" not in log and "PANIC" not in log and "TRAP" not in log, "hostile arguments: no process crashed")
