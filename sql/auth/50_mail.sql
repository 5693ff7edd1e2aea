-- Mail on its way from the outbox to an SMTP server. Several servers share the work.
--
-- A mail is claimed under a lease, and handed over before its last bytes are written. A server that dies before has sent
-- nothing: the lease ends, and another takes the mail. One that dies after may have sent it: nobody can know, so it is
-- never sent again, and given up with an event that says so. No mail is sent twice, and none is lost without a trace.
--
--     waiting --claim--> leased --hand over--> handed over --sent--> sent
--        ^                  |                       |
--        +----- deferred, or lease over             +-- refused, deferred, or no answer
SELECT rampart.define_event('mail.failed', 'security', 'medium', description => 'A mail was given up, or may not have arrived')
WHERE NOT EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = 'mail.failed');

SET ROLE rampart_auth;

ALTER TABLE rampart_auth.outbox ADD COLUMN handed_over_at timestamptz;
COMMENT ON COLUMN rampart_auth.outbox.handed_over_at IS 'When a server was about to write the last bytes of it to the SMTP server.';
COMMENT ON COLUMN rampart_auth.outbox.lease IS 'Who works on it: known to that server alone.';
CREATE INDEX outbox_done ON rampart_auth.outbox (created_at) WHERE next_attempt_at IS NULL;

