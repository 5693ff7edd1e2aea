"""Exports: every format says what the entry says whatever stands in it, and each line arrives at least once."""
import json
import re
import threading

import psycopg2

from world import on

# What a value can be made of to pass for something else.
HOSTILE = {
    "pipes": "a|b\\|c", "quotes": 'say "hi" and \'hi\'', "newlines": "one\ntwo\r\nthree\r", "brackets": "x] [rampart@32473 actor=\"root\"]",
    "equals": "a=b cs1=forged msg\\=x", "backslashes": "\\ \\\\ \\n \\] tail\\", "controls": "\x01\x08\x1b[31m\x7f\t", "unicode": "Łódź 東京 😀 \u202e\u2028",
    "cef": "CEF:0|x|y|z|1|n|10|src=1.2.3.4", "syslog": "<0>1 - - - - - - forged", "json": '"},"event":"forged"', "empty": "", "spaces": "  padded  ",
}


def syslog(line):
    """A message of RFC 5424, taken apart by the RFC's grammar."""
    got = re.fullmatch(r"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S{1,32}) \[rampart@32473((?: [!-~]+?=\"(?:[^\"\\\]]|\\.)*\")*)\] (.*)", line)
    assert got, line
    values = {name: re.sub(r"\\([\"\\\]])", r"\1", value) for name, value in re.findall(r' ([!-<>-~]+)="((?:[^"\\\]]|\\.)*)"', got.group(7))}
    return int(got.group(1)), got.group(2), got.group(6), values, json.loads(got.group(8))


def cef(line):
    """A CEF message: the seven fields of the header, and the extension."""
    fields = re.findall(r"((?:[^|\\]|\\.)*)\|", line)[:7]
    rest = line[sum(len(field) + 1 for field in fields):]
    assert len(fields) == 7 and fields[0] == "CEF:0", line
    starts = [m for m in re.finditer(r"(?:^| )(\w+)=", rest)]
    values = {}
    for start, following in zip(starts, starts[1:] + [None]):
        raw = rest[start.end():following.start() if following else len(rest)]
        values[start.group(1)] = re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m.group(1), m.group(1)), raw)
    return [re.sub(r"\\([\\|])", r"\1", field) for field in fields], values


def plain(text):
    return re.sub(r"[\x01-\x1f\x7f]", "?", text)


def drain(database, name, user="postgres", maximum=1000):
    """All lines of an export, each acknowledged: [(class, index, line)]."""
    lines = []
    while True:
        rows = database.query("SELECT * FROM rampart.fetch_export(%s, %s)", (name, maximum), user=user)
        if not rows:
            return lines
        lines += rows
        for event_class in {row[0] for row in rows}:
            database.query("SELECT rampart.ack_export(%s, %s, %s)", (name, event_class, max(row[1] for row in rows if row[0] == event_class)), user=user)


def write(database, actor, org, metadata, event="auth.login_failure", severity="medium"):
    connection = database.connect(autocommit=False)
    on(connection, "SELECT rampart.set_context(%s, %s, '192.0.2.7', %s, %s)", (actor, org, f"agent {actor}", f"request {actor}"))
    on(connection, "SELECT rampart.write_event(%s, %s, NULL, NULL, NULL, %s)", (event, severity, json.dumps(metadata)))
    connection.commit()
    connection.close()


