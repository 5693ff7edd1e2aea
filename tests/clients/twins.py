"""The two applications of schema.sql as Python sees them."""
import psycopg2

USERS = ("app_plain", "app_encrypted")
KINDS = ("text", "bytea", "jsonb", "numeric", "int8", "date", "timestamptz", "uuid", "bool")


def answer(action, *arguments):
    """What a caller can see: the result, or the error's class, constraint and table."""
    try:
        return action(*arguments)
    except psycopg2.Error as error:
        return type(error).__name__, error.pgcode, error.diag.constraint_name, error.diag.table_name


def empty(cluster):
    """Both twins as they were made."""
    for twin in ("plain", "encrypted"):
        cluster.query(f"TRUNCATE {twin}.customer, {twin}.invoice, {twin}.counter RESTART IDENTITY")


def compare(report, connections, name, action):
    """Asks both and wants one answer; errors end the transaction in both."""
    answers = []
    for connection in connections:
        answers.append(answer(action, connection))
        if not connection.closed:
            connection.commit()
    return report.equal(answers[1], answers[0], name)
