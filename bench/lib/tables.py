"""A table with two encrypted columns beside its twin in plaintext.

    plain      (id int8, card text, name text)
    encrypted  (id int8, card enc_text(pii, deterministic), name enc_text(pii))

Cards have 16 characters and come in no order, names have 32. CPU time is the backend's.
"""
import os

from measure import interleave, print_table

COLUMNS = {
    "plain": "id int8 {key}, card text {unique}, name text",
    "encrypted": "id int8 {key}, card enc_text(pii, deterministic) {unique}, name enc_text(pii)",
}
FIRST_CARD = 4_000_000_000_000_000
# Prime, so that it shuffles any number of rows that it does not divide.
SHUFFLE = 7_368_787

# Statements over an existing table.
QUERIES = [
    ("scan, `count(length(card))`", "SELECT count(length(card)) FROM {table}"),
    ("scan, `count(length(name))`", "SELECT count(length(name)) FROM {table}"),
    ("scan that reads no encrypted column", "SELECT count(id) FROM {table}"),
    ("hash join on card", "SELECT count(*) FROM {table} a JOIN {table} b ON a.card = b.card"),
    ("GROUP BY card", "SELECT count(*) FROM (SELECT card FROM {table} GROUP BY card OFFSET 0) g"),
    ("ORDER BY card", "SELECT card FROM {table} ORDER BY card OFFSET {rows}"),
    ("CREATE INDEX on card", "CREATE INDEX {table}_card ON {table} (card)"),
]


class Tables:
    def __init__(self, session, cluster, scale):
        self.session = session
        self.rows = scale.rows
        self.rounds = scale.table_rounds
        self.file = os.path.join(cluster.directory, "rows")
        self.table_rows = []
        self.ratios = {}

    def create(self, suffix="", storage="", key="", unique=""):
        for table, columns in COLUMNS.items():
            self.session.execute(f"CREATE {storage} TABLE {table}{suffix} ({columns.format(key=key, unique=unique)})")

    def compare(self, name, variant, rounds=None, count=None):
        """Measures variant(table), a Cost, on both tables; shown a row, or divided by another count."""
        costs = interleave({table: lambda table=table: variant(table).per(count or self.rows) for table in COLUMNS},
                           rounds or self.rounds)
        plain, encrypted = costs["plain"], costs["encrypted"]
        self.ratios[name] = encrypted.cpu / plain.cpu
        self.table_rows.append([name, f"{encrypted.cpu / plain.cpu:.2f}", f"{plain.cpu:,.0f}", f"{encrypted.cpu:,.0f}",
                                f"{encrypted.elapsed / plain.elapsed:.2f}"])

    def load(self, suffix, source):
        def variant(table):
            self.session.execute(f"TRUNCATE {table}{suffix}")
            return self.session.cost(source.format(table=table + suffix, file=self.file))
        return variant

    def compare_loading(self):
        copy = "COPY {table} FROM '{file}'"
        self.session.execute(
            f"COPY (SELECT i, {FIRST_CARD} + i * {SHUFFLE} % {self.rows}, md5(i::text)"
            f" FROM generate_series(1, {self.rows}::int8) i) TO '{self.file}'")
        self.create("_unlogged", "UNLOGGED")
        self.create()
        self.create("_indexed", key="PRIMARY KEY", unique="UNIQUE")
        self.compare("COPY in, unlogged", self.load("_unlogged", copy))
        self.compare("COPY in", self.load("", copy))
        self.compare("COPY in, id PRIMARY KEY, card UNIQUE", self.load("_indexed", copy), max(self.rounds - 1, 1))
        self.compare("INSERT ... SELECT from plaintext, unlogged",
                     self.load("_unlogged", "INSERT INTO {table} SELECT * FROM plain"))
        for table in COLUMNS:
            self.session.execute(f"DROP TABLE {table}_unlogged, {table}_indexed")
        self.session.execute("VACUUM ANALYZE plain, encrypted")

    def compare_queries(self):
        session = self.session
        session.execute("SET enable_mergejoin = off")
        with open(os.devnull, "w") as nowhere:
            self.compare("COPY TO STDOUT", lambda table: session.time(
                lambda: session.cursor.copy_expert(f"COPY {table} TO STDOUT", nowhere)))
        for name, sql in QUERIES:
            def variant(table):
                session.execute(f"DROP INDEX IF EXISTS {table}_card")
                return session.cost(sql.format(table=table, rows=self.rows))
            self.compare(name, variant)

    def compare_list(self, length=1000):
        """With the index that compare_queries() left."""
        length = min(length, self.rows)
        cards = ", ".join(f"'{FIRST_CARD + n}'" for n in range(0, self.rows, self.rows // length))
        self.compare(f"card IN (list of {length}), a member of the list", lambda table: self.session.cost(
            f"SELECT count(name) FROM {table} WHERE card IN ({cards})"), 5 * self.rounds, length)

    def compare_sizes(self):
        rows = []
        for name, function, suffix in [("table", "pg_table_size", ""), ("index on card", "pg_relation_size", "_card")]:
            plain, encrypted = (self.session.value(f"SELECT {function}('{table}{suffix}')") for table in COLUMNS)
            rows.append([name, f"{encrypted / plain:.2f}", f"{plain / self.rows:.0f}", f"{encrypted / self.rows:.0f}"])
        print_table("Size on disk", ["what", "ratio", "plaintext, bytes a row", "encrypted, bytes a row"], rows)


def run(session, cluster, scale):
    """Prints the tables; CPU ratios by row."""
    tables = Tables(session, cluster, scale)
    tables.compare_loading()
    tables.compare_queries()
    tables.compare_list()
    print_table(f"Two encrypted columns against plaintext, {scale.rows:,} rows",
                ["what", "ratio of CPU", "plaintext, ns a row", "encrypted, ns a row", "ratio of elapsed"],
                tables.table_rows)
    tables.compare_sizes()
    return tables.ratios
