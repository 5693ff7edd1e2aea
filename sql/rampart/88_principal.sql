-- Whom a transaction works for: set by a token that is verified here, or by a role whose word is taken; read by
-- policies. extension/pg/principal holds it.

CREATE FUNCTION rampart.assume_principal(claims jsonb) RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_assume_principal' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.assume_principal(jsonb) IS
'Makes this transaction work for whom these claims say, without a token: {"sub": "ada", "org": "acme", "roles": ["EDITOR"], "teams": [], "scopes": [], "api_key": false}; sub is required. Ends with the transaction, and with a savepoint it was set under. Grant it to roles whose word is to be taken: GRANT EXECUTE ON FUNCTION rampart.assume_principal TO app. Of no effect outside of a transaction block. Errors: 22023, 54000 for more than 16 kB.';

CREATE FUNCTION rampart.reset_principal() RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_reset_principal' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION rampart.reset_principal() IS 'From here to the end of the transaction it works for nobody.';

CREATE FUNCTION rampart.principal() RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rampart_principal' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.principal() IS
'The claims of whom this transaction works for: sub, org, roles, teams, scopes, api_key, and of a token iss, jti, sid, exp. NULL: nobody.';

CREATE FUNCTION rampart.subject() RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_subject' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.subject() IS 'Whom this transaction works for; NULL: nobody.';

CREATE FUNCTION rampart.org() RETURNS text
    AS 'MODULE_PATHNAME', 'rampart_org' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rampart.org() IS
'The organisation that this transaction works in, for policies: USING (org_id = (SELECT rampart.org())). NULL: none.';
