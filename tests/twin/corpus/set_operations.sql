-- UNION of two columns
SELECT email FROM people UNION SELECT email FROM orders;
SELECT city FROM people UNION SELECT city FROM visits_by_city UNION SELECT city FROM people WHERE id < 9;

-- UNION ALL
SELECT email, city FROM people WHERE id < 9 UNION ALL SELECT email, 'Paris' FROM orders WHERE id < 9;
SELECT name FROM people WHERE id < 9 UNION ALL SELECT note FROM orders WHERE id < 9;

-- INTERSECT and EXCEPT
SELECT email FROM people INTERSECT SELECT email FROM orders;
SELECT email FROM orders EXCEPT SELECT email FROM people;
SELECT city FROM people INTERSECT ALL SELECT city FROM visits_by_city;
SELECT email, city FROM people EXCEPT ALL SELECT email, city FROM people WHERE city = 'Paris';

-- set operations over every deterministic kind
SELECT born, joined, points, token, badge FROM people WHERE id < 50 UNION SELECT born, joined, points, token, badge FROM people WHERE id > 30;
SELECT points FROM people INTERSECT SELECT code FROM orders;

-- UNION of columns of two lengths of rows
SELECT email, points FROM people UNION SELECT email, code FROM orders;

-- UNION with a literal
-- error: RMT04 `GROUP BY`, `DISTINCT` or `UNION` that mixes a column with a literal
SELECT city FROM people UNION SELECT 'Paris';

-- UNION with a literal, typed
SELECT city FROM people UNION SELECT 'Paris'::enc_text(pii, deterministic);

-- UNION with a literal, cast
SELECT city::text FROM people UNION SELECT 'Paris';

-- UNION with a plain column
SELECT email FROM people UNION SELECT dept FROM people;
SELECT dept FROM people UNION ALL SELECT city FROM people;
SELECT email::text FROM people UNION SELECT dept FROM people;

-- UNION over a randomised column
-- error: RMT02 `GROUP BY`, `DISTINCT` or `UNION` over a randomised column
SELECT name FROM people UNION SELECT note FROM orders;

-- UNION over a randomised column, cast
SELECT name::text FROM people UNION SELECT note::text FROM orders;

-- UNION of a deterministic and a randomised column
-- error: RMT02 `GROUP BY`, `DISTINCT` or `UNION` over a randomised column
SELECT email FROM people UNION SELECT name FROM people;

-- UNION of columns of two scopes
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
SELECT email FROM people UNION SELECT email FROM patients;

-- UNION ALL of columns of two scopes
SELECT email FROM people WHERE id < 5 UNION ALL SELECT email FROM patients;

-- UNION with NULL
SELECT city FROM people UNION SELECT NULL;

-- UNION with ORDER BY
-- error: RMT05 `ORDER BY` an encrypted column of `UNION`, `INTERSECT` or `EXCEPT`
SELECT city FROM people UNION SELECT email FROM orders WHERE id < 30 ORDER BY 1;

-- UNION ALL with ORDER BY and LIMIT
-- error: RMT05 `ORDER BY` an encrypted column of `UNION`, `INTERSECT` or `EXCEPT`
SELECT email FROM people UNION ALL SELECT email FROM orders ORDER BY email DESC NULLS LAST LIMIT 20;

-- UNION ALL with ORDER BY and LIMIT, cast
-- ordered
SELECT email::text FROM people UNION ALL SELECT email FROM orders ORDER BY email DESC NULLS LAST LIMIT 20;

-- ORDER BY around a UNION
-- ordered
SELECT city FROM (SELECT city FROM people UNION SELECT city FROM visits_by_city) s ORDER BY city;

-- ORDER BY inside a branch
SELECT * FROM (SELECT email FROM people ORDER BY email LIMIT 3) a UNION (SELECT email FROM orders ORDER BY email DESC, id LIMIT 3);

-- a set operation in a subquery
SELECT id FROM people WHERE email IN (SELECT email FROM orders WHERE code = 3 UNION SELECT boss FROM people WHERE id < 9);
SELECT e, count(*) FROM (SELECT email FROM people UNION ALL SELECT email FROM orders) s (e) WHERE e < 'user2' GROUP BY e;
SELECT id FROM (SELECT id, email FROM people UNION ALL SELECT id, email FROM orders) s WHERE email = 'user7@example.com';

-- a condition pushed into a UNION ALL
-- index: people_email_key
SELECT id FROM (SELECT id, email FROM people UNION ALL SELECT -id, boss FROM people) s WHERE email = 'user9@example.com';

-- nested set operations
(SELECT city FROM people WHERE id < 20 UNION SELECT city FROM people WHERE id > 200) EXCEPT SELECT city FROM visits_by_city;

-- VALUES
SELECT city FROM people INTERSECT VALUES ('Paris'), ('Lyon'), ('Rome');
