"""libpq: parameters and results in binary format, by ctypes, in the ways that drivers use it."""
import ctypes
import ctypes.util
import struct

from twins import USERS, empty

libpq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
for result, names in {
    ctypes.c_void_p: "connectdb exec execParams prepare execPrepared describePrepared getResult getvalue",
    ctypes.c_char_p: "resultErrorField cmdTuples",
    ctypes.c_uint: "paramtype ftype",
}.items():
    for name in names.split():
        getattr(libpq, "PQ" + name).restype = result
SQLSTATE, FATAL, BINARY = ord("C"), 7, 1

COLUMNS = "email, name, born, seen, balance, visits, token, active, notes, photo"
INSERT = f"INSERT INTO customer ({COLUMNS}) VALUES ({', '.join(f'${n}' for n in range(1, 11))})"
PLAIN_OIDS = (25, 25, 1082, 1184, 1700, 20, 2950, 16, 3802, 17)
INT4, INT8, TEXT, VARCHAR = 23, 20, 25, 1043


def int8(number):
    return struct.pack("!q", number)


def numeric(*digits, weight=0, scale=0):
    """A positive number as the wire has it: groups of four decimal digits."""
    return struct.pack("!hhhh", len(digits), weight, 0, scale) + struct.pack(f"!{len(digits)}h", *digits)


def text_array(*elements):
    return struct.pack("!iiIii", 1, 0, TEXT, len(elements), 1) + b"".join(
        struct.pack("!i", len(element)) + element for element in elements)


# Dates and times count from 2000.
ADA = (b"ada@example.com", "Ådå".encode(), struct.pack("!i", -67227), int8(762525296789000),
       numeric(12, 5000, scale=2), int8(36), bytes(range(16)), b"\0", b'\1{"likes": ["engines"]}', b"\0\xff")
NONE = (b"none@example.com",) + (None,) * 9


def pack(values):
    return (len(values), (ctypes.c_char_p * len(values))(*values),
            (ctypes.c_int * len(values))(*[len(value or b"") for value in values]),
            (ctypes.c_int * len(values))(*[BINARY] * len(values)))


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
            columns = range(libpq.PQnfields(result))
            rows = [[self.value(result, row, column) for column in columns]
                    for row in range(libpq.PQntuples(result))]
            return rows, libpq.PQcmdTuples(result)
        finally:
            libpq.PQclear(result)

    @staticmethod
    def value(result, row, column):
        if libpq.PQgetisnull(result, row, column):
            return None
        return ctypes.string_at(libpq.PQgetvalue(result, row, column), libpq.PQgetlength(result, row, column))

    def call(self, sql, values=(), types=None):
        count, texts, lengths, formats = pack(values)
        oids = (ctypes.c_uint * count)(*types) if types else None
        return self.read(libpq.PQexecParams(self.handle, sql.encode(), count, oids, texts, lengths, formats,
                                            BINARY))

    def prepared(self, sql, values, times):
        """Executed often, the last time by what may be a generic plan."""
        prepared = self.read(libpq.PQprepare(self.handle, b"", sql.encode(), 0, None))
        if isinstance(prepared, str):
            return prepared
        return [self.read(libpq.PQexecPrepared(self.handle, b"", *pack(values), BINARY)) for _ in range(times)]

    def pipeline(self, requests):
        """All sent before the first result is read."""
        libpq.PQenterPipelineMode(self.handle)
        for sql, values in requests:
            count, *packed = pack(values)
            libpq.PQsendQueryParams(self.handle, sql.encode(), count, None, *packed, BINARY)
        libpq.PQpipelineSync(self.handle)
        answers = []
        for _ in requests:
            answers.append(self.read(libpq.PQgetResult(self.handle)))
            libpq.PQgetResult(self.handle)
        libpq.PQclear(ctypes.c_void_p(libpq.PQgetResult(self.handle)))
        libpq.PQexitPipelineMode(self.handle)
        return answers

    def described(self, sql):
        """The types the server says that the parameter has, and the results."""
        libpq.PQclear(ctypes.c_void_p(libpq.PQprepare(self.handle, b"described", sql.encode(), 0, None)))
        result = ctypes.c_void_p(libpq.PQdescribePrepared(self.handle, b"described"))
        types = libpq.PQparamtype(result, 0), [libpq.PQftype(result, n) for n in range(libpq.PQnfields(result))]
        libpq.PQclear(result)
        return types


