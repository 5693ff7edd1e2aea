"""A database of a test cluster, by its name, and statements in open sessions."""
import psycopg2


class Database:
    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def query(self, sql, parameters=None, user="postgres"):
        return self.cluster.query(sql, parameters, user, self.name)

    def value(self, sql, parameters=None, user="postgres"):
        return self.query(sql, parameters, user)[0][0]

    def connect(self, user="postgres", autocommit=True):
        return self.cluster.connect(user, self.name, autocommit)

    def failure(self, sql, parameters=None, user="postgres"):
        """The SQLSTATE that a statement fails with, None if it does not."""
        try:
            self.query(sql, parameters, user)
        except psycopg2.Error as error:
            return error.pgcode or f"lost connection: {error}"
        return None


def on(connection, sql, parameters=None):
    """Rows of a statement in an open session, None where it returns none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None
