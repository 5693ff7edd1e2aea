-- Auditing a table: who changed what, from what, to what. tests/audit has what this story leaves out.
CREATE SCHEMA ward;
SET search_path = ward, public;
\pset null NULL
CREATE ROLE nurse;
GRANT USAGE ON SCHEMA ward TO nurse;
SELECT rampart.create_scope('records');
SELECT rampart.grant_scope('records', 'nurse');
CREATE TABLE patients (id int PRIMARY KEY, name text, diagnosis enc_text(records), pin text, seen int);
GRANT ALL ON patients TO nurse;
SELECT rampart.audit_table('patients', exclude => '{seen}', redact => '{pin}');
TABLE rampart.audited_tables \gset audited_
\echo :audited_relation :audited_partitions :audited_active :audited_exclude :audited_redact

-- The application says whom it works for, if it was granted to.
SET ROLE nurse;
SELECT rampart.set_context('ada');
RESET ROLE;
GRANT EXECUTE ON FUNCTION rampart.set_context TO nurse;
SET ROLE nurse;
BEGIN;
SELECT rampart.set_context(actor => 'ada', org => 'north', ip => '192.0.2.7', user_agent => 'ward/1.0', request_id => 'r-1');
INSERT INTO patients VALUES (1, 'Byron', 'fever', '1234', 0);
UPDATE patients SET diagnosis = 'cold', pin = '9999', seen = 1;
COMMIT;
UPDATE patients SET seen = 2;
UPDATE patients SET id = 2;
DELETE FROM patients;
INSERT INTO patients VALUES (3);
TRUNCATE patients;
RESET ROLE;

-- Ciphertext in the log, and who, when, for whom.
SELECT event, severity, relation, operation, key, seen(old::text) AS old, seen(new::text) AS new
FROM rampart.audit_log WHERE relation = 'ward.patients' ORDER BY id;
SELECT operation, actor, org, ip, user_agent, request_id, role, session_role = session_user AS logged_in
FROM rampart.audit_log WHERE relation = 'ward.patients' ORDER BY id;

-- The history of a row, through its change of key; plaintext where the reader may decrypt.
SELECT operation, actor, column_name, seen(old_value::text) AS old, seen(new_value::text) AS new
FROM rampart.row_history('patients', '{"id": 2}');
SELECT rampart.grant_audit('nurse');
SET ROLE nurse;
SELECT operation, column_name, rampart.reveal_entry(old_value) AS old, rampart.reveal_entry(new_value) AS new
FROM rampart.row_history('patients', '{"id": 2}') WHERE column_name = 'diagnosis';

-- A reader sees the entries of his organisations.
RESET ROLE;
SELECT rampart.grant_audit('nurse', '{north}');
SET ROLE nurse;
SELECT operation, org FROM rampart.audit_log WHERE class = 'normal' ORDER BY id;

-- Nobody changes the log, and whoever cuts off a trigger leaves an entry.
RESET ROLE;
\set SHOW_CONTEXT never
DELETE FROM rampart.audit_log;
\echo :SQLSTATE
TRUNCATE rampart.audit_log;
\echo :SQLSTATE
ALTER TABLE patients RENAME pin TO secret;
\echo :SQLSTATE
SELECT rampart.audit_table('pg_class');
\echo :SQLSTATE
SELECT rampart.unaudit_table('pg_class');
\echo :SQLSTATE
ALTER TABLE patients DISABLE TRIGGER rampart_audit_row;
SELECT rampart.unaudit_table('patients');
INSERT INTO patients VALUES (4);
SELECT event, class, severity, relation, metadata FROM rampart.audit_log WHERE class = 'security' AND relation = 'ward.patients' ORDER BY id;
DROP SCHEMA ward CASCADE;
