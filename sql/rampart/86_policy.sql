-- What changes access policies. A rule that does not fit its model is refused at once; what only all rules together
-- show - cycles where depth decides, enforced tests - when the transaction commits.

CREATE FUNCTION rampart.check_policy_rule(definition text, options jsonb, type text, rule text[]) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_check_policy_rule' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION rampart.check_policy_rule(text, jsonb, text, text[]) IS
'Whether a rule fits a model. Errors: RMP01, RMP02, RMP04.';

CREATE FUNCTION rampart.read_policy_csv(definition text, options jsonb, csv text) RETURNS TABLE (type text, rule text[])
    AS 'MODULE_PATHNAME', 'rampart_read_policy_csv' LANGUAGE C STABLE STRICT ROWS 1000;
COMMENT ON FUNCTION rampart.read_policy_csv(text, jsonb, text) IS
'Rules in Casbin''s CSV, which must fit a model. Errors: RMP01, RMP02 with the line, RMP04.';

CREATE FUNCTION rampart.format_policy_rule(type text, rule text[]) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_format_policy_rule' LANGUAGE C IMMUTABLE STRICT;
COMMENT ON FUNCTION rampart.format_policy_rule(text, text[]) IS 'A rule as a line of Casbin''s CSV. Errors: RMP02 for a NULL in it.';

CREATE FUNCTION rampart.compile_model(model text) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_compile_model' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION rampart.compile_model(text) IS
'Compiles a model with all of its rules, as the first decision does. Errors: RMP01, RMP02, RMP04, RMP06.';

-- Versions ---------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.require_model(model text) RETURNS rampart.policy_model
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_model rampart.policy_model;
BEGIN
    SELECT m.* INTO found_model FROM rampart.policy_model m WHERE m.name = model;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no policy model "%"', coalesce(left(model, 63), 'NULL') USING ERRCODE = 'RMP06', HINT = 'rampart.load_model loads one.';
    END IF;
    RETURN found_model;
END
$$;
COMMENT ON FUNCTION rampart.require_model(text) IS 'The model of that name. Errors: RMP06.';

CREATE FUNCTION rampart.export_policy(model text) RETURNS text
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.require_model(model);
    RETURN (SELECT coalesce(string_agg(rampart.format_policy_rule(r.type, r.rule) || E'\n', '' ORDER BY r.id), '')
            FROM rampart.policy_rule r WHERE r.model = export_policy.model);
END
$$;
COMMENT ON FUNCTION rampart.export_policy(text) IS
'A model''s rules as Casbin''s CSV, in their order; rampart.import_policy reads it. Errors: RMP06.';

CREATE FUNCTION rampart.policy_hash(model text) RETURNS bytea
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN (SELECT sha256(convert_to(concat_ws(E'\n', m.definition, m.options, rampart.export_policy(m.name)), 'UTF8'))
        FROM rampart.policy_model m WHERE m.name = model);
COMMENT ON FUNCTION rampart.policy_hash(text) IS
'SHA-256 of a model''s definition, options (as jsonb prints them) and CSV, each but the last followed by a newline, in UTF-8; NULL where there is no such model.';

CREATE FUNCTION rampart.lock_model(model text) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_lock_model' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.lock_model(text) IS 'Makes writers of a model, which need not be there yet, wait for each other until their transactions end.';

CREATE FUNCTION rampart.lock_known_model(model text) RETURNS rampart.policy_model
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.lock_model(model);
    RETURN rampart.require_model(model);
END
$$;
COMMENT ON FUNCTION rampart.lock_known_model(text) IS 'lock_model, of one that is there. Errors: RMP06.';

CREATE FUNCTION rampart.current_policy_version(model text) RETURNS int8
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Versions that were restored bear the transactions of another cluster.
    SELECT newest.version
    FROM (SELECT v.version, v.xid, v.at FROM rampart.policy_version v WHERE v.model = current_policy_version.model ORDER BY v.version DESC LIMIT 1) newest
    WHERE newest.xid = pg_current_xact_id() AND newest.at >= now();
END;
COMMENT ON FUNCTION rampart.current_policy_version(text) IS 'The version of a model that this transaction has begun; NULL: none.';

