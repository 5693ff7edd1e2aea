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
# Columns with nothing in them but encrypted values.
_ENCRYPTED = """
    SELECT quote_ident(attname) FROM pg_attribute
    JOIN pg_type t ON t.oid = atttypid LEFT JOIN pg_type e ON e.oid = t.typelem
    WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
      AND (t.typname ~ '^_?(enc_.*|place)$' OR t.typtype = 'd' OR e.typtype = 'd')"""


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
                    "client_min_messages": "notice", "statement_timeout": "'60s'", **variant.settings}
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
        return sorted(row for row, in self.run(f"SELECT ROW(t.*)::text FROM {self._name(table)} t").rows)

    def bare_values(self, table):
        """Rows of a table that hold something else than ciphertext in an encrypted column."""
        columns = [name for name, in self.run(_ENCRYPTED.format(table=self._name(table))).rows]
        self.run("SET rampart.reveal = off")
        rows = self.run(f"SELECT ROW({', '.join(columns)})::text FROM {self._name(table)}").rows
        self.run("SET rampart.reveal = on")
        return [row for row, in rows if not _is_ciphertext(row)]


def _is_ciphertext(row):
    """Of a row's text: all parts of it, inside arrays and composite values too."""
    return all(part in ("", "NULL") or part.startswith("rmp1:") for part in re.split(r'[(){},"\\]+', row))


def _values(node, key):
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _values(value, key)
