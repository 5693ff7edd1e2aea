-- Attacks that are spread: many accounts, many addresses, a failure or two of each, so that no limit of one account or one
-- address is met. What gives them away is the number of all failed logins. docs/guides/server-attacks.md has the formula.
--
-- A failed login counts three times: for its address, its network, and all. The last is sixteen rows, one taken by chance,
-- so that failures do not queue. A login that succeeds writes none of them. One server at a time compares the sum with what
-- is usual here (watch_logins), every few seconds, and keeps what it found in one row that logins read and never write.
SELECT rampart.define_event(e.name, 'security', e.severity, description => e.description)
FROM (VALUES
    ('auth.attack_begun', 'high', 'Far more logins fail than usual: limits of addresses and networks tighten'),
    ('auth.attack_ended', 'medium', 'No more logins fail than usual, and limits are what they were')) e (name, severity, description)
WHERE NOT EXISTS (SELECT FROM rampart.audit_event_type t WHERE t.name = e.name);

SET ROLE rampart_auth;

CREATE TABLE rampart_auth.login_watch (
    only_row       bool PRIMARY KEY DEFAULT true CHECK (only_row),
    period_seconds int4 NOT NULL DEFAULT 600,
    period_no      int8 NOT NULL DEFAULT 0,
    usual          float8 NOT NULL DEFAULT 0,
    level          int4 NOT NULL DEFAULT 0,
    highest_level  int4 NOT NULL DEFAULT 0,
    begun_at       timestamptz,
    lower_at       timestamptz
);
COMMENT ON TABLE rampart_auth.login_watch IS 'What servers know together of failed logins: how many are usual in a period, and how far limits are tightened.';
COMMENT ON COLUMN rampart_auth.login_watch.period_no IS 'The period that the usual does not know yet.';
COMMENT ON COLUMN rampart_auth.login_watch.lower_at IS 'When the level falls by one, unless failures call for it until then.';
INSERT INTO rampart_auth.login_watch DEFAULT VALUES;

CREATE TABLE rampart_auth.known_address (
    account_id uuid NOT NULL REFERENCES rampart_auth.account ON DELETE CASCADE,
    address    cidr NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, address)
);
COMMENT ON TABLE rampart_auth.known_address IS 'Where accounts have logged in from: an IPv4 address, or a /64 of IPv6. Ninety days after the last time it is forgotten.';
CREATE INDEX known_address_seen ON rampart_auth.known_address (seen_at);

-- Who has an IPv6 address has all of its /64.
CREATE FUNCTION rampart_auth.address_of(ip inet) RETURNS cidr
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 32 ELSE 64 END)); END $$;

CREATE FUNCTION rampart_auth.network_of(ip inet) RETURNS cidr
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN network(set_masklen(ip, CASE family(ip) WHEN 4 THEN 24 ELSE 64 END)); END $$;

CREATE FUNCTION rampart_auth.know_address(account uuid, ip inet) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO rampart_auth.known_address AS k (account_id, address) VALUES (account, rampart_auth.address_of(ip))
    ON CONFLICT ON CONSTRAINT known_address_pkey DO UPDATE SET seen_at = now() WHERE k.seen_at < now() - interval '1 day';
END
$$;
COMMENT ON FUNCTION rampart_auth.know_address(uuid, inet) IS 'Notes that an account has logged in from an address; for one that it knows of, once a day.';

CREATE FUNCTION rampart_auth.is_known_client(account uuid, ip inet, device bytea) RETURNS bool
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM rampart_auth.known_address k WHERE k.account_id = account AND k.address = rampart_auth.address_of(ip))
        OR EXISTS (SELECT FROM rampart_auth.trusted_device d WHERE d.hash = device AND d.account_id = account AND d.expires_at > now());
END
$$;
COMMENT ON FUNCTION rampart_auth.is_known_client(uuid, inet, bytea) IS 'Whether an account has logged in from here before, or from this device, which it trusts.';

-- Counting ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.failure_key(whose text, period int) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN sha256(convert_to(format('failed logins of %s in %s s', whose, period), 'UTF8')); END $$;

