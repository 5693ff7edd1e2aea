-- Re-encryption of stored values under their scope's active key, online.
--
-- A rotation goes over its tables in rounds. Each step of it is a transaction of its own: one range of
-- blocks of one table (rewrite_blocks does the work), whose progress is stored with it, so that nothing
-- is lost or done twice whatever ends the process. Rows that others hold are come back to in the next
-- round. A row can also be moved by somebody's UPDATE from where the rotation has yet to come to where
-- it has been, or copied from there; so a round is followed by another, begun when all transactions
-- that were running at the end of the last have ended, until one finds nothing left to do. That
-- is only proven by reading a table under one snapshot, in which each row stands in one place: so later
-- rounds read each table in one go for as long as they find nothing.

CREATE TABLE rampart.registered_column (
    relation    regclass NOT NULL,
    column_name name NOT NULL,
    scope       text NOT NULL,
    aad_column  name,
    aad_prefix  text,
    PRIMARY KEY (relation, column_name, scope)
);
COMMENT ON TABLE rampart.registered_column IS 'Columns of type bytea that rampart.encrypt has written, which rotations take in.';
SELECT pg_extension_config_dump('rampart.registered_column', '');

CREATE TABLE rampart.rotation (
    id                  int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope               text NOT NULL,
    -- Of a conversion: the table, the plaintext column it reads, and the encrypted one it fills
    -- (55_conversion.sql).
    relation            oid,
    source_column       name,
    target_column       name,
    state               text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'paused', 'ready', 'complete', 'complete with errors', 'cancelled')),
    batch               int4 NOT NULL,
    max_rows_per_second int4,
    round               int4 NOT NULL DEFAULT 1,
    round_began_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    waiting_for         text[] NOT NULL DEFAULT '{}',
    next_step_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    rows_per_second     float8,
    failures            int4 NOT NULL DEFAULT 0,
    last_error          text,
    started_by          name NOT NULL DEFAULT session_user,
    started_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at            timestamptz
);
CREATE UNIQUE INDEX rotation_one_a_scope ON rampart.rotation (scope)
    WHERE state IN ('running', 'paused') AND source_column IS NULL;
CREATE UNIQUE INDEX rotation_one_a_column ON rampart.rotation (relation, source_column)
    WHERE state IN ('running', 'paused', 'ready');
COMMENT ON TABLE rampart.rotation IS 'Rotations and conversions, running and past.';
COMMENT ON COLUMN rampart.rotation.waiting_for IS 'Transactions that must end before the next round begins.';

CREATE TABLE rampart.rotation_table (
    rotation    int8 NOT NULL,
    relation    oid NOT NULL,
    name        text NOT NULL,
    columns     text[] NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'dropped', 'failed')),
    next_block  int8 NOT NULL DEFAULT 0,
    end_block   int8,
    careful_to  int8 NOT NULL DEFAULT 0,
    proven      bool NOT NULL DEFAULT false,
    tried_at    timestamptz,
    waits       bool NOT NULL DEFAULT false,
    -- Of this round.
    rows_seen   int8 NOT NULL DEFAULT 0,
    rows_done   int8 NOT NULL DEFAULT 0,
    rows_left   int8 NOT NULL DEFAULT 0,
    problems    int8 NOT NULL DEFAULT 0,
    values_seen int8[] NOT NULL,
    -- Of all rounds.
    values_done int8[] NOT NULL,
    remark      text,
    PRIMARY KEY (rotation, relation)
);
COMMENT ON TABLE rampart.rotation_table IS 'How far a rotation has come in each of its tables.';
COMMENT ON COLUMN rampart.rotation_table.proven IS 'This round has read the whole table under one snapshot and found nothing to do.';
COMMENT ON COLUMN rampart.rotation_table.end_block IS 'How long the table was when the round came to it; NULL before.';
COMMENT ON COLUMN rampart.rotation_table.waits IS 'Somebody holds a lock on the table that writers must wait for.';
COMMENT ON COLUMN rampart.rotation_table.careful_to IS 'Blocks before this one failed together: their rows are taken one by one.';

