"""Every way to store an encrypted value: after a rotation it says what it said, under the new key, and once."""
KINDS = {
    "text": ("text", "'text ' || i"), "bytea": ("bytea", "decode(md5(i::text), 'hex')"),
    "jsonb": ("jsonb", "jsonb_build_object('n', i)"), "numeric": ("numeric", "i * 1.5 - 10"),
    "int8": ("int8", "i * 10000000000 - 5"), "date": ("date", "'2000-01-01'::date + i"),
    "timestamptz": ("timestamptz", "'2000-01-01 00:00Z'::timestamptz + make_interval(hours => i)"),
    "uuid": ("uuid", "md5(i::text)::uuid"), "bool": ("bool", "i % 2 = 0"),
}
ROWS = 300
COLUMNS = [(kind, mode) for kind in KINDS for mode in ("random", "deterministic")
           if mode == "random" or kind not in ("bool", "jsonb", "numeric")]


def kinds_table():
    """One column of each kind and mode, with NULLs, and a twin of each in plain type."""
    columns, twins, values = [], [], []
    for kind, mode in COLUMNS:
        plain, value = KINDS[kind]
        columns.append(f"{kind}_{mode} enc_{kind}(pii, {mode})")
        twins.append(f"{kind}_{mode}_twin {plain}")
        values.append(f"CASE WHEN i % 7 > 0 THEN {value} END")
    return (f"CREATE TABLE kinds (id int, {', '.join(columns + twins)}); INSERT INTO kinds "
            f"SELECT i, {', '.join(values + values)} FROM generate_series(1, {ROWS}) i")


