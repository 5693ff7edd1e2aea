-- The audit log's tables. extension/pg/audit/log.cpp fills in audit_log by column number.
--
-- The log is cut by class, which have retention times of their own, and each class by month. Only what is
-- made here belongs to the extension: a month's partition is a table of the user's, which a dump carries
-- whole, and which is there again before its rows are. The default partitions take what no month is there
-- for, so that no writer is refused.

CREATE SEQUENCE rampart.audit_log_id;

-- Not dumped. A copy of the files (a replica, a recovery, an upgrade) goes on with the transaction ids of what it was
-- copied from, and with its number.
CREATE TABLE rampart.audit_here (lineage int8 NOT NULL);
COMMENT ON TABLE rampart.audit_here IS
'A random number for this database, made by CREATE EXTENSION: a database restored from a dump counts transactions anew, and has another.';
INSERT INTO rampart.audit_here VALUES (('x' || left(translate(gen_random_uuid()::text, '-', ''), 16))::bit(64)::int8);

CREATE TABLE rampart.audit_log (
    id           int8 NOT NULL,
    at           timestamptz NOT NULL,
    xid          xid8 NOT NULL,
    lineage       int8 NOT NULL,
    event        text NOT NULL,
    class        text NOT NULL,
    severity     text NOT NULL,
    actor        text,
    org          text,
    ip           inet,
    user_agent   text,
    request_id   text,
    role         name NOT NULL,
    session_role name NOT NULL,
    application  text,
    client       inet,
    relation     text,
    relation_id  oid,
    operation    text,
    key          jsonb,
    old          jsonb,
    new          jsonb,
    metadata     jsonb,
    salt         bytea,
    erased       bytea
) PARTITION BY LIST (class);
COMMENT ON TABLE rampart.audit_log IS
'The audit log: who did what, when, from where and for whom. Append-only. Partitioned by class (normal, security), and by month in UTC.';
COMMENT ON COLUMN rampart.audit_log.id IS 'Rises with the order in which entries of a row were written; has gaps.';
COMMENT ON COLUMN rampart.audit_log.xid IS 'The transaction whose commit made the entry valid.';
COMMENT ON COLUMN rampart.audit_log.lineage IS 'The database whose transaction it was (rampart.audit_here). A log that was restored from a dump has entries of another.';
COMMENT ON COLUMN rampart.audit_log.actor IS 'From rampart.set_context, as org, ip, user_agent and request_id are.';
COMMENT ON COLUMN rampart.audit_log.role IS 'The role that wrote: current_user at the write.';
COMMENT ON COLUMN rampart.audit_log.session_role IS 'The role that logged in: session_user.';
COMMENT ON COLUMN rampart.audit_log.client IS 'The address of the database connection; NULL over a Unix socket.';
COMMENT ON COLUMN rampart.audit_log.relation IS 'The audited table, with its schema. Of a partition: the table it is part of; its own name is in metadata.';
COMMENT ON COLUMN rampart.audit_log.key IS 'The row''s primary key, else its replica identity; NULL where it has neither.';
COMMENT ON COLUMN rampart.audit_log.old IS 'Values before: of an UPDATE, the changed columns. Encrypted values are armour.';
COMMENT ON COLUMN rampart.audit_log.new IS 'Values after: of an UPDATE, the changed columns. Encrypted values are armour.';
COMMENT ON COLUMN rampart.audit_log.salt IS 'Random; hides the payload (key, old, new, metadata) in the hash of the entry.';
COMMENT ON COLUMN rampart.audit_log.erased IS 'The salted hash of a payload that was erased.';

CREATE TABLE rampart.audit_log_normal PARTITION OF rampart.audit_log FOR VALUES IN ('normal') PARTITION BY RANGE (at);
CREATE TABLE rampart.audit_log_security PARTITION OF rampart.audit_log FOR VALUES IN ('security') PARTITION BY RANGE (at);
CREATE TABLE rampart.audit_log_normal_other PARTITION OF rampart.audit_log_normal DEFAULT USING heap;
CREATE TABLE rampart.audit_log_security_other PARTITION OF rampart.audit_log_security DEFAULT USING heap;
COMMENT ON TABLE rampart.audit_log_normal IS 'Entries of class normal: row changes.';
COMMENT ON TABLE rampart.audit_log_security IS 'Entries of class security.';
COMMENT ON TABLE rampart.audit_log_normal_other IS 'Entries of class normal of months without a partition.';
COMMENT ON TABLE rampart.audit_log_security_other IS 'Entries of class security of months without a partition.';