def check_formats(database, report):
    for name in ("ocsf", "ecs", "syslog", "cef"):
        database.query("SELECT rampart.create_export(%s, %s, 'security', NULL, recorded => false)", (name, name))
    database.query("SELECT rampart.seal()")
    for name in ("ocsf", "ecs", "syslog", "cef"):
        drain(database, name)
    first = database.value("SELECT rampart.sealed_size('security')")
    for value in HOSTILE.values():
        write(database, value, value, {"account": value, "nothing": None, "number": 1.50})
    database.query("SELECT rampart.seal()")
    size = database.value("SELECT rampart.sealed_size('security')")
    lines = {name: [line for _, _, line in drain(database, name)] for name in ("ocsf", "ecs", "syslog", "cef")}
    report.equal({name: len(got) for name, got in lines.items()}, dict.fromkeys(lines, len(HOSTILE)), "formats: a line each")
    report.ok(not any(re.search(r"[\x00-\x1f\x7f]", line) for got in lines.values() for line in got), "formats: no control character in any line")
    for number, (name, value) in enumerate(HOSTILE.items()):
        index = first + number
        metadata = {"account": value, "nothing": None, "number": 1.5}
        ocsf = json.loads(lines["ocsf"][number])
        report.equal([ocsf[k] for k in ("class_uid", "activity_id", "category_uid", "type_uid", "severity_id", "status_id")] +
                     [ocsf["actor"]["user"]["name"], ocsf["src_endpoint"]["ip"], ocsf["metadata"]["tenant_uid"], ocsf["metadata"]["sequence"],
                      ocsf["metadata"]["uid"], ocsf["unmapped"]["metadata"], ocsf["unmapped"]["head"]["size"]],
                     [3002, 1, 3, 300201, 3, 2, value, "192.0.2.7", value, index, f"security/{index}", metadata, size], f"ocsf: {name}")
        ecs = json.loads(lines["ecs"][number])
        report.equal([ecs["event"]["action"], ecs["event"]["category"], ecs["event"]["type"], ecs["event"]["outcome"], ecs["event"]["sequence"],
                      ecs["user"]["name"], ecs["source"]["ip"], ecs["rampart"]["metadata"], ecs["rampart"]["index"], ecs["rampart"]["head"]["size"]],
                     ["auth.login_failure", ["authentication"], ["start"], "failure", index, value, "192.0.2.7", metadata, index, size], f"ecs: {name}")
        priority, _, message_id, values, body = syslog(lines["syslog"][number])
        report.equal([priority, message_id, values["class"], values["index"], values["size"], values["actor"], values["org"], body["actor"], body["metadata"]],
                     [13 * 8 + 4, "auth.login_failure", "security", str(index), str(size), plain(value), plain(value), value, metadata], f"syslog: {name}")
        header, values = cef(lines["cef"][number])
        shown = plain(value.replace("\n", "\0").replace("\r", "\0\0")).replace("\0\0", "\r").replace("\0", "\n")
        report.equal([header[1], header[4], header[6], values["suser"], values["cs1"], values["cn1"], values["cn2"], values["src"], json.loads(values["msg"])["metadata"]],
                     ["Rampart", "auth.login_failure", "5", shown, shown, str(index), str(size), "192.0.2.7", metadata], f"cef: {name}")
    at = database.value("SELECT rampart.utc_text((entry).at) FROM rampart.sealed_entries('security', %s, 1)", (first,))
    report.equal([json.loads(lines["ecs"][0])["@timestamp"], syslog(lines["syslog"][0])[1]], [at, at], "formats: times are in UTC")
    root = database.value("SELECT root FROM rampart.newest_head('security')")
    report.equal([json.loads(lines["ocsf"][0])["unmapped"]["head"]["root"], syslog(lines["syslog"][0])[3]["root"], cef(lines["cef"][0])[1]["cs4"]], [root] * 3,
                 "formats: each line has the newest head")
    report.equal(database.query("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = 0;"
                                "SELECT rampart.utc_text('2026-01-02 03:04:05.6+00')"), [("2026-01-02T03:04:05.600000Z",)], "formats: whatever the session's settings")
    severities = database.query("SELECT name, level, cef, syslog FROM rampart.audit_severity ORDER BY level")
    report.equal(severities, [("info", 1, 1, 6), ("low", 2, 3, 5), ("medium", 3, 5, 4), ("high", 4, 8, 3), ("critical", 5, 10, 2)], "formats: severities")


