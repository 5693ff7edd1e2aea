-- Access policies: models and their rules as rows, every state they were in, and what is expected of them.
--
-- Each session compiles a model when it first decides by it, and again after a change: what a transaction changed it
-- sees at once, everybody else when it has committed. The functions of the next file write here; whoever writes here
-- past them leaves no version, which rampart.policy_map shows.

CREATE TABLE rampart.policy_model (
    name       text PRIMARY KEY CHECK (name ~ '^[^[:cntrl:]]{1,63}$'),
    definition text NOT NULL,
    options    jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE rampart.policy_model IS 'Access models, as Casbin writes them. rampart.load_model and drop_model change it.';
COMMENT ON COLUMN rampart.policy_model.options IS 'What a model''s text does not say: see rampart.load_model.';

CREATE TABLE rampart.policy_rule (
    model text NOT NULL,
    id    int8 GENERATED ALWAYS AS IDENTITY,
    type  text NOT NULL,
    rule  text[] NOT NULL,
    PRIMARY KEY (model, id)
);
-- Rules may be longer than what a unique index takes; writers of a model wait for each other.
CREATE INDEX policy_rule_same ON rampart.policy_rule (model, type, hash_array_extended(rule, 0));
COMMENT ON TABLE rampart.policy_rule IS 'Rules and role links (type g, g2...) of models, in the order they were added. rampart.add_policy, remove_policy and import_policy change it.';

CREATE TABLE rampart.policy_version (
    model      text NOT NULL,
    version    int8 NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    role       name NOT NULL DEFAULT session_user,
    definition text,
    options    jsonb,
    rules      int8,
    hash       bytea,
    PRIMARY KEY (model, version)
);
COMMENT ON TABLE rampart.policy_version IS 'Every state that a model was committed in, one a transaction.';
COMMENT ON COLUMN rampart.policy_version.definition IS 'The model, where it was loaded or dropped (empty) by this transaction; else NULL.';
COMMENT ON COLUMN rampart.policy_version.hash IS 'What rampart.policy_hash said when it was committed; NULL: the model was dropped.';

CREATE TABLE rampart.policy_change (
    id      int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model   text NOT NULL,
    version int8 NOT NULL,
    added   bool NOT NULL,
    type    text NOT NULL,
    rule    text[] NOT NULL
);
CREATE INDEX policy_change_version ON rampart.policy_change (model, version);
COMMENT ON TABLE rampart.policy_change IS 'Rules that each version added to a model, or removed.';

CREATE TABLE rampart.policy_test (
    model    text NOT NULL,
    name     text NOT NULL,
    request  jsonb NOT NULL,
    expected bool NOT NULL,
    enforced bool NOT NULL DEFAULT false,
    PRIMARY KEY (model, name)
);
COMMENT ON TABLE rampart.policy_test IS 'Decisions that a model is expected to make: rampart.run_policy_tests runs them. Yours to write.';
COMMENT ON COLUMN rampart.policy_test.request IS 'As rampart.enforce(text, jsonb) takes it.';
COMMENT ON COLUMN rampart.policy_test.enforced IS 'Whether a change of the model that breaks it cannot be committed.';

DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['policy_model', 'policy_rule', 'policy_rule_id_seq', 'policy_version', 'policy_change', 'policy_change_id_seq', 'policy_test'] LOOP
        PERFORM pg_extension_config_dump('rampart.' || relation, '');
    END LOOP;
END
$$;

CREATE FUNCTION rampart.policy_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'rampart_policy_changed' LANGUAGE C;
COMMENT ON FUNCTION rampart.policy_changed() IS 'Trigger: every session compiles its models anew, this one at once, others after the commit.';

DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['policy_model', 'policy_rule'] LOOP
        EXECUTE format('CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
                        ON rampart.%I EXECUTE FUNCTION rampart.policy_changed()', relation);
        -- Logical apply fires row triggers only, and only those that are ALWAYS enabled.
        EXECUTE format('CREATE TRIGGER policy_row_changed AFTER INSERT OR UPDATE OR DELETE
                        ON rampart.%I FOR EACH ROW EXECUTE FUNCTION rampart.policy_changed()', relation);
        EXECUTE format('ALTER TABLE rampart.%I ENABLE ALWAYS TRIGGER policy_changed', relation);
        EXECUTE format('ALTER TABLE rampart.%I ENABLE ALWAYS TRIGGER policy_row_changed', relation);
    END LOOP;
END
$$;
