-- How long entries are kept, what holds them longer, and what is taken out earlier.
--
-- A month of a class goes as a whole: its partition is dropped, its leaves stay in the tree. What lies in front of the
-- first leaf that still has its entry is reduced to a frontier, a few hashes, from which every later proof can be made.

CREATE TABLE rampart.audit_retention (
    class text PRIMARY KEY,
    keep  interval NOT NULL
);
COMMENT ON TABLE rampart.audit_retention IS 'How long entries of a class are kept, where it was changed. rampart.set_audit_retention changes it.';

CREATE TABLE rampart.audit_hold (
    name   text PRIMARY KEY,
    class  text,
    reason text NOT NULL,
    role   name NOT NULL DEFAULT session_user,
    since  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audit_hold IS 'Legal holds: no month of the class (NULL: of any) is removed while one stands.';

SELECT pg_extension_config_dump('rampart.audit_retention', '');
SELECT pg_extension_config_dump('rampart.audit_hold', '');

CREATE FUNCTION rampart.audit_keep(class text) RETURNS interval
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce((SELECT r.keep FROM rampart.audit_retention r WHERE r.class = audit_keep.class),
                    CASE audit_keep.class WHEN 'security' THEN interval '2 years' ELSE interval '1 year' END);
END;
COMMENT ON FUNCTION rampart.audit_keep(text) IS 'How long entries of a class are kept: 1 year (normal), 2 years (security) unless set otherwise.';

CREATE FUNCTION rampart.require_class(class text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF class IS NULL OR class NOT IN ('normal', 'security') THEN
        RAISE EXCEPTION 'a class of the audit log is normal or security' USING ERRCODE = '22023';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.require_class(text) IS 'Errors: 22023 for what is no class.';

CREATE FUNCTION rampart.set_audit_retention(class text, keep interval) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before interval := rampart.audit_keep(class);
BEGIN
    PERFORM rampart.require_class(class);
    IF keep < interval '1 day' THEN
        RAISE EXCEPTION 'entries are kept for a day at least' USING ERRCODE = '22023';
    ELSIF keep IS NULL THEN
        DELETE FROM rampart.audit_retention r WHERE r.class = set_audit_retention.class;
    ELSE
        INSERT INTO rampart.audit_retention AS r (class, keep) VALUES (set_audit_retention.class, set_audit_retention.keep)
            ON CONFLICT ON CONSTRAINT audit_retention_pkey DO UPDATE SET keep = excluded.keep;
    END IF;
    PERFORM rampart.write_event('audit.retention_changed', 'medium', NULL, NULL, NULL,
        jsonb_build_object('class', class, 'from', before, 'to', rampart.audit_keep(class)));
END
$$;
COMMENT ON FUNCTION rampart.set_audit_retention(text, interval) IS
'Keeps entries of a class (normal, security) so long after the end of their month; NULL: as long as by default, 1 and 2 years. Errors: 22023.';

CREATE FUNCTION rampart.hold_audit(name text, reason text, class text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF class IS NOT NULL THEN
        PERFORM rampart.require_class(class);
    END IF;
    IF coalesce(name, '') = '' OR coalesce(reason, '') = '' THEN
        RAISE EXCEPTION 'a legal hold needs a name and a reason' USING ERRCODE = '22023';
    END IF;
    INSERT INTO rampart.audit_hold (name, class, reason) VALUES (hold_audit.name, hold_audit.class, hold_audit.reason);
    PERFORM rampart.write_event('audit.held', 'medium', NULL, NULL, NULL, jsonb_build_object('name', name, 'class', class, 'reason', reason));
END
$$;
COMMENT ON FUNCTION rampart.hold_audit(text, text, text) IS
'Puts a legal hold: nothing of the class (NULL: of the whole log) is removed or erased until release_audit_hold. Errors: 22023, 23505 for a name that is taken.';

CREATE FUNCTION rampart.release_audit_hold(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart.audit_hold h WHERE h.name = release_audit_hold.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no legal hold of that name' USING ERRCODE = '22023', HINT = 'TABLE rampart.audit_hold;';
    END IF;
    PERFORM rampart.write_event('audit.released', 'high', NULL, NULL, NULL, jsonb_build_object('name', name));
END
$$;
COMMENT ON FUNCTION rampart.release_audit_hold(text) IS 'Ends a legal hold, which is recorded. Errors: 22023.';

CREATE VIEW rampart.audit_months AS
    SELECT c.class, m.month, coalesce(r.entries, 0)::int8 AS sealed, pg_total_relation_size(p.partition) AS bytes,
           ((m.month + interval '1 month') AT TIME ZONE 'UTC' + rampart.audit_keep(c.class)) AS keep_until,
           EXISTS (SELECT FROM rampart.audit_hold h WHERE h.class IS NULL OR h.class = c.class) AS held
    FROM unnest('{normal,security}'::text[]) c (class)
    CROSS JOIN LATERAL rampart.months_of(c.class) m (month)
    CROSS JOIN LATERAL rampart.audit_partition(c.class, m.month) p (partition)
    LEFT JOIN LATERAL (SELECT sum(r.entries) AS entries FROM rampart.audit_run r
                       WHERE r.class = c.class AND r.month = m.month AND NOT r.removed) r ON true
    ORDER BY c.class, m.month;
COMMENT ON VIEW rampart.audit_months IS
'The log by class and month: sealed entries, bytes on disk with indexes, until when it is kept, and whether a legal hold stands.';

-- Removal --------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.is_intact(class text, month date) RETURNS bool
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT NOT EXISTS (
        SELECT FROM rampart.audit_run r
        CROSS JOIN LATERAL rampart.verify_run(r.class, r.first, r.entries, rampart.audit_partition(r.class, r.month), r.month,
                                              r.lineage, r.from_xid, r.from_id, r.to_xid, r.to_id, r.open) v
        WHERE r.class = is_intact.class AND r.month = is_intact.month AND NOT r.removed);
END;
COMMENT ON FUNCTION rampart.is_intact(text, date) IS 'Whether the entries of a month are those that were sealed.';

CREATE FUNCTION rampart.prune_tree(class text) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tree rampart.audit_tree;
    kept int8;
    frontier bytea;
BEGIN
    SELECT * INTO tree FROM rampart.audit_tree t WHERE t.class = prune_tree.class;
    SELECT coalesce(min(r.first), tree.size) INTO kept FROM rampart.audit_run r WHERE r.class = prune_tree.class AND NOT r.removed;
    frontier := rampart.tree_frontier(tree.class, tree.front, kept);
    IF frontier IS NULL THEN
        RAISE EXCEPTION 'the stored tree of the audit log is not complete' USING ERRCODE = 'RMA05',
            HINT = 'SELECT * FROM rampart.verify_audit();';
    END IF;
    UPDATE rampart.audit_tree t SET front = frontier WHERE t.class = prune_tree.class;
    -- Tiles none of whose leaves is left.
    DELETE FROM rampart.audit_tile t
        WHERE t.class = prune_tree.class AND t.index < kept >> (8 * (t.level + 1));
    DELETE FROM rampart.audit_run r WHERE r.class = prune_tree.class AND r.first + r.entries <= kept;
    RETURN kept;
END
$$;
COMMENT ON FUNCTION rampart.prune_tree(text) IS
'Reduces what lies in front of the first leaf that has its entry to a frontier; returns the number of that leaf. Errors: RMA05.';

CREATE FUNCTION rampart.prune_month(class text, month date) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    partition regclass := rampart.audit_partition(class, month);
    stored int8;
    sealed int8;
    front int8;
BEGIN
    SELECT coalesce(sum(r.entries), 0) INTO sealed FROM rampart.audit_run r
        WHERE r.class = prune_month.class AND r.month = prune_month.month AND NOT r.removed;
    EXECUTE format('SELECT count(*) FROM %s', partition) INTO stored;
    IF stored <> sealed OR NOT rampart.is_intact(class, month) THEN
        RETURN format('%s entries, %s sealed', stored, sealed);
    END IF;
    UPDATE rampart.audit_run r SET removed = true WHERE r.class = prune_month.class AND r.month = prune_month.month;
    EXECUTE format('DROP TABLE %s', partition);
    front := rampart.prune_tree(class);
    PERFORM rampart.write_event('audit.pruned', 'low', NULL, NULL, NULL, jsonb_build_object(
        'class', class, 'month', to_char(month, 'YYYY-MM'), 'entries', sealed, 'front', front));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart.prune_month(text, date) IS
'Removes a month of a class, in one piece or not at all. Returns why not: what is there is not what was sealed.';

CREATE FUNCTION rampart.thin_checkpoints() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- An older head can be proved to be a beginning of a newer one whether it is stored or not.
    DELETE FROM rampart.audit_checkpoint c
    USING rampart.audit_checkpoint later
    WHERE c.at < now() - interval '1 day' AND later.number = c.number + 1
      AND date_trunc('hour', later.at) = date_trunc('hour', c.at);
END;
COMMENT ON FUNCTION rampart.thin_checkpoints() IS 'Of checkpoints older than a day, keeps the last of each hour.';

CREATE FUNCTION rampart.prune_audit() RETURNS int4
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    due record;
    problem text;
    removed int4 := 0;
BEGIN
    PERFORM rampart.lock_sealing();
    -- Waits for verifications to end, and keeps new ones waiting.
    PERFORM FROM rampart.audit_tree t ORDER BY t.class FOR UPDATE;
    FOR due IN SELECT m.class, m.month FROM rampart.audit_months m
               WHERE m.keep_until <= now() AND NOT m.held
                 AND rampart.audit_partition(m.class, m.month) <> format('rampart.audit_log_%s_other', m.class)::regclass
               ORDER BY m.class, m.month LOOP
        problem := rampart.prune_month(due.class, due.month);
        IF problem IS NULL THEN
            removed := removed + 1;
        ELSE
            RAISE WARNING 'entries of class % of % are kept: they are not what was sealed', due.class, to_char(due.month, 'YYYY-MM')
                USING DETAIL = problem, HINT = 'SELECT * FROM rampart.verify_audit();';
        END IF;
    END LOOP;
    DELETE FROM rampart.alert a
        WHERE a.state = 'resolved' AND a.last_at < now() - rampart.audit_keep(a.class)
          AND NOT EXISTS (SELECT FROM rampart.audit_hold h WHERE coalesce(h.class, a.class) = a.class);
    PERFORM rampart.thin_checkpoints();
    RETURN removed;
END
$$;
COMMENT ON FUNCTION rampart.prune_audit() IS
'Removes months that were kept long enough, are not held, and whose entries are all there as they were sealed; returns how many. Resolved alerts go when the entries they are about may. Proofs of trees that end behind them stay valid. The background worker does it once a day. Errors: RMA06, RMA05, 25001.';

-- Erasure --------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.payload_hash(salt bytea, key jsonb, old jsonb, new jsonb, metadata jsonb) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_payload_hash' LANGUAGE C STABLE;
COMMENT ON FUNCTION rampart.payload_hash(bytea, jsonb, jsonb, jsonb, jsonb) IS
'What stands for a payload in the hash of an entry; NULL where there is none.';

CREATE FUNCTION rampart.erase_entry(entry_id int8, reason text) RETURNS int4
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    erased int4;
BEGIN
    IF coalesce(reason, '') = '' THEN
        RAISE EXCEPTION 'an erasure needs a reason' USING ERRCODE = '22023';
    ELSIF EXISTS (SELECT FROM rampart.audit_hold) THEN
        RAISE EXCEPTION 'a legal hold stands' USING ERRCODE = 'RMA07', HINT = 'TABLE rampart.audit_hold;';
    END IF;
    UPDATE rampart.audit_log l
        SET erased = rampart.payload_hash(l.salt, l.key, l.old, l.new, l.metadata),
            salt = NULL, key = NULL, old = NULL, new = NULL, metadata = NULL
        WHERE l.id = entry_id AND l.erased IS NULL AND l.salt IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    IF erased > 1 THEN
        -- What a restore writes before it sets the sequence may bear numbers of restored entries.
        RAISE EXCEPTION 'more than one entry has the number %', entry_id USING ERRCODE = '22023';
    ELSIF erased = 1 THEN
        PERFORM rampart.write_event('audit.erased', 'high', NULL, NULL, NULL, jsonb_build_object('entry', entry_id, 'reason', reason));
    END IF;
    RETURN erased;
END
$$;
COMMENT ON FUNCTION rampart.erase_entry(int8, text) IS
'Erases what an entry says of values (key, old, new, metadata) where the law asks for it; who did it, when and to which table stays, and so do all proofs: the salted hash is kept and the salt is not. Recorded. Returns how many were erased: 1, or 0. Errors: 22023, RMA07 while a legal hold stands.';
