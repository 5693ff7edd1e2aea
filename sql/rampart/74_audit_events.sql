-- Types of events: what an entry's event means, how grave it is, and what security tools call it. Built-in
-- ones are rows here; users define their own. Severity, and whether a type is recorded at all, can be changed.

CREATE TABLE rampart.audit_event_type (
    name          text PRIMARY KEY CHECK (name ~ '^[a-z0-9_]+(\.[a-z0-9_]+)*$' AND length(name) <= 63),
    class         text NOT NULL CHECK (class IN ('normal', 'security')),
    severity      text NOT NULL CHECK (severity IN ('info', 'low', 'medium', 'high', 'critical')),
    ocsf_class    int4 NOT NULL DEFAULT 0,
    ocsf_activity int4 NOT NULL DEFAULT 99,
    ocsf_failure  bool NOT NULL DEFAULT false,
    ecs_category  text[] NOT NULL DEFAULT '{}',
    ecs_type      text[] NOT NULL DEFAULT '{info}',
    owasp         text,
    description   text NOT NULL,
    builtin       bool NOT NULL DEFAULT false,
    enabled       bool NOT NULL DEFAULT true,
    altered       bool NOT NULL DEFAULT false
);
COMMENT ON TABLE rampart.audit_event_type IS
'Types of events. rampart.define_event, alter_event and drop_event change it.';
COMMENT ON COLUMN rampart.audit_event_type.class IS 'The class of its entries, which decides how long they are kept.';
COMMENT ON COLUMN rampart.audit_event_type.severity IS 'info, low, medium, high or critical; for entries that are not given one.';
COMMENT ON COLUMN rampart.audit_event_type.ocsf_class IS 'Class of the Open Cybersecurity Schema Framework; 0: base event.';
COMMENT ON COLUMN rampart.audit_event_type.ocsf_activity IS 'Activity of the OCSF class; 99: another.';
COMMENT ON COLUMN rampart.audit_event_type.ocsf_failure IS 'Whether the event is that something failed or was refused.';
COMMENT ON COLUMN rampart.audit_event_type.ecs_category IS 'event.category of the Elastic Common Schema.';
COMMENT ON COLUMN rampart.audit_event_type.ecs_type IS 'event.type of the Elastic Common Schema.';
COMMENT ON COLUMN rampart.audit_event_type.owasp IS 'Name in OWASP''s logging vocabulary, where it has one.';
COMMENT ON COLUMN rampart.audit_event_type.builtin IS 'Whether it came with Rampart.';
COMMENT ON COLUMN rampart.audit_event_type.enabled IS 'Whether it is recorded.';
COMMENT ON COLUMN rampart.audit_event_type.altered IS 'Whether alter_event changed a built-in one; then a dump has it.';

INSERT INTO rampart.audit_event_type
    (name, class, severity, ocsf_class, ocsf_activity, ocsf_failure, ecs_category, ecs_type, owasp, description)