CREATE FUNCTION rampart.begin_policy_version(model text) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this_version int8 := rampart.current_policy_version(model);
BEGIN
    IF this_version IS NULL THEN
        INSERT INTO rampart.policy_version (model, version)
            SELECT begin_policy_version.model, coalesce(max(v.version), 0) + 1
            FROM rampart.policy_version v WHERE v.model = begin_policy_version.model
            RETURNING policy_version.version INTO this_version;
    END IF;
    RETURN this_version;
END
$$;
COMMENT ON FUNCTION rampart.begin_policy_version(text) IS 'The version of a model that this transaction makes.';

CREATE FUNCTION rampart.complete_policy_version() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    broken text;
BEGIN
    -- A restore brings versions that are complete. Of several changes in a transaction, the first call does for all.
    IF NEW.hash IS NOT NULL OR NEW.rules IS NOT NULL OR
       NOT EXISTS (SELECT FROM rampart.policy_version v WHERE v.model = NEW.model AND v.version = NEW.version AND v.rules IS NULL) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM rampart.policy_model m WHERE m.name = NEW.model) THEN
        PERFORM rampart.compile_model(NEW.model);
        SELECT t.name INTO broken FROM rampart.run_policy_tests(NEW.model) t WHERE t.enforced AND NOT t.ok ORDER BY t.name LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'policy test "%" of model "%" would fail', broken, NEW.model
                USING ERRCODE = 'RMP07', HINT = 'rampart.run_policy_tests shows what it expects and what it would get.';
        END IF;
    END IF;
    UPDATE rampart.policy_version v
        SET rules = (SELECT count(*) FROM rampart.policy_rule r WHERE r.model = NEW.model), hash = rampart.policy_hash(NEW.model)
        WHERE v.model = NEW.model AND v.version = NEW.version;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION rampart.complete_policy_version() IS 'Trigger: at the end of a transaction that changed a model. Errors: RMP02, RMP07 for an enforced test that would fail.';

CREATE CONSTRAINT TRIGGER complete AFTER INSERT OR UPDATE ON rampart.policy_version
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rampart.complete_policy_version();

