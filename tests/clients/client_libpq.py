"""libpq: parameters and results in binary format, by ctypes, in the ways that drivers use it."""
import ctypes
import ctypes.util
import struct

from twins import KINDS, USERS, empty

libpq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for name, result in {"PQconnectdb": ctypes.c_void_p, "PQexec": ctypes.c_void_p, "PQexecParams": ctypes.c_void_p, "PQprepare": ctypes.c_void_p,
                     "PQexecPrepared": ctypes.c_void_p, "PQdescribePrepared": ctypes.c_void_p, "PQgetResult": ctypes.c_void_p,
                     "PQgetvalue": ctypes.c_void_p, "PQresultErrorField": ctypes.c_char_p, "PQerrorMessage": ctypes.c_char_p,
                     "PQparamtype": ctypes.c_uint, "PQftype": ctypes.c_uint, "PQcmdTuples": ctypes.c_char_p}.items():
    getattr(libpq, name).restype = result
SQLSTATE, FATAL, BINARY = ord("C"), 7, 1

CUSTOMER = ("email", "name", "born", "seen", "balance", "visits", "token", "active", "notes", "photo")
# As the wire has them: date and timestamptz count from 2000, numeric is groups of four digits.
ADA = (b"ada@example.com", "Ådå".encode(), struct.pack("!i", -67227), struct.pack("!q", 762525296789000),
       struct.pack("!hhhhhh", 2, 0, 0, 2, 12, 5000), struct.pack("!q", 36), bytes(range(16)), b"\0", b"\1" + b'{"likes": ["engines"]}', b"\0\xff")
NONE = (b"none@example.com",) + (None,) * 9
INSERT = f"INSERT INTO customer ({', '.join(CUSTOMER)}) VALUES ({', '.join(f'${n + 1}' for n in range(10))})"
PLAIN_OIDS = (25, 25, 1082, 1184, 1700, 20, 2950, 16, 3802, 17)


def pack(values):
    texts = (ctypes.c_char_p * len(values))(*values)
    lengths = (ctypes.c_int * len(values))(*[len(v or b"") for v in values])
    formats = (ctypes.c_int * len(values))(*[BINARY] * len(values))
    return len(values), texts, lengths, formats


class Connection:
    def __init__(self, cluster, user):
        self.handle = ctypes.c_void_p(libpq.PQconnectdb(cluster.dsn(user).encode()))
        self.call("SET timezone = 'UTC'")

    def close(self):
        libpq.PQfinish(self.handle)

    def read(self, result):
        """Rows of bytes, or the SQLSTATE."""
        result = ctypes.c_void_p(result)
        try:
            if libpq.PQresultStatus(result) == FATAL:
                return libpq.PQresultErrorField(result, SQLSTATE).decode()
            rows = []
            for row in range(libpq.PQntuples(result)):
                rows.append([None if libpq.PQgetisnull(result, row, column) else
                             ctypes.string_at(libpq.PQgetvalue(result, row, column), libpq.PQgetlength(result, row, column))
                             for column in range(libpq.PQnfields(result))])
            return rows, libpq.PQcmdTuples(result)
        finally:
            libpq.PQclear(result)

    def call(self, sql, values=(), types=None):
        count, texts, lengths, formats = pack(values)
        oids = (ctypes.c_uint * count)(*types) if types else None
        return self.read(libpq.PQexecParams(self.handle, sql.encode(), count, oids, texts, lengths, formats, BINARY))

    def prepared(self, sql, values, times):
        """Described and executed, the last time by what may be a generic plan."""
        prepared = self.read(libpq.PQprepare(self.handle, b"", sql.encode(), 0, None))
        if isinstance(prepared, str):
            return prepared
        answers = [self.read(libpq.PQexecPrepared(self.handle, b"", *pack(values), BINARY)) for _ in range(times)]
        return answers

    def pipeline(self, requests):
        """All sent before the first result is read."""
        libpq.PQenterPipelineMode(self.handle)
        for sql, values in requests:
            count, texts, lengths, formats = pack(values)
            libpq.PQsendQueryParams(self.handle, sql.encode(), count, None, texts, lengths, formats, BINARY)
        libpq.PQpipelineSync(self.handle)
        answers = []
        for _ in requests:
            answers.append(self.read(libpq.PQgetResult(self.handle)))
            libpq.PQgetResult(self.handle)
        libpq.PQclear(ctypes.c_void_p(libpq.PQgetResult(self.handle)))
        libpq.PQexitPipelineMode(self.handle)
        return answers


