-- What requests leave behind besides their effect: audit events, results of idempotent requests, and use of rates.
SET ROLE rampart_auth;

CREATE FUNCTION rampart_auth.record(event text, metadata jsonb DEFAULT NULL) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ SELECT rampart.log_event(event, metadata => metadata, transactional => true) $$;
COMMENT ON FUNCTION rampart_auth.record(text, jsonb) IS 'An audit event of this transaction: it stands in the log if and only if the change does.';

CREATE TABLE rampart_auth.idempotency (
    key          bytea PRIMARY KEY CHECK (length(key) = 32),
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    status       int4,
    body         enc_text(secret),
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rampart_auth.idempotency IS
'Answers to requests that bore an Idempotency-Key: the key is SHA-256 of organisation, caller, route and key. Kept for a day.';
CREATE INDEX idempotency_age ON rampart_auth.idempotency (created_at);

CREATE FUNCTION rampart_auth.claim_idempotency(key bytea, request_hash bytea) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Waits for another request with the same key to end, and then meets its row.
    INSERT INTO rampart_auth.idempotency (key, request_hash) VALUES (claim_idempotency.key, claim_idempotency.request_hash)
        ON CONFLICT ON CONSTRAINT idempotency_pkey DO NOTHING;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM rampart_auth.idempotency i
                   WHERE i.key = claim_idempotency.key AND i.request_hash <> claim_idempotency.request_hash) THEN
            RAISE EXCEPTION 'this idempotency key was used for another request' USING ERRCODE = 'RMU11';
        END IF;
        RAISE EXCEPTION 'this request was answered before' USING ERRCODE = 'RMU10';
    END IF;
END
$$;
COMMENT ON FUNCTION rampart_auth.claim_idempotency(bytea, bytea) IS
'Makes this transaction the one that carries a request out. Errors: RMU10 it was carried out before (replay_idempotency), RMU11 the key belongs to another request.';

CREATE FUNCTION rampart_auth.keep_answer(key bytea, status int, body text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ UPDATE rampart_auth.idempotency i SET status = keep_answer.status, body = keep_answer.body WHERE i.key = keep_answer.key $$;
COMMENT ON FUNCTION rampart_auth.keep_answer(bytea, int, text) IS 'Keeps the answer to the request that claim_idempotency claimed.';

CREATE FUNCTION rampart_auth.replay_answer(key bytea) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('status', i.status, 'body', i.body::text) FROM rampart_auth.idempotency i WHERE i.key = replay_answer.key $$;
COMMENT ON FUNCTION rampart_auth.replay_answer(bytea) IS 'The answer that a request was given before.';

-- Lost in a crash, and that is all right: whoever was slowed down begins anew.
CREATE UNLOGGED TABLE rampart_auth.rate (
    key            bytea PRIMARY KEY CHECK (length(key) = 32),
    window_no      int8 NOT NULL,
    previous       int4 NOT NULL,
    current        int4 NOT NULL,
    window_seconds int4 NOT NULL
);
COMMENT ON TABLE rampart_auth.rate IS 'Use of rates: requests in this window and in the one before it, by SHA-256 of limit and caller.';

CREATE FUNCTION rampart_auth.open_window(key bytea, this_window int8, window_seconds int, used int) RETURNS rampart_auth.rate
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    opened rampart_auth.rate;
BEGIN
    INSERT INTO rampart_auth.rate AS r VALUES (open_window.key, open_window.this_window, 0, open_window.used, open_window.window_seconds)
        ON CONFLICT ON CONSTRAINT rate_pkey DO UPDATE SET
            previous = CASE this_window - r.window_no WHEN 0 THEN r.previous WHEN 1 THEN r.current ELSE 0 END,
            current = open_window.used + CASE r.window_no WHEN this_window THEN r.current ELSE 0 END,
            window_no = greatest(r.window_no, this_window)
        RETURNING * INTO opened;
    RETURN opened;
END
$$;
COMMENT ON FUNCTION rampart_auth.open_window(bytea, int8, int, int) IS 'A window with so much more used of it; the one before it slides out. A key is of one length of window.';

CREATE FUNCTION rampart_auth.take_rate(key bytea, quota int, window_seconds int, wanted int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    moment CONSTANT float8 := extract(epoch FROM clock_timestamp());
    this_window CONSTANT int8 := floor(moment / window_seconds);
    left_of_previous CONSTANT float8 := 1 - (moment / window_seconds - this_window);
    used CONSTANT rampart_auth.rate := rampart_auth.open_window(key, this_window, window_seconds, 0);
    free CONSTANT float8 := quota - used.current - used.previous * left_of_previous;
    granted int;
BEGIN
    granted := greatest(0, least(wanted, floor(free)));
    IF granted > 0 THEN
        UPDATE rampart_auth.rate r SET current = r.current + granted WHERE r.key = take_rate.key;
    END IF;
    RETURN jsonb_build_object(
        'granted', granted,
        'remaining', greatest(0, floor(free) - granted),
        'reset', ceil((this_window + 1) * window_seconds - moment),
        'retry_after', CASE WHEN granted > 0 THEN 0
            -- When enough of the previous window has slid out, or this one has become the previous.
            WHEN used.current < quota AND used.previous > 0
                THEN ceil((left_of_previous - (quota - used.current - 1)::float8 / used.previous) * window_seconds)
            ELSE ceil(left_of_previous * window_seconds + window_seconds * (1 - (quota - 1)::float8 / greatest(used.current, 1)))
        END);
END
$$;
COMMENT ON FUNCTION rampart_auth.take_rate(bytea, int, int, int) IS
'Takes of a quota of requests in a sliding window, weighing the window before by what is left of it: {granted, remaining, reset, retry_after}, the last two in seconds.';

GRANT EXECUTE ON FUNCTION rampart_auth.claim_idempotency, rampart_auth.keep_answer, rampart_auth.replay_answer,
    rampart_auth.take_rate TO rampartd;
