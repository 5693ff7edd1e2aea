"""Rules for C++: format, the one boundary with the server, and what the core may see."""
import os
import re
import shutil
import subprocess
from pathlib import Path

from tree import ROOT, files, name, text

_JUMPS = re.compile(r"\b(PG_TRY|PG_CATCH|sigsetjmp|PG_exception_stack)\b|\b(ereport|elog)\(\s*(ERROR|FATAL|PANIC)\b")
_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
_CODE = re.compile(r'\{"(\w{5})"\}')
_COMMENT = re.compile(r"//.*")


def _sources(folder="extension"):
    return [path for path in files(".cpp", ".hpp") if path.is_relative_to(ROOT / folder)]


def unformatted():
    if shutil.which("clang-format") is None:
        return ["clang-format is not installed"]
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files(".cpp", ".hpp")], cwd=ROOT, text=True,
                          capture_output=True)
    return sorted(set(re.findall(rf"^{re.escape(str(ROOT))}/([^:]+):\d+", done.stderr, re.M)))


def jumps_outside_the_boundary():
    return [f"{name(path)}:{number}: {line.strip()}" for path in _sources() if path.stem != "boundary"
            for number, line in enumerate(text(path).splitlines(), 1) if _JUMPS.search(_COMMENT.sub("", line))]


def doors_to_the_server():
    return [name(path) for path in _sources()
            if "postgres.h" in _INCLUDE.findall(text(path)) and name(path) != "extension/pg/postgres.hpp"]


def server_headers_in_core():
    core = ROOT / "extension/core"
    return [f"{name(path)}: {header}" for path in _sources("extension/core")
            for header in _INCLUDE.findall(text(path)) if not (core / header).exists()]


def clang_build():
    """./dev test builds the module with Clang, warnings as errors; nothing may have changed since."""
    module = Path(os.environ["RAMPART_BUILD"], "clang/extension/pg/rampart.so")
    if not module.exists():
        return [f"{module.name} was not built"]
    newer = [path for path in _sources() if path.stat().st_mtime > module.stat().st_mtime]
    return [f"{len(newer)} files are newer than the build, {name(newer[0])} among them"] if newer else []


def declared_codes():
    """Of the extension, and of rampart_auth, which the server answers by."""
    return set(_CODE.findall(text(ROOT / "extension/core/error.hpp"))) | set(re.findall(r'"(RMU\d\d)"', text(ROOT / "server/db/errors.cpp")))


def undeclared_codes():
    """SQLSTATEs of class RM that something raises and error.hpp does not know."""
    raised = {code for path in _sources() + files(".sql") if path.parts[len(ROOT.parts)] in ("extension", "sql")
              for code in re.findall(r"\bRM[A-Z]\d\d\b", text(path))}
    return sorted(raised - declared_codes())
