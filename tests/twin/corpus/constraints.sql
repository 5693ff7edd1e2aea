-- a unique violation
-- both: 23505
INSERT INTO people (id, email) VALUES (1000, 'user7@example.com');

-- a unique violation of another kind
-- both: 23505
INSERT INTO people (id, token) VALUES (1000, md5('token7')::uuid);

-- a unique violation of two columns
-- both: 23505
INSERT INTO devices VALUES (1000, 'bob', 'phone');

-- a unique index lets NULLs pass
INSERT INTO people (id, email) VALUES (1000, NULL), (1001, NULL);
INSERT INTO devices VALUES (1000, NULL, 'phone'), (1001, 'bob', NULL);

-- NOT NULL
-- both: 23502
INSERT INTO accounts (login, plan) VALUES ('eve', NULL);

-- a primary key may not be NULL
-- both: 23502
INSERT INTO accounts (login) VALUES (NULL);

-- CHECK on equality
-- both: 23514
INSERT INTO accounts (login) VALUES ('');

-- CHECK on a list
-- both: 23514
UPDATE accounts SET plan = 'silver' WHERE login = 'alice';

-- CHECK on a number
-- both: 23514
UPDATE accounts SET balance = -100.01 WHERE login = 'bob';

-- CHECK on a date
-- both: 23514
INSERT INTO accounts (login, opened) VALUES ('eve', '1989-12-31');

-- CHECK on a length
-- both: 23514
UPDATE accounts SET label = repeat('é', 41) WHERE login = 'bob';

-- CHECKs that pass
INSERT INTO accounts VALUES ('eve', 'team', -100, '1990-01-02', 3, repeat('é', 40)), ('mallory', 'free', NULL, NULL, NULL, NULL);
UPDATE accounts SET plan = 'gold', balance = balance + 5 WHERE login IN ('alice', 'bob');

-- CHECKs of a new table
CREATE TEMP TABLE checked (a enc_text(pii, deterministic) CHECK (a IN ('x', 'y') OR a IS NULL), b enc_int8(pii) CHECK (b BETWEEN 1 AND 9), c enc_date(pii, deterministic), CHECK (c < '2030-01-01' AND a <> 'z')) ON COMMIT DROP;
INSERT INTO checked VALUES ('x', 1, '2020-01-01'), (NULL, 9, NULL), ('y', NULL, '2029-12-31');
SELECT * FROM checked;

-- CHECK of equality on a randomised column
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
CREATE TEMP TABLE checked (a enc_text(pii) CHECK (a <> '')) ON COMMIT DROP;
INSERT INTO checked VALUES ('x');

-- CHECK on a randomised column, cast
CREATE TEMP TABLE checked (a enc_text(pii) CHECK (a::text <> ''), b enc_text(pii) CHECK (b LIKE '%@%')) ON COMMIT DROP;
INSERT INTO checked VALUES ('x', 'a@b');
SELECT * FROM checked;

-- a constraint that is added later
ALTER TABLE orders ADD CONSTRAINT small CHECK (code < 1000), ADD CONSTRAINT mail CHECK (email <> '');
INSERT INTO orders (id, code) VALUES (1000, 999);

-- a constraint that is added later and violated
-- both: 23514
ALTER TABLE orders ADD CONSTRAINT small CHECK (code <> 3);

-- a foreign key
-- both: 23503
INSERT INTO devices VALUES (1000, 'nobody', 'phone');

-- a foreign key with the right case
INSERT INTO devices VALUES (1000, 'Alice', 'tablet'), (1001, 'alice', 'tablet');

-- a foreign key that is added later
ALTER TABLE orders ADD FOREIGN KEY (email) REFERENCES people (email) NOT VALID;
INSERT INTO orders (id, email) VALUES (1000, 'user7@example.com'), (1001, NULL);

-- a foreign key that is added later and violated
-- both: 23503
ALTER TABLE orders ADD FOREIGN KEY (email) REFERENCES people (email);

