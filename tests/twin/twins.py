"""The two schemas, sessions on them, and what a session leaves in its tables."""
import json
import re

import corpus
import pq

ROLE = "app"
TWINS = ("plain", "enc")

# Which rows a hash partition holds depends on the key; their union does not.
_COMPARED = """
    SELECT DISTINCT CASE WHEN c.relpersistence = 't' THEN 'pg_temp' ELSE '{schema}' END || '.' || c.relname
    FROM ({tables}) t (oid)
    LEFT JOIN (SELECT i.inhparent, i.inhrelid FROM pg_inherits i JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
               WHERE p.partstrat = 'h') h ON h.inhrelid = t.oid
    JOIN pg_class c ON c.oid = coalesce(h.inhparent, t.oid)
    ORDER BY 1"""
_TABLES = "SELECT oid FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'm')"
_TOUCHED = """
    SELECT relid FROM pg_stat_xact_user_tables
    WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND (schemaname = '{schema}' OR schemaname LIKE 'pg_temp%')"""
_COLUMNS = """
    SELECT attname, atttypid::regtype::text FROM pg_attribute
    WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


def create(cluster):
    """A database with both twins; its default collation is not that of bytes."""
    cluster.query(f"CREATE ROLE {ROLE} LOGIN")
    cluster.query("CREATE DATABASE twin TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
    cluster.psql(f"""
        CREATE EXTENSION rampart;
        SELECT rampart.create_scope(s), rampart.grant_scope(s, '{ROLE}', 'encrypt,decrypt')
        FROM unnest(ARRAY['pii', 'hipaa']) s;
        CREATE SCHEMA plain AUTHORIZATION {ROLE};
        CREATE SCHEMA enc AUTHORIZATION {ROLE};""", database="twin")
    for twin in TWINS:
        script = corpus.worded(corpus.schema() + corpus.data(), twin, qualified=True)
        cluster.psql("SET client_min_messages = warning;" + script, user=ROLE, database="twin")


def tables(cluster):
    """The names of both schemas' tables."""
    query = _COMPARED.format(schema="plain", tables=_TABLES.format(schema="plain"))
    return [row[0].split(".")[1] for row in cluster.query(query, database="twin")]


class Session:
    """One twin's connection under one variant."""

    def __init__(self, cluster, twin, variant):
        self.twin = twin
        self.qualified = bool(variant.search_path)
        self._connection = pq.Connection(cluster.dsn(ROLE, "twin"))
        settings = {"search_path": variant.search_path or twin, "timezone": "'UTC'", "jit": "off",
                    "client_min_messages": "notice", "rampart.default_scope": "''", **variant.settings}
        if twin == "plain":
            del settings["rampart.default_scope"]
        for name, value in settings.items():
            self.run(f"SET {name} = {value}")

    def run(self, sql):
        return self._connection.run(sql)

    def simple(self, sql):
        return self._connection.simple(corpus.worded(sql, self.twin, self.qualified))

    def extended(self, sql, parameters, types):
        return self._connection.extended(corpus.worded(sql, self.twin, self.qualified), parameters, types)

    def roll_back(self):
        self.run("ROLLBACK")
        self.run("DEALLOCATE ALL")
        # So that touched() does not see this transaction in the next one.
        self.run("SELECT pg_stat_force_next_flush()")

    def close(self):
        self._connection.close()

    def index_names(self, sql):
        """Indexes that the plan of a statement reads."""
        plan = json.loads(self.run("EXPLAIN (FORMAT JSON) " + corpus.worded(sql, self.twin, self.qualified)).rows[0][0])
        return set(_values(plan, "Index Name"))

    def touched(self):
        """Tables that this transaction has written, by their names without the twin's schema."""
        query = _COMPARED.format(schema=self.twin, tables=_TOUCHED.format(schema=self.twin))
        return {row[0].removeprefix(self.twin + ".") for row in self.run(query).rows}

    def _name(self, table):
        return table if table.startswith("pg_temp.") else f"{self.twin}.{table}"

    def content(self, table):
        return sorted(self.run(f"SELECT * FROM {self._name(table)}").rows, key=repr)

    def bare_values(self, table):
        """Encrypted columns of a table with a value that is not a ciphertext."""
        columns = self.run(_COLUMNS.format(table=self._name(table))).rows
        self.run("SET rampart.reveal = off")
        rows = self.run(f"SELECT * FROM {self._name(table)}").rows
        self.run("SET rampart.reveal = on")
        return [name for i, (name, kind) in enumerate(columns)
                if kind.startswith("enc_") or kind.endswith(("address", "grade", "place"))
                if any(not _is_ciphertext(row[i]) for row in rows)]


def _is_ciphertext(text):
    """Also of an array or a composite value: all there is in it."""
    return all(part in ("", "NULL") or part.startswith("rmp1:") for part in re.split(r'[(){},"\\]+', text or ""))


def _values(node, key):
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, key)
