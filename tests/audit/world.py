"""What the tests of this suite share: databases with a scope, roles and audited tables, and the log to look at."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import database  # noqa: E402
from cluster import Cluster  # noqa: E402
from database import on  # noqa: E402

# No worker comes by: what it does is called where it is wanted.
SETTINGS = {"max_prepared_transactions": 4, "wal_level": "logical", "autovacuum": "off", "rampart.worker_naptime": 86400, "rampart.seal_interval": 0}
# Only what is done to tables is recorded: a test that counts entries has none of its own logins among them.
QUIET = "SELECT rampart.alter_event(name, enabled => false) FROM rampart.audit_event_type WHERE name !~ '^(alert|audit|data|schema)[.]'"
ROLES = """
CREATE ROLE app LOGIN; CREATE ROLE owner LOGIN; CREATE ROLE reader LOGIN;
"""


class World:
    def __init__(self):
        self.cluster = Cluster("audit", settings=SETTINGS).start()
        self.cluster.query(ROLES)

    def latin_database(self, name):
        return self.database(name, "ENCODING LATIN1 TEMPLATE template0")

    def database(self, name, options="", quiet=True):
        """A database in which app may decrypt scope pii, and owner and reader may not. quiet: only what is done to
        tables is recorded."""
        self.cluster.query(f"CREATE DATABASE {name} {options}")
        database = Database(self.cluster, name)
        database.query("CREATE EXTENSION rampart; SELECT rampart.create_scope('pii');"
                       "SELECT rampart.grant_scope('pii', 'app'); SELECT rampart.grant_scope('pii', 'owner', 'encrypt');"
                       "SELECT rampart.grant_scope('pii', 'postgres');"
                       "GRANT CREATE ON SCHEMA public TO PUBLIC")
        if quiet:
            database.query(QUIET)
        return database


class Database(database.Database):
    def settle(self):
        """Waits until what was queued so far has been written."""
        session = self.connect()
        on(session, "SELECT rampart.log_event('session.renewed', transactional => false)")
        assert on(session, "SELECT rampart.flush_events()") == [(True,)]
        session.close()

    def last(self):
        """The number of the newest entry."""
        return self.value("SELECT coalesce(max(id), 0) FROM rampart.audit_log")

    def entries(self, since=0, event_class="normal"):
        """(relation, operation, key, old, new) of the entries after one, in order."""
        return self.query("SELECT relation, operation, key, old, new FROM rampart.audit_log "
                          "WHERE id > %s AND class = %s ORDER BY id", (since, event_class))

    def events(self, since=0):
        """(event, relation) of the security entries after one."""
        return self.query("SELECT event, relation FROM rampart.audit_log WHERE id > %s AND class = 'security' ORDER BY id", (since,))

    def after(self, sql, user="postgres"):
        """The row changes that statements leave in the log: (operation, key, old, new)."""
        last = self.last()
        self.query(sql, user=user)
        return [entry[1:] for entry in self.entries(last)]
