-- operators
SELECT id, profile -> 'age', profile ->> 'age', profile -> 'home' ->> 'city', profile #>> '{langs,1}', profile #> '{home}' FROM people;
SELECT id, profile - 'age', profile || '{"x": 1}', profile #- '{home,city}', profile - '{age,langs}'::text[] FROM people;

-- conditions
SELECT id FROM people WHERE profile ->> 'age' = '15';
SELECT id FROM people WHERE (profile ->> 'age')::int > 50 AND profile -> 'langs' @> '["l1"]';
SELECT id FROM people WHERE profile @> '{"home": {"city": "c3"}}' OR profile <@ '{}' OR profile ? 'none';
SELECT id FROM people WHERE profile ?| '{age,none}' AND profile ?& '{age,home}';

-- subscripts
-- error: 42804 subscripts of an `enc_jsonb`
SELECT id FROM people WHERE profile['home']['city'] = '"c2"';

-- subscripts, cast
SELECT id FROM people WHERE (profile::jsonb)['home']['city'] = '"c2"';

-- paths
SELECT id FROM people WHERE profile @? '$.langs[*] ? (@ == "l2")' AND profile @@ '$.age > 40';
SELECT id, jsonb_path_query_array(profile, '$.langs[*]'), jsonb_path_exists(profile, '$.home.city') FROM people;

-- functions
SELECT id, jsonb_typeof(profile), jsonb_array_length(profile -> 'langs'), jsonb_pretty(profile), jsonb_strip_nulls(profile) FROM people;
SELECT id, k, v FROM people, jsonb_each(profile) e (k, v) WHERE id < 10;
SELECT id, l FROM people, jsonb_array_elements_text(profile -> 'langs') l WHERE id < 10;
SELECT id, x.age, x.langs FROM people, jsonb_to_record(profile) x (age int, langs text[]) WHERE id < 10;

-- equality and order
SELECT id FROM people WHERE profile = '{"age": 15, "langs": ["fr", "l1"], "home": {"city": "c1"}, "score": 1.5}';
SELECT a.id, b.id FROM people a JOIN people b ON a.profile = b.profile AND a.id < b.id;

-- numbers keep their digits
SELECT id, profile ->> 'score', (profile -> 'score')::numeric FROM people WHERE id < 10;

-- writing
UPDATE people SET profile = profile || '{"vip": true}' WHERE id < 10;
UPDATE people SET profile = jsonb_set(profile, '{home,city}', to_jsonb(city::text)) WHERE id BETWEEN 10 AND 15 AND city IS NOT NULL;
INSERT INTO people (id, profile) VALUES (1000, '[1, 2.50, "é", null]'), (1001, 'null'), (1002, '"text"');

-- values of encrypted types in json
SELECT to_json(p) FROM people p WHERE id < 20;
SELECT row_to_json(r) FROM (SELECT email, points, salary, active, born, joined, profile, tags, token, badge FROM people WHERE id < 20) r;
SELECT jsonb_build_object('e', email, 'p', points, 's', salary, 'b', born, 'a', active, 'j', profile, 't', joined, 'g', tags) FROM people WHERE id < 20;
SELECT json_agg(points ORDER BY id), jsonb_agg(active ORDER BY id), json_object_agg(id, joined ORDER BY id) FROM people WHERE id < 20;
SELECT to_jsonb(email), to_json(points), to_jsonb(salary), json_build_array(active, visits, profile), jsonb_build_array(seen, died) FROM people WHERE id < 20;

-- an encrypted column as a key of a json object
SELECT jsonb_object_agg(email, city) FROM people WHERE email IS NOT NULL;
SELECT json_object(ARRAY[email::text, 'city'], ARRAY[name::text, city::text]) FROM people WHERE id < 5;

-- json to encrypted columns
SELECT * FROM jsonb_populate_record(NULL::cars, '{"plate": "AB-9", "owner": "Eve", "wheels": 3, "seats": 2}');
INSERT INTO cars SELECT * FROM jsonb_populate_recordset(NULL::cars, '[{"plate": "AB-9", "seats": 2}, {"plate": "AB-1", "owner": "Eve", "wheels": 3}]');
SELECT plate FROM jsonb_to_recordset('[{"plate": "AB-1"}, {"plate": "x"}]') r (plate enc_text(pii, deterministic)) JOIN cars USING (plate);

-- xml
SELECT xmlforest(email, points, active, joined, born, salary) FROM people WHERE id < 20;
SELECT xmlelement(NAME p, xmlattributes(email AS mail, active AS on_duty), name, joined) FROM people WHERE id < 20;
SELECT xmlagg(xmlelement(NAME e, email) ORDER BY id), xmlconcat(xmlelement(NAME a, max(seen))) FROM people WHERE id < 20;
SELECT xpath('//p/@mail', xmlelement(NAME p, xmlattributes(email AS mail))) FROM people WHERE id < 20;

-- xml of a query
-- error: RMT09 encrypted columns in the query of `query_to_xml`, `table_to_xml` and their kin
SELECT query_to_xml('SELECT id, email, active, joined, salary FROM people WHERE id < 9 ORDER BY id', true, false, '');
