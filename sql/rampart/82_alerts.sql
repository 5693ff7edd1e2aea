-- Alerts: rules over events, and what they found. Rules are rows; 83_alert_evaluation.sql runs them.

CREATE TABLE rampart.alert_rule (
    name         text PRIMARY KEY,
    kind         text NOT NULL,
    events       text[] NOT NULL,
    severity     text NOT NULL DEFAULT 'high',
    class        text,
    min_severity text NOT NULL DEFAULT 'info',
    group_by     text[] NOT NULL DEFAULT '{}',
    watch        text[] NOT NULL DEFAULT '{}',
    measure      text,
    threshold    int8 NOT NULL DEFAULT 1,
    period       interval NOT NULL DEFAULT '15 minutes',
    factor       float8 NOT NULL DEFAULT 3,
    history      int4 NOT NULL DEFAULT 14,
    learn        int4 NOT NULL DEFAULT 3,
    dedup        interval NOT NULL DEFAULT '1 hour',
    enabled      bool NOT NULL DEFAULT true,
    description  text NOT NULL DEFAULT '',
    builtin      bool NOT NULL DEFAULT false
);
COMMENT ON TABLE rampart.alert_rule IS 'Alert rules. rampart.create_alert_rule, alter_alert_rule and drop_alert_rule change it.';
COMMENT ON COLUMN rampart.alert_rule.kind IS
'single: each entry; threshold: so many entries of a group within the period; first_seen: a value that the group has not had within the period; volume: more in a period than the group''s own history.';
COMMENT ON COLUMN rampart.alert_rule.events IS 'Names of events; one that ends in * stands for all that begin so.';
COMMENT ON COLUMN rampart.alert_rule.class IS 'Entries of this class only; NULL: of each. Classes are counted apart.';
COMMENT ON COLUMN rampart.alert_rule.group_by IS 'Fields whose values together make a group, as actor or metadata.account; a|b: the first that there is.';
COMMENT ON COLUMN rampart.alert_rule.watch IS 'first_seen: the fields whose values are to be known.';
COMMENT ON COLUMN rampart.alert_rule.measure IS 'volume: the field that is summed up; NULL, or where it is no number: entries are counted.';
COMMENT ON COLUMN rampart.alert_rule.threshold IS 'threshold: how many; volume: the least amount worth an alert; first_seen: how many values the group must have had before.';
COMMENT ON COLUMN rampart.alert_rule.factor IS 'volume: how many standard deviations above the mean.';
COMMENT ON COLUMN rampart.alert_rule.history IS 'volume: how many periods back.';
COMMENT ON COLUMN rampart.alert_rule.learn IS 'volume: how many periods the group must have been known.';
COMMENT ON COLUMN rampart.alert_rule.dedup IS 'For how long after its last entry an alert that is not resolved takes more of its group.';

