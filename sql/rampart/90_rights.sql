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
          AND p.proname IN ('new_key', 'record_key_event', 'lock_scope', 'add_key',
                            'create_scope', 'alter_scope', 'grant_scope', 'revoke_scope', 'rotate_key',
                            'set_key_state', 'disable_key', 'enable_key', 'destroy_key', 'status',
                            'keyring_changed',
                            'rewrite_blocks', 'count_keys', 'try_lock_table', 'wake_worker', 'register_column',
                            'unregister_column', 'key_census', 'count_values', 'note_counts', 'rotation_plan', 'add_rotation_table',
                            'begin_round', 'check_pace', 'start_rotation', 'change_rotation', 'pause_rotation',
                            'resume_rotation', 'cancel_rotation', 'set_rotation_pace', 'running_transactions',
                            'quotable_error', 'record_problems', 'add_each', 'rewrite_range', 'rewrite_next', 'note_failure',
                            'end_round', 'lock_next_table', 'advance_rotation', 'rotation_step', 'work',
                            'run_rotation', 'require_confirmation', 'fill_column', 'encrypted_type_for', 'conversion_obstacles', 'encrypt_column', 'conversion_trigger', 'conversion', 'conversion_indexes', 'swap_columns', 'validate_conversion', 'drop_target', 'finish_conversion', 'end_rotations', 'shred_scope', 'drop_scope')
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', object.name);
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA rampart TO PUBLIC;
