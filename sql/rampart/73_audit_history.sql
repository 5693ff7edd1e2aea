-- Reading the log.

CREATE FUNCTION rampart.reveal_entry(value jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'rampart_reveal_entry' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rampart.reveal_entry(jsonb) IS
'The same value with its armour decrypted where you may: rampart.reveal_entry(new). Numbers, booleans and jsonb come as such, everything else as strings. What you may not decrypt stays armour. Right: decrypt.';

CREATE FUNCTION rampart.row_history_for(caller oid, relation regclass, key jsonb)
RETURNS TABLE (id int8, at timestamptz, xid xid8, actor text, role name, session_role name, operation text, column_name text,
               old_value jsonb, new_value jsonb)
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- Where an UPDATE changed the key, what was before it is under the key before. An entry that the caller
    -- does not see is not followed either.
    WITH RECURSIVE sight AS (
        SELECT rampart.readable_orgs_for(caller) AS orgs
    ), trail AS (
        SELECT l.id, l.class, l.key, l.old, l.operation FROM rampart.audit_log l
        WHERE l.key = row_history_for.key AND (l.relation_id = row_history_for.relation OR l.relation = row_history_for.relation::text)
          AND rampart.covers((SELECT orgs FROM sight), l.org)
        UNION
        SELECT l.id, l.class, l.key, l.old, l.operation
        FROM trail t
        CROSS JOIN LATERAL (SELECT t.key || jsonb_object_agg(k.key, t.old -> k.key) AS key
                            FROM jsonb_object_keys(t.key) k (key) WHERE t.old ? k.key) before
        JOIN rampart.audit_log l ON l.key = before.key AND l.id < t.id
             AND (l.relation_id = row_history_for.relation OR l.relation = row_history_for.relation::text)
             AND rampart.covers((SELECT orgs FROM sight), l.org)
        WHERE t.operation = 'UPDATE' AND before.key IS NOT NULL
    )
    SELECT l.id, l.at, l.xid, l.actor, l.role, l.session_role, l.operation, c.name, l.old -> c.name, l.new -> c.name
    FROM trail t JOIN rampart.audit_log l ON l.id = t.id AND l.class = t.class
    CROSS JOIN LATERAL (SELECT jsonb_object_keys(coalesce(l.old, '{}'::jsonb))
                        UNION SELECT jsonb_object_keys(coalesce(l.new, '{}'::jsonb))) c (name)
    ORDER BY l.id, c.name;
END;
COMMENT ON FUNCTION rampart.row_history_for(oid, regclass, jsonb) IS 'row_history, for a role.';

CREATE FUNCTION rampart.row_history(relation regclass, key jsonb)
RETURNS TABLE (id int8, at timestamptz, xid xid8, actor text, role name, session_role name, operation text, column_name text,
               old_value jsonb, new_value jsonb)
    AS 'MODULE_PATHNAME', 'rampart_on_behalf' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION rampart.row_history(regclass, jsonb) IS
'Who changed what in a row, when, from what to what, in order, a line a column: rampart.row_history(''public.users'', ''{"id": 1}''). The key is the row''s present one, or its last. Encrypted values are armour: rampart.reveal_entry(new_value). Of the entries that you may read: rampart.grant_audit.';
