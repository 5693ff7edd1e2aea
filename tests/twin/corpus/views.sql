-- a view
-- index: people_city
SELECT id, email FROM parisians WHERE email = 'user8@example.com' OR points = 3;

-- a view joined with its table
SELECT v.id, p.dept FROM parisians v JOIN people p USING (email) WHERE p.points > 20;

-- a view that is written
INSERT INTO parisians VALUES (1000, 'p@example.com', 'Pierre', 'Paris', 5);
UPDATE parisians SET name = 'Renamed', points = points + 1 WHERE email = 'user8@example.com' RETURNING *;
UPDATE parisians SET email = lower(email) WHERE points = 7;
DELETE FROM parisians WHERE email IN ('user10@example.com', 'p@example.com');

-- a view's check option
-- both: 44000
INSERT INTO parisians VALUES (1000, 'p@example.com', 'Pierre', 'Lyon', 5);

-- a view's check option, by an update
-- both: 44000
UPDATE parisians SET city = 'Lyon' WHERE email = 'user8@example.com';

-- a view with UPSERT
INSERT INTO parisians VALUES (1000, 'user8@example.com', 'New', 'Paris', 1) ON CONFLICT (email) DO UPDATE SET name = excluded.name;

-- a view over groups
SELECT * FROM spending WHERE email = 'user8@example.com';
SELECT city, sum(bought), sum(total) FROM spending GROUP BY city;

-- a view that casts
CREATE TEMP VIEW plainly AS SELECT id, email::text AS email, born::date AS born, coalesce(city::text, '?') AS city FROM people;
SELECT * FROM plainly WHERE email = 'user7@example.com' OR city = '?' OR born > '1998-01-01';

-- a view over a UNION
CREATE TEMP VIEW addresses AS SELECT email FROM people UNION SELECT email FROM orders;
SELECT count(*) FROM addresses;
SELECT * FROM addresses WHERE email IN ('user7@example.com', 'stranger21@example.com');

-- a view with a literal, a security barrier and a lateral join
CREATE TEMP VIEW lyon WITH (security_barrier) AS SELECT id, email, name FROM people WHERE city = 'Lyon';
SELECT * FROM lyon WHERE email LIKE 'user1%';
SELECT id FROM lyon WHERE email = 'user9@example.com';

-- a materialized view
SELECT * FROM city_counts WHERE city = 'Paris' OR least < 0;
SELECT p.id, c.n FROM people p JOIN city_counts c ON c.city = p.city WHERE p.id < 30;

-- a materialized view that is refreshed
UPDATE people SET city = 'Rome', salary = 9999 WHERE city = 'Lyon';
REFRESH MATERIALIZED VIEW city_counts;
REFRESH MATERIALIZED VIEW rich_people;
SELECT * FROM city_counts;
SELECT * FROM rich_people;

-- a materialized view with a unique index, refreshed concurrently
CREATE UNIQUE INDEX ON rich_people (id);
UPDATE people SET salary = 9999, email = upper(email) WHERE id < 10;
REFRESH MATERIALIZED VIEW CONCURRENTLY rich_people;
SELECT * FROM rich_people WHERE salary > 9000;

-- an index on a materialized view
-- index: rich_people_email
CREATE INDEX rich_people_email ON rich_people (email);
SELECT id FROM rich_people WHERE email = 'user7@example.com';

-- row security, nobody
SELECT * FROM memos;

-- row security by an encrypted column
SET LOCAL twin.me = 'ann';
SELECT * FROM memos;
SELECT count(*) FROM memos WHERE owner = 'ben' OR body LIKE '%1%';
SELECT a.id, b.id FROM memos a JOIN memos b ON a.owner = b.owner AND a.id < b.id WHERE a.id > 15;

-- row security and an index
-- index: memos_owner
SELECT id FROM memos WHERE owner = 'ann';

-- row security on writes
SET LOCAL twin.me = 'ben';
INSERT INTO memos VALUES (100, 'ben', NULL, 'mine'), (101, 'ben', 'ann', 'shared');
UPDATE memos SET body = upper(body), reader = 'ann' WHERE id > 30;
DELETE FROM memos WHERE id < 25;
SELECT * FROM memos;

-- row security refuses another's row
-- both: 42501
SET LOCAL twin.me = 'ben';
INSERT INTO memos VALUES (100, 'ann', NULL, 'not mine');

-- row security refuses an update to another's row
-- both: 42501
SET LOCAL twin.me = 'ben';
UPDATE memos SET owner = 'ann' WHERE id = 25;

-- a policy with a subquery
CREATE POLICY friends ON memos FOR SELECT USING (owner IN (SELECT nick FROM people WHERE city = 'Paris' UNION ALL SELECT 'ben'));
SELECT id, owner FROM memos;

-- a policy with a column of another table
CREATE POLICY buyers ON orders USING (email = (SELECT email FROM people WHERE id = current_setting('twin.id')::int));
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
SET LOCAL twin.id = '7';
SELECT id, email FROM orders;
UPDATE orders SET note = 'mine' WHERE code > 3 RETURNING id;

-- rules
CREATE RULE soft_delete AS ON DELETE TO vehicles DO INSTEAD UPDATE vehicles SET owner = NULL WHERE plate = OLD.plate;
DELETE FROM vehicles WHERE plate = 'AB-1';

-- a rule that copies
CREATE RULE copies AS ON INSERT TO vehicles WHERE NEW.plate = 'ZZ-1' DO ALSO INSERT INTO journal VALUES (NEW.plate, 'rule', 'insert', NEW.owner);
INSERT INTO vehicles VALUES ('ZZ-1', 'Zed', 4), ('ZZ-2', 'Zoe', 4);
