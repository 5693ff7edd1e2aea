-- Row-level security by the principal, made so that indexes are used: what does not depend on the row is a subquery,
-- evaluated once.

CREATE FUNCTION rampart.type_of_column(relation regclass, column_name name) RETURNS regtype
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_type regtype;
BEGIN
    SELECT a.atttypid INTO found_type FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % has no column %', relation, quote_ident(column_name) USING ERRCODE = '42703';
    END IF;
    RETURN found_type;
END
$$;
COMMENT ON FUNCTION rampart.type_of_column(regclass, name) IS 'The type of a table''s column. Errors: 42703.';

CREATE FUNCTION rampart.row_condition(relation regclass, resource text, action text, org_column name, owner_column name) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    in_org CONSTANT text := format('%I = (SELECT rampart.org())::%s', org_column, rampart.type_of_column(relation, org_column));
    to_all CONSTANT text := format('(SELECT rampart.allowed(%L, %L))', resource, action);
BEGIN
    IF owner_column IS NULL THEN
        RETURN format('%s AND %s', in_org, to_all);
    END IF;
    RETURN format('%s AND (%s OR %I = (SELECT rampart.subject())::%s AND (SELECT rampart.allowed(%L, %L, rampart.org(), rampart.subject())))',
                  in_org, to_all, owner_column, rampart.type_of_column(relation, owner_column), resource, action);
END
$$;
COMMENT ON FUNCTION rampart.row_condition(regclass, text, text, name, name) IS 'What a row must be for the principal to do that to it. Errors: 42703.';

CREATE FUNCTION rampart.policy_report(relation regclass, org_column name) RETURNS TABLE (problem text, object text, detail text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'no index', format('%s (%I)', relation, org_column), 'Every query reads the rows of all organisations.'
    WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                      WHERE i.indrelid = relation AND a.attname = org_column AND i.indisvalid AND i.indpred IS NULL)
    UNION ALL
    -- An operator that might show a value of a hidden row, in an error say, is evaluated after the policy.
    SELECT DISTINCT 'operator is not leakproof', i.indexrelid::regclass::text, format('Operator %s is kept from the index for who is subject to the policies.', o.oid::regoperator)
    FROM pg_index i
    JOIN pg_opclass c ON c.oid = i.indclass[0]
    JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype
    JOIN pg_operator o ON o.oid = m.amopopr
    JOIN pg_proc p ON p.oid = o.oprcode
    WHERE i.indrelid = relation AND NOT p.proleakproof AND (m.amoprighttype = c.opcintype OR c.opcmethod <> 403)
    ORDER BY 1, 2, 3;
END;
COMMENT ON FUNCTION rampart.policy_report(regclass, name) IS
'What makes row-level security slow on a table: no index on the organisation, and operators that it keeps from the table''s indexes.';

CREATE FUNCTION rampart.policy_for(relation regclass, resource text, org_column name, owner_column name DEFAULT NULL, platform bool DEFAULT false)
RETURNS TABLE (problem text, object text, detail text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
    action text;
    condition text;
BEGIN
    IF num_nulls(relation, resource, org_column, platform) > 0 OR resource = '' THEN
        RAISE EXCEPTION 'policies need a table, a resource and the column of the organisation' USING ERRCODE = '22023';
    END IF;
    FOR command, action IN VALUES ('SELECT', 'read'), ('INSERT', 'create'), ('UPDATE', 'update'), ('DELETE', 'delete') LOOP
        condition := rampart.row_condition(relation, resource, action, org_column, owner_column);
        IF command = 'INSERT' AND owner_column IS NULL THEN
            -- Who may create at all, creates what is its own.
            condition := format('%I = (SELECT rampart.org())::%s AND (SELECT rampart.allowed(%L, %L, rampart.org(), rampart.subject()))',
                                org_column, rampart.type_of_column(relation, org_column), resource, action);
        END IF;
        IF platform THEN
            condition := format('(%s) OR (SELECT rampart.allowed(%L, %L, NULL::text))', condition, resource, action);
        END IF;
        IF EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = relation AND p.polname = 'rampart_' || action) THEN
            EXECUTE format('DROP POLICY %I ON %s', 'rampart_' || action, relation);
        END IF;
        EXECUTE format('CREATE POLICY %I ON %s FOR %s %s (%s)', 'rampart_' || action, relation, command,
                       CASE command WHEN 'INSERT' THEN 'WITH CHECK' ELSE 'USING' END, condition);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    RETURN QUERY SELECT r.problem, r.object, r.detail FROM rampart.policy_report(relation, org_column) r;
END
$$;
COMMENT ON FUNCTION rampart.policy_for(regclass, text, name, name, bool) IS
'Makes row-level security for a table, also for its owner: the principal''s organisation, and what its roles may read, create, update and delete there, of all rows or of those whose owner it is: SELECT * FROM rampart.policy_for(''documents'', ''document'', ''org_id'', ''created_by''). platform: SUPER_ADMIN sees every organisation, at the price of the index. Called again, it makes them anew. Returns what rampart.policy_report finds. To be called by the table''s owner. Errors: 22023, 42703, 42501.';
