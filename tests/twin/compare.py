"""One case on both twins: the same answers and the same rows left in tables, or the case's error."""
import time

import twins
import ways
from pq import ConnectionLost
from variants import Variant


def check_tables(report, cluster):
    """The twins hold the same rows, the encrypted one nothing but ciphertext, and both have statistics."""
    plain, encrypted = (twins.Session(cluster, twin, Variant("tables")) for twin in twins.TWINS)
    for table in twins.tables(cluster):
        report.equal(encrypted.content(table), plain.content(table), f"tables: {table} holds the same rows")
        report.equal(encrypted.bare_values(table), [], f"tables: {table} holds ciphertext only")
        for twin in twins.TWINS:
            done = cluster.psql(f"VACUUM ANALYZE {twin}.{table}", database="twin", check=False)
            report.ok(done.returncode == 0, f"tables: {twin}.{table} is analysed", done.stderr)
    plain.close()
    encrypted.close()


class Comparison:
    """The corpus under one variant, with a session for each twin."""

    def __init__(self, report, cluster, variant):
        self._report = report
        self._cluster = cluster
        self._variant = variant
        self._connect()

    def run(self, cases):
        for case in cases:
            if not case.slow or self._variant.name == "default":
                problem = self._problem(case)
                self._report.ok(not problem, f"{self._variant.name}: {case.theme}: {case.name}", problem)
        self._close()

    def _connect(self):
        self._sessions = [twins.Session(self._cluster, twin, self._variant) for twin in twins.TWINS]
        self._encrypted = self._sessions[1]

    def _close(self):
        for session in self._sessions:
            session.close()

    def _reconnect(self):
        """After a crash, from which the server recovers by itself."""
        self._close()
        deadline = time.monotonic() + 30
        while True:
            try:
                return self._connect()
            except ConnectionLost:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _problem(self, case):
        try:
            return self._difference(case) or self._index_problem(case)
        except ConnectionLost as lost:
            self._reconnect()
            return f"{lost}\n{case.statements[-1][:2000]}"

    def _difference(self, case):
        for name, way in ways.ways(case, self._variant).items():
            for session in self._sessions:
                session.run("BEGIN")
            answers = [way(session, case) for session in self._sessions]
            problem = unlike_answers(case, *answers)
            if not problem and not any(given[-1].sqlstate for given in answers):
                problem = self._unlike_tables()
            self._roll_back()
            if problem:
                return f"{name}: {problem}"
        return ""

    def _unlike_tables(self):
        touched = set().union(*[session.touched() for session in self._sessions])
        for table in sorted(touched):
            bare = self._encrypted.bare_values(table)
            if bare:
                return f"{table} holds something else than ciphertext: {bare[:3]}"
            plain, encrypted = (session.content(table) for session in self._sessions)
            if plain != encrypted:
                return f"table {table}: {unlike(plain, encrypted)}"
        return ""

    def _index_problem(self, case):
        """Where the encrypted twin's plan does not read the index that the case names."""
        if not case.index or self._variant.name != "index":
            return ""
        session = self._encrypted
        session.run("BEGIN")
        for statement in case.statements[:-1]:
            session.simple(statement)
        found = [session.index_names(ways.with_literals(case, case.parameters[0]) if case.parameters
                                     else case.statements[-1])]
        if case.parameters:
            prepare, execute = list(ways.prepared_statements(case))[:2]
            session.run("SET LOCAL plan_cache_mode = force_generic_plan")
            session.simple(prepare)
            found.append(session.index_names(execute))
        self._roll_back()
        return "".join(f"the plan reads {sorted(names)}, not {case.index}" for names in found
                       if not any(name.startswith(case.index) for name in names))

    def _roll_back(self):
        for session in self._sessions:
            session.roll_back()


def unlike_answers(case, plain, encrypted):
    """What is wrong with the answers, or an empty string."""
    expected = (case.both, case.both or case.error)
    case.erred |= bool(encrypted[-1].sqlstate)
    if case.by_plan and not encrypted[-1].sqlstate:
        expected = ("", "")
    for twin, answers, state in zip(twins.TWINS, (plain, encrypted), expected):
        last = answers[-1]
        if last.sqlstate != state:
            return (f"{twin}: {state or 'no error'} expected, got {last.sqlstate} {last.message or last.rows[:3]}"
                    f"\n{last.sql[:2000]}")
    if len(plain) != len(encrypted) and not case.by_plan:
        return f"the error came before the last statement: {encrypted[-1].message}\n{encrypted[-1].sql[:2000]}"
    for left, right in zip(plain, encrypted):
        if left.sqlstate or right.sqlstate:
            break
        for part in ("tag", "columns", "notices"):
            if getattr(left, part) != getattr(right, part):
                return f"{part}: plain {getattr(left, part)}, encrypted {getattr(right, part)}\n{right.sql[:2000]}"
        rows = [answer.rows if case.ordered else sorted(answer.rows, key=repr) for answer in (left, right)]
        if rows[0] != rows[1]:
            return f"{unlike(*rows)}\n{right.sql[:2000]}"
    return ""


def unlike(plain, encrypted):
    """The first rows by which two lists differ."""
    missing = [row for row in plain if row not in encrypted]
    added = [row for row in encrypted if row not in plain]
    if missing or added:
        return f"only plain {missing[:3]}\nonly encrypted {added[:3]}"[:2000]
    return f"other order or number: plain {plain[:5]}\nencrypted {encrypted[:5]}"[:2000]
