-- Moving a keyring to another cluster: scopes and wrapped keys as one jsonb, format 1:
--
--   {"format": 1, "scopes": [{"name", "denied", "created_at", "keys": [
--       {"id", "purpose", "version", "state", "wrapped", "root_key", "created_at", "changed_at"}]}]}
--
-- Ids and fingerprints are 16 hexadecimal digits, wrapped bytes base64 (null for a destroyed key), dates
-- ISO 8601. No grants: roles are a cluster's own.

CREATE FUNCTION rampart.export_keyring() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    scopes jsonb;
    total int8;
BEGIN
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'denied', s.denied, 'created_at', s.created_at,
                                                 'keys', coalesce(k.keys, '[]')) ORDER BY s.name), '[]'),
           coalesce(sum(k.count), 0)
    INTO scopes, total
    FROM rampart.scope s LEFT JOIN (
        SELECT k.scope, count(*), jsonb_agg(jsonb_build_object(
                   'id', rampart.key_id_text(k.id), 'purpose', k.purpose, 'version', k.version, 'state', k.state,
                   'wrapped', encode(k.wrapped, 'base64'), 'root_key', rampart.key_id_text(k.root_key),
                   'created_at', k.created_at, 'changed_at', k.changed_at) ORDER BY k.purpose DESC, k.version) AS keys
        FROM rampart.key k GROUP BY k.scope) k ON k.scope = s.name;
    PERFORM rampart.record_key_event('keyring_exported', NULL, details => jsonb_build_object(
        'scopes', jsonb_array_length(scopes), 'keys', total));
    RETURN jsonb_build_object('format', 1, 'scopes', scopes);
END
$$;
COMMENT ON FUNCTION rampart.export_keyring() IS
'All scopes and wrapped keys of this database, for import_keyring() in another. Without the root key it opens nothing; with it, everything.';

