-- a cursor read forwards
DECLARE c CURSOR FOR SELECT id, email FROM people WHERE city = 'Lyon' ORDER BY email;
FETCH 3 FROM c;
FETCH NEXT FROM c;
MOVE 5 IN c;
FETCH ALL FROM c;
CLOSE c;

-- a scroll cursor
-- ordered
DECLARE c SCROLL CURSOR FOR SELECT id, email FROM people ORDER BY email NULLS FIRST, id;
FETCH LAST FROM c;
FETCH PRIOR FROM c;
FETCH ABSOLUTE 20 FROM c;
FETCH RELATIVE -5 FROM c;
FETCH BACKWARD 4 FROM c;
FETCH FIRST FROM c;
FETCH ABSOLUTE -3 FROM c;
FETCH BACKWARD ALL FROM c;

-- a scroll cursor over an index condition
DECLARE c SCROLL CURSOR FOR SELECT id FROM people WHERE email IN ('user1@example.com', 'user2@example.com', 'user3@example.com') AND points >= 0;
MOVE FORWARD ALL IN c;
FETCH BACKWARD ALL FROM c;

-- a scroll cursor over a join
DECLARE c SCROLL CURSOR FOR SELECT p.id, o.id FROM people p JOIN orders o USING (email) WHERE p.city = 'Lyon';
MOVE FORWARD ALL IN c;
FETCH BACKWARD ALL FROM c;

-- WHERE CURRENT OF
DECLARE c CURSOR FOR SELECT email FROM people WHERE email = 'user7@example.com' FOR UPDATE;
FETCH c;
UPDATE people SET email = 'current@example.com', city = 'Rome' WHERE CURRENT OF c;
SELECT id, city FROM people WHERE email = 'current@example.com';

-- a cursor that does not see later changes
DECLARE c INSENSITIVE CURSOR FOR SELECT count(*), max(email) FROM people WHERE city = 'Lyon';
UPDATE people SET city = 'Lyon';
FETCH c;

-- a prepared statement of an encrypted parameter
PREPARE q (enc_text) AS SELECT id FROM people WHERE boss = $1;
EXECUTE q ('user7@example.com');
EXECUTE q ('user8' || '@example.com');

-- a cursor that a savepoint closes
SAVEPOINT s;
DECLARE c CURSOR FOR SELECT city FROM people WHERE id < 4;
FETCH 1 FROM c;
ROLLBACK TO s;
DECLARE c CURSOR FOR SELECT city FROM people WHERE id < 4;
FETCH 1 FROM c;
