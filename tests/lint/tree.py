"""The files of the repository, and the checks that need nothing but reading them."""
import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SKIPPED = {".git", ".dev", "build", "node_modules", "__pycache__"}
_PROSE_AND_CODE = {".md", ".py", ".pl", ".pm", ".sql", ".spec", ".cpp", ".hpp", ".txt", ".cmake", ".in", ".json", ".js", ""}

_UNFINISHED = re.compile(r"\b(TO[D]O|FIXM[E]|X{3})\b")
_MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:work|root|home/\w+)/")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def files(*suffixes):
    found = []
    for directory, folders, names in os.walk(ROOT):
        folders[:] = sorted(folder for folder in folders if folder not in _SKIPPED)
        found += [Path(directory, name) for name in sorted(names) if Path(name).suffix in suffixes]
    return found


def name(path):
    return str(path.relative_to(ROOT))


def text(path):
    return path.read_text(encoding="utf-8", errors="replace")


def written():
    """Everything that people write: no expected output, no corpora of bytes."""
    return [path for path in files(*_PROSE_AND_CODE) if "expected" not in path.parts and "_corpus" not in str(path.parent)]


def _lines(pattern, paths):
    return [f"{name(path)}:{number}: {line.strip()[:100]}" for path in paths
            for number, line in enumerate(text(path).splitlines(), 1) if pattern.search(line)]


def unfinished():
    return _lines(_UNFINISHED, written())


def machine_paths():
    return _lines(_MACHINE_PATH, written())


def trailing_whitespace():
    return _lines(re.compile(r"[ \t]+$"), written())


def _anchors(path):
    """As GitHub makes them of headings."""
    prose = re.sub(r"^```.*?^```", "", text(path), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.+)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links():
    broken = []
    for path in files(".md"):
        for target in _LINK.findall(re.sub(r"`[^`\n]*`", "", text(path))):
            if re.match(r"\w+:", target):
                continue
            file, _, anchor = target.partition("#")
            page = (path.parent / file).resolve() if file else path
            if not page.exists() or (anchor and anchor not in _anchors(page)):
                broken.append(f"{name(path)}: {target}")
    return broken


def suites():
    """Suites with a run file that tests/suites does not list, and the reverse."""
    lines = text(ROOT / "tests/suites").splitlines()
    listed = {line.split()[0] for line in lines if line and not line.startswith("#")}
    there = {path.parent.name for path in (ROOT / "tests").glob("*/run")}
    return [f"tests/{suite}" for suite in sorted(listed ^ there)]


def schedules():
    """Tests without a place in their schedule or without expected output."""
    missing = []
    for folder, suffix, schedule in (("sql", ".sql", "schedule"), ("specs", ".spec", "isolation_schedule")):
        lines = re.findall(r"^test:(.*)", text(ROOT / "regress" / schedule), re.M)
        listed = set(" ".join(lines).split())
        there = {path.stem for path in (ROOT / "regress" / folder).glob(f"*{suffix}")}
        missing += [f"{test}: not both in regress/{schedule} and regress/{folder}" for test in sorted(listed ^ there)]
        missing += [f"{test}: no expected output" for test in sorted(there)
                    if not (ROOT / "regress/expected" / f"{test}.out").exists()]
    return missing
