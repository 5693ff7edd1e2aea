-- What the auditor of a database does, a step a transaction: events into the log, the log sealed, alerts raised over
-- what was sealed, and once a day what is over removed.

CREATE TABLE rampart.audit_chore (
    name text PRIMARY KEY,
    due  timestamptz NOT NULL
);
COMMENT ON TABLE rampart.audit_chore IS 'When the auditor next does what it does not do all the time. Not dumped.';

CREATE FUNCTION rampart.take_chore(name text, every interval) RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rampart.audit_chore c WHERE c.name = take_chore.name AND c.due > now() AND c.due <= now() + every) THEN
        RETURN false;
    END IF;
    INSERT INTO rampart.audit_chore AS c (name, due) VALUES (take_chore.name, now() + every)
        ON CONFLICT ON CONSTRAINT audit_chore_pkey DO UPDATE SET due = excluded.due;
    RETURN true;
END
$$;
COMMENT ON FUNCTION rampart.take_chore(text, interval) IS 'Whether it is time to do something, and then not again for so long. A clock that went back does not put it off.';

CREATE FUNCTION rampart.seal_step() RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN rampart.seal();
EXCEPTION WHEN OTHERS THEN
    IF rampart.take_chore('seal_late', interval '1 hour') THEN
        RAISE WARNING 'cannot seal the audit log: %', SQLERRM USING ERRCODE = SQLSTATE;
        PERFORM rampart.write_event('audit.seal_late', 'medium', NULL, NULL, NULL, jsonb_build_object('sqlstate', SQLSTATE));
    END IF;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION rampart.seal_step() IS 'seal(), of which a failure is a warning and an event, once an hour, and tried again.';

CREATE FUNCTION rampart.alert_step() RETURNS int4
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM rampart.audit_tree t LEFT JOIN rampart.alert_position p ON p.class = t.class
                   WHERE t.size > coalesce(p.next_index, 0)) THEN
        RETURN 0;
    END IF;
    RETURN rampart.evaluate_alerts();
EXCEPTION WHEN OTHERS THEN
    IF rampart.take_chore('alerts_late', interval '1 hour') THEN
        RAISE WARNING 'cannot evaluate alert rules: %', SQLERRM USING ERRCODE = SQLSTATE;
        PERFORM rampart.write_event('alert.late', 'high', NULL, NULL, NULL, jsonb_build_object('sqlstate', SQLSTATE));
    END IF;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION rampart.alert_step() IS 'evaluate_alerts(), likewise.';

CREATE FUNCTION rampart.prune_step() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF rampart.take_chore('prune', interval '1 day') THEN
        -- Writers wait while a partition is dropped.
        PERFORM set_config('lock_timeout', '1s', true);
        PERFORM rampart.prune_audit();
    END IF;
EXCEPTION WHEN OTHERS THEN
    -- The chore was rolled back with it: tried again soon, without a warning each time.
    IF rampart.take_chore('prune_late', interval '1 hour') THEN
        RAISE WARNING 'cannot remove old months of the audit log: %', SQLERRM USING ERRCODE = SQLSTATE;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.prune_step() IS 'prune_audit() once a day; a failure is a warning, and tried again.';

CREATE FUNCTION rampart.audit_work() RETURNS int4
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seal_interval CONSTANT int4 := current_setting('rampart.seal_interval');
    sealing CONSTANT bool := seal_interval > 0 AND EXISTS (SELECT FROM rampart.audit_tree);
BEGIN
    -- Each in a transaction of its own, because what is next reads what was committed.
    IF rampart.drain_events() > 0 OR (sealing AND rampart.seal_step() > 0) OR (sealing AND rampart.alert_step() > 0) THEN
        RETURN 0;
    END IF;
    PERFORM rampart.provide_audit_partitions();
    IF sealing THEN
        PERFORM rampart.prune_step();
    END IF;
    RETURN CASE WHEN sealing THEN seal_interval WHEN EXISTS (SELECT FROM rampart.audited_table) THEN 60000 END;
END
$$;
COMMENT ON FUNCTION rampart.audit_work() IS
'What the auditor of this database does in one transaction: writes queued events, or else seals, or else evaluates alert rules, or else sees to partitions and retention. Returns milliseconds to wait before the next call, unless something is queued before; NULL where nothing is audited and nothing queued.';
