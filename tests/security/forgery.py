"""Forged ciphertexts through SQL: each is an error with its own SQLSTATE, or NULL from try_decrypt."""
import base64
import os
import random

import psycopg2

from world import attempt

SECRET = "the plaintext of the forgery test"
AAD = "row 17"
RANDOM_INPUTS = 10000
SEED = 20240229

# Whatever is done to a ciphertext, one of these answers.
REFUSALS = {"RMC01", "RMC02", "RMC03", "RMK02", "RMK03", "RMK04", "42501"}


def armour(raw):
    return "rmp1:" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Target:
    """One way to make the server look at bytes: refused with a SQLSTATE, never a value."""

    def __init__(self, name, sql, as_armour):
        self.name, self.sql, self.as_armour = name, sql, as_armour

    def refusal(self, cursor, raw):
        try:
            cursor.execute(self.sql, (armour(raw) if self.as_armour else psycopg2.Binary(raw),))
            return repr(cursor.fetchone())
        except psycopg2.Error as error:
            assert SECRET not in str(error), error
            return error.pgcode


TARGETS = [
    Target("decrypt", "SELECT rampart.decrypt(%s)", False),
    Target("input to the type", "SELECT format('%%s', %s::enc_text)", True),
    Target("input to a column", "INSERT INTO taken (value) SELECT x FROM json_populate_record(NULL::taken, "
                                "json_build_object('value', %s::text)) AS x (value)", True),
]


def flips(raw):
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(changed)


def cuts(raw):
    for length in range(len(raw)):
        yield f"cut to {length}", raw[:length]
    yield "one byte more", raw + b"\0"
    yield "one byte before", b"\0" + raw
    yield "twice", raw + raw


def check_changes(cursor, report, what, raw):
    for target in TARGETS:
        for change, values in (("every bit flipped", flips(raw)), ("every length", cuts(raw))):
            wrong = [f"{name}: {got}" for name, value in values
                     if (got := target.refusal(cursor, value)) not in REFUSALS]
            report.ok(not wrong, f"forgery: {what}, {change}, {target.name}", "\n".join(wrong[:20]))
    wrong = [name for name, value in [*flips(raw), *cuts(raw)]
             if attempt_one(cursor, "SELECT rampart.try_decrypt(%s)", value) is not None
             or attempt_one(cursor, "SELECT rampart.problem(%s)", value) is None]
    report.ok(not wrong, f"forgery: {what}, try_decrypt gives NULL and problem names it", "\n".join(wrong[:20]))


def attempt_one(cursor, sql, raw):
    try:
        cursor.execute(sql, (psycopg2.Binary(raw),))
        return cursor.fetchone()[0]
    except psycopg2.Error as error:
        return error.pgcode


def check_aad(cursor, report, raw):
    for name, sql in [("another", "SELECT rampart.decrypt(%s, 'row 18')"), ("none", "SELECT rampart.decrypt(%s)"),
                      ("an empty one", "SELECT rampart.decrypt(%s, '')"),
                      ("a longer one", "SELECT rampart.decrypt(%s, 'row 170')"),
                      ("a shorter one", "SELECT rampart.decrypt(%s, 'row 1')"),
                      ("another case", "SELECT rampart.decrypt(%s, 'Row 17')")]:
        report.equal(attempt_one(cursor, sql, raw), "RMC02", f"forgery: associated data, {name}")
    report.equal(attempt_one(cursor, f"SELECT rampart.decrypt(%s, '{AAD}')", raw), SECRET, "forgery: the right associated data")
    report.equal(attempt_one(cursor, f"SELECT rampart.try_decrypt(%s, 'x')", raw), None, "forgery: try_decrypt, wrong associated data")
    wrong = [text for bit in range(len(AAD) * 8)
             if (text := flip_text(AAD, bit)) and attempt_one(cursor, f"SELECT rampart.decrypt(%s, '{text}')", raw) != "RMC02"]
    report.equal(wrong, [], "forgery: associated data, every bit flipped")


