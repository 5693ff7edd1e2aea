-- arithmetic of dates
SELECT id, born + 30, born - 1, 7 + born, died - born, born - date '1950-01-01', born - '1950-01-01' FROM people;
SELECT id, born + interval '1 month', born - interval '1 day', born + time '10:30', died - born > 9000 FROM people;

-- arithmetic of timestamps
SELECT id, joined + interval '1 day', seen - joined, joined - '1 hour'::interval, seen - timestamptz '2020-01-01', interval '2 h' + seen FROM people;

-- extract and date_part
SELECT id, extract(year FROM born), extract(dow FROM died), extract(epoch FROM born), date_part('month', born) FROM people;
SELECT id, extract(hour FROM joined), extract(epoch FROM seen), extract(microseconds FROM seen), date_part('isodow', joined) FROM people;

-- date_trunc, to_char, age and AT TIME ZONE of timestamps
SELECT id, date_trunc('month', joined), to_char(seen, 'YYYY-MM-DD HH24:MI:SS.US'), age(seen, joined), seen AT TIME ZONE 'Asia/Tokyo', date_bin('1 day', seen, '2000-01-01') FROM people;

-- functions of timestamp on a date
-- error: 42883 an `enc_date` in a function of timestamps
SELECT date_trunc('month', born) FROM people;

-- functions of timestamp on a date, cast
SELECT id, date_trunc('month', born::date), to_char(born::date, 'DD.MM.YYYY'), age(died::date, born::date), born::date AT TIME ZONE 'UTC' FROM people;

-- make_date, justify and isfinite
SELECT id, isfinite(born), isfinite(joined), justify_hours(seen - joined), make_date(extract(year FROM born)::int, 1, 1) FROM people;

-- comparisons with now
SELECT count(*) FROM people WHERE born < current_date AND joined < now() AND seen <= current_timestamp AND died < current_date AND born <> current_date;
SELECT count(*) FROM people WHERE now() - seen > interval '1 day' AND current_date - born > 1000;

-- comparisons of a date with timestamps
SELECT id FROM people WHERE born > timestamp '1990-01-01 12:00' OR born = timestamptz '1961-02-02 00:00:00+00';
SELECT id FROM people WHERE joined > date '2020-01-10' AND joined < '2020-01-12';
SELECT id FROM people WHERE joined::date = date '2020-01-14' AND joined = seen - (seen - joined);

-- special dates
CREATE TEMP TABLE days (d enc_date(pii, deterministic), t enc_timestamptz(pii, deterministic)) ON COMMIT DROP;
INSERT INTO days VALUES ('infinity', '-infinity'), ('0044-03-15 BC', '4713-01-01 BC'), ('epoch', 'epoch'), ('5874897-12-31', '294276-12-31 23:59:59.999999'), ('2024-02-29', 'today'), (NULL, NULL);
SELECT d FROM days WHERE d = 'infinity' OR t = 'epoch' OR d > '3000-01-01';
SELECT d, d + 1 FROM days WHERE isfinite(d) AND d < '3000-01-01' ORDER BY d;

-- date styles
SET LOCAL datestyle = 'German, DMY';
SELECT id, born, joined FROM people WHERE born = '02.02.1961' OR joined = '14.01.2020 12:45:00 UTC';

-- time zones
SET LOCAL timezone = 'America/New_York';
SELECT id, joined, joined::text, joined::date, extract(hour FROM joined), date_trunc('day', joined) FROM people;

-- a bad date
-- both: 22007
SELECT id FROM people WHERE born = 'not a date';

-- a date out of range
-- both: 22008
SELECT id FROM people WHERE born = '2021-02-30';

-- ranges, overlaps and series
SELECT id FROM people WHERE daterange('1960-01-01', '1970-01-01') @> born::date;
SELECT id FROM people WHERE (born::date, died::date) OVERLAPS (date '2010-05-01', date '2010-06-01');
SELECT p.id, d::date FROM people p, generate_series(p.joined, p.joined + '2 days', '1 day') d WHERE p.id < 20;
SELECT daterange(min(born), max(born)), tstzrange(min(joined), max(joined)) FROM people;

-- a date in a range
-- error: 42883 a polymorphic operator of ranges
SELECT id FROM people WHERE born <@ daterange('1960-01-01', '1970-01-01');

-- intervals between rows
SELECT id, born - lag(born) OVER (ORDER BY born, id) FROM people;
SELECT avg(seen - joined), max(died - born), sum(interval '1 day' * visits::int8) FROM people;
