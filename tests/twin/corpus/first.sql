-- equality on a unique deterministic column
-- index: people_email_key
SELECT * FROM people WHERE email = 'user7@example.com';

-- equality with a parameter
-- index: people_email_key
-- parameters: user7@example.com
-- parameters: nobody
-- parameters: \N
SELECT id, name FROM people WHERE email = $1;

-- order by
-- ordered
SELECT name, email FROM people ORDER BY name, email;
