-- The rows of both twins. Pseudo-random, the same in every run.

INSERT INTO people
SELECT g,
    CASE WHEN g % 25 = 0 THEN NULL ELSE 'user' || g || '@example.com' END,
    CASE WHEN g % 31 = 0 THEN NULL WHEN g % 37 = 0 THEN ''
         ELSE (ARRAY['Ada', 'ada', 'Zoë', 'Émile', 'Émile', 'Łukasz', '李雷', 'O''Brien', 'Günter', '🙂 smile'])[1 + h % 10] || ' ' || chr(65 + g % 26) END,
    CASE WHEN g % 10 = 0 THEN '' ELSE (ARRAY['a', 'B', 'c', 'D', 'é'])[1 + h % 5] || (g % 40) END,
    CASE WHEN g % 17 = 0 THEN NULL WHEN g % 2 = 0 THEN 'Paris' WHEN g % 3 = 0 THEN 'Lyon'
         WHEN g % 5 = 0 THEN '東京' WHEN g % 7 = 0 THEN 'paris' ELSE 'City ' || g % 11 END,
    CASE WHEN g % 9 = 0 OR g = 1 THEN NULL ELSE 'user' || g / 3 || '@example.com' END,
    CASE WHEN g % 19 = 0 THEN NULL ELSE date '1950-01-01' + (h % 200) * 90 END,
    CASE WHEN g % 4 = 0 THEN date '2010-03-01' + g END,
    CASE WHEN g % 23 = 0 THEN NULL ELSE timestamptz '2020-01-01 00:00:00+00' + (h % 50) * interval '7 hours 13 minutes' END,
    timestamptz '2022-06-30 23:59:59.123456+02' + g * interval '1 minute',
    CASE WHEN g % 13 = 0 THEN NULL WHEN g % 11 = 0 THEN -(g::int8) * 10000000000 ELSE h % 40 END,
    h % 1000,
    CASE WHEN g % 29 = 0 THEN NULL WHEN g % 41 = 0 THEN 'NaN' ELSE (h % 10000)::numeric + (g % 4) * 0.50 END,
    md5('token' || g)::uuid,
    md5('secret' || g)::uuid,
    CASE WHEN g % 8 = 0 THEN NULL WHEN g % 15 = 0 THEN '' ELSE decode(md5((g % 60)::text), 'hex') END,
    decode(repeat(md5(g::text), 3), 'hex'),
    CASE WHEN g % 14 = 0 THEN NULL ELSE g % 3 <> 0 END,
    CASE WHEN g % 12 = 0 THEN NULL
         ELSE jsonb_build_object('age', h % 90, 'langs', jsonb_build_array('fr', 'l' || g % 4),
                                 'home', jsonb_build_object('city', 'c' || g % 6), 'score', 1.50) END,
    CASE WHEN g % 16 = 0 THEN NULL WHEN g % 18 = 0 THEN '{}' ELSE ARRAY['t' || g % 5, 'été', NULL, 'x' || g] END,
    (ARRAY['ops', 'sales', 'ops', 'dev', 'ops'])[1 + g % 5]
FROM generate_series(1, 240) g, LATERAL (SELECT abs(hashint8(g * 7919) % 1000000) AS h) _;

INSERT INTO orders
SELECT g,
    CASE WHEN g % 20 = 0 THEN NULL WHEN g % 21 = 0 THEN 'stranger' || g || '@example.com'
         ELSE 'user' || 1 + (h % 90) || '@example.com' END,
    CASE WHEN g % 33 = 0 THEN NULL ELSE h % 25 END,
    CASE WHEN g % 27 = 0 THEN NULL ELSE round((h % 100000) / 100.0, 2) END,
    timestamptz '2020-01-01 00:00:00+00' + (h % 50) * interval '7 hours 13 minutes',
    CASE WHEN g % 6 = 0 THEN NULL ELSE 'note ' || g % 30 || CASE WHEN g % 5 = 0 THEN ' URGENT' ELSE '' END END,
    (ARRAY['new', 'paid', 'sent'])[1 + g % 3]
