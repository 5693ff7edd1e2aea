-- an array column
SELECT id, tags, tags[1], tags[2:3], array_length(tags, 1), cardinality(tags), array_ndims(tags) FROM people;

-- = ANY of an array column
SELECT id FROM people WHERE 't1' = ANY (tags);
SELECT id FROM people WHERE city = ANY (tags) OR 'été' = ANY (tags) AND points = 3;
SELECT id FROM people WHERE 't1' <> ALL (tags);
SELECT id FROM people WHERE dept = ANY (tags);

-- an element
SELECT id FROM people WHERE tags[1] = 't1' AND tags[2] <> 'x';

-- equality of arrays
SELECT id FROM people WHERE tags = ARRAY['t1', 'été', NULL, 'x1']::enc_text(pii, deterministic)[];
SELECT a.id, b.id FROM people a JOIN people b ON a.tags = b.tags WHERE a.id < 30;

-- equality of an array column and a literal
SELECT id FROM people WHERE tags = '{t1,été,NULL,x1}';
SELECT id FROM people WHERE tags = '{}' OR tags <> '{t2}' AND id < 20;

-- equality of an array column and a text array
SELECT id FROM people WHERE tags::text[] = ARRAY['t1', 'été', NULL, 'x1'];

-- containment and overlap
SELECT id FROM people WHERE tags @> '{t1}';
SELECT id FROM people WHERE tags && '{t2,x7}' OR tags <@ '{t3,été,x3}';

-- containment of a cast array
SELECT id FROM people WHERE tags::text[] @> ARRAY['t1'] OR tags::text[] && '{x7}';

-- GROUP BY and DISTINCT of arrays
SELECT tags[1], count(*) FROM people GROUP BY tags[1];
SELECT count(*) FROM (SELECT DISTINCT tags FROM people) s;
SELECT tags, count(*) FROM people WHERE id < 40 GROUP BY tags;

-- unnest
SELECT id, t FROM people, unnest(tags) t WHERE id < 30;
SELECT t, count(*) FROM people, unnest(tags) t GROUP BY t;
SELECT id, t, n FROM people, unnest(tags) WITH ORDINALITY u (t, n) WHERE t = 't3';
SELECT p.id, q.id FROM people p, unnest(p.tags) t JOIN people q ON q.nick = t WHERE p.id < 50;
SELECT unnest(tags) FROM people WHERE id = 3;

-- functions of arrays
SELECT id, array_to_string(tags, ',', '*'), array_position(tags, 'été'), array_append(tags, 'new'), array_cat(tags, tags) FROM people WHERE id < 30;
SELECT id, array_remove(tags, 'été'), array_replace(tags, 't1', 'one'), tags || '{z}', array_prepend('a', tags), array_upper(tags, 1) FROM people WHERE id < 30;

-- building arrays
SELECT ARRAY[email, boss, 'x'], ARRAY[points, visits], ARRAY[email, name] FROM people WHERE id < 20;
SELECT array_agg(email ORDER BY id), array_agg(tags ORDER BY id) FROM people WHERE id BETWEEN 1 AND 5;
SELECT (array_agg(city ORDER BY id))[2], 'Paris' = ANY (array_agg(city)) FROM people;

-- an array of an enc_int8 and an integer
-- error: 42846 `COALESCE`, `CASE`, `GREATEST` or `ARRAY[]` of an `enc_int8` or `enc_numeric` and an integer
SELECT ARRAY[points, 7] FROM people;

-- IN an array built from columns
SELECT id FROM people WHERE email = ANY (ARRAY[boss, 'user7@example.com']);
SELECT id FROM people WHERE 'user7@example.com' = ANY (ARRAY[boss, email]);
SELECT id FROM people WHERE points = ANY (ARRAY[3, id % 5]);

-- an array parameter
-- index: people_email_key
-- parameters: {user7@example.com,user8@example.com,NULL}
-- parameters: {}
-- parameters: \N
SELECT id FROM people WHERE email = ANY ($1);

-- a text array parameter
-- index: people_email_key
-- types: text[]
-- parameters: {user7@example.com,"with, comma",user8@example.com}
SELECT id FROM people WHERE email = ANY ($1);

-- an integer array parameter
-- types: int[]
-- parameters: {3,4,NULL}
SELECT id FROM people WHERE points = ANY ($1);

-- writing arrays
UPDATE people SET tags = tags || '{more}' WHERE id = 3;
UPDATE people SET tags = array_append(tags, 'last'), boss = tags[1] WHERE id = 4;
UPDATE people SET tags[1] = 'first' WHERE id = 5;
UPDATE people SET tags = ARRAY['a', NULL, email] WHERE id = 6;
UPDATE people SET tags = (SELECT array_agg(city ORDER BY id) FROM people WHERE id < 9) WHERE id = 7;
UPDATE people SET tags = '{}' WHERE 't2' = ANY (tags);

-- arrays of other kinds
SELECT id, marks, marks[3] + 1, 1 = ANY (marks), marks = '{1,NULL,4}' FROM pupils;
SELECT m, count(*) FROM pupils, unnest(marks) m GROUP BY m;
SELECT id FROM pupils WHERE marks[1] = mark OR marks[3] = id;

-- a multidimensional array
SELECT ARRAY[[email, city], [boss, nick]] FROM people WHERE id < 6;
CREATE TEMP TABLE grids (g enc_text(pii, deterministic)[][]) ON COMMIT DROP;
INSERT INTO grids VALUES ('{{a,b},{c,d}}');
SELECT g, g[2][1], 'd' = ANY (g) FROM grids;
