-- What ./dev up loads: an application that reads and writes, a backup role that only copies.
CREATE EXTENSION rampart;
CREATE ROLE app LOGIN;
CREATE ROLE backup LOGIN;

SELECT rampart.create_scope('pii');
SELECT rampart.grant_scope('pii', 'app', 'encrypt,decrypt');

CREATE TABLE customers (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email enc_text(pii, deterministic) UNIQUE,
    name  enc_text(pii),
    born  enc_date(pii),
    notes enc_jsonb(pii)
);
SELECT rampart.start_sealing();
SELECT rampart.audit_table('customers');
GRANT ALL ON customers TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO backup;

SET ROLE app;
INSERT INTO customers (email, name, born, notes) VALUES
    ('ada@example.com',   'Ada Lovelace',  '1815-12-10', '{"likes": ["engines", "Bernoulli numbers"]}'),
    ('grace@example.com', 'Grace Hopper',  '1906-12-09', '{"likes": ["compilers"]}'),
    ('alan@example.com',  'Alan Turing',   '1912-06-23', '{"likes": ["machines", "running"]}'),
    ('joan@example.com',  'Joan Clarke',   '1917-06-24', NULL);
