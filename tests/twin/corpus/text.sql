-- LIKE and ILIKE
SELECT id FROM people WHERE name LIKE 'A%';
SELECT id FROM people WHERE email LIKE 'user1_@example.com' AND email NOT LIKE '%5@%';
SELECT id FROM people WHERE name ILIKE '%É%' OR city ILIKE 'paris';
SELECT id FROM people WHERE name LIKE '%!%%' ESCAPE '!' OR city LIKE '東%';
SELECT id FROM people WHERE 'Paris and more' LIKE city || '%';
SELECT id FROM people WHERE email LIKE ANY ('{user1%,%9@%}') AND name NOT ILIKE ALL ('{a%,%b}');

-- LIKE with an exact pattern
SELECT id FROM people WHERE email LIKE 'user7@example.com';

-- LIKE by operator
SELECT id FROM people WHERE name ~~ 'A%' AND name !~~* '%b' AND email ^@ 'user1';

-- regular expressions
SELECT id FROM people WHERE email ~ '^user[12]\d*@';
SELECT id FROM people WHERE name ~* '^ada' OR name !~ '[A-Z]$';
SELECT id, regexp_replace(name, '(\w+) (\w)', '\2. \1'), regexp_match(email, '(\d+)@'), substring(email FROM '\d+') FROM people;
SELECT id, m FROM people, regexp_matches(email, '[aeiou]', 'g') m WHERE id < 10;
SELECT id, regexp_count(email, 'e'), regexp_instr(email, '@'), regexp_like(name, 'ad', 'i'), regexp_substr(name, '\w+') FROM people;
SELECT id, regexp_split_to_array(name, '\s') FROM people;

-- SIMILAR TO
SELECT id FROM people WHERE name SIMILAR TO '(Ada|ada) [A-M]';
SELECT id, substring(email SIMILAR 'user#"%#"@%' ESCAPE '#') FROM people;

-- concatenation
SELECT id, name || ' of ' || city, 'Dear ' || name, email || id, name || points, name || NULL FROM people;
SELECT id, concat(name, ' ', city, ' ', born, ' ', points, NULL), concat_ws('/', email, boss, active) FROM people;
SELECT id, format('%s <%s> %I %L %10s|%-10s|', name, email, nick, city, points, born) FROM people;

-- functions of text
SELECT id, upper(name), lower(name), initcap(name), length(name), char_length(name), octet_length(name), bit_length(nick) FROM people;
SELECT id, substr(name, 2), substring(name FROM 2 FOR 3), left(name, 3), right(name, -2), reverse(name), repeat(nick, 2) FROM people;
SELECT id, trim(name), btrim(name, 'aA'), ltrim(email, 'user'), rtrim(email, 'com'), lpad(nick, 5, '*'), rpad(nick, 5) FROM people;
SELECT id, replace(email, 'example', 'test'), translate(name, 'aeiou', '12345'), overlay(email PLACING 'xx' FROM 1 FOR 4), split_part(email, '@', 1) FROM people;
SELECT id, position('@' IN email), strpos(name, ' '), ascii(name), md5(email), starts_with(email, 'user2'), quote_literal(name), quote_ident(nick) FROM people;
SELECT id, string_to_array(email, '@'), to_tsvector('simple', name), encode(convert_to(name, 'UTF8'), 'hex'), unistr('\0041') || name FROM people;
SELECT id, normalize(name, NFC) = normalize(name, NFD), name IS NFC NORMALIZED, parse_ident('a.b') FROM people;

-- functions of text beside a column
SELECT id FROM people WHERE email = lower('USER7@EXAMPLE.COM');
SELECT id FROM people WHERE lower(email) = 'user7@example.com' OR upper(city) = 'PARIS' AND length(nick) = 0;
SELECT id FROM people WHERE boss = replace(email, id::text, (id / 3)::text);
SELECT id FROM people WHERE email = concat('user', id, '@example.com') AND city = trim('  Lyon ');