CONTAINERS = f"""
CREATE TYPE pair AS (open int, mail enc_text(pii, deterministic), born enc_date(pii), alien enc_text(other));
CREATE DOMAIN mail AS enc_text(pii, deterministic);
CREATE DOMAIN named_pair AS pair;
CREATE DOMAIN mails AS enc_text(pii)[];
CREATE TYPE with_domain AS (mail mail);
CREATE TYPE nested AS (one pair, many pair[], list mails);
CREATE TABLE containers (
    id int, list enc_text(pii)[], grid enc_int8(pii, deterministic)[], pair pair, pairs pair[], mail mail, mail_list mail[],
    named named_pair, mails mails, nested nested, nests nested[], with_domain with_domain);
INSERT INTO containers
SELECT i, ARRAY['a' || i, NULL, 'c'], CASE i % 3 WHEN 0 THEN '{{}}' WHEN 1 THEN ARRAY[[i, i + 1], [i + 2, i + 3]]
                                      ELSE '[5:6]={{1,2}}' END::enc_int8(pii, deterministic)[],
       ROW(i, 'mail' || i, NULL, 'alien' || i)::pair, ARRAY[ROW(i, 'mail' || i, '2001-01-01', NULL)::pair, NULL],
       'mail' || i, ARRAY['m' || i]::mail[], ROW(i, NULL, '1999-01-01', NULL)::pair, ARRAY['x' || i]::enc_text(pii)[],
       ROW(ROW(1, 'one' || i, NULL, NULL)::pair, ARRAY[ROW(2, 'two', NULL, NULL)::pair], ARRAY['l' || i]::enc_text(pii)[])::nested,
       ARRAY[ROW(NULL, NULL, ARRAY[NULL, 'n' || i]::enc_text(pii)[])::nested],
       ROW('mail' || i)::with_domain
FROM generate_series(1, {ROWS}) i;
"""
LARGE = """
CREATE TABLE large (id int, body enc_text(pii), deterministic enc_bytea(pii, deterministic), list enc_text(pii)[],
                    plain text, unchanged text);
ALTER TABLE large ALTER body SET STORAGE external, ALTER unchanged SET STORAGE external;
INSERT INTO large SELECT i, repeat('body' || i, 150000), decode(repeat(md5(i::text), 20000), 'hex'),
                         ARRAY[repeat('list', 20000), 'short'], repeat('p', 100000), repeat(md5(i::text), 5000)
                  FROM generate_series(1, 6) i;
"""
REGISTERED = """
CREATE TABLE registered (id int, owner text, none bytea, by_id bytea, prefixed bytea, constant bytea, fixed bytea, alien bytea);
INSERT INTO registered SELECT i, CASE WHEN i % 5 > 0 THEN 'o' || i END, rampart.encrypt('pii', 'n' || i),
    rampart.encrypt('pii', 'i' || i, i::text), rampart.encrypt('pii', 'p' || i, 'reg/' || i),
    rampart.encrypt('pii', 'c' || i, 'always'), rampart.encrypt_deterministic('pii', 'f' || i, 'o' || i),
    rampart.encrypt('other', 'a' || i)
FROM generate_series(1, 300) i;
UPDATE registered SET fixed = NULL WHERE owner IS NULL;
SELECT rampart.register_column('registered', 'none', 'pii'), rampart.register_column('registered', 'by_id', 'pii', 'id'),
       rampart.register_column('registered', 'prefixed', 'pii', 'id', 'reg/'),
       rampart.register_column('registered', 'constant', 'pii', NULL, 'always'),
       rampart.register_column('registered', 'fixed', 'pii', 'owner'), rampart.register_column('registered', 'alien', 'pii');
"""
SHAPES = """
CREATE TABLE parted (id int, mail enc_text(pii, deterministic)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200) PARTITION BY LIST (id);
CREATE TABLE parted_2_leaf PARTITION OF parted_2 DEFAULT;
INSERT INTO parted SELECT i, 'mail' || i FROM generate_series(1, 199) i;
CREATE TABLE parent (id int, mail enc_text(pii));
CREATE TABLE child (more enc_text(pii)) INHERITS (parent);
INSERT INTO parent SELECT i, 'parent' || i FROM generate_series(1, 50) i;
INSERT INTO child SELECT i, 'child' || i, 'more' || i FROM generate_series(51, 99) i;
CREATE TABLE generated (id int, mail enc_text(pii, deterministic), copy enc_text(pii, deterministic) GENERATED ALWAYS AS (mail) STORED);
INSERT INTO generated (id, mail) SELECT i, 'mail' || i FROM generate_series(1, 200) i;
CREATE TABLE changed (id int, gone enc_text(pii), mail enc_text(pii), gone_too text);
INSERT INTO changed SELECT i, 'gone', 'mail' || i, 'plain' FROM generate_series(1, 200) i;
ALTER TABLE changed DROP gone, DROP gone_too, ADD added enc_text(pii), ADD standard int DEFAULT 42, ADD word text DEFAULT 'w' NOT NULL;
INSERT INTO changed SELECT i, 'mail' || i, 'added' || i FROM generate_series(201, 220) i;
CREATE UNLOGGED TABLE unlogged (id int, mail enc_text(pii, deterministic) UNIQUE);
INSERT INTO unlogged SELECT i, 'mail' || i FROM generate_series(1, 200) i;
CREATE SCHEMA "Odd ""one"".";
CREATE TABLE "Odd ""one""."."select, 'x' -- " (id int, "Größe %s \\" enc_text(pii), "a""b" enc_text(pii));
INSERT INTO "Odd ""one""."."select, 'x' -- " SELECT i, 'odd' || i, 'q' FROM generate_series(1, 20) i;
CREATE TABLE alien (id int, mail enc_text(other, deterministic), name enc_text(other));
INSERT INTO alien SELECT i, 'mail' || i, 'name' FROM generate_series(1, 200) i;
CREATE TABLE empty (id int, mail enc_text(pii));
CREATE TABLE twice (mail enc_text(pii, deterministic));
INSERT INTO twice SELECT 'same' FROM generate_series(1, 100);
CREATE TABLE by_mail (id int, mail enc_text(pii, deterministic) NOT NULL DEFAULT 'nobody') PARTITION BY LIST (mail);
CREATE TABLE by_mail_ada PARTITION OF by_mail FOR VALUES IN ('ada', 'grace');
CREATE TABLE by_mail_rest PARTITION OF by_mail DEFAULT;
INSERT INTO by_mail SELECT i, (ARRAY['ada', 'grace', 'alan'])[i % 3 + 1] FROM generate_series(1, 30) i;
CREATE TABLE by_hash (id int, mail enc_text(pii, deterministic)) PARTITION BY HASH (mail);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT i, 'mail' || i FROM generate_series(1, 100) i;
CREATE MATERIALIZED VIEW seen AS SELECT id, mail FROM generated;
CREATE UNIQUE INDEX ON seen (mail);
"""
WIDE = "CREATE TABLE wide (id int, {columns}); INSERT INTO wide SELECT i, {values} FROM generate_series(1, 20) i".format(
    columns=", ".join(f"c{n} enc_text(pii)" for n in range(300)), values=", ".join(f"'{n}.' || i" for n in range(300)))

