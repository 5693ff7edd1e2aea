"""How a client may send a case: each way yields the answers of a session, to the first error."""
import re

# In "auto" mode the server weighs a generic plan from the sixth execution on.
_EXECUTIONS = {"force_custom_plan": 1, "force_generic_plan": 1, "auto": 7}


def ways(case, variant):
    if not case.parameters:
        return {"simple": simple}
    modes = [mode for mode in _EXECUTIONS if mode != "auto" or variant.name == "default"]
    return {"literals": literals, "extended": extended, **{mode: _prepared(mode) for mode in modes}}


def simple(session, case):
    return _until_error(session.simple(statement) for statement in case.statements)


def literals(session, case):
    """Parameters as literals in the text, as drivers send them that interpolate."""
    return _until_error(session.simple(with_literals(case, values)) for values in case.parameters)


def extended(session, case):
    """Parse, bind and execute, values in text format."""
    oids = [int(session.run(f"SELECT '{name}'::regtype::oid").rows[0][0]) for name in case.types]
    return _until_error(session.extended(case.statements[0], values, oids or [0] * len(values))
                        for values in case.parameters)


def _prepared(mode):
    """PREPARE and EXECUTE; all but the last execution are undone."""
    def way(session, case):
        prepare, *executions = prepared_statements(case)
        session.run(f"SET LOCAL plan_cache_mode = {mode}")
        answers = [session.simple(prepare)]
        if answers[0].sqlstate:
            return answers
        for _ in range(_EXECUTIONS[mode] - 1):
            session.run("SAVEPOINT before")
            answers += _until_error(session.simple(sql) for sql in executions)
            session.run("ROLLBACK TO before")
        return answers + _until_error(session.simple(sql) for sql in executions)
    return way


def prepared_statements(case):
    types = f" ({', '.join(case.types)})" if case.types else ""
    yield f"PREPARE twin{types} AS {case.statements[0]}"
    for values in case.parameters:
        yield f"EXECUTE twin ({', '.join(map(_literal, values))})"


def with_literals(case, values):
    """The case's statement with its parameters written out."""
    def value(match):
        number = int(match[1]) - 1
        cast = "::" + case.types[number] if case.types else ""
        return _literal(values[number]) + cast
    return re.sub(r"\$(\d+)", value, case.statements[0])


def _literal(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _until_error(answers):
    result = []
    for answer in answers:
        result.append(answer)
        if answer.sqlstate:
            break
    return result
