-- The end of keys: what was encrypted with a destroyed key is gone for everybody (crypto-shredding).

CREATE FUNCTION rampart.require_confirmation(scope text, confirm_scope text, what text, loss text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF scope IS DISTINCT FROM confirm_scope THEN
        RAISE EXCEPTION '% needs the name of the scope as confirmation', what
            USING ERRCODE = 'RMK09', DETAIL = loss, HINT = format('confirm_scope => %L', scope);
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.require_confirmation(text, text, text, text) IS 'Errors: RMK09 unless the scope''s name was typed.';

CREATE FUNCTION rampart.destroy_key(id text, confirm_scope text, force bool DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    key rampart.key := rampart.set_key_state(id, '{retired,exhausted,disabled}', 'destroyed');
    used record;
BEGIN
    PERFORM rampart.require_confirmation(key.scope, confirm_scope, format('destroying key %s', id),
                                         'What is still encrypted with it can never be decrypted again.');
    IF key.purpose = 'index' THEN
        RAISE EXCEPTION 'key % is the index key of scope "%"', id, key.scope USING ERRCODE = '55000',
            HINT = 'It goes with its scope: shred_scope.';
    ELSIF NOT force THEN
        -- Writers are kept out until the end of the transaction: nobody copies an old value meanwhile.
        SELECT coalesce(sum(c.amount) FILTER (WHERE c.key_id = key.id), 0) AS values,
               coalesce(sum(c.amount) FILTER (WHERE k.id IS NULL), 0) AS unclear,
               string_agg(DISTINCT format('%s.%I', c.relation, c.column_name), ', ')
                   FILTER (WHERE c.key_id = key.id OR k.id IS NULL) AS places
            INTO used
            FROM rampart.key_census(key.scope, lock => true) c LEFT JOIN rampart.key k ON k.id = c.key_id;
        IF used.values > 0 OR used.unclear > 0 THEN
            RAISE EXCEPTION 'key % is still needed', id USING ERRCODE = 'RMR04',
                DETAIL = format('%s values need it, %s are damaged and do not say which key they need, in %s.',
                                used.values, used.unclear, used.places),
                HINT = 'start_rotation(..., new_key => false) re-encrypts values, verify_column finds damaged ones; force => true destroys the key all the same.';
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.destroy_key(text, text, bool) IS
'Destroys a retired, exhausted or disabled key for good. The scope''s name confirms. Refused while values in this database need it, which are counted with writers kept out (SHARE locks); force: without counting, and what still needs it is lost. Errors: RMK02, RMK09, RMR04, 55000.';

CREATE FUNCTION rampart.end_rotations(scope text, reason text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.cancel_rotation(r.id) FROM rampart.rotation r
    WHERE r.scope = end_rotations.scope AND r.state IN ('running', 'paused', 'ready');
    UPDATE rampart.rotation r SET last_error = reason
    WHERE r.scope = end_rotations.scope AND r.state = 'cancelled' AND r.ended_at >= transaction_timestamp();
END;
COMMENT ON FUNCTION rampart.end_rotations(text, text) IS 'Cancels the rotations and conversions of a scope.';

CREATE FUNCTION rampart.shred_scope(scope text, confirm_scope text DEFAULT NULL) RETURNS int8
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lost record;
BEGIN
    PERFORM rampart.lock_scope(shred_scope.scope);
    SELECT coalesce(sum(c.amount), 0)::int8 AS values, count(DISTINCT (c.relation, c.column_name)) AS columns
        INTO lost FROM rampart.key_census(shred_scope.scope) c;
    PERFORM rampart.require_confirmation(
        shred_scope.scope, confirm_scope, format('shredding scope "%s"', shred_scope.scope),
        format('%s values in %s columns can then never be decrypted again.', lost.values, lost.columns));
    PERFORM rampart.end_rotations(shred_scope.scope, 'the scope was shredded');
    PERFORM rampart.set_key_state(rampart.key_id_text(k.id), ARRAY[k.state], 'destroyed')
        FROM rampart.key k WHERE k.scope = shred_scope.scope AND k.state <> 'destroyed';
    PERFORM rampart.record_key_event('scope_shredded', shred_scope.scope,
                                     details => jsonb_build_object('values', lost.values));
    RETURN lost.values;
END
$$;
COMMENT ON FUNCTION rampart.shred_scope(text, text) IS
'Destroys all keys of a scope, its index key as well: nothing that was encrypted in it can ever be decrypted. The scope''s name confirms; without it the error says how many values would be lost. Returns their number. rotate_key makes the scope usable again, for new values. Errors: RMK01, RMK09.';

CREATE FUNCTION rampart.drop_scope(scope text, confirm_scope text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    places text;
BEGIN
    PERFORM rampart.lock_scope(drop_scope.scope);
    PERFORM rampart.require_confirmation(drop_scope.scope, confirm_scope, format('dropping scope "%s"', drop_scope.scope),
                                         'Its keys are deleted: dumps and copies of its values can never be decrypted again.');
    SELECT string_agg(DISTINCT format('%s.%I', c.relation, c.column_name), ', ') INTO places
        FROM rampart.encrypted_column c WHERE c.scope = drop_scope.scope;
    IF places IS NOT NULL THEN
        RAISE EXCEPTION 'columns are declared with scope "%"', drop_scope.scope USING ERRCODE = 'RMR04',
            DETAIL = places, HINT = 'Drop or convert them first; shred_scope destroys the keys and leaves the columns.';
    END IF;
    PERFORM rampart.end_rotations(drop_scope.scope, 'the scope was dropped');
    DELETE FROM rampart.scope_grant g WHERE g.scope = drop_scope.scope;
    DELETE FROM rampart.registered_column r WHERE r.scope = drop_scope.scope;
    DELETE FROM rampart.key k WHERE k.scope = drop_scope.scope;
    DELETE FROM rampart.scope s WHERE s.name = drop_scope.scope;
    PERFORM rampart.record_key_event('scope_dropped', drop_scope.scope);
END
$$;
COMMENT ON FUNCTION rampart.drop_scope(text, text) IS
'Removes a scope that no column is declared with, its keys and grants. The scope''s name confirms. Errors: RMK01, RMK09, RMR04.';
