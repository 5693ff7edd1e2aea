"""Alerts: each kind of rule fires when it should and not otherwise, each entry counts once, and nobody gets in the way."""
import json
import select
import threading
import time

import psycopg2

from cluster import run
from world import Database, on

ALERTS = "SELECT rule, group_key, state, count FROM rampart.alert WHERE id > %s ORDER BY id"
# Rules that the tests make are the only ones: what the tests do themselves is of no interest.
QUIET = "SELECT rampart.alter_alert_rule(name, '{\"enabled\": false}') FROM rampart.alert_rule"


class Log:
    """Entries at times of the test's choosing, and what the rules make of them."""

    def __init__(self, database):
        self.database = database
        self.seen = 0

    def put(self, event, minutes, severity="medium", actor=None, metadata=None, ip=None, copies=1, event_class="security"):
        """Entries that say they were written so many minutes after midnight of the day before yesterday."""
        self.database.query(
            "INSERT INTO rampart.audit_log SELECT nextval('rampart.audit_log_id'), date_trunc('day', now()) - interval '2 days' + %s * interval '1 minute',"
            "  pg_current_xact_id(), (SELECT lineage FROM rampart.audit_here), %s, %s, %s, %s, NULL, %s, NULL, NULL, 'postgres', 'postgres', NULL, NULL, NULL, NULL, NULL,"
            "  NULL, NULL, NULL, %s, CASE WHEN %s IS NOT NULL THEN decode(repeat('00', 16), 'hex') END, NULL FROM generate_series(1, %s)",
            (minutes, event, event_class, severity, actor, ip, metadata and json.dumps(metadata), metadata and json.dumps(metadata), copies))

    def evaluate(self):
        self.database.query("SELECT rampart.seal()")
        while self.database.value("SELECT rampart.evaluate_alerts()"):
            pass

    def alerts(self):
        """What has been raised since the last look: [(rule, group, state, count)]."""
        self.evaluate()
        rows = self.database.query(ALERTS, (self.seen,))
        self.seen = self.database.value("SELECT coalesce(max(id), 0) FROM rampart.alert")
        return [(rule, tuple(group.values()), state, count) for rule, group, state, count in rows]


def check_single(database, log, report):
    database.query("SELECT rampart.create_alert_rule('one', 'single', '{audit.disabled,policy.*}', 'critical', group_by => '{metadata.table}', min_severity => 'high')")
    log.put("audit.disabled", 0, "critical", metadata={"table": "a"}), log.put("audit.disabled", 1, "medium", metadata={"table": "b"})
    log.put("policy.changed", 2, "high", metadata={"table": "c"}), log.put("policy", 3, "high"), log.put("audit.enabled", 3, "high")
    report.equal(log.alerts(), [("one", ("a",), "open", 1), ("one", ("c",), "open", 1)], "single: by name, prefix and severity")
    log.put("audit.disabled", 4, "critical", metadata={"table": "a"}, copies=3)
    report.equal(log.alerts(), [], "single: more of its group is no new alert")
    report.equal(database.query("SELECT count, last_at - first_at > '0', last_index > first_index FROM rampart.alert WHERE rule = 'one' AND group_key ->> 'metadata.table' = 'a'"),
                 [(4, True, True)], "single: but counted")
    log.put("audit.disabled", 4 + 61, "critical", metadata={"table": "a"})
    report.equal(log.alerts(), [("one", ("a",), "open", 1)], "single: after the dedup interval it is a new one")
    number = database.value("SELECT max(id) FROM rampart.alert")
    database.query("SELECT rampart.acknowledge_alert(%s)", (number,))
    log.put("audit.disabled", 70, "critical", metadata={"table": "a"})
    report.equal((log.alerts(), database.value("SELECT count FROM rampart.alert WHERE id = %s", (number,))), ([], 2), "single: an acknowledged one is counted up")
    database.query("SELECT rampart.resolve_alert(%s)", (number,))
    log.put("audit.disabled", 71, "critical", metadata={"table": "a"})
    report.equal(log.alerts(), [("one", ("a",), "open", 1)], "single: a resolved one is not")
    log.put("audit.disabled", 500, "critical", metadata={"table": "x" * 5000}), log.put("audit.disabled", 501, "critical", metadata={"table": None})
    got = log.alerts()
    report.ok(len(got) == 2 and max(len(str(group)) for _, group, _, _ in got) < 200, "single: long values are cut, missing ones are a group", got)
    database.query("SELECT rampart.drop_alert_rule('one')")


