"""A minimal libpq client: every value as the server printed it, in the simple and the extended protocol.

psycopg2 turns values into Python's and speaks the simple protocol only; a twin test needs neither.
"""
import ctypes
import ctypes.util
from dataclasses import dataclass, field

_COPY_OUT, _TUPLES_OK, _COMMAND_OK, _EMPTY = 3, 2, 1, 0
_SQLSTATE, _MESSAGE = ord("C"), ord("M")

_libpq = ctypes.CDLL(ctypes.util.find_library("pq"))
_NOTICE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


def _declare(name, result, *arguments):
    function = getattr(_libpq, name)
    function.restype, function.argtypes = result, arguments
    return function


_P, _S, _I = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_connect = _declare("PQconnectdb", _P, _S)
_status = _declare("PQstatus", _I, _P)
_connection_error = _declare("PQerrorMessage", _S, _P)
_finish = _declare("PQfinish", None, _P)
_exec = _declare("PQexec", _P, _P, _S)
_exec_params = _declare("PQexecParams", _P, _P, _S, _I, ctypes.POINTER(ctypes.c_uint),
                        ctypes.POINTER(_S), _P, _P, _I)
_get_result = _declare("PQgetResult", _P, _P)
_get_copy_data = _declare("PQgetCopyData", _I, _P, ctypes.POINTER(_P), _I)
_free = _declare("PQfreemem", None, _P)
_clear = _declare("PQclear", None, _P)
_result_status = _declare("PQresultStatus", _I, _P)
_error_field = _declare("PQresultErrorField", _S, _P, _I)
_rows = _declare("PQntuples", _I, _P)
_columns = _declare("PQnfields", _I, _P)
_name = _declare("PQfname", _S, _P, _I)
_value = _declare("PQgetvalue", _P, _P, _I, _I)
_length = _declare("PQgetlength", _I, _P, _I, _I)
_is_null = _declare("PQgetisnull", _I, _P, _I, _I)
_tag = _declare("PQcmdStatus", _S, _P)
_set_notice_processor = _declare("PQsetNoticeProcessor", _P, _P, _NOTICE, _P)


@dataclass
class Answer:
    """All that a client sees of one statement. An error has a SQLSTATE and a message."""
    sql: str = ""
    tag: str = ""
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    notices: list = field(default_factory=list)
    sqlstate: str = ""
    message: str = ""


class ConnectionLost(Exception):
    pass


class Connection:
    def __init__(self, dsn):
        self._connection = _connect(dsn.encode())
        if _status(self._connection) != 0:
            raise ConnectionLost(_connection_error(self._connection).decode())
        self._notices = []
        # Kept alive as long as libpq may call it.
        self._processor = _NOTICE(lambda _, text: self._notices.append(text.decode().strip()))
        _set_notice_processor(self._connection, self._processor, None)

    def close(self):
        _finish(self._connection)

    def simple(self, sql):
        """One statement in the simple protocol."""
        return self._answer(sql, _exec(self._connection, sql.encode()))

    def extended(self, sql, parameters, types):
        """One statement in the extended protocol; the server infers the types of parameters where 0."""
        count = len(parameters)
        values = (_S * count)(*[p if p is None else p.encode() for p in parameters])
        oids = (ctypes.c_uint * count)(*types)
        return self._answer(sql, _exec_params(self._connection, sql.encode(), count, oids, values, None, None, 0))

    def run(self, sql):
        """As simple(), for statements that must work."""
        answer = self.simple(sql)
        if answer.sqlstate:
            raise RuntimeError(f"{answer.sqlstate} {answer.message}\n{sql}")
        return answer

    def _answer(self, sql, result):
        try:
            answer = self._read(result)
        finally:
            _clear(result)
        answer.sql = sql
        answer.notices, self._notices = self._notices, []
        return answer

    def _read(self, result):
        status = _result_status(result)
        if status == _COPY_OUT:
            return self._read_copy()
        if status not in (_TUPLES_OK, _COMMAND_OK, _EMPTY):
            state = _error_field(result, _SQLSTATE)
            if state is None:
                raise ConnectionLost(_connection_error(self._connection).decode())
            return Answer(sqlstate=state.decode(), message=_error_field(result, _MESSAGE).decode())
        columns = range(_columns(result))
        return Answer(tag=_tag(result).decode(), columns=[_name(result, c).decode() for c in columns],
                      rows=[tuple(self._cell(result, r, c) for c in columns) for r in range(_rows(result))])

    @staticmethod
    def _cell(result, row, column):
        if _is_null(result, row, column):
            return None
        return ctypes.string_at(_value(result, row, column), _length(result, row, column)).decode()

    def _read_copy(self):
        lines = []
        line = _P()
        while (size := _get_copy_data(self._connection, ctypes.byref(line), 0)) > 0:
            lines.append((ctypes.string_at(line, size).decode(),))
            _free(line)
        last = None
        while (result := _get_result(self._connection)) is not None:
            answer = self._read(result)
            _clear(result)
            last = last if last and last.sqlstate else answer
        last.rows = lines
        return last
