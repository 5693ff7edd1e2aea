-- Decisions by access models. Compiled once a session, anew after a change that has committed or is this
-- transaction's own, also in REPEATABLE READ: a right that was taken away is gone.

CREATE FUNCTION rampart.enforce(model text, VARIADIC request text[]) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_enforce' LANGUAGE C STABLE PARALLEL SAFE STRICT COST 10;
COMMENT ON FUNCTION rampart.enforce(text, text[]) IS
'Whether a model allows a request, whose values are those that its request definition names: rampart.enforce(''app'', ''alice'', ''document'', ''update''). A NULL among them: not allowed. Errors: RMP05 for a request of another shape, RMP04 for one of more than 1 MiB, RMP03 for a matcher that cannot be evaluated, RMP06.';

CREATE FUNCTION rampart.enforce(model text, request jsonb, matcher text DEFAULT 'm') RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_enforce_json' LANGUAGE C STABLE PARALLEL SAFE STRICT COST 30;
COMMENT ON FUNCTION rampart.enforce(text, jsonb, text) IS
'The same of values with attributes: an array, or an object by the names of the request definition: ''{"sub": {"name": "alice", "Age": 30}, "obj": "data1", "act": "read"}''. matcher: that of several which decides (m2), with the effect (e2) and the request definition (r2) of its number. Errors: RMP03, RMP04, RMP05, RMP06.';

CREATE FUNCTION rampart.enforce_explain(model text, VARIADIC request text[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rampart_explain' LANGUAGE C STABLE STRICT COST 1000;
COMMENT ON FUNCTION rampart.enforce_explain(text, text[]) IS
'The decision with its reasons: allowed, the rule that decided, all that matched (32 at most) with the path of roles to each; for a denial that no rule made the one that came closest, and what it lacked. Takes time in proportion to the rules. Errors: as rampart.enforce.';

CREATE FUNCTION rampart.enforce_explain(model text, request jsonb, matcher text DEFAULT 'm') RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rampart_explain_json' LANGUAGE C STABLE STRICT COST 1000;
COMMENT ON FUNCTION rampart.enforce_explain(text, jsonb, text) IS 'The same of values with attributes: see rampart.enforce(text, jsonb, text).';

CREATE FUNCTION rampart.permitted(model text, subject text, domain text DEFAULT NULL) RETURNS SETOF text[]
    AS 'MODULE_PATHNAME', 'rampart_permitted' LANGUAGE C STABLE COST 1000;
COMMENT ON FUNCTION rampart.permitted(text, text, text) IS
'The rules of a subject and of all its roles, in a domain where the model has domains. Errors: RMP06, 22023.';

CREATE FUNCTION rampart.subjects_permitted(model text, VARIADIC permission text[]) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'rampart_subjects_permitted' LANGUAGE C STABLE STRICT COST 1000;
COMMENT ON FUNCTION rampart.subjects_permitted(text, text[]) IS
'Subjects, no roles, that a request without its first value is allowed of. Errors: as rampart.enforce.';

CREATE FUNCTION rampart.roles_of(model text, member text, domain text DEFAULT NULL) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'rampart_roles_of' LANGUAGE C STABLE COST 1000;
COMMENT ON FUNCTION rampart.roles_of(text, text, text) IS 'All roles of a member, nearest first. Errors: RMP06, 22023.';

CREATE FUNCTION rampart.members_of(model text, role text, domain text DEFAULT NULL) RETURNS SETOF text
    AS 'MODULE_PATHNAME', 'rampart_members_of' LANGUAGE C STABLE COST 1000;
COMMENT ON FUNCTION rampart.members_of(text, text, text) IS 'All members of a role, nearest first. Errors: RMP06, 22023.';
