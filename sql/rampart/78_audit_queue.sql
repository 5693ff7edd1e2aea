-- From the queue of events (extension/pg/audit/queue.hpp) into the log.

CREATE TABLE rampart.audit_drained (
    queue    int8 NOT NULL,
    sequence int8 NOT NULL,
    lost     int8 NOT NULL,
    xid      xid8
);
COMMENT ON TABLE rampart.audit_drained IS
'One row: up to where the log has what went through the queue of events. Written with the entries, so that none is lost or there twice, whatever is killed when.';
COMMENT ON COLUMN rampart.audit_drained.queue IS 'Which queue: another start of a server may have another.';
COMMENT ON COLUMN rampart.audit_drained.sequence IS 'Number of the last event that was written.';
COMMENT ON COLUMN rampart.audit_drained.lost IS 'How many lost events the log speaks of.';
COMMENT ON COLUMN rampart.audit_drained.xid IS 'The transaction that wrote them.';
INSERT INTO rampart.audit_drained VALUES (0, 0, 0, NULL);

CREATE FUNCTION rampart.write_queued_events(INOUT queue int8, INOUT sequence int8, INOUT lost int8, OUT written int8)
    AS 'MODULE_PATHNAME', 'rampart_write_queued_events' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.write_queued_events(int8, int8, int8) IS
'Forgets the events up to that number, whose entries are committed, and writes those that follow. Returns what rampart.audit_drained has to say then, and how many entries were written.';

CREATE FUNCTION rampart.drain_events() RETURNS int4
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before rampart.audit_drained;
    after record;
BEGIN
    -- One at a time. The row says what is committed, unless this transaction wrote it.
    LOCK TABLE rampart.audit_drained IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO STRICT before FROM rampart.audit_drained;
    IF before.xid = pg_current_xact_id_if_assigned() THEN
        RETURN 0;
    END IF;
    SELECT * INTO after FROM rampart.write_queued_events(before.queue, before.sequence, before.lost);
    IF after.written > 0 THEN
        UPDATE rampart.audit_drained d
            SET queue = after.queue, sequence = after.sequence, lost = after.lost, xid = pg_current_xact_id();
        -- The queue forgets them on the word of this row.
        IF current_setting('synchronous_commit') = 'off' THEN
            PERFORM set_config('synchronous_commit', 'local', true);
        END IF;
    END IF;
    RETURN after.written;
END
$$;
COMMENT ON FUNCTION rampart.drain_events() IS
'Writes events of this database that are queued into the log, some thousands at most; called by the auditor. They leave the queue when it is called after the commit. Returns how many entries it wrote.';

CREATE FUNCTION rampart.flush_events(timeout_ms int DEFAULT 10000) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_flush_events' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.flush_events(int) IS
'Waits until the events that this session has queued are committed in the log. False: they are not yet, after so many milliseconds. Errors: 22023.';

CREATE FUNCTION rampart.wake_auditor() RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_wake_auditor' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.wake_auditor() IS 'Starts this database''s auditor after the commit.';