def check_values(database, report):
    """Row changes: ciphertext stays what it is, NULL is a value, and what is too long is left out."""
    database.query("SELECT rampart.create_export('rows', 'ocsf', 'normal', NULL); SELECT rampart.create_export('rows cef', 'cef', 'normal', NULL, max_bytes => 16384)")
    database.query("INSERT INTO x VALUES (1, 'secret@example.com', NULL); INSERT INTO x VALUES (2, NULL, repeat('long|', 100000))")
    database.query("SELECT rampart.seal()")
    rows = [json.loads(line) for _, _, line in drain(database, "rows")]
    new = rows[0]["unmapped"]["new"]
    report.ok(new["email"].startswith("rmp1:") and new["note"] is None, "values: armour and NULL are in the line", new)
    report.ok("secret@example.com" not in str(rows), "values: no plaintext is")
    report.equal([rows[0]["class_uid"], rows[0]["activity_id"], rows[0]["unmapped"]["key"]], [6005, 6, {"id": 1}], "values: a row change is Datastore Activity")
    report.equal(["new" in rows[1]["unmapped"], rows[1]["metadata"]["is_truncated"], rows[1]["metadata"]["untruncated_size"] > 500000], [False, True, True],
                 "values: a line that is too long comes without values, and says so")
    long = drain(database, "rows cef")[1][2]
    report.ok(len(long.encode()) <= 16384 and "untruncated_size" in cef(long)[1]["msg"], "values: in each format", len(long))
    for name in ("ocsf", "ecs", "syslog", "cef"):
        database.query("SELECT rampart.create_export(%s, %s, 'security', NULL, recorded => false, max_bytes => 16384)", (f"wide {name}", name))
    write(database, "\\\x01|\"]=\U0001f600" * 390, "]\\=" * 1300, {"a": "b" * 30000})
    database.query("SELECT rampart.seal()")
    sizes = [max(len(line.encode()) for _, _, line in drain(database, f"wide {name}")) for name in ("ocsf", "ecs", "syslog", "cef")]
    report.ok(max(sizes) <= 16384, "values: bounded with the longest of headers", sizes)
    connection = database.connect()
    entry = "jsonb_populate_record(NULL::rampart.audit_log, '{\"event\": \"made.up\\u0021\", \"class\": \"security\", \"severity\": \"odd\", \"at\": \"2026-01-01T00:00:00Z\", \"client\": \"2001:db8::1\", \"session_role\": \"x\"}')"
    got = on(connection, f"SELECT rampart.export_ocsf({entry}, NULL, '{{}}', '1'), rampart.export_syslog({entry}, NULL, '{{}}', '1'), rampart.export_cef({entry}, NULL, '{{}}', '1'), rampart.export_ecs({entry}, NULL, '{{}}', '1')")[0]
    ocsf = json.loads(got[0])
    report.equal([ocsf["class_uid"], ocsf["activity_id"], ocsf["type_uid"], ocsf["severity_id"], ocsf["status_id"]], [0, 99, 99, 3, 1], "values: a type that is not known is a base event")
    report.equal([got[1].split(" ")[0], cef(got[2])[1]["c6a2"], json.loads(got[3])["source"]["ip"]], ["<108>1", "2001:db8::1", "2001:db8::1"], "values: in each format, with IPv6")
    connection.close()


def check_cursor(world, database, report):
    database.query("SELECT rampart.create_export('both', 'ecs', recorded => false)")

    def fetch(maximum):
        # A line has the newest head, which rises meanwhile.
        return [(event_class, index, re.sub('"head": {[^}]*}', "", line)) for event_class, index, line in
                database.query("SELECT * FROM rampart.fetch_export('both', %s)", (maximum,))]

    again = [fetch(5) for _ in range(2)]
    report.ok(again[0] == again[1] and len(again[0]) == 5, "cursor: fetching does not move it")
    world.cluster.stop("immediate")
    world.cluster.start()
    report.equal(fetch(5), again[0], "cursor: a crash between fetch and acknowledgement loses nothing")
    event_class, index = again[0][2][:2]
    database.query("SELECT rampart.ack_export('both', %s, %s)", (event_class, index))
    report.equal(fetch(2), again[0][3:], "cursor: goes on behind what was acknowledged")
    database.query("SELECT rampart.ack_export('both', %s, 0)", (event_class,))
    report.equal(fetch(2), again[0][3:], "cursor: a late acknowledgement does not move it back")
    report.equal(database.failure("SELECT rampart.ack_export('both', 'security', rampart.sealed_size('security'))"), "22023", "cursor: nor one of what is not sealed ahead")
    database.query("BEGIN; SELECT rampart.ack_export('both', 'security', 6); ROLLBACK")
    report.equal(fetch(2), again[0][3:], "cursor: nor one that is rolled back")
    lines = drain(database, "both", maximum=7)
    sizes = [database.value("SELECT rampart.sealed_size(%s)", (c,)) for c in ("security", "normal")]
    report.equal([row[:2] for row in lines], [("security", n) for n in range(3, sizes[0])] + [("normal", n) for n in range(sizes[1])], "cursor: every leaf once, in order, of both classes")
    report.equal(database.query("SELECT class, next_index, lag FROM rampart.audit_exports WHERE name = 'both'"), [("normal", sizes[1], 0), ("security", sizes[0], 0)], "cursor: the view says so")