CREATE FUNCTION rampart_auth.failures_of(keys bytea[], period int) RETURNS float8
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    moment CONSTANT float8 := extract(epoch FROM clock_timestamp()) / period;
    this_period CONSTANT int8 := floor(moment);
    rest CONSTANT float8 := 1 - (moment - this_period);
BEGIN
    RETURN (
        SELECT coalesce(sum(CASE this_period - r.window_no WHEN 0 THEN r.current + r.previous * rest WHEN 1 THEN r.current * rest ELSE 0 END), 0)
        FROM rampart_auth.rate r WHERE r.key = ANY (keys));
END
$$;
COMMENT ON FUNCTION rampart_auth.failures_of(bytea[], int) IS 'Failures in a period that ends now, weighing the period before by what is left of it.';

CREATE FUNCTION rampart_auth.all_failures(period int) RETURNS bytea[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT array_agg(rampart_auth.failure_key('all ' || part, period)) FROM generate_series(0, 15) part $$;

CREATE FUNCTION rampart_auth.count_failed_login(ip inet, period int) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this_period CONSTANT int8 := floor(extract(epoch FROM clock_timestamp()) / period);
    whose text;
BEGIN
    -- In this order in each transaction, so that none waits for another in a circle.
    FOREACH whose IN ARRAY ARRAY['address ' || rampart_auth.address_of(ip), 'network ' || rampart_auth.network_of(ip), 'all ' || floor(random() * 16)] LOOP
        PERFORM rampart_auth.open_window(rampart_auth.failure_key(whose, period), this_period, period, 1);
    END LOOP;
END
$$;
COMMENT ON FUNCTION rampart_auth.count_failed_login(inet, int) IS 'Counts a failed login for its address, its network, and all. period: seconds; NULL: nothing is counted.';

CREATE FUNCTION rampart_auth.attack_seconds(account uuid, ip inet, device bytea, period int, per_address int, per_network int) RETURNS int
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    level CONSTANT int := (SELECT w.level FROM rampart_auth.login_watch w);
BEGIN
    IF period IS NULL OR level = 0 OR ip IS NULL THEN
        RETURN 0;
    ELSIF rampart_auth.failures_of(ARRAY[rampart_auth.failure_key('address ' || rampart_auth.address_of(ip), period)], period) < greatest(1, per_address >> level)
          AND rampart_auth.failures_of(ARRAY[rampart_auth.failure_key('network ' || rampart_auth.network_of(ip), period)], period) < greatest(1, per_network >> level) THEN
        RETURN 0;
    ELSIF account IS NOT NULL AND rampart_auth.is_known_client(account, ip, device) THEN
        RETURN 0;
    END IF;
    RETURN period - floor(extract(epoch FROM clock_timestamp()))::int8 % period;
END
$$;
COMMENT ON FUNCTION rampart_auth.attack_seconds(uuid, inet, bytea, int, int, int) IS
'For how many seconds this client does not log in, because an attack is on and its address or network has part in it; 0: it may. Each level halves what an address and a network may have of failures in a period. Who is known (is_known_client) may always.';

-- Judging -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION rampart_auth.end_attack(watch rampart_auth.login_watch) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT rampart_auth.record('auth.attack_ended', jsonb_build_object(
        'highest_level', watch.highest_level, 'seconds', ceil(extract(epoch FROM clock_timestamp() - watch.begun_at))))
$$;

CREATE FUNCTION rampart_auth.learn_usual(INOUT watch rampart_auth.login_watch, this_period int8, period int, threshold float8, half_life_hours int)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kept CONSTANT float8 := 0.5 ^ (period / (half_life_hours * 3600.0));
    -- Of the last whole period; those of longer ago, in which no server watched, count as none.
    failures CONSTANT float8 := (
        SELECT coalesce(sum(CASE this_period - r.window_no WHEN 0 THEN r.previous WHEN 1 THEN r.current ELSE 0 END), 0)
        FROM rampart_auth.rate r WHERE r.key = ANY (rampart_auth.all_failures(period)));
BEGIN
    IF watch.period_seconds <> period OR watch.period_no = 0 THEN
        watch.usual := watch.usual * period / watch.period_seconds;
    ELSE
        -- An attack counts as the most that is none: what lasts becomes usual, slowly, and nobody makes room for an attack by another.
        watch.usual := watch.usual * kept ^ least(this_period - watch.period_no, 1000000) + (1 - kept) * least(failures, threshold);
    END IF;
    watch.period_seconds := period;
    watch.period_no := this_period;
END
$$;
COMMENT ON FUNCTION rampart_auth.learn_usual(rampart_auth.login_watch, int8, int, float8, int) IS
'The watch after a period has ended: the mean of failures a period, exponentially weighted.';

CREATE FUNCTION rampart_auth.watch_logins(period int, least_failures int, factor int, half_life_hours int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most_level CONSTANT int := 3;
    this_period CONSTANT int8 := floor(extract(epoch FROM clock_timestamp()) / period);
    failures CONSTANT float8 := rampart_auth.failures_of(rampart_auth.all_failures(period), period);
    before rampart_auth.login_watch;
    watch rampart_auth.login_watch;
    threshold float8;
    called_for int;
BEGIN
    SELECT w.* INTO before FROM rampart_auth.login_watch w FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        -- Another server does it at this moment.
        SELECT w.* INTO watch FROM rampart_auth.login_watch w;
        RETURN jsonb_build_object('failures', failures, 'usual', watch.usual, 'level', watch.level);
    END IF;
    watch := before;
    threshold := greatest(least_failures, factor * watch.usual);
    IF watch.period_no < this_period OR watch.period_seconds <> period THEN
        watch := rampart_auth.learn_usual(watch, this_period, period, threshold, half_life_hours);
    END IF;
    called_for := CASE WHEN failures < threshold THEN 0 ELSE least(most_level, 1 + floor(log(2, (failures / threshold)::numeric))) END;
    IF called_for > 0 AND called_for >= watch.level THEN
        watch.level := called_for;
        watch.lower_at := clock_timestamp() + period * interval '1 second';
    ELSIF watch.level > 0 AND watch.lower_at <= clock_timestamp() THEN
        watch.level := watch.level - 1;
        watch.lower_at := clock_timestamp() + period * interval '1 second';
    END IF;
    watch.highest_level := greatest(watch.level, CASE WHEN before.level > 0 THEN before.highest_level ELSE 0 END);
    IF before.level = 0 AND watch.level > 0 THEN
        watch.begun_at := clock_timestamp();
        PERFORM rampart_auth.record('auth.attack_begun', jsonb_build_object(
            'failures', round(failures), 'usual', round(watch.usual::numeric, 1), 'period_seconds', period, 'level', watch.level));
    ELSIF before.level > 0 AND watch.level = 0 THEN
        PERFORM rampart_auth.end_attack(watch);
    END IF;
    IF watch IS DISTINCT FROM before THEN
        UPDATE rampart_auth.login_watch w SET (period_seconds, period_no, usual, level, highest_level, begun_at, lower_at) =
            (watch.period_seconds, watch.period_no, watch.usual, watch.level, watch.highest_level, watch.begun_at, watch.lower_at);
    END IF;
    RETURN jsonb_build_object('failures', failures, 'usual', watch.usual, 'level', watch.level);
END
$$;
COMMENT ON FUNCTION rampart_auth.watch_logins(int, int, int, int) IS
'Compares the failed logins of a period that ends now with what is usual, and tightens or relaxes limits: {failures, usual, level}. Every server calls it now and then; one at a time does it.';

CREATE FUNCTION rampart_auth.unwatch_logins() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    watch rampart_auth.login_watch;
BEGIN
    UPDATE rampart_auth.login_watch w SET level = 0 WHERE w.level > 0 RETURNING w.* INTO watch;
    IF FOUND THEN
        PERFORM rampart_auth.end_attack(watch);
    END IF;
    RETURN '{"failures": 0, "usual": 0, "level": 0}';
END
$$;
COMMENT ON FUNCTION rampart_auth.unwatch_logins() IS 'Ends an attack that nobody wants to be watched for any more.';

GRANT EXECUTE ON FUNCTION rampart_auth.watch_logins, rampart_auth.unwatch_logins TO rampartd;