TABLES = {  # and what their rows say
    "kinds": "t", "containers": "t", "large": "ROW(id, md5(body), md5(deterministic::bytea), list, md5(plain), md5(unchanged))",
    "parted": "t", "parent": "t", "child": "t", "generated": "t", "changed": "t", "unlogged": "t", "alien": "t", "empty": "t",
    "twice": "t", "seen": "t", "by_mail": "t", "by_mail_ada": "t", "by_hash": "t", "wide": "t", '"Odd ""one""."."select, \'x\' -- "': "t",
    "registered": """ROW(id, owner, rampart.decrypt(none), rampart.decrypt(by_id, id::text), rampart.decrypt(prefixed, 'reg/' || id),
                     rampart.decrypt(constant, 'always'), rampart.decrypt(fixed, owner), rampart.decrypt(alien))""",
}
SAYS = "SELECT count(*), md5(string_agg(row, chr(10) ORDER BY row)) FROM (SELECT ({expression})::text FROM {table} t) s (row)"
ALIEN = "SELECT md5(string_agg(rampart.ciphertext(mail)::text || rampart.ciphertext(name)::text || ctid, '' ORDER BY id)) FROM alien"
TWINS = " OR ".join(f"{kind}_{mode}::{KINDS[kind][0]} IS DISTINCT FROM {kind}_{mode}_twin" for kind, mode in COLUMNS)
MULTIPLE = "SELECT count(*) FROM (SELECT id FROM {table} GROUP BY id HAVING count(*) > 1) s"


def said(database):
    return {table: database.query(SAYS.format(table=table, expression=expression))[0] for table, expression in TABLES.items()}


def check_plan(database, report):
    state = "SELECT pg_current_wal_insert_lsn(), (SELECT count(*) FROM rampart.key), (SELECT count(*) FROM rampart.rotation)"
    before = database.query("CHECKPOINT; " + state)
    plan = database.query("SELECT relation::text, columns, values_by_version, values_to_rewrite FROM rampart.rotation_plan('pii', true)")
    after = database.query(state)
    report.equal(after[0][1:], before[0][1:], "plan: makes no key and no rotation")
    by_table = {row[0]: row[1:] for row in plan}
    report.equal(by_table.get("twice"), (["mail"], {"v1": 100}, 100), "plan: a table, its columns and values by version")
    expected = database.value("SELECT sum(amount)::int8 FROM rampart.key_census('pii')")
    report.equal(sum(row[3] for row in plan), expected, "plan: as many values as the census counts")
    report.ok("alien" not in by_table and "parted" not in by_table and "parted_2_leaf" in by_table,
              "plan: tables of other scopes and partitioned tables are not in it, leaves are", sorted(by_table))
    return by_table


def check_after(database, rotation, plan, before, report):
    for table, rows in said(database).items():
        report.equal(rows, before[table], f"basics: {table} says what it said")
    report.equal(database.value(f"SELECT count(*) FROM kinds WHERE {TWINS}"), 0, "basics: every kind equals its twin")
    for table in ("kinds", "containers", "large", "registered", "wide", "changed"):
        report.equal(database.value(MULTIPLE.format(table=table)), 0, f"basics: no row of {table} is there twice")
    rewritten = database.query("SELECT t.name, sum(v)::int8 FROM rampart.rotation_table t, unnest(t.values_done) v WHERE t.rotation = %s "
                               "GROUP BY 1", (rotation,))
    wrong = [(name, done) for name, done in rewritten
             if done != plan.get(name.removeprefix("public."), (0, 0, 0))[2]]
    report.equal(wrong, [], "basics: exactly the values of the plan were rewritten, each once")
    report.equal(database.query("SELECT table_name, column_name, problem FROM rampart.rotation_error"), [], "basics: no errors")
    report.equal(database.old_values(), 0, "basics: no old version is left")


def check(world, report):
    database = world.database("basics", "pii", "other")
    for sql in (kinds_table(), CONTAINERS, LARGE, REGISTERED, SHAPES, WIDE):
        database.query(sql)
    database.query("ANALYZE")
    before, alien = said(database), database.value(ALIEN)
    plan = check_plan(database, report)
    report.equal(said(database), before, "plan: changes no row")
    rotation = database.start(batch=100)
    report.equal(database.wait(rotation), "complete", "basics: a rotation over all of it is complete")
    check_after(database, rotation, plan, before, report)
    report.equal(database.value(ALIEN), alien, "basics: rows of another scope were not touched")
    report.equal(database.destroy_retired_keys(), [], "basics: the old key can be destroyed")
    report.equal(said(database), before, "basics: and everything still reads")
    database.query("INSERT INTO by_mail VALUES (100, 'ada'); INSERT INTO by_mail (id) VALUES (101)")
    report.equal(database.query("SELECT tableoid::regclass::text, id FROM by_mail WHERE mail IN ('ada', 'nobody') AND id >= 100 ORDER BY 2"),
                 [("by_mail_ada", 100), ("by_mail_rest", 101)], "basics: bounds and defaults of before still work")
    database.query("DELETE FROM by_mail WHERE id >= 100")
    report.equal(database.rotate(), "complete", "basics: rotated again")
    report.equal(database.rotate("other"), "complete", "basics: the other scope, whose values stand in rows of both")
    report.equal((said(database), database.old_values(), database.old_values("other")), (before, 0, 0), "basics: all as before")