CREATE TABLE rampart.audited_table (
    relation regclass PRIMARY KEY,
    root     regclass NOT NULL,
    exclude  name[] NOT NULL DEFAULT '{}',
    redact   name[] NOT NULL DEFAULT '{}',
    active   bool,
    name     text NOT NULL,
    since    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audited_table IS 'Tables whose changes are recorded, and their partitions. rampart.audit_table and unaudit_table change it.';
COMMENT ON COLUMN rampart.audited_table.root IS 'Of a partition: the table that was given to audit_table.';
COMMENT ON COLUMN rampart.audited_table.name IS 'The table''s name with its schema, as last seen.';
COMMENT ON COLUMN rampart.audited_table.active IS 'Whether the triggers were seen in place; NULL while they are being made.';

SELECT pg_extension_config_dump('rampart.audit_log_id', '');
SELECT pg_extension_config_dump('rampart.audit_log_normal_other', '');
SELECT pg_extension_config_dump('rampart.audit_log_security_other', '');
-- The number of a table that was dropped may mean another table elsewhere.
SELECT pg_extension_config_dump('rampart.audited_table', 'WHERE relation IN (SELECT oid FROM pg_catalog.pg_class) AND root IN (SELECT oid FROM pg_catalog.pg_class)');

CREATE FUNCTION rampart.audited_table_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'rampart_audited_table_changed' LANGUAGE C;
COMMENT ON FUNCTION rampart.audited_table_changed() IS 'Trigger: every session reads the settings anew after the commit.';
CREATE TRIGGER audited_table_changed AFTER INSERT OR UPDATE OR DELETE ON rampart.audited_table
    FOR EACH ROW EXECUTE FUNCTION rampart.audited_table_changed();
ALTER TABLE rampart.audited_table ENABLE ALWAYS TRIGGER audited_table_changed;

-- Append-only ------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.refuse_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- An erasure: the hash of the payload in its place, and all else, the entry's leaf too, as it was.
    IF TG_OP = 'UPDATE' AND NEW.erased = rampart.payload_hash(OLD.salt, OLD.key, OLD.old, OLD.new, OLD.metadata)
       AND num_nonnulls(NEW.salt, NEW.key, NEW.old, NEW.new, NEW.metadata, OLD.erased) = 0
       AND (to_jsonb(OLD) - '{salt,key,old,new,metadata,erased}'::text[]) = (to_jsonb(NEW) - '{salt,key,old,new,metadata,erased}'::text[]) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'RMA01';
END
$$;
COMMENT ON FUNCTION rampart.refuse_change() IS 'Trigger: the audit log is append-only, but for erasures (erase_entry). Errors: RMA01.';

-- Partitions inherit it.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rampart.audit_log
    FOR EACH ROW EXECUTE FUNCTION rampart.refuse_change();
ALTER TABLE rampart.audit_log ENABLE ALWAYS TRIGGER append_only;

-- What each table of the log has for itself. Indexes are the partitions' own: those of a partitioned table
-- would be made by a restore, and then once more.
CREATE FUNCTION rampart.finish_audit_partition(relation regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION rampart.refuse_change()', relation);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_truncate', relation);
    IF (SELECT c.relkind FROM pg_class c WHERE c.oid = relation) = 'r' THEN
        -- As the sealer and proofs look for entries.
        EXECUTE format('CREATE INDEX ON %s (xid, id)', relation);
        -- Of any length, and of whatever types.
        EXECUTE format('CREATE INDEX ON %s USING hash (key)', relation);
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.finish_audit_partition(regclass) IS 'Gives a new table of the audit log its trigger and indexes.';

SELECT rampart.finish_audit_partition(t::regclass)
FROM unnest('{rampart.audit_log,rampart.audit_log_normal,rampart.audit_log_security,rampart.audit_log_normal_other,rampart.audit_log_security_other}'::text[]) t;

-- Months -----------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.create_class_partitions(class text, months_ahead int) RETURNS int
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parent text := format('rampart.audit_log_%s', class);
    this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    months timestamp[];
    astray bool;
    first timestamp;
BEGIN
    -- Only writers without a month's partition wait for this.
    EXECUTE format('LOCK TABLE %s_other IN ACCESS EXCLUSIVE MODE', parent);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s_other)', parent) INTO astray;
    IF astray AND current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries can be moved at isolation level READ COMMITTED only' USING ERRCODE = '25001';
    END IF;
    EXECUTE format('SELECT array_agg(m ORDER BY m) FROM (
                        SELECT $1 + make_interval(months => i) FROM generate_series(0, $2) i
                        UNION SELECT date_trunc(''month'', at AT TIME ZONE ''UTC'') FROM %s_other) u (m)
                    WHERE to_regclass(%L || to_char(m, ''_YYYY_MM'')) IS NULL', parent, parent)
        INTO months USING this_month, months_ahead;
    FOREACH first IN ARRAY coalesce(months, '{}') LOOP
        EXECUTE format('CREATE TABLE %s_%s (LIKE rampart.audit_log) USING heap', parent, to_char(first, 'YYYY_MM'));
        EXECUTE format('INSERT INTO %s_%s SELECT * FROM %s_other WHERE date_trunc(''month'', at AT TIME ZONE ''UTC'') = $1',
                       parent, to_char(first, 'YYYY_MM'), parent) USING first;
    END LOOP;
    IF astray THEN
        EXECUTE format('ALTER TABLE %s_other DISABLE TRIGGER append_only_truncate', parent);
        EXECUTE format('TRUNCATE %s_other', parent);
        EXECUTE format('ALTER TABLE %s_other ENABLE ALWAYS TRIGGER append_only_truncate', parent);
    END IF;
    FOREACH first IN ARRAY coalesce(months, '{}') LOOP
        EXECUTE format('ALTER TABLE %1$s ATTACH PARTITION %1$s_%2$s FOR VALUES FROM (%3$L) TO (%4$L)', parent,
                       to_char(first, 'YYYY_MM'), first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
        PERFORM rampart.finish_audit_partition(format('%s_%s', parent, to_char(first, 'YYYY_MM'))::regclass);
        PERFORM rampart.veil_audit_partition(format('%s_%s', parent, to_char(first, 'YYYY_MM'))::regclass);
        EXECUTE format('COMMENT ON TABLE %s_%s IS %L', parent, to_char(first, 'YYYY_MM'),
                       format('Entries of class %s of %s, in UTC.', class, to_char(first, 'YYYY-MM')));
    END LOOP;
    RETURN coalesce(cardinality(months), 0);
END
$$;
COMMENT ON FUNCTION rampart.create_class_partitions(text, int) IS 'create_audit_partitions of one class. Errors: 25001.';

CREATE FUNCTION rampart.create_audit_partitions(months_ahead int DEFAULT 2) RETURNS int
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF months_ahead NOT BETWEEN 0 AND 120 THEN
        RAISE EXCEPTION 'months_ahead is from 0 to 120' USING ERRCODE = '22023';
    END IF;
    -- One at a time; writers are not kept waiting.
    LOCK TABLE rampart.audit_log IN SHARE UPDATE EXCLUSIVE MODE;
    RETURN rampart.create_class_partitions('normal', months_ahead) + rampart.create_class_partitions('security', months_ahead);
END
$$;
COMMENT ON FUNCTION rampart.create_audit_partitions(int) IS
'Makes the audit log''s partitions for this month and so many after it, and for months that the default partitions hold entries of, which are moved. To be called once a month or oftener. Returns how many it made. Errors: 22023; 25001 where entries are to be moved at another isolation level than READ COMMITTED.';

CREATE FUNCTION rampart.provide_audit_partitions() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rampart.audited_table) AND to_regclass(to_char((now() + interval '1 month') AT TIME ZONE 'UTC', '"rampart.audit_log_security_"YYYY_MM')) IS NULL THEN
        PERFORM set_config('lock_timeout', '1s', true);
        PERFORM rampart.create_audit_partitions();
    END IF;
EXCEPTION WHEN OTHERS THEN
    -- Entries of a month without a partition go to the default one meanwhile.
    RAISE WARNING 'cannot make the audit log''s partition for next month: %', SQLERRM USING ERRCODE = SQLSTATE;
END
$$;
COMMENT ON FUNCTION rampart.provide_audit_partitions() IS
'Makes partitions where tables are audited and next month has none; called by the background worker. A failure is a warning, and tried again.';

CREATE VIEW rampart.audit_partitions AS
    SELECT replace(p.parentrelid::regclass::text, 'rampart.audit_log_', '') AS class, p.relid::regclass AS partition,
           pg_get_expr(c.relpartbound, c.oid) AS bounds, pg_total_relation_size(p.relid) AS bytes,
           c.reltuples::int8 AS entries_estimated
    FROM pg_partition_tree('rampart.audit_log') p JOIN pg_class c ON c.oid = p.relid
    WHERE p.isleaf
    ORDER BY 1, 2;
COMMENT ON VIEW rampart.audit_partitions IS
'The audit log''s partitions: class, bounds, size on disk with indexes, entries as last counted by ANALYZE. DEFAULT: months that no partition was there for.';
