"""What a rotation must not set off: triggers, rules, policies, constraints, events; and how it goes with locks and settings."""
import psycopg2

from world import on, wait_until

ROWS = 3000
TABLES = f"""
CREATE ROLE owner; CREATE ROLE operator LOGIN; CREATE ROLE stranger LOGIN;
GRANT CREATE, USAGE ON SCHEMA public TO owner;
CREATE TABLE fired (what text);
GRANT ALL ON fired TO PUBLIC;
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO fired VALUES (TG_NAME); IF TG_OP = 'UPDATE' AND TG_LEVEL = 'ROW' THEN NEW.plain := 'fired'; END IF; RETURN NEW; END $$;
CREATE TABLE parent (mail enc_text(pii, deterministic) PRIMARY KEY, name enc_text(pii), plain text);
CREATE TABLE child (id int PRIMARY KEY, mail enc_text(pii, deterministic) REFERENCES parent ON UPDATE CASCADE ON DELETE CASCADE,
                    name enc_text(pii) CHECK (name IS NOT NULL), plain text CHECK (plain <> 'fired'),
                    late enc_int8(pii, deterministic) UNIQUE DEFERRABLE INITIALLY DEFERRED,
                    copy enc_text(pii, deterministic) GENERATED ALWAYS AS (mail) STORED,
                    room int4range, note enc_text(pii), EXCLUDE USING gist (room WITH &&));
ALTER TABLE child ADD CHECK (plain <> 'never') NOT VALID;
CREATE INDEX ON child ((mail)) WHERE mail IS NOT NULL;
CREATE INDEX ON child (plain) INCLUDE (mail) WHERE id % 2 = 0;
INSERT INTO parent SELECT 'mail' || i, 'name', 'p' FROM generate_series(1, {ROWS}) i;
INSERT INTO child (id, mail, name, plain, late, room, note)
SELECT i, 'mail' || i, 'name', 'p', i, int4range(i, i + 1), 'n' FROM generate_series(1, {ROWS}) i;
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER after_row AFTER INSERT OR UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER of_column AFTER UPDATE OF mail ON child FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER before_statement BEFORE UPDATE ON child EXECUTE FUNCTION fire();
CREATE TRIGGER after_statement AFTER UPDATE ON child EXECUTE FUNCTION fire();
CREATE TRIGGER always BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER replica BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION fire();
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON child DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fire();
ALTER TABLE child ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER replica;
CREATE TRIGGER on_parent AFTER UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION fire();
CREATE RULE also AS ON UPDATE TO child DO ALSO INSERT INTO fired VALUES ('rule');
CREATE FUNCTION fire_event() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.fired VALUES ('event'); END $$;
ALTER TABLE child ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY none ON child USING (false);
ALTER TABLE child OWNER TO owner;
ALTER TABLE parent OWNER TO owner;
CREATE EVENT TRIGGER fire ON ddl_command_end EXECUTE FUNCTION fire_event();
"""
SETTINGS = ["statement_timeout = 1", "idle_in_transaction_session_timeout = 1", "lock_timeout = 1", "default_transaction_read_only = on",
            "default_transaction_isolation = 'serializable'", "default_transaction_deferrable = on", "search_path = ''", "row_security = off",
            "session_replication_role = 'replica'", "rampart.reveal = off", "rampart.allow_deterministic = off", "work_mem = '64kB'",
            "DateStyle = 'German'", "zero_damaged_pages = off"]
SAID = """SELECT md5(string_agg(row, chr(10) ORDER BY row)) FROM (
              SELECT (id, mail::text, name::text, plain, late::int8, copy::text, room, note::text)::text FROM child
              UNION ALL SELECT (mail::text, name::text, plain)::text FROM parent) s (row)"""


