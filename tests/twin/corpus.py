"""Reads the corpus and words its statements for either twin.

A file of the corpus holds cases, separated by empty lines. A case is a comment that names it, directives, and
one or more statements, each ending in a semicolon at the end of a line:

    -- error: RMT02 equality of a randomised column
                        the encrypted twin answers its last statement with this error, the plain one does not;
                        what follows the SQLSTATE is the construct's name in README.md
    -- error by plan: RMT04 ...
                        the same, or the plain twin's answer; at least one variant must show the error
    -- both: 23505      both twins answer the last statement with this error
    -- index: NAME      with index scans, the last statement's plan reads an encrypted twin's index of a name that
                        begins so
    -- ordered          the order of rows is part of the answer
    -- parameters: 5 | \\N | x
                        values of $1, $2, ...; may be repeated; the case is a single statement
    -- repeat: TEXT      a tilde in the statements is a thousand times this text, joined by commas, and a tilde in it
                        the numbers 1 to 1000
    -- types: int, text what the parameters are declared as; else the server infers it
    -- slow             run with the default plan only
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).parent
_ENCRYPTED_TYPE = re.compile(r"\benc_(text|bytea|jsonb|numeric|int8|date|timestamptz|uuid|bool)\b(\s*\([^()]*\))?")
_DIRECTIVE = re.compile(r"-- (error by plan|error|both|index|parameters|types|repeat|ordered|slow)\b:?\s*(.*)")
_OBJECT = re.compile(r"^CREATE (?:UNLOGGED |MATERIALIZED )?(?:TABLE|VIEW|FUNCTION|DOMAIN|TYPE|COLLATION) (\w+)", re.M)


@dataclass
class Case:
    theme: str
    name: str = ""
    statements: list = field(default_factory=list)
    error: str = ""
    construct: str = ""
    by_plan: bool = False
    erred: bool = False  # set by the run
    both: str = ""
    index: str = ""
    parameters: list = field(default_factory=list)
    types: list = field(default_factory=list)
    ordered: bool = False
    slow: bool = False
    repeat: str = ""


def read_cases():
    return [case for path in sorted(_HERE.glob("corpus/*.sql")) for case in _read_file(path)]


def _read_file(path):
    for paragraph in re.split(r"\n\s*\n", path.read_text().strip()):
        case = Case(path.stem)
        lines = paragraph.splitlines()
        while lines and lines[0].startswith("--"):
            _read_comment(case, lines.pop(0))
        case.statements = [_repeated(case, statement) for statement in _split(lines)]
        if case.statements:
            yield case


def _read_comment(case, line):
    directive = _DIRECTIVE.fullmatch(line)
    if directive is None:
        case.name = case.name or line[3:]
        return
    word, rest = directive.groups()
    if word in ("ordered", "slow"):
        setattr(case, word, True)
    elif word == "parameters":
        case.parameters.append([None if p == r"\N" else p for p in re.split(r" \| ?", rest)])
    elif word == "types":
        case.types = re.split(r",\s*", rest)
    elif word.startswith("error"):
        case.error, _, case.construct = rest.partition(" ")
        case.by_plan = word == "error by plan"
    else:
        setattr(case, word, rest)


def _split(lines):
    statement = []
    for line in lines:
        statement.append(line)
        text = "\n".join(statement)
        atomic = "BEGIN ATOMIC" in text and not line.startswith("END;")
        if line.rstrip().endswith(";") and text.count("$$") % 2 == 0 and not atomic:
            yield text.rstrip().rstrip(";")
            statement = []
    if statement:
        raise ValueError("statement without a semicolon: " + "\n".join(statement))


def _repeated(case, statement):
    if not case.repeat:
        return statement
    return statement.replace("~", ", ".join(case.repeat.replace("~", str(n)) for n in range(1, 1001)))


def schema():
    return (_HERE / "schema.sql").read_text()


def data():
    return (_HERE / "data.sql").read_text()


_NAMES = re.compile(r"(?<![\w.'@])(" + "|".join(_OBJECT.findall(schema())) + r")\b")


def worded(sql, twin, qualified):
    """For a twin: the plain one has plain types. Qualified: its tables are found under any search_path."""
    if twin == "plain":
        sql = _ENCRYPTED_TYPE.sub(r"\1", sql)
    return _NAMES.sub(rf"{twin}.\1", sql) if qualified else sql
