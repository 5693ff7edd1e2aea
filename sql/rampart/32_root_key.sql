-- Root keys: which are in use, and moving the keyring from one to the next. Which provider gives which is
-- asked of the server's settings, never stored.

CREATE FUNCTION rampart.ask_root_key(provider text, OUT setting text, OUT fingerprint int8, OUT problem text)
    AS 'MODULE_PATHNAME', 'rampart_ask_root_key' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.ask_root_key(text) IS
'Asks a provider of root keys, current or new: its setting, and the fingerprint of what it gives or why it gives nothing. Errors: 22023.';

CREATE FUNCTION rampart.root_key_for_new_keys() RETURNS int8
    AS 'MODULE_PATHNAME', 'rampart_root_key_for_new_keys' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.root_key_for_new_keys() IS
'Fingerprint of the root key that wraps new keys: the new one once keys are under it, else the current one. Errors: RMK05.';

CREATE FUNCTION rampart.rewrap_key(id int8, scope text, purpose text, version int4, wrapped bytea, root_key int8,
                                   new_version int4, new_root_key int8) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rampart_rewrap_key' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION rampart.rewrap_key(int8, text, text, int4, bytea, int8, int4, int8) IS
'A key wrapped as another version or by another root key. NULL where it does not unwrap as what it is said to be. Stores nothing. Errors: RMK05, RMK06.';

CREATE FUNCTION rampart.lock_keyring() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- An older snapshot would not show the keys of sessions that were waited for.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the whole keyring is changed at isolation level READ COMMITTED only'
            USING ERRCODE = '25001';
    END IF;
    LOCK TABLE rampart.scope, rampart.key IN SHARE ROW EXCLUSIVE MODE;
END
$$;
COMMENT ON FUNCTION rampart.lock_keyring() IS
'Serialises a change of the whole keyring with every other until the end of the transaction; encryption and decryption go on. Errors: 25001.';

CREATE FUNCTION rampart.rewrap_root_key() RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new record := rampart.ask_root_key('new');
    old record;
    key rampart.key;
    rewrapped bytea;
    total int8 := 0;
BEGIN
    IF new.problem IS NOT NULL THEN
        RAISE EXCEPTION 'no new root key' USING ERRCODE = 'RMK05', DETAIL = new.problem,
            HINT = 'Set rampart.new_root_key_file or rampart.new_root_key_command and reload the configuration.';
    END IF;
    PERFORM rampart.lock_keyring();
    FOR old IN SELECT k.root_key AS fingerprint, count(*) AS keys FROM rampart.key k
               WHERE k.wrapped IS NOT NULL AND k.root_key <> new.fingerprint GROUP BY k.root_key LOOP
        FOR key IN SELECT * FROM rampart.key k WHERE k.wrapped IS NOT NULL AND k.root_key = old.fingerprint LOOP
            rewrapped := rampart.rewrap_key(key.id, key.scope, key.purpose, key.version, key.wrapped, key.root_key,
                                            key.version, new.fingerprint);
            IF rewrapped IS NULL THEN
                RAISE EXCEPTION 'key % (scope "%", version %) is damaged', rampart.key_id_text(key.id), key.scope, key.version
                    USING ERRCODE = 'RMK02', DETAIL = 'Its wrapped form was altered in rampart.key.',
                          HINT = 'Restore the row from a backup of this database. No key was changed.';
            END IF;
            UPDATE rampart.key k SET wrapped = rewrapped, root_key = new.fingerprint WHERE k.id = key.id;
        END LOOP;
        PERFORM rampart.record_key_event('root_key_changed', NULL, details => jsonb_build_object(
            'from', rampart.key_id_text(old.fingerprint), 'to', rampart.key_id_text(new.fingerprint), 'keys', old.keys));
        total := total + old.keys;
    END LOOP;
    RETURN total;
END
$$;
COMMENT ON FUNCTION rampart.rewrap_root_key() IS
'Wraps every key of this database by the root key that rampart.new_root_key_file or rampart.new_root_key_command gives, in one transaction, and returns how many there were to do. Values stay as they are, and sessions go on. Errors: RMK05 (no old or new root key), RMK06 (another old one), RMK02 (a damaged key), 25001.';

