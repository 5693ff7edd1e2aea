-- Exports of the log to where it is watched: sealed entries in the order of their leaves, a line each, read
-- from a cursor that moves when the reader says that he has them. So every line arrives at least once. A
-- line bears its leaf and the newest head over it: what received it is a witness of the log.

CREATE TABLE rampart.audit_export (
    name      text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
    format    text NOT NULL,
    reader    regrole,
    max_bytes int4 NOT NULL CHECK (max_bytes BETWEEN 16384 AND 16777216),
    recorded  bool NOT NULL,
    since     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.audit_export IS 'Exports of the audit log. rampart.create_export and drop_export change it.';
COMMENT ON COLUMN rampart.audit_export.reader IS 'Who fetches it; it has what this role may read. NULL: superusers, everything.';

CREATE TABLE rampart.audit_export_cursor (
    export     text NOT NULL,
    class      text NOT NULL,
    next_index int8 NOT NULL CHECK (next_index >= 0),
    acked_at   timestamptz,
    PRIMARY KEY (export, class)
);
COMMENT ON TABLE rampart.audit_export_cursor IS 'Exports: the first leaf of each class that was not acknowledged.';
SELECT pg_extension_config_dump('rampart.audit_export', 'WHERE reader IS NULL OR reader IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_extension_config_dump('rampart.audit_export_cursor', '');

CREATE FUNCTION rampart.audit_classes() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN '{security,normal}'::text[];
COMMENT ON FUNCTION rampart.audit_classes() IS 'The classes of the audit log, in the order they are looked at.';

CREATE FUNCTION rampart.newest_head(class text) RETURNS TABLE (size int8, root text)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Formats, Checkpoints: security is the tree on lines 2 and 3, others have a line each.
    SELECT split_part(n.line, ' ', 1)::int8, split_part(n.line, ' ', 2)
    FROM (SELECT CASE WHEN class = 'security' THEN split_part(c.note, E'\n', 2) || ' ' || split_part(c.note, E'\n', 3)
                      ELSE substring(c.note FROM format('\nrampart/%s (\d+ [^ \n]+)\n', class)) END AS line
          FROM rampart.audit_checkpoint c ORDER BY c.number DESC LIMIT 1) n
    WHERE n.line ~ '^\d+ \S+$';
END;
COMMENT ON FUNCTION rampart.newest_head(text) IS 'Size and root of a class''s tree in the newest checkpoint; no row without one.';

CREATE FUNCTION rampart.create_export(name text, format text, class text DEFAULT NULL, from_index int8 DEFAULT 0, reader regrole DEFAULT NULL,
                                      max_bytes int DEFAULT 65536, recorded bool DEFAULT true) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text := CASE
        WHEN coalesce(length(create_export.name), 0) NOT BETWEEN 1 AND 63 THEN 'an export''s name has 1 to 63 characters'
        WHEN NOT EXISTS (SELECT FROM rampart.export_formats f WHERE f.name = create_export.format) OR create_export.format IS NULL
            THEN 'no such format: TABLE rampart.export_formats'
        WHEN create_export.class <> ALL (rampart.audit_classes()) THEN 'class is normal or security, or NULL for both'
        WHEN create_export.max_bytes NOT BETWEEN 16384 AND 16777216 OR create_export.max_bytes IS NULL
            THEN 'max_bytes is from 16384 to 16777216'
        WHEN create_export.recorded IS NULL THEN 'recorded is true or false'
    END;
    part text;
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = '22023';
    END IF;
    IF create_export.reader IS NOT NULL THEN
        PERFORM rampart.require_role(create_export.reader);
    END IF;
    INSERT INTO rampart.audit_export AS x (name, format, reader, max_bytes, recorded)
        VALUES (create_export.name, create_export.format, create_export.reader, create_export.max_bytes, create_export.recorded)
        ON CONFLICT ON CONSTRAINT audit_export_pkey DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'export "%" exists', create_export.name USING ERRCODE = '42710';
    END IF;
    FOREACH part IN ARRAY rampart.audit_classes() LOOP
        CONTINUE WHEN part <> create_export.class;
        IF create_export.from_index NOT BETWEEN 0 AND rampart.sealed_size(part) THEN
            RAISE EXCEPTION 'class % has no leaf % yet', part, create_export.from_index USING ERRCODE = '22023',
                HINT = 'NULL begins with what is sealed next.';
        END IF;
        INSERT INTO rampart.audit_export_cursor (export, class, next_index)
            VALUES (create_export.name, part, coalesce(create_export.from_index, rampart.sealed_size(part)));
    END LOOP;
    PERFORM rampart.write_event('audit.exported', 'low', NULL, NULL, NULL,
        jsonb_build_object('change', 'created', 'export', create_export.name, 'format', create_export.format,
                           'class', create_export.class, 'from', create_export.from_index, 'reader', create_export.reader::text));
END
$$;
COMMENT ON FUNCTION rampart.create_export(text, text, text, int8, regrole, int, bool) IS
'Makes an export of a class, or of both (NULL), from a leaf on; NULL: from what is sealed next. reader: the role that fetches it, and whose entries it has; NULL: superusers, all entries. max_bytes: longer lines come without values, and say so. recorded: acknowledgements leave audit.exported in the log. Errors: 22023, 42704, 42710.';

CREATE FUNCTION rampart.drop_export(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM rampart.audit_export x WHERE x.name = drop_export.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no export "%"', drop_export.name USING ERRCODE = 'RMA20';
    END IF;
    DELETE FROM rampart.audit_export_cursor c WHERE c.export = drop_export.name;
    PERFORM rampart.write_event('audit.exported', 'low', NULL, NULL, NULL, jsonb_build_object('change', 'dropped', 'export', drop_export.name));
END
$$;
COMMENT ON FUNCTION rampart.drop_export(text) IS 'Removes an export and its cursor. Errors: RMA20.';

CREATE FUNCTION rampart.require_export(caller oid, name text) RETURNS rampart.audit_export
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_one rampart.audit_export;
BEGIN
    -- Of another's the same answer as of none.
    SELECT x.* INTO found_one FROM rampart.audit_export x JOIN pg_roles r ON r.oid = caller
        WHERE x.name = require_export.name AND (r.rolsuper OR pg_has_role(caller, x.reader, 'USAGE'));
    IF found_one.name IS NULL THEN
        RAISE EXCEPTION 'no export "%" that you may fetch', require_export.name USING ERRCODE = 'RMA20';
    END IF;
    RETURN found_one;
END
$$;
COMMENT ON FUNCTION rampart.require_export(oid, text) IS 'An export that a role may fetch. Errors: RMA20.';

CREATE FUNCTION rampart.fetch_export_for(caller oid, name text, max int) RETURNS TABLE (class text, index int8, line text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    export rampart.audit_export := rampart.require_export(caller, fetch_export_for.name);
    sight text[] := CASE WHEN export.reader IS NULL THEN '{NULL}' ELSE rampart.readable_orgs_of(export.reader, NULL) END;
    -- All lines together are held in memory: 256 MB at most.
    remaining int8 := least(max, 268435456 / export.max_bytes);
    part record;
    at int8;
    lines int8;
    got int8;
    query text := (SELECT format(
        'SELECT $1, l.index,
                CASE WHEN octet_length(l.line) <= $2 THEN l.line
                     ELSE %1$s(rampart.shorten_entry(l.entry), l.about, l.place || jsonb_build_object(''untruncated_size'', octet_length(l.line)), $3) END
         FROM (SELECT e.index, e.entry, t AS about, p.place,
                      CASE WHEN p.size <= $2 THEN %1$s(e.entry, t, p.place, $3)
                           ELSE %1$s(rampart.shorten_entry(e.entry), t, p.place || jsonb_build_object(''untruncated_size'', p.size), $3) END AS line
               FROM rampart.sealed_entries($1, $4, $5) e
               LEFT JOIN rampart.audit_event_type t ON t.name = (e.entry).event
               CROSS JOIN LATERAL (SELECT rampart.payload_size(e.entry) AS size,
                                          jsonb_build_object(''class'', $1, ''index'', e.index, ''head'', CASE WHEN e.index < $6 THEN $7 END) AS place
                                   OFFSET 0) p
               WHERE rampart.covers($8, (e.entry).org)
               OFFSET 0) l
         ORDER BY l.index', f.function::regproc)
        FROM rampart.export_formats f WHERE f.name = export.format);
BEGIN
    IF max IS NULL OR max NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'max is from 1 to 10000' USING ERRCODE = '22023';
    END IF;
    FOR part IN SELECT c.class, c.next_index, least(rampart.sealed_size(c.class), c.next_index + 100000) AS ahead, h.size,
                       jsonb_build_object('size', h.size, 'root', h.root) AS head,
                       (SELECT x.extversion FROM pg_extension x WHERE x.extname = 'rampart') AS version
                FROM rampart.audit_export_cursor c LEFT JOIN LATERAL rampart.newest_head(c.class) h ON true
                WHERE c.export = export.name ORDER BY array_position(rampart.audit_classes(), c.class) LOOP
        at := part.next_index;
        lines := 0;
        WHILE at < part.ahead AND remaining > 0 LOOP
            RETURN QUERY EXECUTE query USING part.class, export.max_bytes, part.version, at, least(remaining, part.ahead - at),
                                             coalesce(part.size, 0), part.head, sight;
            GET DIAGNOSTICS got = ROW_COUNT;
            at := at + least(remaining, part.ahead - at);
            lines := lines + got;
            remaining := remaining - got;
        END LOOP;
        -- So that the reader gets past what is not for him, or was removed.
        IF lines = 0 AND at > part.next_index THEN
            RETURN QUERY SELECT part.class, at - 1, NULL::text;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.fetch_export_for(oid, text, int) IS 'fetch_export, for a role.';

CREATE FUNCTION rampart.fetch_export(name text, max int DEFAULT 1000) RETURNS TABLE (class text, index int8, line text)
    AS 'MODULE_PATHNAME', 'rampart_on_behalf' LANGUAGE C STABLE;
COMMENT ON FUNCTION rampart.fetch_export(text, int) IS
'The next lines of an export: at most so many, security before normal, in the order of their leaves. The cursor stays: until rampart.ack_export, the next call returns them again. A row without a line says that there is nothing for you up to that leaf; it is to be acknowledged like a line. Works on a standby. Errors: RMA20, 22023.';

CREATE FUNCTION rampart.ack_export_for(caller oid, name text, class text, index int8) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    export rampart.audit_export := rampart.require_export(caller, ack_export_for.name);
    first int8;
BEGIN
    SELECT c.next_index INTO first FROM rampart.audit_export_cursor c
        WHERE c.export = export.name AND c.class = ack_export_for.class FOR UPDATE;
    IF first IS NULL THEN
        RAISE EXCEPTION 'export "%" has no class %', export.name, coalesce(class, 'NULL') USING ERRCODE = '22023';
    END IF;
    IF index IS NULL OR index < 0 OR index >= rampart.sealed_size(class) THEN
        RAISE EXCEPTION 'class % has no leaf %', class, coalesce(index::text, 'NULL') USING ERRCODE = '22023';
    END IF;
    -- Late news of what was acknowledged since, by another of the reader's processes.
    IF index < first THEN
        RETURN;
    END IF;
    UPDATE rampart.audit_export_cursor c SET next_index = ack_export_for.index + 1, acked_at = clock_timestamp()
        WHERE c.export = export.name AND c.class = ack_export_for.class;
    -- Not of what this leaves itself, or exports would keep each other busy.
    IF export.recorded AND (class <> 'security' OR EXISTS (
           SELECT FROM rampart.sealed_entries(class, first, index - first + 1) e WHERE (e.entry).event <> 'audit.exported')) THEN
        PERFORM rampart.write_event('audit.exported', 'low', NULL, NULL, NULL,
            jsonb_build_object('export', export.name, 'class', class, 'from', first, 'to', index));
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.ack_export_for(oid, text, text, int8) IS 'ack_export, for a role.';

CREATE FUNCTION rampart.ack_export(name text, class text, index int8) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_on_behalf' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.ack_export(text, text, int8) IS
'Moves an export''s cursor behind a leaf: all lines up to it have arrived. Never back; to have lines again, make an export from where they begin. Errors: RMA20, 22023.';

CREATE VIEW rampart.audit_exports AS
    SELECT x.name, x.format, x.reader, c.class, c.next_index, rampart.sealed_size(c.class) - c.next_index AS lag, c.acked_at,
           x.max_bytes, x.recorded, x.since
    FROM rampart.audit_export x JOIN rampart.audit_export_cursor c ON c.export = x.name
    ORDER BY x.name, c.class;
COMMENT ON VIEW rampart.audit_exports IS
'Exports and how far they are: next_index is the first leaf that was not acknowledged, lag how many sealed entries wait.';
