"""What the tests of this suite share: databases that know the issuer's keys, and roles with and without rights."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import psycopg2  # noqa: E402

import database as harness  # noqa: E402
from cluster import Cluster  # noqa: E402
from database import on  # noqa: E402
from issuer import AUDIENCE, ISSUER, Issuer  # noqa: E402

# app may say whom it works for; owner and plain may not.
ROLES = "CREATE ROLE app LOGIN; CREATE ROLE owner LOGIN; CREATE ROLE plain LOGIN; GRANT plain TO owner"
SETTINGS = {"max_prepared_transactions": 4, "wal_level": "logical", "autovacuum": "off", "rampart.worker_naptime": 86400, "rampart.seal_interval": 0}


class World:
    def __init__(self):
        self.cluster = Cluster("principal", settings=SETTINGS).start()
        self.cluster.query(ROLES)
        self.issuer = Issuer()

    def database(self, name, options=""):
        self.cluster.query(f"CREATE DATABASE {name} {options}")
        database = Database(self.cluster, name)
        database.query("CREATE EXTENSION rampart; GRANT EXECUTE ON FUNCTION rampart.trust_principal, rampart.set_context TO app;"
                       "GRANT CREATE ON SCHEMA public TO PUBLIC")
        for kid, algorithm, key in self.issuer.published():
            database.query("SELECT rampart.add_token_key(%s, %s, %s, issuer => %s, audience => %s)", (kid, algorithm, key, ISSUER, AUDIENCE))
        return database


class Database(harness.Database):
    def connect(self, user="plain", autocommit=True, options=None):
        return self.cluster.connect(user, self.name, autocommit, options)

    def failure(self, sql, parameters=None, user="plain"):
        """(SQLSTATE, first line) of the error that a statement fails with, None if it does not."""
        try:
            self.query(sql, parameters, user)
        except psycopg2.Error as error:
            return error.pgcode, str(error).split("\n")[0]
        return None

    def principal(self, token, user="plain"):
        """What rampart.principal() says in the transaction that the token was given to."""
        return self.query("SELECT rampart.set_principal(%s); SELECT rampart.principal()", (token,), user)[0][0]

    def refusal(self, token, user="plain"):
        """Why a token is refused, the SQLSTATE where it is not by RMP08, None where it is taken."""
        error = self.failure("SELECT rampart.set_principal(%s)", (token,), user)
        if error is None:
            return None
        return error[1].removeprefix("token refused: ") if error[0] == "RMP08" else error[0]

    def settle(self):
        """Waits until what was queued so far has been written."""
        session = self.connect("postgres")
        on(session, "SELECT rampart.log_event('session.renewed', transactional => false)")
        assert on(session, "SELECT rampart.flush_events()") == [(True,)]
        session.close()
