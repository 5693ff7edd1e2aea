"""node-postgres and Sequelize: installed from package-lock.json, run by Node's own test runner."""
import glob
import os
import re
import shutil
import subprocess

from cluster import WORK
from twins import empty

HERE = os.path.dirname(os.path.realpath(__file__))


def run_there(there, *command, **environment):
    return subprocess.run(command, cwd=there, env={**os.environ, **environment}, text=True, capture_output=True,
                          timeout=300)


def install(report):
    """The packages, below RAMPART_WORK: the checkout may not be writable. Never skipped."""
    there = os.path.join(WORK, "node")
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(os.path.join(HERE, "node"), there)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, name), there)
    done = run_there(there, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
    report.ok(done.returncode == 0, "node: npm ci", done.stdout + done.stderr)
    return there


def run(cluster, report):
    there = install(report)
    server = {"PGHOST": cluster.directory, "PGPORT": str(cluster.port), "PGDATABASE": "postgres", "TZ": "UTC"}
    for path in sorted(glob.glob(os.path.join(there, "*.test.js"))):
        empty(cluster)
        name = os.path.basename(path).removesuffix(".test.js")
        done = run_there(there, "node", "--test-reporter=tap", path, **server)
        # The top level of TAP; what is indented belongs to the line before.
        results = re.findall(r"^(ok|not ok) \d+ - (.*)\n((?:  .*\n)*)", done.stdout, re.M)
        for verdict, test, details in results:
            report.ok(verdict == "ok", f"{name}: {test}", details)
        failed = any(verdict == "not ok" for verdict, _, _ in results)
        report.ok(results and (done.returncode == 0 or failed), f"{name}: ran to its end",
                  done.stdout[-2000:] + done.stderr[-2000:])
