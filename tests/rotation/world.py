"""What the tests of this suite share: databases with scopes, and rotations to start, to wait for and to check."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import psycopg2  # noqa: E402

from cluster import Cluster  # noqa: E402

SETTINGS = {"rampart.worker_naptime": 1, "max_prepared_transactions": 4, "max_worker_processes": 16,
            "autovacuum": "off", "wal_level": "logical", "max_wal_size": "'4GB'"}
OLD_VALUES = """
SELECT coalesce(sum(c.amount), 0)::int8 FROM rampart.key_census(%s) c LEFT JOIN rampart.key k ON k.id = c.key_id
WHERE k.state IS DISTINCT FROM 'active'
"""


class World:
    def __init__(self):
        self.cluster = Cluster("rotation", settings=SETTINGS).start()

    def database(self, name, *scopes):
        """A database with the extension and these scopes, in which the superuser may decrypt."""
        self.cluster.query(f"CREATE DATABASE {name}")
        return Database(self.cluster, name).set_up(*scopes)


class Database:
    def __init__(self, cluster, name="postgres"):
        self.cluster, self.name = cluster, name

    def set_up(self, *scopes):
        self.query("CREATE EXTENSION rampart")
        for scope in scopes:
            self.query("SELECT rampart.create_scope(%s)", (scope,))
            self.query("SELECT rampart.grant_scope(%s, 'postgres')", (scope,))
        return self

    def query(self, sql, parameters=None, user="postgres", options=None):
        return self.cluster.query(sql, parameters, user, self.name, options)

    def value(self, sql, parameters=None, user="postgres"):
        return self.query(sql, parameters, user)[0][0]

    def connect(self, user="postgres", autocommit=True, options=None):
        return self.cluster.connect(user, self.name, autocommit, options)

    def start(self, scope="pii", **options):
        """Starts a rotation and returns its id."""
        named = "".join(f", {name} => {value}" for name, value in options.items())
        return self.value(f"SELECT rampart.start_rotation(%s{named})", (scope,))

    def state(self, rotation):
        return self.value("SELECT state FROM rampart.rotation WHERE id = %s", (rotation,))

    def wait(self, rotation, seconds=60):
        """The state in which a rotation ends; the last state seen where it does not."""
        return wait_until(lambda: self.state(rotation), lambda state: state not in ("running", "paused"), seconds)

    def wait_for_rows(self, rotation, rows, seconds=30):
        """Waits until so many rows are rewritten, in the round that is running or in one before."""
        done = """SELECT coalesce(sum(rows_done), 0) + 1000000000 * (SELECT round - 1 FROM rampart.rotation WHERE id = %s)
                  FROM rampart.rotation_table WHERE rotation = %s"""
        return wait_until(lambda: self.value(done, (rotation, rotation)), lambda n: n >= rows, seconds)

    def paused_midway(self, rows, scope="pii", **options):
        """A rotation that is paused after at least so many rows; fails if it ended before."""
        rotation = self.start(scope, **options)
        self.wait_for_rows(rotation, rows)
        self.query("SELECT rampart.pause_rotation(%s)", (rotation,))
        return rotation

    def finish(self, rotation, seconds=60):
        """Lets a paused rotation go on and returns the state it ends in."""
        self.query("SELECT rampart.resume_rotation(%s)", (rotation,))
        return self.wait(rotation, seconds)

    def rotate(self, scope="pii", seconds=60, **options):
        return self.wait(self.start(scope, **options), seconds)

    def old_values(self, scope="pii"):
        """How many values of the scope need another key than the active one."""
        return self.value(OLD_VALUES, (scope,))

    def retired_keys(self, scope="pii"):
        return [key for key, in self.query("SELECT id FROM rampart.keys WHERE scope = %s AND state = 'retired'", (scope,))]

    def destroy_retired_keys(self, scope="pii"):
        """Returns the SQLSTATEs of those that could not be destroyed."""
        return [code for key in self.retired_keys(scope)
                if (code := self.failure("SELECT rampart.destroy_key(%s, %s)", (key, scope)))]

    def failure(self, sql, parameters=None, user="postgres"):
        """The SQLSTATE that a statement fails with, None if it does not."""
        try:
            self.query(sql, parameters, user)
        except psycopg2.Error as error:
            return error.pgcode or f"lost connection: {error}"
        return None


def wait_until(look, enough, seconds):
    """What look() sees when it is enough, or when time is up."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if enough(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(0.05)


def on(connection, sql, parameters=None):
    """Rows of a statement in an open session, None where it returns none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None