-- ON UPDATE CASCADE and SET NULL
UPDATE accounts SET login = 'alice2' WHERE login = 'alice';
SELECT id, login FROM devices WHERE login IN ('alice', 'alice2');

-- ON UPDATE CASCADE to many rows
UPDATE accounts SET login = login || '.x' WHERE login LIKE '%l%';

-- ON DELETE CASCADE, SET NULL and SET DEFAULT
DELETE FROM accounts WHERE login = 'carol';
DELETE FROM accounts WHERE login IN ('alice', 'bob');

-- NO ACTION and RESTRICT
-- both: 23503
CREATE TEMP TABLE parent (k enc_text(pii, deterministic) PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE child (k enc_text(pii, deterministic) REFERENCES parent, l enc_text(pii, deterministic) REFERENCES parent ON DELETE RESTRICT) ON COMMIT DROP;
INSERT INTO parent VALUES ('a'), ('b'), ('c');
INSERT INTO child VALUES ('a', 'b');
DELETE FROM parent WHERE k = 'c';
UPDATE parent SET k = 'c' WHERE k = 'a';

-- a deferred foreign key
SET CONSTRAINTS ALL DEFERRED;
UPDATE invites SET rival = 'later' WHERE id = 1;
INSERT INTO accounts (login) VALUES ('later');
SET CONSTRAINTS ALL IMMEDIATE;

-- a deferred foreign key, violated
-- both: 23503
SET CONSTRAINTS ALL DEFERRED;
UPDATE invites SET rival = 'never' WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;

-- a foreign key between two scopes
-- error: RMT03 comparing, joining, merging or `UNION` of columns of two scopes
CREATE TEMP TABLE parent (k enc_text(pii, deterministic) PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE child (k enc_text(hipaa, deterministic) REFERENCES parent) ON COMMIT DROP;
INSERT INTO parent VALUES ('a');
INSERT INTO child VALUES ('a');

-- a foreign key of an encrypted column on a plain one
CREATE TEMP TABLE parent (k text PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE child (k enc_text(pii, deterministic) REFERENCES parent ON UPDATE CASCADE ON DELETE CASCADE) ON COMMIT DROP;
INSERT INTO parent VALUES ('a'), ('b'), ('c');
INSERT INTO child VALUES ('a'), ('b'), ('b'), (NULL);
UPDATE parent SET k = 'd' WHERE k = 'b';
DELETE FROM parent WHERE k = 'a';
SELECT * FROM child;

-- a foreign key of an encrypted column on a plain one, violated
-- both: 23503
CREATE TEMP TABLE parent (k text PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE child (k enc_text(pii, deterministic) REFERENCES parent) ON COMMIT DROP;
INSERT INTO child VALUES ('a');

-- a foreign key of a plain column on an encrypted one
-- error: 42804 a foreign key of a plain column on an encrypted one
CREATE TEMP TABLE parent (k enc_text(pii, deterministic) PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE child (k text REFERENCES parent) ON COMMIT DROP;

-- a self-referencing foreign key
CREATE TEMP TABLE tree (k enc_text(pii, deterministic) PRIMARY KEY, up enc_text(pii, deterministic) REFERENCES tree ON DELETE CASCADE ON UPDATE CASCADE) ON COMMIT DROP;
INSERT INTO tree VALUES ('a', NULL), ('b', 'a'), ('c', 'b'), ('d', 'a'), ('e', NULL);
UPDATE tree SET k = 'A' WHERE k = 'a';
DELETE FROM tree WHERE k = 'b';
SELECT * FROM tree;

-- a foreign key of two columns, MATCH FULL
CREATE TEMP TABLE parent (a enc_text(pii, deterministic), b enc_int8(pii, deterministic), PRIMARY KEY (a, b)) ON COMMIT DROP;
CREATE TEMP TABLE child (a enc_text(pii, deterministic), b enc_int8(pii, deterministic), FOREIGN KEY (a, b) REFERENCES parent MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL) ON COMMIT DROP;
INSERT INTO parent VALUES ('x', 1), ('x', 2), ('y', 1);
INSERT INTO child VALUES ('x', 1), ('x', 2), (NULL, NULL);
UPDATE parent SET b = b + 10 WHERE a = 'x' AND b = 2;
DELETE FROM parent WHERE b = 1;
SELECT * FROM child;

-- triggers that read and write NEW
INSERT INTO accounts (login, plan) VALUES ('zoë', 'team');
UPDATE accounts SET label = 'erase' WHERE login IN ('bob', 'dave');
UPDATE accounts SET login = 'robert', label = NULL WHERE login = 'bob';
SELECT login, label FROM accounts;
DELETE FROM accounts WHERE plan = 'team';

-- a trigger with a WHEN clause
CREATE FUNCTION pg_temp.deny() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER deny BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.email = 'user7@example.com' OR OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION pg_temp.deny();
UPDATE orders SET note = 'seen', code = CASE WHEN id < 200 THEN code END WHERE id < 300;

-- a trigger with transition tables
CREATE FUNCTION pg_temp.summary() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal SELECT n.email, o.email, 'changed', n.note FROM new_rows n JOIN old_rows o USING (id) WHERE n.email <> o.email;
    RETURN NULL;
END $$;
CREATE TRIGGER summary AFTER UPDATE ON orders REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.summary();
UPDATE orders SET email = upper(email) WHERE code = 3;

-- an INSTEAD OF trigger
CREATE TEMP VIEW emails AS SELECT email, city FROM people;
CREATE FUNCTION pg_temp.into_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE people SET city = NEW.city WHERE email = NEW.email;
    IF NOT FOUND THEN INSERT INTO people (id, email, city) VALUES (9000, NEW.email, NEW.city); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER into_people INSTEAD OF INSERT ON emails FOR EACH ROW EXECUTE FUNCTION pg_temp.into_people();
INSERT INTO emails VALUES ('user7@example.com', 'Rome'), ('unknown@example.com', 'Oslo');

-- an exclusion constraint
CREATE TEMP TABLE rooms (room enc_text(pii, deterministic), EXCLUDE USING hash (room WITH =)) ON COMMIT DROP;
INSERT INTO rooms VALUES ('a'), ('b'), (NULL), (NULL);

-- an exclusion constraint, violated
-- both: 23P01
CREATE TEMP TABLE rooms (room enc_text(pii, deterministic), EXCLUDE USING hash (room WITH =)) ON COMMIT DROP;
INSERT INTO rooms VALUES ('a'), ('a');

-- NULLS NOT DISTINCT
-- both: 23505
CREATE TEMP TABLE singles (k enc_text(pii, deterministic) UNIQUE NULLS NOT DISTINCT) ON COMMIT DROP;
INSERT INTO singles VALUES ('a'), (NULL);
INSERT INTO singles VALUES (NULL);

-- a trigger on changed rows
-- error: RMT02 `=`, `<>`, `IN`, `JOIN` or `IS DISTINCT FROM` on a randomised column
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO journal VALUES (NEW.email, OLD.email, 'changed', NEW.note); RETURN NEW; END $$;
CREATE TRIGGER note BEFORE UPDATE ON orders FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION pg_temp.note();
UPDATE orders SET note = note WHERE id < 10;

-- a trigger on changed columns
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO journal VALUES (NEW.email, OLD.email, 'changed', NEW.note); RETURN NEW; END $$;
CREATE TRIGGER note BEFORE UPDATE OF note, email ON orders FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email OR OLD.note::text IS DISTINCT FROM NEW.note::text) EXECUTE FUNCTION pg_temp.note();
UPDATE orders SET note = CASE WHEN id % 2 = 0 THEN note ELSE 'new' END, code = 1 WHERE id < 10;
UPDATE orders SET code = 2 WHERE id < 10;

-- a trigger that refuses redundant updates
CREATE TRIGGER z_redundant BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
UPDATE orders SET note = note, email = email WHERE id < 10;
UPDATE orders SET email = lower(email) WHERE id < 10;