VALUES
    ('auth.login_success', 'security', 'info', 3002, 1, false, '{authentication}', '{start}', 'authn_login_success', 'A session began'),
    ('auth.login_failure', 'security', 'medium', 3002, 1, true, '{authentication}', '{start}', 'authn_login_fail', 'A login was refused'),
    ('auth.success_after_failures', 'security', 'low', 3002, 1, false, '{authentication}', '{start}', 'authn_login_successafterfail', 'A login succeeded after several had failed'),
    ('auth.brute_force', 'security', 'high', 2004, 1, false, '{intrusion_detection}', '{denied}', 'authn_login_fail_max', 'Many logins failed within a short time'),
    ('auth.lockout', 'security', 'high', 3007, 6, false, '{iam}', '{user,change}', 'authn_login_lock', 'An account was locked after failed logins'),
    ('auth.unencrypted_or_weak_method', 'security', 'medium', 3002, 1, false, '{authentication}', '{info}', NULL, 'A login over an unencrypted connection or by a weak method'),
    ('auth.superuser_login', 'security', 'high', 3002, 1, false, '{authentication}', '{start}', 'authz_admin', 'A superuser''s session began'),
    ('auth.new_source', 'security', 'medium', 2004, 1, false, '{authentication}', '{info}', 'authn_impossible_travel', 'A login from a place or device not seen before'),
    ('auth.password_change', 'security', 'low', 3007, 8, false, '{iam}', '{user,change}', 'authn_password_change', 'A password was changed'),
    ('auth.password_rejected', 'security', 'medium', 3007, 8, true, '{iam}', '{user,change}', 'authn_password_change_fail', 'A new password was refused'),
    ('session.end', 'security', 'info', 3002, 2, false, '{session}', '{end}', 'session_logout', 'A session ended'),
    ('session.role_switch', 'security', 'low', 3002, 7, false, '{session}', '{info}', 'authz_change', 'A session took on another role'),
    ('session.limit_exceeded', 'security', 'medium', 3002, 1, true, '{session}', '{start}', 'excess_sessions_exceeded', 'A session was refused because there are too many'),
    ('authz.denied', 'security', 'medium', 6005, 99, true, '{database}', '{access}', 'authz_fail', 'The server refused an access'),
    ('authz.row_policy_violation', 'security', 'high', 6005, 99, true, '{database}', '{access}', 'authz_fail', 'A row was refused by a row-level security policy'),
    ('authz.row_policy_bypassed', 'security', 'high', 6005, 1, false, '{database}', '{access}', 'authz_admin', 'Rows were read past row-level security'),
    ('authz.grant', 'security', 'medium', 3008, 4, false, '{iam}', '{change}', 'privilege_permissions_changed', 'A privilege was granted'),
    ('authz.revoke', 'security', 'medium', 3008, 5, false, '{iam}', '{change}', 'privilege_permissions_changed', 'A privilege was revoked'),
    ('authz.superuser_granted', 'security', 'critical', 3007, 14, false, '{iam}', '{admin,change}', 'authz_change', 'A role became a superuser'),
    ('authz.default_privileges_changed', 'security', 'medium', 3008, 2, false, '{iam}', '{change}', 'privilege_permissions_changed', 'Default privileges were changed'),
    ('role.created', 'security', 'medium', 3007, 1, false, '{iam}', '{user,creation}', 'user_created', 'A database role was created'),
    ('role.altered', 'security', 'medium', 3007, 2, false, '{iam}', '{user,change}', 'user_updated', 'A database role was altered'),
    ('role.dropped', 'security', 'medium', 3007, 3, false, '{iam}', '{user,deletion}', 'user_deleted', 'A database role was dropped'),
    ('role.member_added', 'security', 'medium', 3006, 3, false, '{iam}', '{group,change}', 'authz_change', 'A role became a member of another'),
    ('role.member_removed', 'security', 'low', 3006, 4, false, '{iam}', '{group,change}', 'authz_change', 'A role is no longer a member of another'),
    ('policy.created', 'security', 'medium', 3004, 1, false, '{configuration}', '{creation}', NULL, 'A row-level security policy was created'),
    ('policy.changed_or_dropped', 'security', 'high', 3004, 3, false, '{configuration}', '{change}', NULL, 'A row-level security policy was changed or dropped, or row-level security switched on or off'),
    ('policy.break_glass_used', 'security', 'critical', 3003, 1, false, '{iam}', '{admin}', 'authz_admin', 'Emergency access was used'),
    ('data.sensitive_read', 'security', 'low', 6005, 1, false, '{database}', '{access}', 'sensitive_read', 'Sensitive data were read'),
    ('data.sensitive_create', 'security', 'info', 6005, 6, false, '{database}', '{change}', 'sensitive_create', 'Sensitive data were created'),
    ('data.sensitive_update', 'security', 'low', 6005, 2, false, '{database}', '{change}', 'sensitive_update', 'Sensitive data were changed'),
    ('data.sensitive_delete', 'security', 'medium', 6005, 7, false, '{database}', '{change}', 'sensitive_delete', 'Sensitive data were deleted'),
    ('data.bulk_read', 'security', 'high', 2006, 1, false, '{database}', '{access}', NULL, 'Unusually many rows were read'),
    ('data.bulk_delete', 'security', 'high', 6005, 7, false, '{database}', '{change}', 'sensitive_delete', 'Unusually many rows were deleted'),
    ('data.truncate', 'normal', 'high', 6005, 7, false, '{database}', '{change}', 'sensitive_delete', 'An audited table was truncated'),
    ('data.export', 'security', 'medium', 6005, 1, false, '{database}', '{access}', NULL, 'COPY sent data to a client'),
    ('data.program_run', 'security', 'critical', 1007, 1, false, '{process}', '{start}', NULL, 'COPY ran a program on the server'),
    ('data.server_file_access', 'security', 'high', 1001, 14, false, '{file}', '{access}', NULL, 'COPY read or wrote a file of the server'),
    ('crypto.encrypt', 'security', 'info', 6005, 9, false, '{database}', '{change}', NULL, 'A value was encrypted'),
    ('crypto.decrypt', 'security', 'low', 6005, 10, false, '{database}', '{access}', NULL, 'A value was decrypted'),
    ('crypto.decrypt_failed', 'security', 'medium', 6005, 10, true, '{database}', '{error}', 'crypt_decrypt_fail', 'A ciphertext did not decrypt: altered, misplaced, or under another key'),
    ('crypto.encrypt_failed', 'security', 'medium', 6005, 9, true, '{database}', '{error}', 'crypt_encrypt_fail', 'A value could not be encrypted'),
    ('crypto.key_created_or_rotated', 'security', 'medium', 3004, 1, false, '{configuration}', '{change}', NULL, 'A key was created, rotated, imported or changed its state'),
    ('crypto.key_denied', 'security', 'high', 3004, 2, true, '{configuration}', '{access}', 'authz_fail', 'A role without the right asked for encryption or decryption in a scope'),
    ('crypto.key_destroyed', 'security', 'critical', 3004, 4, false, '{configuration}', '{deletion}', NULL, 'A key was destroyed, or all of a scope'),
    ('schema.object_changed', 'security', 'low', 3004, 3, false, '{database}', '{change}', NULL, 'An object was changed'),
    ('schema.definer_function_created', 'security', 'high', 3004, 1, false, '{database}', '{change}', NULL, 'A function that runs with its owner''s rights was created'),
    ('schema.extension_installed_or_removed', 'security', 'medium', 6002, 1, false, '{package}', '{installation}', NULL, 'An extension was installed or removed'),
    ('config.changed', 'security', 'high', 5019, 1, false, '{configuration}', '{change}', NULL, 'A setting was changed'),
    ('audit.disabled', 'security', 'critical', 1008, 10, false, '{configuration}', '{change}', 'sys_monitor_disabled', 'Auditing of a table was switched off'),
    ('audit.enabled', 'security', 'info', 1008, 9, false, '{configuration}', '{change}', 'sys_monitor_enabled', 'Auditing of a table was switched on'),
    ('audit.seal_late', 'security', 'medium', 2004, 1, false, '{configuration}', '{info}', NULL, 'Entries wait for their seal too long'),
    ('audit.tamper_detected', 'security', 'critical', 2004, 1, false, '{intrusion_detection}', '{info}', NULL, 'The log is not what was sealed'),
    ('audit.rollback_or_fork', 'security', 'critical', 2004, 1, false, '{intrusion_detection}', '{info}', NULL, 'The log contradicts an older checkpoint'),
    ('audit.pruned', 'security', 'low', 1008, 2, false, '{configuration}', '{deletion}', NULL, 'Old entries were removed'),
    ('audit.exported', 'security', 'low', 1008, 3, false, '{configuration}', '{access}', NULL, 'Entries were exported'),
    ('audit.queue_overflow', 'security', 'high', 1008, 99, false, '{configuration}', '{info}', 'sys_monitor_disabled', 'Events were lost because the queue was full; metadata say how many'),
    ('sys.started_or_stopped', 'security', 'low', 6002, 3, false, '{database}', '{info}', 'sys_startup, sys_shutdown', 'The server started or stopped'),
    ('sys.crash_recovered', 'security', 'medium', 6002, 5, false, '{database}', '{error}', 'sys_crash', 'The server ended without a shutdown; events of the last moments may be missing'),
    ('replication.slot_or_stream_opened', 'security', 'medium', 6005, 3, false, '{database}', '{access}', NULL, 'A replication slot or stream was opened'),
    ('abuse.injection_pattern', 'security', 'critical', 2004, 1, false, '{intrusion_detection}', '{info}', 'malicious_sqli', 'Input looks like SQL injection; a heuristic'),
    ('abuse.rate_limit', 'security', 'medium', 2004, 1, false, '{intrusion_detection}', '{denied}', 'excess_rate_limit_exceeded', 'A rate limit was exceeded'),
    ('input.validation_failed', 'security', 'low', 6005, 99, true, '{database}', '{error}', 'input_validation_fail', 'Input was refused'),
    ('data.insert', 'normal', 'info', 6005, 6, false, '{database}', '{change}', NULL, 'An audited row was inserted'),
    ('data.update', 'normal', 'info', 6005, 2, false, '{database}', '{change}', NULL, 'An audited row was updated'),
    ('data.delete', 'normal', 'info', 6005, 7, false, '{database}', '{change}', NULL, 'An audited row was deleted'),
    ('audit.continued', 'security', 'high', 1008, 99, false, '{configuration}', '{info}', NULL, 'The log goes on elsewhere: a restored dump, a recovery, a promoted standby'),
    ('audit.retention_changed', 'security', 'medium', 1008, 3, false, '{configuration}', '{change}', NULL, 'How long entries are kept was changed'),
    ('audit.held', 'security', 'medium', 1008, 3, false, '{configuration}', '{change}', NULL, 'A legal hold was set'),
    ('audit.released', 'security', 'high', 1008, 3, false, '{configuration}', '{change}', NULL, 'A legal hold was released'),
    ('audit.erased', 'security', 'high', 1008, 2, false, '{configuration}', '{deletion}', NULL, 'The payload of an entry was erased'),
    ('alert.rule_changed', 'security', 'high', 5019, 1, false, '{configuration}', '{change}', NULL, 'An alert rule was created, changed or dropped'),
    ('alert.late', 'security', 'high', 2004, 99, false, '{intrusion_detection}', '{info}', NULL, 'Alert rules could not be evaluated'),
    ('alert.acknowledged', 'security', 'low', 2004, 2, false, '{intrusion_detection}', '{info}', NULL, 'An alert was acknowledged'),
    ('alert.resolved', 'security', 'low', 2004, 3, false, '{intrusion_detection}', '{info}', NULL, 'An alert was resolved'),
    ('auth.logout', 'security', 'info', 3002, 2, false, '{authentication}', '{end}', 'session_logout', 'A user logged out'),
    ('auth.mfa_enabled', 'security', 'low', 3007, 2, false, '{iam}', '{user,change}', 'authn_change_mfa', 'A second factor was enrolled'),
    ('auth.mfa_disabled', 'security', 'high', 3007, 2, false, '{iam}', '{user,change}', 'authn_change_mfa', 'A second factor was removed'),
    ('auth.mfa_success', 'security', 'info', 3002, 1, false, '{authentication}', '{start}', NULL, 'A second factor was confirmed'),
    ('auth.mfa_failed', 'security', 'medium', 3002, 1, true, '{authentication}', '{start}', 'authn_login_fail', 'A second factor was refused'),
    ('auth.recovery_code_used', 'security', 'high', 3002, 1, false, '{authentication}', '{start}', NULL, 'A recovery code stood in for a second factor'),
    ('auth.password_reset_requested', 'security', 'low', 3007, 7, false, '{iam}', '{user,change}', NULL, 'A password reset was asked for'),
    ('auth.password_reset', 'security', 'medium', 3007, 7, false, '{iam}', '{user,change}', 'authn_password_change', 'A password was reset'),
    ('auth.token_created', 'security', 'info', 3002, 3, false, '{authentication}', '{info}', 'authn_token_created', 'A token was issued'),
    ('auth.token_revoked', 'security', 'info', 3002, 99, false, '{authentication}', '{info}', 'authn_token_revoked', 'A token was revoked'),
    ('auth.token_reused', 'security', 'critical', 2004, 1, false, '{intrusion_detection}', '{denied}', 'authn_token_reuse', 'A token that had been exchanged or revoked was presented again'),
    ('auth.identity_linked', 'security', 'medium', 3007, 2, false, '{iam}', '{user,change}', NULL, 'An external identity was linked to an account'),
    ('auth.identity_unlinked', 'security', 'medium', 3007, 2, false, '{iam}', '{user,change}', NULL, 'An external identity was unlinked from an account'),
    ('auth.impersonation_started', 'security', 'high', 3002, 7, false, '{authentication}', '{start}', 'authz_admin', 'An administrator began to act as another user'),
    ('auth.impersonation_ended', 'security', 'medium', 3002, 7, false, '{authentication}', '{end}', 'authz_admin', 'An administrator ceased to act as another user'),
    ('user.created', 'security', 'low', 3007, 1, false, '{iam}', '{user,creation}', 'user_created', 'A user was created'),
    ('user.updated', 'security', 'low', 3007, 2, false, '{iam}', '{user,change}', 'user_updated', 'A user was changed'),
    ('user.deleted', 'security', 'medium', 3007, 3, false, '{iam}', '{user,deletion}', 'user_deleted', 'A user was deleted'),
    ('user.disabled', 'security', 'medium', 3007, 5, false, '{iam}', '{user,change}', 'user_archived', 'A user was disabled'),
    ('user.enabled', 'security', 'low', 3007, 4, false, '{iam}', '{user,change}', NULL, 'A user was enabled again'),
    ('user.unlocked', 'security', 'low', 3007, 99, false, '{iam}', '{user,change}', NULL, 'A locked user was let in again'),
    ('user.invited', 'security', 'info', 3007, 99, false, '{iam}', '{user,info}', NULL, 'A user was invited'),
    ('user.email_changed', 'security', 'medium', 3007, 2, false, '{iam}', '{user,change}', 'user_updated', 'A user''s address was changed'),
    ('org.created', 'security', 'low', 3006, 1, false, '{iam}', '{group,creation}', NULL, 'An organisation was created'),
    ('org.updated', 'security', 'low', 3006, 2, false, '{iam}', '{group,change}', NULL, 'An organisation was changed'),
    ('org.deleted', 'security', 'high', 3006, 5, false, '{iam}', '{group,deletion}', NULL, 'An organisation was deleted'),
    ('org.member_added', 'security', 'low', 3006, 3, false, '{iam}', '{group,change}', 'authz_change', 'A user became a member of an organisation'),
    ('org.member_removed', 'security', 'low', 3006, 4, false, '{iam}', '{group,change}', 'authz_change', 'A user is no longer a member of an organisation'),
    ('org.member_role_changed', 'security', 'medium', 3006, 2, false, '{iam}', '{group,change}', 'authz_change', 'A member has another role in an organisation'),
    ('apikey.created', 'security', 'medium', 3007, 99, false, '{iam}', '{creation}', 'authn_token_created', 'An API key was created'),
    ('apikey.rotated', 'security', 'low', 3007, 99, false, '{iam}', '{change}', NULL, 'An API key was replaced'),
    ('apikey.revoked', 'security', 'low', 3007, 99, false, '{iam}', '{deletion}', 'authn_token_revoked', 'An API key was revoked'),
    ('apikey.refused', 'security', 'medium', 3002, 1, true, '{authentication}', '{denied}', 'authn_login_fail', 'An API key that is not valid was presented'),
    ('session.created', 'security', 'info', 3002, 1, false, '{session}', '{start}', 'session_created', 'An application''s session began'),
    ('session.renewed', 'security', 'info', 3002, 99, false, '{session}', '{info}', 'session_renewed', 'An application''s session was prolonged'),
    ('session.expired', 'security', 'info', 3002, 2, false, '{session}', '{end}', 'session_expired', 'An application''s session expired'),
    ('session.revoked', 'security', 'medium', 3002, 2, false, '{session}', '{end}', NULL, 'An application''s session was ended by somebody'),
    ('token.key_added', 'security', 'high', 3004, 1, false, '{configuration}', '{creation}', NULL, 'A key was added that access tokens are verified with'),
    ('token.key_removed', 'security', 'high', 3004, 4, false, '{configuration}', '{deletion}', NULL, 'A key that access tokens were verified with was removed'),
    ('token.revoked', 'security', 'medium', 3002, 99, false, '{authentication}', '{info}', 'authn_token_revoked', 'An access token was revoked'),
    ('token.refused', 'security', 'medium', 3002, 1, true, '{authentication}', '{denied}', 'authn_login_fail', 'An access token was refused: not signed by a known key, expired, revoked, or meant for somebody else'),
    ('policy.changed', 'security', 'medium', 3004, 3, false, '{configuration}', '{change}', NULL, 'An access policy was changed'),
    ('policy.model_loaded', 'security', 'medium', 3004, 3, false, '{configuration}', '{change}', NULL, 'An access model was loaded or replaced'),
    ('policy.model_dropped', 'security', 'high', 3004, 4, false, '{configuration}', '{deletion}', NULL, 'An access model was dropped, with its rules'),
    ('policy.denied', 'security', 'medium', 6005, 99, true, '{database}', '{denied}', 'authz_fail', 'An access policy refused a request'),
    ('scope.created', 'security', 'low', 3004, 1, false, '{configuration}', '{creation}', NULL, 'An encryption scope was created or imported'),
    ('scope.altered', 'security', 'medium', 3004, 3, false, '{configuration}', '{change}', NULL, 'An encryption scope was altered'),
    ('scope.dropped', 'security', 'high', 3004, 4, false, '{configuration}', '{deletion}', NULL, 'An encryption scope was dropped'),
    ('scope.granted', 'security', 'medium', 3008, 4, false, '{iam}', '{change}', 'privilege_permissions_changed', 'A role was granted rights in a scope'),
    ('scope.revoked', 'security', 'medium', 3008, 5, false, '{iam}', '{change}', 'privilege_permissions_changed', 'A role lost rights in a scope'),
    ('crypto.root_key_changed', 'security', 'high', 3004, 3, false, '{configuration}', '{change}', NULL, 'The root key was changed'),
    ('crypto.keyring_exported', 'security', 'high', 3004, 2, false, '{configuration}', '{access}', NULL, 'Wrapped keys were exported'),
    ('crypto.key_budget_low', 'security', 'medium', 3004, 99, false, '{configuration}', '{info}', NULL, 'A key has nearly encrypted as many values as it may'),
    ('crypto.rotation_changed', 'security', 'low', 3004, 3, false, '{configuration}', '{change}', NULL, 'A rotation or conversion started, ended or changed its state'),
    ('crypto.rotation_policy_changed', 'security', 'medium', 3004, 3, false, '{configuration}', '{change}', NULL, 'When keys rotate by themselves was changed'),
    ('export.started', 'security', 'medium', 6005, 1, false, '{database}', '{access}', NULL, 'A user asked for an export of data'),
    ('export.finished', 'security', 'low', 6005, 1, false, '{database}', '{access}', NULL, 'An export of data was finished'),
    ('system.setup', 'security', 'high', 5019, 1, false, '{configuration}', '{creation}', NULL, 'The product was set up'),
    ('system.settings_changed', 'security', 'medium', 5019, 1, false, '{configuration}', '{change}', NULL, 'A setting of the product was changed'),
    ('system.reset', 'security', 'critical', 5019, 1, false, '{configuration}', '{deletion}', NULL, 'The product was reset');
