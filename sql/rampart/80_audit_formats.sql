-- The formats of exports: one function each, and what they have in common. A line bears its leaf and the
-- newest head over it; values stay as the log has them, encrypted ones armour.

CREATE TABLE rampart.audit_severity (
    name   text PRIMARY KEY,
    level  int4 NOT NULL UNIQUE,
    cef    int4 NOT NULL,
    syslog int4 NOT NULL
);
COMMENT ON TABLE rampart.audit_severity IS 'Severities, and what formats call them.';
COMMENT ON COLUMN rampart.audit_severity.level IS 'From 1, the least; severity_id of OCSF.';
INSERT INTO rampart.audit_severity VALUES
    ('info', 1, 1, 6), ('low', 2, 3, 5), ('medium', 3, 5, 4), ('high', 4, 8, 3), ('critical', 5, 10, 2);

CREATE FUNCTION rampart.severity_of(severity text) RETURNS rampart.audit_severity
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s FROM rampart.audit_severity s WHERE s.name IN (severity_of.severity, 'medium') ORDER BY s.name = severity_of.severity DESC LIMIT 1;
END;
COMMENT ON FUNCTION rampart.severity_of(text) IS 'A severity; medium, where it is none.';

-- A line's parts ------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.utc_text(at timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
COMMENT ON FUNCTION rampart.utc_text(timestamptz) IS 'A time in ISO 8601 and UTC, with microseconds.';

