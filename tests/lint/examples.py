"""Runs the examples of a document as psql runs them, and compares what they print.

A block marked sql is run in the order of the page, in a fresh database and one session; `sql skip` is not. A
block marked text right after one is its output: with what differs between any two runs (ciphertext, key ids)
put out of sight. An error must be announced there, or the page fails.
"""
import os
import re
import subprocess

from cluster import BIN
from tree import ROOT, files, name, text

REFERENCE = "docs/reference/sql-api.md"  # its blocks are signatures

_BLOCK = re.compile(r"^```(\S+)([^\n]*)\n(.*?)^```$", re.S | re.M)
_VARYING = [(re.compile(r"rmp1:[\w-]+(…)?"), "rmp1:…"), (re.compile(r"\b[0-9a-f]{16}\b"), "<id>"),
            (re.compile(r"\\x[0-9a-f]{16,}(…)?"), r"\\x…"), (re.compile(r"[ -]+(?=\||\+|$)"), " "),
            (re.compile(r"(?<=\|) +"), " ")]


def _plain(output):
    lines = []
    for line in output.splitlines():
        for pattern, replacement in _VARYING:
            line = pattern.sub(replacement, line)
        if line.strip("-+ |^") and not line.startswith("LINE "):
            lines.append(line.strip())
    return lines


def blocks(page):
    """(SQL, expected output or None) in order."""
    found = []
    for language, options, body in _BLOCK.findall(text(ROOT / page)):
        if language == "sql" and "skip" not in options:
            found.append([body, None])
        elif language == "text" and found and found[-1][1] is None:
            found[-1][1] = body
        elif language != "text" and found and found[-1][1] is None:
            found[-1][1] = ""
    return found


def psql(cluster, script):
    """As in a terminal: errors stand where they happen."""
    command = [os.path.join(BIN, "psql"), "-X", "-q", "-h", cluster.directory, "-p", str(cluster.port), "-U", "postgres",
               "-d", "example"]
    return subprocess.run(command, input=script, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def pages():
    return [page for page in map(name, files(".md")) if page != REFERENCE and blocks(page)]


def check(cluster, page):
    """Blocks whose output is another one."""
    wanted = blocks(page)
    mark = "--- end of block ---"
    script = "".join(f"{sql}\n\\echo {mark}\n" for sql, _ in wanted)
    cluster.psql("CREATE DATABASE example")
    output = psql(cluster, script)
    forget(cluster)
    got = output.split(mark + "\n")
    wrong = []
    for number, (sql, expected) in enumerate(wanted):
        output = _plain(got[number]) if number < len(got) else ["(not run)"]
        unannounced = not expected and any("ERROR" in line or "FATAL" in line for line in output)
        if unannounced or (expected and output != _plain(expected)):
            wrong += [f"{page}: {sql.strip().splitlines()[0]}", *(f"    {line}" for line in output[:12])]
    return wrong


def forget(cluster):
    cluster.psql("DROP DATABASE example")
    for (role,) in cluster.query("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"):
        cluster.psql(f'DROP ROLE "{role}"')
