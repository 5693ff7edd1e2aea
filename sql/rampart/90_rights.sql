-- Nothing for PUBLIC but what works on values that a role already has: the types' own functions, encryption
-- and decryption (which ask for rights in the scope), looking at ciphertexts, and what declarations call.

REVOKE ALL ON ALL ROUTINES IN SCHEMA rampart FROM PUBLIC;

DO $$
DECLARE
    object record;
BEGIN
    FOR object IN
        SELECT p.oid::regprocedure AS name
        FROM pg_proc p
        WHERE p.pronamespace = 'rampart'::regnamespace
          AND (EXISTS (SELECT FROM unnest(p.proargtypes::oid[] || p.prorettype) t WHERE rampart.is_encrypted(t))
               OR p.proname IN ('analyze_column', 'modifier_in', 'modifier_in_randomised_only', 'modifier_out',
                                'operator_class_options', 'sort_support',
                                'encrypt', 'encrypt_deterministic', 'decrypt', 'decrypt_bytea', 'decrypt_jsonb',
                                'try_decrypt', 'blind_index', 'inspect', 'armour', 'dearmour', 'problem', 'verify_column',
                                'mask', 'mask_last', 'mask_email', 'reveal_entry', 'key_id_text', 'scope_tag', 'key_budget',
                                'adopt_column', 'linked_columns', 'rights_in', 'is_encrypted', 'holds_encrypted',
                                'holds_unscoped', 'is_randomised', 'give_default_scope', 'check_relation', 'check_type',
                                'check_statistics', 'check_columns', 'readable_orgs', 'covers',
                                'enforce', 'allowed', 'principal', 'subject', 'org', 'set_principal', 'reset_principal',
                                'policy_for', 'policy_report', 'row_condition', 'type_of_column'))
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', object.name);
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA rampart TO PUBLIC;
