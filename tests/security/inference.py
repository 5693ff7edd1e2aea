"""A role without rights learns nothing by comparing: whether a guess is right or wrong, it sees the same.

Each statement is run twice by a role without any right, with a guess that is in the table and with one that is
not ({g}). Both must have the same outcome, down to the message. The second list is what may be seen by whoever
may read the column: that two stored values are equal, and how long they are.
"""
import re

import psycopg2

from world import EMAIL, attempt, without_ciphertext

OBJECTS = f"""
CREATE VIEW by_owner AS SELECT * FROM pii;
ALTER VIEW by_owner OWNER TO app;
CREATE VIEW barrier WITH (security_barrier) AS SELECT * FROM pii WHERE email <> 'x';
ALTER VIEW barrier OWNER TO app;
CREATE FUNCTION find(guess text) RETURNS SETOF pii LANGUAGE sql AS $$ SELECT * FROM pii WHERE email = guess $$;
CREATE FUNCTION find_plain(guess text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN RETURN (SELECT count(*) FROM pii WHERE email = guess); END $$;
CREATE FUNCTION swallow(guess text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r record; n int := 0;
BEGIN
    FOR r IN SELECT * FROM pii LOOP
        BEGIN IF r.email = guess THEN n := n + 1; END IF;
        EXCEPTION WHEN OTHERS THEN n := n + 10; END;
    END LOOP;
    RETURN n;
END $$;
CREATE TABLE checked (id int, email enc_text(pii, deterministic) CHECK (email <> '{EMAIL}'));
CREATE TABLE listed (id int, email enc_text(pii, deterministic)) PARTITION BY LIST (email);
CREATE TABLE listed_default PARTITION OF listed DEFAULT;
CREATE TABLE hashed (id int, email enc_text(pii, deterministic)) PARTITION BY HASH (email);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE guarded (id int, email enc_text(pii, deterministic));
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (email = current_setting('app.guess'));
CREATE TABLE child (id int, email enc_text(pii, deterministic) REFERENCES pii (email));
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
"""
FILL = """
INSERT INTO listed SELECT id, email FROM pii;
INSERT INTO hashed SELECT id, email FROM pii;
INSERT INTO guarded SELECT id, email FROM pii;
"""

