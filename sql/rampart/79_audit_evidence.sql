-- The sealed log as lines of text, for verifiers that trust nobody: docs/formats.md, "Export for verification". Values are
-- as stored; encrypted ones are armour. What is exported is not verified here: that is for whoever reads it.

CREATE FUNCTION rampart.evidence_of_entry(entry rampart.audit_log, index int8, leaf bytea) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT json_build_object(
        'class', entry.class, 'index', index::text, 'id', entry.id::text,
        'at', ('x' || encode(timestamptz_send(entry.at), 'hex'))::bit(64)::int8::text, 'xid', entry.xid::text, 'lineage', entry.lineage::text,
        'event', entry.event, 'severity', entry.severity, 'actor', entry.actor, 'org', entry.org, 'ip', textin(inet_out(entry.ip)),
        'user_agent', entry.user_agent, 'request_id', entry.request_id, 'role', entry.role, 'session_role', entry.session_role,
        'application', entry.application, 'client', textin(inet_out(entry.client)), 'relation', entry.relation, 'operation', entry.operation,
        'payload', CASE WHEN coalesce(entry.key, entry.old, entry.new, entry.metadata) IS NOT NULL THEN json_build_object(
            'key', entry.key::text, 'old', entry.old::text, 'new', entry.new::text, 'metadata', entry.metadata::text) END,
        'salt', encode(entry.salt, 'hex'), 'erased', encode(entry.erased, 'hex'), 'leaf', encode(leaf, 'hex'))::text;
END;
COMMENT ON FUNCTION rampart.evidence_of_entry(rampart.audit_log, int8, bytea) IS 'An entry as a line of an export, with its leaf and the stored hash of it.';

CREATE FUNCTION rampart.evidence_of_run(run rampart.audit_run, first int8, behind int8) RETURNS SETOF text
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    next int8 := greatest(run.first, evidence_of_run.first);
    last CONSTANT int8 := least(run.first + run.entries, behind) - 1;
    tile int8;
    hashes bytea;
    sealed record;
    leaf bytea;
BEGIN
    -- A last row that is no entry, for the leaves behind the last entry that is there.
    FOR sealed IN SELECT e.index, e.entry FROM rampart.sealed_entries(run.class, run.first, run.entries) e
                  WHERE e.index BETWEEN next AND last
                  UNION ALL SELECT last + 1, NULL LOOP
        WHILE next <= sealed.index AND next <= last LOOP
            IF tile IS DISTINCT FROM next / 256 THEN
                tile := next / 256;
                SELECT t.hashes INTO hashes FROM rampart.audit_tile t WHERE t.class = run.class AND t.level = 0 AND t.index = tile;
            END IF;
            leaf := nullif(substring(hashes FROM (next % 256)::int4 * 32 + 1 FOR 32), '');
            IF next = sealed.index THEN
                RETURN NEXT rampart.evidence_of_entry(sealed.entry, next, leaf);
            ELSIF leaf IS NOT NULL THEN
                RETURN NEXT json_build_object('class', run.class, 'index', next::text, 'leaf', encode(leaf, 'hex'));
            END IF;
            next := next + 1;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.evidence_of_run(rampart.audit_run, int8, int8) IS
'The leaves of a run that are in a range, as lines of an export. Of an entry that is gone there is the stored hash of its leaf, and no line where that is gone too.';

CREATE FUNCTION rampart.evidence_of_note(note text) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Databases of other encodings have two hyphens for the dash that begins a signature.
    SELECT CASE WHEN getdatabaseencoding() = 'UTF8' THEN to_json(note) ELSE replace(to_json(note)::text, '\n-- ', '\n\u2014 ')::json END;
END;
COMMENT ON FUNCTION rampart.evidence_of_note(text) IS 'A checkpoint as a JSON string.';