FROM generate_series(1, 400) g, LATERAL (SELECT abs(hashint8(g * 104729) % 1000000) AS h) _;

INSERT INTO accounts VALUES
    ('root', 'gold', 0, '2000-02-29', 1000, 'the root'),
    ('alice', 'team', 10.50, '2015-05-05', 5, NULL),
    ('bob', 'free', -99.99, '2016-06-06', 1, ''),
    ('carol', 'team', 10.5, '2015-05-05', 5, 'same plan as Alice'),
    ('dave', 'free', NULL, NULL, NULL, 'ünïcödé'),
    ('Alice', 'gold', 1e6, '2019-12-31', 20, 'not alice');
DELETE FROM journal;
INSERT INTO devices
SELECT g, (ARRAY['alice', 'bob', 'carol', NULL, 'Alice'])[1 + g % 5], (ARRAY['phone', 'laptop', NULL])[1 + g / 5]
FROM generate_series(0, 14) g;
INSERT INTO invites VALUES (1, 'alice', 'bob'), (2, 'bob', 'alice'), (3, NULL, 'carol'), (4, 'carol', 'root'), (5, 'dave', NULL);

INSERT INTO visits_by_hash SELECT 'user' || g % 20, 'page ' || g % 7, g FROM generate_series(1, 100) g;
INSERT INTO visits_by_hash VALUES (NULL, 'none', 0), ('', 'empty', -1);
INSERT INTO visits_by_city SELECT (ARRAY['Paris', 'Lyon', 'Rome', '東京', NULL])[1 + g % 5], 'page ' || g % 7, g FROM generate_series(1, 60) g;
INSERT INTO visits_by_day SELECT date '2021-10-01' + g * 3, 'user' || g % 9, 'page ' || g % 7 FROM generate_series(1, 60) g;
INSERT INTO vehicles VALUES ('AB-1', 'Ada', 2), ('AB-2', 'Bob', 2), (NULL, 'Nobody', 0);
INSERT INTO cars VALUES ('AB-1', 'Carol', 4, 5), ('CD-3', 'Dan', 4, 2), ('CD-4', NULL, 4, 5);
INSERT INTO pupils
SELECT g, 'pupil' || g % 8 || '@school.edu', 1 + g % 6,
    CASE WHEN g % 5 <> 0 THEN ROW('Street ' || g, (10000 + g % 4)::text, date '2001-01-01' + g)::place END,
    ARRAY[g % 3, NULL, g]
FROM generate_series(1, 24) g;
INSERT INTO patients SELECT g, 'user' || g || '@example.com', (ARRAY['flu', 'cold'])[1 + g % 2] FROM generate_series(1, 20) g;
INSERT INTO labels VALUES (1, 'Word'), (2, 'word'), (3, 'other');
INSERT INTO blobs VALUES
    (1, repeat('0123456789abcdef', 65536), repeat('0123456789abcdef', 65536), decode(repeat('00ff', 500000), 'hex')),
    (2, repeat('äé日🙂', 87382), 'short', ''),
    (3, (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 32768) g), repeat('0123456789abcdef', 65535) || '0123456789abcdeF', NULL),
    (4, '', NULL, '\x00');

SET twin.me = 'ann';
INSERT INTO memos SELECT g, 'ann', CASE WHEN g % 3 = 0 THEN 'ben' END, 'memo ' || g FROM generate_series(1, 20) g;
SET twin.me = 'ben';
INSERT INTO memos SELECT g, 'ben', CASE WHEN g % 4 = 0 THEN 'ann' END, 'memo ' || g FROM generate_series(21, 40) g;
RESET twin.me;

REFRESH MATERIALIZED VIEW city_counts;
REFRESH MATERIALIZED VIEW rich_people;
