"""The two applications of schema.sql as Python sees them."""
import collections

import psycopg2

USERS = ("app_plain", "app_encrypted")


Refusal = collections.namedtuple("Refusal", "error code constraint table")


def answer(action, *arguments):
    """What a caller can see: the result, or the error with its constraint and table."""
    try:
        return action(*arguments)
    except psycopg2.Error as error:
        return Refusal(type(error).__name__, error.pgcode, error.diag.constraint_name, error.diag.table_name)


def empty(cluster):
    """Both twins as they were made."""
    for twin in ("plain", "encrypted"):
        cluster.query(f"TRUNCATE {twin}.customer, {twin}.invoice, {twin}.counter RESTART IDENTITY")


def compare(report, connections, name, action, refused=False):
    """Asks both and wants one answer, an error only where one is meant; it ends the transaction in both."""
    answers = []
    for connection in connections:
        answers.append(answer(action, connection))
        connection.commit()
    plain, encrypted = answers
    is_error = isinstance(plain, Refusal)
    return report.equal((encrypted, is_error), (plain, refused), name)