def check_threshold(world, database, log, report):
    database.query("SELECT rampart.create_alert_rule('five', 'threshold', '{auth.login_failure}', group_by => '{metadata.account|actor}', threshold => 5)")
    for minute in (0, 4, 8, 12, 16, 20):
        log.put("auth.login_failure", minute, metadata={"account": "slow"})
    for minute in (0, 3, 6, 9):
        log.put("auth.login_failure", minute, actor="ada")
    report.equal(log.alerts(), [], "threshold: not by fewer, nor over a longer time")
    log.put("auth.login_failure", 15, metadata={"account": "ada"})
    report.equal(log.alerts(), [("five", ("ada",), "open", 5)], "threshold: the fifth in 15 minutes, across calls")
    log.put("auth.login_failure", 16, actor="ada", copies=2)
    report.equal((log.alerts(), database.value("SELECT max(count) FROM rampart.alert WHERE rule = 'five'")), ([], 7), "threshold: further ones are counted")
    for minute in (100, 101, 102, 104):
        log.put("auth.login_failure", minute, actor="late")
    log.put("auth.login_failure", 130, actor="late")
    report.equal(log.alerts(), [], "threshold: nothing yet")
    log.put("auth.login_failure", 103, actor="late"), log.put("auth.login_failure", 90, actor="back", copies=2)
    log.put("auth.login_failure", 89, actor="back", copies=3)
    report.equal(log.alerts(), [("five", ("back",), "open", 5)], "threshold: a clock that is set back is no way around")
    for minute in (200, 201, 202, 203):
        log.put("auth.login_failure", minute, actor="restart")
    log.evaluate()
    world.cluster.stop("immediate"), world.cluster.start()
    log.put("auth.login_failure", 204, actor="restart")
    report.equal(log.alerts(), [("five", ("restart",), "open", 5)], "threshold: what it counted survives a crash")
    log.put("auth.login_failure", 60 * 24 * 400, actor="future", copies=4)
    log.put("auth.login_failure", 300, actor="future", copies=5)
    log.alerts()
    log.put("auth.login_failure", 400, actor="future", copies=4), log.alerts()
    log.put("auth.login_failure", 401, actor="future")
    report.equal(log.alerts(), [("five", ("future",), "open", 5)], "threshold: a clock that was ahead does not blind the rule")
    database.query("INSERT INTO rampart.alert_hit SELECT 'five', 'security', sha256(n::text::bytea), date_trunc('day', now()) - interval '2 days' + interval '402 minutes' + n * interval '1 microsecond', n FROM generate_series(1, 120000) n")
    log.put("auth.login_failure", 402, actor="flood"), log.evaluate()
    report.ok(database.value("SELECT count(*) FROM rampart.alert_hit") < 101000, "threshold: a flood of names does not make its memory grow")
    log.put("auth.login_failure", 1000, actor="idle"), log.evaluate()
    report.ok(database.value("SELECT count(*) FROM rampart.alert_hit") < 20, "threshold: and time empties it")
    database.query("SELECT rampart.drop_alert_rule('five')")
    report.equal(database.value("SELECT count(*) FROM rampart.alert_hit"), 0, "threshold: so does dropping the rule")


