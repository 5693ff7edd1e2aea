"""Reference pages say what the code and a running server say."""
import os
import re
import subprocess
import sys

from sources import declared_codes
from tree import ROOT, text

_SETTING = re.compile(r"^\| `(rampart\.\w+)` \| (.*?) \| (.*?) \|", re.M)
_CONSTRUCT = re.compile(r"^\| (.+?) \| `?([0-9A-Z]{5})`? \|", re.M)
_PROBLEM = re.compile(r'^    \{"(\w+)", (\d+), "', re.M)
_PROBLEM_ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \|", re.M)
_CONTEXTS = {"user": "anybody", "superuser": "superuser", "sighup": "server", "postmaster": "server, at its start"}


def sql_reference(cluster):
    done = subprocess.run([sys.executable, ROOT / "docs/generate-sql-api", cluster.dsn()], text=True, capture_output=True)
    if done.returncode != 0:
        return [done.stderr.strip()]
    if done.stdout != text(ROOT / "docs/reference/sql-api.md"):
        return ["differs: docs/generate-sql-api > docs/reference/sql-api.md"]
    return []


def server_settings():
    """The page is what the program says, between its fences."""
    said = subprocess.run([os.path.join(os.environ["RAMPART_BUILD"], "dev", "server", "rampartd"), "settings"], text=True, capture_output=True, check=True).stdout
    return [] if f"```toml\n{said}```\n" in text(ROOT / "docs/reference/server-settings.md") else ["differs: docs/generate-server-settings"]


def errors():
    """Every code of error.hpp, and of our class no other."""
    described = set(re.findall(r"^\| `(\w{5})` \|", text(ROOT / "docs/reference/errors.md"), re.M))
    ours = {code for code in described if code.startswith("RM")}
    return sorted((declared_codes() - described) | (ours - declared_codes()))


def constructs():
    """What users read about documented errors is what the twin test shows."""
    pages = [set(_CONSTRUCT.findall(text(ROOT / page))) for page in ("docs/guides/queries.md", "tests/twin/README.md")]
    return [" ".join(row) for row in sorted(pages[0] ^ pages[1])]


def settings(cluster):
    """Name, default and who may set it."""
    rows = cluster.query("SELECT name, boot_val, context FROM pg_settings WHERE name LIKE 'rampart.%'")
    there = {(name, f"`{default}`" if default else "empty", _CONTEXTS[context]) for name, default, context in rows}
    return [" ".join(row) for row in sorted(there ^ set(_SETTING.findall(text(ROOT / "docs/reference/settings.md"))))]


def http_reference():
    done = subprocess.run([sys.executable, ROOT / "docs/generate-http-api"], text=True, capture_output=True)
    if done.returncode != 0:
        return [done.stderr.strip()]
    if done.stdout != text(ROOT / "docs/reference/http.md"):
        return ["differs: docs/generate-http-api > docs/reference/http.md"]
    return []


def problems():
    """Every code that the server refuses with, with its status, and no other."""
    there = set(_PROBLEM.findall(text(ROOT / "server/http/problem.cpp")))
    return [" ".join(row) for row in sorted(there ^ set(_PROBLEM_ROW.findall(text(ROOT / "docs/reference/problems.md"))))]
