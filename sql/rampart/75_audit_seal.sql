-- Sealing: what makes tampering with the log evident.
--
-- Each class has a Merkle tree (RFC 6962) whose leaves are the hashes of its entries, and one signed checkpoint
-- states the size and root of all of them. Writers know nothing of it. The sealer, one at a time, appends the entries
-- of transactions that have ended since it last looked: a transaction left open delays its own entries and no others.
-- docs/formats.md has the bytes.

CREATE TABLE rampart.audit_tree (
    class  text PRIMARY KEY,
    origin text NOT NULL,
    size   int8 NOT NULL CHECK (size >= 0),
    front  bytea NOT NULL
);
COMMENT ON TABLE rampart.audit_tree IS 'The Merkle tree of each class. Without a row, sealing has not begun.';
COMMENT ON COLUMN rampart.audit_tree.origin IS 'The name of the log in its checkpoints, and of the key that signs them.';
COMMENT ON COLUMN rampart.audit_tree.size IS 'Leaves.';
COMMENT ON COLUMN rampart.audit_tree.front IS 'The frontier of the leaves that retention removed from the front.';

CREATE TABLE rampart.audit_lineage (
    lineage  int8 PRIMARY KEY,
    next     xid8 NOT NULL,
    open     xid8[] NOT NULL,
    system   int8,
    timeline int4,
    since    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audit_lineage IS
'How far the log is sealed: entries of all transactions below next but those that were open. A row for each database that wrote in it, transaction ids being its own; system and timeline are those of its cluster when it was last sealed.';

CREATE TABLE rampart.audit_run (
    class       text NOT NULL,
    first       int8 NOT NULL,
    entries     int8 NOT NULL CHECK (entries > 0),
    month       date NOT NULL,
    lineage      int8 NOT NULL,
    from_xid    xid8 NOT NULL,
    from_id     int8 NOT NULL,
    to_xid      xid8 NOT NULL,
    to_id       int8 NOT NULL,
    open        xid8[] NOT NULL,
    least_id    int8 NOT NULL,
    greatest_id int8 NOT NULL,
    sealed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed     bool NOT NULL DEFAULT false,
    PRIMARY KEY (class, first)
);
COMMENT ON TABLE rampart.audit_run IS
'Which entries are at which leaves: those of a class, month and lineage from (from_xid, from_id) up to and without (to_xid, to_id), in the order of (xid, id) and without transactions in open, from leaf first on.';
COMMENT ON COLUMN rampart.audit_run.removed IS 'Retention removed the entries; their leaves stay.';

CREATE TABLE rampart.audit_tile (
    class  text NOT NULL,
    level  int2 NOT NULL,
    index  int8 NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (class, level, index)
);
ALTER TABLE rampart.audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE rampart.audit_tile IS 'Hashes of the trees, in tiles of 256 (C2SP tlog-tiles).';

CREATE TABLE rampart.audit_signer (
    key      int8 PRIMARY KEY,
    verifier text NOT NULL,
    since    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audit_signer IS 'Public keys of the log. The private ones are in rampart.key, wrapped by the root key.';

CREATE TABLE rampart.audit_checkpoint (
    number int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    sizes  jsonb NOT NULL,
    note   text NOT NULL
);
COMMENT ON TABLE rampart.audit_checkpoint IS
'Signed heads (C2SP tlog-checkpoint). Keep copies where the database''s superuser cannot reach them: LISTEN rampart_checkpoint.';
COMMENT ON COLUMN rampart.audit_checkpoint.sizes IS 'Leaves by class, as the note has them.';

SELECT pg_extension_config_dump('rampart.audit_tree', '');
SELECT pg_extension_config_dump('rampart.audit_lineage', '');
SELECT pg_extension_config_dump('rampart.audit_run', '');
SELECT pg_extension_config_dump('rampart.audit_tile', '');
SELECT pg_extension_config_dump('rampart.audit_signer', '');
SELECT pg_extension_config_dump('rampart.audit_checkpoint', '');
SELECT pg_extension_config_dump('rampart.audit_checkpoint_number_seq', '');

-- Primitives, for the functions below only ---------------------------------------------------------------

CREATE FUNCTION rampart.ended_transactions(OUT next xid8, OUT open xid8[], OUT system int8, OUT timeline int4)
    AS 'MODULE_PATHNAME', 'rampart_ended_transactions' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.ended_transactions() IS
'All transactions below next but those in open have ended, and what they wrote can be read from now on. This transaction counts as open. Errors: 25006 on a standby.';

CREATE FUNCTION rampart.append_run(class text, size int8, partition regclass, month date, lineage int8, from_xid xid8,
                                   from_id int8, to_xid xid8, to_id int8, open xid8[],
                                   OUT entries int8, OUT least_id int8, OUT greatest_id int8,
                                   OUT next_xid xid8, OUT next_id int8)
    AS 'MODULE_PATHNAME', 'rampart_append_run' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.append_run(text, int8, regclass, date, int8, xid8, int8, xid8, int8, xid8[]) IS
'Appends a run to a tree of so many leaves; stores tiles only. At most 65,536 entries: next_xid and next_id are where the next run begins, NULL where that was all. Errors: RMA05.';

CREATE FUNCTION rampart.tree_root(class text, front bytea, size int8) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_tree_root' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.tree_root(text, bytea, int8) IS 'The root of the first leaves; NULL where tiles are missing.';
CREATE FUNCTION rampart.tree_frontier(class text, front bytea, size int8) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_tree_frontier' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.tree_frontier(text, bytea, int8) IS 'The frontier of the first leaves; NULL where tiles are missing.';
CREATE FUNCTION rampart.frontier_size(frontier bytea) RETURNS int8
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN ('x' || encode(substring(frontier FROM 1 FOR 8), 'hex'))::bit(64)::int8;
COMMENT ON FUNCTION rampart.frontier_size(bytea) IS 'How many leaves a frontier stands for.';
CREATE FUNCTION rampart.inclusion_path(class text, front bytea, index int8, size int8) RETURNS bytea[]
    AS 'MODULE_PATHNAME', 'rampart_inclusion_path' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.inclusion_path(text, bytea, int8, int8) IS 'An inclusion proof; NULL where tiles are missing.';
CREATE FUNCTION rampart.consistency_path(class text, front bytea, old_size int8, new_size int8) RETURNS bytea[]
    AS 'MODULE_PATHNAME', 'rampart_consistency_path' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.consistency_path(text, bytea, int8, int8) IS 'A consistency proof; NULL where tiles are missing.';

CREATE FUNCTION rampart.sign_checkpoint(origin text, classes text[], sizes int8[], roots bytea[],
                                        key_id int8, version int4, wrapped bytea, root_key int8) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_sign_checkpoint' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.sign_checkpoint(text, text[], int8[], bytea[], int8, int4, bytea, int8) IS
'A checkpoint as a signed note. Errors: RMK02, RMK05, RMK06, 22023.';
CREATE FUNCTION rampart.log_verifier(origin text, key_id int8, version int4, wrapped bytea, root_key int8) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_log_verifier' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.log_verifier(text, int8, int4, bytea, int8) IS
'The public key of a signing key, as verifiers take it. Errors: RMK02, RMK05, RMK06, 22023.';
CREATE FUNCTION rampart.open_checkpoint(note text, origin text, verifiers text[])
RETURNS TABLE (class text, size int8, root bytea)
    AS 'MODULE_PATHNAME', 'rampart_open_checkpoint' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION rampart.open_checkpoint(text, text, text[]) IS
'The heads of a checkpoint that one of these keys signed under this origin; no row for any other text.';

-- The key and the start ------------------------------------------------------------------------------------

CREATE FUNCTION rampart.new_audit_key(origin text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made int8;
    verifier text;
BEGIN
    UPDATE rampart.key k SET state = 'retired', changed_at = now() WHERE k.purpose = 'signing' AND k.state = 'active';
    made := rampart.add_key('', 'signing',
        (SELECT coalesce(max(k.version), 0) + 1 FROM rampart.key k WHERE k.purpose = 'signing'));
    SELECT rampart.log_verifier(new_audit_key.origin, k.id, k.version, k.wrapped, k.root_key) INTO verifier
        FROM rampart.key k WHERE k.id = made;
    INSERT INTO rampart.audit_signer (key, verifier) VALUES (made, verifier);
    RETURN verifier;
END
$$;
COMMENT ON FUNCTION rampart.new_audit_key(text) IS 'Makes a key that signs from now on; returns its public half. Errors: RMK05.';

CREATE FUNCTION rampart.lock_sealing() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- An older snapshot would not show how far another session got that was waited for.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the audit log is sealed at isolation level READ COMMITTED only' USING ERRCODE = '25001';
    END IF;
    -- Verification, which holds a key share, does not keep the sealer waiting; retention it does.
    PERFORM FROM rampart.audit_tree t ORDER BY t.class FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'sealing has not begun' USING ERRCODE = 'RMA06', HINT = 'SELECT rampart.start_sealing();';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.lock_sealing() IS
'Keeps other sealers away until the end of the transaction. Errors: RMA06, 25001.';

CREATE FUNCTION rampart.start_sealing(origin text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text := coalesce(start_sealing.origin,
        format('rampart/%s/%s', (SELECT c.system_identifier FROM pg_control_system() c),
               regexp_replace(current_database(), '[^!-~]|\+', '_', 'g')));
    -- The frontier of no leaves.
    nothing bytea := '\x0000000000000000';
BEGIN
    IF name !~ '^[!-*,-~]+$' THEN
        RAISE EXCEPTION 'not a name for a log' USING ERRCODE = '22023', HINT = 'Printable ASCII without white space and +.';
    END IF;
    LOCK TABLE rampart.audit_tree IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM rampart.audit_tree) THEN
        IF start_sealing.origin IS NOT NULL AND start_sealing.origin <> (SELECT max(t.origin) FROM rampart.audit_tree t) THEN
            RAISE EXCEPTION 'the log has a name already' USING ERRCODE = '55000',
                DETAIL = format('It is %s.', (SELECT max(t.origin) FROM rampart.audit_tree t));
        END IF;
    ELSE
        PERFORM rampart.new_audit_key(name);
        INSERT INTO rampart.audit_tree (class, origin, size, front)
            VALUES ('normal', name, 0, nothing), ('security', name, 0, nothing);
        PERFORM rampart.create_default_alert_rules();
        PERFORM rampart.wake_auditor();
    END IF;
    RETURN (SELECT s.verifier FROM rampart.audit_signer s ORDER BY s.since DESC LIMIT 1);
END
$$;
COMMENT ON FUNCTION rampart.start_sealing(text) IS
'Begins to seal the audit log under a name of its own (by default of the cluster''s identifier and the database), and returns the public key that its checkpoints are verified with. audit_table does it where it was not done. Errors: RMK05 (no root key), 22023 (no name for a log), 55000 (it has another).';

CREATE FUNCTION rampart.rotate_audit_key() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.lock_sealing();
    RETURN rampart.new_audit_key((SELECT max(t.origin) FROM rampart.audit_tree t));
END
$$;
COMMENT ON FUNCTION rampart.rotate_audit_key() IS
'Makes a new signing key and returns its public half. The next checkpoint bears the signatures of the old key and of the new, so that whoever trusts the old one can take the new one over. Errors: RMA06, RMK05, 25001.';

-- Sealing --------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.audit_partition(class text, month date) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(
        (SELECT i.inhrelid::regclass FROM pg_inherits i
         WHERE i.inhparent = to_regclass('rampart.audit_log_' || class)
           AND i.inhrelid = to_regclass(format('rampart.audit_log_%s_%s', class, to_char(month, 'YYYY_MM')))),
        to_regclass(format('rampart.audit_log_%s_other', class)));
END;
COMMENT ON FUNCTION rampart.audit_partition(text, date) IS 'The partition that holds a month''s entries of a class.';

CREATE FUNCTION rampart.months_of(class text) RETURNS SETOF date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT to_date(right(c.relname, 7), ''YYYY_MM'') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = %1$L::regclass AND i.inhrelid <> %2$L::regclass
         UNION SELECT date_trunc(''month'', l.at AT TIME ZONE ''UTC'')::date FROM %2$s l ORDER BY 1',
        format('rampart.audit_log_%s', class), format('rampart.audit_log_%s_other', class));
END
$$;
COMMENT ON FUNCTION rampart.months_of(text) IS 'The months of which a class has, or may have, entries.';

CREATE FUNCTION rampart.seal_month(class text, month date, lineage int8, from_xid xid8, to_xid xid8, open xid8[]) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Below every id.
    lowest CONSTANT int8 := -9223372036854775808;
    partition regclass := rampart.audit_partition(class, month);
    size int8 := rampart.sealed_size(class);
    from_id int8 := lowest;
    run record;
    sealed int8 := 0;
BEGIN
    LOOP
        SELECT * INTO run FROM rampart.append_run(class, size + sealed, partition, month, lineage, from_xid, from_id, to_xid, lowest, open);
        EXIT WHEN run.entries = 0;
        INSERT INTO rampart.audit_run (class, first, entries, month, lineage, from_xid, from_id, to_xid, to_id, open, least_id, greatest_id)
            VALUES (class, size + sealed, run.entries, month, lineage, from_xid, from_id,
                    coalesce(run.next_xid, to_xid), coalesce(run.next_id, lowest), open, run.least_id, run.greatest_id);
        sealed := sealed + run.entries;
        EXIT WHEN run.next_xid IS NULL;
        from_xid := run.next_xid;
        from_id := run.next_id;
    END LOOP;
    IF sealed > 0 THEN
        UPDATE rampart.audit_tree t SET size = t.size + sealed WHERE t.class = seal_month.class;
    END IF;
    RETURN sealed;
END
$$;
COMMENT ON FUNCTION rampart.seal_month(text, date, int8, xid8, xid8, xid8[]) IS
'Appends one month''s entries of transactions from from_xid to below to_xid to the tree of their class. Errors: RMA05.';

CREATE FUNCTION rampart.seal_transactions(lineage int8, from_xid xid8, to_xid xid8, open xid8[]) RETURNS int8
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(sum(rampart.seal_month(c.class, c.month, lineage, from_xid, to_xid, open)), 0)::int8
    FROM (SELECT t.class, m.month FROM rampart.audit_tree t CROSS JOIN LATERAL rampart.months_of(t.class) m (month)
          ORDER BY t.class, m.month) c;
END;
COMMENT ON FUNCTION rampart.seal_transactions(int8, xid8, xid8, xid8[]) IS
'Appends the entries of transactions from from_xid to below to_xid, without those in open, to the trees. Errors: RMA05.';

CREATE FUNCTION rampart.seal_late(lineage int8, ended xid8[]) RETURNS int8
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(sum(rampart.seal_transactions(lineage, x.xid, (x.xid::text::int8 + 1)::text::xid8, '{}')), 0)::int8
    FROM (SELECT u.xid FROM unnest(ended) u (xid)
          WHERE EXISTS (SELECT FROM rampart.audit_log l WHERE l.xid = u.xid AND l.lineage = seal_late.lineage)
          ORDER BY u.xid) x;
END;
COMMENT ON FUNCTION rampart.seal_late(int8, xid8[]) IS 'Appends the entries of transactions that were open when the sealer passed them.';

CREATE FUNCTION rampart.meet_lineage(here int8, system int8, timeline int4) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before rampart.audit_lineage;
BEGIN
    IF EXISTS (SELECT FROM rampart.audit_lineage l
               WHERE (l.lineage, l.system, l.timeline) = (here, meet_lineage.system, meet_lineage.timeline)) THEN
        RETURN;
    END IF;
    SELECT * INTO before FROM rampart.audit_lineage l ORDER BY l.since DESC LIMIT 1;
    -- Databases that wrote and never sealed: only a restored log has entries of others.
    INSERT INTO rampart.audit_lineage (lineage, next, open)
        SELECT DISTINCT e.lineage, '0'::xid8, '{}'::xid8[] FROM rampart.audit_log e
        WHERE NOT EXISTS (SELECT FROM rampart.audit_lineage l WHERE l.lineage = e.lineage);
    INSERT INTO rampart.audit_lineage AS l (lineage, next, open, system, timeline)
        VALUES (here, '0', '{}', meet_lineage.system, meet_lineage.timeline)
        ON CONFLICT ON CONSTRAINT audit_lineage_pkey
        DO UPDATE SET system = excluded.system, timeline = excluded.timeline, since = clock_timestamp();
    IF before.lineage IS NOT NULL THEN
        PERFORM rampart.write_event('audit.continued', 'high', NULL, NULL, NULL, jsonb_build_object(
            'restored', before.lineage <> here, 'system', meet_lineage.system::text, 'system_before', before.system::text,
            'timeline', meet_lineage.timeline, 'timeline_before', before.timeline,
            'checkpoint', (SELECT c.note FROM rampart.audit_checkpoint c ORDER BY c.number DESC LIMIT 1)));
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.meet_lineage(int8, int8, int4) IS
'Notes that the log goes on elsewhere (a restored dump, a promoted standby, a recovery to a point in time, another cluster), and leaves an event with the last head from before.';

CREATE FUNCTION rampart.publish_checkpoint() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    origin text;
    classes text[];
    sizes int8[];
    roots bytea[];
    key rampart.key;
    part text;
    note text := '';
    last text := (SELECT c.note FROM rampart.audit_checkpoint c ORDER BY c.number DESC LIMIT 1);
BEGIN
    SELECT max(t.origin), array_agg(t.class ORDER BY t.class), array_agg(t.size ORDER BY t.class),
           array_agg(rampart.tree_root(t.class, t.front, t.size) ORDER BY t.class)
        INTO origin, classes, sizes, roots FROM rampart.audit_tree t;
    IF array_position(roots, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the stored tree of the audit log is not complete' USING ERRCODE = 'RMA05',
            HINT = 'SELECT * FROM rampart.verify_audit();';
    END IF;
    -- The first checkpoint of a new key bears the signature of the one before, too.
    FOR key IN SELECT k.* FROM rampart.key k JOIN rampart.audit_signer s ON s.key = k.id
               WHERE k.state = 'active' OR (k.version = (SELECT max(o.version) - 1 FROM rampart.key o WHERE o.purpose = 'signing')
                   AND last IS NOT NULL AND k.state = 'retired' AND NOT EXISTS (
                       SELECT FROM rampart.audit_signer newest JOIN rampart.key n ON n.id = newest.key AND n.state = 'active'
                       CROSS JOIN LATERAL rampart.open_checkpoint(last, origin, ARRAY[newest.verifier])))
               ORDER BY k.version LOOP
        part := rampart.sign_checkpoint(origin, classes, sizes, roots, key.id, key.version, key.wrapped, key.root_key);
        note := CASE note WHEN '' THEN part ELSE note || split_part(part, E'\n\n', 2) END;
    END LOOP;
    INSERT INTO rampart.audit_checkpoint (sizes, note)
        VALUES ((SELECT jsonb_object_agg(c, s) FROM unnest(classes, sizes) u (c, s)), note);
    PERFORM pg_notify('rampart_checkpoint', note);
END
$$;
COMMENT ON FUNCTION rampart.publish_checkpoint() IS
'Signs the trees as they are, and notifies rampart_checkpoint. Errors: RMK02, RMK05, RMK06, RMA05.';

CREATE FUNCTION rampart.has_unsealed() RETURNS bool
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM rampart.audit_lineage s JOIN rampart.audit_here h ON h.lineage = s.lineage)
        OR EXISTS (SELECT FROM rampart.audit_lineage s JOIN rampart.audit_here h ON h.lineage = s.lineage
                   WHERE EXISTS (SELECT FROM rampart.audit_log l WHERE l.xid >= s.next AND l.lineage = s.lineage)
                      OR EXISTS (SELECT FROM rampart.audit_log l WHERE l.xid = ANY (s.open) AND l.lineage = s.lineage));
END;
COMMENT ON FUNCTION rampart.has_unsealed() IS 'Whether there is something to seal; takes no lock and writes nothing.';

CREATE FUNCTION rampart.seal() RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Above every transaction id: of other databases no more is to come.
    forever CONSTANT xid8 := '9223372036854775807';
    here int8 := (SELECT h.lineage FROM rampart.audit_here h);
    ended record;
    known rampart.audit_lineage;
    sealed int8 := 0;
BEGIN
    IF current_setting('transaction_isolation') = 'read committed' AND EXISTS (SELECT FROM rampart.audit_tree)
       AND NOT rampart.has_unsealed() THEN
        RETURN 0;
    END IF;
    PERFORM rampart.lock_sealing();
    -- A head that is known outside must not be lost in a crash: the log would fork.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    SELECT * INTO ended FROM rampart.ended_transactions();
    PERFORM rampart.meet_lineage(here, ended.system, ended.timeline);
    FOR known IN SELECT * FROM rampart.audit_lineage s WHERE s.next < forever ORDER BY s.since, s.lineage LOOP
        IF known.lineage <> here THEN
            sealed := sealed + rampart.seal_late(known.lineage, known.open)
                             + rampart.seal_transactions(known.lineage, known.next, forever, '{}');
            UPDATE rampart.audit_lineage s SET next = forever, open = '{}' WHERE s.lineage = known.lineage;
        ELSE
            sealed := sealed
                + rampart.seal_late(known.lineage, ARRAY(SELECT unnest(known.open) EXCEPT SELECT unnest(ended.open)))
                + rampart.seal_transactions(known.lineage, known.next, ended.next,
                                            ARRAY(SELECT x FROM unnest(ended.open) x WHERE x >= known.next));
            UPDATE rampart.audit_lineage s SET next = ended.next, open = ended.open WHERE s.lineage = known.lineage;
        END IF;
    END LOOP;
    IF sealed > 0 THEN
        PERFORM rampart.publish_checkpoint();
    END IF;
    RETURN sealed;
END
$$;
COMMENT ON FUNCTION rampart.seal() IS
'Seals the entries of all transactions that have ended, and publishes a signed checkpoint if there were any. Returns how many. The background worker does it every second. Entries of this transaction are for the next time. Errors: RMA06 (not begun), RMA05, RMK05, RMK06, 25001.';

-- Reading by leaf ------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.sealed_size(class text) RETURNS int8
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce((SELECT t.size FROM rampart.audit_tree t WHERE t.class = sealed_size.class), 0);
END;
COMMENT ON FUNCTION rampart.sealed_size(text) IS 'How many entries of a class are sealed, those included that retention removed.';

CREATE FUNCTION rampart.run_entries(run rampart.audit_run) RETURNS TABLE (index int8, entry rampart.audit_log)
LANGUAGE plpgsql STABLE STRICT ROWS 100 SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT $1 + row_number() OVER (ORDER BY l.xid, l.id) - 1, ROW(l.*)::rampart.audit_log FROM %s l
         WHERE (l.xid, l.id) >= ($2, $3) AND (l.xid, l.id) < ($4, $5) AND l.xid <> ALL ($6)
           AND l.lineage = $7 AND l.at >= $8 AND l.at < $9',
        rampart.audit_partition(run.class, run.month))
        USING run.first, run.from_xid, run.from_id, run.to_xid, run.to_id, run.open, run.lineage,
              run.month::timestamp AT TIME ZONE 'UTC', (run.month + interval '1 month') AT TIME ZONE 'UTC';
END
$$;
COMMENT ON FUNCTION rampart.run_entries(rampart.audit_run) IS 'The entries of a run with their leaves, in order.';

CREATE FUNCTION rampart.sealed_entries(class text, first int8, count int8) RETURNS TABLE (index int8, entry rampart.audit_log)
LANGUAGE sql STABLE STRICT ROWS 1000 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.index, e.entry
    FROM rampart.audit_run r CROSS JOIN LATERAL rampart.run_entries(r) e
    WHERE r.class = sealed_entries.class AND NOT r.removed
      AND r.first < sealed_entries.first + sealed_entries.count
      AND r.first >= coalesce((SELECT max(b.first) FROM rampart.audit_run b
                               WHERE b.class = sealed_entries.class AND b.first <= sealed_entries.first), 0)
      AND e.index >= sealed_entries.first AND e.index < sealed_entries.first + sealed_entries.count
    ORDER BY e.index;
END;
COMMENT ON FUNCTION rampart.sealed_entries(text, int8, int8) IS
'Entries by leaf: so many of a class from leaf first on, in order. Those that retention removed are not there.';

CREATE FUNCTION rampart.leaf_hash(class text, index int8) RETURNS bytea
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT substring(t.hashes FROM (leaf_hash.index % 256)::int4 * 32 + 1 FOR 32) FROM rampart.audit_tile t
    WHERE t.class = leaf_hash.class AND t.level = 0 AND t.index = leaf_hash.index / 256;
END;
COMMENT ON FUNCTION rampart.leaf_hash(text, int8) IS 'The stored hash of a leaf; NULL where there is none any more.';

-- Proofs ---------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.inclusion_proof(entry_id int8)
RETURNS TABLE (class text, index int8, size int8, leaf bytea, proof bytea[], checkpoint text)
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.class, e.index, (c.sizes ->> r.class)::int8, rampart.leaf_hash(r.class, e.index),
           rampart.inclusion_path(r.class, t.front, e.index, (c.sizes ->> r.class)::int8), c.note
    FROM rampart.audit_run r
    JOIN rampart.audit_tree t ON t.class = r.class
    CROSS JOIN LATERAL rampart.run_entries(r) e
    CROSS JOIN LATERAL (SELECT * FROM rampart.audit_checkpoint p ORDER BY p.number DESC LIMIT 1) c
    WHERE r.least_id <= inclusion_proof.entry_id AND r.greatest_id >= inclusion_proof.entry_id AND NOT r.removed
      AND (e.entry).id = inclusion_proof.entry_id;
END;
COMMENT ON FUNCTION rampart.inclusion_proof(int8) IS
'That an entry is in the log that the newest checkpoint states: its leaf, and the hashes that lead from there to the root (RFC 6962, 2.1.1). No row for an entry that is not sealed.';

CREATE FUNCTION rampart.consistency_proof(class text, old_size int8, new_size int8) RETURNS bytea[]
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tree rampart.audit_tree;
    proof bytea[];
BEGIN
    SELECT * INTO tree FROM rampart.audit_tree t WHERE t.class = consistency_proof.class;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the audit log has no sealed class "%"', class USING ERRCODE = 'RMA06';
    ELSIF old_size < 0 OR old_size > new_size OR new_size > tree.size THEN
        RAISE EXCEPTION 'no consistency proof from % to %', old_size, new_size USING ERRCODE = '22023',
            DETAIL = format('The log of class %s has %s entries.', class, tree.size);
    END IF;
    proof := rampart.consistency_path(tree.class, tree.front, old_size, new_size);
    IF proof IS NULL THEN
        RAISE EXCEPTION 'hashes of the first % entries were removed', old_size USING ERRCODE = 'RMA06',
            HINT = 'Retention keeps what proves trees of the size that it left, and larger ones.';
    END IF;
    RETURN proof;
END
$$;
COMMENT ON FUNCTION rampart.consistency_proof(text, int8, int8) IS
'That the log of new_size entries begins with that of old_size (RFC 6962, 2.1.2). Errors: 22023, RMA06.';

CREATE VIEW rampart.audit_heads AS
    SELECT c.number, c.at, c.sizes, c.note FROM rampart.audit_checkpoint c ORDER BY c.number DESC;
COMMENT ON VIEW rampart.audit_heads IS 'The log''s checkpoints, newest first.';

CREATE VIEW rampart.audit_keys AS
    SELECT rampart.key_id_text(s.key) AS id, k.version, k.state, s.verifier, s.since
    FROM rampart.audit_signer s LEFT JOIN rampart.key k ON k.id = s.key ORDER BY s.since DESC;
COMMENT ON VIEW rampart.audit_keys IS 'The public keys of the log, newest first, as verifiers take them.';