CREATE FUNCTION rampart.refuse_keyring(place text, problem text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'malformed keyring export' USING ERRCODE = 'RMK11', DETAIL = place || ': ' || problem || '.',
        HINT = 'Import what rampart.export_keyring() returned, unaltered. Nothing was imported.';
END
$$;
COMMENT ON FUNCTION rampart.refuse_keyring(text, text) IS 'Raises RMK11 with the place in the document and what is wrong there.';

CREATE FUNCTION rampart.check_keyring_members(object jsonb, place text, expected text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    odd text;
BEGIN
    IF jsonb_typeof(object) IS DISTINCT FROM 'object' THEN
        PERFORM rampart.refuse_keyring(place, 'is no object');
    END IF;
    SELECT min(e) INTO odd FROM unnest(expected) e WHERE NOT object ? e;
    IF odd IS NOT NULL THEN
        PERFORM rampart.refuse_keyring(place, format('has no member "%s"', odd));
    END IF;
    SELECT min(k) INTO odd FROM jsonb_object_keys(object) k WHERE k <> ALL (expected);
    IF odd IS NOT NULL THEN
        PERFORM rampart.refuse_keyring(place, format('has an unknown member "%s"', left(odd, 63)));
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_keyring_members(jsonb, text, text[]) IS
'That it is an object with these members and no other. Errors: RMK11.';

CREATE FUNCTION rampart.check_keyring_values(object jsonb, place text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    iso_date CONSTANT text := '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d:\d\d$';
    wrong record;
BEGIN
    -- Wrapped keys are 40 bytes; the last of 56 characters has no spare bits to vary.
    SELECT m.* INTO wrong FROM (VALUES
        ('name',       'string', '^[A-Za-z_][A-Za-z0-9_.-]{0,62}$', 'a name for a scope'),
        ('denied',     'string', '^(armour|null|mask|error)$',      'armour, null, mask or error'),
        ('id',         'string', '^[0-9a-f]{16}$',                  '16 hexadecimal digits'),
        ('purpose',    'string', '^(data|index)$',                  'data or index'),
        ('version',    'number', '^([1-9]\d{0,8}|10{9})$',          'a whole number from 1 to 1000000000'),
        ('state',      'string', '^(active|retired|disabled|destroyed)$', 'active, retired, disabled or destroyed'),
        ('wrapped',    'string', '^[A-Za-z0-9+/]{53}[AQgw]==$',     '40 bytes in base64, or null for a destroyed key'),
        ('root_key',   'string', '^[0-9a-f]{16}$',                  '16 hexadecimal digits'),
        ('created_at', 'string', iso_date,                          'a date and time in ISO 8601'),
        ('changed_at', 'string', iso_date,                          'a date and time in ISO 8601'))
        AS m (member, type, pattern, description)
    WHERE object ? m.member
      AND (jsonb_typeof(object -> m.member) <> m.type OR object ->> m.member !~ m.pattern)
      AND NOT (m.member = 'wrapped' AND object -> 'wrapped' = 'null' AND object -> 'state' = '"destroyed"')
    LIMIT 1;
    IF FOUND THEN
        PERFORM rampart.refuse_keyring(place || '.' || wrong.member, 'is not ' || wrong.description);
    END IF;
    IF object ->> 'state' = 'destroyed' AND object -> 'wrapped' <> 'null' THEN
        PERFORM rampart.refuse_keyring(place || '.wrapped', 'is not null, though the key was destroyed');
    END IF;
    BEGIN
        PERFORM (object ->> 'created_at')::timestamptz, (object ->> 'changed_at')::timestamptz;
    EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value THEN
        PERFORM rampart.refuse_keyring(place, 'has a date that does not exist');
    END;
END
$$;
COMMENT ON FUNCTION rampart.check_keyring_values(jsonb, text) IS
'That each member of a scope or key is of its form. Errors: RMK11.';

CREATE FUNCTION rampart.keyring_rows(keyring jsonb) RETURNS TABLE (
    scope text, denied text, scope_created_at timestamptz, id int8, purpose text, version int4, state text,
    wrapped bytea, root_key int8, created_at timestamptz, changed_at timestamptz)
LANGUAGE plpgsql STABLE STRICT ROWS 20 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    a_scope record;
    a_key record;
    place text;
BEGIN
    PERFORM rampart.check_keyring_members(keyring, 'the document', '{format,scopes}');
    IF keyring -> 'format' <> '1' THEN
        PERFORM rampart.refuse_keyring('format', 'is not 1, the format that this version reads');
    ELSIF jsonb_typeof(keyring -> 'scopes') <> 'array' THEN
        PERFORM rampart.refuse_keyring('scopes', 'is no array');
    END IF;
    FOR a_scope IN SELECT e.value, e.ordinality - 1 AS number
                   FROM jsonb_array_elements(keyring -> 'scopes') WITH ORDINALITY e LOOP
        place := format('scopes[%s]', a_scope.number);
        PERFORM rampart.check_keyring_members(a_scope.value, place, '{name,denied,created_at,keys}');
        PERFORM rampart.check_keyring_values(a_scope.value, place);
        IF jsonb_typeof(a_scope.value -> 'keys') <> 'array' THEN
            PERFORM rampart.refuse_keyring(place || '.keys', 'is no array');
        END IF;
        scope := a_scope.value ->> 'name';
        denied := a_scope.value ->> 'denied';
        scope_created_at := a_scope.value ->> 'created_at';
        FOR a_key IN SELECT e.value, format('%s.keys[%s]', place, e.ordinality - 1) AS place
                     FROM jsonb_array_elements(a_scope.value -> 'keys') WITH ORDINALITY e LOOP
            PERFORM rampart.check_keyring_members(a_key.value, a_key.place,
                '{id,purpose,version,state,wrapped,root_key,created_at,changed_at}');
            PERFORM rampart.check_keyring_values(a_key.value, a_key.place);
            id := ('x' || (a_key.value ->> 'id'))::bit(64)::int8;
            purpose := a_key.value ->> 'purpose';
            version := a_key.value ->> 'version';
            state := a_key.value ->> 'state';
            wrapped := decode(a_key.value ->> 'wrapped', 'base64');
            root_key := ('x' || (a_key.value ->> 'root_key'))::bit(64)::int8;
            created_at := a_key.value ->> 'created_at';
            changed_at := a_key.value ->> 'changed_at';
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.keyring_rows(jsonb) IS 'The keys of an export, each value checked. Errors: RMK11.';

CREATE FUNCTION rampart.check_keyring(keyring jsonb) RETURNS void
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text;
BEGIN
    PERFORM FROM rampart.keyring_rows(keyring);
    WITH r AS MATERIALIZED (SELECT * FROM rampart.keyring_rows(keyring)),
         s AS (SELECT e ->> 'name' AS name FROM jsonb_array_elements(keyring -> 'scopes') e)
    SELECT p INTO problem FROM (
        SELECT format('scope "%s" is there twice', name) FROM s GROUP BY name HAVING count(*) > 1
        UNION ALL
        SELECT format('the names "%s" and "%s" have the same tag', min(name), max(name)) FROM s
        GROUP BY rampart.scope_tag(name) HAVING min(name) <> max(name)
        UNION ALL
        SELECT format('key %s is there twice', rampart.key_id_text(id)) FROM r GROUP BY id HAVING count(*) > 1
        UNION ALL
        SELECT format('scope "%s" has two %s keys of version %s', scope, purpose, version) FROM r
        GROUP BY scope, purpose, version HAVING count(*) > 1
        UNION ALL
        SELECT format('scope "%s" has two active %s keys', scope, purpose) FROM r
        WHERE state = 'active' GROUP BY scope, purpose HAVING count(*) > 1
        UNION ALL
        SELECT format('scope "%s" has %s index keys, not one', name, count(r.id))
        FROM s LEFT JOIN r ON r.scope = s.name AND r.purpose = 'index' GROUP BY name HAVING count(r.id) <> 1) AS found (p)
    LIMIT 1;
    IF problem IS NOT NULL THEN
        PERFORM rampart.refuse_keyring('scopes', problem);
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.check_keyring(jsonb) IS
'That an export is well formed and agrees with itself, before anything is done with it. Errors: RMK11.';

CREATE FUNCTION rampart.import_scope(name text, denied text, created_at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken text;
BEGIN
    SELECT s.name INTO taken FROM rampart.scope s WHERE s.tag = rampart.scope_tag(import_scope.name);
    IF FOUND THEN
        RAISE EXCEPTION 'the name "%" has the same tag as scope "%"', import_scope.name, taken
            USING ERRCODE = 'RMK08', HINT = 'Import into a database without that scope.';
    END IF;
    INSERT INTO rampart.scope (name, tag, denied, created_at)
    VALUES (import_scope.name, rampart.scope_tag(import_scope.name), import_scope.denied, import_scope.created_at);
    PERFORM rampart.record_key_event('scope_imported', import_scope.name);
END
$$;
COMMENT ON FUNCTION rampart.import_scope(text, text, timestamptz) IS 'Adds a scope of an export, without keys. Errors: RMK08.';

CREATE FUNCTION rampart.is_in_keyring(id int8, scope text, purpose text) RETURNS bool
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    here rampart.key;
BEGIN
    SELECT * INTO here FROM rampart.key k WHERE k.id = is_in_keyring.id;
    IF FOUND AND (here.scope, here.purpose) IS DISTINCT FROM (is_in_keyring.scope, is_in_keyring.purpose) THEN
        RAISE EXCEPTION 'key % is a % key of scope "%" here', rampart.key_id_text(here.id), here.purpose, here.scope
            USING ERRCODE = 'RMK08', HINT = 'Import into a database without that scope.';
    ELSIF NOT FOUND AND is_in_keyring.purpose = 'index'
          AND EXISTS (SELECT FROM rampart.key k WHERE k.scope = is_in_keyring.scope AND k.purpose = 'index') THEN
        RAISE EXCEPTION 'scope "%" has another index key here', is_in_keyring.scope
            USING ERRCODE = 'RMK08',
                  DETAIL = 'Equal values of the two keyrings would have different deterministic ciphertexts, and = would not find them.',
                  HINT = 'Import before the scope is made here. Or bring the values as plaintext: a dump by a role that may decrypt there.';
    END IF;
    RETURN here.id IS NOT NULL;
END
$$;
COMMENT ON FUNCTION rampart.is_in_keyring(int8, text, text) IS
'Whether this database has a key of an export already, destroyed or not. Errors: RMK08 where it cannot take it.';

CREATE FUNCTION rampart.import_keyring(keyring jsonb)
RETURNS TABLE (scope text, id text, purpose text, version int4, exported_version int4, state text)
LANGUAGE plpgsql VOLATILE STRICT ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    imported record;
    new_scope text;
    wrapped bytea;
    root_key int8;
BEGIN
    PERFORM rampart.lock_keyring();
    root_key := rampart.root_key_for_new_keys();
    PERFORM rampart.check_keyring(keyring);
    FOR imported IN SELECT r.*, max(r.version) OVER (PARTITION BY r.scope, r.purpose) AS last_version
                    FROM rampart.keyring_rows(keyring) r
                    ORDER BY r.scope, r.purpose DESC, r.version LOOP
        exported_version := imported.version;
        SELECT CASE WHEN bool_or(k.version = imported.version)
                    THEN greatest(max(k.version), imported.last_version) + 1 ELSE imported.version END
            INTO version FROM rampart.key k WHERE k.scope = imported.scope AND k.purpose = imported.purpose;
        wrapped := rampart.rewrap_key(imported.id, imported.scope, imported.purpose, imported.version,
                                      imported.wrapped, imported.root_key, version, root_key);
        IF wrapped IS NULL AND imported.wrapped IS NOT NULL THEN
            PERFORM rampart.refuse_keyring('key ' || rampart.key_id_text(imported.id),
                'its wrapped bytes are not those of this scope, purpose and version');
        END IF;
        CONTINUE WHEN rampart.is_in_keyring(imported.id, imported.scope, imported.purpose);
        IF NOT EXISTS (SELECT FROM rampart.scope s WHERE s.name = imported.scope) THEN
            PERFORM rampart.import_scope(imported.scope, imported.denied, imported.scope_created_at);
            new_scope := imported.scope;
        END IF;
        scope := imported.scope;
        id := rampart.key_id_text(imported.id);
        purpose := imported.purpose;
        -- What a scope encrypts with is its own affair.
        state := CASE WHEN imported.state = 'active' AND purpose = 'data' AND scope IS DISTINCT FROM new_scope
                      THEN 'retired' ELSE imported.state END;
        INSERT INTO rampart.key (id, scope, purpose, version, state, wrapped, root_key, created_at, changed_at)
        VALUES (imported.id, imported.scope, imported.purpose, import_keyring.version, import_keyring.state,
                wrapped, CASE WHEN wrapped IS NULL THEN imported.root_key ELSE root_key END, imported.created_at,
                imported.changed_at);
        PERFORM rampart.record_key_event('key_imported', scope, imported.id, details => jsonb_build_object(
            'purpose', purpose, 'version', version, 'exported_version', exported_version, 'state', state));
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart.import_keyring(jsonb) IS
'Adds the scopes and keys of an export that this database does not have, wrapped by its own root key, and returns the keys added. A scope that is here keeps its active key; keys that were destroyed, here or there, stay destroyed. Errors: RMK11 (malformed), RMK05 and RMK06 (the root key that wrapped them), RMK08 (another scope of that name), 25001.';

REVOKE ALL ON FUNCTION rampart.export_keyring(), rampart.refuse_keyring(text, text),
    rampart.check_keyring_members(jsonb, text, text[]), rampart.check_keyring_values(jsonb, text),
    rampart.keyring_rows(jsonb), rampart.check_keyring(jsonb), rampart.import_scope(text, text, timestamptz),
    rampart.is_in_keyring(int8, text, text), rampart.import_keyring(jsonb) FROM PUBLIC;
