-- a literal beside a unique column
-- index: people_email_key
SELECT * FROM people WHERE email = 'user7@example.com';

-- a literal on the left side
-- index: people_email_key
SELECT id FROM people WHERE 'user7@example.com' = email;

-- a skewed column
-- index: people_city
SELECT id, name FROM people WHERE city = 'Paris';

-- every deterministic kind
SELECT id FROM people WHERE born = '1950-01-01' OR joined = '2020-01-01 00:00:00+00' OR points = 7
    OR token = 'b1b6d1a9-87a7-41bf-4ef0-8fb9df2d7b5f' OR badge = '' OR nick = 'é9';

-- a date
-- index: people_born
SELECT id, born FROM people WHERE born = date '1950-01-01' + 90 * 5;

-- a timestamp in another time zone
-- index: people_joined
SELECT id FROM people WHERE joined = '2020-01-01 02:00:00+02';

-- a timestamp with a date
SELECT id FROM people WHERE joined = date '2020-01-01';

-- a timestamp without time zone
SELECT id FROM people WHERE joined = timestamp '2020-01-01 00:00:00';

-- a timestamp that depends on the session's time zone
SET LOCAL timezone = 'Asia/Tokyo';
SELECT id, joined FROM people WHERE joined = '2020-01-01 09:00:00';

-- an int4, an int2 and an int8 beside an enc_int8
-- index: people_points
SELECT id FROM people WHERE points = 7;
SELECT id FROM people WHERE points = 7::int2 OR points = 8::int4 OR 9::int8 = points;

-- a numeric literal beside an enc_int8
-- error: 42883 an `enc_int8` beside a `numeric`, `float8` or `enc_numeric`
SELECT id FROM people WHERE points = 7.0;

-- a fraction beside an enc_int8
-- error: 42883 an `enc_int8` beside a `numeric`, `float8` or `enc_numeric`
SELECT id FROM people WHERE points < 0.5;

-- a float8 beside an enc_int8
-- error: 42883 an `enc_int8` beside a `numeric`, `float8` or `enc_numeric`
SELECT id FROM people WHERE points = 7::float8;

-- a numeric beside an enc_int8 that is cast
SELECT id FROM people WHERE points::int8 = 7.0 OR points::numeric < 0.5 OR points::float8 = 7.5;

-- a uuid in capitals
-- index: people_token
SELECT id FROM people WHERE token = upper((SELECT token::text FROM people WHERE id = 9))::uuid;

-- a uuid without hyphens
SELECT id FROM people WHERE token = md5('token9')::uuid;

-- bytes in hexadecimal and escape format
-- index: people_badge
SELECT id FROM people WHERE badge = decode(md5('7'), 'hex');
SELECT id FROM people WHERE badge = '\x';

-- an int4 literal beside an enc_numeric
SELECT id FROM people WHERE salary = 1000 OR salary > 9990;

-- a numeric equal in value and unlike in form
SELECT count(*) FROM people WHERE salary = (SELECT salary * 1.000 FROM people WHERE id = 10);

-- NaN
SELECT id FROM people WHERE salary = 'NaN';

-- jsonb equality
SELECT id FROM people WHERE profile = (SELECT profile::text::jsonb FROM people WHERE id = 5);

-- booleans
SELECT id FROM people WHERE active;
SELECT id FROM people WHERE NOT active AND active IS NOT NULL;
SELECT id FROM people WHERE active = true AND active IS NOT FALSE AND active <> 'f';
SELECT id FROM people WHERE active IS UNKNOWN;

-- <> skips NULL
SELECT id FROM people WHERE city <> 'Paris';

-- NOT and !=
SELECT id FROM people WHERE NOT (city = 'Paris') AND city != 'Lyon';

-- IS DISTINCT FROM
SELECT id FROM people WHERE city IS DISTINCT FROM 'Paris';
SELECT id FROM people WHERE city IS NOT DISTINCT FROM 'Lyon';
SELECT id FROM people WHERE boss IS DISTINCT FROM email;
SELECT id FROM people WHERE boss IS NOT DISTINCT FROM NULL;

-- IS NULL
-- index: people_city
SELECT count(*) FROM people WHERE city IS NULL;

-- IS NOT NULL
SELECT count(*), count(name), count(born) FROM people WHERE name IS NOT NULL AND born IS NULL;

-- comparison with NULL
SELECT id FROM people WHERE city = NULL;
SELECT (city = NULL) IS NULL, city <> NULL FROM people WHERE id < 4;

-- the empty string is not NULL
SELECT id FROM people WHERE nick = '';

-- case and trailing blanks count
SELECT count(*) FROM people WHERE city = 'paris';
SELECT count(*) FROM people WHERE city = 'Paris ';

-- different spellings of é are different
SELECT id FROM people WHERE name LIKE U&'\00C9%' OR name LIKE U&'E\0301%';

-- a varchar, a char and a name beside an enc_text
SELECT count(*) FROM people WHERE city = 'Paris'::varchar;
SELECT count(*) FROM people WHERE city = 'Paris'::varchar(10) OR city = 'Lyon'::name;
SELECT count(*) FROM people WHERE city = 'Paris   '::char(8);

-- a char column beside an enc_text
CREATE TEMP TABLE codes (city char(8)) ON COMMIT DROP;
INSERT INTO codes VALUES ('Paris'), ('Lyon');
SELECT count(*) FROM people p JOIN codes c ON c.city = p.city;

-- a literal of the column's own type
-- index: people_email_key
SELECT id FROM people WHERE email = 'user7@example.com'::enc_text(pii, deterministic);

