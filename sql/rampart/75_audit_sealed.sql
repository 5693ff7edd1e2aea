-- The sealed log read by leaf, and what proves it to others: inclusion and consistency proofs, heads, keys.

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
