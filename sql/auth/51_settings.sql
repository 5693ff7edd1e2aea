-- Settings that administrators keep here, encrypted, over those of the servers' files. The servers know their names and
-- bounds (server/config/settings.cpp) and check what they write and what they read; here is text.
SELECT rampart.define_event(e.name, 'security', 'high', description => e.description)
FROM (VALUES
    ('setting.changed', 'A setting was given a value in the database'),
    ('setting.removed', 'A setting has the value of the servers'' files again')) e (name, description)
WHERE NOT EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = e.name);

SET ROLE rampart_auth;

CREATE TABLE rampart_auth.settings (
    name       text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
    value      enc_text(secret) NOT NULL,
    changed_by uuid REFERENCES rampart_auth.account ON DELETE SET NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart_auth.settings IS 'Settings that win over those of the servers'' files, the relay''s password among them: encrypted, each of them.';

CREATE FUNCTION rampart_auth.read_settings(to_change bool DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_change THEN
        LOCK TABLE rampart_auth.settings IN SHARE ROW EXCLUSIVE MODE;
    END IF;
    RETURN (SELECT jsonb_build_object(
        'values', coalesce(jsonb_object_agg(s.name, s.value::text), '{}'),
        'changes', coalesce(jsonb_object_agg(s.name, jsonb_build_object('by', s.changed_by, 'at', s.changed_at)), '{}'))
        FROM rampart_auth.settings s);
END
$$;
COMMENT ON FUNCTION rampart_auth.read_settings(bool) IS
'Settings that are kept here, secrets among them, for the server alone: {values: {name: text}, changes: {name: {by, at}}}. to_change: others wait with their changes until this transaction has ended, so that what it was checked against is what it changes.';

CREATE FUNCTION rampart_auth.change_settings(changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    change record;
BEGIN
    FOR change IN SELECT c.key AS name, c.value FROM jsonb_each_text(changes) c ORDER BY c.key LOOP
        IF change.value IS NOT NULL THEN
            INSERT INTO rampart_auth.settings AS s (name, value, changed_by) VALUES (change.name, change.value, rampart_auth.me())
            ON CONFLICT ON CONSTRAINT settings_pkey DO UPDATE SET
                value = excluded.value, changed_by = excluded.changed_by, changed_at = now();
            PERFORM rampart_auth.record('setting.changed', jsonb_build_object('name', change.name));
        ELSE
            DELETE FROM rampart_auth.settings s WHERE s.name = change.name;
            IF FOUND THEN
                PERFORM rampart_auth.record('setting.removed', jsonb_build_object('name', change.name));
            END IF;
        END IF;
    END LOOP;
    NOTIFY rampart_auth, 'settings';
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart_auth.change_settings(jsonb) IS
'Keeps these settings, {name: text}, and forgets those of null; every server hears of it. The caller has checked them.';

GRANT EXECUTE ON FUNCTION rampart_auth.read_settings, rampart_auth.change_settings TO rampartd;
