"""The table of documented errors in README.md is the corpus's, no more and no less."""
import re
from pathlib import Path

_ROW = re.compile(r"^\| ([^|]+?) \| (\w{5}) \|", re.M)


def check(report, cases):
    text = Path(__file__).with_name("README.md").read_text()
    documented = {(state, construct) for construct, state in _ROW.findall(text)}
    used = {(case.error, case.construct) for case in cases if case.error}
    report.equal(used - documented, set(), "every error of the corpus is documented")
    report.equal(documented - used, set(), "every documented error has a case")
