-- The twins' tables: one definition. On the plain side every encrypted type is read as its plain type.
-- Owned by the role that runs the corpus.

CREATE COLLATION ignore_case (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);

-- Every kind in every mode it has. Skewed (city, dept), unique (email, token), with NULLs everywhere.
CREATE TABLE people (
    id      int PRIMARY KEY,
    email   enc_text(pii, deterministic) UNIQUE,
    name    enc_text(pii),
    nick    enc_text(pii, deterministic) COLLATE "C",
    city    enc_text(pii, deterministic) DEFAULT 'Nowhere',
    boss    enc_text(pii, deterministic),
    born    enc_date(pii, deterministic),
    died    enc_date(pii),
    joined  enc_timestamptz(pii, deterministic),
    seen    enc_timestamptz(pii),
    points  enc_int8(pii, deterministic),
    visits  enc_int8(pii),
    salary  enc_numeric(pii),
    token   enc_uuid(pii, deterministic),
    secret  enc_uuid(pii),
    badge   enc_bytea(pii, deterministic),
    photo   enc_bytea(pii),
    active  enc_bool(pii),
    profile enc_jsonb(pii),
    tags    enc_text(pii, deterministic)[],
    dept    text
);
CREATE INDEX people_city ON people (city);
CREATE INDEX people_boss ON people USING hash (boss);
CREATE INDEX people_born ON people (born);
CREATE INDEX people_joined ON people (joined);
CREATE INDEX people_points ON people (points);
CREATE INDEX people_city_points ON people (city, points);
CREATE UNIQUE INDEX people_token ON people (token);
CREATE INDEX people_badge ON people (badge);
CREATE INDEX people_bossless ON people (email) WHERE boss IS NULL;

-- Buyers that are people, buyers that are not, and none.
CREATE TABLE orders (
    id     int PRIMARY KEY,
    email  enc_text(pii, deterministic),
    code   enc_int8(pii, deterministic),
    amount enc_numeric(pii),
    placed enc_timestamptz(pii, deterministic),
    note   enc_text(pii),
    status text
);
CREATE INDEX orders_email ON orders (email);
CREATE INDEX orders_code ON orders (code);

-- Keys, foreign keys, constraints and triggers on encrypted columns.
CREATE TABLE accounts (
    login   enc_text(pii, deterministic) PRIMARY KEY CHECK (login <> ''),
    plan    enc_text(pii, deterministic) NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'team', 'gold')),
    balance enc_numeric(pii) CHECK (balance >= -100),
    opened  enc_date(pii, deterministic) DEFAULT '2020-01-01' CHECK (opened > '1990-01-01'),
    seats   enc_int8(pii, deterministic) DEFAULT 1,
    label   enc_text(pii) CHECK (length(label) <= 40)
);
CREATE TABLE devices (
    id    int PRIMARY KEY,
    login enc_text(pii, deterministic) REFERENCES accounts ON UPDATE CASCADE ON DELETE CASCADE,
    kind  enc_text(pii, deterministic),
    UNIQUE (login, kind)
);
CREATE TABLE invites (
    id    int PRIMARY KEY,
    login enc_text(pii, deterministic) REFERENCES accounts ON UPDATE SET NULL ON DELETE SET NULL,
    rival enc_text(pii, deterministic) DEFAULT 'root'
          REFERENCES accounts ON DELETE SET DEFAULT ON UPDATE CASCADE DEFERRABLE INITIALLY IMMEDIATE
);
CREATE TABLE journal (login enc_text(pii, deterministic), was enc_text(pii, deterministic), what text, label enc_text(pii));

CREATE FUNCTION tidy_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.label IS NULL THEN
        NEW.label := upper(NEW.login) || ' (' || NEW.plan || ')';
    ELSIF NEW.label::text = 'erase' THEN
        NEW.label := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION tidy_account();

CREATE FUNCTION note_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO journal VALUES (NEW.login, NULL, 'insert', NEW.label);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO journal VALUES (NULL, OLD.login, 'delete', OLD.label);
    ELSIF NEW.login IS DISTINCT FROM OLD.login THEN
        INSERT INTO journal VALUES (NEW.login, OLD.login, 'rename', NEW.label);
    ELSE
        INSERT INTO journal SELECT NEW.login, OLD.login, 'update', coalesce(NEW.label, OLD.label);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION note_account();

