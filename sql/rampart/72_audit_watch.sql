-- Watches over the audit triggers: new partitions get theirs, and whoever removes or disables one, or
-- detaches or drops an audited table, leaves an entry. Triggers of a table are its owner's to disable; that
-- it was done is not. What changes rows and fires no trigger (ALTER TABLE ... USING, a column dropped, rows
-- that come with a partition) leaves one too, without the values.

CREATE FUNCTION rampart.cover_new_members(touched oid[], reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT f.member, CASE WHEN c.relispartition THEN a.root ELSE f.root END AS root, a.exclude, a.redact
        FROM pg_inherits i JOIN rampart.audited_table a ON a.relation = i.inhparent
        JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
        CROSS JOIN LATERAL rampart.audit_family(i.inhrelid) f
        WHERE (i.inhrelid = ANY (touched) OR i.inhparent = ANY (touched))
          AND NOT EXISTS (SELECT FROM rampart.audited_table known WHERE known.relation = f.member)
    LOOP
        PERFORM rampart.cover(part.member, part.root, part.exclude, part.redact);
        IF reason = 'alter table' THEN
            PERFORM rampart.write_event('audit.enabled', NULL, part.member::text, part.member, NULL,
                                        jsonb_build_object('reason', 'attached', 'root', part.root::text));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.cover_new_members(oid[], text) IS 'Audits new partitions and heirs of audited tables.';

CREATE FUNCTION rampart.refuse_lost_columns(touched oid[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lost record;
BEGIN
    SELECT a.relation, m.name INTO lost
    FROM rampart.audited_table a CROSS JOIN rampart.missing_column(a.relation, a.exclude || a.redact) m (name)
    WHERE a.relation = ANY (touched) AND m.name IS NOT NULL
      -- The end of an online conversion: the encrypted column takes the name over in the next statement.
      AND NOT EXISTS (SELECT FROM rampart.rotation r
                      WHERE r.relation = a.root AND r.source_column = m.name AND r.state = 'ready'
                        AND rampart.missing_column(a.relation, ARRAY[r.target_column]) IS NULL)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of "%" is excluded or redacted in the audit log', lost.name, lost.relation
            USING ERRCODE = 'RMA03', HINT = 'Call rampart.audit_table without it before, and with its new name after.';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.refuse_lost_columns(oid[]) IS 'Errors: RMA03 where a column that is to be hidden is not there any more.';

CREATE FUNCTION rampart.note_armed(relations oid[], reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        UPDATE rampart.audited_table a SET active = NOT a.active
        WHERE (relations IS NULL OR a.relation = ANY (relations) OR a.root = ANY (relations))
          AND a.active <> rampart.is_armed(a.relation)
          AND EXISTS (SELECT FROM pg_class c WHERE c.oid = a.relation)
        RETURNING a.relation, a.root, a.active
    LOOP
        PERFORM rampart.write_event(CASE WHEN part.active THEN 'audit.enabled' ELSE 'audit.disabled' END,
                                    NULL, part.relation::text, part.relation, NULL, jsonb_build_object('reason', reason));
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.note_armed(oid[], text) IS
'Records where audit triggers are in place that were not, or the other way round; of these tables or (NULL) of all.';

CREATE FUNCTION rampart.note_renamed(relations oid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        UPDATE rampart.audited_table a SET name = a.relation::text FROM rampart.audited_table before
        WHERE before.relation = a.relation AND a.relation = ANY (relations) AND before.name <> a.relation::text
        RETURNING a.relation, a.name, before.name AS before
    LOOP
        PERFORM rampart.write_event('schema.object_changed', 'medium', part.name, part.relation, NULL,
                                    jsonb_build_object('reason', 'renamed', 'from', part.before));
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.note_renamed(oid[]) IS 'Records that audited tables bear another name: one that takes the old name is not audited.';

CREATE FUNCTION rampart.watch_auditing() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    touched oid[];
BEGIN
    IF NOT EXISTS (SELECT FROM rampart.audited_table) THEN
        RETURN;
    END IF;
    SELECT array_agg(coalesce(t.tgrelid, c.objid)) INTO touched
        FROM pg_event_trigger_ddl_commands() c
        LEFT JOIN pg_trigger t ON c.classid = 'pg_trigger'::regclass AND t.oid = c.objid
        WHERE c.classid IN ('pg_class'::regclass, 'pg_trigger'::regclass);
    IF touched IS NOT NULL THEN
        PERFORM rampart.refuse_lost_columns(touched);
        PERFORM rampart.cover_new_members(touched, lower(TG_TAG));
        PERFORM rampart.note_renamed(touched);
        PERFORM rampart.note_armed(touched, lower(TG_TAG));
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.watch_auditing() IS
'Event trigger: audits new partitions, and records what is done to audit triggers. Errors: RMA03.';

CREATE FUNCTION rampart.watch_audited_drops() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone record;
BEGIN
    IF NOT EXISTS (SELECT FROM rampart.audited_table) THEN
        RETURN;
    END IF;
    FOR gone IN SELECT d.objid, d.object_identity
                FROM pg_event_trigger_dropped_objects() d JOIN rampart.audited_table a ON a.relation = d.objid
                WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 LOOP
        DELETE FROM rampart.audited_table a WHERE a.relation = gone.objid;
        PERFORM rampart.write_event('audit.disabled', NULL, gone.object_identity, gone.objid, NULL,
                                    jsonb_build_object('reason', lower(TG_TAG)));
    END LOOP;
    FOR gone IN SELECT a.relation, d.address_names[3] AS name
                FROM pg_event_trigger_dropped_objects() d JOIN rampart.audited_table a ON a.relation = d.objid
                WHERE d.object_type = 'table column' LOOP
        PERFORM rampart.write_event('schema.object_changed', 'medium', gone.relation::text, gone.relation, NULL,
                                    jsonb_build_object('reason', 'column dropped', 'column', gone.name));
    END LOOP;
    IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() d WHERE d.object_type = 'trigger') THEN
        PERFORM rampart.note_armed(NULL, lower(TG_TAG));
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.watch_audited_drops() IS 'Event trigger: records that an audited table, a column of it or its trigger was dropped.';

CREATE FUNCTION rampart.watch_rewrites() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rewritten regclass := pg_event_trigger_table_rewrite_oid();
BEGIN
    IF EXISTS (SELECT FROM rampart.audited_table a WHERE a.relation = rewritten) THEN
        PERFORM rampart.write_event('schema.object_changed', 'medium', rewritten::text, rewritten, NULL,
                                    '{"reason": "rewritten"}');
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.watch_rewrites() IS 'Event trigger: records that ALTER TABLE rewrote an audited table, maybe with other values.';

CREATE EVENT TRIGGER rampart_watch_auditing ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'ALTER TABLE', 'CREATE TRIGGER', 'ALTER TRIGGER', 'CREATE SCHEMA')
    EXECUTE FUNCTION rampart.watch_auditing();
ALTER EVENT TRIGGER rampart_watch_auditing ENABLE ALWAYS;
CREATE EVENT TRIGGER rampart_watch_audited_drops ON sql_drop EXECUTE FUNCTION rampart.watch_audited_drops();
ALTER EVENT TRIGGER rampart_watch_audited_drops ENABLE ALWAYS;
CREATE EVENT TRIGGER rampart_watch_rewrites ON table_rewrite EXECUTE FUNCTION rampart.watch_rewrites();
ALTER EVENT TRIGGER rampart_watch_rewrites ENABLE ALWAYS;
