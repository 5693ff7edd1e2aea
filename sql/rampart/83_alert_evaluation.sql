-- The evaluation of alert rules over what was just sealed. A call takes a stretch of leaves of each class:
-- which entries the rules want is found once, then each kind of rule is one statement over that, and what they
-- find becomes alerts. How far it is, what rules remember and the alerts are written in one transaction, under
-- a lock: whatever ends it, each entry is evaluated once.
--
-- Times are the entries'. What rules remember is pruned by the oldest entry of a stretch, so that late ones and
-- those of a clock set back are counted, and by size, so that no flood of names makes it grow without end.

CREATE TABLE rampart.alert_position (
    class      text PRIMARY KEY,
    next_index int8 NOT NULL
);
COMMENT ON TABLE rampart.alert_position IS 'The first leaf of each class that alert rules have not seen.';

CREATE TABLE rampart.alert_hit (
    rule     text NOT NULL,
    class    text NOT NULL,
    group_id bytea NOT NULL,
    at       timestamptz NOT NULL,
    index    int8 NOT NULL,
    PRIMARY KEY (rule, class, group_id, index)
);
CREATE INDEX alert_hit_at ON rampart.alert_hit (rule, class, at);
COMMENT ON TABLE rampart.alert_hit IS 'Rules of kind threshold: the last entries of each group, one fewer than make an alert.';

CREATE TABLE rampart.alert_seen (
    rule     text NOT NULL,
    class    text NOT NULL,
    group_id bytea NOT NULL,
    value_id bytea NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (rule, class, group_id, value_id)
);
CREATE INDEX alert_seen_at ON rampart.alert_seen (rule, class, at);
COMMENT ON TABLE rampart.alert_seen IS 'Rules of kind first_seen: the values that each group has had, as hashes, and when last.';

CREATE TABLE rampart.alert_volume (
    rule     text NOT NULL,
    class    text NOT NULL,
    group_id bytea NOT NULL,
    at       timestamptz NOT NULL,
    amount   numeric NOT NULL,
    PRIMARY KEY (rule, class, group_id, at)
);
CREATE INDEX alert_volume_at ON rampart.alert_volume (rule, class, at);
COMMENT ON TABLE rampart.alert_volume IS 'Rules of kind volume: how much each group had in each period, by when that began.';

SELECT pg_extension_config_dump('rampart.alert_position', '');
SELECT pg_extension_config_dump('rampart.alert_hit', '');
SELECT pg_extension_config_dump('rampart.alert_seen', '');
SELECT pg_extension_config_dump('rampart.alert_volume', '');