GUESSES = """
SELECT count(*) FROM pii WHERE email = '{g}'
SELECT count(*) FROM pii WHERE '{g}' = email
SELECT count(*) FROM pii WHERE email <> '{g}'
SELECT count(*) FROM pii WHERE email = '{g}'::text
SELECT count(*) FROM pii WHERE email = '{g}'::varchar
SELECT count(*) FROM pii WHERE email = '{g}'::name
SELECT count(*) FROM pii WHERE email::text = '{g}'
SELECT count(*) FROM pii WHERE email = '{g}'::enc_text(pii, deterministic)
SELECT count(*) FROM pii WHERE email IN ('{g}', 'x')
SELECT count(*) FROM pii WHERE email NOT IN ('{g}', 'x')
SELECT count(*) FROM pii WHERE email = ANY (ARRAY['{g}'])
SELECT count(*) FROM pii WHERE email = ANY (ARRAY['{g}']::enc_text[])
SELECT count(*) FROM pii WHERE email = ANY ('{{"{g}"}}')
SELECT count(*) FROM pii WHERE email IS DISTINCT FROM '{g}'
SELECT count(NULLIF(email, '{g}')) FROM pii
SELECT count(*) FROM pii WHERE (id, email) = (1, '{g}')
SELECT count(*) FROM pii WHERE ROW(email) IN (ROW('{g}'::enc_text))
SELECT count(*) FROM pii p WHERE ROW(p.id, p.email) = ROW(1, '{g}'::enc_text)
SELECT count(*) FROM pii WHERE ARRAY[email] = ARRAY['{g}'::enc_text]
SELECT count(*) FROM pii WHERE ARRAY[email] @> ARRAY['{g}'::enc_text]
SELECT array_position(array_agg(email), '{g}') FROM pii
SELECT array_remove(array_agg(email), '{g}') IS NULL FROM pii
SELECT count(*) FROM pii JOIN (VALUES ('{g}')) v (e) ON email = e
SELECT count(*) FROM pii JOIN (VALUES ('{g}'::enc_text)) v (e) ON email = e
SELECT count(*) FROM pii WHERE email IN (SELECT '{g}')
SELECT count(*) FROM pii WHERE EXISTS (SELECT FROM (VALUES ('{g}')) v (e) WHERE e = email)
SELECT count(*) FROM pii JOIN unnest(ARRAY['{g}']) u (email) USING (email)
SELECT CASE email WHEN '{g}' THEN 1 ELSE 0 END FROM pii
SELECT sum(CASE WHEN email = '{g}' THEN 1 ELSE 0 END) FROM pii
SELECT count(*) FILTER (WHERE email = '{g}') FROM pii
SELECT 1 FROM pii GROUP BY email HAVING email = '{g}'
SELECT email FROM pii UNION SELECT '{g}'
SELECT email FROM pii INTERSECT SELECT '{g}'
SELECT email FROM pii EXCEPT SELECT '{g}'
SELECT email FROM pii INTERSECT SELECT '{g}'::enc_text(pii, deterministic)
SELECT count(*) FROM pii GROUP BY coalesce(email, '{g}')
SELECT count(DISTINCT coalesce(email, '{g}')) FROM pii
SELECT greatest(email, '{g}') IS NULL FROM pii
SELECT count(*) FROM pii WHERE email < '{g}'
SELECT count(*) FROM pii WHERE email >= '{g}'
SELECT count(*) FROM pii WHERE email BETWEEN '{g}' AND '{g}'
SELECT count(*) FROM pii WHERE email LIKE '{g}%'
SELECT count(*) FROM pii WHERE email ~ '{g}'
SELECT count(*) FROM pii WHERE starts_with(email, '{g}')
SELECT count(*) FROM pii WHERE email SIMILAR TO '{g}'
SELECT count(*) FROM pii WHERE lower(email) = '{g}'
SELECT count(*) FROM pii WHERE email || '' = '{g}'
SELECT count(*) FROM pii WHERE md5(email) = md5('{g}')
SELECT count(*) FROM pii WHERE to_jsonb(email) = to_jsonb('{g}'::text)
SELECT count(*) FROM pii WHERE format('%s', email) = '{g}'
SELECT count(*) FROM pii WHERE hashtext(format('%s', email)) = hashtext('{g}')
SELECT count(*) FROM by_owner WHERE email = '{g}'
SELECT count(*) FROM barrier WHERE email = '{g}'
SELECT count(*) FROM find('{g}')
SELECT find_plain('{g}')
SELECT swallow('{g}')
SELECT count(*) FROM pii WHERE rampart.equal(email, '{g}')
SELECT count(*) FROM pii WHERE rampart.equal(email, '{g}'::text)
SELECT count(*) FROM pii WHERE rampart.not_equal(email, '{g}')
SELECT count(*) FROM pii WHERE rampart.sort_compare(email, '{g}') = 0
SELECT count(*) FROM pii WHERE email OPERATOR(rampart.#<#) '{g}'
SELECT count(*) FROM pii WHERE rampart.hash(email) = rampart.hash('{g}')
SELECT count(*) FROM pii WHERE rampart.hash_extended(email, 0) = rampart.hash_extended('{g}', 0)
SELECT rampart.comparand('{g}'::enc_text, rampart.scope_tag('pii') * 4 + 2)
SELECT rampart.comparand('{g}'::text, rampart.scope_tag('pii') * 4 + 2)
SELECT rampart.coerce('{g}'::enc_text, rampart.scope_tag('pii') * 4 + 2, false)
SELECT rampart.to_enc_text('{g}'::text, rampart.scope_tag('pii') * 4 + 2, false)
SELECT rampart.enc_text_in('{g}', 0, rampart.scope_tag('pii') * 4 + 2)
SELECT rampart.encrypt_deterministic('pii', '{g}')
SELECT rampart.blind_index('pii', '{g}', 'c')
EXPLAIN SELECT * FROM pii WHERE email = '{g}'
EXPLAIN SELECT * FROM pii WHERE email::text = '{g}'
EXPLAIN SELECT * FROM pii WHERE email < '{g}'
EXPLAIN SELECT * FROM pii WHERE email LIKE '{g}%'
EXPLAIN SELECT * FROM pii JOIN (VALUES ('{g}'::text)) v (e) ON email = e
EXPLAIN SELECT * FROM pii JOIN (VALUES ('{g}'::enc_text)) v (e) ON email = e
EXPLAIN SELECT * FROM pii WHERE email = lower('{g}')
EXPLAIN SELECT * FROM hashed WHERE email = '{g}'
SELECT count(*) FROM listed WHERE email = '{g}'
SELECT count(*) FROM hashed WHERE email = '{g}'
SET app.guess = '{g}'; SELECT count(*) FROM guarded
SET app.guess = '{g}'; EXPLAIN SELECT count(*) FROM guarded
PREPARE p AS SELECT count(*) FROM pii WHERE email = '{g}'; EXECUTE p
SET plan_cache_mode = force_generic_plan; PREPARE p AS SELECT count(*) FROM pii WHERE email = $1; EXECUTE p ('{g}')
SET plan_cache_mode = force_generic_plan; PREPARE p AS SELECT count(*) FROM pii WHERE email = $1; EXPLAIN EXECUTE p ('{g}')
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM pii WHERE email = '{g}'; FETCH c
UPDATE pii SET plain = 1 WHERE email = '{g}'
DELETE FROM pii WHERE email = '{g}'
INSERT INTO pii (id, email) VALUES (9, '{g}')
INSERT INTO pii (id, email) VALUES (9, '{g}') ON CONFLICT (email) DO NOTHING
INSERT INTO child VALUES (1, '{g}')
INSERT INTO listed VALUES (1, '{g}')
INSERT INTO hashed VALUES (1, '{g}')
MERGE INTO pii USING (VALUES ('{g}')) v (e) ON email = e WHEN MATCHED THEN UPDATE SET plain = 2
CREATE TABLE mine_list (e enc_text(pii, deterministic)) PARTITION BY LIST (e); CREATE TABLE mine_1 PARTITION OF mine_list FOR VALUES IN ('{g}'); INSERT INTO mine_list SELECT email FROM pii
CREATE TABLE mine_check (e enc_text(pii, deterministic) CHECK (e <> '{g}')); INSERT INTO mine_check SELECT email FROM pii
CREATE TABLE mine_default (e enc_text(pii, deterministic) UNIQUE DEFAULT '{g}'); INSERT INTO mine_default SELECT email FROM pii; INSERT INTO mine_default DEFAULT VALUES
CREATE TABLE mine_domain (e enc_text(pii, deterministic)); CREATE DOMAIN unlike AS enc_text(pii, deterministic) CHECK (VALUE <> '{g}'); INSERT INTO mine_domain SELECT email::unlike FROM pii
CREATE TEMP TABLE mine_temp AS SELECT email FROM pii; CREATE INDEX ON mine_temp (email) WHERE email = '{g}'
CREATE TEMP TABLE mine_when AS SELECT email FROM pii; CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL;END'; CREATE TRIGGER t BEFORE UPDATE ON mine_when FOR EACH ROW WHEN (OLD.email = '{g}') EXECUTE FUNCTION pg_temp.note(); UPDATE mine_when SET email = email
CREATE TEMP TABLE mine_rule AS SELECT email FROM pii; CREATE RULE r AS ON UPDATE TO mine_rule WHERE OLD.email = '{g}' DO INSTEAD NOTHING; UPDATE mine_rule SET email = email
CREATE TEMP TABLE mine_stat AS SELECT email FROM pii; CREATE STATISTICS mine_s ON (email::text), (email IS NULL) FROM mine_stat; ANALYZE mine_stat; EXPLAIN SELECT FROM mine_stat WHERE email::text = '{g}'
"""