-- string_agg and string_to_table
SELECT string_agg(DISTINCT lower(city), ',' ORDER BY lower(city)) FROM people;
SELECT id, t FROM people, string_to_table(email, '@') t WHERE id < 10;

-- full text search
SELECT id FROM people WHERE to_tsvector('simple', name) @@ to_tsquery('simple', 'ada & b');
SELECT id, ts_rank(to_tsvector('simple', note), plainto_tsquery('simple', 'urgent')), ts_headline('simple', note, to_tsquery('simple', 'note')) FROM orders;

-- COLLATE
-- ordered
SELECT name, id FROM people ORDER BY name COLLATE "C", id;
SELECT id, name < 'a' COLLATE "C", name COLLATE "C" < 'a', name < 'a' FROM people ORDER BY id;
SELECT max(name COLLATE "C"), min(city COLLATE "C"), max(nick), greatest('b' COLLATE "C", 'C') FROM people;
SELECT upper(nick COLLATE "C"), lower(name COLLATE "en-x-icu") FROM people ORDER BY id;

-- a collation in GROUP BY and DISTINCT
SELECT city COLLATE "C" AS c, count(*) FROM people GROUP BY city COLLATE "C";
SELECT DISTINCT nick COLLATE "en-x-icu" FROM people;

-- collations that disagree
-- both: 42P21
SELECT name COLLATE "C" < city COLLATE "en-x-icu" FROM people;

-- implicit collations that disagree
-- both: 42P22
SELECT upper(nick) < upper(note) FROM people JOIN (SELECT 'x' COLLATE "en-x-icu" AS note) o ON true;

-- equality needs no collation
SELECT id FROM people WHERE nick = city OR nick = lower('A1');

-- unicode escapes, dollar quotes and escapes in literals
SELECT id FROM people WHERE city = U&'\6771\4EAC' OR city = E'Ly\x6fn' OR city = $$Paris$$;
SELECT id FROM people WHERE name::text LIKE 'O''B%' OR nick = N'a1';

-- a nondeterministic collation of a literal
-- error: RMT02 equality under a nondeterministic collation
SELECT id FROM people WHERE email = 'USER7@EXAMPLE.COM' COLLATE ignore_case;

-- a nondeterministic collation of a column
-- error: RMT02 equality under a nondeterministic collation
SELECT id FROM people WHERE 'PARIS' = city COLLATE ignore_case;

-- a nondeterministic collation in IN
-- error: RMT02 equality under a nondeterministic collation
SELECT id FROM people WHERE city COLLATE ignore_case IN ('PARIS', 'LYON');

-- a nondeterministic collation in GROUP BY
-- error: RMT02 equality under a nondeterministic collation
SELECT count(*) FROM people GROUP BY city COLLATE ignore_case;

-- a nondeterministic collation in DISTINCT
-- error: RMT02 equality under a nondeterministic collation
SELECT DISTINCT city COLLATE ignore_case FROM people WHERE city ILIKE 'paris';

-- a nondeterministic collation in a join
-- error: RMT02 equality under a nondeterministic collation
SELECT a.id, b.id FROM people a JOIN people b ON a.city COLLATE ignore_case = b.city;

-- a nondeterministic collation in a UNION
-- error: RMT02 equality under a nondeterministic collation
SELECT word FROM labels UNION SELECT word FROM labels;

-- a nondeterministic collation in an index
-- error: RMT02 equality under a nondeterministic collation
CREATE INDEX ON labels (word);

-- a nondeterministic collation of a cast column
SELECT id FROM people WHERE email::text = 'USER7@EXAMPLE.COM' COLLATE ignore_case;
SELECT count(*) FROM people GROUP BY city::text COLLATE ignore_case;
SELECT id FROM labels WHERE word < 'WORD' OR word > 'a' ORDER BY word, id;