CREATE TABLE rampart.rotation_error (
    rotation    int8 NOT NULL,
    relation    oid NOT NULL,
    table_name  text NOT NULL,
    column_name text NOT NULL,
    row_id      tid NOT NULL,
    problem     text NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (rotation, relation, column_name, row_id)
);
COMMENT ON TABLE rampart.rotation_error IS 'Rows that a rotation could not bring under the active key, and why: the first 1,000 of each table.';

CREATE FUNCTION rampart.rewrite_blocks(
    relation oid, scope_tag int4, columns text[], sources text[], aad_columns text[], aad_prefixes text[],
    first int8, stop int8, max_rows int8, checking bool, careful bool,
    OUT next int8, OUT finished bool, OUT rows_seen int8, OUT rows_done int8, OUT rows_left int8,
    OUT values_seen int8[], OUT values_done int8[],
    OUT problems int8, OUT problem_rows tid[], OUT problem_columns text[], OUT problem_texts text[])
    AS 'MODULE_PATHNAME', 'rampart_rewrite_blocks' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.rewrite_blocks(oid, int4, text[], text[], text[], text[], int8, int8, int8, bool, bool) IS
'Brings the values in some blocks of a table under the active key of a scope, or fills columns from sources. Ends after max_rows rewritten rows, after a second, or when somebody waits for a row, with a block. checking: reads on under one snapshot until there is something to do, waits for locked rows and follows moved ones. careful: each row in a subtransaction. Errors: the keyring''s, 42703.';

CREATE FUNCTION rampart.count_keys(
    relation oid, columns text[], max_blocks int8,
    OUT blocks_read int8, OUT blocks int8, OUT rows int8,
    OUT column_names text[], OUT keys int8[], OUT amounts int8[], OUT bytes int8[])
    AS 'MODULE_PATHNAME', 'rampart_count_keys' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.count_keys(oid, text[], int8) IS
'Counts the values in columns of a table by the key they need, 0 where they do not say. max_blocks: reads about so many, evenly spread; 0: all.';

CREATE FUNCTION rampart.try_lock_table(relation oid) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_try_lock_table' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.try_lock_table(oid) IS
'Takes ROW EXCLUSIVE until the end of the transaction, if it is to be had at once.';

CREATE FUNCTION rampart.keep_writers_out(relation oid) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_keep_writers_out' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.keep_writers_out(oid) IS
'Takes SHARE until the end of the transaction, of a materialised view as well, which LOCK TABLE refuses.';

CREATE FUNCTION rampart.wake_worker() RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_wake_worker' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.wake_worker() IS 'Starts this database''s background worker after the commit.';

-- Which columns hold values of a scope ------------------------------------------------------------------

CREATE FUNCTION rampart.holds_encrypted(type oid) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_holds_encrypted' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rampart.holds_encrypted(oid) IS
'Whether values of a type are encrypted values or are made of such: arrays, rows, domains.';