# Seen by whoever may read the column; docs/threat-model.md says so.
VISIBLE = [
    ("equal values are equal", "SELECT count(*) FROM pii a JOIN pii b ON a.email = b.email AND a.id <> b.id", 0),
    ("equal values by an equal ciphertext", "SELECT count(DISTINCT email) FROM pii", 2),
    ("an equal value found by its armour", "SELECT count(*) FROM pii WHERE email = '{armour}'", 1),
    ("lengths", "SELECT (rampart.inspect(rampart.ciphertext(email))).length FROM pii WHERE id = 1", len(EMAIL)),
]

NOTHING_READABLE = [
    ("pg_stats", "SELECT string_agg(s::text, '') FROM pg_stats s WHERE schemaname = 'public'"),
    ("EXPLAIN ANALYZE", "EXPLAIN (ANALYZE, VERBOSE) SELECT email, name FROM pii"),
    ("the row as JSON", "SELECT to_jsonb(p)::text FROM pii p"),
    ("xml", "SELECT table_to_xml('pii', true, false, '')::text"),
    ("an aggregate of them", "SELECT array_agg(email)::text || jsonb_agg(name)::text FROM pii"),
    ("min and max of the private order", "SELECT rampart.sort_compare(a.email, b.email)::text FROM pii a, pii b"),
]


