-- The first ten minutes: one extension, one scope, one application role.
CREATE DATABASE quickstart;
\c quickstart
SET datestyle = ISO;
CREATE ROLE app;
GRANT CREATE ON SCHEMA public TO app;

CREATE EXTENSION rampart;
SELECT rampart.create_scope('pii');                       -- new random keys, wrapped by the root key
SELECT rampart.grant_scope('pii', 'app', 'encrypt,decrypt');
SELECT rampart.create_scope('hipaa');
SELECT rampart.grant_scope('hipaa', 'app');

SET ROLE app;
CREATE TABLE users (
  id     bigint PRIMARY KEY,
  email  enc_text(pii, deterministic) UNIQUE,             -- searchable: =, IN, JOIN, GROUP BY, UNIQUE, FK
  ssn    enc_text(pii),                                   -- randomised (the default mode)
  dob    enc_date(pii),
  notes  enc_jsonb(hipaa)
);
INSERT INTO users VALUES (1, 'ada@example.com', '078-05-1120', '1815-12-10', '{"a":1}');
SELECT * FROM users WHERE email = 'ada@example.com';      -- index scan; plaintext out, if granted

CREATE TABLE legacy (phone text);
INSERT INTO legacy VALUES ('+44 20 7946 0018'), (NULL);
ALTER TABLE legacy ALTER COLUMN phone TYPE enc_text(pii); -- adopt an existing column in one statement
TABLE legacy;

-- Functions, for bytea columns and places that the user manages.
CREATE TABLE vault (id int, ciphertext bytea);
INSERT INTO vault SELECT 1, rampart.encrypt('pii', 'text');
INSERT INTO vault SELECT 2, rampart.encrypt_deterministic('pii', 'text');
SELECT id, rampart.decrypt(ciphertext) FROM vault ORDER BY id;
SELECT id, i.scope, i.version, i.mode, i.kind, i.length
FROM vault, rampart.inspect(ciphertext) i ORDER BY id;
SELECT rampart.encrypt('pii', 'text') = rampart.encrypt('pii', 'text') AS randomised,
       rampart.encrypt_deterministic('pii', 'text') = rampart.encrypt_deterministic('pii', 'text') AS deterministic;
SELECT length(rampart.blind_index('pii', 'text', 'users.email'));

-- The unique constraint holds.
INSERT INTO users (id, email) VALUES (2, 'ada@example.com');

-- A role without the right sees ciphertext, the superuser included; so does pg_dump.
RESET ROLE;
SELECT id, left(format('%s', email), 5) AS email, left(format('%s', dob), 5) AS dob FROM users;
SELECT upper(ssn) FROM users;
\c regression
DROP DATABASE quickstart;
DROP ROLE app;
