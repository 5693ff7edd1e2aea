"""A ledger under load: sessions that transfer, insert, delete and move rows, each value with its plain twin beside it."""
import random
import threading
import time

import psycopg2

from world import on

ROWS = 20000
TOTAL = 1000 * ROWS
TABLE = """
CREATE TABLE {0} (id int PRIMARY KEY, mail enc_text(pii, deterministic) UNIQUE, note enc_text(pii), balance enc_numeric(pii),
                  plain_mail text, plain_note text, plain_balance numeric);
"""
# How many rows there must be is stored by the transactions that make and end them.
TABLES = TABLE.format("current") + TABLE.format("saving") + """
CREATE TABLE tally (session int PRIMARY KEY, rows int);
CREATE SEQUENCE ids START 1000000;
"""
FILL = f"""
INSERT INTO {{0}} SELECT i, 'mail' || i, 'note' || i, 1000, 'mail' || i, 'note' || i, 1000
FROM generate_series({{1}}, {{2}}) i;
"""
ADD = "UPDATE {} SET balance = balance::numeric + %(n)s, plain_balance = plain_balance + %(n)s, note = %(note)s, plain_note = %(note)s WHERE mail = %(mail)s"
TOUCH = "UPDATE {} SET plain_note = plain_note WHERE id = %s"
INSERT = "INSERT INTO {} SELECT i, 'mail' || i, 'new', 0, 'mail' || i, 'new', 0 FROM nextval('ids') i"
DELETE = "DELETE FROM {} WHERE mail = %s AND plain_balance = 0"
MOVE = "WITH moved AS (DELETE FROM {} WHERE id = %s RETURNING *) INSERT INTO {} SELECT * FROM moved"
COUNT = "INSERT INTO tally VALUES (%s, %s) ON CONFLICT (session) DO UPDATE SET rows = tally.rows + excluded.rows"
BOTH = "(SELECT * FROM current UNION ALL SELECT * FROM saving)"
WRONG = f"""SELECT count(*) FROM {BOTH} l WHERE mail::text IS DISTINCT FROM plain_mail OR note::text IS DISTINCT FROM plain_note
            OR balance::numeric IS DISTINCT FROM plain_balance"""
TABLES_OF_LEDGER = ("current", "saving")


class Ledger:
    def __init__(self, database, sessions=8):
        self.database, self.stopped = database, threading.Event()
        database.query(TABLES)
        database.query(FILL.format("current", 1, ROWS // 2))
        database.query(FILL.format("saving", ROWS // 2 + 1, ROWS))
        self.committed = [0] * sessions
        self.threads = [threading.Thread(target=self.work, args=(number,), daemon=True) for number in range(sessions)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(20)

    def work(self, number):
        """Connects again when the connection is lost: whether the last transaction took place does not matter."""
        chance = random.Random(number)
        connection = None
        while not self.stopped.is_set():
            try:
                connection = connection or self.database.connect(autocommit=False)
                self.act(connection, chance, number)
                connection.commit()
                self.committed[number] += 1
            except psycopg2.Error:
                connection = recovered(connection)
                time.sleep(0.05)
        if connection:
            connection.close()

    def act(self, connection, chance, number):
        table, other = chance.sample(TABLES_OF_LEDGER, 2)
        what, row = chance.random(), chance.randint(1, ROWS)
        if what < 0.5:
            self.transfer(connection, table, chance)
        elif what < 0.7:
            on(connection, TOUCH.format(table), (row,))
        elif what < 0.85:
            on(connection, MOVE.format(table, other), (row,))
        elif what < 0.95:
            on(connection, INSERT.format(table))
            on(connection, COUNT, (number, 1))
        else:
            with connection.cursor() as cursor:
                cursor.execute(DELETE.format(table), (f"mail{chance.randint(1000000, 1002000)}",))
                deleted = cursor.rowcount
            on(connection, COUNT, (number, -deleted))

    def transfer(self, connection, table, chance):
        amount, pair = chance.randint(1, 500) / 4, sorted(chance.sample(range(1, ROWS + 1), 2))
        found = []
        with connection.cursor() as cursor:
            for row, sign in zip(pair, (1, -1)):
                cursor.execute(ADD.format(table), {"n": sign * amount, "note": f"note of {amount}", "mail": f"mail{row}"})
                found.append(cursor.rowcount)
        if found != [1, 1]:
            connection.rollback()

    def check(self, report, when):
        value = self.database.value
        report.equal(value(WRONG), 0, f"{when}: every value equals its twin")
        report.equal(value(f"SELECT sum(balance::numeric) FROM {BOTH} l"), TOTAL, f"{when}: the sums agree")
        expected = ROWS + value("SELECT coalesce(sum(rows), 0)::int8 FROM tally")
        report.equal(value(f"SELECT count(*) FROM {BOTH} l"), expected, f"{when}: no row is lost, none is there twice")
        report.equal(value(f"SELECT count(*) FROM (SELECT id FROM {BOTH} l GROUP BY id HAVING count(*) > 1) s"), 0, f"{when}: ids are unique")


def recovered(connection):
    """The connection if it is still good, else None."""
    try:
        connection.rollback()
        return connection
    except (psycopg2.Error, AttributeError):
        return None