def flip_text(text, bit):
    changed = bytearray(text.encode())
    changed[bit // 8] ^= 1 << bit % 8
    result = bytes(changed)
    return result.decode() if result.isascii() and b"'" not in result and b"\0" not in result and b"%" not in result else None


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def check_random(database, report, connection):
    """Random bytes behind no header, half a header or a genuine one."""
    choose = random.Random(SEED)
    key = bytes.fromhex(database.value("SELECT id FROM rampart.keys WHERE scope = 'pii' AND state = 'active' AND purpose = 'data'"))
    cursor = connection.cursor()
    pid = connection.get_backend_pid()
    statements = ["SELECT rampart.decrypt(%s)", "SELECT rampart.decrypt_bytea(%s)", "SELECT rampart.decrypt_jsonb(%s)",
                  "SELECT rampart.inspect(%s)", "SELECT rampart.armour(%s)"]
    before = after = 0
    wrong = []
    for number in range(RANDOM_INPUTS):
        head = choose.choice([b"", bytes([choose.choice([0x10, 0x11, 0x12, 0x13, 0xe3, 0xec]), choose.randrange(12)]),
                              bytes([choose.choice([0x11, 0x12]), choose.randrange(1, 10)]) + key])
        raw = head + choose.randbytes(choose.choice([0, 1, 2, 11, 12, 16, 28, 29, 60, 300]))
        if number == RANDOM_INPUTS // 10:
            before = resident_bytes(pid)
        statement = statements[number % len(statements)]
        got = attempt_one(cursor, statement, raw)
        # inspect and armour take whatever has the form; they verify nothing.
        well_formed = "inspect" in statement or "armour" in statement
        if got not in REFUSALS and not well_formed:
            wrong.append(f"{statement}: {raw.hex()}: {got}")
        type_name = choose.choice(["text", "bytea", "jsonb", "numeric", "int8", "date", "timestamptz", "uuid", "bool"])
        got = attempt(connection, f"SELECT %s::enc_{type_name}", (armour(raw),))
        if got not in REFUSALS:
            wrong.append(f"{type_name}: {raw.hex()}: {got}")
    after = resident_bytes(pid)
    report.equal(wrong[:10], [], f"forgery: {RANDOM_INPUTS} random ciphertexts and armours")
    report.ok(after - before < 4 << 20, "forgery: the backend's memory does not grow", f"{before} to {after} bytes")


def check_text_forms(report, connection):
    good = attempt(connection, "SELECT rampart.armour(rampart.encrypt('pii', 'xy'))")[0][0]
    for name, text in [("empty", ""), ("padding", good + "="), ("a space inside", good[:20] + " " + good[20:]),
                       ("a newline at the end", good + "\n"), ("standard base64", good[:20] + "+/" + good[22:]),
                       ("upper-case prefix", "RMP1:" + good[5:]), ("another version", "rmp2:" + good[5:]),
                       ("stray bits", good[:-1] + "_"), ("one character", "rmp1:A"), ("multibyte", "rmp1:é" + good[6:])]:
        report.equal(attempt(connection, "SELECT rampart.dearmour(%s)", (text,)), "RMC01", f"forgery: armour, {name}")


def check(world, report):
    database = world.database("forgery")
    database.query("CREATE TABLE taken (value enc_text(pii)); GRANT ALL ON taken TO PUBLIC")
    connection = database.connect("app", options="-c rampart.armour_input=verify")
    cursor = connection.cursor()
    for what, call in [("randomised", "encrypt"), ("deterministic", "encrypt_deterministic")]:
        cursor.execute(f"SELECT rampart.{call}('pii', %s)", (SECRET,))
        check_changes(cursor, report, what, bytes(cursor.fetchone()[0]))
    cursor.execute("SELECT rampart.encrypt('pii', %s, %s)", (SECRET, AAD))
    check_aad(cursor, report, bytes(cursor.fetchone()[0]))
    check_text_forms(report, connection)
    check_random(database, report, connection)
    connection.close()