CREATE FUNCTION rampart.present(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN nullif(jsonb_strip_nulls(value), '{}');
COMMENT ON FUNCTION rampart.present(jsonb) IS 'A JSON object without its nulls; NULL where nothing is left.';

CREATE FUNCTION rampart.json_line(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN replace(value::text, chr(127), '\u007f');
COMMENT ON FUNCTION rampart.json_line(jsonb) IS 'JSON without control characters: it escapes all of them but one by itself.';

-- Nulls among values are values: they stay.
CREATE FUNCTION rampart.export_body(entry rampart.audit_log, place jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT jsonb_strip_nulls(place || jsonb_build_object(
               'id', entry.id, 'at', rampart.utc_text(entry.at), 'xid', entry.xid::text, 'event', entry.event,
               'severity', entry.severity, 'actor', entry.actor, 'org', entry.org, 'ip', host(entry.ip),
               'user_agent', entry.user_agent, 'request_id', entry.request_id, 'role', entry.role,
               'session_role', entry.session_role, 'application', entry.application, 'client', host(entry.client),
               'relation', entry.relation, 'operation', entry.operation, 'erased', CASE WHEN entry.erased IS NOT NULL THEN true END))
           || coalesce((SELECT jsonb_object_agg(p.name, p.value)
                        FROM (VALUES ('key', entry.key), ('old', entry.old), ('new', entry.new), ('metadata', entry.metadata)) p (name, value)
                        WHERE p.value IS NOT NULL), '{}');
END;
COMMENT ON FUNCTION rampart.export_body(rampart.audit_log, jsonb) IS
'All of an entry, with its place in the log: class, index, head (size and root of the newest checkpoint''s tree, if it covers the entry), and the size of a line that was too long.';

CREATE FUNCTION rampart.payload_size(entry rampart.audit_log) RETURNS int8
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- A value with nothing added is the value unpacked.
    SELECT sum(pg_column_size(p.value || '{}'::jsonb))
    FROM (VALUES (entry.key), (entry.old), (entry.new), (entry.metadata)) p (value);
END;
COMMENT ON FUNCTION rampart.payload_size(rampart.audit_log) IS 'How many bytes the values of an entry take in memory.';

CREATE FUNCTION rampart.shorten_entry(entry rampart.audit_log) RETURNS rampart.audit_log
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    entry.key := NULL;
    entry.old := NULL;
    entry.new := NULL;
    entry.metadata := NULL;
    entry.event := left(entry.event, 100);
    entry.actor := left(entry.actor, 200);
    entry.org := left(entry.org, 200);
    entry.user_agent := left(entry.user_agent, 200);
    entry.request_id := left(entry.request_id, 200);
    entry.relation := left(entry.relation, 200);
    RETURN entry;
END
$$;
COMMENT ON FUNCTION rampart.shorten_entry(rampart.audit_log) IS 'An entry without its values, and with texts cut, so that a line of it has less than 16 kB.';

-- Formats: (entry, its type or NULL, its place, the version of Rampart) -> line -------------------------------

CREATE FUNCTION rampart.export_ocsf(entry rampart.audit_log, about rampart.audit_event_type, place jsonb, version text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.json_line(jsonb_strip_nulls(jsonb_build_object(
               'class_uid', c.class, 'activity_id', c.activity, 'category_uid', c.class / 1000, 'type_uid', c.class * 100 + c.activity,
               'severity_id', s.level, 'status_id', CASE WHEN about.ocsf_failure THEN 2 ELSE 1 END,
               'time', floor(extract(epoch FROM entry.at) * 1000)::int8, 'message', about.description,
               'actor', rampart.present(jsonb_build_object('user', jsonb_build_object('name', coalesce(entry.actor, entry.session_role)),
                                                           'app_name', entry.application)),
               'src_endpoint', rampart.present(jsonb_build_object('ip', host(coalesce(entry.ip, entry.client)))),
               'http_request', rampart.present(jsonb_build_object('uid', entry.request_id, 'user_agent', entry.user_agent)),
               'metadata', jsonb_build_object(
                   'version', '1.8.0', 'product', jsonb_build_object('name', 'Rampart', 'vendor_name', 'Rampart', 'version', version),
                   'uid', format('%s/%s', place ->> 'class', place ->> 'index'), 'sequence', place -> 'index', 'log_name', place -> 'class',
                   'event_code', entry.event, 'tenant_uid', entry.org, 'original_time', rampart.utc_text(entry.at),
                   'is_truncated', CASE WHEN place ? 'untruncated_size' THEN true END, 'untruncated_size', place -> 'untruncated_size')))
            || jsonb_build_object('unmapped', rampart.export_body(entry, place)))
    FROM rampart.severity_of(entry.severity) s, (SELECT coalesce(about.ocsf_class, 0) AS class, coalesce(about.ocsf_activity, 99) AS activity) c;
END;
COMMENT ON FUNCTION rampart.export_ocsf(rampart.audit_log, rampart.audit_event_type, jsonb, text) IS
'A JSON object of the Open Cybersecurity Schema Framework; what it has no name for, and the entry as it is, in unmapped.';

CREATE FUNCTION rampart.export_ecs(entry rampart.audit_log, about rampart.audit_event_type, place jsonb, version text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.json_line(jsonb_strip_nulls(jsonb_build_object(
               '@timestamp', rampart.utc_text(entry.at), 'message', about.description, 'ecs', jsonb_build_object('version', '8.11.0'),
               'event', jsonb_build_object(
                   'kind', 'event', 'category', to_jsonb(about.ecs_category), 'type', to_jsonb(about.ecs_type),
                   'outcome', CASE WHEN about.ocsf_failure THEN 'failure' ELSE 'success' END, 'action', entry.event, 'severity', s.level,
                   'sequence', place -> 'index', 'id', format('%s/%s', place ->> 'class', place ->> 'index'),
                   'module', 'rampart', 'dataset', 'rampart.audit', 'provider', format('rampart %s', version)),
               'log', jsonb_build_object('level', entry.severity),
               'user', jsonb_build_object('name', coalesce(entry.actor, entry.session_role)),
               'organization', rampart.present(jsonb_build_object('id', entry.org)),
               'source', rampart.present(jsonb_build_object('ip', host(coalesce(entry.ip, entry.client)))),
               'user_agent', rampart.present(jsonb_build_object('original', entry.user_agent)),
               'http', rampart.present(jsonb_build_object('request', rampart.present(jsonb_build_object('id', entry.request_id))))))
            || jsonb_build_object('rampart', rampart.export_body(entry, place)))
    FROM rampart.severity_of(entry.severity) s;
END;
COMMENT ON FUNCTION rampart.export_ecs(rampart.audit_log, rampart.audit_event_type, jsonb, text) IS
'A JSON object of the Elastic Common Schema; the entry as it is, in rampart.';

CREATE FUNCTION rampart.one_line(value text, stand_in text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
RETURN regexp_replace(value, '[\x01-\x1f\x7f]', stand_in, 'g');
COMMENT ON FUNCTION rampart.one_line(text, text) IS 'A text without control characters.';

CREATE FUNCTION rampart.export_syslog(entry rampart.audit_log, about rampart.audit_event_type, place jsonb, version text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Facility 13, log audit. 32473 is the number that IANA has set aside for documentation.
    SELECT format('<%s>1 %s - rampart - %s [rampart@32473%s] %s', 13 * 8 + s.syslog, rampart.utc_text(entry.at),
                  coalesce(nullif(left(regexp_replace(entry.event, '[^\x21-\x7e]', '_', 'g'), 32), ''), '-'),
                  (SELECT string_agg(format(' %s="%s"', p.name, regexp_replace(rampart.one_line(p.value, '?'), '(["\\\]])', '\\\1', 'g')), '' ORDER BY p.n)
                   FROM (VALUES (1, 'class', place ->> 'class'), (2, 'index', place ->> 'index'),
                                (3, 'size', place #>> '{head,size}'), (4, 'root', place #>> '{head,root}'),
                                (5, 'event', entry.event), (6, 'severity', entry.severity),
                                (7, 'outcome', CASE WHEN about.ocsf_failure THEN 'failure' ELSE 'success' END),
                                (8, 'actor', entry.actor), (9, 'org', entry.org), (10, 'ip', host(coalesce(entry.ip, entry.client))),
                                (11, 'request', entry.request_id), (12, 'role', entry.session_role::text),
                                (13, 'relation', entry.relation), (14, 'version', version)) p (n, name, value)
                   WHERE p.value IS NOT NULL),
                  rampart.json_line(rampart.export_body(entry, place)))
    FROM rampart.severity_of(entry.severity) s;
END;
COMMENT ON FUNCTION rampart.export_syslog(rampart.audit_log, rampart.audit_event_type, jsonb, text) IS
'A message of RFC 5424: the header fields as structured data, control characters replaced by a question mark; the entry as it is, in JSON, as the message.';

CREATE FUNCTION rampart.export_cef(entry rampart.audit_log, about rampart.audit_event_type, place jsonb, version text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'CEF:0' ||
           (SELECT string_agg('|' || regexp_replace(rampart.one_line(h.value, ' '), '([\\|])', '\\\1', 'g'), '' ORDER BY h.n)
            FROM (VALUES (1, 'Rampart'), (2, 'Rampart'), (3, version), (4, entry.event),
                         (5, coalesce(about.description, entry.event)), (6, s.cef::text)) h (n, value))
           || '|' ||
           (SELECT string_agg(e.name || '=' || rampart.one_line(
                       replace(replace(regexp_replace(e.value, '([\\=])', '\\\1', 'g'), E'\n', '\n'), E'\r', '\r'), '?'), ' ' ORDER BY e.n)
            FROM (VALUES (1, 'rt', floor(extract(epoch FROM entry.at) * 1000)::int8::text),
                         (2, 'externalId', format('%s/%s', place ->> 'class', place ->> 'index')),
                         (3, 'outcome', CASE WHEN about.ocsf_failure THEN 'failure' ELSE 'success' END),
                         (4, 'act', entry.operation), (5, 'suser', coalesce(entry.actor, entry.session_role)),
                         (6, 'src', CASE WHEN family(coalesce(entry.ip, entry.client)) = 4 THEN host(coalesce(entry.ip, entry.client)) END),
                         (7, 'c6a2', CASE WHEN family(coalesce(entry.ip, entry.client)) = 6 THEN host(coalesce(entry.ip, entry.client)) END),
                         (8, 'requestClientApplication', entry.user_agent),
                         (9, 'cs1Label', 'org'), (10, 'cs1', entry.org), (11, 'cs2Label', 'relation'), (12, 'cs2', entry.relation),
                         (13, 'cs3Label', 'request'), (14, 'cs3', entry.request_id), (15, 'cs4Label', 'root'), (16, 'cs4', place #>> '{head,root}'),
                         (17, 'cs5Label', 'role'), (18, 'cs5', entry.session_role::text), (19, 'cs6Label', 'class'), (20, 'cs6', place ->> 'class'),
                         (21, 'cn1Label', 'index'), (22, 'cn1', place ->> 'index'), (23, 'cn2Label', 'size'), (24, 'cn2', place #>> '{head,size}'),
                         (25, 'msg', rampart.json_line(rampart.export_body(entry, place)))) e (n, name, value)
            WHERE e.value IS NOT NULL)
    FROM rampart.severity_of(entry.severity) s;
END;
COMMENT ON FUNCTION rampart.export_cef(rampart.audit_log, rampart.audit_event_type, jsonb, text) IS
'A message of the Common Event Format, version 0; the entry as it is, in JSON, in msg.';

CREATE VIEW rampart.export_formats AS
    SELECT f.name, f.function::regprocedure, f.description
    FROM (VALUES ('ocsf', 'rampart.export_ocsf'::regproc, 'JSON lines, Open Cybersecurity Schema Framework'),
                 ('ecs', 'rampart.export_ecs', 'JSON lines, Elastic Common Schema'),
                 ('syslog', 'rampart.export_syslog', 'RFC 5424'),
                 ('cef', 'rampart.export_cef', 'Common Event Format')) f (name, function, description);
COMMENT ON VIEW rampart.export_formats IS 'The formats of exports, and the functions that write a line.';
