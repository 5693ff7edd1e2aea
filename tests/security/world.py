"""The roles, scopes and tables that the tests of this suite share."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import psycopg2  # noqa: E402

from cluster import Cluster  # noqa: E402

EMAIL = "ada@example.com"
NAME = "Ada Lovelace"

# In scope pii app may do everything, writer encrypt, reader decrypt, visitor nothing. Scope other is keeper's alone.
ROLES = """
CREATE ROLE app LOGIN;
CREATE ROLE writer LOGIN;
CREATE ROLE reader LOGIN;
CREATE ROLE visitor LOGIN;
CREATE ROLE keeper LOGIN;
CREATE ROLE team;
CREATE ROLE inherits LOGIN IN ROLE team;
CREATE ROLE apart LOGIN NOINHERIT IN ROLE team;
CREATE ROLE boss LOGIN SUPERUSER;
CREATE ROLE chief LOGIN SUPERUSER;
GRANT visitor TO app;
"""

TABLES = """
CREATE EXTENSION rampart;
SELECT rampart.create_scope('pii'), rampart.create_scope('other');
SELECT rampart.grant_scope('pii', 'app'), rampart.grant_scope('pii', 'writer', 'encrypt'),
       rampart.grant_scope('pii', 'reader', 'decrypt'), rampart.grant_scope('pii', 'team'),
       rampart.grant_scope('pii', 'chief'), rampart.grant_scope('other', 'keeper');
CREATE TABLE pii (id int PRIMARY KEY, email enc_text(pii, deterministic) UNIQUE, name enc_text(pii),
                  born enc_date(pii, deterministic), stored bytea, plain int DEFAULT 0);
CREATE TABLE other (id int PRIMARY KEY, email enc_text(other, deterministic) UNIQUE, name enc_text(other),
                    born enc_date(other, deterministic), stored bytea, plain int DEFAULT 0);
GRANT ALL ON pii, other TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;
"""

FILL = """
INSERT INTO {0} VALUES (1, 'ada@example.com', 'Ada Lovelace', '1815-12-10',
                        rampart.encrypt('{0}', 'ada@example.com')),
                       (2, 'grace@example.com', 'Grace Hopper', '1906-12-09',
                        rampart.encrypt('{0}', 'grace@example.com'))
"""


class World:
    def __init__(self):
        self.cluster = Cluster("security", settings={"wal_keep_size": "'4GB'", "max_wal_size": "'4GB'",
                                                     "autovacuum": "off"}).start()
        self.cluster.query(ROLES)

    def database(self, name):
        """A database with the shared tables, filled."""
        self.cluster.query(f"CREATE DATABASE {name}")
        database = Database(self.cluster, name)
        database.query(TABLES)
        database.query(FILL.format("pii"), user="app")
        database.query(FILL.format("other"), user="keeper")
        return database


class Database:
    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def query(self, sql, parameters=None, user="postgres", options=None):
        return self.cluster.query(sql, parameters, user, self.name, options)

    def connect(self, user="postgres", autocommit=True, options=None):
        return self.cluster.connect(user, self.name, autocommit, options)

    def value(self, sql, user="postgres", options=None):
        return self.query(sql, None, user, options)[0][0]

    def dsn(self, user="postgres"):
        return self.cluster.dsn(user, self.name)


def attempt(connection, sql, parameters=None):
    """Rows (empty where there are none) or the SQLSTATE that the statement failed with."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            return error.pgcode or f"lost connection: {error}"
        except UnicodeDecodeError:
            return "bytes that are no text"


def without_ciphertext(text):
    """What is left of a text beside armour and bytes: in those, any three letters may stand by chance."""
    return re.sub(r"rmp1:[\w-]+|\\+x[0-9a-f]+", "", text)
