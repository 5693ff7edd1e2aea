-- Verification inside the database. It trusts the signing key and this server; rampart-verify trusts neither the
-- server nor anything in it. What can and cannot be found is in docs/guides/audit.md.

CREATE FUNCTION rampart.verify_run(class text, first int8, entries int8, partition regclass, month date, lineage int8,
                                   from_xid xid8, from_id int8, to_xid xid8, to_id int8, open xid8[])
RETURNS TABLE (problem text, index int8, id int8)
    AS 'MODULE_PATHNAME', 'rampart_verify_run' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.verify_run(text, int8, int8, regclass, date, int8, xid8, int8, xid8, int8, xid8[]) IS
'Where the entries of a run and the stored hashes of its leaves differ, 100 at most. Errors: RMA05.';

CREATE FUNCTION rampart.verify_tree(class text, frontier bytea, size int8, head_sizes int8[], head_roots bytea[])
RETURNS TABLE (problem text, index int8, id int8)
    AS 'MODULE_PATHNAME', 'rampart_verify_tree' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.verify_tree(text, bytea, int8, int8[], bytea[]) IS
'Where the stored hashes of a tree, from a frontier on, contradict each other or these heads, which are in order of size.';

-- What the checks below agree on: the trees as they were when verification began, and from which leaf on it goes.
CREATE TYPE rampart.audit_scope AS (class text, origin text, size int8, front bytea, start int8, heads int8);
COMMENT ON TYPE rampart.audit_scope IS 'Of a class: what is to be verified. heads: up to which checkpoint.';

CREATE TYPE rampart.audit_finding AS (item text, class text, ok bool, entries int8, entry_id int8, detail text);
COMMENT ON TYPE rampart.audit_finding IS 'A line of the report of verify_audit.';

CREATE FUNCTION rampart.check_given_head(scope rampart.audit_scope, since text) RETURNS SETOF rampart.audit_finding
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    given record;
BEGIN
    SELECT * INTO given FROM rampart.open_checkpoint(since, scope.origin, ARRAY(SELECT s.verifier FROM rampart.audit_signer s)) o
        WHERE o.class = scope.class;
    RETURN QUERY SELECT 'given head', scope.class, v.problem IS NULL, given.size, NULL::int8, coalesce(v.problem, 'The log goes on from it.')
        FROM (SELECT CASE
            WHEN given.size IS NULL THEN 'It is not signed by a key of this log.'
            WHEN given.size > scope.size THEN format('The log was cut back: it has %s entries, and had %s.', scope.size, given.size)
            WHEN given.root IS DISTINCT FROM rampart.tree_root(scope.class, scope.front, given.size)
                THEN format('The log was rewritten: the first %s entries are others, or their hashes were removed.', given.size)
            END) v (problem);
END
$$;
COMMENT ON FUNCTION rampart.check_given_head(rampart.audit_scope, text) IS 'Whether a log continues a head that was kept elsewhere.';

CREATE FUNCTION rampart.check_checkpoints(scope rampart.audit_scope) RETURNS SETOF rampart.audit_finding
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    verifiers text[] := ARRAY(SELECT s.verifier FROM rampart.audit_signer s);
    heads record;
    frontier bytea := rampart.tree_frontier(scope.class, scope.front, scope.start);
BEGIN
    RETURN QUERY SELECT 'checkpoint', scope.class, false, NULL::int8, NULL::int8,
                        format('Checkpoint %s is not signed by a key of this log.', c.number)
        FROM rampart.audit_checkpoint c
        WHERE c.number <= scope.heads AND (c.sizes ->> scope.class)::int8 >= scope.start
          AND NOT EXISTS (SELECT FROM rampart.open_checkpoint(c.note, scope.origin, verifiers));
    SELECT array_agg(o.size ORDER BY o.size) AS sizes, array_agg(o.root ORDER BY o.size) AS roots, coalesce(max(o.size), 0) AS newest
        INTO heads
        FROM (SELECT DISTINCT o.size, o.root
              FROM rampart.audit_checkpoint c CROSS JOIN LATERAL rampart.open_checkpoint(c.note, scope.origin, verifiers) o
              WHERE o.class = scope.class AND c.number <= scope.heads AND (c.sizes ->> scope.class)::int8 >= scope.start) o
        WHERE o.size >= scope.start;
    IF heads.newest <> scope.size THEN
        RETURN NEXT ROW('head', scope.class, false, scope.size, NULL,
                        format('The newest signed head states %s entries, the log %s.', heads.newest, scope.size))::rampart.audit_finding;
    END IF;
    IF frontier IS NULL THEN
        RETURN NEXT ROW('tree', scope.class, false, scope.start, NULL, 'Hashes of the tree are lost.')::rampart.audit_finding;
    ELSE
        RETURN QUERY SELECT 'tree', scope.class, false, scope.size, NULL::int8, format('%s, at leaf %s.', initcap(left(v.problem, 1)) || substr(v.problem, 2), v.index)
            FROM rampart.verify_tree(scope.class, frontier, scope.size, coalesce(heads.sizes, '{}'), coalesce(heads.roots, '{}')) v;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_checkpoints(rampart.audit_scope) IS 'Whether the stored trees are those that were signed.';

