"""The export that docs/formats.md shows is one."""
import re
from pathlib import Path

import audit_export
from program import run

PAGE = Path(__file__).resolve().parents[2] / "docs/formats.md"


def check(report, files):
    section = PAGE.read_text(encoding="utf-8").split("### Export for verification")[1].split("\n## ")[0]
    text = "".join(block + "\n" for block in re.findall(r"```json\n(.*?)\n```", section, re.S))
    key = re.search(r"`(\S+\+[0-9a-f]{8}\+\S+)` signed", section).group(1)
    answer = run("log", "--key", key, "--class", "normal", "--kept-from", "normal=3", files.write(text))
    part = answer.report["classes"][0]
    report.equal((answer.code, part["first"], part["proven"], part["removed"]), (0, 1, 3, 1), "documented: the export verifies")
    report.equal(audit_export.first_bad(audit_export.sections(text)["normal"], []), 2, "documented: to the independent verifier an entry is gone")
    report.equal(run("log", "--key", key, "--class", "normal", files.write(text)).kinds, ["removed"], "documented: as it is, unless it is said which may be")
