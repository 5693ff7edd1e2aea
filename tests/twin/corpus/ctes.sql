-- a CTE that is inlined
-- index: people_email_key
WITH p AS (SELECT * FROM people) SELECT id FROM p WHERE email = 'user7@example.com';

-- a materialized CTE
WITH p AS MATERIALIZED (SELECT email, city FROM people WHERE points > 9)
SELECT a.email FROM p a JOIN p b ON a.city = b.city WHERE a.email = 'user7@example.com' OR b.city = 'Lyon';

-- a CTE read twice
WITH c AS (SELECT city, count(*) AS n FROM people GROUP BY city)
SELECT a.city, b.city FROM c a JOIN c b ON a.n = b.n AND a.city <> b.city;

-- a recursive CTE along an encrypted key
WITH RECURSIVE up AS (
    SELECT id, email, boss, 1 AS depth FROM people WHERE id = 200
    UNION ALL SELECT p.id, p.email, p.boss, depth + 1 FROM people p JOIN up ON p.email = up.boss)
SELECT * FROM up;

-- a recursive CTE that removes duplicates
WITH RECURSIVE down AS (
    SELECT email FROM people WHERE id = 2
    UNION SELECT p.email FROM people p JOIN down d ON p.boss = d.email)
SELECT count(*), min(email) FROM down;

-- a recursive CTE with SEARCH
-- error: RMT05 ordering arrays or rows that hold encrypted values
WITH RECURSIVE t AS (
    SELECT email, boss FROM people WHERE id = 2
    UNION ALL SELECT p.email, p.boss FROM people p JOIN t ON p.boss = t.email AND p.id < 60)
SEARCH DEPTH FIRST BY email SET o SELECT email FROM t ORDER BY o;

-- a recursive CTE with CYCLE
WITH RECURSIVE t (email, boss) AS (
    SELECT email, boss FROM people WHERE id = 20
    UNION ALL SELECT p.email, p.boss FROM people p JOIN t ON p.email = t.boss)
CYCLE email SET looped USING path SELECT email, looped FROM t;

-- a recursive CTE that begins with a literal
WITH RECURSIVE t (e) AS (
    SELECT 'user200@example.com'::enc_text(pii, deterministic)
    UNION ALL SELECT p.boss FROM people p JOIN t ON p.email = t.e)
SELECT e FROM t;

-- INSERT in a CTE
WITH made AS (INSERT INTO orders (id, email, code) VALUES (1001, 'new@example.com', 5), (1002, NULL, NULL) RETURNING *)
SELECT id, email, code, amount FROM made;

-- UPDATE in a CTE
WITH moved AS (UPDATE people SET city = 'Rome' WHERE city = 'Lyon' RETURNING id, email, city)
SELECT count(*), min(email), max(city) FROM moved;

-- DELETE in a CTE, archived
CREATE TEMP TABLE archive (id int, email enc_text(pii, deterministic), note enc_text(pii)) ON COMMIT DROP;
WITH gone AS (DELETE FROM orders WHERE email = 'user7@example.com' OR code = 3 RETURNING id, email, note)
INSERT INTO archive SELECT * FROM gone;

-- several writes in one statement
WITH a AS (UPDATE orders SET email = 'user1@example.com' WHERE code = 4 RETURNING email),
     b AS (INSERT INTO visits_by_hash SELECT email, 'from cte', count(*) FROM a GROUP BY email RETURNING *)
SELECT * FROM b;

-- a CTE in a DML statement
WITH top AS (SELECT email FROM orders GROUP BY email HAVING count(*) > 6)
UPDATE people SET points = 999 FROM top WHERE people.email = top.email;
WITH top AS (SELECT email FROM orders GROUP BY email HAVING count(*) > 6)
DELETE FROM people USING top WHERE people.email = top.email;

-- a CTE of literals
WITH v (c, n) AS (VALUES ('Paris', 1), ('Lyon', 2)) SELECT id, n FROM people JOIN v ON city = c;

-- a CTE of encrypted literals
WITH v (c) AS (VALUES ('Paris'::enc_text), ('Lyon')) SELECT id FROM people JOIN v ON city = c;
WITH v AS MATERIALIZED (SELECT 'Paris'::enc_text AS c) SELECT id FROM people, v WHERE city = c;