CREATE FUNCTION rampart.check_entries(scope rampart.audit_scope) RETURNS SETOF rampart.audit_finding
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    run rampart.audit_run;
    next int8 := (SELECT coalesce(max(r.first), 0) FROM rampart.audit_run r WHERE r.class = scope.class AND r.first <= scope.start);
    found record;
BEGIN
    FOR run IN SELECT * FROM rampart.audit_run r WHERE r.class = scope.class AND r.first >= next AND r.first < scope.size
               ORDER BY r.first LOOP
        IF run.first > greatest(next, scope.start) THEN
            RETURN NEXT ROW('run', scope.class, false, run.first - next, NULL,
                format('Which entries belong to leaves %s to %s is lost.', next, run.first - 1))::rampart.audit_finding;
        END IF;
        next := run.first + run.entries;
        CONTINUE WHEN run.removed;
        FOR found IN SELECT * FROM rampart.verify_run(run.class, run.first, run.entries, rampart.audit_partition(run.class, run.month),
                                                      run.month, run.lineage, run.from_xid, run.from_id, run.to_xid, run.to_id, run.open) LOOP
            RETURN NEXT ROW('entry', scope.class, false, NULL, found.id,
                format('%s, at leaf %s.', initcap(left(found.problem, 1)) || substr(found.problem, 2), found.index))::rampart.audit_finding;
        END LOOP;
    END LOOP;
    IF next < scope.size THEN
        RETURN NEXT ROW('run', scope.class, false, scope.size - next, NULL,
            format('Which entries belong to leaves %s to %s is lost.', next, scope.size - 1))::rampart.audit_finding;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_entries(rampart.audit_scope) IS 'Whether the entries are those that were sealed.';

CREATE FUNCTION rampart.check_strays(class text) RETURNS SETOF rampart.audit_finding
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    counted record;
BEGIN
    -- One statement, hence one snapshot: the sealer goes on meanwhile.
    SELECT count(*) FILTER (WHERE l.xid < s.next AND l.xid <> ALL (s.open)) AS covered,
           count(*) FILTER (WHERE s.lineage IS NULL) AS unknown, min(l.id) FILTER (WHERE s.lineage IS NULL) AS unknown_id,
           (SELECT coalesce(sum(r.entries), 0) FROM rampart.audit_run r WHERE r.class = check_strays.class AND NOT r.removed) AS sealed,
           (SELECT count(*) FROM rampart.audit_lineage s JOIN rampart.audit_here h ON h.lineage = s.lineage) AS here
        INTO counted
        FROM rampart.audit_log l LEFT JOIN rampart.audit_lineage s ON s.lineage = l.lineage
        WHERE l.class = check_strays.class;
    -- A restored log that has not been sealed here has entries of this database, which is news to it.
    IF counted.unknown > 0 AND counted.here > 0 THEN
        RETURN NEXT ROW('entry', check_strays.class, false, counted.unknown, counted.unknown_id,
                        'Added, as if of a database that the log does not know.')::rampart.audit_finding;
    END IF;
    IF counted.covered <> counted.sealed THEN
        RETURN QUERY SELECT 'entry', l.class, false, NULL::int8, l.id, 'Added behind the sealer''s back: its transaction was sealed without it.'
            FROM rampart.audit_log l JOIN rampart.audit_lineage s ON s.lineage = l.lineage
            WHERE l.class = check_strays.class AND l.xid < s.next AND l.xid <> ALL (s.open)
              AND NOT EXISTS (SELECT FROM rampart.audit_run r
                              WHERE r.class = l.class AND r.lineage = l.lineage AND NOT r.removed
                                AND r.month = date_trunc('month', l.at AT TIME ZONE 'UTC')::date
                                AND (l.xid, l.id) >= (r.from_xid, r.from_id) AND (l.xid, l.id) < (r.to_xid, r.to_id)
                                AND l.xid <> ALL (r.open))
            ORDER BY l.id LIMIT 100;
        IF NOT FOUND THEN
            RETURN NEXT ROW('entries', check_strays.class, false, counted.covered, NULL,
                            format('The log has %s entries where %s were sealed.', counted.covered, counted.sealed))::rampart.audit_finding;
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_strays(text) IS
'Entries that were put in the past: the sealer has passed their transactions, and has not seen them.';

CREATE FUNCTION rampart.check_removals(scope rampart.audit_scope) RETURNS SETOF rampart.audit_finding
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH pruned AS (
        SELECT l.metadata ->> 'month' AS month, (l.metadata ->> 'front')::int8 AS front FROM rampart.audit_log l
        WHERE l.class = 'security' AND l.event = 'audit.pruned' AND l.metadata ->> 'class' = (scope).class),
    gone (problem, entries) AS (
        SELECT format('Entries of %s are gone', to_char(r.month, 'YYYY-MM')), sum(r.entries)::int8
        FROM rampart.audit_run r
        WHERE r.class = (scope).class AND r.removed AND to_char(r.month, 'YYYY-MM') NOT IN (SELECT p.month FROM pruned p)
        GROUP BY r.month
        UNION ALL
        SELECT format('The first %s entries are gone', rampart.frontier_size((scope).front)), rampart.frontier_size((scope).front)
        WHERE rampart.frontier_size((scope).front) > coalesce((SELECT max(p.front) FROM pruned p), 0))
    SELECT 'removal', (scope).class, false, g.entries, NULL::int8, g.problem || ', and no event says that retention removed them.'
    FROM gone g
    -- Unless the event's own month was removed.
    WHERE NOT EXISTS (SELECT FROM rampart.audit_tree t WHERE t.class = 'security' AND rampart.frontier_size(t.front) > 0);
