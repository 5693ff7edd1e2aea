"""A role with every right on a table cannot write without a trace, nor write a false one, nor change the log."""


def check_log(database, report):
    database.query("GRANT ALL ON ALL TABLES IN SCHEMA rampart TO owner")
    leaf = database.value("SELECT partition::text FROM rampart.audit_partitions WHERE class = 'normal' AND bytes > 0 AND partition::text NOT LIKE '%%other' LIMIT 1")
    everything = "SELECT sha256(string_agg(l::text, '|' ORDER BY l.xid, l.id)::bytea) FROM rampart.audit_log l WHERE class = 'normal'"
    before = database.value(everything)
    for who in ("owner", "postgres"):
        for statement in ("UPDATE rampart.audit_log SET actor = 'x'", "DELETE FROM rampart.audit_log", "TRUNCATE rampart.audit_log", f"UPDATE {leaf} SET actor = 'x'",
                          f"DELETE FROM {leaf}", f"TRUNCATE {leaf}", "TRUNCATE rampart.audit_log_normal", "TRUNCATE rampart.audit_log_normal_other",
                          "MERGE INTO rampart.audit_log l USING (VALUES (1)) v ON true WHEN MATCHED THEN DELETE"):
            state = database.failure(statement, user=who)
            # Row-level security leaves a role with every privilege nothing to change, and what it has not got to the trigger.
            report.ok(state == "RMA01" or (who == "owner" and state in (None, "42501")), f"log: refused to {who}: {statement}", state)
    report.equal(database.value(everything), before, "log: as it was")
    report.equal(database.failure("SET session_replication_role = replica; DELETE FROM rampart.audit_log"), "RMA01", "log: also as replica")
    database.query("REVOKE ALL ON ALL TABLES IN SCHEMA rampart FROM owner")
    for statement in ("INSERT INTO rampart.audit_log SELECT * FROM rampart.audit_log", f"INSERT INTO {leaf} SELECT * FROM {leaf}", "SELECT * FROM rampart.audit_log",
                      f"SELECT * FROM {leaf}", "UPDATE rampart.audited_table SET active = false", "SELECT rampart.unaudit_table('t')",
                      "SELECT rampart.write_event('x', 'info', NULL, NULL, NULL, NULL)", "SELECT nextval('rampart.audit_log_id')",
                      "SELECT * FROM rampart.row_history('t', '{}')", "CREATE TABLE mine (a int); CREATE TRIGGER x AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION rampart.audit_row()",
                      "ALTER EVENT TRIGGER rampart_watch_auditing DISABLE", "DROP EVENT TRIGGER rampart_watch_audited_drops", "SET session_replication_role = replica"):
        report.equal(database.failure(statement, user="owner"), "42501", f"log: refused to a table's owner: {statement}")


def check_traces(database, report):
    def trace(sql, expected, name, user="owner"):
        last = database.last()
        database.query(sql, user=user)
        report.equal(database.events(last), [(event, "public.t") for event in expected], f"trace: {name}")

    off, back = "audit.disabled", "audit.enabled"
    for name in ("rampart_audit_row", "rampart_audit_truncate"):
        trace(f"ALTER TABLE t DISABLE TRIGGER {name}; INSERT INTO t DEFAULT VALUES; ALTER TABLE t ENABLE ALWAYS TRIGGER {name}", [off, back], f"DISABLE TRIGGER {name}")
        trace(f"ALTER TABLE t ENABLE REPLICA TRIGGER {name}; ALTER TABLE t ENABLE ALWAYS TRIGGER {name}", [off, back], f"ENABLE REPLICA TRIGGER {name}")
    trace("ALTER TABLE t DISABLE TRIGGER USER", [off], "DISABLE TRIGGER USER")
    report.equal(database.query("SELECT active FROM rampart.audited_tables WHERE relation = 't'::regclass"), [(False,)], "trace: audited_tables shows it")
    trace("SELECT rampart.audit_table('t')", [back], "audit_table mends it", "postgres")
    trace("DROP TRIGGER rampart_audit_row ON t", [off], "DROP TRIGGER")
    trace("SELECT rampart.audit_table('t')", [back], "audit_table makes it again", "postgres")
    trace("ALTER TRIGGER rampart_audit_row ON t RENAME TO other; ALTER TABLE t ADD x int", [], "a renamed trigger works on")
    last = database.last()
    database.query("CREATE OR REPLACE TRIGGER other AFTER INSERT ON t FOR EACH ROW WHEN (false) EXECUTE FUNCTION suppress_redundant_updates_trigger()", user="owner")
    report.equal(database.events(last), [(off, "public.t")], "trace: a trigger replaced by another")
    who = database.query("SELECT role, session_role, severity, metadata ->> 'reason' FROM rampart.audit_log WHERE id > %s", (last,))
    report.equal(who, [("owner", "owner", "critical", "create trigger")], "trace: by whom and how")
    changed = "schema.object_changed"
    trace("ALTER TABLE t ALTER a TYPE int8 USING 666; ALTER TABLE t DROP a", [changed, changed], "values changed or lost by ALTER TABLE")
    last = database.last()
    database.query("ALTER TABLE t RENAME TO renamed; CREATE TABLE t (id int); DROP TABLE renamed", user="owner")
    report.equal(database.events(last), [(changed, "public.renamed"), (off, "public.renamed")], "trace: renaming it out of the way, and DROP TABLE")
    database.query("CREATE SCHEMA s AUTHORIZATION owner; CREATE TABLE s.t (a int); SELECT rampart.audit_table('s.t')")
    last = database.last()
    database.query("DROP SCHEMA s CASCADE")
    report.equal(database.events(last), [(off, "s.t")], "trace: DROP SCHEMA CASCADE")


def check_pretence(database, report):
    """Objects of the user's that bear the names of what the trigger uses."""
    database.query("CREATE TABLE p (id int PRIMARY KEY, a text); SELECT rampart.audit_table('p'); GRANT ALL ON p TO owner")
    database.query("CREATE SCHEMA trap; GRANT ALL ON SCHEMA trap TO owner")
    last = database.last()
    database.query("SET search_path = trap, public, pg_catalog; CREATE TABLE trap.audit_log (a int); CREATE TABLE trap.audited_table (relation regclass, exclude name[]);"
                   "INSERT INTO p VALUES (1, 'x')", user="owner")
    report.equal([e[:2] for e in database.entries(last)], [("public.p", "INSERT")], "pretence: the search path changes nothing")
    report.equal(database.failure("SELECT rampart.audit_row()"), "0A000", "pretence: trigger functions are not called")


def check(world, report):
    database = world.database("evasion")
    database.query("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int); ALTER TABLE t OWNER TO owner; SELECT rampart.audit_table('t');"
                   "INSERT INTO t DEFAULT VALUES", user="postgres")
    check_log(database, report)
    check_traces(database, report)
    check_pretence(database, report)
