-- What a model is expected to decide, what it was, and all of it for an auditor.

CREATE FUNCTION rampart.policies_at(model text, at timestamptz) RETURNS TABLE (type text, rule text[])
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.type, s.rule
    FROM (SELECT DISTINCT ON (c.type, c.rule) c.type, c.rule, c.added, c.id
          FROM rampart.policy_change c JOIN rampart.policy_version v USING (model, version)
          WHERE c.model = policies_at.model AND v.at <= policies_at.at
          ORDER BY c.type, c.rule, c.id DESC) s
    WHERE s.added ORDER BY s.id;
END;
COMMENT ON FUNCTION rampart.policies_at(text, timestamptz) IS 'The rules that a model had at a time.';

CREATE FUNCTION rampart.try_policy(model text, request jsonb, OUT got bool, OUT problem text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    got := rampart.enforce(model, request);
EXCEPTION WHEN SQLSTATE 'RMP01' OR SQLSTATE 'RMP03' OR SQLSTATE 'RMP04' OR SQLSTATE 'RMP05' OR SQLSTATE 'RMP06' THEN
    problem := SQLERRM;
END
$$;
COMMENT ON FUNCTION rampart.try_policy(text, jsonb) IS 'What rampart.enforce says, or why it cannot.';

CREATE FUNCTION rampart.run_policy_tests(model text DEFAULT NULL)
RETURNS TABLE (model text, name text, request jsonb, expected bool, got bool, ok bool, enforced bool, problem text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.model, t.name, t.request, t.expected, d.got, d.got IS NOT DISTINCT FROM t.expected, t.enforced, d.problem
    FROM rampart.policy_test t
    CROSS JOIN LATERAL rampart.try_policy(t.model, t.request) d
    WHERE run_policy_tests.model IS NULL OR t.model = run_policy_tests.model
    ORDER BY t.model, t.name;
END;
COMMENT ON FUNCTION rampart.run_policy_tests(text) IS
'Runs the tests of a model; NULL: of all. One that cannot be decided - its request does not fit the model, say - is not ok, and problem says why.';

CREATE FUNCTION rampart.needless_policies(model text) RETURNS TABLE (type text, rule text[], covered_by text[])
    AS 'MODULE_PATHNAME', 'rampart_needless_policies' LANGUAGE C STABLE STRICT COST 1000;
COMMENT ON FUNCTION rampart.needless_policies(text) IS
'Rules that change no decision, so that all of them could be removed as long as others stay: those that another one covers, and those whose own effect does not count (covered_by is NULL). Only what ==, roles and keyMatch() prove; rules that several matchers look at are passed over. Errors: RMP06.';

CREATE FUNCTION rampart.policy_map(model text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'model', m.name, 'definition', m.definition, 'options', m.options,
        'version', v.version, 'committed_at', v.at, 'committed_by', v.role,
        'hash', encode(rampart.policy_hash(m.name), 'hex'),
        'as_committed', v.hash IS NOT DISTINCT FROM rampart.policy_hash(m.name),
        'rules', (SELECT coalesce(jsonb_agg(jsonb_build_array(r.type) || to_jsonb(r.rule) ORDER BY r.id), '[]')
                  FROM rampart.policy_rule r WHERE r.model = m.name),
        'tests', (SELECT coalesce(jsonb_agg(to_jsonb(t) - 'model' ORDER BY t.name), '[]') FROM rampart.policy_test t WHERE t.model = m.name)
        ) ORDER BY m.name), '[]')
    FROM rampart.policy_model m
    LEFT JOIN LATERAL (SELECT w.* FROM rampart.policy_version w WHERE w.model = m.name ORDER BY w.version DESC LIMIT 1) v ON true
    WHERE policy_map.model IS NULL OR m.name = policy_map.model;
END;
COMMENT ON FUNCTION rampart.policy_map(text) IS
'Models with their rules, tests, version and hash, for auditors; NULL: all. as_committed: false where the tables were changed by other than Rampart''s functions, or by this transaction.';