END;
COMMENT ON FUNCTION rampart.check_removals(rampart.audit_scope) IS 'What is gone without an event that says so.';

CREATE FUNCTION rampart.check_coverage() RETURNS SETOF rampart.audit_finding
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'coverage', NULL::text, false, NULL::int8, NULL::int8, format('Changes of %s are not recorded: a trigger is missing or disabled.', a.relation)
    FROM rampart.audited_table a
    WHERE NOT (coalesce(a.active, false) AND rampart.is_armed(a.relation))
    UNION ALL
    SELECT 'coverage', NULL::text, false, NULL::int8, NULL::int8, format('%s can be changed: a trigger is missing or disabled.', p.relid::regclass)
    FROM pg_partition_tree('rampart.audit_log') p
    WHERE 2 <> (SELECT count(*) FROM pg_trigger t
                WHERE t.tgrelid = p.relid AND t.tgfoid = 'rampart.refuse_change'::regproc AND t.tgenabled = 'A')
    UNION ALL
    SELECT 'coverage', NULL::text, false, NULL::int8, NULL::int8, format('What is done to audit triggers is not recorded: event trigger %s is disabled.', e.evtname)
    FROM pg_event_trigger e JOIN pg_proc f ON f.oid = e.evtfoid
    WHERE f.pronamespace = 'rampart'::regnamespace AND e.evtenabled <> 'A' AND f.proname LIKE 'watch\_%';
END;
COMMENT ON FUNCTION rampart.check_coverage() IS 'What should be recorded and is not.';

CREATE FUNCTION rampart.verify_audit(since text DEFAULT NULL) RETURNS SETOF rampart.audit_finding
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    scopes rampart.audit_scope[];
    scope rampart.audit_scope;
    given jsonb := '{}';
    finding rampart.audit_finding;
    problems int8 := 0;
    before int8;
BEGIN
    -- Sealing goes on; what is being verified is not removed meanwhile.
    IF NOT pg_is_in_recovery() THEN
        PERFORM FROM rampart.audit_tree t FOR KEY SHARE;
    END IF;
    SELECT array_agg(ROW(t.class, t.origin, t.size, t.front, rampart.frontier_size(t.front),
                         (SELECT max(c.number) FROM rampart.audit_checkpoint c))::rampart.audit_scope ORDER BY t.class)
        INTO scopes FROM rampart.audit_tree t;
    IF scopes IS NULL THEN
        RETURN NEXT ROW('sealing', NULL, false, NULL, NULL, 'It has not begun: SELECT rampart.start_sealing().')::rampart.audit_finding;
        RETURN;
    END IF;
    FOREACH scope IN ARRAY scopes LOOP
        before := problems;
        IF since IS NOT NULL THEN
            SELECT * INTO finding FROM rampart.check_given_head(scope, since);
            RETURN NEXT finding;
            IF finding.ok THEN
                scope.start := greatest(scope.start, finding.entries);
            ELSE
                problems := problems + 1;
            END IF;
        END IF;
        FOR finding IN SELECT * FROM rampart.check_checkpoints(scope)
                       UNION ALL SELECT * FROM rampart.check_entries(scope)
                       UNION ALL SELECT * FROM rampart.check_strays(scope.class) WHERE since IS NULL
                       UNION ALL SELECT * FROM rampart.check_removals(scope) LOOP
            problems := problems + 1;
            RETURN NEXT finding;
        END LOOP;
        IF problems = before THEN
            RETURN NEXT ROW('entries', scope.class, true, scope.size - scope.start, NULL,
                            format('Leaves %s to %s are as they were sealed and signed.', scope.start, scope.size - 1))::rampart.audit_finding;
        END IF;
    END LOOP;
    FOR finding IN SELECT * FROM rampart.check_coverage() LOOP
        problems := problems + 1;
        RETURN NEXT finding;
    END LOOP;
    IF problems > 0 AND NOT pg_is_in_recovery() THEN
        PERFORM rampart.write_event('audit.tamper_detected', 'critical', NULL, NULL, NULL, jsonb_build_object('findings', problems));
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.verify_audit(text) IS
'Verifies the audit log: heads are signed, the tree is the one they state, the entries are its leaves, none is missing and none was added, and what should be recorded is. A line a finding (ok false), and one a class where there is none. since: a checkpoint that was kept elsewhere; then that the log continues it, and what came later, in time proportional to that. Finds nothing of what was never written, of entries not sealed yet, and of a log that was cut back to an older head or rewritten with the signing key, unless since is a later head. What it finds becomes an event audit.tamper_detected.';