CREATE FUNCTION rampart.forget_alert_state(name text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM rampart.alert_hit h WHERE h.rule = forget_alert_state.name;
    DELETE FROM rampart.alert_seen s WHERE s.rule = forget_alert_state.name;
    DELETE FROM rampart.alert_volume v WHERE v.rule = forget_alert_state.name;
END;
COMMENT ON FUNCTION rampart.forget_alert_state(text) IS 'A rule begins anew.';

-- What the rules want ----------------------------------------------------------------------------------------

CREATE TYPE rampart.alert_match AS (rule text, kind text, index int8, at timestamptz, group_key jsonb, group_id bytea, value jsonb, amount numeric);
CREATE TYPE rampart.alert_firing AS (rule text, group_key jsonb, group_id bytea, first_at timestamptz, last_at timestamptz,
                                     first_index int8, last_index int8, entries int8, before int8);

CREATE FUNCTION rampart.alert_value(document jsonb, field text) RETURNS text
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT CASE WHEN length(v.value) <= 100 THEN v.value
                ELSE left(v.value, 60) || '...' || encode(sha256(convert_to(v.value, getdatabaseencoding())), 'hex') END
    FROM unnest(string_to_array(field, '|')) WITH ORDINALITY f (path, n)
    CROSS JOIN LATERAL (SELECT document #>> string_to_array(f.path, '.') AS value) v
    WHERE v.value IS NOT NULL
    ORDER BY f.n LIMIT 1;
END;
COMMENT ON FUNCTION rampart.alert_value(jsonb, text) IS 'A field of an entry, as a rule names it; a long one cut, with its hash.';

CREATE FUNCTION rampart.alert_fields(document jsonb, fields text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT coalesce(jsonb_object_agg(f, rampart.alert_value(document, f)), '{}') FROM unnest(fields) f;
END;
COMMENT ON FUNCTION rampart.alert_fields(jsonb, text[]) IS 'Fields of an entry with their values.';

CREATE FUNCTION rampart.alert_matches(class text, first int8, count int8) RETURNS rampart.alert_match[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH entries AS MATERIALIZED (
        SELECT e.index, e.entry, (e.entry).event, (e.entry).severity FROM rampart.sealed_entries(class, first, count) e
    ), kinds AS (
        SELECT DISTINCT e.event, e.severity FROM entries e
    ), wanted AS MATERIALIZED (
        SELECT k.event, k.severity, r.name, r.kind, r.group_by, r.watch, r.measure
        FROM kinds k JOIN rampart.alert_rule r ON r.enabled AND alert_matches.class = coalesce(r.class, alert_matches.class)
        WHERE EXISTS (SELECT FROM unnest(r.events) p WHERE k.event = p OR p LIKE '%*' AND starts_with(k.event, rtrim(p, '*')))
          AND (rampart.severity_of(k.severity)).level >= (rampart.severity_of(r.min_severity)).level
    ), documents AS MATERIALIZED (
        SELECT e.index, (e.entry).at, e.event, e.severity, to_jsonb(e.entry) AS document FROM entries e
        WHERE EXISTS (SELECT FROM wanted w WHERE w.event = e.event AND w.severity = e.severity)
    ), groups AS MATERIALIZED (
        -- Once for all rules that look at the same fields.
        SELECT d.index, d.at, d.event, d.severity, f.group_by, f.watch, f.measure, v.key, sha256(convert_to(v.key::text, 'UTF8')) AS id,
               CASE WHEN f.watch <> '{}' THEN rampart.alert_fields(d.document, f.watch) END AS value,
               CASE WHEN f.measure IS NOT NULL THEN rampart.alert_value(d.document, f.measure) END AS measured
        FROM documents d
        JOIN (SELECT DISTINCT w.event, w.severity, w.group_by, w.watch, w.measure FROM wanted w) f ON f.event = d.event AND f.severity = d.severity
        CROSS JOIN LATERAL (SELECT rampart.alert_fields(d.document, f.group_by) AS key OFFSET 0) v
    )
    SELECT coalesce(array_agg(ROW(w.name, w.kind, g.index, g.at, g.key, g.id, g.value,
                                  CASE WHEN g.measured ~ '^\d{1,15}(\.\d{1,15})?$' THEN g.measured::numeric ELSE 1 END)::rampart.alert_match), '{}')
    FROM groups g JOIN wanted w ON w.event = g.event AND w.severity = g.severity AND w.group_by = g.group_by AND w.watch = g.watch
         AND coalesce(w.measure, '') = coalesce(g.measure, '');
END;
COMMENT ON FUNCTION rampart.alert_matches(text, int8, int8) IS 'What the enabled rules want of a stretch of leaves, with the group it belongs to.';

-- Kinds of rules: matches in, firings out; what they remember is brought up to date ---------------------------

CREATE FUNCTION rampart.fire_single(class text, matches rampart.alert_match[]) RETURNS SETOF rampart.alert_firing
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.rule, m.group_key, m.group_id, m.at, m.at, m.index, m.index, 1::int8, 0::int8 FROM unnest(matches) m WHERE m.kind = 'single';
END;
COMMENT ON FUNCTION rampart.fire_single(text, rampart.alert_match[]) IS 'Each entry fires.';

CREATE FUNCTION rampart.fire_threshold(class text, matches rampart.alert_match[]) RETURNS SETOF rampart.alert_firing
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    hits rampart.alert_match[];
BEGIN
    -- With what is remembered of their groups.
    SELECT array_agg(h) INTO hits FROM (
        SELECT m.rule, m.kind, m.index, m.at, m.group_key, m.group_id, m.value, 1::numeric AS amount FROM unnest(matches) m WHERE m.kind = 'threshold'
        UNION ALL
        SELECT h.rule, 'threshold', h.index, h.at, NULL, h.group_id, NULL, 0 FROM rampart.alert_hit h
        JOIN (SELECT DISTINCT m.rule, m.group_id FROM unnest(matches) m WHERE m.kind = 'threshold') g ON g.rule = h.rule AND g.group_id = h.group_id
        WHERE h.class = fire_threshold.class) h;
    RETURN QUERY
        SELECT w.rule, g.group_key, w.group_id, w.from_at, w.at, w.from_index, w.index, 1::int8, w.threshold - 1
        FROM (SELECT h.rule, h.group_id, h.at, h.index, r.period, r.threshold,
                     lag(h.at, r.threshold::int4 - 1) OVER line AS from_at, lag(h.index, r.threshold::int4 - 1) OVER line AS from_index,
                     sum(h.amount) OVER line AS new_to_here, lag(h.before, r.threshold::int4 - 1) OVER line AS new_before
              FROM (SELECT n.*, sum(n.amount) OVER (PARTITION BY n.rule, n.group_id ORDER BY n.at, n.index) - n.amount AS before FROM unnest(hits) n) h
              JOIN rampart.alert_rule r ON r.name = h.rule
              WINDOW line AS (PARTITION BY h.rule, h.group_id ORDER BY h.at, h.index)) w
        JOIN (SELECT DISTINCT ON (m.rule, m.group_id) m.rule, m.group_id, m.group_key FROM unnest(matches) m WHERE m.kind = 'threshold') g
             ON g.rule = w.rule AND g.group_id = w.group_id
        -- An entry that comes late may complete a window that ends with an old one.
        WHERE w.at - w.from_at <= w.period AND w.new_to_here > w.new_before;
    DELETE FROM rampart.alert_hit h USING (SELECT DISTINCT n.rule, n.group_id FROM unnest(hits) n) g
        WHERE h.rule = g.rule AND h.group_id = g.group_id AND h.class = fire_threshold.class;
    INSERT INTO rampart.alert_hit (rule, class, group_id, at, index)
        SELECT n.rule, fire_threshold.class, n.group_id, n.at, n.index
        FROM (SELECT n.rule, n.group_id, n.at, n.index, row_number() OVER (PARTITION BY n.rule, n.group_id ORDER BY n.at DESC, n.index DESC) AS place
              -- A clock that was ahead must not keep later entries out.
              FROM unnest(hits) n JOIN rampart.alert_rule r ON r.name = n.rule WHERE n.at <= now() + r.period) n
        JOIN rampart.alert_rule r ON r.name = n.rule
        WHERE n.place < r.threshold;
END
$$;
COMMENT ON FUNCTION rampart.fire_threshold(text, rampart.alert_match[]) IS
'So many entries of a group within the period fire, and each further one that has as many before it.';

CREATE FUNCTION rampart.fire_first_seen(class text, matches rampart.alert_match[]) RETURNS SETOF rampart.alert_firing
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    found_values rampart.alert_match[];
BEGIN
    -- Each value once, at its first entry. One without values is none.
    SELECT array_agg(v) INTO found_values FROM (
        SELECT DISTINCT ON (m.rule, m.group_id, m.value) m.rule, m.kind, m.index, m.at, m.group_key, m.group_id, m.value, m.amount
        FROM unnest(matches) m WHERE m.kind = 'first_seen' AND jsonb_strip_nulls(m.value) <> '{}' ORDER BY m.rule, m.group_id, m.value, m.index) v;
    RETURN QUERY
        SELECT n.rule, n.key, sha256(convert_to(n.key::text, 'UTF8')), n.at, n.at, n.index, n.index, 1::int8, 0::int8
        FROM (SELECT v.rule, v.group_id, v.group_key || v.value AS key, v.at, v.index,
                     row_number() OVER (PARTITION BY v.rule, v.group_id ORDER BY v.index) - 1 AS of_now,
                     (SELECT count(*) FROM (SELECT FROM rampart.alert_seen s WHERE s.rule = v.rule AND s.class = fire_first_seen.class
                                            AND s.group_id = v.group_id LIMIT 1000) known) AS of_before
              FROM unnest(found_values) v
              WHERE NOT EXISTS (SELECT FROM rampart.alert_seen s WHERE s.rule = v.rule AND s.class = fire_first_seen.class
                                AND s.group_id = v.group_id AND s.value_id = sha256(convert_to(v.value::text, 'UTF8')))) n
        JOIN rampart.alert_rule r ON r.name = n.rule
        WHERE n.of_now + n.of_before >= r.threshold;
    INSERT INTO rampart.alert_seen AS s (rule, class, group_id, value_id, at)
        SELECT m.rule, fire_first_seen.class, m.group_id, sha256(convert_to(m.value::text, 'UTF8')), max(m.at)
        FROM unnest(matches) m WHERE m.kind = 'first_seen' AND jsonb_strip_nulls(m.value) <> '{}' GROUP BY m.rule, m.group_id, m.value
        ON CONFLICT ON CONSTRAINT alert_seen_pkey DO UPDATE SET at = excluded.at
            -- Not for every login.
            WHERE s.at < excluded.at - (SELECT r.period / 20 FROM rampart.alert_rule r WHERE r.name = s.rule);
END
$$;
COMMENT ON FUNCTION rampart.fire_first_seen(text, rampart.alert_match[]) IS
'A value that its group has not had fires, if the group has had others. An alert is about the group and the value.';

CREATE FUNCTION rampart.fire_volume(class text, matches rampart.alert_match[]) RETURNS SETOF rampart.alert_firing
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO rampart.alert_volume AS v (rule, class, group_id, at, amount)
        SELECT m.rule, fire_volume.class, m.group_id, date_bin(r.period, m.at, 'epoch'), sum(m.amount)
        FROM unnest(matches) m JOIN rampart.alert_rule r ON r.name = m.rule WHERE m.kind = 'volume'
        GROUP BY m.rule, m.group_id, date_bin(r.period, m.at, 'epoch')
        ON CONFLICT ON CONSTRAINT alert_volume_pkey DO UPDATE SET amount = v.amount + excluded.amount;
    RETURN QUERY
        SELECT p.rule, p.group_key, p.group_id, p.first_at, p.last_at, p.first_index, p.last_index, p.entries, 0::int8
        FROM (SELECT m.rule, m.group_id, (array_agg(m.group_key))[1] AS group_key, date_bin(r.period, m.at, 'epoch') AS at, min(m.at) AS first_at,
                     max(m.at) AS last_at, min(m.index) AS first_index, max(m.index) AS last_index, count(*) AS entries
              FROM unnest(matches) m JOIN rampart.alert_rule r ON r.name = m.rule WHERE m.kind = 'volume'
              GROUP BY m.rule, m.group_id, date_bin(r.period, m.at, 'epoch')) p
        JOIN rampart.alert_rule r ON r.name = p.rule
        JOIN rampart.alert_volume v ON v.rule = p.rule AND v.class = fire_volume.class AND v.group_id = p.group_id AND v.at = p.at
        CROSS JOIN LATERAL (
            -- Periods in which the group had nothing count as well, from the first that it had something in.
            SELECT least(r.history, round(extract(epoch FROM p.at - min(b.at)) / extract(epoch FROM r.period))) AS periods,
                   sum(b.amount) AS total, sum(b.amount ^ 2) AS squares
            FROM rampart.alert_volume b
            WHERE b.rule = p.rule AND b.class = fire_volume.class AND b.group_id = p.group_id AND b.at >= p.at - r.history * r.period AND b.at < p.at) past
        CROSS JOIN LATERAL (SELECT past.total / past.periods AS mean,
                                   sqrt(greatest(past.squares / past.periods - (past.total / past.periods) ^ 2, 0)) AS deviation) usual
        WHERE past.periods >= r.learn AND v.amount >= r.threshold
          -- A history without any deviation still allows for a tenth.
          AND v.amount > usual.mean + r.factor::numeric * greatest(usual.deviation, usual.mean / 10);
END
$$;
COMMENT ON FUNCTION rampart.fire_volume(text, rampart.alert_match[]) IS
'A period''s amount fires where it exceeds the mean of the group''s periods before by so many standard deviations.';

-- Not more than 100,000 rows a rule, class and table.
CREATE FUNCTION rampart.prune_alert_state(class text, oldest timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rule record;
BEGIN
    FOR rule IN SELECT r.name, 'alert_' || k.state AS state, oldest - r.period * CASE WHEN r.kind = 'volume' THEN r.history + 1 ELSE 1 END AS horizon,
                       now() + r.period AS ahead
                FROM rampart.alert_rule r
                JOIN (VALUES ('threshold', 'hit'), ('first_seen', 'seen'), ('volume', 'volume')) k (kind, state) ON k.kind = r.kind LOOP
        EXECUTE format('DELETE FROM rampart.%1$I s WHERE s.rule = $1 AND s.class = $2
                        AND (s.at < $3 OR s.at > $4
                             OR s.at < (SELECT o.at FROM rampart.%1$I o WHERE o.rule = $1 AND o.class = $2 ORDER BY o.at DESC OFFSET 100000 LIMIT 1))', rule.state)
            USING rule.name, class, rule.horizon, rule.ahead;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.prune_alert_state(text, timestamptz) IS
'Forgets what lies further back than rules look from the oldest entry of a stretch, what a clock that was ahead left, and of more than 100,000 rows of a rule the oldest.';

-- Alerts -----------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.count_up_alerts(class text, firings rampart.alert_firing[]) RETURNS rampart.alert_firing[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH known AS (
        SELECT f.rule, f.group_id, f.last_at, f.last_index, f.first_at, f.first_index, f.entries, a.id
        FROM unnest(firings) f JOIN rampart.alert_rule r ON r.name = f.rule
        CROSS JOIN LATERAL (SELECT a.id, a.last_at FROM rampart.alert a
                            WHERE a.rule = f.rule AND a.class = count_up_alerts.class AND a.group_id = f.group_id AND a.state <> 'resolved'
                            ORDER BY a.id DESC LIMIT 1) a
        WHERE f.first_at <= a.last_at + r.dedup
    ), counted AS (
        UPDATE rampart.alert a SET count = a.count + k.entries, last_at = greatest(a.last_at, k.last_at), last_index = greatest(a.last_index, k.last_index),
               first_at = least(a.first_at, k.first_at), first_index = least(a.first_index, k.first_index)
        FROM known k WHERE a.id = k.id
        RETURNING k.rule, k.group_id
    )
    SELECT coalesce(array_agg(f), '{}') FROM unnest(firings) f
    WHERE NOT EXISTS (SELECT FROM counted c WHERE c.rule = f.rule AND c.group_id = f.group_id);
END;
COMMENT ON FUNCTION rampart.count_up_alerts(text, rampart.alert_firing[]) IS
'Adds to alerts that are not resolved and whose dedup interval is not over; returns what is left.';

CREATE FUNCTION rampart.sum_firings(firings rampart.alert_firing[]) RETURNS rampart.alert_firing[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(array_agg(ROW(s.rule, s.group_key, s.group_id, s.first_at, s.last_at, s.first_index, s.last_index, s.entries, s.before)::rampart.alert_firing), '{}')
    FROM (SELECT f.rule, min(f.group_key::text)::jsonb AS group_key, f.group_id, min(f.first_at) AS first_at, max(f.last_at) AS last_at,
                 min(f.first_index) AS first_index, max(f.last_index) AS last_index, sum(f.entries)::int8 AS entries, max(f.before) AS before
          FROM unnest(firings) f GROUP BY f.rule, f.group_id) s;
END;
COMMENT ON FUNCTION rampart.sum_firings(rampart.alert_firing[]) IS 'The firings of each group as one.';

CREATE FUNCTION rampart.calm_storm(firings rampart.alert_firing[]) RETURNS rampart.alert_firing[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.sum_firings(array_agg(ROW(f.rule, CASE WHEN f.place <= 100 THEN f.group_key ELSE '{"other": "groups"}' END,
                                             CASE WHEN f.place <= 100 THEN f.group_id ELSE '\x00' END,
                                             f.first_at, f.last_at, f.first_index, f.last_index, f.entries, f.before)::rampart.alert_firing))
    FROM (SELECT u.*, row_number() OVER (PARTITION BY u.rule ORDER BY u.first_index, u.group_id)
                      + (SELECT count(*) FROM rampart.alert a WHERE a.rule = u.rule AND a.raised_at > now() - interval '1 hour') AS place
          FROM unnest(firings) u) f;
END;
COMMENT ON FUNCTION rampart.calm_storm(rampart.alert_firing[]) IS
'Of more than a hundred new groups of a rule within an hour, those beyond as one group.';

CREATE FUNCTION rampart.raise_alerts(class text, firings rampart.alert_firing[]) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    left_over rampart.alert_firing[] := rampart.count_up_alerts(class, rampart.sum_firings(firings));
    raised int8;
BEGIN
    left_over := rampart.count_up_alerts(class, rampart.calm_storm(left_over));
    WITH raised AS (
        INSERT INTO rampart.alert (rule, severity, class, group_key, group_id, count, first_at, last_at, first_index, last_index)
        SELECT f.rule, r.severity, raise_alerts.class, f.group_key, f.group_id, f.entries + f.before, f.first_at, f.last_at, f.first_index, f.last_index
        FROM unnest(left_over) f JOIN rampart.alert_rule r ON r.name = f.rule ORDER BY f.first_index, f.rule
        RETURNING id, rule, severity
    ), told AS (
        -- Everybody may listen: what it is about stands in the table.
        SELECT pg_notify('rampart_alert', jsonb_build_object('id', r.id, 'rule', r.rule, 'severity', r.severity)::text) FROM raised r
    )
    SELECT count(*) INTO raised FROM told;
    RETURN raised;
END
$$;
COMMENT ON FUNCTION rampart.raise_alerts(text, rampart.alert_firing[]) IS 'Makes alerts of firings, or adds to those there are; new ones are notified.';

CREATE FUNCTION rampart.evaluate_stretch(class text, first int8, count int8) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    matches rampart.alert_match[] := rampart.alert_matches(class, first, count);
    firings rampart.alert_firing[];
BEGIN
    IF cardinality(matches) = 0 THEN
        RETURN;
    END IF;
    PERFORM rampart.prune_alert_state(class, (SELECT min(m.at) FROM unnest(matches) m));
    SELECT coalesce(array_agg(f), '{}') INTO firings FROM (
        SELECT * FROM rampart.fire_single(class, matches) UNION ALL SELECT * FROM rampart.fire_threshold(class, matches)
        UNION ALL SELECT * FROM rampart.fire_first_seen(class, matches) UNION ALL SELECT * FROM rampart.fire_volume(class, matches)) f;
    PERFORM rampart.raise_alerts(class, firings);
END
$$;
COMMENT ON FUNCTION rampart.evaluate_stretch(text, int8, int8) IS 'Runs the rules over leaves of one class.';

CREATE FUNCTION rampart.evaluate_alerts(max_entries int DEFAULT 10000) RETURNS int
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
    stretch int8;
    done int8 := 0;
BEGIN
    IF max_entries IS NULL OR max_entries NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'max_entries is from 1 to 100000' USING ERRCODE = '22023';
    END IF;
    -- One at a time; readers of alerts are not kept waiting.
    LOCK TABLE rampart.alert_position IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO rampart.alert_position (class, next_index) SELECT c, 0 FROM unnest(rampart.audit_classes()) c ON CONFLICT DO NOTHING;
    FOR part IN SELECT p.class, p.next_index FROM rampart.alert_position p ORDER BY array_position(rampart.audit_classes(), p.class) LOOP
        stretch := least(max_entries - done, rampart.sealed_size(part.class) - part.next_index);
        CONTINUE WHEN stretch <= 0;
        PERFORM rampart.evaluate_stretch(part.class, part.next_index, stretch);
        UPDATE rampart.alert_position p SET next_index = part.next_index + stretch WHERE p.class = part.class;
        done := done + stretch;
    END LOOP;
    RETURN done;
END
$$;
COMMENT ON FUNCTION rampart.evaluate_alerts(int) IS
'Runs the alert rules over entries that were sealed since the last call: at most so many. Returns over how many; 0: there are no more. One at a time; another waits. Errors: 22023.';
