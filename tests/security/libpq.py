"""The extended protocol, with parameters and binary results, which psycopg2 does not speak."""
import ctypes

_pq = ctypes.CDLL("libpq.so.5")
for name, result in {"PQconnectdb": ctypes.c_void_p, "PQexec": ctypes.c_void_p, "PQexecParams": ctypes.c_void_p,
                     "PQgetvalue": ctypes.c_void_p, "PQresultErrorField": ctypes.c_char_p,
                     "PQerrorMessage": ctypes.c_char_p}.items():
    getattr(_pq, name).restype = result
_POINTER = ctypes.c_void_p

BAD_CONNECTION = 1
FATAL_ERROR = 7
SQLSTATE = ord("C")
DETAIL = ord("D")
MESSAGE = ord("M")


class Failed(Exception):
    """An error of the server."""

    def __init__(self, sqlstate, message, detail):
        super().__init__(f"{sqlstate}: {message}")
        self.sqlstate, self.message, self.detail = sqlstate, message, detail


class Session:
    def __init__(self, dsn):
        self._connection = _pq.PQconnectdb(dsn.encode())
        if _pq.PQstatus(_POINTER(self._connection)) == BAD_CONNECTION:
            raise RuntimeError(_pq.PQerrorMessage(_POINTER(self._connection)).decode())

    def execute(self, sql, parameters=(), binary=False):
        """Rows as tuples of bytes or None. Parameters are text, of types that the server infers."""
        values = (ctypes.c_char_p * max(1, len(parameters)))(
            *[None if p is None else str(p).encode() for p in parameters])
        result = _POINTER(_pq.PQexecParams(_POINTER(self._connection), sql.encode(), len(parameters), None, values,
                                           None, None, int(binary)))
        try:
            if _pq.PQresultStatus(result) == FATAL_ERROR:
                field = {number: (_pq.PQresultErrorField(result, number) or b"").decode(errors="replace")
                         for number in (SQLSTATE, MESSAGE, DETAIL)}
                raise Failed(field[SQLSTATE], field[MESSAGE], field[DETAIL])
            return [tuple(self._value(result, row, column) for column in range(_pq.PQnfields(result)))
                    for row in range(_pq.PQntuples(result))]
        finally:
            _pq.PQclear(result)

    @staticmethod
    def _value(result, row, column):
        if _pq.PQgetisnull(result, row, column):
            return None
        return ctypes.string_at(_pq.PQgetvalue(result, row, column), _pq.PQgetlength(result, row, column))

    def close(self):
        _pq.PQfinish(_POINTER(self._connection))
