"""What row-level security by rampart.allowed costs a row, beside other ways to write the same policy, and a lookup by key under it."""
from measure import Session, interleave

CLAIMS = '{"sub": "user1", "org": "org1", "roles": ["ADMIN"]}'
SET_UP = """
CREATE ROLE reader;
CREATE TABLE grants (org text, role text, action text, PRIMARY KEY (org, role, action));
INSERT INTO grants SELECT 'org' || i, 'ADMIN', 'read' FROM generate_series(0, 9) i;
CREATE FUNCTION by_sql(org text) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM grants g WHERE g.org = $1 AND g.role = 'ADMIN' AND g.action = 'read' AND $1 = current_setting('app.org')) $$;
CREATE FUNCTION by_plpgsql(org text) RETURNS bool LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN EXISTS (SELECT FROM grants g WHERE g.org = $1 AND g.role = 'ADMIN' AND g.action = 'read' AND $1 = current_setting('app.org')); END $$;
GRANT SELECT ON grants TO reader;
"""
POLICIES = {
    "rampart.allowed": "rampart.allowed('document', 'read', org_id, created_by)",
    "inline EXISTS": "EXISTS (SELECT FROM grants g WHERE g.org = org_id AND g.role = 'ADMIN' AND g.action = 'read' AND org_id = current_setting('app.org'))",
    "function in SQL": "by_sql(org_id)",
    "function in PL/pgSQL": "by_plpgsql(org_id)",
}
LOOKUPS = 20_000


def make_table(session, name, rows):
    for statement in (f"CREATE TABLE {name} AS SELECT i AS id, 'org' || i % 10 AS org_id, 'user' || i % 1000 AS created_by FROM generate_series(1, {rows}) i",
                      f"ALTER TABLE {name} ADD PRIMARY KEY (id)", f"CREATE INDEX ON {name} (org_id)", f"VACUUM ANALYZE {name}", f"GRANT SELECT ON {name} TO reader"):
        session.execute(statement)


def lookup_cost(session, table):
    """CPU of lookups by primary key."""
    session.execute(f"DO $$ DECLARE x int; BEGIN FOR i IN 1..100 LOOP SELECT id INTO x FROM {table} WHERE id = i; END LOOP; END $$")
    return session.cost(f"DO $$ DECLARE x int; BEGIN FOR i IN 1..{LOOKUPS} LOOP SELECT id INTO x FROM {table} WHERE id = i % 1000; END LOOP; END $$")


def measure(session, cluster, rows, rounds):
    """(nanoseconds a row above no policy, by policy; CPU of a lookup under rampart.allowed against none)."""
    session.execute(SET_UP)
    session.execute("SELECT rampart.load_roles()")
    names = {name: f"t{i}" for i, name in enumerate(POLICIES)}
    for table in ["plain", "made", *names.values()]:
        make_table(session, table, rows)
    for name, table in names.items():
        session.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON {table} FOR SELECT USING ({POLICIES[name]})")
    session.execute("SELECT rampart.policy_for('made', 'document', 'org_id', 'created_by')")
    reader = Session(cluster)
    reader.connection.autocommit = False
    reader.cursor.execute("SELECT rampart.trust_principal(%s)", (CLAIMS,))
    reader.execute("SET LOCAL app.org = 'org1'; SET LOCAL ROLE reader; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexonlyscan = off")
    count = "SELECT count(*) FROM {}"
    seen = {table: reader.value(count.format(table)) for table in [*names.values(), "made"]}
    assert set(seen.values()) == {rows // 10}, seen
    variants = {"none": "plain", **names, "rampart.policy_for": "made"}
    costs = interleave({name: lambda table=table: reader.cost(count.format(table)) for name, table in variants.items()}, rounds)
    by_policy = {name: (cost.cpu - costs["none"].cpu) / rows for name, cost in costs.items() if name != "none"}
    reader.execute("SET LOCAL enable_indexscan = on")
    lookups = interleave({"none": lambda: lookup_cost(reader, "plain"), "policy": lambda: lookup_cost(reader, names["rampart.allowed"])}, rounds)
    return by_policy, lookups["policy"].cpu / lookups["none"].cpu
