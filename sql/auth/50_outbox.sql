-- Messages on their way from the outbox to whoever delivers them: an SMTP server, or the hook of a provider of SMS. Several
-- servers share the work.
--
-- A message is claimed under a lease. Mail is handed over before its last bytes are written: a server that dies before has
-- sent nothing, the lease ends, and another takes it. One that dies after may have sent it: nobody can know, so it is never
-- sent again, and given up with an event that says so. No mail is sent twice, and none is lost without a trace. A hook
-- knows messages by their id, and so may be told of one twice: an SMS is never handed over, and simply sent again.
--
--     waiting --claim--> leased --hand over--> handed over --sent--> sent
--        ^                  |                       |
--        +----- deferred, or lease over             +-- refused, deferred, or no answer
SELECT rampart.define_event(e.name, 'security', 'medium', description => e.description)
FROM (VALUES
    ('mail.failed', 'A mail was given up, or may not have arrived'),
    ('sms.failed', 'An SMS was given up')) e (name, description)
WHERE NOT EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = e.name);

SET ROLE rampart_auth;

ALTER TABLE rampart_auth.outbox ADD COLUMN handed_over_at timestamptz;
COMMENT ON COLUMN rampart_auth.outbox.handed_over_at IS 'When a server was about to write the last bytes of it to the SMTP server.';
COMMENT ON COLUMN rampart_auth.outbox.lease IS 'Who works on it: known to that server alone.';
CREATE INDEX outbox_done ON rampart_auth.outbox (created_at) WHERE next_attempt_at IS NULL;

