"""npm's jose, a stranger's implementation of tokens, asked by lines of JSON."""
import hashlib
import json
import os
import shutil
import subprocess

from cluster import WORK

HERE = os.path.dirname(os.path.realpath(__file__))


class Jose:
    """One Node process with jose."""

    def __init__(self):
        self.directory = installed()
        self.process = subprocess.Popen(["node", os.path.join(self.directory, "tokens.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)

    def example(self, text, token):
        """What the program of an example, which exports claimsOf(), reads in a token."""
        file = os.path.join(self.directory, f"example-{hashlib.sha256(text.encode()).hexdigest()[:8]}.mjs")
        with open(file, "w") as f:
            f.write(text)
        return self.ask("example", file=file, token=token)

    def ask(self, action, **parameters):
        self.process.stdin.write(json.dumps({"action": action, **parameters}) + "\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"jose ended with {self.process.wait()}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


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
