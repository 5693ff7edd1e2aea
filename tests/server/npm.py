"""Strangers' packages of npm, in Node programs that are asked by lines of JSON."""
import functools
import json
import os
import re
import shutil
import subprocess

from cluster import WORK

HERE = os.path.dirname(os.path.realpath(__file__))


class Program:
    """A process that runs node/<script>."""

    def __init__(self, script):
        self.directory = installed()
        self.script = script
        self.process = subprocess.Popen(["node", os.path.join(self.directory, script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)

    def ask(self, action, **parameters):
        self.process.stdin.write(json.dumps({"action": action, **parameters}) + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.script} ended with {self.process.wait()}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


def lacks_node(report, name, least):
    """Skips the test where Node, as Debian's is, is older than what its packages need."""
    version = subprocess.run(["node", "--version"], text=True, capture_output=True, check=True).stdout.strip()
    old = [int(part) for part in re.findall(r"\d+", version)] < least
    if old:
        report.skip(name, f"its packages need Node {'.'.join(map(str, least))}, this is {version}")
    return old


@functools.cache
def installed():
    """The directory with the packages of node/package-lock.json, below RAMPART_WORK: the checkout may not be writable."""
    there = os.path.join(WORK, "node")
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(os.path.join(HERE, "node"), there)
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], cwd=there,
                          text=True, capture_output=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed: {done.stderr[-2000:]}")
    return there