-- Made when sealing begins and not by CREATE EXTENSION: a dump has them as they were changed since.
CREATE FUNCTION rampart.create_default_alert_rules() RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO rampart.alert_rule (name, kind, severity, events, group_by, watch, measure, threshold, period, dedup, description, builtin)
    VALUES
        ('login_failures', 'threshold', 'high', '{auth.login_failure,auth.login_failed,apikey.refused}', '{metadata.account|metadata.user|actor}', '{}', NULL, 5, '15 minutes', '1 hour', 'Logins to one account failed again and again', true),
        ('mfa_failures', 'threshold', 'high', '{auth.mfa_failed}', '{metadata.account|metadata.user|actor}', '{}', NULL, 3, '15 minutes', '1 hour', 'Second factors of one account were refused again and again: its password may be known', true),
        ('lockout', 'single', 'high', '{auth.lockout,auth.brute_force}', '{metadata.account|metadata.user|actor}', '{}', NULL, 1, '15 minutes', '1 day', 'An account was locked', true),
        ('token_reused', 'single', 'critical', '{auth.token_reused}', '{metadata.account|actor}', '{}', NULL, 1, '15 minutes', '1 day', 'A token was presented that had been exchanged or revoked: it may be stolen', true),
        ('new_address', 'first_seen', 'medium', '{auth.login_success,session.created}', '{metadata.account|actor|session_role}', '{ip|client}', NULL, 1, '90 days', '1 day', 'A login from an address that the account has not used', true),
        ('new_country', 'first_seen', 'high', '{auth.login_success,session.created}', '{metadata.account|actor|session_role}', '{metadata.country}', NULL, 1, '90 days', '1 day', 'A login from a country that the account has not used', true),
        ('refused_decryption', 'threshold', 'high', '{crypto.key_denied,crypto.decrypt_failed}', '{actor|session_role}', '{}', NULL, 10, '15 minutes', '1 hour', 'Decryption was refused, or failed, again and again', true),
        ('large_exports', 'volume', 'high', '{data.export,data.bulk_read,export.finished}', '{actor|session_role}', '{}', 'metadata.rows', 1000, '1 day', '1 day', 'Much more was exported than is usual', true),
        ('superuser_granted', 'single', 'critical', '{authz.superuser_granted}', '{role}', '{}', NULL, 1, '15 minutes', '1 hour', 'A role became a superuser', true),
        ('break_glass', 'single', 'critical', '{policy.break_glass_used}', '{actor|session_role}', '{}', NULL, 1, '15 minutes', '1 hour', 'Emergency access was used', true),
        ('key_destroyed', 'single', 'critical', '{crypto.key_destroyed}', '{metadata.scope}', '{}', NULL, 1, '15 minutes', '1 hour', 'A key was destroyed', true),
        ('auditing_disabled', 'single', 'critical', '{audit.disabled}', '{relation}', '{}', NULL, 1, '15 minutes', '1 hour', 'Auditing of a table was switched off', true),
        ('tampering', 'single', 'critical', '{audit.tamper_detected,audit.rollback_or_fork}', '{}', '{}', NULL, 1, '15 minutes', '1 hour', 'The audit log is not what was sealed', true),
        ('events_lost', 'single', 'high', '{audit.queue_overflow}', '{}', '{}', NULL, 1, '15 minutes', '1 hour', 'Events were lost', true),
        ('rule_changed', 'single', 'high', '{alert.rule_changed}', '{metadata.rule}', '{}', NULL, 1, '15 minutes', '1 hour', 'An alert rule was changed', true)
    ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION rampart.create_default_alert_rules() IS 'The alert rules that come with Rampart; those that are there stay as they are.';

CREATE TABLE rampart.alert (
    id              int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule            text NOT NULL,
    severity        text NOT NULL,
    class           text NOT NULL,
    group_key       jsonb NOT NULL,
    group_id        bytea NOT NULL,
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'resolved')),
    count           int8 NOT NULL,
    first_at        timestamptz NOT NULL,
    last_at         timestamptz NOT NULL,
    first_index     int8 NOT NULL,
    last_index      int8 NOT NULL,
    raised_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    acknowledged_by name,
    acknowledged_at timestamptz,
    resolved_by     name,
    resolved_at     timestamptz,
    note            text
);
CREATE INDEX alert_unresolved ON rampart.alert (rule, class, group_id, id) WHERE state <> 'resolved';
CREATE INDEX alert_recent ON rampart.alert (rule, raised_at);
COMMENT ON TABLE rampart.alert IS 'Alerts. rampart.acknowledge_alert and resolve_alert change it.';
COMMENT ON COLUMN rampart.alert.group_key IS 'The fields that the rule groups by, and watches, with their values. Encrypted ones are armour; long ones are cut, with a hash.';
COMMENT ON COLUMN rampart.alert.count IS 'How many entries it is about.';
COMMENT ON COLUMN rampart.alert.first_index IS 'The leaf of the first of them; the last is last_index. rampart.sealed_entries shows what is between.';

SELECT pg_extension_config_dump('rampart.alert_rule', '');
SELECT pg_extension_config_dump('rampart.alert', '');
SELECT pg_extension_config_dump('rampart.alert_id_seq', '');