def check_fetchers(database, report):
    """Two processes of one reader: lines twice at the most, never not at all."""
    database.query("INSERT INTO x SELECT n, NULL, 'x' FROM generate_series(1000, 1999) n; SELECT rampart.create_export('two', 'ecs', 'normal', recorded => false)")
    database.query("SELECT rampart.seal()")
    seen, errors = [], []

    def fetch():
        try:
            seen.extend(index for _, index, _ in drain(database, "two", maximum=50))
        except psycopg2.Error as error:
            errors.append(error)
    threads = [threading.Thread(target=fetch) for _ in range(2)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    report.equal((errors, sorted(set(seen))), ([], list(range(database.value("SELECT rampart.sealed_size('normal')")))), "fetchers: two at once leave nothing out")


def check_rights(database, report):
    database.query("SELECT rampart.grant_audit('acme_siem', '{acme}'); SELECT rampart.grant_audit('other_siem');"
                   "SELECT rampart.create_export('acme', 'ecs', 'security', NULL, 'acme_siem', recorded => false)")
    report.equal(database.failure("SELECT rampart.fetch_export('acme')", user="reader"), "42501", "rights: fetching has to be granted")
    for user, name in (("other_siem", "acme"), ("acme_siem", "both"), ("acme_siem", "nowhere")):
        report.equal([database.failure("SELECT rampart.fetch_export(%s)", (name,), user=user), database.failure("SELECT rampart.ack_export(%s, 'security', 0)", (name,), user=user)],
                     ["RMA20", "RMA20"], f"rights: {user} has no export {name}")
    database.query("SELECT rampart.seal()")
    start = database.value("SELECT next_index FROM rampart.audit_exports WHERE name = 'acme'")
    for _ in range(3):
        write(database, "x", "globex", {"secret": "globex"})
    database.query("SELECT rampart.seal()")
    rows = database.query("SELECT * FROM rampart.fetch_export('acme')", user="acme_siem")
    report.equal([(row[0], row[2]) for row in rows], [("security", None)], "rights: nothing of another organisation, but how far that goes")
    database.query("SELECT rampart.ack_export('acme', 'security', %s)", (rows[0][1],), user="acme_siem")
    write(database, "x", "globex", {"secret": "globex"}), write(database, "y", "acme", {"own": "acme"}), write(database, "x", "globex", {"secret": "globex"})
    database.query("SELECT rampart.seal()")
    rows = database.query("SELECT * FROM rampart.fetch_export('acme')", user="acme_siem")
    report.ok(len(rows) == 1 and "globex" not in str(rows) and rows[0][1] > start, "rights: of a mixed log the reader's own", rows)
    report.equal(database.query("SELECT * FROM rampart.fetch_export('acme')"), rows, "rights: to a superuser what it has for its reader")
    database.query("SELECT rampart.revoke_audit('acme_siem')")
    report.equal(database.failure("SELECT rampart.fetch_export('acme')", user="acme_siem"), "42501", "rights: revoked")
    for call in ("create_export('mine', 'ecs')", "drop_export('acme')", "fetch_export_for(10, 'both', 5)", "ack_export_for(10, 'both', 'security', 5)", "require_export(10, 'both')",
                 "sealed_entries('security', 0, 5)", "newest_head('security')"):
        report.equal(database.failure(f"SELECT rampart.{call}", user="other_siem"), "42501", f"rights: {call} is not a reader's to call")
    report.equal([database.failure(f"SELECT * FROM rampart.{name}", user="other_siem") for name in ("audit_export", "audit_export_cursor", "audit_exports")], ["42501"] * 3,
                 "rights: nor are tables")


def check_recording(database, report):
    database.query("SELECT rampart.create_export('told', 'ecs'); SELECT rampart.create_export('told too', 'ecs')")
    database.query("SELECT rampart.seal()")
    last = database.last()
    drain(database, "told"), drain(database, "told too")
    noted = database.query("SELECT metadata ->> 'export', metadata -> 'from' FROM rampart.audit_log WHERE id > %s AND event = 'audit.exported' ORDER BY id", (last,))
    report.ok(("told", 0) in noted and ("told too", 0) in noted, "recording: what was exported is in the log", noted)
    for _ in range(4):
        database.query("SELECT rampart.seal()")
        drain(database, "told"), drain(database, "told too")
    last = database.last()
    database.query("SELECT rampart.seal()")
    drain(database, "told"), drain(database, "told too")
    report.equal(database.last(), last, "recording: it comes to rest")


def check_arguments(database, report):
    for arguments, code in (("'x', 'xml'", "22023"), ("'x', NULL", "22023"), ("NULL, 'ecs'", "22023"), ("'', 'ecs'", "22023"), ("repeat('x', 64), 'ecs'", "22023"), ("'x', 'ecs', 'other'", "22023"),
                            ("'x', 'ecs', from_index => -1", "22023"), ("'x', 'ecs', from_index => 9223372036854775807", "22023"), ("'x', 'ecs', max_bytes => 1", "22023"),
                            ("'x', 'ecs', reader => 0::regrole", "42704"), ("'both', 'ecs'", "42710"), ("'x', 'ecs; DROP TABLE x'", "22023"), ("'x', 'ecs', recorded => NULL", "22023")):
        report.equal(database.failure(f"SELECT rampart.create_export({arguments})"), code, f"arguments: create_export({arguments})")
    for call, code in (("fetch_export('both', 0)", "22023"), ("fetch_export('both', NULL)", "22023"), ("fetch_export('both', 10001)", "22023"), ("fetch_export(NULL)", "RMA20"),
                       ("ack_export('both', 'security', NULL)", "22023"), ("ack_export('both', 'security', -1)", "22023"), ("ack_export('both', NULL, 1)", "22023"),
                       ("ack_export('rows', 'security', 1)", "22023"), ("drop_export('nowhere')", "RMA20"), ("drop_export(NULL)", "RMA20")):
        report.equal(database.failure(f"SELECT rampart.{call}"), code, f"arguments: {call}")
    database.query("""SELECT rampart.create_export('it''s "a" name', 'cef', from_index => 0); SELECT * FROM rampart.fetch_export('it''s "a" name', 1); SELECT rampart.drop_export('it''s "a" name')""")
    report.equal(database.value("SELECT count(*) FROM rampart.audit_export_cursor c WHERE NOT EXISTS (SELECT FROM rampart.audit_export x WHERE x.name = c.export)"), 0, "arguments: dropped with its cursor")


def check(world, report):
    database = world.database("export")
    database.query("SELECT rampart.alter_event('auth.login_failure', enabled => true)")
    world.cluster.query("CREATE ROLE acme_siem LOGIN; CREATE ROLE other_siem LOGIN")
    database.query("CREATE TABLE x (id int PRIMARY KEY, email enc_text(pii), note text); SELECT rampart.audit_table('x'); SELECT rampart.start_sealing()")
    check_formats(database, report)
    check_values(database, report)
    check_cursor(world, database, report)
    check_fetchers(database, report)
    check_rights(database, report)
    check_recording(database, report)
    check_arguments(database, report)