CREATE VIEW rampart.encrypted_column AS
    WITH RECURSIVE stored AS MATERIALIZED (
        SELECT a.attrelid, a.attnum, a.atttypid, a.atttypmod
        FROM pg_class r JOIN pg_attribute a ON a.attrelid = r.oid
        WHERE r.oid >= 16384 AND r.relkind IN ('r', 'm')
          AND NOT (r.relpersistence = 't' AND pg_is_other_temp_schema(r.relnamespace))
          AND a.attnum > 0 AND NOT a.attisdropped
    ), carrier AS MATERIALIZED (
        SELECT type FROM (SELECT DISTINCT atttypid FROM stored) t (type) WHERE rampart.holds_encrypted(type)
    ), part (relation, number, type, modifier) AS (
        SELECT s.attrelid, s.attnum, s.atttypid, s.atttypmod FROM stored s JOIN carrier c ON c.type = s.atttypid
        UNION
        SELECT p.relation, p.number, step.type, step.modifier
        FROM part p JOIN pg_type t ON t.oid = p.type CROSS JOIN LATERAL (
            SELECT t.typelem, p.modifier WHERE t.typelem <> 0 AND t.typlen = -1
            UNION ALL SELECT t.typbasetype, t.typtypmod WHERE t.typtype = 'd'
            UNION ALL SELECT a.atttypid, a.atttypmod FROM pg_attribute a
                      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ) step (type, modifier)
    )
    SELECT DISTINCT p.relation::regclass AS relation, a.attname AS column_name,
           coalesce(s.name, '#' || to_hex(p.modifier >> 2)) AS scope,
           CASE p.modifier & 3 WHEN 2 THEN 'deterministic' ELSE 'random' END AS mode,
           format_type(p.type, NULL) AS type, NULL::name AS aad_column, NULL::text AS aad_prefix
    FROM part p JOIN pg_attribute a ON a.attrelid = p.relation AND a.attnum = p.number
    JOIN pg_type e ON e.oid = p.type AND e.typelem = 0 AND rampart.is_encrypted(e.oid)
    LEFT JOIN rampart.scope s ON s.tag = p.modifier >> 2
    WHERE p.modifier >= 0
    UNION ALL
    SELECT c.relation, c.column_name, c.scope, NULL, 'bytea', c.aad_column, c.aad_prefix
    FROM rampart.registered_column c
    JOIN pg_attribute a ON a.attrelid = c.relation AND a.attname = c.column_name AND a.atttypid = 'bytea'::regtype;
COMMENT ON VIEW rampart.encrypted_column IS
'Every column that stores encrypted values, itself or in arrays, rows and domains, with its scope; registered bytea columns as well.';