def check_first_seen(database, log, report):
    database.query("SELECT rampart.create_alert_rule('new', 'first_seen', '{auth.login_success}', group_by => '{actor}', watch => '{ip|metadata.ip}', period => '30 days')")
    log.put("auth.login_success", 0, actor="ada", ip="192.0.2.1"), log.put("auth.login_success", 1, actor="bob", ip="192.0.2.2"), log.put("auth.login_success", 2, actor="bob")
    report.equal(log.alerts(), [], "first seen: the first is none")
    log.put("auth.login_success", 3, actor="ada", ip="192.0.2.1"), log.put("auth.login_success", 4, actor="ada", metadata={"ip": "192.0.2.9"}, copies=2)
    report.equal(log.alerts(), [("new", ("ada", "192.0.2.9"), "open", 1)], "first seen: another is, once")
    log.put("auth.login_success", 5, actor="ada", ip="192.0.2.9"), log.put("auth.login_success", 5, actor="bob", ip="192.0.2.9")
    report.equal(log.alerts(), [("new", ("bob", "192.0.2.9"), "open", 1)], "first seen: of each group")
    log.put("auth.login_success", 60 * 24 * -40, actor="cy", ip="192.0.2.1"), log.evaluate()
    log.put("auth.login_success", 60 * 24 * -9, actor="cy", ip="192.0.2.2")
    report.equal(log.alerts(), [], "first seen: a group that was not heard of for so long begins anew")
    log.put("auth.login_success", 10, actor="dee", ip="192.0.2.1"), log.put("auth.login_success", 11, actor="dee", ip="192.0.2.2")
    report.equal(log.alerts(), [("new", ("dee", "192.0.2.2"), "open", 1)], "first seen: within one call")
    database.query("SELECT rampart.drop_alert_rule('new')")


def check_volume(database, log, report):
    database.query("SELECT rampart.create_alert_rule('much', 'volume', '{data.export}', group_by => '{actor}', measure => 'metadata.rows', threshold => 100,"
                   " period => '1 hour', history => 10, learn => 5)")
    for hour, rows in enumerate((100, 120, 90, 110, 100, 105)):
        log.put("data.export", hour * 60, actor="ada", metadata={"rows": rows})
    log.put("data.export", 6 * 60, actor="new", metadata={"rows": 1000000})
    report.equal(log.alerts(), [], "volume: the usual is none, nor anything of a group without a history")
    log.put("data.export", 6 * 60, actor="ada", metadata={"rows": 80}), log.put("data.export", 6 * 60 + 10, actor="ada", metadata={"rows": 45})
    report.equal(log.alerts(), [], "volume: within the deviation")
    log.put("data.export", 6 * 60 + 20, actor="ada", metadata={"rows": "500"})
    report.equal(log.alerts(), [("much", ("ada",), "open", 1)], "volume: the hour's sum is not usual")
    log.put("data.export", 12 * 60, actor="ada", metadata={"rows": "1e9; DROP TABLE x"}, copies=50)
    report.equal(log.alerts(), [], "volume: what is no number counts as one entry")
    for hour in range(13, 20):
        log.put("data.export", hour * 60, actor="small", metadata={"rows": 1})
    log.put("data.export", 20 * 60, actor="small", metadata={"rows": 99})
    report.equal(log.alerts(), [], "volume: less than the threshold is not worth an alert")
    database.query("SELECT rampart.drop_alert_rule('much')")


def check_once(world, database, log, report):
    """Evaluators at once, killed, rolled back: each entry counts once."""
    database.query("SELECT rampart.create_alert_rule('count', 'single', '{user.created}', dedup => '400 days')")
    log.put("user.created", 0, copies=2000)
    database.query("SELECT rampart.seal()")
    killed = 0

    def evaluate():
        while True:
            try:
                if not database.value("SELECT rampart.evaluate_alerts(50)"):
                    return
            except psycopg2.Error:
                pass
    threads = [threading.Thread(target=evaluate) for _ in range(3)]
    [thread.start() for thread in threads]
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.05)
        killed += database.value("SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT rampart.evaluate%%' AND pid <> pg_backend_pid() LIMIT 1) p") if killed < 10 else 0
    report.equal(database.query("SELECT count(*), sum(count) FROM rampart.alert WHERE rule = 'count'"), [(1, 2000)], f"once: three evaluators, {killed} times killed")
    log.put("user.created", 1)
    database.query("SELECT rampart.seal()")
    database.query("BEGIN; SELECT rampart.evaluate_alerts(); ROLLBACK")
    log.evaluate()
    report.equal(database.value("SELECT sum(count) FROM rampart.alert WHERE rule = 'count'"), 2001, "once: rolled back is not evaluated")
    report.equal(database.value("SELECT rampart.evaluate_alerts()"), 0, "once: 0 says that there is no more")
    database.query("SELECT rampart.drop_alert_rule('count')"), log.alerts()


