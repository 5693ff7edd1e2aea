"""Encrypted values stand in the log as ciphertext, whoever writes them and however."""
import json

SCHEMA = """
CREATE TYPE person AS (name enc_text(pii, deterministic), born enc_date(pii));
CREATE DOMAIN mail AS enc_text(pii, deterministic);
CREATE TABLE sealed (
    id int PRIMARY KEY, r enc_text(pii), d enc_text(pii, deterministic), n enc_numeric(pii), j enc_jsonb(pii),
    list enc_text(pii, deterministic)[], person person, people person[], mail mail);
GRANT ALL ON sealed TO PUBLIC;
SELECT rampart.audit_table('sealed');
"""
ROW = ("{id}, 'plain-r', 'plain-d', 4711.25, '{{\"plain\": \"j\"}}', '{{plain-l1,NULL,plain-l2}}', ROW('plain-name', '1999-09-09')::person, "
       "ARRAY[ROW('plain-p', NULL)::person], 'plain-mail'")
SECRETS = ("plain", "4711", "1999")
REVEALED = {"id": 1, "r": "plain-r", "d": "plain-d", "n": 4711.25, "j": {"plain": "j"}, "list": ["plain-l1", None, "plain-l2"],
            "person": {"name": "plain-name", "born": "1999-09-09"}, "people": [{"name": "plain-p", "born": None}], "mail": "plain-mail"}


def armoured(values):
    """Whether every value is armour, also in arrays and objects."""
    if isinstance(values, dict):
        return all(armoured(value) for name, value in values.items() if name != "id")
    if isinstance(values, list):
        return all(armoured(value) for value in values)
    return values is None or (isinstance(values, str) and values.startswith("rmp1:"))


def check_entries(report, entries, operations, name):
    said = [secret for secret in SECRETS if secret in json.dumps(entries)]
    report.ok([e[0] for e in entries] == operations and not said and all(armoured(e[2]) and armoured(e[3]) for e in entries), name,
              f"{[e[0] for e in entries]} {said}")


def check_writers(world, database, report):
    for role in ("app", "owner", "postgres"):
        check_entries(report, database.after(f"INSERT INTO sealed VALUES ({ROW.format(id=1)})", role), ["INSERT"], f"encrypted: INSERT by {role}")
        sets = "UPDATE sealed SET r = 'plain', d = 'plain', n = 4711, j = '\"plain\"', list = '{plain}', person = ROW('plain', '1999-01-01')::person, mail = 'plain'"
        check_entries(report, database.after(sets, role), ["UPDATE"], f"encrypted: UPDATE by {role}")
        merge = ("MERGE INTO sealed s USING (VALUES (1), (2)) v (i) ON s.id = i WHEN MATCHED THEN UPDATE SET d = 'plain-merged' "
                 "WHEN NOT MATCHED THEN INSERT (id, r, d) VALUES (i, 'plain-r', 'plain-d')")
        check_entries(report, database.after(merge, role), ["UPDATE", "INSERT"], f"encrypted: MERGE by {role}")
        last = database.last()
        world.cluster.psql("COPY sealed (id, r, d, n, list) FROM stdin;\n3\tplain\tplain\t4711\t{plain,plain}\n\\.\n", user=role, database=database.name)
        check_entries(report, [e[1:] for e in database.entries(last)], ["INSERT"], f"encrypted: COPY by {role}")
        check_entries(report, database.after("DELETE FROM sealed", role), ["DELETE"] * 3, f"encrypted: DELETE by {role}")


