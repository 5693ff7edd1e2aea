-- The keyring's tables. extension/pg/keyring/tables.cpp reads them by column number. No foreign keys among
-- them: a parallel restore loads them in any order.

CREATE TABLE rampart.scope (
    name       text PRIMARY KEY,
    tag        int4 NOT NULL UNIQUE,
    denied     text NOT NULL DEFAULT 'armour' CHECK (denied IN ('armour', 'null', 'mask', 'error')),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart.scope IS 'Key scopes. The tag is 24 bits of SHA-256 of the name and stands in the type modifier of columns.';
COMMENT ON COLUMN rampart.scope.denied IS 'What SELECT shows where the right to decrypt is missing: armour, null, mask or error.';

CREATE TABLE rampart.key (
    id         int8 PRIMARY KEY,
    scope      text NOT NULL,
    purpose    text NOT NULL CHECK (purpose IN ('data', 'index', 'signing', 'token')),
    version    int4 NOT NULL CHECK (version > 0),
    state      text NOT NULL CHECK (state IN ('active', 'retired', 'exhausted', 'disabled', 'destroyed')),
    wrapped    bytea,
    root_key   int8 NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (scope, purpose, version),
    CHECK ((wrapped IS NULL) = (state = 'destroyed'))
);
CREATE UNIQUE INDEX key_one_active ON rampart.key (scope, purpose) WHERE state = 'active';
COMMENT ON TABLE rampart.key IS 'Keys, wrapped by the root key: the data keys of each scope by version, and its one index key; without a scope, the keys that sign the audit log and those that secrets of tokens are encrypted with.';
COMMENT ON COLUMN rampart.key.root_key IS 'Fingerprint of the root key that wrapped it.';

CREATE TABLE rampart.scope_grant (
    scope       text NOT NULL,
    role        regrole NOT NULL,
    can_encrypt bool NOT NULL,
    can_decrypt bool NOT NULL,
    PRIMARY KEY (scope, role),
    CHECK (can_encrypt OR can_decrypt)
);
COMMENT ON TABLE rampart.scope_grant IS 'Who may encrypt and decrypt in a scope.';

CREATE TABLE rampart.key_event (
    id       int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    event    text NOT NULL,
    scope    text,
    key_id   text,
    role     name,
    by_role  name NOT NULL DEFAULT session_user,
    details  jsonb
);
COMMENT ON TABLE rampart.key_event IS 'Every creation, grant, revocation and change of state of scopes and keys.';
COMMENT ON COLUMN rampart.key_event.scope IS 'NULL where the event is of the whole keyring.';

-- Dumped with the database. The keys are wrapped: a dump without the root key opens nothing. A grant to
-- a role that was dropped would restore as a number that may mean another role elsewhere.
SELECT pg_extension_config_dump('rampart.scope', '');
SELECT pg_extension_config_dump('rampart.key', '');
SELECT pg_extension_config_dump('rampart.scope_grant', 'WHERE role IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_extension_config_dump('rampart.key_event', '');
SELECT pg_extension_config_dump('rampart.key_event_id_seq', '');

CREATE FUNCTION rampart.keyring_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'rampart_keyring_changed' LANGUAGE C;
COMMENT ON FUNCTION rampart.keyring_changed() IS 'Trigger: every session rebuilds its keyring after the commit.';

DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['scope', 'key', 'scope_grant'] LOOP
        EXECUTE format('CREATE TRIGGER keyring_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
                        ON rampart.%I EXECUTE FUNCTION rampart.keyring_changed()', relation);
        -- Logical apply fires row triggers only, and only those that are ALWAYS enabled.
        EXECUTE format('CREATE TRIGGER keyring_row_changed AFTER INSERT OR UPDATE OR DELETE
                        ON rampart.%I FOR EACH ROW EXECUTE FUNCTION rampart.keyring_changed()', relation);
        EXECUTE format('ALTER TABLE rampart.%I ENABLE ALWAYS TRIGGER keyring_changed', relation);
        EXECUTE format('ALTER TABLE rampart.%I ENABLE ALWAYS TRIGGER keyring_row_changed', relation);
    END LOOP;
END
$$;
