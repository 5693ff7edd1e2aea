-- The ground that everything of rampart_auth stands on: its two roles, its key scopes, what its owner may call of the
-- extension, and its kinds of events. Run by the database's owner or a superuser; all later files run as rampart_auth.
--
-- rampart_auth owns tables and functions and nobody logs in as it. rampartd is what the server logs in as: it may
-- execute functions and read no table.
--
-- What many requests call is PL/pgSQL also where one expression would do: its plans stay for the session, while a
-- function in SQL that is not inlined is parsed and planned at each call, which costs more than what it asks for.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rampart_auth') THEN
        CREATE ROLE rampart_auth NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rampartd') THEN
        CREATE ROLE rampartd LOGIN;
    END IF;
END
$$;
ALTER ROLE rampartd SET statement_timeout = '5s';
ALTER ROLE rampartd SET lock_timeout = '3s';
ALTER ROLE rampartd SET idle_in_transaction_session_timeout = '10s';

CREATE SCHEMA rampart_auth AUTHORIZATION rampart_auth;
COMMENT ON SCHEMA rampart_auth IS 'Accounts, sessions and organisations of rampartd, which works through the functions of this schema.';
REVOKE ALL ON SCHEMA rampart_auth FROM PUBLIC;
GRANT USAGE ON SCHEMA rampart_auth TO rampartd;
ALTER DEFAULT PRIVILEGES FOR ROLE rampart_auth REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT EXECUTE ON FUNCTION rampart.set_context, rampart.trust_principal, rampart.log_event, rampart.revoke_token,
    rampart.add_token_key, rampart.drop_token_key, rampart.enforce_explain(text, text[]), rampart.policy_map,
    rampart.policy_hash,
    rampart.export_policy, rampart.require_model, rampart.format_policy_rule, rampart.add_policy, rampart.remove_policy,
    rampart.export_proof, rampart.export_body, rampart.utc_text
    TO rampart_auth;
GRANT SELECT ON rampart.policy_model, rampart.policy_rule, rampart.policy_version, rampart.policy_test, rampart.audit_heads, rampart.audit_keys
    TO rampart_auth;

DO $$
DECLARE
    scope text;
BEGIN
    FOREACH scope IN ARRAY ARRAY['pii', 'mfa', 'secret'] LOOP
        IF NOT EXISTS (SELECT FROM rampart.scope s WHERE s.name = scope) THEN
            PERFORM rampart.create_scope(scope);
        END IF;
        PERFORM rampart.grant_scope(scope, 'rampart_auth');
    END LOOP;
    IF NOT EXISTS (SELECT FROM rampart.policy_model m WHERE m.name = 'rampart') THEN
        PERFORM rampart.load_roles();
    END IF;
    PERFORM rampart.start_sealing();
    PERFORM rampart.grant_audit('rampart_auth', of_context => true);
END
$$;

SELECT rampart.define_event(e.name, 'security', e.severity, description => e.description)
FROM (VALUES
    ('auth.signup', 'info', 'Somebody signed up'),
    ('auth.verification_requested', 'info', 'Another mail to verify an address was asked for'),
    ('auth.email_verified', 'info', 'An address was verified'),
    ('user.approved', 'low', 'A sign-up was approved'),
    ('user.rejected', 'low', 'A sign-up was turned down'),
    ('user.reset_forced', 'medium', 'An administrator had a password reset'),
    ('org.invitation_revoked', 'info', 'An invitation was withdrawn'),
    ('team.created', 'low', 'A team was created'),
    ('team.updated', 'medium', 'A team was changed'),
    ('team.deleted', 'low', 'A team was deleted'),
    ('team.member_added', 'medium', 'A member joined a team, and has its role'),
    ('team.member_removed', 'low', 'A member left a team'),
    ('signing_key.created', 'high', 'A key was made that access tokens will be signed with'),
    ('signing_key.activated', 'high', 'Access tokens are signed with another key from now on')) e (name, severity, description)
WHERE NOT EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = e.name);