UPDATE rampart.audit_event_type SET builtin = true;

SELECT pg_extension_config_dump('rampart.audit_event_type', 'WHERE altered OR NOT builtin');

-- A restore finds built-in types there already. One of a user's that has since become built-in gives way.
CREATE FUNCTION rampart.merge_event_type() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = NEW.name AND t.builtin) THEN
        UPDATE rampart.audit_event_type t SET severity = NEW.severity, enabled = NEW.enabled, altered = true
            WHERE t.name = NEW.name AND NEW.builtin;
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION rampart.merge_event_type() IS 'Trigger: restores what was altered in built-in types.';
CREATE TRIGGER merge_event_type BEFORE INSERT ON rampart.audit_event_type
    FOR EACH ROW EXECUTE FUNCTION rampart.merge_event_type();
ALTER TABLE rampart.audit_event_type ENABLE ALWAYS TRIGGER merge_event_type;

CREATE FUNCTION rampart.checked_severity(severity text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF severity IS NULL OR lower(severity) NOT IN ('info', 'low', 'medium', 'high', 'critical') THEN
        RAISE EXCEPTION 'a severity is info, low, medium, high or critical' USING ERRCODE = '22023';
    END IF;
    RETURN lower(severity);
END
$$;
COMMENT ON FUNCTION rampart.checked_severity(text) IS 'The severity in lower case. Errors: 22023.';

CREATE FUNCTION rampart.require_own_event(name text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = require_own_event.name AND t.builtin) THEN
        RAISE EXCEPTION 'event "%" is built in', name
            USING ERRCODE = 'RMA09', HINT = 'rampart.alter_event changes its severity.';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart.require_own_event(text) IS 'Errors: RMA09 for a built-in event.';

CREATE FUNCTION rampart.note_event_type(name text, change text) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT rampart.write_event('config.changed', NULL, NULL, NULL, NULL,
                               jsonb_build_object('event_type', name, 'change', change));
END;
COMMENT ON FUNCTION rampart.note_event_type(text, text) IS 'Records that a type of events was changed.';

CREATE FUNCTION rampart.define_event(name text, class text DEFAULT 'normal', severity text DEFAULT 'info',
                                     description text DEFAULT '', ocsf_class int DEFAULT 0, ocsf_activity int DEFAULT 99,
                                     ocsf_failure bool DEFAULT false, ecs_category text[] DEFAULT '{}',
                                     ecs_type text[] DEFAULT '{info}', owasp text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF name IS NULL OR name !~ '^[a-z0-9_]+(\.[a-z0-9_]+)*$' OR length(name) > 63 THEN
        RAISE EXCEPTION 'the name of an event is made of a-z, 0-9, _ and single dots, and has at most 63 characters'
            USING ERRCODE = '22023';
    ELSIF class IS NULL OR class NOT IN ('normal', 'security') THEN
        RAISE EXCEPTION 'the class of an event is normal or security' USING ERRCODE = '22023';
    END IF;
    PERFORM rampart.require_own_event(name);
    INSERT INTO rampart.audit_event_type AS t (name, class, severity, ocsf_class, ocsf_activity, ocsf_failure, ecs_category,
                                               ecs_type, owasp, description)
    VALUES (define_event.name, define_event.class, rampart.checked_severity(define_event.severity),
            coalesce(define_event.ocsf_class, 0), coalesce(define_event.ocsf_activity, 99),
            coalesce(define_event.ocsf_failure, false), coalesce(define_event.ecs_category, '{}'),
            coalesce(define_event.ecs_type, '{info}'), define_event.owasp, coalesce(define_event.description, ''))
    ON CONFLICT ON CONSTRAINT audit_event_type_pkey DO UPDATE
        SET class = excluded.class, severity = excluded.severity, ocsf_class = excluded.ocsf_class,
            ocsf_activity = excluded.ocsf_activity, ocsf_failure = excluded.ocsf_failure,
            ecs_category = excluded.ecs_category, ecs_type = excluded.ecs_type, owasp = excluded.owasp,
            description = excluded.description;
    PERFORM rampart.note_event_type(name, 'defined');
END
$$;
COMMENT ON FUNCTION rampart.define_event(text, text, text, text, int, int, bool, text[], text[], text) IS
'Defines an event of your own for rampart.log_event, or changes one: rampart.define_event(''invoice.approved'', severity => ''low''). class: normal or security; severity: info, low, medium, high or critical; the rest is what exports call it in OCSF, ECS and OWASP. Errors: 22023, RMA09 for built-in ones.';

CREATE FUNCTION rampart.alter_event(name text, severity text DEFAULT NULL, enabled bool DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Triggers write these without looking here; and what tells of gaps in the log is not to be silenced.
    IF name LIKE 'audit.%' AND NOT enabled OR name IN ('data.insert', 'data.update', 'data.delete', 'data.truncate') THEN
        RAISE EXCEPTION 'event "%" cannot be altered so', name
            USING ERRCODE = 'RMA09', HINT = 'rampart.unaudit_table ends the recording of a table''s changes.';
    END IF;
    UPDATE rampart.audit_event_type t
        SET severity = CASE WHEN alter_event.severity IS NULL THEN t.severity
                            ELSE rampart.checked_severity(alter_event.severity) END,
            enabled = coalesce(alter_event.enabled, t.enabled), altered = t.builtin
        WHERE t.name = alter_event.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'event "%" is not defined', coalesce(name, 'NULL') USING ERRCODE = 'RMA08';
    END IF;
    PERFORM rampart.note_event_type(name, CASE WHEN enabled THEN 'enabled' WHEN NOT enabled THEN 'disabled' ELSE 'severity' END);
END
$$;
COMMENT ON FUNCTION rampart.alter_event(text, text, bool) IS
'Changes the severity of an event, or whether it is recorded: rampart.alter_event(''auth.login_success'', enabled => false). NULL: as it was. Entries in the log stay as they are. Errors: RMA08, RMA09 for events about auditing itself and for row changes, 22023.';

CREATE FUNCTION rampart.drop_event(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM rampart.require_own_event(name);
    DELETE FROM rampart.audit_event_type t WHERE t.name = drop_event.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'event "%" is not defined', coalesce(name, 'NULL') USING ERRCODE = 'RMA08';
    END IF;
    PERFORM rampart.note_event_type(name, 'dropped');
END
$$;
COMMENT ON FUNCTION rampart.drop_event(text) IS
'Drops an event of your own. Its entries in the log stay. Errors: RMA08, RMA09.';

CREATE FUNCTION rampart.log_event(event text, severity text DEFAULT NULL, metadata jsonb DEFAULT NULL,
                                  transactional bool DEFAULT NULL, key jsonb DEFAULT NULL, relation regclass DEFAULT NULL)
RETURNS void
    AS 'MODULE_PATHNAME', 'rampart_log_event' LANGUAGE C VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION rampart.log_event(text, text, jsonb, bool, jsonb, regclass) IS
'Logs an event, with the context of rampart.set_context: rampart.log_event(''invoice.approved'', metadata => ''{"id": 7}''). severity NULL: the type''s. transactional: true, written by this transaction and gone if it is rolled back; false, whatever becomes of it; NULL, true for events of class normal, false for those of class security. metadata and key have at most 64 kB together. Grant it to roles whose word is to be taken. Errors: RMA08, 22023, 54000.';