CREATE FUNCTION rampart.register_column(relation regclass, column_name name, scope text,
                                        aad_column name DEFAULT NULL, aad_prefix text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM rampart.scope s WHERE s.name = register_column.scope;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'scope "%" does not exist', scope USING ERRCODE = 'RMK01';
    END IF;
    PERFORM FROM pg_attribute a WHERE a.attrelid = register_column.relation AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname = register_column.column_name AND a.atttypid = 'bytea'::regtype;
    IF NOT FOUND THEN
        RAISE EXCEPTION '"%" of "%" is not a column of type bytea', column_name, relation USING ERRCODE = '42703';
    END IF;
    PERFORM FROM pg_attribute a WHERE a.attrelid = register_column.relation AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname = aad_column;
    IF aad_column IS NOT NULL AND NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of "%" does not exist', aad_column, relation USING ERRCODE = '42703';
    END IF;
    INSERT INTO rampart.registered_column AS r VALUES (relation, column_name, scope, aad_column, aad_prefix)
        ON CONFLICT ON CONSTRAINT registered_column_pkey
        DO UPDATE SET aad_column = excluded.aad_column, aad_prefix = excluded.aad_prefix;
END
$$;
COMMENT ON FUNCTION rampart.register_column(regclass, name, text, name, text) IS
'Lets rotations take in a bytea column that rampart.encrypt has written. Where values have associated data, it is aad_prefix followed by the text of aad_column. Of a partitioned table, register each partition. Errors: RMK01, 42703.';

CREATE FUNCTION rampart.unregister_column(relation regclass, column_name name) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM rampart.registered_column r
    WHERE r.relation = unregister_column.relation AND r.column_name = unregister_column.column_name;
END;
COMMENT ON FUNCTION rampart.unregister_column(regclass, name) IS 'Undoes register_column.';

CREATE FUNCTION rampart.key_census(scope text, max_blocks int8 DEFAULT 0, lock bool DEFAULT false)
RETURNS TABLE (relation regclass, column_name text, key_id int8, amount int8, bytes int8, exact bool)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r record;
    found record;
BEGIN
    FOR r IN SELECT c.relation AS name, array_agg(DISTINCT c.column_name::text) AS columns
             FROM rampart.encrypted_column c WHERE c.scope = key_census.scope GROUP BY 1 ORDER BY 1 LOOP
        IF lock THEN
            PERFORM rampart.keep_writers_out(r.name);
        END IF;
        SELECT * INTO found FROM rampart.count_keys(r.name, r.columns, max_blocks);
        exact := found.blocks_read >= found.blocks;
        RETURN QUERY
            SELECT r.name, c.col, nullif(c.key, 0), (c.amount * share)::int8, (c.size * share)::int8, key_census.exact
            FROM unnest(found.column_names, found.keys, found.amounts, found.bytes) c (col, key, amount, size),
                 (SELECT CASE WHEN key_census.exact THEN 1.0 ELSE found.blocks::float8 / found.blocks_read END) s (share)
            -- A row's or an array's values may belong to other scopes.
            WHERE NOT EXISTS (SELECT FROM rampart.key k WHERE k.id = c.key AND k.scope <> key_census.scope);
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.key_census(text, int8, bool) IS
'How many values of a scope need which key, by table and column; key_id is NULL where a value is damaged and does not say. max_blocks: of each table, an estimate from about so many blocks; 0: all. lock: keeps writers out until the end of the transaction (SHARE), so that the numbers stay true.';

CREATE FUNCTION rampart.count_values(scope text) RETURNS TABLE (version int4, state text, amount int8)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart.value_count v USING rampart.encrypted_column c
        WHERE c.scope = count_values.scope AND v.relation = c.relation AND v.column_name = c.column_name;
    INSERT INTO rampart.value_count (relation, column_name, key_id, amount, counted_at)
        SELECT c.relation, c.column_name, c.key_id, c.amount, clock_timestamp()
        FROM rampart.key_census(count_values.scope) c WHERE c.key_id IS NOT NULL
        ON CONFLICT (relation, column_name, key_id) DO UPDATE SET amount = excluded.amount, counted_at = excluded.counted_at;
    RETURN QUERY
        SELECT k.version, k.state, coalesce(sum(v.amount), 0)::int8
        FROM rampart.key k LEFT JOIN rampart.value_count v ON v.key_id = k.id
        WHERE k.scope = count_values.scope AND k.purpose = 'data' GROUP BY k.id ORDER BY k.version;
END
$$;
COMMENT ON FUNCTION rampart.count_values(text) IS
'Counts the stored values of a scope by the version of the key they need, for key_status to show as well. Reads all tables of the scope.';

-- Before --------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.rotation_plan(scope text, exact bool DEFAULT false)
RETURNS TABLE (relation regclass, columns text[], values_by_version jsonb, values_to_rewrite int8,
               table_size text, bloat text, wal text, duration interval, remark text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rate float8 := coalesce((SELECT r.rows_per_second FROM rampart.rotation r
                             WHERE r.rows_per_second > 0 ORDER BY r.id DESC LIMIT 1), 30000);
BEGIN
    PERFORM FROM rampart.scope s WHERE s.name = rotation_plan.scope;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'scope "%" does not exist', scope USING ERRCODE = 'RMK01';
    END IF;
    RETURN QUERY
        WITH census AS (
            SELECT c.relation AS rel, c.column_name, c.amount, c.exact AS counted,
                   coalesce('v' || k.version, CASE WHEN c.key_id IS NULL THEN 'damaged' ELSE 'unknown key' END) AS version,
                   k.id IS NOT NULL AS known
            FROM rampart.key_census(scope, CASE WHEN exact THEN 0 ELSE 8192 END) c
            LEFT JOIN rampart.key k ON k.id = c.key_id
        ), per_version AS (
            SELECT c.rel, c.version, sum(c.amount) AS amount FROM census c GROUP BY 1, 2
        ), per_table AS (
            SELECT c.rel, max(t.reltuples) AS reltuples, pg_table_size(c.rel) AS size, pg_indexes_size(c.rel) AS index_size,
                   (SELECT array_agg(DISTINCT e.column_name::text) FROM rampart.encrypted_column e
                    WHERE e.relation = c.rel AND e.scope = rotation_plan.scope) AS names,
                   (SELECT jsonb_object_agg(v.version, v.amount) FROM per_version v WHERE v.rel = c.rel) AS versions,
                   coalesce(sum(c.amount) FILTER (WHERE c.known), 0)::int8 AS to_rewrite,
                   coalesce(max(per_column.amount), 0) AS rows, bool_and(c.counted) AS counted,
                   bool_or(NOT c.known) AS broken
            FROM census c JOIN pg_class t ON t.oid = c.rel,
                 LATERAL (SELECT sum(o.amount) AS amount FROM census o
                          WHERE o.rel = c.rel AND o.column_name = c.column_name AND o.known) per_column
            GROUP BY c.rel
        )
        SELECT p.rel, p.names, p.versions, p.to_rewrite, pg_size_pretty(p.size),
               pg_size_pretty(p.size + p.index_size),
               -- Each row once more, its index entries, and each page once whole after a checkpoint.
               pg_size_pretty(2 * p.size + 2 * p.index_size),
               make_interval(secs => ceil(p.rows::float8 / rate)),
               concat_ws('; ', CASE WHEN NOT p.counted THEN 'estimated from a sample' END,
                         CASE WHEN p.broken THEN 'has values that cannot be re-encrypted' END)
        FROM per_table p ORDER BY p.size DESC;
END
$$;
COMMENT ON FUNCTION rampart.rotation_plan(text, bool) IS
'What a rotation of a scope would do; changes nothing. Values that need each version of the key now (all of them are re-encrypted by a rotation with a new key), and at most how far table and indexes grow until VACUUM, how much WAL is written, and how long it takes. exact: counts all; else large tables are sampled. Errors: RMK01.';

-- Start and control ----------------------------------------------------------------------------------------

CREATE FUNCTION rampart.dropped_remark(remark text, before text[], present text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT concat_ws('; ', remark, 'dropped meanwhile: ' || string_agg(name, ', '))
    FROM unnest(before) name WHERE name <> ALL (present);
END;
COMMENT ON FUNCTION rampart.dropped_remark(text, text[], text[]) IS
'A remark on a table, and which of its columns are none of the scope any more.';

CREATE FUNCTION rampart.add_rotation_table(rotation_id int8, target regclass, names text[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO rampart.rotation_table AS t (rotation, relation, name, columns, values_seen, values_done)
    VALUES (rotation_id, target, target, names,
            array_fill(0::int8, ARRAY[cardinality(names)]), array_fill(0::int8, ARRAY[cardinality(names)]))
    ON CONFLICT ON CONSTRAINT rotation_table_pkey DO UPDATE
        SET name = excluded.name, columns = excluded.columns, state = 'pending', next_block = 0,
            end_block = NULL, careful_to = 0, proven = false, waits = false, rows_seen = 0, rows_done = 0, rows_left = 0, problems = 0,
            values_seen = excluded.values_seen,
            values_done = CASE WHEN t.columns = excluded.columns THEN t.values_done ELSE excluded.values_done END,
            remark = CASE WHEN t.columns <@ excluded.columns THEN t.remark
                          ELSE rampart.dropped_remark(t.remark, t.columns, excluded.columns) END;
END;
COMMENT ON FUNCTION rampart.add_rotation_table(int8, regclass, text[]) IS
'Has a rotation go over a table in the round that begins.';

CREATE FUNCTION rampart.begin_round(rotation_id int8) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE rampart.rotation SET round_began_at = clock_timestamp() WHERE id = rotation_id;
    -- What a round before has counted in a table that is no more must not have rounds follow for ever.
    UPDATE rampart.rotation_table t
        SET state = 'dropped', columns = '{}', values_seen = '{}', values_done = '{}',
            remark = rampart.dropped_remark(t.remark, t.columns, '{}')
        WHERE t.rotation = rotation_id AND t.state <> 'dropped' AND NOT EXISTS (
            SELECT FROM rampart.rotation r JOIN rampart.encrypted_column c ON c.scope = r.scope
            WHERE r.id = rotation_id AND c.relation = t.relation);
    SELECT rampart.add_rotation_table(rotation_id, c.relation, array_agg(DISTINCT c.column_name::text))
    FROM rampart.rotation r
    JOIN rampart.encrypted_column c ON c.scope = r.scope
    WHERE r.id = rotation_id AND r.source_column IS NULL
    GROUP BY c.relation;
    SELECT rampart.add_rotation_table(t.rotation, t.relation::regclass, t.columns)
    FROM rampart.rotation_table t JOIN rampart.rotation r ON r.id = t.rotation
    WHERE r.id = rotation_id AND r.source_column IS NOT NULL AND t.state <> 'dropped';
END;
COMMENT ON FUNCTION rampart.begin_round(int8) IS
'Begins a round: every table that holds values of the scope now, from its first block.';

CREATE FUNCTION rampart.check_pace(batch int4, max_rows_per_second int4) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF batch IS NULL OR batch NOT BETWEEN 1 AND 1000000 OR max_rows_per_second < 1 THEN
        RAISE EXCEPTION 'batch must be 1 to 1000000 rows, max_rows_per_second at least 1' USING ERRCODE = '22023';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_pace(int4, int4) IS 'Errors: 22023 for a pace out of range.';

CREATE FUNCTION rampart.start_rotation(scope text, batch int4 DEFAULT 5000, max_rows_per_second int4 DEFAULT NULL,
                                       new_key bool DEFAULT true) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    running int8;
    new_id int8;
BEGIN
    PERFORM rampart.check_pace(batch, max_rows_per_second);
    PERFORM rampart.lock_scope(start_rotation.scope);
    SELECT r.id INTO running FROM rampart.rotation r
        WHERE r.scope = start_rotation.scope AND r.state IN ('running', 'paused') AND r.source_column IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'a rotation of scope "%" is not ended yet', scope USING ERRCODE = 'RMR01',
            DETAIL = format('It is rotation %s.', running),
            HINT = 'TABLE rampart.rotation_progress shows it; cancel_rotation ends it.';
    END IF;
    IF new_key IS NOT FALSE THEN
        PERFORM rampart.rotate_key(start_rotation.scope);
    END IF;
    INSERT INTO rampart.rotation (scope, batch, max_rows_per_second)
        VALUES (start_rotation.scope, start_rotation.batch, start_rotation.max_rows_per_second)
        RETURNING id INTO new_id;
    PERFORM rampart.begin_round(new_id);
    PERFORM rampart.record_key_event('rotation_started', start_rotation.scope,
                                     details => jsonb_build_object('rotation', new_id));
    PERFORM rampart.wake_worker();
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION rampart.start_rotation(text, int4, int4, bool) IS
'Makes a new key for a scope and has every value of the scope re-encrypted under it by a background worker; returns the rotation''s id. batch: rows a transaction, 1 to 1000000. max_rows_per_second: a throttle. new_key => false: re-encrypts under the key that is active already. Errors: RMR01 (one is running), RMK01, RMK05, 22023.';

CREATE FUNCTION rampart.change_rotation(rotation_id int8, allowed_from text[], new_state text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r rampart.rotation;
BEGIN
    -- A step holds the row until it ends, with its batch.
    SELECT * INTO r FROM rampart.rotation WHERE id = rotation_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rotation % does not exist', rotation_id USING ERRCODE = 'RMR02';
    ELSIF r.state <> ALL (allowed_from) THEN
        RAISE EXCEPTION 'rotation % is %', rotation_id, r.state USING ERRCODE = 'RMR03',
            HINT = format('This needs one that is %s.', array_to_string(allowed_from, ' or '));
    END IF;
    UPDATE rampart.rotation
        SET state = new_state, next_step_at = clock_timestamp(), failures = 0,
            ended_at = CASE WHEN new_state NOT IN ('running', 'paused', 'ready') THEN clock_timestamp() END
        WHERE id = rotation_id;
    PERFORM rampart.record_key_event('rotation_' || replace(new_state, ' ', '_'), r.scope,
                                     details => jsonb_build_object('rotation', rotation_id));
END
$$;
COMMENT ON FUNCTION rampart.change_rotation(int8, text[], text) IS
'Moves a rotation from one of the allowed states to a new one. Errors: RMR02, RMR03.';

-- A worker that takes step after step would keep the rotation's row from others for long: row locks have no
-- fair queue, these have.
CREATE FUNCTION rampart.may_step(rotation_id int8) RETURNS bool
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    RETURN pg_try_advisory_xact_lock_shared(1918987632, (rotation_id % 2147483647)::int4);
COMMENT ON FUNCTION rampart.may_step(int8) IS 'Whether nobody waits to pause, change or cancel a rotation; none may until the end of the transaction.';

CREATE FUNCTION rampart.await_step(rotation_id int8) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    RETURN pg_advisory_xact_lock(1918987632, (rotation_id % 2147483647)::int4);
COMMENT ON FUNCTION rampart.await_step(int8) IS 'Waits for the step that a rotation is at; no other begins until the end of the transaction.';

CREATE FUNCTION rampart.pause_rotation(id int8) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.await_step(id);
    SELECT rampart.change_rotation(id, '{running}', 'paused');
END;
COMMENT ON FUNCTION rampart.pause_rotation(int8) IS
'Stops a rotation after the batch it is at; returns when it has stopped. Errors: RMR02, RMR03.';

CREATE FUNCTION rampart.resume_rotation(id int8) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A conversion that met values it could not take is resumed when they have been mended.
    IF EXISTS (SELECT FROM rampart.rotation r WHERE r.id = resume_rotation.id
               AND r.source_column IS NOT NULL AND r.state = 'complete with errors') THEN
        PERFORM rampart.change_rotation(id, '{complete with errors}', 'running');
        PERFORM rampart.begin_round(id);
    ELSE
        PERFORM rampart.change_rotation(id, '{paused}', 'running');
    END IF;
    PERFORM rampart.wake_worker();
END
$$;
COMMENT ON FUNCTION rampart.resume_rotation(int8) IS
'Lets a paused rotation go on where it stood, and a conversion that ended with errors try again. Errors: RMR02, RMR03.';

CREATE FUNCTION rampart.cancel_rotation(id int8) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.await_step(id);
    IF EXISTS (SELECT FROM rampart.rotation r WHERE r.id = cancel_rotation.id AND r.source_column IS NOT NULL) THEN
        PERFORM rampart.change_rotation(id, '{running,paused,ready,complete with errors}', 'cancelled');
        PERFORM rampart.drop_target(id);
    ELSE
        PERFORM rampart.change_rotation(id, '{running,paused}', 'cancelled');
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.cancel_rotation(int8) IS
'Ends a rotation after the batch it is at. Values stay readable, some under the new key, some under old ones; another rotation goes on with those. Of a conversion the encrypted column is dropped. Errors: RMR02, RMR03.';

CREATE FUNCTION rampart.set_rotation_pace(id int8, batch int4 DEFAULT NULL, max_rows_per_second int4 DEFAULT NULL)
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.check_pace(coalesce(set_rotation_pace.batch, 1), set_rotation_pace.max_rows_per_second);
    PERFORM rampart.await_step(id);
    UPDATE rampart.rotation r
        SET batch = coalesce(set_rotation_pace.batch, r.batch), next_step_at = clock_timestamp(),
            max_rows_per_second = set_rotation_pace.max_rows_per_second
        WHERE r.id = set_rotation_pace.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rotation % does not exist', id USING ERRCODE = 'RMR02';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.set_rotation_pace(int8, int4, int4) IS
'Changes the throttle of a running rotation; max_rows_per_second NULL takes it away. Errors: RMR02, 22023.';