def check_storm(database, log, report):
    database.query("SELECT rampart.create_alert_rule('storm', 'single', '{user.created}', group_by => '{actor}')")
    listener = database.connect("reader")
    on(listener, "LISTEN rampart_alert")
    for number in range(300):
        log.put("user.created", number / 100, actor=f"secret-{number}")
    log.evaluate()
    report.equal(database.query("SELECT count(*), sum(count), count(*) FILTER (WHERE group_key = '{\"other\": \"groups\"}') FROM rampart.alert WHERE rule = 'storm'"), [(101, 300, 1)],
                 "storm: a hundred alerts, and one for the rest")
    until = time.time() + 60
    while len(listener.notifies) < 101 and time.time() < until:
        select.select([listener], [], [], 1)
        listener.poll()
    payloads = [json.loads(n.payload) for n in listener.notifies]
    report.equal([len(payloads), {tuple(sorted(p)) for p in payloads}, payloads[0]["rule"]], [101, {("id", "rule", "severity")}, "storm"], "notify: each new alert, to whoever listens")
    report.ok("secret" not in str(payloads), "notify: says nothing of whom it is about")
    log.put("user.created", 4, actor=database.value("SELECT group_key ->> 'actor' FROM rampart.alert WHERE rule = 'storm' AND group_key ? 'actor' LIMIT 1")), log.evaluate()
    listener.poll()
    report.equal(len(listener.notifies), 101, "notify: not what is counted up")
    listener.close()
    database.query("SELECT rampart.drop_alert_rule('storm')"), log.alerts()


def check_life(database, log, report):
    database.query("SELECT rampart.create_alert_rule('life', 'single', '{user.deleted}', group_by => '{actor}')")
    log.put("user.deleted", 0, actor="a"), log.put("user.deleted", 0, actor="b"), log.evaluate()
    first, second = [row[0] for row in database.query("SELECT id FROM rampart.alert WHERE rule = 'life' ORDER BY id")]
    last = database.last()
    report.equal([database.failure(f"SELECT rampart.{f}(%s)", (first,), user="reader") for f in ("acknowledge_alert", "resolve_alert")], ["42501"] * 2, "life: has to be granted")
    database.query("GRANT EXECUTE ON FUNCTION rampart.acknowledge_alert, rampart.resolve_alert TO app")
    database.query("SELECT rampart.acknowledge_alert(%s, 'looking')", (first,), user="app")
    report.equal(database.query("SELECT state, acknowledged_by, acknowledged_at IS NOT NULL, note FROM rampart.alert WHERE id = %s", (first,)), [("acknowledged", "app", True, "looking")], "life: acknowledged, by whom")
    report.equal(database.failure("SELECT rampart.acknowledge_alert(%s)", (first,), user="app"), "RMA23", "life: not twice")
    database.query("SELECT rampart.resolve_alert(%s, 'done')", (first,), user="app"), database.query("SELECT rampart.resolve_alert(%s)", (second,))
    report.equal(database.query("SELECT state, resolved_by, note FROM rampart.alert WHERE id >= %s ORDER BY id", (first,)), [("resolved", "app", "done"), ("resolved", "postgres", None)], "life: resolved, acknowledged or not")
    report.equal([database.failure(f"SELECT rampart.{f}(%s)", (first,)) for f in ("acknowledge_alert", "resolve_alert")], ["RMA23"] * 2, "life: and that is that")
    report.equal(database.query("SELECT event, role, metadata ->> 'note' FROM rampart.audit_log WHERE id > %s AND event LIKE 'alert.%%' ORDER BY id", (last,)),
                 [("alert.acknowledged", "app", "looking"), ("alert.resolved", "app", "done"), ("alert.resolved", "postgres", None)], "life: the log has it")
    for call, code in (("acknowledge_alert(0)", "RMA22"), ("resolve_alert(NULL)", "RMA22"), ("resolve_alert(-9223372036854775808, 'x')", "RMA22")):
        report.equal(database.failure(f"SELECT rampart.{call}"), code, f"life: {call}")
    for call in ("acknowledge_alert_for(10, 1, NULL)", "change_alert(10, 1, 'open', NULL)", "evaluate_alerts()", "create_alert_rule('x', 'single', '{a}')", "alter_alert_rule('life', '{}')",
                 "drop_alert_rule('life')", "forget_alert_state('life')"):
        report.equal(database.failure(f"SELECT rampart.{call}", user="app"), "42501", f"life: {call} is the owner's")
    report.equal([database.failure(f"SELECT * FROM rampart.{t}", user="app") for t in ("alert", "alert_rule", "alert_hit", "alert_seen", "alert_volume", "alert_position")], ["42501"] * 6, "life: tables are, too")
    database.query("UPDATE rampart.alert SET last_at = now() - interval '10 years', state = CASE id WHEN %s THEN 'open' ELSE 'resolved' END WHERE rule = 'life'", (second,))
    left = "SELECT id FROM rampart.alert WHERE rule = 'life' ORDER BY id"
    database.query("SELECT rampart.hold_audit('case', 'a case'); SELECT rampart.prune_audit()")
    report.equal(database.query(left), [(first,), (second,)], "life: a legal hold keeps what is old")
    database.query("SELECT rampart.release_audit_hold('case'); SELECT rampart.prune_audit()")
    report.equal(database.query(left), [(second,)], "life: then what is resolved goes, and what is open stays")
    database.query("SELECT rampart.drop_alert_rule('life')"), log.alerts()


