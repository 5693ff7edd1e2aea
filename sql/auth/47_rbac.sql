-- The policy, read and changed over HTTP. Rules hold for all organisations, so changing them is the platform's.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.policy_map() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('models', rampart.policy_map('rampart')) $$;
COMMENT ON FUNCTION rampart_auth.policy_map() IS 'The whole policy: model, rules, version, hash.';

CREATE FUNCTION rampart_auth.add_rule(type text, rule text[]) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('added', rampart.add_policy('rampart', type, rule)) $$;
COMMENT ON FUNCTION rampart_auth.add_rule(text, text[]) IS 'Adds a rule (p: role, resource, action, own or all; g: role, role), which acts from the commit on. Recorded. Errors: RMP02.';

CREATE FUNCTION rampart_auth.remove_rule(type text, rule text[]) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('removed', rampart.remove_policy('rampart', type, rule)) $$;
COMMENT ON FUNCTION rampart_auth.remove_rule(text, text[]) IS 'Removes a rule.';

CREATE FUNCTION rampart_auth.explain_decision(role text, resource text, action text, whose text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart.enforce_explain('rampart', role, resource, action, whose) $$;
COMMENT ON FUNCTION rampart_auth.explain_decision(text, text, text, text) IS 'What a role is answered and why.';

CREATE FUNCTION rampart_auth.check_permission(resource text, action text) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN jsonb_build_object('allowed', rampart.allowed(resource, action),
                              'allowed_own', rampart.allowed(resource, action, rampart.org(), rampart.subject()));
END
$$;
COMMENT ON FUNCTION rampart_auth.check_permission(text, text) IS 'Whether the caller may do that here: to every row, to their own.';

GRANT EXECUTE ON FUNCTION rampart_auth.policy_map, rampart_auth.add_rule, rampart_auth.remove_rule, rampart_auth.explain_decision,
    rampart_auth.check_permission TO rampartd;
