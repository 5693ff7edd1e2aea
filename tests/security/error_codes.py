"""Every SQLSTATE of the extension is documented, and some test provokes it. Class RMU is the server's, whose tests see to it."""
import os
import re
import subprocess

from world import attempt

REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HEADER = os.path.join(REPOSITORY, "extension", "core", "error.hpp")
DOCUMENT = os.path.join(REPOSITORY, "docs", "reference", "errors.md")
# This file names no code, so it does not count as a test of one.
TESTS = ["tests", "regress"]


def codes_of(path):
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r"\bRM[A-TV-Z]\d\d\b", file.read()))


def codes_in_tests():
    done = subprocess.run(["grep", "-rhoE", r"\bRM[A-Z][0-9]{2}\b", *TESTS], cwd=REPOSITORY, text=True, capture_output=True, check=False)
    return set(done.stdout.split())


def codes_in_sql():
    done = subprocess.run(["grep", "-rhoE", r"ERRCODE = 'RM[A-Z][0-9]{2}'", "sql/rampart"], cwd=REPOSITORY, text=True, capture_output=True, check=False)
    return set(re.findall(r"RM[A-Z]\d\d", done.stdout))


def check(world, report):
    declared = codes_of(HEADER)
    report.ok(len(declared) > 15, "errors: error.hpp declares the codes", declared)
    report.equal(sorted(codes_in_sql() - declared), [], "errors: SQL functions raise no code that error.hpp does not declare")
    report.equal(sorted(declared - codes_in_tests()), [], "errors: each code is expected by some test")
    if os.path.exists(DOCUMENT):
        report.equal(sorted(declared ^ codes_of(DOCUMENT)), [], "errors: docs/reference/errors.md lists each code, and no other")
    else:
        report.skip("errors: docs/reference/errors.md lists each code", "docs/reference/errors.md is not there")
    check_provoked(world, report)


# (SQLSTATE, what is wrong, statement). What needs a changed key or root key is provoked elsewhere in this suite and in tap.
PROVOKED = [
    ("RMK01", "an unknown scope", "SELECT rampart.encrypt('nowhere', 'x')"),
    ("RMK01", "an unknown scope in a declaration", "CREATE TABLE x (e enc_text(nowhere))"),
    ("RMK01", "a grant in an unknown scope", "SELECT rampart.grant_scope('nowhere', 'app')"),
    ("RMK02", "an unknown key", "SELECT rampart.disable_key('0000000000000000')"),
    ("RMK08", "a scope that is there", "SELECT rampart.create_scope('pii')"),
    ("RMK09", "destruction without confirmation",
     "SELECT rampart.rotate_key('pii'); SELECT rampart.destroy_key(id, 'other') FROM rampart.keys WHERE scope = 'pii' AND state = 'retired'"),
    ("RMK07", "no active key", "SELECT rampart.disable_key(id) FROM rampart.keys WHERE scope = 'pii' AND purpose = 'data'; "
                               "SET LOCAL ROLE app; SELECT rampart.encrypt('pii', 'x')"),
    ("RMC01", "malformed armour", "SELECT 'rmp1:AAAA'::enc_text"),
    ("RMC01", "malformed bytes", "SELECT rampart.inspect('\\x00')"),
    ("RMC02", "another aad", "SET LOCAL ROLE app; SELECT rampart.decrypt(rampart.encrypt('pii', 'x', 'a'), 'b')"),
    ("RMC03", "another kind", "SET LOCAL ROLE app; SELECT rampart.decrypt(rampart.encrypt('pii', '\\x00'::bytea))"),
    ("RMC04", "armour from a role that may decrypt",
     "SET LOCAL ROLE app; DO $$ BEGIN EXECUTE format('SELECT %L::enc_text', rampart.armour(rampart.encrypt('pii', 'x'))); END $$"),
    ("RMT01", "no modifier", "CREATE TABLE x (e enc_text('2 words'))"),
    ("RMT01", "an unknown mode", "CREATE TABLE x (e enc_text(pii, quickly))"),
    ("RMT01", "too many words", "CREATE TABLE x (e enc_text(pii, random, random))"),
    ("RMT02", "= on a randomised column", "SELECT FROM pii WHERE name = 'x'"),
    ("RMT02", "an index on a randomised column", "CREATE INDEX ON pii (name)"),
    ("RMT03", "columns of different scopes", "SELECT FROM pii JOIN other USING (email)"),
    ("RMT04", "a column without a scope", "CREATE TABLE x (e enc_text)"),
    ("RMT05", "ORDER BY over UNION", "SET LOCAL ROLE app; SELECT email FROM pii UNION SELECT email FROM pii ORDER BY 1"),
    ("RMT06", "a deterministic bool", "CREATE TABLE x (e enc_bool(pii, deterministic))"),
    ("RMT06", "deterministic mode turned off", "SET LOCAL rampart.allow_deterministic = off; CREATE TABLE x (e enc_text(pii, deterministic))"),
    ("RMT08", "statistics on plaintext", "CREATE STATISTICS s ON (email::text), (id + 1) FROM pii"),
    ("42501", "a missing right", "SELECT rampart.encrypt('pii', 'x')"),
    ("22023", "no name for a scope", "SELECT rampart.create_scope('2 words')"),
    ("22023", "an unknown privilege", "SELECT rampart.grant_scope('pii', 'app', 'read')"),
    ("42704", "an unknown role", "SELECT rampart.grant_scope('pii', 'stranger')"),
    ("23514", "an unknown answer to the denied", "SELECT rampart.create_scope('fresh', 'silence')"),
    ("55000", "a key that is not disabled", "SELECT rampart.enable_key(id) FROM rampart.keys WHERE scope = 'pii'"),
]
TOO_LONG = ("RMC05", "a value of more than 1 GB with its overhead",
            "SET LOCAL ROLE app; SELECT length(rampart.encrypt('pii', repeat('x', 1073741800)))")


def check_provoked(world, report):
    database = world.database("error_codes")
    for sqlstate, what, statements in PROVOKED:
        provoke(database, report, sqlstate, what, statements)
    if available_memory() > 4 << 30:
        provoke(database, report, *TOO_LONG)
    else:
        report.skip("errors: a value of more than 1 GB", "needs 4 GB of memory")


def provoke(database, report, sqlstate, what, statements):
    connection = database.connect(autocommit=False)
    got = attempt(connection, statements)
    report.equal(got if isinstance(got, str) else "no error", sqlstate, f"errors: {what}")
    connection.close()


def available_memory():
    with open("/proc/meminfo", encoding="ascii") as file:
        return int(re.search(r"MemAvailable: +(\d+) kB", file.read()).group(1)) << 10