def check_constraints(database, report):
    """The indexes and keys are as good as before."""
    failure = database.failure
    report.equal(failure("INSERT INTO parent VALUES ('mail7')"), "23505", "undisturbed: UNIQUE still finds a value")
    database.query("ALTER TABLE child DISABLE TRIGGER USER; ALTER TABLE child DISABLE RULE also")
    report.equal(failure("INSERT INTO child VALUES (-1, 'mail7', 'x', 'x', 7)"), "23505", "undisturbed: so does a deferred one")
    report.equal(failure("INSERT INTO child VALUES (-1, 'nobody', 'x', 'x', -7)"), "23503", "undisturbed: the foreign key is asked")
    report.equal(failure("INSERT INTO child VALUES (-1, 'mail7', 'x', 'x', -7, DEFAULT, '[7,9)')"), "23P01", "undisturbed: so is an exclusion")
    database.query("UPDATE parent SET mail = 'renamed' WHERE mail = 'mail7'; DELETE FROM parent WHERE mail = 'mail8'")
    report.equal(database.query("SELECT id, copy::text FROM child WHERE id IN (7, 8)"), [(7, "renamed")], "undisturbed: ON UPDATE and DELETE CASCADE")
    by_index = database.query("SELECT id FROM child WHERE mail = 'mail9'", options="-c enable_seqscan=off")
    report.equal(by_index, [(9,)], "undisturbed: the expression index answers")
    database.query("CREATE EXTENSION amcheck")
    report.equal(failure("""SELECT bt_index_check(indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                            WHERE indrelid IN ('child'::regclass, 'parent'::regclass) AND c.relam = 403"""), None, "undisturbed: amcheck finds nothing")


def check_quiet(database, report):
    before = database.value(SAID)
    versions = "SELECT n_tup_upd, n_tup_ins, n_tup_del FROM pg_stat_user_tables WHERE relname = 'child'"
    size = database.value("SELECT pg_relation_size('child')")
    for setting in SETTINGS:
        database.cluster.query(f"ALTER DATABASE undisturbed SET {setting}")
    calm = "-c statement_timeout=0 -c default_transaction_read_only=off -c lock_timeout=0 -c default_transaction_isolation=read\\ committed " \
           "-c default_transaction_deferrable=off -c rampart.reveal=on -c idle_in_transaction_session_timeout=0 -c search_path=public"
    rotation = database.query("SELECT rampart.start_rotation('pii', batch => 500)", options=calm)[0][0]
    state = wait_until(lambda: database.query("SELECT state FROM rampart.rotation WHERE id = %s", (rotation,), options=calm)[0][0],
                       lambda state: state != "running", 20)
    for setting in SETTINGS:
        database.cluster.query(f"ALTER DATABASE undisturbed RESET {setting.split()[0]}")
    report.equal(state, "complete", "undisturbed: complete under a database's settings")
    report.equal((database.value(SAID), database.old_values()), (before, 0), "undisturbed: all values as before, and new versions")
    report.equal(database.query("SELECT what, count(*) FROM fired GROUP BY 1"), [], "undisturbed: no trigger, rule or event fired")
    updates = wait_until(lambda: database.query(versions)[0], lambda row: row[0] >= ROWS, 5)
    report.equal(updates, (ROWS, ROWS, 0), "undisturbed: one new version a row")
    report.ok(database.value("SELECT pg_relation_size('child')") <= 2.1 * size, "undisturbed: the table has at most doubled")


def check_ordinary(database, report):
    """All that was quiet is awake."""
    report.equal(database.failure("UPDATE child SET note = 'again' WHERE id = 1"), "23514", "undisturbed: an UPDATE does fire triggers, and is checked")
    for sql in ("ALTER TABLE child DISABLE TRIGGER before_row, DISABLE TRIGGER always", "UPDATE child SET note = 'again' WHERE id = 1",
                "ALTER TABLE child ENABLE TRIGGER before_row, ENABLE ALWAYS TRIGGER always"):
        database.query(sql)
    fired = {what for what, in database.query("SELECT what FROM fired")}
    report.ok({"after_row", "before_statement", "after_statement", "late", "rule", "event"} <= fired, "undisturbed: all of them", fired)


