-- Deterministic columns: everything that asks "is it the same?", with indexes.
CREATE SCHEMA deterministic;
SET search_path = deterministic, public;
SELECT rampart.create_scope('det');
SELECT rampart.grant_scope('det', current_user::regrole);

CREATE TABLE account (
    email enc_text(det, deterministic) PRIMARY KEY,
    team  enc_text(det, deterministic),
    login enc_int8(det, deterministic) UNIQUE
);
CREATE TABLE invoice (
    id    int PRIMARY KEY,
    email enc_text(det, deterministic) REFERENCES account ON UPDATE CASCADE ON DELETE CASCADE,
    ref   enc_uuid(det, deterministic)
);
INSERT INTO account SELECT 'user' || n || '@example.com', 'team' || n % 3, n FROM generate_series(1, 2000) n;
INSERT INTO invoice
SELECT n, 'user' || n % 100 + 1 || '@example.com', md5(n::text)::uuid FROM generate_series(1, 500) n;
ANALYZE account, invoice;

-- =, <>, IN, ANY, IS DISTINCT FROM; literal on either side.
SELECT email, team, login FROM account WHERE email = 'user7@example.com';
SELECT count(*) FROM account WHERE 'user7@example.com' = email;
SELECT count(*) FROM account WHERE email <> 'user7@example.com';
SELECT count(*) FROM account WHERE email IN ('user7@example.com', 'user8@example.com', 'nobody');
SELECT count(*) FROM account WHERE email = ANY ('{user7@example.com,user8@example.com}');
SELECT count(*) FROM account WHERE email NOT IN ('user7@example.com', 'user8@example.com');
SELECT count(*) FROM account WHERE email IS DISTINCT FROM 'user7@example.com';
SELECT count(*) FROM account WHERE login = 7 OR login = 8::smallint OR login = 9::bigint;
SELECT count(*) FROM account WHERE email = NULL;
SELECT count(*) FROM invoice WHERE ref = md5('7')::uuid;

-- The index serves, and the plan holds ciphertext.
SELECT plan($$SELECT * FROM account WHERE email = 'user7@example.com'$$);
SELECT plan($$SELECT * FROM account WHERE email = 'user7@example.com'::text$$);
SELECT plan($$SELECT * FROM account WHERE email IN ('user7@example.com', 'user8@example.com')$$);
SELECT plan($$SELECT * FROM account WHERE login = 7$$);
PREPARE by_email(text) AS SELECT login FROM account WHERE email = $1;
PREPARE by_any(text[]) AS SELECT count(*) FROM account WHERE email = ANY ($1);
SET plan_cache_mode = force_generic_plan;
SELECT plan($$EXECUTE by_email('user7@example.com')$$);
EXECUTE by_email('user7@example.com');
EXECUTE by_any('{user7@example.com,user8@example.com}');
SET plan_cache_mode = force_custom_plan;
SELECT plan($$EXECUTE by_email('user7@example.com')$$);
EXECUTE by_email('user7@example.com');
EXECUTE by_any('{user7@example.com,user8@example.com}');
RESET plan_cache_mode;

-- Estimates come from statistics of the column: each team is a third of the table.
CREATE FUNCTION estimated(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan #>> '{0,Plan,Plan Rows}';
END
$$;
SELECT estimated($$SELECT FROM account WHERE team = 'team1'$$) BETWEEN 600 AND 733 AS a_third,
       estimated($$SELECT FROM account WHERE email = 'user7@example.com'$$) AS one;

-- JOIN, by each of the planner's methods.
SELECT plan('SELECT count(*) FROM account JOIN invoice USING (email)');
SELECT count(*), count(DISTINCT email) FROM account JOIN invoice USING (email);
SET enable_hashjoin = off;
SELECT count(*) FROM account JOIN invoice USING (email);
SET enable_mergejoin = off;
SELECT count(*) FROM account JOIN invoice USING (email);
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT count(*) FROM account WHERE email NOT IN (SELECT email FROM invoice);
SELECT count(*) FROM account a WHERE EXISTS (SELECT FROM invoice i WHERE i.email = a.email);

-- GROUP BY, DISTINCT, set operations, by hashing and by sorting.
SELECT team, count(*) FROM account GROUP BY team ORDER BY team;
SET enable_hashagg = off;
SELECT team, count(*) FROM account GROUP BY team ORDER BY team;
RESET enable_hashagg;
SELECT count(*) FROM (SELECT DISTINCT team FROM account) d;
SELECT count(DISTINCT team), min(team), max(login) FROM account;
SELECT count(*) FROM (SELECT email FROM account INTERSECT SELECT email FROM invoice) s;

-- UNIQUE and PRIMARY KEY.
INSERT INTO account VALUES ('user7@example.com', 'team1', -7);
INSERT INTO account VALUES ('new@example.com', 'team1', 7);
INSERT INTO account VALUES ('user7@example.com', 'team1', -7) ON CONFLICT (email) DO UPDATE SET login = excluded.login
RETURNING email, login;
INSERT INTO account VALUES ('user7@example.com', 'team1', -8) ON CONFLICT DO NOTHING;
INSERT INTO account VALUES (NULL, 'team1', -8);

-- FOREIGN KEY: refusal, cascade.
INSERT INTO invoice VALUES (1000, 'nobody@example.com');
UPDATE account SET email = 'seven@example.com' WHERE email = 'user7@example.com';
SELECT count(*) FROM invoice WHERE email = 'seven@example.com';
DELETE FROM account WHERE email = 'seven@example.com';
SELECT count(*) FROM invoice WHERE email = 'seven@example.com';

-- Equality survives a new key: old rows and new rows meet.
SELECT rampart.rotate_key('det');
INSERT INTO invoice VALUES (1001, 'user8@example.com');
SELECT i.version, count(*) FROM invoice, rampart.inspect(rampart.ciphertext(email)) i GROUP BY i.version ORDER BY 1;
SELECT count(*) FROM invoice WHERE email = 'user8@example.com';
SELECT count(*) FROM account JOIN invoice USING (email) WHERE invoice.id = 1001;
INSERT INTO account (email) VALUES ('user8@example.com') ON CONFLICT DO NOTHING;
SELECT count(DISTINCT email) FROM invoice WHERE email = 'user8@example.com';

-- Values of another scope do not compare, instead of never being equal.
SELECT rampart.create_scope('det_other');
SELECT rampart.grant_scope('det_other', current_user::regrole);
CREATE TABLE stranger (email enc_text(det_other, deterministic));
INSERT INTO stranger VALUES ('user8@example.com');
SELECT count(*) FROM account JOIN stranger USING (email);
\echo :SQLSTATE
SELECT count(*) FROM account a JOIN stranger s ON a.email::text = s.email::text;
SELECT count(*) FROM (SELECT email FROM account UNION SELECT email FROM stranger) u;
\echo :SQLSTATE

-- A literal that stands beside no column has no scope, and so no hash.
INSERT INTO account (email) VALUES ('teamless@example.com');
SELECT coalesce(team, 'none'), count(*) FROM account GROUP BY coalesce(team, 'none');
\echo :SQLSTATE
SELECT coalesce(team::text, 'none') AS team, count(*) FROM account GROUP BY 1 ORDER BY 1;
