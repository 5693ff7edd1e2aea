"""Partitioned and inheriting tables."""


def relations(database, since):
    return database.query("SELECT relation, operation, key -> 'id', metadata ->> 'partition' FROM rampart.audit_log "
                          "WHERE id > %s AND class = 'normal' ORDER BY id", (since,))


def check_partitions(database, report):
    database.query("CREATE TABLE m (id int, k text, v int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);"
                   "CREATE TABLE m_a PARTITION OF m FOR VALUES IN ('a'); SELECT rampart.audit_table('m', redact => '{v}');"
                   "CREATE TABLE m_b (v int, dropped int, k text NOT NULL, id int NOT NULL); ALTER TABLE m_b DROP dropped;"
                   "ALTER TABLE m ATTACH PARTITION m_b FOR VALUES IN ('b');"
                   "CREATE TABLE m_c PARTITION OF m FOR VALUES IN ('c') PARTITION BY RANGE (id); CREATE TABLE m_c1 PARTITION OF m_c FOR VALUES FROM (0) TO (10)")
    last = database.last()
    database.query("INSERT INTO m VALUES (1, 'a', 1); INSERT INTO m_b (id, k, v) VALUES (2, 'b', 2); INSERT INTO m VALUES (3, 'c', 3)")
    report.equal(relations(database, last), [("public.m", "INSERT", 1, "public.m_a"), ("public.m", "INSERT", 2, "public.m_b"), ("public.m", "INSERT", 3, "public.m_c1")],
                 "partitions: through the table and through a partition, attached or made later")
    report.equal(database.query("SELECT DISTINCT new -> 'v' FROM rampart.audit_log WHERE id > %s", (last,)), [("[redacted]",)], "partitions: the table's settings hold")
    last = database.last()
    database.query("UPDATE m SET k = 'b' WHERE id = 1")
    report.equal(relations(database, last), [("public.m", "DELETE", 1, "public.m_a"), ("public.m", "INSERT", 1, "public.m_b")],
                 "partitions: a row that moves is deleted and inserted")
    last = database.last()
    database.query("TRUNCATE m_b; TRUNCATE m_c1")
    report.equal(relations(database, last), [("public.m", "TRUNCATE", None, "public.m_b"), ("public.m", "TRUNCATE", None, "public.m_c1")], "partitions: TRUNCATE of one")
    report.equal(database.query("SELECT partitions, active FROM rampart.audited_tables"), [(4, True)], "partitions: all are covered")
    report.equal(database.failure("SELECT rampart.audit_table('m_a')"), "RMA04", "partitions: not audited on their own")
    last = database.last()
    database.query("ALTER TABLE m DETACH PARTITION m_a; INSERT INTO m_a VALUES (9, 'a', 9)")
    report.equal(database.events(last), [("audit.disabled", "public.m_a")], "partitions: detaching one is an event")
    last = database.last()
    database.query("ALTER TABLE m ATTACH PARTITION m_a FOR VALUES IN ('a'); UPDATE m SET v = 10 WHERE id = 9")
    report.equal((database.events(last), relations(database, last)), ([("audit.enabled", "public.m_a")], [("public.m", "UPDATE", 9, "public.m_a")]),
                 "partitions: and attaching it again")
    last = database.last()
    database.query("CREATE TABLE m_d (id int NOT NULL, k text NOT NULL, v int); INSERT INTO m_d VALUES (20, 'd', 1); ALTER TABLE m ATTACH PARTITION m_d FOR VALUES IN ('d')")
    report.equal(database.events(last), [("audit.enabled", "public.m_d")], "partitions: rows that come with one leave an entry")
    database.query("SELECT rampart.unaudit_table('m')")
    last = database.last()
    database.query("INSERT INTO m VALUES (11, 'a', 1); TRUNCATE m; DROP TABLE m")
    report.equal((relations(database, last), database.events(last), database.value("SELECT count(*) FROM rampart.audited_table")), ([], [], 0), "partitions: unaudit_table")


def check_inheritance(database, report):
    database.query("CREATE TABLE base (id int PRIMARY KEY); CREATE TABLE heir (extra int) INHERITS (base); SELECT rampart.audit_table('base');"
                   "CREATE TABLE late (more int, PRIMARY KEY (id)) INHERITS (base)")
    last = database.last()
    database.query("INSERT INTO heir VALUES (1, 2); INSERT INTO late VALUES (3, 4); UPDATE base SET id = id + 10")
    report.equal([(e[0], e[1], e[4]) for e in database.entries(last)],
                 [("public.heir", "INSERT", {"id": 1, "extra": 2}), ("public.late", "INSERT", {"id": 3, "more": 4}), ("public.heir", "UPDATE", {"id": 11}),
                  ("public.late", "UPDATE", {"id": 13})], "inheritance: heirs are audited, also later ones")
    last = database.last()
    database.query("DROP TABLE late")
    report.equal(database.events(last), [("audit.disabled", "public.late")], "inheritance: dropping an audited table is an event")


def check_order(database, report):
    """A partition that was audited as a table before it became one."""
    database.query("CREATE TABLE o_1 (id int PRIMARY KEY); SELECT rampart.audit_table('o_1'); CREATE TABLE o (id int PRIMARY KEY) PARTITION BY RANGE (id);"
                   "ALTER TABLE o ATTACH PARTITION o_1 FOR VALUES FROM (0) TO (10); SELECT rampart.audit_table('o')")
    last = database.last()
    database.query("INSERT INTO o VALUES (1)")
    report.equal(relations(database, last), [("public.o", "INSERT", 1, "public.o_1")], "partitions: one that was audited on its own before")


def check(world, report):
    database = world.database("partitions")
    for part in (check_partitions, check_inheritance, check_order):
        part(database, report)
