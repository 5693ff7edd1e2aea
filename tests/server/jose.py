"""npm's jose, a stranger's implementation of tokens, asked by lines of JSON."""
import json
import os
import shutil
import subprocess

from cluster import WORK

HERE = os.path.dirname(os.path.realpath(__file__))


class Jose:
    """One Node process with jose. Trusts the certificates of `ca_file` where it fetches keys."""

    def __init__(self, ca_file=None):
        environment = {**os.environ, **({"NODE_EXTRA_CA_CERTS": ca_file} if ca_file else {})}
        self.process = subprocess.Popen(["node", os.path.join(installed(), "tokens.mjs")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1, env=environment)

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
