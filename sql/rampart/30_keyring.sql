-- Scopes, keys and grants. These functions run as their owner; who may call them is a matter of EXECUTE,
-- which nobody has by default (90_rights.sql).

CREATE FUNCTION rampart.new_key(scope text, purpose text, version int4,
                                OUT id int8, OUT wrapped bytea, OUT root_key int8)
    AS 'MODULE_PATHNAME', 'rampart_new_key' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.new_key(text, text, int4) IS
'Makes a random 256-bit key and wraps it with the root key that root_key_for_new_keys() names. Stores nothing. Errors: RMK05.';

CREATE FUNCTION rampart.scope_tag(scope text) RETURNS int4
    AS 'MODULE_PATHNAME', 'rampart_scope_tag' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rampart.scope_tag(text) IS
'24 bits of SHA-256 of a scope''s name, as they stand in the type modifier of columns. Errors: 22023 for what cannot be a name.';

CREATE FUNCTION rampart.key_id_text(id int8) RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_key_id_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rampart.key_id_text(int8) IS 'A key id as it is printed: 16 hexadecimal digits.';

-- What the audit log calls an event of the keyring: the first pattern that fits.
CREATE FUNCTION rampart.audit_event_of(key_event text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.event
    FROM (VALUES (1, 'key\_destroyed', 'crypto.key_destroyed'),
                 (2, 'scope\_shredded', 'crypto.key_destroyed'),
                 (3, 'key\_budget\_warning', 'crypto.key_budget_low'),
                 (4, 'root\_key\_changed', 'crypto.root_key_changed'),
                 (5, 'keyring\_exported', 'crypto.keyring_exported'),
                 (6, 'rotation\_policy\_%', 'crypto.rotation_policy_changed'),
                 (7, 'rotation\_%', 'crypto.rotation_changed'),
                 (8, 'conversion\_%', 'crypto.rotation_changed'),
                 (9, 'scope\_created', 'scope.created'),
                 (10, 'scope\_imported', 'scope.created'),
                 (11, 'scope\_dropped', 'scope.dropped'),
                 (12, 'scope\_%', 'scope.altered'),
                 (13, 'granted', 'scope.granted'),
                 (14, 'revoked', 'scope.revoked'),
                 (15, '%', 'crypto.key_created_or_rotated')) e (number, pattern, event)
    WHERE audit_event_of.key_event LIKE e.pattern
    ORDER BY e.number LIMIT 1;
END;
COMMENT ON FUNCTION rampart.audit_event_of(text) IS 'The type in the audit log of an event of rampart.key_event.';

CREATE FUNCTION rampart.record_key_event(event text, scope text, key_id int8 DEFAULT NULL,
                                         role name DEFAULT NULL, details jsonb DEFAULT NULL)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart.key_event (event, scope, key_id, role, details)
    VALUES (record_key_event.event, record_key_event.scope, rampart.key_id_text(record_key_event.key_id),
            record_key_event.role, record_key_event.details);
    PERFORM rampart.write_event(rampart.audit_event_of(event), NULL, NULL, NULL, NULL, jsonb_strip_nulls(jsonb_build_object(
        'key_event', event, 'scope', scope, 'key_id', rampart.key_id_text(key_id), 'role', role, 'details', details)));
END
$$;
COMMENT ON FUNCTION rampart.record_key_event(text, text, int8, name, jsonb) IS
'Writes one row of rampart.key_event and its entry in the audit log.';

CREATE FUNCTION rampart.lock_scope(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM rampart.scope s WHERE s.name = lock_scope.name FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'scope "%" does not exist', name
            USING ERRCODE = 'RMK01', HINT = 'SELECT rampart.create_scope(''...'') makes one.';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.lock_scope(text) IS
'Serialises changes of one scope until the end of the transaction. Errors: RMK01.';

CREATE FUNCTION rampart.add_key(scope text, purpose text, version int4) RETURNS int8
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    -- Waits for rewrap_root_key(), which would not see this key, before a root key is chosen.
    LOCK TABLE rampart.key IN ROW EXCLUSIVE MODE;
    SELECT * INTO made FROM rampart.new_key(scope, purpose, version);
    INSERT INTO rampart.key (id, scope, purpose, version, state, wrapped, root_key)
    VALUES (made.id, scope, purpose, version, 'active', made.wrapped, made.root_key);
    PERFORM rampart.record_key_event('key_created', scope, made.id, NULL,
                                     jsonb_build_object('purpose', purpose, 'version', version));
    RETURN made.id;
END
$$;
COMMENT ON FUNCTION rampart.add_key(text, text, int4) IS 'Makes and stores a key as the active one.';

CREATE FUNCTION rampart.create_scope(name text, denied text DEFAULT 'armour') RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_tag int4 := rampart.scope_tag(create_scope.name);
    taken text;
BEGIN
    -- One at a time: the second of two sessions is told by name what is taken.
    LOCK TABLE rampart.scope IN SHARE ROW EXCLUSIVE MODE;
    SELECT s.name INTO taken FROM rampart.scope s WHERE s.tag = new_tag;
    IF taken = create_scope.name THEN
        RAISE EXCEPTION 'scope "%" already exists', taken USING ERRCODE = 'RMK08';
    ELSIF taken IS NOT NULL THEN
        RAISE EXCEPTION 'the name "%" has the same tag as scope "%"', create_scope.name, taken
            USING ERRCODE = 'RMK08', HINT = 'Choose another name.';
    END IF;
    INSERT INTO rampart.scope (name, tag, denied)
    VALUES (create_scope.name, new_tag, create_scope.denied);
    PERFORM rampart.record_key_event('scope_created', create_scope.name);
    PERFORM rampart.add_key(create_scope.name, 'index', 1);
    PERFORM rampart.add_key(create_scope.name, 'data', 1);
END
$$;
COMMENT ON FUNCTION rampart.create_scope(text, text) IS
'Makes a scope with new random keys, wrapped by the root key. denied: what SELECT shows where the right to decrypt is missing: armour, null, mask or error. Errors: 22023 (name), RMK08 (taken), RMK05 (no root key).';

CREATE FUNCTION rampart.alter_scope(name text, denied text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.lock_scope(alter_scope.name);
    UPDATE rampart.scope s SET denied = alter_scope.denied WHERE s.name = alter_scope.name;
    PERFORM rampart.record_key_event('scope_altered', alter_scope.name, NULL, NULL,
                                     jsonb_build_object('denied', alter_scope.denied));
END
$$;
COMMENT ON FUNCTION rampart.alter_scope(text, text) IS
'Sets what SELECT shows where the right to decrypt is missing: armour, null, mask or error. Errors: RMK01, 23514.';

CREATE FUNCTION rampart.rights_in(privileges text, OUT can_encrypt bool, OUT can_decrypt bool)
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    word text;
BEGIN
    can_encrypt := false;
    can_decrypt := false;
    FOREACH word IN ARRAY string_to_array(lower(privileges), ',') LOOP
        CASE btrim(word)
            WHEN 'encrypt' THEN can_encrypt := true;
            WHEN 'decrypt' THEN can_decrypt := true;
            ELSE RAISE EXCEPTION 'unknown privilege "%"', btrim(word)
                USING ERRCODE = '22023', HINT = 'Privileges are encrypt and decrypt, separated by a comma.';
        END CASE;
    END LOOP;
    IF NOT (can_encrypt OR can_decrypt) THEN
        RAISE EXCEPTION 'no privilege named'
            USING ERRCODE = '22023', HINT = 'Privileges are encrypt and decrypt, separated by a comma.';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.rights_in(text) IS
'Reads a list of privileges: encrypt, decrypt or both. Errors: 22023.';

CREATE FUNCTION rampart.grant_scope(scope text, role regrole, privileges text DEFAULT 'encrypt,decrypt')
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    added record := rampart.rights_in(privileges);
BEGIN
    PERFORM rampart.lock_scope(grant_scope.scope);
    INSERT INTO rampart.scope_grant AS g (scope, role, can_encrypt, can_decrypt)
    VALUES (grant_scope.scope, grant_scope.role, added.can_encrypt, added.can_decrypt)
    ON CONFLICT ON CONSTRAINT scope_grant_pkey DO UPDATE
        SET can_encrypt = g.can_encrypt OR excluded.can_encrypt,
            can_decrypt = g.can_decrypt OR excluded.can_decrypt;
    PERFORM rampart.record_key_event('granted', grant_scope.scope, NULL, grant_scope.role::text::name,
                                     to_jsonb(added));
END
$$;
COMMENT ON FUNCTION rampart.grant_scope(text, regrole, text) IS
'Lets a role, and the roles that inherit from it, encrypt or decrypt in a scope: privileges are encrypt, decrypt or both. Takes effect everywhere at commit. Errors: RMK01, 42704 (no such role), 22023.';

CREATE FUNCTION rampart.revoke_scope(scope text, role regrole, privileges text DEFAULT 'encrypt,decrypt')
RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    removed record := rampart.rights_in(privileges);
BEGIN
    PERFORM rampart.lock_scope(revoke_scope.scope);
    DELETE FROM rampart.scope_grant g
        WHERE g.scope = revoke_scope.scope AND g.role = revoke_scope.role
          AND (NOT g.can_encrypt OR removed.can_encrypt) AND (NOT g.can_decrypt OR removed.can_decrypt);
    UPDATE rampart.scope_grant g
        SET can_encrypt = g.can_encrypt AND NOT removed.can_encrypt,
            can_decrypt = g.can_decrypt AND NOT removed.can_decrypt
        WHERE g.scope = revoke_scope.scope AND g.role = revoke_scope.role;
    PERFORM rampart.record_key_event('revoked', revoke_scope.scope, NULL, revoke_scope.role::text::name,
                                     to_jsonb(removed));
END
$$;
COMMENT ON FUNCTION rampart.revoke_scope(text, regrole, text) IS
'Takes rights in a scope from a role. Takes effect everywhere at commit, in running sessions too. Errors: RMK01, 42704, 22023.';

CREATE FUNCTION rampart.rotate_key(scope text) RETURNS int4
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    next_version int4;
BEGIN
    PERFORM rampart.lock_scope(rotate_key.scope);
    SELECT coalesce(max(k.version), 0) + 1 INTO next_version
        FROM rampart.key k WHERE k.scope = rotate_key.scope AND k.purpose = 'data';
    PERFORM rampart.set_key_state(rampart.key_id_text(k.id), '{active}', 'retired')
        FROM rampart.key k WHERE k.scope = rotate_key.scope AND k.purpose = 'data' AND k.state = 'active';
    PERFORM rampart.add_key(rotate_key.scope, 'data', next_version);
    -- A shredded scope begins anew.
    IF NOT EXISTS (SELECT FROM rampart.key k WHERE k.scope = rotate_key.scope AND k.purpose = 'index'
                   AND k.state <> 'destroyed') THEN
        PERFORM rampart.add_key(rotate_key.scope, 'index',
            (SELECT max(k.version) + 1 FROM rampart.key k WHERE k.scope = rotate_key.scope AND k.purpose = 'index'));
    END IF;
    RETURN next_version;
END
$$;
COMMENT ON FUNCTION rampart.rotate_key(text) IS
'Makes a new data key the active one and returns its version. What was encrypted before stays readable, and deterministic values keep their equality. Errors: RMK01, RMK05.';

CREATE FUNCTION rampart.set_key_state(id text, allowed_from text[], new_state text) RETURNS rampart.key
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key rampart.key;
BEGIN
    SELECT * INTO key FROM rampart.key k WHERE rampart.key_id_text(k.id) = lower(set_key_state.id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'key % is not in this database''s keyring', id USING ERRCODE = 'RMK02',
            HINT = 'SELECT * FROM rampart.keys lists them.';
    END IF;
    PERFORM rampart.lock_scope(key.scope);
    SELECT * INTO key FROM rampart.key k WHERE k.id = key.id FOR UPDATE;
    IF key.state <> ALL (allowed_from) THEN
        RAISE EXCEPTION 'key % is %', id, key.state USING ERRCODE = '55000',
            HINT = format('This needs a key that is %s.', array_to_string(allowed_from, ' or '));
    END IF;
    UPDATE rampart.key k
        SET state = new_state, changed_at = now(),
            wrapped = CASE WHEN new_state = 'destroyed' THEN NULL ELSE k.wrapped END
        WHERE k.id = key.id RETURNING * INTO key;
    PERFORM rampart.record_key_event('key_' || new_state, key.scope, key.id,
                                     details => jsonb_build_object('purpose', key.purpose, 'version', key.version));
    RETURN key;
END
$$;
COMMENT ON FUNCTION rampart.set_key_state(text, text[], text) IS
'Moves a key from one of the allowed states to a new one. Errors: RMK02, 55000.';

CREATE FUNCTION rampart.disable_key(id text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.set_key_state(id, '{active,retired,exhausted}', 'disabled');
END
$$;
COMMENT ON FUNCTION rampart.disable_key(text) IS
'Makes a key unusable until enable_key. Errors: RMK02, 55000.';

CREATE FUNCTION rampart.enable_key(id text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    newest bool;
    exhausted bool;
BEGIN
    -- The newest version encrypts again, unless another has taken its place or its budget is used up.
    SELECT NOT EXISTS (SELECT FROM rampart.key o WHERE o.scope = k.scope AND o.purpose = k.purpose AND o.id <> k.id
                       AND (o.state = 'active' OR o.version > k.version)),
           rampart.values_encrypted(k.id) >= rampart.key_budget()
        INTO newest, exhausted FROM rampart.key k WHERE rampart.key_id_text(k.id) = lower(enable_key.id);
    PERFORM rampart.set_key_state(id, '{disabled}', CASE WHEN exhausted THEN 'exhausted'
                                                         WHEN newest THEN 'active' ELSE 'retired' END);
END
$$;
COMMENT ON FUNCTION rampart.enable_key(text) IS
'Makes a disabled key usable again. Errors: RMK02, 55000.';

CREATE VIEW rampart.keys AS
    SELECT rampart.key_id_text(id) AS id, scope, purpose, version, state,
           rampart.key_id_text(root_key) AS root_key, created_at, changed_at
    FROM rampart.key;
COMMENT ON VIEW rampart.keys IS 'Keys without their wrapped bytes.';

CREATE FUNCTION rampart.status() RETURNS TABLE (item text, state text, detail text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM rampart.root_key_status();
    item := 'library';
    state := CASE WHEN current_setting('shared_preload_libraries') ~ '\mrampart\M' THEN 'preloaded'
                  WHEN current_setting('session_preload_libraries') ~ '\mrampart\M' THEN 'preloaded'
                  ELSE 'not preloaded' END;
    detail := CASE state WHEN 'preloaded' THEN NULL ELSE
        'Add rampart to shared_preload_libraries: a session''s first statement may be refused without.' END;
    RETURN NEXT;
    item := 'scopes';
    SELECT count(*)::text, string_agg(s.name, ', ' ORDER BY s.name) INTO state, detail FROM rampart.scope s;
    RETURN NEXT;
    RETURN QUERY SELECT * FROM rampart.keys_in_need();
END
$$;
COMMENT ON FUNCTION rampart.status() IS
'What a DBA should look at first: root keys, preloading, scopes, keys whose time is up. Asks the providers of root keys.';