CREATE FUNCTION rampart.note_policy_change(model text, event text, added text[] DEFAULT '{}', removed text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- To be completed again, if it was already: SET CONSTRAINTS ... IMMEDIATE.
    UPDATE rampart.policy_version v SET hash = NULL, rules = NULL
        WHERE v.model = note_policy_change.model AND v.version = rampart.current_policy_version(note_policy_change.model);
    -- Long lists are in policy_change.
    PERFORM rampart.write_event(event, NULL, NULL, NULL, NULL, jsonb_strip_nulls(jsonb_build_object(
        'model', model, 'added', cardinality(added), 'removed', cardinality(removed),
        'added_rules', CASE WHEN cardinality(added) <= 20 AND length(added::text) < 16000 THEN added END,
        'removed_rules', CASE WHEN cardinality(removed) <= 20 AND length(removed::text) < 16000 THEN removed END)));
END
$$;
COMMENT ON FUNCTION rampart.note_policy_change(text, text, text[], text[]) IS 'Ends a change: recorded in the audit log, with the rules as CSV.';

CREATE FUNCTION rampart.remove_all_policies(model text, this_version int8) RETURNS text[]
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH gone AS (DELETE FROM rampart.policy_rule r WHERE r.model = remove_all_policies.model RETURNING r.type, r.rule),
         noted AS (INSERT INTO rampart.policy_change (model, version, added, type, rule)
                   SELECT remove_all_policies.model, this_version, false, gone.type, gone.rule FROM gone RETURNING type, rule)
    SELECT coalesce(array_agg(rampart.format_policy_rule(noted.type, noted.rule)), '{}') FROM noted;
END;
COMMENT ON FUNCTION rampart.remove_all_policies(text, int8) IS 'Removes all rules of a model, as part of a version; returns them as CSV.';

-- Changes ------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart.load_model(model text, definition text, options jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this_version int8;
BEGIN
    IF model IS NULL OR definition IS NULL OR options IS NULL OR model !~ '^[^[:cntrl:]]{1,63}$' THEN
        RAISE EXCEPTION 'a model needs a name of 1 to 63 characters, a definition and options' USING ERRCODE = '22023';
    END IF;
    PERFORM rampart.lock_model(model);
    this_version := rampart.begin_policy_version(model);
    UPDATE rampart.policy_version v SET definition = load_model.definition, options = load_model.options
        WHERE v.model = load_model.model AND v.version = this_version;
    INSERT INTO rampart.policy_model AS m (name, definition, options) VALUES (model, load_model.definition, load_model.options)
        ON CONFLICT ON CONSTRAINT policy_model_pkey DO UPDATE SET definition = excluded.definition, options = excluded.options;
    PERFORM rampart.compile_model(model);
    PERFORM rampart.note_policy_change(model, 'policy.model_loaded');
END
$$;
COMMENT ON FUNCTION rampart.load_model(text, text, jsonb) IS
'Loads an access model, Casbin''s .conf text, or replaces it; rules stay, and must fit. options: what Casbin''s host code would set, {"roles": {"g": {"matching": "keyMatch2", "domain_matching": "keyMatch", "max_depth": 10}}, "fields": {"p": {"priority": 0, "subject": 1, "domain": 2}}}. Errors: RMP01 with line and column, RMP02, RMP04, 22023.';

CREATE FUNCTION rampart.drop_model(model text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this_version int8;
    removed text[];
BEGIN
    PERFORM rampart.lock_known_model(model);
    this_version := rampart.begin_policy_version(model);
    UPDATE rampart.policy_version v SET definition = '', options = NULL WHERE v.model = drop_model.model AND v.version = this_version;
    removed := rampart.remove_all_policies(model, this_version);
    DELETE FROM rampart.policy_test t WHERE t.model = drop_model.model;
    DELETE FROM rampart.policy_model m WHERE m.name = drop_model.model;
    PERFORM rampart.note_policy_change(model, 'policy.model_dropped', removed => removed);
END
$$;
COMMENT ON FUNCTION rampart.drop_model(text) IS 'Drops a model with its rules and tests; its versions stay. Errors: RMP06.';

CREATE FUNCTION rampart.add_policy(model text, type text, rule text[]) RETURNS bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known rampart.policy_model;
    this_version int8;
BEGIN
    known := rampart.lock_known_model(model);
    IF type IS NULL OR rule IS NULL THEN
        RAISE EXCEPTION 'a rule needs a type and values' USING ERRCODE = '22023';
    END IF;
    PERFORM rampart.check_policy_rule(known.definition, known.options, type, rule);
    IF EXISTS (SELECT FROM rampart.policy_rule r
               WHERE r.model = add_policy.model AND r.type = add_policy.type
                 AND hash_array_extended(r.rule, 0) = hash_array_extended(add_policy.rule, 0) AND r.rule = add_policy.rule) THEN
        RETURN false;
    END IF;
    this_version := rampart.begin_policy_version(model);
    INSERT INTO rampart.policy_rule (model, type, rule) VALUES (add_policy.model, add_policy.type, add_policy.rule);
    INSERT INTO rampart.policy_change (model, version, added, type, rule) VALUES (add_policy.model, this_version, true, add_policy.type, add_policy.rule);
    PERFORM rampart.note_policy_change(model, 'policy.changed', ARRAY[rampart.format_policy_rule(type, rule)], '{}');
    RETURN true;
END
$$;
COMMENT ON FUNCTION rampart.add_policy(text, text, text[]) IS
'Adds a rule: rampart.add_policy(''app'', ''p'', ''{editor,document,update}''), or a role link: (''app'', ''g'', ''{alice,editor}''). False: it is there already. Errors: RMP02, RMP04, RMP06, 22023; RMP07 at commit.';

CREATE FUNCTION rampart.remove_policy(model text, type text, rule text[]) RETURNS bool
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.lock_known_model(model);
    DELETE FROM rampart.policy_rule r
        WHERE r.model = remove_policy.model AND r.type = remove_policy.type
          AND hash_array_extended(r.rule, 0) = hash_array_extended(remove_policy.rule, 0) AND r.rule = remove_policy.rule;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO rampart.policy_change (model, version, added, type, rule)
        VALUES (remove_policy.model, rampart.begin_policy_version(model), false, remove_policy.type, remove_policy.rule);
    PERFORM rampart.note_policy_change(model, 'policy.changed', '{}', ARRAY[rampart.format_policy_rule(type, rule)]);
    RETURN true;
END
$$;
COMMENT ON FUNCTION rampart.remove_policy(text, text, text[]) IS
'Removes a rule or role link. False: there was none. Errors: RMP06; RMP07 at commit.';

CREATE FUNCTION rampart.import_policy(model text, csv text, replace bool DEFAULT false) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known rampart.policy_model;
    this_version int8;
    added text[];
    removed text[];
BEGIN
    known := rampart.lock_known_model(model);
    IF csv IS NULL OR replace IS NULL THEN
        RAISE EXCEPTION 'there is nothing to import' USING ERRCODE = '22023';
    END IF;
    this_version := rampart.begin_policy_version(model);
    IF replace THEN
        removed := rampart.remove_all_policies(model, this_version);
    END IF;
    WITH wanted AS (SELECT w.type, w.rule, min(w.number) AS number
                    FROM rampart.read_policy_csv(known.definition, known.options, csv) WITH ORDINALITY w (type, rule, number)
                    GROUP BY w.type, w.rule),
         made AS (INSERT INTO rampart.policy_rule (model, type, rule)
                  SELECT import_policy.model, w.type, w.rule FROM wanted w
                  WHERE NOT EXISTS (SELECT FROM rampart.policy_rule r
                                    WHERE r.model = import_policy.model AND r.type = w.type
                                      AND hash_array_extended(r.rule, 0) = hash_array_extended(w.rule, 0) AND r.rule = w.rule)
                  ORDER BY w.number RETURNING type, rule),
         noted AS (INSERT INTO rampart.policy_change (model, version, added, type, rule)
                   SELECT import_policy.model, this_version, true, made.type, made.rule FROM made RETURNING type, rule)
    SELECT coalesce(array_agg(rampart.format_policy_rule(noted.type, noted.rule)), '{}') INTO added FROM noted;
    PERFORM rampart.note_policy_change(model, 'policy.changed', added, coalesce(removed, '{}'));
    RETURN cardinality(added);
END
$$;
COMMENT ON FUNCTION rampart.import_policy(text, text, bool) IS
'Adds rules from Casbin''s CSV, of which some may be there already; replace: instead of all there are. Returns how many were added. Errors: RMP02 with the line, RMP04, RMP06, 22023; RMP07 at commit.';

CREATE FUNCTION rampart.remove_policies(model text, csv text) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known rampart.policy_model;
    this_version int8;
    removed text[];
BEGIN
    known := rampart.lock_known_model(model);
    IF csv IS NULL THEN
        RAISE EXCEPTION 'there is nothing to remove' USING ERRCODE = '22023';
    END IF;
    this_version := rampart.begin_policy_version(model);
    WITH gone AS (DELETE FROM rampart.policy_rule r
                  USING (SELECT DISTINCT w.type, w.rule FROM rampart.read_policy_csv(known.definition, known.options, csv) w) unwanted
                  WHERE r.model = remove_policies.model AND r.type = unwanted.type
                    AND hash_array_extended(r.rule, 0) = hash_array_extended(unwanted.rule, 0) AND r.rule = unwanted.rule
                  RETURNING r.type, r.rule),
         noted AS (INSERT INTO rampart.policy_change (model, version, added, type, rule)
                   SELECT remove_policies.model, this_version, false, gone.type, gone.rule FROM gone RETURNING type, rule)
    SELECT coalesce(array_agg(rampart.format_policy_rule(noted.type, noted.rule)), '{}') INTO removed FROM noted;
    PERFORM rampart.note_policy_change(model, 'policy.changed', removed => removed);
    RETURN cardinality(removed);
END
$$;
COMMENT ON FUNCTION rampart.remove_policies(text, text) IS
'Removes the rules in Casbin''s CSV, of which some need not be there. Returns how many were removed. Errors: RMP02 with the line, RMP04, RMP06, 22023; RMP07 at commit.';