-- a literal of the encrypted type without a scope
-- index: people_email_key
SELECT id FROM people WHERE email = 'user7@example.com'::enc_text;

-- a literal cast to the plain type
-- index: people_email_key
SELECT id FROM people WHERE email = 'user7@example.com'::text;

-- a column cast to the plain type
SELECT id FROM people WHERE email::text = 'user7@example.com';

-- an expression over literals
-- index: people_email_key
SELECT id FROM people WHERE email = 'user' || 7 || '@example.com';

-- a volatile expression
SELECT count(*) FROM people WHERE email = 'user' || (random() * 0)::int + 7 || '@example.com';

-- another column of the row
SELECT id FROM people WHERE email = 'user' || id || '@example.com';

-- two columns of one table
SELECT id FROM people WHERE email = boss;
SELECT id FROM people WHERE city <> boss AND id < 20;

-- an IN list of one
-- index: people_email_key
SELECT id FROM people WHERE email IN ('user7@example.com');

-- an IN list of nine
-- index: people_email_key
SELECT id FROM people WHERE email IN ('user1@example.com', 'user2@example.com', 'user3@example.com', 'user4@example.com',
    'user5@example.com', 'user6@example.com', 'user7@example.com', 'user8@example.com', 'nobody');

-- an IN list with NULL, duplicates and the empty string
SELECT id FROM people WHERE nick IN ('a1', NULL, 'a1', '', 'é2');
SELECT id FROM people WHERE nick NOT IN ('a1', 'a1', '', 'é2') AND id < 40;
SELECT id FROM people WHERE nick NOT IN ('a1', NULL);

-- IN lists of other kinds
SELECT id FROM people WHERE points IN (1, 2, 3, -110000000000);
SELECT id FROM people WHERE born IN ('1950-01-01', '1960-05-09', NULL);
SELECT id FROM people WHERE token IN (md5('token3')::uuid, md5('token4')::uuid);
SELECT id FROM people WHERE salary IN (1.5, 2, 3) OR active IN (false);

-- an IN list of columns and expressions
SELECT id FROM people WHERE email IN (boss, 'user' || id || '@example.com', city);

-- = ANY over an array literal
-- index: people_email_key
SELECT id FROM people WHERE email = ANY ('{user7@example.com,user8@example.com,nobody,NULL}');

-- = ANY over a text array
-- index: people_email_key
SELECT id FROM people WHERE email = ANY (ARRAY['user7@example.com', 'user8@example.com']::text[]);

-- <> ALL
SELECT id FROM people WHERE city <> ALL ('{Paris,Lyon}');

-- rows
SELECT id FROM people WHERE (city, points) = ('Paris', 7);
SELECT id FROM people WHERE (city, dept) IN (('Paris', 'ops'), ('Lyon', 'dev'), ('東京', NULL));
SELECT id FROM people WHERE (city, points) <> ('Paris', 7) AND id < 30;
SELECT id FROM people WHERE (email, city) IS DISTINCT FROM (boss, city) AND id < 30;

-- rows by order
SELECT id FROM people WHERE (born, id) < ('1960-01-01', 100);
SELECT id FROM people WHERE (points, email) >= (20, 'user5@example.com');

-- whole rows
SELECT count(*) FROM vehicles v JOIN cars c ON (v.plate, v.wheels) = (c.plate, c.wheels);

-- whole rows with a randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT count(*) FROM orders a JOIN orders b ON a = b;

-- OR over one column and over two
SELECT id FROM people WHERE city = 'Paris' OR city = 'Lyon' OR points = 3;

-- a contradiction
SELECT id FROM people WHERE city = 'Paris' AND city = 'Lyon';

-- an equality that follows from two others
SELECT p.id, o.id FROM people p JOIN orders o ON o.email = p.email WHERE p.email = 'user7@example.com';
SELECT p.id, o.id FROM people p JOIN orders o ON o.email = p.email WHERE o.email = 'user8@example.com';

-- equality as a value
SELECT id, city = 'Paris' AS p, points = 7 AS seven, email = boss AS own FROM people WHERE id < 40;

-- equality of a randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT id FROM people WHERE name = 'Ada B';

-- IN on a randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT id FROM people WHERE name IN ('Ada B', 'Ada C');

-- IS DISTINCT FROM on a randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
SELECT id FROM people WHERE visits IS DISTINCT FROM 7;

-- a randomised column cast to its plain type
SELECT id FROM people WHERE name::text = 'Ada B' OR died::date IN ('2010-03-05') OR visits::int8 = 7 OR photo::bytea = '\x00';

-- two scopes
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
SELECT * FROM people p JOIN patients q ON p.email = q.email;

-- two scopes, cast
SELECT p.id, diagnosis FROM people p JOIN patients q ON p.email::text = q.email::text;

-- a column of another scope, as a filter of each
SELECT p.id FROM people p, patients q WHERE p.email = 'user3@example.com' AND q.email = 'user3@example.com';

-- a nondeterministic collation
-- error: RMT02 equality under a nondeterministic collation
SELECT * FROM labels WHERE word = 'word';

-- a nondeterministic collation, cast
SELECT id FROM labels WHERE word::text = 'WORD' COLLATE ignore_case;

-- an explicit collation
SELECT id FROM people WHERE email = 'user7@example.com' COLLATE "C";
SELECT id FROM people WHERE nick COLLATE "C" = 'a1' OR city < 'Lyon' COLLATE "C";