def check_reveal(database, report):
    entry = database.after(f"INSERT INTO sealed VALUES ({ROW.format(id=1)})")[0][3]
    shown = {role: database.value("SELECT rampart.reveal_entry(%s)", (json.dumps(entry),), role) for role in ("app", "owner", "reader")}
    report.equal(shown["app"], REVEALED, "reveal: all of it, in its types, where the reader may decrypt")
    report.equal((shown["owner"], shown["reader"]), (entry, entry), "reveal: nothing where he may not")
    odd = {"a": "rmp1:AAAA", "b": entry["r"][:-1] + ("A" if entry["r"][-1] != "A" else "B"), "rmp1:x": 1, "c": ["rmp1:", None, 1.5, True, {}, []]}
    report.equal(database.value("SELECT rampart.reveal_entry(%s)", (json.dumps(odd),), "app"), odd, "reveal: what is no ciphertext, or was altered, stays")
    report.equal(database.value("SELECT rampart.reveal_entry(%s)", (json.dumps(entry["d"]),), "app"), "plain-d", "reveal: a single string")
    last = database.last()
    database.query("UPDATE sealed SET r = 'second'")
    history = database.query("SELECT operation, rampart.reveal_entry(old_value), rampart.reveal_entry(new_value) "
                             "FROM rampart.row_history('sealed', '{\"id\": 1}') WHERE column_name = 'r' AND id >= %s", (last,))
    report.equal(history, [("INSERT", None, "plain-r"), ("UPDATE", "plain-r", "second")], "reveal: row_history")


def check_same(database, report):
    again = "UPDATE sealed SET d = 'plain-d', list = '{plain-l1,NULL,plain-l2}', mail = 'plain-mail', people = ARRAY[ROW('plain-p', NULL)::person]"
    report.equal(database.after(again), [], "same value: deterministic ones written anew are no change, also in arrays, composites and domains")
    database.query("SELECT rampart.rotate_key('pii')")
    report.equal(database.after(again), [], "same value: nor under a new key")
    report.equal(database.after("UPDATE sealed SET r = r, n = n, person = person"), [], "same value: randomised ones that are not touched are none")
    got = database.after("UPDATE sealed SET r = 'second'")
    report.equal([(e[0], sorted(e[3])) for e in got], [("UPDATE", ["r"])], "same value: a randomised one written anew is one")


def check_rotation(database, report):
    database.query("INSERT INTO sealed (id, r, d) SELECT i, 'plain' || i, 'plain' || i FROM generate_series(10, 200) i")
    last = database.last()
    before = database.value("SELECT count(*) FROM rampart.key_census('pii')")
    rotation = database.value("SELECT rampart.start_rotation('pii')")
    session = database.connect()
    with session.cursor() as cursor:
        cursor.execute("CALL rampart.run_rotation(%s)", (rotation,))
    session.close()
    report.equal((database.value("SELECT state FROM rampart.rotation WHERE id = %s", (rotation,)), database.entries(last), before > 0),
                 ("complete", [], True), "rotation: adds no entry")


def check_conversion(database, report):
    database.query("CREATE TABLE conv (id int PRIMARY KEY, a text); INSERT INTO conv SELECT i, 'plain' || i FROM generate_series(1, 5) i;"
                   "SELECT rampart.audit_table('conv', redact => '{a}')")
    conversion = database.value("SELECT rampart.encrypt_column('conv', 'a', 'pii')")
    last = database.last()
    session = database.connect()
    with session.cursor() as cursor:
        cursor.execute("CALL rampart.run_rotation(%s)", (conversion,))
        cursor.execute("CALL rampart.finish_conversion(%s)", (conversion,))
    session.close()
    report.equal((database.entries(last), database.events(last)), ([], [("schema.object_changed", "public.conv")]),
                 "conversion: of a redacted column, adds no entry but that the plaintext was dropped")
    report.equal(database.after("UPDATE conv SET a = 'x' WHERE id = 1"), [("UPDATE", {"id": 1}, {"a": "[redacted]"}, {"a": "[redacted]"})], "conversion: it stays redacted")


def check(world, report):
    database = world.database("encrypted")
    database.query(SCHEMA)
    check_writers(world, database, report)
    for part in (check_reveal, check_same, check_rotation, check_conversion):
        part(database, report)
