"""Every function of schema rampart_auth with NULLs, empty, huge, malformed and random arguments.

Called as the server's role before anybody is known, in the name of a member and of an administrator, and as the owner, who can
also call what is internal. Nothing may crash, and no error may be an internal one.
"""
import random

import psycopg2

from party import Party

SEED, ROUNDS = 11, 12

HUGE = "repeat('0123456789', 1000000)"
VALUES = {
    "text": ["'x'", "''", "'ada@example.com'", "'a@b@c'", "'OWNER'", "'SUPER_ADMIN'", "'p'", "E'\\r\\nBcc: x'", "U&'\\0001'", "'%s%n'", "'\";--'",
             "repeat('é', 600)", HUGE, "NULL::text"],
    "text[]": ["'{x,y}'::text[]", "'{}'::text[]", "'{NULL}'::text[]", "ARRAY[ARRAY['a'],ARRAY['b']]", "array_fill('x'::text, ARRAY[1000])",
               "'{p,OWNER,*,*,all}'::text[]", "NULL::text[]"],
    "uuid": ["gen_random_uuid()", "'00000000-0000-0000-0000-000000000000'::uuid", "(SELECT id FROM known.account)", "(SELECT id FROM known.org)",
             "(SELECT id FROM known.session)", "NULL::uuid"],
    "uuid[]": ["'{}'::uuid[]", "'{NULL}'::uuid[]", "ARRAY[gen_random_uuid()]", "ARRAY(SELECT id FROM known.session)", "NULL::uuid[]"],
    "bytea": ["sha256('x')", "''::bytea", "'\\x00'::bytea", f"convert_to({HUGE}, 'UTF8')", "decode(repeat('00', 32), 'hex')", "NULL::bytea"],
    "bytea[]": ["'{}'::bytea[]", "'{NULL}'::bytea[]", "ARRAY[sha256('x')]", "NULL::bytea[]"],
    "integer": ["1", "0", "-1", "2147483647", "(-2147483648)::int4", "NULL::int4"],
    "bigint": ["1::int8", "0::int8", "-1::int8", "9223372036854775807", "(-9223372036854775808)::int8", "NULL::int8"],
    "double precision": ["1::float8", "0::float8", "-1::float8", "'Infinity'::float8", "'NaN'::float8", "1e300", "NULL::float8"],
    "boolean": ["true", "false", "NULL::bool"],
    "inet": ["'192.0.2.7'::inet", "'::1'::inet", "'10.0.0.0/8'::inet", "'::/0'::inet", "NULL::inet"],
    "interval": ["'1 hour'::interval", "'0'::interval", "'-1 day'::interval", "'178000000 years'::interval", "NULL::interval"],
    "timestamp with time zone": ["now()", "'infinity'::timestamptz", "'-infinity'::timestamptz", "'294276-12-31'::timestamptz", "NULL::timestamptz"],
    "jsonb": ["'{}'::jsonb", "'null'::jsonb", "'[]'::jsonb", "'1e1000'::jsonb", f"to_jsonb({HUGE})", "'{\"a\": {\"b\": [null]}}'::jsonb", "NULL::jsonb"],
}
ROWS = ["NULL::{0}", "jsonb_populate_record(NULL::{0}, '{{}}')"]
INTERNAL = ("XX000", "XX001", "XX002", None)

KNOWN = """
CREATE SCHEMA known;
CREATE VIEW known.account AS SELECT %(account)s::uuid AS id;
CREATE VIEW known.org AS SELECT %(org)s::uuid AS id;
CREATE VIEW known.session AS SELECT %(session)s::uuid AS id;
GRANT USAGE ON SCHEMA known TO rampartd, rampart_auth;
GRANT SELECT ON ALL TABLES IN SCHEMA known TO rampartd, rampart_auth;
"""

FUNCTIONS = """
SELECT p.oid::regproc::text, p.oid::regprocedure::text, has_function_privilege('rampartd', p.oid, 'EXECUTE'),
       coalesce((SELECT array_agg(format_type(a, NULL) ORDER BY n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u (a, n)), '{}')
FROM pg_proc p
WHERE p.pronamespace = 'rampart_auth'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
ORDER BY 2"""


def values_of(type_name):
    if type_name.startswith("rampart_auth."):
        return VALUES["text"] if type_name == "rampart_auth.role" else [row.format(type_name) for row in ROWS]
    return VALUES[type_name.replace("character varying", "text")]


def argument_lists(choose, types):
    pools = [values_of(name) for name in types]
    small = [[value for value in pool if HUGE not in value] for pool in pools]
    yield [f"NULL::{name}" for name in types]
    for position, pool in enumerate(pools):  # each value once, the others plain
        for value in pool:
            yield [value if position == other else pools[other][0] for other in range(len(pools))]
    for _ in range(ROUNDS if pools else 1):
        yield [choose.choice(pool) for pool in small]


def untidy(error):
    """What is wrong with an error, None if it is as errors should be."""
    if error.pgcode in INTERNAL:
        return f"{error.pgcode}: {error}"
    return "broken characters" if "\ufffd" in (error.diag.message_primary or "") else None


class Caller:
    """One of those who may call, each call in a transaction of its own that is rolled back."""

    def __init__(self, database, role, session=None, org=None):
        self.connection = database.connect(role, autocommit=False)
        self.session, self.org = session, org
        self.cursor = self.connection.cursor()

    def call(self, sql):
        try:
            # Half a second: what takes longer over ten million characters is cancelled.
            self.cursor.execute("SET LOCAL statement_timeout = '500ms'; SET LOCAL client_min_messages = error")
            self.cursor.execute("SELECT rampart_auth.begin_request('walk', '192.0.2.7', 'walk', %s, NULL, %s)", (self.session, self.org))
            self.cursor.execute(sql)
            self.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg2.Error as error:
            return "lost connection" if self.connection.closed else untidy(error)
        finally:
            if not self.connection.closed:
                self.connection.rollback()
        return None


def check_caller(caller, functions, who, report):
    choose, problems, calls = random.Random(SEED), {}, 0
    for name, signature, types in functions:
        for arguments in argument_lists(choose, types):
            sql = f"SELECT {name}({', '.join(arguments)}) IS NULL"
            problem = caller.call(sql)
            calls += 1
            if problem:
                problems.setdefault(signature, f"{sql[:300]}: {problem}"[:700])
            if problem == "lost connection":
                report.ok(False, f"hostile arguments, {who}", problems[signature])
                return
    report.ok(not problems, f"hostile arguments, {who}: {calls} calls of {len(functions)} functions", "\n".join(problems.values()))


def check(world, report):
    party = Party(world)
    ada, root = party.person("walk-sql"), party.administrator()
    party.database.query(KNOWN, {"account": ada.account, "org": ada.org, "session": ada.session})
    rows = party.database.query(FUNCTIONS)
    everything = [(name, signature, types) for name, signature, _, types in rows]
    granted = [(name, signature, types) for name, signature, may, types in rows if may]
    started = party.database.value("SELECT pg_postmaster_start_time()")
    for who, role, person, functions in (("nobody known", "rampartd", None, granted), ("a member", "rampartd", ada, granted),
                                         ("an administrator", "rampartd", root, granted), ("the owner", "postgres", ada, everything)):
        caller = Caller(party.database, role, *((person.session, person.org) if person else ()))
        check_caller(caller, functions, who, report)
        caller.connection.close()
    report.equal(party.database.value("SELECT pg_postmaster_start_time()"), started, "hostile arguments: the database server did not restart")
    log = party.cluster.log()
    report.ok("was terminated by signal" not in log and "PANIC" not in log, "hostile arguments: no process crashed")
