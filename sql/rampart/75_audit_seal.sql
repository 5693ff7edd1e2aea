-- Sealing: what makes tampering with the log evident.
--
-- Writers know nothing of it. The sealer, one at a time, appends the entries of transactions that have ended since it
-- last looked: a transaction left open delays its own entries and no others.

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