-- Rules ------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.bad_alert_field(fields text[]) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(f, 'NULL') FROM unnest(fields) f
    WHERE f IS NULL OR length(f) > 200 OR f !~ concat(
        '^(event|class|severity|actor|org|ip|user_agent|request_id|role|session_role|application|client|relation|operation|(key|old|new|metadata)(\.[^.|]+)+)',
        '(\|(event|class|severity|actor|org|ip|user_agent|request_id|role|session_role|application|client|relation|operation|(key|old|new|metadata)(\.[^.|]+)+))*$')
    LIMIT 1;
END;
COMMENT ON FUNCTION rampart.bad_alert_field(text[]) IS 'The first of the fields that is neither one of the log nor a path into key, old, new or metadata.';

CREATE FUNCTION rampart.check_alert_rule(rule rampart.alert_rule) RETURNS rampart.alert_rule
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fields text[] := rule.group_by || rule.watch || CASE WHEN rule.measure IS NOT NULL THEN ARRAY[rule.measure] ELSE '{}' END;
    problem text := CASE
        WHEN coalesce(length(rule.name), 0) NOT BETWEEN 1 AND 63 THEN 'a rule''s name has 1 to 63 characters'
        WHEN rule.kind IS NULL OR rule.kind NOT IN ('single', 'threshold', 'first_seen', 'volume')
            THEN 'kind is single, threshold, first_seen or volume'
        WHEN NOT EXISTS (SELECT FROM rampart.audit_severity s WHERE s.name = rule.severity)
          OR NOT EXISTS (SELECT FROM rampart.audit_severity s WHERE s.name = rule.min_severity)
            THEN 'severity and min_severity are info, low, medium, high or critical'
        WHEN coalesce(cardinality(rule.events), 0) NOT BETWEEN 1 AND 100 OR array_ndims(rule.events) > 1
          OR EXISTS (SELECT FROM unnest(rule.events) e WHERE e IS NULL OR e !~ '^[a-z0-9_.]{0,63}\*?$' OR e = '')
            THEN 'events are 1 to 100 names, of which each may end in *'
        WHEN rule.class <> ALL (rampart.audit_classes()) THEN 'class is normal or security, or NULL for both'
        WHEN rule.group_by IS NULL OR rule.watch IS NULL OR cardinality(rule.group_by || rule.watch) > 8 THEN 'there are at most 8 fields'
        WHEN cardinality(rule.watch) > 0 AND rule.kind <> 'first_seen' OR cardinality(rule.watch) = 0 AND rule.kind = 'first_seen'
            THEN 'watch is for rules of kind first_seen, which need it'
        WHEN rule.measure IS NOT NULL AND rule.kind <> 'volume' THEN 'measure is for rules of kind volume'
        WHEN rule.threshold IS NULL OR rule.threshold NOT BETWEEN CASE WHEN rule.kind = 'threshold' THEN 1 ELSE 0 END
             AND CASE rule.kind WHEN 'threshold' THEN 1000 WHEN 'first_seen' THEN 1000 ELSE 1000000000000000 END
            THEN 'threshold is from 1 to 1000; of volume, from 0 to 10^15; of first_seen, from 0 to 1000'
        WHEN rule.period IS NULL OR rule.period NOT BETWEEN '1 second' AND '400 days' OR extract(month FROM rule.period) <> 0
          OR extract(year FROM rule.period) <> 0
            THEN 'period is from 1 second to 400 days, without months'
        WHEN rule.dedup IS NULL OR rule.dedup NOT BETWEEN '0' AND '400 days' THEN 'dedup is from 0 to 400 days'
        WHEN rule.factor IS NULL OR rule.factor NOT BETWEEN 0 AND 1000 THEN 'factor is from 0 to 1000'
        WHEN rule.history IS NULL OR rule.history NOT BETWEEN 1 AND 400 THEN 'history is from 1 to 400 periods'
        WHEN rule.learn IS NULL OR rule.learn NOT BETWEEN 1 AND rule.history THEN 'learn is from 1 to as many periods as history'
        WHEN rule.history * rule.period > '4000 days' AND rule.kind = 'volume' THEN 'a history is 4000 days long at most'
        WHEN rule.enabled IS NULL THEN 'enabled is true or false'
        WHEN coalesce(length(rule.description), 10000) > 1000 THEN 'a description has at most 1000 characters'
        WHEN rampart.bad_alert_field(fields) IS NOT NULL THEN format('no field "%s": %s', left(rampart.bad_alert_field(fields), 100),
            'they are columns of rampart.audit_log, or as metadata.account')
    END;
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = '22023';
    END IF;
    RETURN rule;