CREATE FUNCTION rampart.evidence_range(class text, first int8, count int8, OUT origin text, OUT from_leaf int8, OUT behind int8, OUT front bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tree rampart.audit_tree;
BEGIN
    SELECT * INTO tree FROM rampart.audit_tree t WHERE t.class = evidence_range.class;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the audit log has no sealed class "%"', class USING ERRCODE = 'RMA06';
    ELSIF first IS NULL OR first NOT BETWEEN 0 AND tree.size OR count < 0 THEN
        RAISE EXCEPTION 'no entries of class "%" from % on', class, first USING ERRCODE = '22023',
            DETAIL = format('%s entries are sealed.', tree.size);
    END IF;
    origin := tree.origin;
    from_leaf := greatest(first, rampart.frontier_size(tree.front));
    behind := least(tree.size, first + least(coalesce(count, tree.size), tree.size));
    IF from_leaf > 0 THEN
        front := rampart.tree_frontier(tree.class, tree.front, from_leaf);
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.evidence_range(text, int8, int8) IS
'What an export begins with, and which leaves are in it: from the first that retention left. Errors: RMA06, 22023.';

CREATE FUNCTION rampart.export_evidence(class text, first int8 DEFAULT 0, count int8 DEFAULT NULL) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000000 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Run by run, so that no more than one is held at a time; an Append returns its parts in order.
    SELECT json_build_object('rampart-audit-export', 1, 'class', export_evidence.class, 'origin', s.origin, 'size', s.behind::text,
                             'checkpoint', (SELECT rampart.evidence_of_note(c.note) FROM rampart.audit_checkpoint c ORDER BY c.number DESC LIMIT 1))::text
    FROM rampart.evidence_range(class, first, count) s
    UNION ALL
    SELECT json_build_object('class', export_evidence.class, 'front', encode(s.front, 'hex'))::text
    FROM rampart.evidence_range(class, first, count) s WHERE s.front IS NOT NULL
    UNION ALL
    SELECT line
    FROM rampart.evidence_range(class, first, count) s
    CROSS JOIN LATERAL (SELECT r AS run FROM rampart.audit_run r
                        WHERE r.class = export_evidence.class AND r.first < s.behind AND r.first + r.entries > s.from_leaf
                        ORDER BY r.first) runs
    CROSS JOIN LATERAL rampart.evidence_of_run(runs.run, s.from_leaf, s.behind) line;
END;
COMMENT ON FUNCTION rampart.export_evidence(text, int8, int8) IS
'Sealed entries of a class as lines of JSON that rampart-verify verifies without a server: from leaf first on, so many or all: psql -AtX -v FETCH_COUNT=1000 -c "SELECT rampart.export_evidence(''normal'')". In UTF-8 if that is the client''s encoding. Returns every entry of the class, whoever wrote it. Errors: RMA06 (not a sealed class), 22023.';

CREATE FUNCTION rampart.export_proof(entry_id int8) RETURNS text
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT json_build_object('class', p.class, 'index', p.index::text, 'size', p.size::text, 'leaf', encode(p.leaf, 'hex'),
                             'proof', (SELECT coalesce(json_agg(encode(h, 'hex') ORDER BY n), '[]') FROM unnest(p.proof) WITH ORDINALITY u (h, n)),
                             'checkpoint', rampart.evidence_of_note(p.checkpoint), 'entry', rampart.evidence_of_entry(e.entry, e.index, p.leaf)::json)::text
    FROM rampart.inclusion_proof(entry_id) p CROSS JOIN LATERAL rampart.sealed_entries(p.class, p.index, 1) e;
END;
COMMENT ON FUNCTION rampart.export_proof(int8) IS
'An entry, by its id, with the proof that it is in the log of the newest checkpoint, for rampart-verify entry. NULL for one that is not sealed.';

CREATE FUNCTION rampart.export_consistency(class text, old_size int8, new_size int8) RETURNS text
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT json_build_object('class', class, 'old_size', old_size::text, 'new_size', new_size::text,
                             'proof', (SELECT coalesce(json_agg(encode(h, 'hex') ORDER BY n), '[]')
                                       FROM unnest(rampart.consistency_proof(class, old_size, new_size)) WITH ORDINALITY u (h, n)))::text;
END;
COMMENT ON FUNCTION rampart.export_consistency(text, int8, int8) IS
'That a checkpoint of new_size entries of a class continues one of old_size, for rampart-verify heads. Errors: 22023, RMA06.';
