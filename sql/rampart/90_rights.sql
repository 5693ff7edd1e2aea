-- Nothing for PUBLIC but what works on values a role already has: the types' own functions, encryption
-- and decryption (which ask for rights in the scope), and looking at ciphertexts.

DO $$
DECLARE
    object record;
BEGIN
    FOR object IN
        SELECT p.oid::regprocedure AS name
        FROM pg_proc p
        WHERE p.pronamespace = 'rampart'::regnamespace
          AND p.proname IN ('new_key', 'root_key_state', 'record_key_event', 'lock_scope', 'add_key',
                            'create_scope', 'alter_scope', 'grant_scope', 'revoke_scope', 'rotate_key',
                            'set_key_state', 'disable_key', 'enable_key', 'destroy_key', 'status',
                            'keyring_changed')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', object.name);
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA rampart TO PUBLIC;