QUERIES = {
    "every column": ("SELECT * FROM customer ORDER BY email", ()),
    "text": ("SELECT id FROM customer WHERE email = $1", ADA[:1]),
    "int8": ("SELECT name FROM customer WHERE visits = $1", (ADA[5],)),
    "uuid": ("SELECT name FROM customer WHERE token = $1", (ADA[6],)),
    "date": ("SELECT name FROM customer WHERE born < $1", (struct.pack("!i", 0),)),
    "numeric": ("SELECT balance * 2 FROM customer WHERE balance > $1", (numeric(1),)),
    "bool": ("SELECT name FROM customer WHERE active = $1", (b"\0",)),
    "array": ("SELECT name FROM customer WHERE email = ANY ($1) ORDER BY name", (text_array(ADA[0], b"x"),)),
    "null": ("SELECT name FROM customer WHERE email = $1", (None,)),
    "update": ("UPDATE customer SET name = $1, balance = balance + 1 WHERE email = $2 RETURNING name, balance",
               (b"new", ADA[0])),
    "large value": ("UPDATE customer SET photo = $1 WHERE email = $2 RETURNING photo",
                    (bytes(range(256)) * 4096, ADA[0])),
}
REFUSED = {
    "unique violation": (INSERT, ADA),
    "too short an int8": ("SELECT name FROM customer WHERE visits = $1", (b"\0\0",)),
    "too short a uuid": ("INSERT INTO customer (email, token) VALUES ('x', $1)", (b"\0",)),
    "invalid UTF-8": ("INSERT INTO customer (email) VALUES ($1)", (b"\xff\xfe",)),
    "unknown version of jsonb": ("INSERT INTO customer (email, notes) VALUES ('x', $1)", (b"\2{}",)),
}
# As drivers of statically typed languages send them.
TYPED = {
    "text": ("SELECT id FROM customer WHERE email = $1", ADA[0], TEXT),
    "varchar": ("SELECT id FROM customer WHERE email = $1", ADA[0], VARCHAR),
    "int4": ("SELECT id FROM customer WHERE visits = $1", struct.pack("!i", 36), INT4),
    "int8": ("SELECT id FROM customer WHERE visits = $1", int8(36), INT8),
}


def run(cluster, report):
    empty(cluster)
    plain, encrypted = (Connection(cluster, user) for user in USERS)

    def check(name, action, refused=False):
        expected = action(plain)
        report.equal((action(encrypted), refused), (expected, isinstance(expected, str)), f"libpq: {name}")

    everything = "SELECT * FROM customer WHERE email = $1"
    check("types of results as described", lambda c: c.described(everything)[1])
    check("insert, types left to the server", lambda c: c.call(INSERT, ADA))
    check("insert, types of the plain columns",
          lambda c: c.call(INSERT, (b"typed@example.com",) + ADA[1:], PLAIN_OIDS))
    check("insert nulls", lambda c: c.call(INSERT, NONE))
    for name, (sql, values) in QUERIES.items():
        check(f"binary, {name}", lambda c: c.call(sql, values))
    for name, (sql, values) in REFUSED.items():
        check(f"binary, {name}", lambda c: c.call(sql, values), refused=True)
    for name, (sql, value, oid) in TYPED.items():
        check(f"equality with a parameter of type {name}", lambda c: c.call(sql, (value,), (oid,)))
    check("prepared once, executed often", lambda c: c.prepared(*QUERIES["text"], times=8))
    check("prepared insert, unique violation at the second",
          lambda c: c.prepared("INSERT INTO customer (email, visits) VALUES ($1, $2) RETURNING visits",
                               (b"twice@example.com", int8(1)), times=2))
    check("pipeline", lambda c: c.pipeline(
        [QUERIES["text"], ("UPDATE customer SET visits = $1 WHERE email = $2", (int8(36), NONE[0])),
         QUERIES["int8"]]))
    plain.close()
    encrypted.close()
