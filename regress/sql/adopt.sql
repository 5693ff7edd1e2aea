-- An existing application's tables become encrypted; its queries do not change.
CREATE SCHEMA adopt;
SET search_path = adopt, public;
\set SHOW_CONTEXT never
SET datestyle = ISO;
SELECT rampart.create_scope('adopt');
SELECT rampart.grant_scope('adopt', current_user::regrole);

CREATE TABLE country (code char(2) PRIMARY KEY);
CREATE TABLE customers (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email   text NOT NULL CONSTRAINT customers_email_key UNIQUE,
    phone   varchar(20) DEFAULT 'unknown',
    born    date CHECK (born > '1800-01-01'),
    balance numeric(12,2) NOT NULL DEFAULT 0 CHECK (balance >= 0),
    country char(2) REFERENCES country,
    seen    timestamptz
);
CREATE INDEX customers_phone ON customers (phone);
CREATE TABLE orders (id int PRIMARY KEY, customer bigint REFERENCES customers, item text);
INSERT INTO country VALUES ('GB'), ('US');
INSERT INTO customers (email, phone, born, balance, country, seen)
SELECT 'user' || n || '@example.com', '+44' || n, date '1970-01-01' + n, n / 4.0, ('{GB,US}'::text[])[n % 2 + 1],
       timestamptz '2024-01-01 00:00+00' + n * interval '1 hour'
FROM generate_series(1, 1000) n;
INSERT INTO orders SELECT n, n % 1000 + 1, 'item' || n FROM generate_series(1, 2000) n;

-- The application: prepared once here and run before and after, with results compared.
CREATE TABLE application (number int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO application (query) VALUES
    ($$SELECT id, email, phone, born, balance FROM customers WHERE email = 'user42@example.com'$$),
    ($$SELECT count(*) FROM customers WHERE email IN ('user1@example.com', 'user2@example.com', 'x')$$),
    ($$SELECT email FROM customers WHERE phone = '+4477'$$),
    ($$SELECT email FROM customers WHERE email LIKE 'user99%' ORDER BY email$$),
    ($$SELECT c.email, o.item FROM customers c JOIN orders o ON o.customer = c.id
       WHERE c.email = 'user7@example.com' ORDER BY o.id$$),
    ($$SELECT country, count(*), sum(balance), min(born) FROM customers GROUP BY country ORDER BY country$$),
    ($$SELECT email FROM customers WHERE born < '1970-01-10' AND balance > 1.5 ORDER BY born DESC$$),
    ($$SELECT date_trunc('day', seen), count(*) FROM customers GROUP BY 1 ORDER BY 1 LIMIT 3$$),
    ($$SELECT seen::date, count(*) FROM customers GROUP BY 1 ORDER BY 1 LIMIT 3$$),
    ($$SELECT email FROM customers ORDER BY email OFFSET 10 LIMIT 3$$),
    ($$SELECT upper(email), length(phone), extract(year FROM born), round(balance, 1) FROM customers WHERE id = 5$$),
    ($$SELECT count(*) FROM customers WHERE phone IS NULL OR born IS NOT NULL$$);
CREATE FUNCTION answers() RETURNS TABLE (number int, answer text) LANGUAGE plpgsql AS $$
DECLARE
    q record;
BEGIN
    FOR q IN SELECT * FROM application a ORDER BY a.number LOOP
        number := q.number;
        EXECUTE format('SELECT string_agg(r::text, E''\n'') FROM (%s) r', q.query) INTO answer;
        RETURN NEXT;
    END LOOP;
END
$$;
CREATE TABLE before AS SELECT * FROM answers();
SELECT count(*) AS queries, bool_and(answer IS NOT NULL) AS answered FROM before;

-- One statement a column, or one for all of them.
ALTER TABLE customers ALTER COLUMN email TYPE enc_text(adopt, deterministic);
ALTER TABLE customers
    ALTER COLUMN phone TYPE enc_text(adopt, deterministic),
    ALTER COLUMN born TYPE enc_date(adopt),
    ALTER COLUMN balance TYPE enc_numeric(adopt),
    ALTER COLUMN seen TYPE enc_timestamptz(adopt);
\d customers
SELECT number, query FROM answers() JOIN before USING (number) JOIN application USING (number)
WHERE answers.answer IS DISTINCT FROM before.answer;
SELECT plan($$SELECT id FROM customers WHERE email = 'user42@example.com'$$);
SELECT plan($$SELECT id FROM customers WHERE phone = '+4477'$$);

-- Unique, not null, default, check and foreign keys hold.
INSERT INTO customers (email) VALUES ('user42@example.com');
INSERT INTO customers (email) VALUES (NULL);
INSERT INTO customers (email, born) VALUES ('old@example.com', '1799-12-31');
INSERT INTO customers (email, balance) VALUES ('poor@example.com', -1);
INSERT INTO customers (email, country) VALUES ('nowhere@example.com', 'XX');
INSERT INTO customers (email) VALUES ('new@example.com') RETURNING email, phone, balance;
INSERT INTO customers (email, phone) VALUES ('new@example.com', '1')
ON CONFLICT (email) DO UPDATE SET phone = excluded.phone RETURNING phone;
UPDATE customers SET balance = balance + 10, email = lower(upper(email)) WHERE email = 'user1@example.com'
RETURNING balance;
DELETE FROM customers WHERE email = 'new@example.com' RETURNING email;
SELECT count(*) FROM customers, rampart.inspect(rampart.ciphertext(phone)) i WHERE i.mode <> 'deterministic';

-- A randomised column cannot be indexed.
CREATE INDEX customers_balance ON customers (balance);

-- A text column that others refer to: the columns that foreign keys tie together are converted in one step.
CREATE TABLE member (handle text PRIMARY KEY, sponsor text REFERENCES member);
CREATE TABLE post (
    id int PRIMARY KEY,
    author text CONSTRAINT post_author REFERENCES member ON UPDATE CASCADE DEFERRABLE
);
CREATE TABLE comment (post int REFERENCES post, author text NOT NULL REFERENCES member (handle) ON DELETE CASCADE);
CREATE INDEX post_by_author ON post (author);
INSERT INTO member VALUES ('ada', NULL), ('grace', 'ada');
INSERT INTO post VALUES (1, 'ada'), (2, 'ada'), (3, NULL);
INSERT INTO comment VALUES (1, 'grace');
ALTER TABLE post ALTER COLUMN author TYPE enc_text(adopt, deterministic);
\d member
\d post
\d comment
UPDATE member SET handle = 'countess' WHERE handle = 'ada';
UPDATE member SET sponsor = NULL;
UPDATE member SET handle = 'countess' WHERE handle = 'ada';
SELECT id, author FROM post ORDER BY id;
INSERT INTO post VALUES (4, 'nobody');
DELETE FROM member WHERE handle = 'grace';
SELECT count(*) FROM comment;
-- Randomised ones could not be referred to.
CREATE TABLE tag (name text PRIMARY KEY);
CREATE TABLE tagged (tag text REFERENCES tag);
INSERT INTO tag VALUES ('x');
INSERT INTO tagged VALUES ('x');
ALTER TABLE tag ALTER COLUMN name TYPE enc_text(adopt);
\d tagged

-- And back again.
ALTER TABLE customers ALTER COLUMN email TYPE text, ALTER COLUMN balance TYPE numeric(12,2);
SELECT email, balance FROM customers WHERE email = 'user42@example.com';