QUERIES = {
    "every column": ("SELECT * FROM customer ORDER BY email", ()),
    "text": ("SELECT id FROM customer WHERE email = $1", (ADA[0],)),
    "int8": ("SELECT name FROM customer WHERE visits = $1", (ADA[5],)),
    "uuid": ("SELECT name FROM customer WHERE token = $1", (ADA[6],)),
    "date": ("SELECT name FROM customer WHERE born < $1", (struct.pack("!i", 0),)),
    "numeric": ("SELECT balance * 2 FROM customer WHERE balance > $1", (struct.pack("!hhhhh", 1, 0, 0, 0, 1),)),
    "bool": ("SELECT name FROM customer WHERE active = $1", (b"\0",)),
    "array": ("SELECT name FROM customer WHERE email = ANY ($1) ORDER BY name",
              (struct.pack("!iiIii", 1, 0, 25, 2, 1) + b"".join(struct.pack("!i", len(v)) + v for v in (ADA[0], b"x")),)),
    "null": ("SELECT name FROM customer WHERE email = $1", (None,)),
    "unique violation": (INSERT, ADA),
    "too short an int8": ("SELECT name FROM customer WHERE visits = $1", (b"\0\0",)),
    "too short a uuid": ("INSERT INTO customer (email, token) VALUES ('x', $1)", (b"\0",)),
    "invalid UTF-8": ("INSERT INTO customer (email) VALUES ($1)", (b"\xff\xfe",)),
    "unknown jsonb version": ("INSERT INTO customer (email, notes) VALUES ('x', $1)", (b"\2{}",)),
    "update": ("UPDATE customer SET name = $1, balance = balance + 1 WHERE email = $2 RETURNING name, balance", (b"new", ADA[0])),
}


def oids(connection):
    """The types the server says that parameters and results have."""
    libpq.PQclear(ctypes.c_void_p(libpq.PQprepare(connection.handle, b"described", b"SELECT * FROM customer WHERE email = $1", 0, None)))
    result = ctypes.c_void_p(libpq.PQdescribePrepared(connection.handle, b"described"))
    found = [libpq.PQparamtype(result, 0)] + [libpq.PQftype(result, n) for n in range(1, 11)]
    libpq.PQclear(result)
    return found


def run(cluster, report):
    empty(cluster)
    plain, encrypted = (Connection(cluster, user) for user in USERS)

    def check(name, action):
        report.equal(action(encrypted), action(plain), f"libpq: {name}")

    names = dict(cluster.query("SELECT oid::int, typname FROM pg_type WHERE typname = ANY (%s)", (["enc_" + kind for kind in KINDS],)))
    report.equal([names.get(oid) for oid in oids(encrypted)][:4], ["enc_text", "enc_text", "enc_text", "enc_date"], "libpq: described by their own types")
    check("insert, types left to the server", lambda c: c.call(INSERT, ADA))
    check("insert, types of the plain columns", lambda c: c.call(INSERT, (b"typed@example.com",) + ADA[1:], PLAIN_OIDS))
    check("insert nulls", lambda c: c.call(INSERT, NONE))
    for name, (sql, values) in QUERIES.items():
        check(f"binary, {name}", lambda c: c.call(sql, values))
    check("equality with a parameter of type text", lambda c: c.call("SELECT id FROM customer WHERE email = $1", (ADA[0],), (25,)))
    check("equality with a parameter of type varchar", lambda c: c.call("SELECT id FROM customer WHERE email = $1", (ADA[0],), (1043,)))
    check("equality with a parameter of type int4", lambda c: c.call("SELECT id FROM customer WHERE visits = $1", (struct.pack("!i", 36),), (23,)))
    check("prepared once, executed often", lambda c: c.prepared(*QUERIES["text"], times=8))
    check("prepared insert", lambda c: c.prepared("INSERT INTO customer (email, visits) VALUES ($1, $2) RETURNING visits", (b"p@example.com", ADA[5]), times=2))
    check("pipeline", lambda c: c.pipeline([QUERIES["text"], ("UPDATE customer SET visits = $1 WHERE email = $2", (ADA[5], NONE[0])), QUERIES["int8"]]))
    check("large value", lambda c: c.call("UPDATE customer SET photo = $1 WHERE email = $2 RETURNING photo", (bytes(range(256)) * 4096, ADA[0])))
    plain.close()
    encrypted.close()