END
$$;
COMMENT ON FUNCTION rampart.check_alert_rule(rampart.alert_rule) IS 'The same rule. Errors: 22023, which says what is wrong with it.';

CREATE FUNCTION rampart.note_alert_rule(name text, change text, details jsonb) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.write_event('alert.rule_changed', 'high', NULL, NULL, NULL,
                               jsonb_build_object('rule', note_alert_rule.name, 'change', change, 'details', details));
END;
COMMENT ON FUNCTION rampart.note_alert_rule(text, text, jsonb) IS 'Records a change of a rule.';

CREATE FUNCTION rampart.create_alert_rule(
    name text, kind text, events text[], severity text DEFAULT 'high', group_by text[] DEFAULT '{}', threshold int8 DEFAULT 1,
    period interval DEFAULT '15 minutes', dedup interval DEFAULT '1 hour', class text DEFAULT NULL, min_severity text DEFAULT 'info',
    watch text[] DEFAULT '{}', measure text DEFAULT NULL, factor float8 DEFAULT 3, history int DEFAULT 14, learn int DEFAULT 3,
    description text DEFAULT '') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    rule rampart.alert_rule := ROW(name, kind, events, severity, class, min_severity, group_by, watch, measure, threshold, period,
                                   factor, history, learn, dedup, true, description, false);
BEGIN
    rule := rampart.check_alert_rule(rule);
    IF EXISTS (SELECT FROM rampart.alert_rule r WHERE r.name = rule.name) THEN
        RAISE EXCEPTION 'alert rule "%" exists', rule.name USING ERRCODE = '42710';
    END IF;
    INSERT INTO rampart.alert_rule SELECT rule.*;
    PERFORM rampart.note_alert_rule(rule.name, 'created', to_jsonb(rule));
END
$$;
COMMENT ON FUNCTION rampart.create_alert_rule(text, text, text[], text, text[], int8, interval, interval, text, text, text[], text, float8, int, int, text) IS
'Makes an alert rule, for entries that are evaluated from then on. The columns of rampart.alert_rule say what the arguments are. Errors: 22023, 42710.';

