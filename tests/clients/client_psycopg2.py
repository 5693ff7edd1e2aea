"""psycopg2: client-side parameters, named cursors, executemany, COPY, errors."""
import datetime
import decimal
import io
import uuid

import psycopg2.extras

from twins import USERS, compare, empty

INSERT = """INSERT INTO customer (email, name, born, seen, balance, visits, token, active, notes, photo)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING *"""
UTC = datetime.timezone.utc
LEAP_DAY = datetime.datetime(2024, 2, 29, 12, 34, 56, 789, UTC)
DAY = datetime.timedelta(days=1)
ADA = ("ada@example.com", "Ada O'Lovelace", datetime.date(1815, 12, 10), LEAP_DAY, decimal.Decimal("12.50"), 36,
       uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), False, psycopg2.extras.Json({"likes": ["engines", None]}),
       psycopg2.Binary(b"\0\xff"))
GRACE = ("grace@example.com", "Grace 100% \\ \N{GRINNING FACE}", None, None, decimal.Decimal("-1e20"), 2**63 - 1,
         None, True, psycopg2.extras.Json([]), psycopg2.Binary(bytes(100000)))
NONE = ("none@example.com",) + (None,) * 9


def execute(sql, parameters=None):
    def action(connection):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows = cursor.fetchall() if cursor.description else None
            if rows:  # memoryviews compare by identity
                rows = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows]
            return rows, cursor.rowcount
    return action


QUERIES = {
    "equality": ("SELECT * FROM customer WHERE email = %s", ("ada@example.com",)),
    "in a tuple": ("SELECT name FROM customer WHERE email IN %s ORDER BY name",
                   (("ada@example.com", "none@example.com", "x"),)),
    "any of a list": ("SELECT name FROM customer WHERE email = ANY (%s) ORDER BY name",
                      (["ada@example.com", "grace@example.com"],)),
    "pattern": ("SELECT name FROM customer WHERE name LIKE %s", ("%100\\%%",)),
    "numbers": ("SELECT name FROM customer WHERE visits = %s OR balance < %s ORDER BY 1",
                (2**63 - 1, decimal.Decimal("100"))),
    "dates": ("SELECT name, born - %s FROM customer WHERE born < %s",
              (datetime.date(1800, 1, 1), datetime.date(1900, 1, 1))),
    "times": ("SELECT name, seen + %s FROM customer WHERE seen > %s", (DAY, LEAP_DAY - DAY)),
    "uuid": ("SELECT name FROM customer WHERE token = %s::uuid", (str(ADA[6]),)),
    "bool": ("SELECT name FROM customer WHERE active = %s", (True,)),
    "bytes": ("SELECT name FROM customer WHERE photo::bytea = %s", (psycopg2.Binary(b"\0\xff"),)),
    "json": ("SELECT notes->'likes'->>0 FROM customer WHERE notes @> %s",
             (psycopg2.extras.Json({"likes": ["engines"]}),)),
    "is null": ("SELECT count(*) FROM customer WHERE born IS NULL", None),
    "order": ("SELECT name FROM customer ORDER BY name DESC NULLS LAST", None),
    "aggregates": ("SELECT min(name), max(born), sum(visits::numeric), array_agg(email ORDER BY email) FROM customer",
                   None),
    "update": ("UPDATE customer SET visits = 1, name = upper(name) WHERE email = %s RETURNING name, visits",
               ("ada@example.com",)),
}
REFUSED = {
    "unique violation": (INSERT, ADA),
    "not null violation": ("INSERT INTO customer (name) VALUES ('x')", None),
    "no date": ("INSERT INTO customer (email, born) VALUES ('x', 'soon')", None),
    "number too big": ("UPDATE customer SET visits = %s", (2**63,)),
}


def executemany(connection):
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO customer (email, visits) VALUES (%s, %s)",
                           [(f"many{n}@example.com", n) for n in range(50)])
        psycopg2.extras.execute_values(cursor, "INSERT INTO customer (email, visits) VALUES %s",
                                       [(f"values{n}@example.com", n) for n in range(500)])
        psycopg2.extras.execute_batch(cursor, "UPDATE customer SET visits = visits + %s WHERE email = %s",
                                      [(n, f"values{n}@example.com") for n in range(200)])
    return execute("SELECT count(*), sum(visits) FROM customer WHERE email LIKE ANY ('{many%,values%}')")(connection)


def named_cursor(connection):
    with connection.cursor("named", scrollable=True) as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT email, visits FROM customer WHERE visits >= %s ORDER BY visits, email", (10,))
        rows = list(cursor)
        cursor.scroll(5, mode="absolute")
        return rows, cursor.fetchone()


def copied(options):
    def action(connection):
        buffer = io.BytesIO()
        with connection.cursor() as cursor:
            cursor.execute("SET bytea_output = hex")
            cursor.copy_expert(f"COPY (SELECT * FROM customer ORDER BY id) TO STDOUT ({options})", buffer)
            cursor.execute("DELETE FROM customer")
            buffer.seek(0)
            cursor.copy_expert(f"COPY customer FROM STDIN ({options})", buffer)
        return buffer.getvalue(), execute("SELECT * FROM customer ORDER BY id")(connection)
    return action


def rolled_back(connection):
    try:
        with connection:
            execute("DELETE FROM customer")(connection)
            raise KeyError
    except KeyError:
        return execute("SELECT count(*) FROM customer")(connection)


def run(cluster, report):
    connections = [cluster.connect(user, autocommit=False) for user in USERS]
    psycopg2.extras.register_uuid()

    def check(name, action, refused=False):
        compare(report, connections, f"psycopg2: {name}", action, refused)

    for row in (ADA, GRACE, NONE):
        check(f"insert {row[0]}", execute(INSERT, row))
    for name, (sql, parameters) in QUERIES.items():
        check(name, execute(sql, parameters))
    for name, (sql, parameters) in REFUSED.items():
        check(name, execute(sql, parameters), refused=True)
    check("executemany, execute_values, execute_batch", executemany)
    check("named cursor, scrolled", named_cursor)
    for options in ("FORMAT text", "FORMAT csv, HEADER", "FORMAT binary"):
        check(f"COPY out and in, {options}", copied(options))
    check("rollback", rolled_back)
    for connection in connections:
        connection.close()
