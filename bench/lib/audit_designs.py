"""The audited tables that are measured: without audit, with Rampart's, and with two well-known designs in plain SQL.

supa_audit (Supabase): one generic table, a PL/pgSQL trigger that stores to_jsonb of the old and the new row, a record
id that is a UUID over the primary key's columns looked up in the catalog, indexes on it, on the time and the table.
audit-trigger (2ndQuadrant): hstore there, jsonb here; client and session columns, changed fields by difference.
pgaudit: no row values and no table, but a line of the server's log for each statement; so only beside single-row statements.
"""

SUPA = """
CREATE SCHEMA supa;
CREATE TYPE supa.operation AS ENUM ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE');
CREATE TABLE supa.record_version (
    id bigserial PRIMARY KEY, record_id uuid, old_record_id uuid, op supa.operation NOT NULL, ts timestamptz NOT NULL DEFAULT now(),
    table_oid oid NOT NULL, table_schema name NOT NULL, table_name name NOT NULL, record jsonb, old_record jsonb);
CREATE INDEX ON supa.record_version (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX ON supa.record_version (old_record_id) WHERE old_record_id IS NOT NULL;
CREATE INDEX ON supa.record_version USING brin (ts);
CREATE INDEX ON supa.record_version (table_oid);
CREATE FUNCTION supa.primary_key_columns(entity_oid oid) RETURNS text[] STABLE SECURITY DEFINER SET search_path = '' LANGUAGE sql AS $$
    SELECT coalesce(array_agg(pa.attname::text ORDER BY pa.attnum), '{}'::text[])
    FROM pg_index pi JOIN pg_attribute pa ON pi.indrelid = pa.attrelid AND pa.attnum = ANY (pi.indkey)
    WHERE indrelid = $1 AND indisprimary $$;
CREATE FUNCTION supa.to_record_id(entity_oid oid, pkey_cols text[], rec jsonb) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT CASE WHEN rec IS NULL THEN NULL WHEN pkey_cols = '{}' THEN gen_random_uuid()
    ELSE (SELECT md5((jsonb_build_array(to_jsonb($1)) || jsonb_agg($3 ->> key_))::text)::uuid FROM unnest($2) x (key_)) END $$;
CREATE FUNCTION supa.insert_update_delete_trigger() RETURNS trigger SECURITY DEFINER SET search_path = '' LANGUAGE plpgsql AS $$
DECLARE
    pkey_cols text[] = supa.primary_key_columns(TG_RELID);
    record_jsonb jsonb = to_jsonb(new);
    record_id uuid = supa.to_record_id(TG_RELID, pkey_cols, record_jsonb);
    old_record_jsonb jsonb = to_jsonb(old);
    old_record_id uuid = supa.to_record_id(TG_RELID, pkey_cols, old_record_jsonb);
BEGIN
    INSERT INTO supa.record_version (record_id, old_record_id, op, table_oid, table_schema, table_name, record, old_record)
    SELECT record_id, old_record_id, TG_OP::supa.operation, TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME, record_jsonb, old_record_jsonb;
    RETURN coalesce(new, old);
END $$;
"""
TRIGGER = """
CREATE SCHEMA classic;
CREATE TABLE classic.logged_actions (
    event_id bigserial PRIMARY KEY, schema_name text NOT NULL, table_name text NOT NULL, relid oid NOT NULL, session_user_name text,
    action_tstamp_tx timestamptz NOT NULL, action_tstamp_stm timestamptz NOT NULL, action_tstamp_clk timestamptz NOT NULL,
    transaction_id bigint, application_name text, client_addr inet, client_port integer, client_query text, action text NOT NULL,
    row_data jsonb, changed_fields jsonb, statement_only boolean NOT NULL);
CREATE INDEX ON classic.logged_actions (relid);
CREATE INDEX ON classic.logged_actions (action_tstamp_stm);
CREATE INDEX ON classic.logged_actions (action);
CREATE FUNCTION classic.if_modified_func() RETURNS trigger SECURITY DEFINER SET search_path = pg_catalog, public LANGUAGE plpgsql AS $$
DECLARE
    audit_row classic.logged_actions;
BEGIN
    audit_row = ROW(nextval('classic.logged_actions_event_id_seq'), TG_TABLE_SCHEMA::text, TG_TABLE_NAME::text, TG_RELID, session_user::text,
                    current_timestamp, statement_timestamp(), clock_timestamp(), txid_current(), current_setting('application_name'),
                    inet_client_addr(), inet_client_port(), NULL, substring(TG_OP, 1, 1), NULL, NULL, false);
    IF TG_OP = 'UPDATE' THEN
        audit_row.row_data = to_jsonb(old);
        audit_row.changed_fields = (SELECT jsonb_object_agg(n.key, n.value) FROM jsonb_each(to_jsonb(new)) n
                                    WHERE audit_row.row_data -> n.key IS DISTINCT FROM n.value);
        IF audit_row.changed_fields IS NULL THEN
            RETURN NULL;
        END IF;
    ELSE
        audit_row.row_data = to_jsonb(coalesce(new, old));
    END IF;
    INSERT INTO classic.logged_actions VALUES (audit_row.*);
    RETURN NULL;
END $$;
"""
COLUMNS = "id bigint PRIMARY KEY, name text, amount numeric, state text, at timestamptz DEFAULT now()"
ROW = "'name ' || i, i * 1.5, 'open', '2026-01-01'"
# Table -> how it is audited.
DESIGNS = {
    "none": "",
    "rampart": "SELECT rampart.audit_table('rampart_t')",
    "audit_trigger": "CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON audit_trigger_t FOR EACH ROW EXECUTE FUNCTION classic.if_modified_func()",
    "supa_audit": "CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON supa_audit_t FOR EACH ROW EXECUTE FUNCTION supa.insert_update_delete_trigger()",
}
ROW_DESIGNS = list(DESIGNS)
DESIGNS["pgaudit"] = ""
# Of the sessions that write.
OPTIONS = {"pgaudit": "-c pgaudit.log=write -c pgaudit.log_parameter=on"}


def set_up(session):
    session.execute("CREATE EXTENSION rampart;" + SUPA + TRIGGER)
    for name, audit in DESIGNS.items():
        session.execute(f"CREATE TABLE {name}_t ({COLUMNS}); CREATE SEQUENCE {name}_s CACHE 1000; {audit}")
