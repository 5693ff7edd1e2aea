-- How a rotation goes on: one step a transaction, by a background worker (work) or in a session
-- (run_rotation).

CREATE FUNCTION rampart.running_transactions() RETURNS text[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- All that might hold a value of before: in what they have written, in what they read, in what their
    -- statement is encrypting.
    SELECT coalesce(array_agg(name), '{}') FROM (
        -- The same text in every session, whatever its time zone.
        SELECT format('process %s since %s', pid, to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US UTC'))
        FROM pg_stat_get_activity(NULL)
        WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL) AND pid <> pg_backend_pid()
          AND backend_type NOT IN ('autovacuum worker', 'walsender')
        UNION ALL
        SELECT format('prepared transaction %L', gid) FROM pg_prepared_xacts
        WHERE database = current_database()
    ) running (name);
END;
COMMENT ON FUNCTION rampart.running_transactions() IS
'The transactions of this database that have written something or hold a snapshot, by name.';

CREATE FUNCTION rampart.quotable_error(state text, message text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Messages of other classes may quote a value.
    SELECT CASE WHEN left(state, 2) IN ('RM', '0A', '40', '53', '55', '57', '58', 'XX') THEN state || ': ' || message
                ELSE 'SQLSTATE ' || state END;
END;
COMMENT ON FUNCTION rampart.quotable_error(text, text) IS 'An error as it may be stored: without a value in it.';

CREATE FUNCTION rampart.record_problems(rotation_id int8, t rampart.rotation_table, rows tid[], names text[], texts text[])
RETURNS void LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO rampart.rotation_error (rotation, relation, table_name, column_name, row_id, problem)
    SELECT rotation_id, t.relation, t.name, p.col, p.at, p.problem
    FROM unnest(rows, names, texts) p (at, col, problem)
    WHERE (SELECT count(*) FROM rampart.rotation_error e WHERE e.rotation = rotation_id AND e.relation = t.relation) < 1000
    ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION rampart.record_problems(int8, rampart.rotation_table, tid[], text[], text[]) IS
'Notes rows that could not be brought under the active key.';

CREATE FUNCTION rampart.add_each(a int8[], b int8[]) RETURNS int8[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT array_agg(coalesce(x, 0) + coalesce(y, 0) ORDER BY n)
    FROM unnest(a, b) WITH ORDINALITY u (x, y, n);
END;
COMMENT ON FUNCTION rampart.add_each(int8[], int8[]) IS 'Adds two arrays element by element.';

CREATE FUNCTION rampart.rewrite_range(r rampart.rotation, t rampart.rotation_table, careful bool, OUT result record)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    checking bool := r.round > 1;
    -- A round that checks goes to the end of the table as it is then: rows move there.
    stop int8 := CASE WHEN careful THEN t.next_block + 1 WHEN checking THEN 4294967294 ELSE t.end_block END;
    most int8 := least(r.batch, r.max_rows_per_second, CASE WHEN checking THEN 100 END);
BEGIN
    PERFORM set_config('lock_timeout', '200ms', true);
    SELECT b.* INTO result
    FROM (SELECT array_agg(c.name ORDER BY c.n) AS names,
                 array_agg(r.source_column::text ORDER BY c.n) AS sources,
                 array_agg(g.aad_column::text ORDER BY c.n) AS aad_columns,
                 array_agg(g.aad_prefix ORDER BY c.n) AS aad_prefixes
          FROM unnest(t.columns) WITH ORDINALITY c (name, n)
          LEFT JOIN rampart.registered_column g
               ON g.relation = t.relation AND g.column_name = c.name AND g.scope = r.scope) a,
         rampart.rewrite_blocks(t.relation, rampart.scope_tag(r.scope), a.names, a.sources, a.aad_columns,
                                a.aad_prefixes, t.next_block, stop, most, checking, careful) b;
END
$$;
COMMENT ON FUNCTION rampart.rewrite_range(rampart.rotation, rampart.rotation_table, bool) IS
'Rewrites the next batch of a table; careful: one block of it.';

CREATE FUNCTION rampart.note_failure(r rampart.rotation, t rampart.rotation_table, careful bool, code text, problem text)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF code IN ('55000', '42703', '0A000') THEN
        -- The table as a whole: one that is published without a replica identity, say.
        UPDATE rampart.rotation_table u SET state = 'failed', problems = u.problems + 1, remark = problem
            WHERE u.rotation = r.id AND u.relation = t.relation;
    ELSIF NOT careful THEN
        -- Something in these blocks: they are taken one by one.
        UPDATE rampart.rotation_table u SET careful_to = least(t.next_block + 1024, t.end_block)
            WHERE u.rotation = r.id AND u.relation = t.relation;
    ELSE
        -- A block that cannot be read is passed over.
        PERFORM rampart.record_problems(r.id, t, ARRAY[format('(%s,0)', t.next_block)::tid], ARRAY[''], ARRAY[problem]);
        UPDATE rampart.rotation_table u
            SET next_block = t.next_block + 1, problems = u.problems + 1,
                state = CASE WHEN t.next_block + 1 >= u.end_block THEN 'done' ELSE 'pending' END
            WHERE u.rotation = r.id AND u.relation = t.relation;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.note_failure(rampart.rotation, rampart.rotation_table, bool, text, text) IS
'Decides what becomes of a batch that has failed for a reason that will not pass.';

CREATE FUNCTION rampart.rewrite_next(r rampart.rotation, t rampart.rotation_table) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    careful bool := t.next_block < t.careful_to;
    done record;
    code text;
    reason text;
BEGIN
    BEGIN
        done := rampart.rewrite_range(r, t, careful);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, reason = MESSAGE_TEXT;
        IF left(code, 2) IN ('40', '53', '57', '58') OR left(code, 3) = 'RMK' OR code = '55P03' THEN
            -- It may pass.
            RAISE;
        END IF;
        PERFORM rampart.note_failure(r, t, careful, code, rampart.quotable_error(code, reason));
        RETURN 0;
    END;
    PERFORM rampart.record_problems(r.id, t, done.problem_rows, done.problem_columns, done.problem_texts);
    UPDATE rampart.rotation_table u
        SET next_block = CASE WHEN done.finished THEN least(done.next, u.end_block) ELSE done.next END,
            state = CASE WHEN done.finished AND done.next >= u.end_block THEN 'done' ELSE 'pending' END,
            tried_at = clock_timestamp(), waits = false,
            proven = u.next_block = 0 AND done.finished AND NOT careful AND done.rows_done + done.rows_left = 0,
            rows_seen = u.rows_seen + done.rows_seen, rows_done = u.rows_done + done.rows_done,
            rows_left = u.rows_left + done.rows_left, problems = u.problems + done.problems,
            values_seen = rampart.add_each(u.values_seen, done.values_seen),
            values_done = rampart.add_each(u.values_done, done.values_done)
        WHERE u.rotation = r.id AND u.relation = t.relation;
    RETURN done.rows_done;
END
$$;
COMMENT ON FUNCTION rampart.rewrite_next(rampart.rotation, rampart.rotation_table) IS
'Rewrites the next batch of a table and stores how far it came; returns the number of rewritten rows.';

CREATE FUNCTION rampart.note_counts(r rampart.rotation) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM rampart.value_count v USING rampart.rotation_table t
        WHERE t.rotation = (r).id AND v.relation = t.relation AND v.column_name = ANY (t.columns);
    INSERT INTO rampart.value_count (relation, column_name, key_id, amount, counted_at)
        SELECT t.relation, c.name, k.id, c.seen, clock_timestamp()
        FROM rampart.rotation_table t CROSS JOIN LATERAL unnest(t.columns, t.values_seen) c (name, seen)
        JOIN rampart.key k ON k.scope = (r).scope AND k.purpose = 'data' AND k.state = 'active'
        WHERE t.rotation = (r).id AND t.state = 'done';
END;
COMMENT ON FUNCTION rampart.note_counts(rampart.rotation) IS
'What the last round of a rotation has seen, for key_status: all under the active key.';

CREATE FUNCTION rampart.end_round(r rampart.rotation) RETURNS int4
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    total record;
    before text[] := rampart.running_transactions();
BEGIN
    SELECT coalesce(sum(t.rows_done + t.rows_left), 0) AS touched, coalesce(sum(t.problems), 0) AS problems,
           -- A table with damaged pages cannot be read in one go.
           coalesce(bool_and(t.proven OR t.state <> 'done' OR t.problems > 0), true) AS proven
        INTO total FROM rampart.rotation_table t WHERE t.rotation = r.id AND t.state <> 'dropped';
    -- The first round is never the last: what others were writing while it began was out of its sight.
    IF r.round = 1 OR total.touched > 0 OR NOT total.proven THEN
        UPDATE rampart.rotation SET round = r.round + 1, waiting_for = before WHERE id = r.id;
        IF before = '{}' THEN
            PERFORM rampart.begin_round(r.id);
        END IF;
    ELSE
        PERFORM rampart.change_rotation(r.id, '{running}',
                                        CASE WHEN total.problems > 0 THEN 'complete with errors'
                                             WHEN r.source_column IS NOT NULL THEN 'ready' ELSE 'complete' END);
        PERFORM rampart.note_counts(r);
    END IF;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION rampart.end_round(rampart.rotation) IS
'Ends a rotation whose round has found nothing to do, else has another round follow. Returns 0: no need to wait.';

CREATE FUNCTION rampart.lock_next_table(r rampart.rotation) RETURNS rampart.rotation_table
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t rampart.rotation_table;
    present text[];
BEGIN
    SELECT * INTO t FROM rampart.rotation_table u WHERE u.rotation = r.id AND u.state = 'pending'
        ORDER BY u.waits, CASE WHEN u.waits THEN u.tried_at END, u.tried_at DESC NULLS LAST, u.relation LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF EXISTS (SELECT FROM pg_class WHERE oid = t.relation) AND NOT rampart.try_lock_table(t.relation) THEN
        UPDATE rampart.rotation_table u SET waits = true, tried_at = clock_timestamp()
            WHERE u.rotation = r.id AND u.relation = t.relation RETURNING * INTO t;
        RETURN t;
    END IF;
    t.waits := false;
    -- Once a batch: not by the view, which looks at all tables. A column of another scope by now does no harm.
    present := ARRAY(SELECT a.attname::text FROM pg_attribute a
                     WHERE a.attrelid = t.relation AND a.attname = ANY (t.columns) AND a.attnum > 0 AND NOT a.attisdropped
                       AND (rampart.holds_encrypted(a.atttypid)
                            OR EXISTS (SELECT FROM rampart.registered_column g WHERE g.relation = t.relation
                                       AND g.column_name = a.attname AND a.atttypid = 'bytea'::regtype))
                     ORDER BY array_position(t.columns, a.attname::text));
    IF t.end_block IS NULL AND present <> '{}' THEN
        UPDATE rampart.rotation_table u SET waits = false, end_block = pg_relation_size(t.relation) / current_setting('block_size')::int8
            WHERE u.rotation = r.id AND u.relation = t.relation RETURNING * INTO t;
    END IF;
    IF present <> t.columns THEN
        UPDATE rampart.rotation_table u
            SET waits = false, columns = present, state = CASE WHEN present = '{}' THEN 'dropped' ELSE 'pending' END,
                values_seen = ARRAY(SELECT n FROM unnest(u.columns, u.values_seen) v (name, n) WHERE name = ANY (present)),
                values_done = ARRAY(SELECT n FROM unnest(u.columns, u.values_done) v (name, n) WHERE name = ANY (present)),
                remark = rampart.dropped_remark(u.remark, u.columns, present)
            WHERE u.rotation = r.id AND u.relation = t.relation RETURNING * INTO t;
    END IF;
    RETURN t;
END
$$;
COMMENT ON FUNCTION rampart.lock_next_table(rampart.rotation) IS
'The table a rotation goes on with, NULL at the end of a round. Those that are being altered by others come last; dropped tables and columns are noted.';

CREATE FUNCTION rampart.advance_rotation(r rampart.rotation) RETURNS int4
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    began timestamptz := clock_timestamp();
    t rampart.rotation_table;
    still text[];
    rewritten int8;
    seconds float8;
BEGIN
    IF NOT EXISTS (SELECT FROM rampart.scope s WHERE s.name = r.scope) THEN
        PERFORM rampart.change_rotation(r.id, '{running}', 'cancelled');
        UPDATE rampart.rotation SET last_error = 'the scope was dropped' WHERE id = r.id;
        RETURN 0;
    ELSIF r.waiting_for <> '{}' THEN
        still := ARRAY(SELECT unnest(r.waiting_for) INTERSECT SELECT unnest(rampart.running_transactions()));
        UPDATE rampart.rotation SET waiting_for = still WHERE id = r.id;
        IF still <> '{}' THEN
            RETURN 200;
        END IF;
        PERFORM rampart.begin_round(r.id);
        RETURN 0;
    END IF;
    t := rampart.lock_next_table(r);
    IF t.rotation IS NULL THEN
        RETURN rampart.end_round(r);
    ELSIF t.waits THEN
        RETURN CASE WHEN EXISTS (SELECT FROM rampart.rotation_table u WHERE u.rotation = r.id
                                 AND u.state = 'pending' AND NOT u.waits) THEN 0 ELSE 500 END;
    ELSIF t.state <> 'pending' THEN
        RETURN 0;
    END IF;
    rewritten := rampart.rewrite_next(r, t);
    seconds := greatest(extract(epoch FROM clock_timestamp() - began), rewritten::float8 / r.max_rows_per_second, 0.001);
    UPDATE rampart.rotation SET rows_per_second = 0.8 * coalesce(rows_per_second, rewritten / seconds) + 0.2 * rewritten / seconds
        WHERE id = r.id AND rewritten > 0;
    RETURN greatest(0, 1000 * (seconds - extract(epoch FROM clock_timestamp() - began)))::int4;
END
$$;
COMMENT ON FUNCTION rampart.advance_rotation(rampart.rotation) IS
'One step of a running rotation: a batch, or the next round. Returns milliseconds to wait before the next.';

CREATE FUNCTION rampart.rotation_step(id int8) RETURNS int4
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r rampart.rotation;
    delay int4;
    code text;
    reason text;
BEGIN
    IF NOT rampart.may_step(id) THEN
        RETURN 20;
    END IF;
    SELECT * INTO r FROM rampart.rotation o WHERE o.id = rotation_step.id FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM rampart.rotation o WHERE o.id = rotation_step.id) THEN
            RETURN 200;
        END IF;
        RAISE EXCEPTION 'rotation % does not exist', id USING ERRCODE = 'RMR02';
    ELSIF r.state <> 'running' THEN
        RETURN NULL;
    ELSIF r.next_step_at > clock_timestamp() THEN
        RETURN least(ceil(1000 * extract(epoch FROM r.next_step_at - clock_timestamp())), 1000)::int4;
    END IF;
    BEGIN
        delay := rampart.advance_rotation(r);
        UPDATE rampart.rotation o
            SET next_step_at = clock_timestamp() + make_interval(secs => delay / 1000.0), failures = 0, last_error = NULL
            WHERE o.id = r.id;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, reason = MESSAGE_TEXT;
        delay := least(60000, 500 * 2 ^ least(r.failures, 10));
        UPDATE rampart.rotation o
            SET failures = r.failures + 1, last_error = rampart.quotable_error(code, reason),
                next_step_at = clock_timestamp() + make_interval(secs => delay / 1000.0)
            WHERE o.id = r.id;
    END;
    RETURN delay;
END
$$;
COMMENT ON FUNCTION rampart.rotation_step(int8) IS
'Goes one step on with a rotation, in this transaction. Returns milliseconds to wait before the next, NULL when there is none. What fails is tried again later, after longer and longer pauses. Errors: RMR02.';

CREATE FUNCTION rampart.work() RETURNS int4
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    due int8;
    seconds float8;
BEGIN
    SELECT r.id INTO due FROM rampart.rotation r WHERE r.state = 'running' AND r.next_step_at <= clock_timestamp()
          AND rampart.may_step(r.id)
        ORDER BY r.next_step_at LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
        PERFORM rampart.rotation_step(due);
        RETURN 0;
    END IF;
    PERFORM rampart.flush_usage();
    PERFORM rampart.apply_rotation_policies();
    SELECT extract(epoch FROM min(r.next_step_at) - clock_timestamp()) INTO seconds
        FROM rampart.rotation r WHERE r.state = 'running';
    -- One that is overdue is in other hands: a session's, or about to be paused.
    RETURN CASE WHEN seconds IS NOT NULL THEN ceil(1000 * least(greatest(seconds, 0.02), 1)) END;
END
$$;
COMMENT ON FUNCTION rampart.work() IS
'What the background worker of this database does in one transaction: a step of the rotation that is due, or else what the policies of keys ask for. Returns milliseconds to wait before the next call, NULL when there is nothing left to do.';

CREATE PROCEDURE rampart.run_rotation(id int8)
LANGUAGE plpgsql
AS $$
DECLARE
    delay int4;
    r record;
BEGIN
    -- COMMIT is not for procedures with a search_path of their own: names are qualified, operators too.
    LOOP
        delay := rampart.rotation_step(id);
        COMMIT;
        EXIT WHEN delay IS NULL;
        PERFORM pg_catalog.pg_sleep(delay OPERATOR(pg_catalog./) 1000.0);
    END LOOP;
    SELECT p.state, p.rewritten, p.problems INTO r FROM rampart.rotation_progress p
        WHERE p.rotation OPERATOR(pg_catalog.=) id AND p.table_name IS NULL;
    RAISE NOTICE 'rotation % is %: % values rewritten, % problems', id, r.state, r.rewritten, r.problems;
END
$$;
COMMENT ON PROCEDURE rampart.run_rotation(int8) IS
'Goes on with a rotation in this session until it ends or is paused, committing a batch at a time; a background worker may do so as well. Errors: RMR02.';

CREATE VIEW rampart.rotation_progress AS
    WITH part AS (
        SELECT r.id, t.name, c.name AS column_name, c.n, t.next_block, e.end_block, t.state, t.waits,
               t.values_seen[c.n] AS seen, t.values_done[c.n] AS rewritten, t.problems, t.remark,
               CASE WHEN t.state = 'done' THEN t.values_seen[c.n]
                    ELSE greatest(t.values_seen[c.n],
                                  CASE WHEN t.next_block > 0 THEN t.values_seen[c.n] * e.end_block / t.next_block
                                       ELSE (SELECT p.reltuples::int8 FROM pg_class p WHERE p.oid = t.relation) END, 0) END AS total
        FROM rampart.rotation r JOIN rampart.rotation_table t ON t.rotation = r.id
        CROSS JOIN LATERAL unnest(t.columns) WITH ORDINALITY c (name, n)
        CROSS JOIN LATERAL (SELECT coalesce(t.end_block, (SELECT p.relpages FROM pg_class p WHERE p.oid = t.relation), 0)) e (end_block)
    ), line AS (
        SELECT r.id, p.name, p.column_name, grouping(p.name) = 1 AS is_total, sum(p.seen)::int8 AS seen, sum(p.total)::int8 AS total, sum(p.rewritten)::int8 AS rewritten,
               -- A table's blocks and problems, not once for each of its columns.
               coalesce(CASE grouping(p.name) WHEN 1 THEN sum(p.next_block) FILTER (WHERE p.n = 1) ELSE sum(p.next_block) END, 0) AS blocks_done,
               coalesce(CASE grouping(p.name) WHEN 1 THEN sum(p.end_block) FILTER (WHERE p.n = 1) ELSE sum(p.end_block) END, 0) AS blocks,
               coalesce(CASE grouping(p.name) WHEN 1 THEN sum(p.problems) FILTER (WHERE p.n = 1) ELSE sum(p.problems) END, 0)::int8 AS problems,
               CASE WHEN grouping(p.name) = 0 THEN min(p.state) END AS state, bool_or(p.waits) AS waits,
               CASE WHEN grouping(p.name) = 0 THEN min(p.remark) END AS remark
        FROM rampart.rotation r LEFT JOIN part p ON p.id = r.id
        GROUP BY GROUPING SETS ((r.id, p.name, p.column_name), (r.id))
    )
    SELECT l.id AS rotation, r.scope, l.name AS table_name, l.column_name,
           CASE WHEN r.state <> 'running' AND (l.name IS NULL OR l.state = 'pending') THEN r.state
                WHEN l.name IS NOT NULL AND l.waits THEN 'waits for a lock'
                WHEN l.name IS NOT NULL AND l.state <> 'pending' THEN l.state
                WHEN r.waiting_for <> '{}' THEN 'waits for transactions'
                WHEN r.round > 1 THEN 'checking' ELSE 'running' END AS state,
           r.round, l.seen AS done, l.total, f.percent,
           rpad(repeat('#', (f.percent / 5)::int4), 20, '.') AS bar,
           l.rewritten, l.problems, round(r.rows_per_second::numeric) AS rows_per_second,
           CASE WHEN r.state = 'running' AND l.blocks_done > 0 THEN
               date_trunc('second', (clock_timestamp() - r.round_began_at) * greatest(0, (l.blocks - l.blocks_done) / l.blocks_done)::float8) END AS eta,
           r.waiting_for, coalesce(r.last_error, l.remark) AS last_error, r.started_at, r.ended_at
    FROM line l JOIN rampart.rotation r ON r.id = l.id
    CROSS JOIN LATERAL (SELECT CASE WHEN r.state = 'ready' OR r.state LIKE 'complete%' OR (l.state IS NOT NULL AND l.state <> 'pending') THEN 100
                                    ELSE least(100, round(100 * l.blocks_done / greatest(l.blocks, 1), 1)) END AS percent) f
    WHERE l.is_total OR l.name IS NOT NULL
    ORDER BY l.id, l.name NULLS FIRST, l.column_name;
COMMENT ON VIEW rampart.rotation_progress IS
'Rotations and conversions: a row for each as a whole (table_name is NULL) and one a column. done and total are values of the current round; total, percent and eta are estimated from the blocks read.';