-- Partitions by the encrypted key, by hash and by list, and by a plain column.
CREATE TABLE visits_by_hash (login enc_text(pii, deterministic), page enc_text(pii), n int) PARTITION BY HASH (login);
CREATE TABLE visits_by_hash_0 PARTITION OF visits_by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE visits_by_hash_1 PARTITION OF visits_by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE visits_by_hash_2 PARTITION OF visits_by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 2);
CREATE TABLE visits_by_city (city enc_text(pii, deterministic), page enc_text(pii), n int) PARTITION BY LIST (city);
CREATE TABLE visits_by_city_french PARTITION OF visits_by_city FOR VALUES IN ('Paris', 'Lyon');
CREATE TABLE visits_by_city_null PARTITION OF visits_by_city FOR VALUES IN (NULL);
CREATE TABLE visits_by_city_other PARTITION OF visits_by_city DEFAULT;
CREATE TABLE visits_by_day (day date, login enc_text(pii, deterministic), page enc_text(pii)) PARTITION BY RANGE (day);
CREATE TABLE visits_by_day_old PARTITION OF visits_by_day FOR VALUES FROM (MINVALUE) TO ('2022-01-01');
CREATE TABLE visits_by_day_new PARTITION OF visits_by_day FOR VALUES FROM ('2022-01-01') TO (MAXVALUE);
CREATE INDEX visits_by_hash_login ON visits_by_hash (login);
CREATE INDEX visits_by_day_login ON visits_by_day (login);

CREATE TABLE vehicles (plate enc_text(pii, deterministic), owner enc_text(pii), wheels int);
CREATE TABLE cars (seats enc_int8(pii, deterministic)) INHERITS (vehicles);
CREATE INDEX cars_plate ON cars (plate);

-- Rows that only their owner sees.
CREATE TABLE memos (id int PRIMARY KEY, owner enc_text(pii, deterministic), reader enc_text(pii), body enc_text(pii));
CREATE INDEX memos_owner ON memos (owner);
ALTER TABLE memos ENABLE ROW LEVEL SECURITY;
ALTER TABLE memos FORCE ROW LEVEL SECURITY;
CREATE POLICY memos_own ON memos USING (owner = current_setting('twin.me', true));
CREATE POLICY memos_read ON memos FOR SELECT USING (reader::text = current_setting('twin.me', true));

CREATE DOMAIN address AS enc_text(pii, deterministic) CHECK (VALUE LIKE '%@%');
CREATE DOMAIN grade AS enc_int8(pii, deterministic) NOT NULL CHECK (VALUE BETWEEN 1 AND 6);
CREATE TYPE place AS (street enc_text(pii), zip enc_text(pii, deterministic), since enc_date(pii));
CREATE TABLE pupils (id int PRIMARY KEY, mail address, mark grade, home place, marks enc_int8(pii, deterministic)[]);
CREATE INDEX pupils_mail ON pupils (mail);

CREATE TABLE patients (id int PRIMARY KEY, email enc_text(hipaa, deterministic), diagnosis enc_text(hipaa));
CREATE TABLE labels (id int, word enc_text(pii, deterministic) COLLATE ignore_case);
CREATE TABLE blobs (id int PRIMARY KEY, body enc_text(pii), twin enc_text(pii, deterministic), raw enc_bytea(pii, deterministic));
CREATE TABLE empty_people (LIKE people INCLUDING ALL);

CREATE VIEW parisians AS SELECT id, email, name, city, points FROM people WHERE city = 'Paris' WITH CHECK OPTION;
CREATE VIEW spending AS
    SELECT p.email, p.city, count(o.id) AS bought, sum(o.amount) AS total
    FROM people p LEFT JOIN orders o ON o.email = p.email GROUP BY p.email, p.city;
CREATE MATERIALIZED VIEW city_counts AS SELECT city, count(*) AS n, min(points) AS least FROM people GROUP BY city;
CREATE MATERIALIZED VIEW rich_people AS SELECT id, email, salary FROM people WHERE salary > 5000;