def outcome(database, statements):
    """Everything that the role is shown by the last statement: rows, or the error with all its fields."""
    connection = database.connect("visitor", autocommit=False)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else cursor.rowcount
            return "rows", repr(rows)
    except psycopg2.Error as error:
        fields = error.diag
        return error.pgcode, "|".join(filter(None, (fields.message_primary, fields.message_detail, fields.context)))
    finally:
        connection.rollback()
        connection.close()


def without_guess(text, guess):
    # A role may see its own guess. A plan's widths follow its length.
    return re.sub(r"width=\d+", "", text.replace(guess, "GUESS").replace(guess.upper(), "GUESS"))


def check(world, report):
    database = world.database("inference")
    database.query(OBJECTS)
    database.query(FILL)
    database.query("ANALYZE")
    # Of one length, so that nothing but the answer can differ.
    right, wrong = EMAIL, "adb@example.com"
    for line in filter(None, GUESSES.splitlines()):
        outcomes = [outcome(database, line.replace("{{", "{").replace("}}", "}").replace("{g}", guess).split("; "))
                    for guess in (right, wrong)]
        states = {state for state, _ in outcomes}
        same = len({(state, without_guess(text, guess)) for (state, text), guess in zip(outcomes, (right, wrong))}) == 1
        readable = any(re.search("grace|lovelace", text, re.I) for _, text in outcomes)
        report.ok(same and not readable and "XX000" not in states, f"inference: {line[:90]}",
                  "\n".join(map(str, outcomes)))
    visitor = database.connect("visitor")
    armour = attempt(visitor, "SELECT email FROM pii WHERE id = 1")[0][0]
    for name, sql, wanted in VISIBLE:
        rows = attempt(visitor, sql.format(armour=armour))
        report.equal(rows if isinstance(rows, str) else rows[0][0], wanted, f"inference, documented: {name}")
    for name, sql in NOTHING_READABLE:
        text = without_ciphertext(repr(attempt(visitor, sql)))
        report.ok(not re.search(r"ada|grace|hopper|lovelace", text, re.I), f"inference: nothing readable in {name}", text)
    visitor.close()