def check_arguments(database, report):
    for arguments in ("'x', 'twice', '{a}'", "NULL, 'single', '{a}'", "'x', 'single', '{}'", "'x', 'single', NULL", "'x', 'single', ARRAY[NULL]", "'x', 'single', '{a%}'", "'x', 'single', '{a*b}'",
                      "'x', 'single', '{A}'", "'x', 'single', '{a}', 'severe'", "'x', 'single', '{a}', NULL", "'x', 'single', '{a}', group_by => '{password}'",
                      "'x', 'single', '{a}', group_by => '{metadata}'", "'x', 'single', '{a}', group_by => '{\"metadata.a; DROP TABLE x|\"}'", "'x', 'single', '{a}', group_by => '{metadata..a}'",
                      "'x', 'single', '{a}', group_by => ARRAY[NULL]", "'x', 'single', '{a}', group_by => NULL", "'x', 'threshold', '{a}', threshold => 0", "'x', 'threshold', '{a}', threshold => 1001",
                      "'x', 'threshold', '{a}', threshold => NULL", "'x', 'threshold', '{a}', period => '-1 hour'", "'x', 'threshold', '{a}', period => '0'", "'x', 'threshold', '{a}', period => '1 month'",
                      "'x', 'threshold', '{a}', period => NULL", "'x', 'single', '{a}', dedup => '-1 s'", "'x', 'first_seen', '{a}'", "'x', 'single', '{a}', watch => '{ip}'",
                      "'x', 'single', '{a}', measure => 'metadata.a'", "'x', 'volume', '{a}', factor => -1", "'x', 'volume', '{a}', factor => 'NaN'", "'x', 'volume', '{a}', history => 0",
                      "'x', 'volume', '{a}', learn => 15", "'x', 'single', '{a}', class => 'other'", "'x', 'single', '{a}', description => repeat('x', 1001)"):
        report.equal(database.failure(f"SELECT rampart.create_alert_rule({arguments})"), "22023", f"arguments: create_alert_rule({arguments})")
    for arguments, code in (("'login_failures', '{\"period\": \"-1\"}'", "22023"), ("'login_failures', '{\"name\": \"x\"}'", "22023"), ("'login_failures', '{\"builtin\": false}'", "22023"),
                            ("'login_failures', '{\"thresold\": 1}'", "22023"), ("'login_failures', '[]'", "22023"), ("'login_failures', NULL", "22023"), ("'nowhere', '{}'", "RMA21"),
                            ("'login_failures', '{\"threshold\": \"many\"}'", "22P02"), ("'login_failures', '{\"enabled\": null}'", "22023")):
        report.equal(database.failure(f"SELECT rampart.alter_alert_rule({arguments})"), code, f"arguments: alter_alert_rule({arguments})")
    report.equal([database.failure("SELECT rampart.drop_alert_rule('nowhere')"), database.failure("SELECT rampart.drop_alert_rule('tampering')"),
                  database.failure("SELECT rampart.create_alert_rule('tampering', 'single', '{a}')"), database.failure("SELECT rampart.evaluate_alerts(0)")],
                 ["RMA21", "55000", "42710", "22023"], "arguments: unknown, built in, there, none")
    report.equal(database.query("SELECT (rampart.check_alert_rule(r)).name FROM rampart.alert_rule r EXCEPT SELECT name FROM rampart.alert_rule"), [], "arguments: the rules that came with Rampart are good")