def check_locks(database, report):
    rotation = database.start(batch=100, max_rows_per_second=1000)
    seen = set()
    held = """SELECT DISTINCT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
              JOIN pg_stat_activity a ON a.pid = l.pid
              WHERE a.backend_type = 'rampart worker' AND l.granted AND l.locktype = 'relation' AND c.relname IN ('child', 'parent')"""
    connection = database.connect()
    wait_until(lambda: seen.update(on(connection, held)), lambda _: ("child", "RowExclusiveLock") in seen, 5)
    wait_until(lambda: seen.update(on(connection, held)), lambda _: False, 0.5)
    report.equal({mode for _, mode in seen}, {"RowExclusiveLock"}, "locks: ROW EXCLUSIVE on tables, nothing stronger")
    slowest = connection_time = 0
    for n in range(5):
        connection_time = on(connection, "SELECT extract(epoch FROM clock_timestamp())")[0][0]
        on(connection, f"ALTER TABLE child ADD extra{n} int")
        slowest = max(slowest, on(connection, "SELECT extract(epoch FROM clock_timestamp())")[0][0] - connection_time)
    report.ok(slowest < 1, "locks: ALTER TABLE in mid-rotation waits for a batch at most", f"{slowest} s")
    database.query("SELECT rampart.set_rotation_pace(%s)", (rotation,))
    report.equal(database.wait(rotation), "complete", "locks: and the rotation completes")
    connection.close()


def check_round_a_locked_table(database, report):
    holder = database.connect(autocommit=False)
    on(holder, "ALTER TABLE child ADD held int")
    starter = database.connect(options="-c statement_timeout=5s")
    try:
        rotation = on(starter, "SELECT rampart.start_rotation('pii')")[0][0]
    except psycopg2.Error as error:
        holder.rollback()
        report.ok(False, "locks: a rotation starts beside a locked table", error)
        return
    done = "SELECT name, state FROM rampart.rotation_table WHERE rotation = %s ORDER BY 1"
    seen = wait_until(lambda: database.query(done, (rotation,)), lambda rows: rows[1][1] == "done", 10)
    report.equal(seen, [("public.child", "pending"), ("public.parent", "done")], "locks: a rotation goes round a locked table")
    shown = "SELECT DISTINCT state FROM rampart.rotation_progress WHERE rotation = %s AND table_name = 'public.child'"
    report.equal(wait_until(lambda: database.query(shown, (rotation,)), lambda rows: rows == [("waits for a lock",)], 5),
                 [("waits for a lock",)], "locks: and says so")
    holder.commit()
    report.equal((database.wait(rotation), database.old_values()), ("complete", 0), "locks: and comes back to it")


def check_identity(database, report):
    """Replica identities of published tables; one without is that table's trouble alone."""
    database.query("""
        CREATE TABLE whole (mail enc_text(pii)); ALTER TABLE whole REPLICA IDENTITY FULL;
        CREATE TABLE indexed (mail enc_text(pii, deterministic) NOT NULL UNIQUE); ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_mail_key;
        CREATE TABLE nothing (id int PRIMARY KEY, mail enc_text(pii)); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
        CREATE TABLE zzz_last (mail enc_text(pii));
        INSERT INTO whole VALUES ('a'), ('b'); INSERT INTO indexed VALUES ('a'), ('b');
        INSERT INTO nothing VALUES (1, 'a'), (2, 'b'); INSERT INTO zzz_last VALUES ('a');
        CREATE PUBLICATION p FOR TABLE whole, indexed, nothing""")
    rotation = database.start()
    state = database.wait(rotation, 8)
    places = database.query("SELECT DISTINCT c.relation::text FROM rampart.key_census('pii') c JOIN rampart.key k ON k.id = c.key_id "
                            "WHERE k.state <> 'active'")
    report.equal((state, places), ("complete with errors", [("nothing",)]), "identity: all but the table without one are rotated")
    shown = database.query("SELECT DISTINCT last_error FROM rampart.rotation_progress WHERE rotation = %s AND table_name = 'public.nothing'", (rotation,))
    report.ok("replica identity" in str(shown), "identity: its error is shown with the table", shown)
    database.query("DROP PUBLICATION p")
    if state == "running":
        database.wait(rotation)
    report.equal((database.rotate(new_key="false"), database.old_values()), ("complete", 0), "identity: the next rotation takes it in")


def check(world, report):
    database = world.database("undisturbed", "pii")
    database.query(TABLES)
    check_quiet(database, report)
    check_ordinary(database, report)
    check_locks(database, report)
    check_round_a_locked_table(database, report)
    database.query("DROP EVENT TRIGGER fire")
    check_constraints(database, report)
    check_identity(database, report)