CREATE FUNCTION rampart_auth.give_up_message(id uuid, reason text, may_have_arrived bool DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    message record;
BEGIN
    UPDATE rampart_auth.outbox o SET recipient = NULL, data = NULL, lease = NULL, next_attempt_at = NULL, failed_at = now(), last_error = reason
    WHERE o.id = give_up_message.id RETURNING o.channel, o.template, o.attempts INTO message;
    PERFORM rampart_auth.record(message.channel || '.failed', jsonb_build_object(
        message.channel, id, 'template', message.template, 'attempts', message.attempts, 'reason', reason, 'may_have_arrived', may_have_arrived));
END
$$;
COMMENT ON FUNCTION rampart_auth.give_up_message(uuid, text, bool) IS 'Ends the attempts to send a message, wipes it and records that.';

CREATE FUNCTION rampart_auth.defer_message(id uuid, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- 30 seconds and then twice as long each time up to four hours: sixteen hours in all.
    most_attempts CONSTANT int := 13;
    made int := (SELECT o.attempts FROM rampart_auth.outbox o WHERE o.id = defer_message.id);
BEGIN
    IF made >= most_attempts THEN
        PERFORM rampart_auth.give_up_message(id, reason);
    ELSE
        UPDATE rampart_auth.outbox o SET lease = NULL, handed_over_at = NULL, last_error = reason,
            next_attempt_at = now() + least(interval '30 seconds' * 2 ^ (made - 1), interval '4 hours')
        WHERE o.id = defer_message.id;
    END IF;
END
$$;
COMMENT ON FUNCTION rampart_auth.defer_message(uuid, text) IS 'Has a message tried again later, or gives it up after the last attempt.';

CREATE FUNCTION rampart_auth.claim_messages(channel text, max int, lease interval) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    message rampart_auth.outbox;
    claimed jsonb := '[]';
BEGIN
    IF (max BETWEEN 1 AND 100 AND lease BETWEEN interval '1 second' AND interval '1 hour') IS NOT TRUE THEN
        RAISE EXCEPTION 'max is from 1 to 100, lease from a second to an hour' USING ERRCODE = '22023';
    END IF;
    FOR message IN SELECT o.* FROM rampart_auth.outbox o WHERE o.channel = claim_messages.channel AND o.next_attempt_at <= now()
                   ORDER BY o.next_attempt_at LIMIT claim_messages.max FOR UPDATE SKIP LOCKED LOOP
        IF message.handed_over_at IS NOT NULL THEN
            PERFORM rampart_auth.give_up_message(message.id, 'the server ended while the message was handed over', true);
            CONTINUE;
        ELSIF message.expires_at <= now() THEN
            PERFORM rampart_auth.give_up_message(message.id, coalesce('expired; before: ' || message.last_error, 'expired'));
            CONTINUE;
        END IF;
        UPDATE rampart_auth.outbox o SET attempts = o.attempts + 1, lease = gen_random_uuid(), next_attempt_at = now() + claim_messages.lease
            WHERE o.id = message.id RETURNING o.attempts, o.lease INTO message.attempts, message.lease;
        BEGIN
            claimed := claimed || jsonb_build_object(
                'id', message.id, 'lease', message.lease, 'attempt', message.attempts, 'template', message.template,
                'recipient', message.recipient::text, 'data', message.data::jsonb, 'queued_at', floor(extract(epoch FROM message.created_at)));
        EXCEPTION WHEN OTHERS THEN
            -- One message that cannot be decrypted does not stop the others.
            IF SQLSTATE NOT LIKE 'RM%' THEN RAISE; END IF;
            PERFORM rampart_auth.defer_message(message.id, 'cannot be decrypted: ' || SQLSTATE);
        END;
    END LOOP;
    RETURN claimed;
END
$$;
COMMENT ON FUNCTION rampart_auth.claim_messages(text, int, interval) IS
'Takes up to so many messages of a channel that are due, for as long as the lease: [{id, lease, attempt, template, recipient, data, queued_at}], queued_at in seconds since 1970. Fewer than there are where some had to be given up. Errors: 22023.';

CREATE FUNCTION rampart_auth.hand_over_message(id uuid, lease uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH marked AS (
        UPDATE rampart_auth.outbox o SET handed_over_at = now(), next_attempt_at = now() + interval '15 minutes'
        WHERE o.id = hand_over_message.id AND o.lease = hand_over_message.lease AND o.handed_over_at IS NULL AND o.next_attempt_at > now()
        RETURNING 1)
    SELECT to_jsonb(EXISTS (SELECT FROM marked))
$$;
COMMENT ON FUNCTION rampart_auth.hand_over_message(uuid, uuid) IS
'To be called before the last bytes of a mail are written: from its commit on, it is sent by whoever holds the lease or not at all. False where the lease is over, and nothing must be written.';

CREATE FUNCTION rampart_auth.message_sent(id uuid, lease uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH sent AS (
        UPDATE rampart_auth.outbox o SET recipient = NULL, data = NULL, lease = NULL, next_attempt_at = NULL, sent_at = now(), last_error = NULL
        WHERE o.id = message_sent.id AND o.lease = message_sent.lease RETURNING 1)
    SELECT to_jsonb(EXISTS (SELECT FROM sent))
$$;
COMMENT ON FUNCTION rampart_auth.message_sent(uuid, uuid) IS
'Notes that whoever delivers it has taken a message, and wipes it. False where the lease is not (any more) of this message.';

CREATE FUNCTION rampart_auth.message_failed(id uuid, lease uuid, reason text, permanent bool) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM rampart_auth.outbox o WHERE o.id = message_failed.id AND o.lease = message_failed.lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'false';
    ELSIF permanent IS DISTINCT FROM false THEN
        PERFORM rampart_auth.give_up_message(id, left(reason, 200));
    ELSE
        PERFORM rampart_auth.defer_message(id, left(reason, 200));
    END IF;
    RETURN 'true';
END
$$;
COMMENT ON FUNCTION rampart_auth.message_failed(uuid, uuid, text, bool) IS
'Notes that a message was not sent, and why: no attempt more where that is permanent, else another after a while that doubles each time. The reason must not quote the message. False where the lease is not (any more) of this message.';

CREATE FUNCTION rampart_auth.message_unanswered(id uuid, lease uuid, reason text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM rampart_auth.outbox o WHERE o.id = message_unanswered.id AND o.lease = message_unanswered.lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'false';
    END IF;
    PERFORM rampart_auth.give_up_message(id, left(reason, 200), true);
    RETURN 'true';
END
$$;
COMMENT ON FUNCTION rampart_auth.message_unanswered(uuid, uuid, text) IS
'Gives up a mail that was written to the end and not answered: the SMTP server may have it. False where the lease is not (any more) of this message.';

GRANT EXECUTE ON FUNCTION rampart_auth.claim_messages, rampart_auth.hand_over_message, rampart_auth.message_sent, rampart_auth.message_failed,
    rampart_auth.message_unanswered TO rampartd;