def check_defaults(world, report):
    database = world.database("alerts_default")
    database.query("SELECT rampart.start_sealing()")
    log = Log(database)
    database.query("CREATE TABLE d (id int PRIMARY KEY); SELECT rampart.audit_table('d')"), database.query("ALTER TABLE d DISABLE TRIGGER rampart_audit_row")
    log.put("auth.login_failure", 0, metadata={"account": "ada"}, copies=5), log.put("audit.queue_overflow", 1, "high"), log.put("audit.tamper_detected", 2, "critical")
    got = {(rule, group) for rule, group, _, _ in log.alerts()}
    report.equal(got, {("login_failures", ("ada",)), ("events_lost", ()), ("tampering", ()), ("auditing_disabled", ("public.d",))}, "defaults: work as they come")
    database.query("SELECT rampart.alter_alert_rule('login_failures', '{\"threshold\": 7}'); SELECT rampart.create_alert_rule('mine', 'single', '{a.b}')")
    archive = world.cluster.directory + "/alerts.dump"
    run("pg_dump", "-Fc", "-f", archive, "-d", world.cluster.dsn(database=database.name) + " options='-c rampart.reveal=off'")
    world.cluster.query("CREATE DATABASE alerts_restored")
    done = run("pg_restore", "-d", world.cluster.dsn(database="alerts_restored"), archive, check=False)
    restored = Database(world.cluster, "alerts_restored")
    same = "SELECT r.*::text FROM rampart.{0} r ORDER BY 1".replace("r.*::text", "r::text")
    report.equal((done.returncode, done.stderr, [restored.query(same.format(t)) for t in ("alert_rule", "alert")]),
                 (0, "", [database.query(same.format(t)) for t in ("alert_rule", "alert")]), "defaults: a dump carries rules, changed ones too, and alerts")
    report.ok(restored.value("SELECT min(next_index) FROM rampart.alert_position WHERE class = 'security'") > 0, "defaults: and how far they are evaluated")


def check_load(world, report):
    """100,000 entries and 20 rules: printed, not judged."""
    database = world.database("alerts_load")
    database.query("SELECT rampart.start_sealing()"), database.query(QUIET)
    log = Log(database)
    for number in range(20):
        database.query("SELECT rampart.create_alert_rule(%s, %s, '{auth.login_failure,auth.login_success}', group_by => '{actor}', threshold => 100)", (f"r{number}", ["single", "threshold"][number % 2]))
    for actor in range(10):
        log.put("auth.login_failure", 0, actor=f"user {actor}", copies=1000)
    log.put("data.update", 0, copies=90000, metadata={"a": 1}, event_class="normal")
    database.query("SELECT rampart.seal()")
    began = time.time()
    log.evaluate()
    print(f"# {100000} entries, a tenth of which each of 20 rules wants: {time.time() - began:.1f} s")
    report.equal(database.value("SELECT count(DISTINCT rule) FROM rampart.alert"), 20, "load: all rules have fired")


def check(world, report):
    database = world.database("alerts")
    database.query("SELECT rampart.alter_event(name, enabled => true) FROM unnest('{alert.acknowledged,alert.resolved}'::text[]) name")
    database.query("SELECT rampart.start_sealing()"), database.query(QUIET)
    log = Log(database)
    check_single(database, log, report)
    check_threshold(world, database, log, report)
    check_first_seen(database, log, report)
    check_volume(database, log, report)
    check_once(world, database, log, report)
    check_storm(database, log, report)
    check_life(database, log, report)
    check_arguments(database, report)
    check_defaults(world, report)
    check_load(world, report)