CREATE FUNCTION rampart.alter_alert_rule(name text, changes jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rule rampart.alert_rule;
    unknown text;
BEGIN
    SELECT * INTO rule FROM rampart.alert_rule r WHERE r.name = alter_alert_rule.name FOR UPDATE;
    IF rule.name IS NULL THEN
        RAISE EXCEPTION 'no alert rule "%"', coalesce(alter_alert_rule.name, 'NULL') USING ERRCODE = 'RMA21';
    END IF;
    IF jsonb_typeof(changes) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'changes is a JSON object' USING ERRCODE = '22023';
    END IF;
    SELECT k INTO unknown FROM jsonb_object_keys(changes) k WHERE k IN ('name', 'builtin') OR NOT to_jsonb(rule) ? k LIMIT 1;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'an alert rule has no "%" to change', unknown USING ERRCODE = '22023';
    END IF;
    rule := rampart.check_alert_rule(jsonb_populate_record(rule, changes));
    UPDATE rampart.alert_rule r
        SET (kind, events, severity, class, min_severity, group_by, watch, measure, threshold, period, factor, history, learn, dedup, enabled, description)
          = (rule.kind, rule.events, rule.severity, rule.class, rule.min_severity, rule.group_by, rule.watch, rule.measure, rule.threshold, rule.period,
             rule.factor, rule.history, rule.learn, rule.dedup, rule.enabled, rule.description)
        WHERE r.name = rule.name;
    IF changes ?| '{kind,events,class,min_severity,group_by,watch,measure,period}' THEN
        PERFORM rampart.forget_alert_state(rule.name);
    END IF;
    PERFORM rampart.note_alert_rule(rule.name, 'altered', changes);
END
$$;
COMMENT ON FUNCTION rampart.alter_alert_rule(text, jsonb) IS
'Changes columns of an alert rule: rampart.alter_alert_rule(''login_failures'', ''{"threshold": 10, "enabled": true}''). Where it counts otherwise then, it begins anew. Errors: RMA21, 22023.';

CREATE FUNCTION rampart.drop_alert_rule(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rampart.alert_rule r WHERE r.name = drop_alert_rule.name AND r.builtin) THEN
        RAISE EXCEPTION 'alert rule "%" came with Rampart', drop_alert_rule.name USING ERRCODE = '55000',
            HINT = format('SELECT rampart.alter_alert_rule(%L, ''{"enabled": false}'');', drop_alert_rule.name);
    END IF;
    DELETE FROM rampart.alert_rule r WHERE r.name = drop_alert_rule.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no alert rule "%"', coalesce(drop_alert_rule.name, 'NULL') USING ERRCODE = 'RMA21';
    END IF;
    PERFORM rampart.forget_alert_state(drop_alert_rule.name);
    PERFORM rampart.note_alert_rule(drop_alert_rule.name, 'dropped', NULL);
END
$$;
COMMENT ON FUNCTION rampart.drop_alert_rule(text) IS
'Removes an alert rule; its alerts stay. One that came with Rampart can be disabled. Errors: RMA21, 55000.';

-- Their life -------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.change_alert(caller oid, id int8, state text, note text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    alert rampart.alert;
    who name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = caller);
BEGIN
    SELECT * INTO alert FROM rampart.alert a WHERE a.id = change_alert.id FOR UPDATE;
    IF alert.id IS NULL THEN
        RAISE EXCEPTION 'no alert %', coalesce(change_alert.id::text, 'NULL') USING ERRCODE = 'RMA22';
    END IF;
    IF alert.state = 'resolved' OR alert.state = change_alert.state THEN
        RAISE EXCEPTION 'alert % is % already', alert.id, alert.state USING ERRCODE = 'RMA23';
    END IF;
    IF length(change_alert.note) > 10000 THEN
        RAISE EXCEPTION 'a note has at most 10000 characters' USING ERRCODE = '22023';
    END IF;
    IF change_alert.state = 'acknowledged' THEN
        UPDATE rampart.alert a SET state = 'acknowledged', acknowledged_by = who, acknowledged_at = clock_timestamp(),
            note = coalesce(change_alert.note, a.note) WHERE a.id = alert.id;
    ELSE
        UPDATE rampart.alert a SET state = 'resolved', resolved_by = who, resolved_at = clock_timestamp(),
            note = coalesce(change_alert.note, a.note) WHERE a.id = alert.id;
    END IF;
    PERFORM rampart.write_event('alert.' || change_alert.state, 'low', NULL, NULL, NULL,
        jsonb_strip_nulls(jsonb_build_object('alert', alert.id, 'rule', alert.rule, 'severity', alert.severity, 'note', change_alert.note)));
END
$$;
COMMENT ON FUNCTION rampart.change_alert(oid, int8, text, text) IS 'Acknowledges or resolves an alert in the name of a role. Errors: RMA22, RMA23, 22023.';

CREATE FUNCTION rampart.acknowledge_alert_for(caller oid, id int8, note text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.change_alert(caller, id, 'acknowledged', note);
END;
COMMENT ON FUNCTION rampart.acknowledge_alert_for(oid, int8, text) IS 'acknowledge_alert, for a role.';
CREATE FUNCTION rampart.resolve_alert_for(caller oid, id int8, note text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.change_alert(caller, id, 'resolved', note);
END;
COMMENT ON FUNCTION rampart.resolve_alert_for(oid, int8, text) IS 'resolve_alert, for a role.';

CREATE FUNCTION rampart.acknowledge_alert(id int8, note text DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_on_behalf' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.acknowledge_alert(int8, text) IS
'Notes that you have seen an alert and look after it. It is counted up still. Recorded. Errors: RMA22, RMA23, 22023.';
CREATE FUNCTION rampart.resolve_alert(id int8, note text DEFAULT NULL) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_on_behalf' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.resolve_alert(int8, text) IS
'Closes an alert, acknowledged before or not. What comes then makes a new one. Recorded. Errors: RMA22, RMA23, 22023.';