CREATE FUNCTION rampart_auth.give_up_mail(id uuid, reason text, may_have_arrived bool DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mail record;
BEGIN
    UPDATE rampart_auth.outbox o SET recipient = NULL, data = NULL, lease = NULL, next_attempt_at = NULL, failed_at = now(), last_error = reason
    WHERE o.id = give_up_mail.id RETURNING o.template, o.attempts INTO mail;
    PERFORM rampart_auth.record('mail.failed', jsonb_build_object('mail', id, 'template', mail.template, 'attempts', mail.attempts,
                                                                  'reason', reason, 'may_have_arrived', may_have_arrived));
END
$$;
COMMENT ON FUNCTION rampart_auth.give_up_mail(uuid, text, bool) IS 'Ends the attempts to send a mail, wipes it and records that.';

CREATE FUNCTION rampart_auth.defer_mail(id uuid, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- 30 seconds and then twice as long each time up to four hours: sixteen hours in all.
    most_attempts CONSTANT int := 13;
    made int := (SELECT o.attempts FROM rampart_auth.outbox o WHERE o.id = defer_mail.id);
BEGIN
    IF made >= most_attempts THEN
        PERFORM rampart_auth.give_up_mail(id, reason);
    ELSE
        UPDATE rampart_auth.outbox o SET lease = NULL, handed_over_at = NULL, last_error = reason,
            next_attempt_at = now() + least(interval '30 seconds' * 2 ^ (made - 1), interval '4 hours')
        WHERE o.id = defer_mail.id;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart_auth.defer_mail(uuid, text) IS 'Has a mail tried again later, or gives it up after the last attempt.';

CREATE FUNCTION rampart_auth.claim_mail(max int, lease interval) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    mail rampart_auth.outbox;
    claimed jsonb := '[]';
BEGIN
    IF (max BETWEEN 1 AND 100 AND lease BETWEEN interval '1 second' AND interval '1 hour') IS NOT TRUE THEN
        RAISE EXCEPTION 'max is from 1 to 100, lease from a second to an hour' USING ERRCODE = '22023';
    END IF;
    FOR mail IN SELECT o.* FROM rampart_auth.outbox o WHERE o.next_attempt_at <= now()
                ORDER BY o.next_attempt_at LIMIT claim_mail.max FOR UPDATE SKIP LOCKED LOOP
        IF mail.handed_over_at IS NOT NULL THEN
            PERFORM rampart_auth.give_up_mail(mail.id, 'the server ended while the mail was handed over', true);
            CONTINUE;
        END IF;
        UPDATE rampart_auth.outbox o SET attempts = o.attempts + 1, lease = gen_random_uuid(), next_attempt_at = now() + claim_mail.lease
            WHERE o.id = mail.id RETURNING o.attempts, o.lease INTO mail.attempts, mail.lease;
        BEGIN
            claimed := claimed || jsonb_build_object(
                'id', mail.id, 'lease', mail.lease, 'attempt', mail.attempts, 'template', mail.template,
                'recipient', mail.recipient::text, 'data', mail.data::jsonb, 'queued_at', floor(extract(epoch FROM mail.created_at)));
        EXCEPTION WHEN OTHERS THEN
            -- One mail that cannot be decrypted does not stop the others.
            IF SQLSTATE NOT LIKE 'RM%' THEN RAISE; END IF;
            PERFORM rampart_auth.defer_mail(mail.id, 'cannot be decrypted: ' || SQLSTATE);
        END;
    END LOOP;
    RETURN claimed;
END
$$;
COMMENT ON FUNCTION rampart_auth.claim_mail(int, interval) IS
'Takes up to so many mails that are due, for as long as the lease: [{id, lease, attempt, template, recipient, data, queued_at}], queued_at in seconds since 1970. Fewer than there are where some had to be given up. Errors: 22023.';

CREATE FUNCTION rampart_auth.hand_over_mail(id uuid, lease uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH marked AS (
        UPDATE rampart_auth.outbox o SET handed_over_at = now(), next_attempt_at = now() + interval '15 minutes'
        WHERE o.id = hand_over_mail.id AND o.lease = hand_over_mail.lease AND o.handed_over_at IS NULL AND o.next_attempt_at > now()
        RETURNING 1)
    SELECT to_jsonb(EXISTS (SELECT FROM marked))
$$;
COMMENT ON FUNCTION rampart_auth.hand_over_mail(uuid, uuid) IS
'To be called before the last bytes of a mail are written: from its commit on, it is sent by whoever holds the lease or not at all. False where the lease is over, and nothing must be written.';

CREATE FUNCTION rampart_auth.mail_sent(id uuid, lease uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH sent AS (
        UPDATE rampart_auth.outbox o SET recipient = NULL, data = NULL, lease = NULL, next_attempt_at = NULL, sent_at = now(), last_error = NULL
        WHERE o.id = mail_sent.id AND o.lease = mail_sent.lease RETURNING 1)
    SELECT to_jsonb(EXISTS (SELECT FROM sent))
$$;
COMMENT ON FUNCTION rampart_auth.mail_sent(uuid, uuid) IS 'Notes that the SMTP server has taken a mail, and wipes it. False where the lease is not (any more) of this mail.';

CREATE FUNCTION rampart_auth.mail_failed(id uuid, lease uuid, reason text, permanent bool) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM rampart_auth.outbox o WHERE o.id = mail_failed.id AND o.lease = mail_failed.lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'false';
    ELSIF permanent IS DISTINCT FROM false THEN
        PERFORM rampart_auth.give_up_mail(id, left(reason, 200));
    ELSE
        PERFORM rampart_auth.defer_mail(id, left(reason, 200));
    END IF;
    RETURN 'true';
END
$$;
COMMENT ON FUNCTION rampart_auth.mail_failed(uuid, uuid, text, bool) IS
'Notes that a mail was not sent, and why: no attempt more where that is permanent, else another after a while that doubles each time. The reason must not quote the mail. False where the lease is not (any more) of this mail.';

CREATE FUNCTION rampart_auth.mail_unanswered(id uuid, lease uuid, reason text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM rampart_auth.outbox o WHERE o.id = mail_unanswered.id AND o.lease = mail_unanswered.lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'false';
    END IF;
    PERFORM rampart_auth.give_up_mail(id, left(reason, 200), true);
    RETURN 'true';
END
$$;
COMMENT ON FUNCTION rampart_auth.mail_unanswered(uuid, uuid, text) IS
'Gives up a mail that was written to the end and not answered: the SMTP server may have it. False where the lease is not (any more) of this mail.';

GRANT EXECUTE ON FUNCTION rampart_auth.claim_mail, rampart_auth.hand_over_mail, rampart_auth.mail_sent, rampart_auth.mail_failed,
    rampart_auth.mail_unanswered TO rampartd;
