"""One case on both twins: the same answers and the same rows left in tables, or the case's error."""
from dataclasses import dataclass, field

import twins
import ways
from variants import Variant


def check_tables(report, cluster):
    """The twins hold the same rows, the encrypted one nothing but ciphertext, and both have statistics."""
    plain, encrypted = (twins.Session(cluster, twin, Variant("tables")) for twin in twins.TWINS)
    for table in twins.tables(cluster, "plain"):
        name = table.split(".")[1]
        report.equal(encrypted.content(f"enc.{name}"), plain.content(table), f"tables: {name} holds the same rows")
        report.equal(encrypted.bare_values(f"enc.{name}"), [], f"tables: {name} holds ciphertext only")
        for twin in twins.TWINS:
            done = cluster.psql(f"VACUUM ANALYZE {twin}.{name}", database="twin", check=False)
            report.ok(done.returncode == 0, f"tables: {twin}.{name} is analysed", done.stderr)
    plain.close()
    encrypted.close()


@dataclass
class Outcome:
    answers: list
    tables: dict = field(default_factory=dict)  # contents of those that were written
    bare: list = field(default_factory=list)    # their columns that hold something else than ciphertext


class Comparison:
    """The corpus under one variant, with a session for each twin."""

    def __init__(self, report, cluster, variant):
        self._report = report
        self._variant = variant
        self._sessions = [twins.Session(cluster, twin, variant) for twin in twins.TWINS]

    def run(self, cases):
        for case in cases:
            if not case.slow or self._variant.name == "default":
                problem = self._problem(case)
                self._report.ok(not problem, f"{self._variant.name}: {case.theme}: {case.name}", problem)
        for session in self._sessions:
            session.close()

    def _problem(self, case):
        for name, way in ways.ways(case, self._variant).items():
            problem = difference(case, *[outcome(session, case, way) for session in self._sessions])
            if problem:
                return f"{name}: {problem}"
        if case.index and self._variant.name == "index":
            return self._index_problem(case)
        return ""

    def _index_problem(self, case):
        session = self._sessions[1]
        session.run("BEGIN")
        found = [session.index_names(ways.with_literals(case, case.parameters[0]) if case.parameters
                                     else case.statements[0])]
        if case.parameters:
            prepare, execute = list(ways.prepared_statements(case))[:2]
            session.run("SET LOCAL plan_cache_mode = force_generic_plan")
            session.simple(prepare)
            found.append(session.index_names(execute))
        session.run("ROLLBACK")
        session.run("DEALLOCATE ALL")
        return "".join(f"the plan reads {sorted(names)}, not {case.index}" for names in found if case.index not in names)


def outcome(session, case, way):
    """Runs a case in a transaction that is rolled back."""
    session.run("BEGIN")
    answers = way(session, case)
    result = Outcome(answers)
    if not answers[-1].sqlstate:
        for table in session.touched():
            name = table.removeprefix(session.twin + ".")
            result.tables[name] = session.content(table)
            if session.twin == "enc":
                result.bare += [f"{name}.{column}" for column in session.bare_values(table)]
    session.run("ROLLBACK")
    session.run("DEALLOCATE ALL")
    return result


def difference(case, plain, encrypted):
    """What is wrong, or an empty string."""
    expected_plain, expected = case.both, case.both or case.error
    for twin, found, state in (("plain", plain, expected_plain), ("encrypted", encrypted, expected)):
        answer = found.answers[-1]
        if answer.sqlstate != state:
            return (f"{twin}: {state or 'no error'} expected, got {answer.sqlstate} "
                    f"{answer.message or answer.rows[:3]}\n{answer.sql[:2000]}")
    if encrypted.bare:
        return f"not ciphertext: {encrypted.bare}"
    for left, right in zip(plain.answers, encrypted.answers):
        if not left.sqlstate and not right.sqlstate and shown(left, case) != shown(right, case):
            return f"{unlike('answers', shown(left, case), shown(right, case))}\n{right.sql[:2000]}"
    if not expected and plain.tables != encrypted.tables:
        return unlike("tables", plain.tables, encrypted.tables)
    return ""


def shown(answer, case):
    rows = answer.rows if case.ordered else sorted(answer.rows, key=repr)
    return {"tag": answer.tag, "columns": answer.columns, "notices": answer.notices, "rows": rows}


def unlike(what, plain, encrypted):
    for key in plain.keys() | encrypted.keys():
        left, right = plain.get(key), encrypted.get(key)
        if left == right:
            continue
        if isinstance(left, list) and isinstance(right, list):
            only_left, only_right = [r for r in left if r not in right], [r for r in right if r not in left]
            detail = f"only plain {only_left[:3]}\nonly encrypted {only_right[:3]}" if only_left or only_right else \
                f"in another order or number: plain {left[:5]}\nencrypted {right[:5]}"
            return f"{what} differ in {key}: {detail}"[:3000]
        return f"{what} differ in {key}: plain {left!r}, encrypted {right!r}"[:3000]
    return f"{what} differ"
