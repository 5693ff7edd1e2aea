-- The roles that applications have in common, as a model and rules to begin with: SUPER_ADMIN > OWNER > ADMIN >
-- MEMBER > VIEWER, and API for keys. Change them like any other: rampart.add_policy('rampart', ...).

CREATE FUNCTION rampart.load_roles() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.load_model('rampart', '[request_definition]
r = role, resource, action, whose

[policy_definition]
p = role, resource, action, whose

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = g(r.role, p.role) && (r.resource == p.resource || p.resource == "*" && !(r.resource in ("settings", "billing", "users", "audit_log", "platform"))) && (r.action == p.action || p.action == "*") && (r.whose == p.whose || p.whose == "all")
');
    PERFORM rampart.import_policy('rampart', '# Each has what the next one has.
g, SUPER_ADMIN, OWNER
g, OWNER, ADMIN
g, ADMIN, MEMBER
g, MEMBER, VIEWER

# whose: "all" rows of the organisation, or the subject''s "own". "*" is every resource but settings, billing, users,
# audit_log and platform, which are only whose rules name them.
p, SUPER_ADMIN, *, *, all
p, SUPER_ADMIN, platform, *, all
p, OWNER, settings, *, all
p, OWNER, billing, *, all
p, ADMIN, users, *, all
p, ADMIN, audit_log, read, all
p, ADMIN, *, read, all
p, ADMIN, *, update, all
p, ADMIN, *, delete, all
p, ADMIN, *, export, all
p, ADMIN, audit_log, view, all
p, MEMBER, *, create, own
p, MEMBER, *, update, own
p, VIEWER, *, read, own
p, API, *, create, own
p, API, *, read, own
p, API, *, update, own
');
END
$$;
COMMENT ON FUNCTION rampart.load_roles() IS
'Loads the model "rampart", which rampart.allowed decides by, with rules to begin with; rules that were added stay. A team is the role team:name: rampart.add_policy(''rampart'', ''g'', ''{team:billing,ADMIN}'').';

CREATE FUNCTION rampart.allowed(resource text, action text) RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_allowed' LANGUAGE C STABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION rampart.allowed(text, text) IS
'Whether the principal may do that to every row of its organisation: allowed(''document'', ''read''). Not by a role that may only do it to its own rows. False where no principal was set. Errors: RMP06 before rampart.load_roles.';

CREATE FUNCTION rampart.allowed(resource text, action text, org "any") RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_allowed' LANGUAGE C STABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION rampart.allowed(text, text, "any") IS 'To a row of this organisation, whose owner is not known.';

CREATE FUNCTION rampart.allowed(resource text, action text, org "any", owner "any") RETURNS bool
    AS 'MODULE_PATHNAME', 'rampart_allowed' LANGUAGE C STABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION rampart.allowed(text, text, "any", "any") IS
'To a row of this organisation and owner: CREATE POLICY p ON documents USING (rampart.allowed(''document'', ''read'', org_id, created_by)). Both may be of any type; their text forms are compared. A NULL is nobody''s. rampart.policy_for makes policies that use indexes.';