CREATE FUNCTION rampart.new_root_key_status(current_setting text, current_fingerprint int8, new_setting text, new_fingerprint int8,
                                            keys int8, keys_under_new int8, OUT state text, OUT detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    detail := format('fingerprint %s from %s. ', rampart.key_id_text(new_fingerprint), new_setting);
    IF new_fingerprint = current_fingerprint THEN
        state := 'same';
        detail := detail || format('%s gives the same: the change is done, empty %s and reload.', current_setting, new_setting);
    ELSIF keys_under_new < keys OR keys = 0 THEN
        state := CASE keys_under_new WHEN 0 THEN 'unused' ELSE 'partly in use' END;
        detail := detail || format('%s of %s keys of this database are under it: SELECT rampart.rewrap_root_key() moves the rest.',
                                   keys_under_new, keys);
    ELSE
        state := 'in use';
        detail := detail || format('All %s keys of this database are under it. Once every database''s are, switch %s to it, empty %s and reload; then the old root key may be retired.',
                                   keys, current_setting, new_setting);
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.new_root_key_status(text, int8, text, int8, int8, int8) IS
'How far the change of the root key is: unused, partly in use, in use (all keys are under it) or same.';

CREATE FUNCTION rampart.root_key_status() RETURNS TABLE (item text, state text, detail text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    current_key record := rampart.ask_root_key('current');
    new_key record := rampart.ask_root_key('new');
    used record;
    total int8;
    given text;
BEGIN
    item := 'root key';
    SELECT count(*) INTO total FROM rampart.key k WHERE k.wrapped IS NOT NULL;
    FOR used IN SELECT k.root_key AS fingerprint, count(*) AS keys FROM rampart.key k
                WHERE k.wrapped IS NOT NULL GROUP BY k.root_key
                UNION ALL SELECT current_key.fingerprint, 0 WHERE total = 0
                ORDER BY keys DESC, fingerprint LOOP
        given := CASE used.fingerprint WHEN current_key.fingerprint THEN current_key.setting
                                       WHEN new_key.fingerprint THEN new_key.setting END;
        state := CASE WHEN given IS NOT NULL THEN 'ok' WHEN current_key.problem IS NOT NULL THEN 'missing' ELSE 'wrong' END;
        detail := coalesce('fingerprint ' || rampart.key_id_text(used.fingerprint) || coalesce(' from ' || given, '')
                           || ', ' || used.keys || ' keys. ', '')
            || CASE state WHEN 'ok' THEN 'Keep a copy outside this machine: without it nothing can ever be decrypted.'
                          WHEN 'missing' THEN current_key.problem
                          ELSE format('%s gives another: %s.', current_key.setting,
                                      rampart.key_id_text(current_key.fingerprint)) END;
        RETURN NEXT;
    END LOOP;
    item := 'new root key';
    IF new_key.fingerprint IS NOT NULL THEN
        RETURN QUERY SELECT item, s.* FROM rampart.new_root_key_status(
            current_key.setting, current_key.fingerprint, new_key.setting, new_key.fingerprint, total,
            (SELECT count(*) FROM rampart.key k WHERE k.wrapped IS NOT NULL AND k.root_key = new_key.fingerprint)) s;
    ELSIF current_setting('rampart.new_root_key_file') || current_setting('rampart.new_root_key_command') <> '' THEN
        state := 'missing';
        detail := new_key.problem;
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.root_key_status() IS
'Root keys in use, by how many keys, and which setting gives each: ok, missing or wrong; and the new one while it is being changed.';

REVOKE ALL ON FUNCTION rampart.ask_root_key(text), rampart.root_key_for_new_keys(),
    rampart.rewrap_key(int8, text, text, int4, bytea, int8, int4, int8), rampart.lock_keyring(),
    rampart.rewrap_root_key(), rampart.new_root_key_status(text, int8, text, int8, int8, int8),
    rampart.root_key_status() FROM PUBLIC;
