"""Casbin for Go (Debian's package) and for Node (npm), on the same rules and requests: CPU of a decision that is allowed, as the difference between
asking once and several times."""
import json
import os
import resource
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(here, os.pardir, os.pardir, "tests", "policy"))
from policy_rules import KINDS, requests, rules

NODE = """
const { newEnforcer, newModelFromString, StringAdapter } = require('casbin');
const { model, policy, requests } = JSON.parse(require('fs').readFileSync(0));
(async () => {
  const enforcer = await newEnforcer(newModelFromString(model), new StringAdapter(policy));
  for (const request of requests) if (!(await enforcer.enforce(...request))) process.exit(1);
})();
"""


def json_of(request):
    return json.dumps(request)


def cpu_of(command, text):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(command, kind, size):
    """Nanoseconds a decision."""
    wanted = requests(kind, size, True)
    # The larger the policy, the longer each takes there.
    few, many = wanted[:5], wanted * max(1, 20_000 // max(size, 20)) if size < 20_000 else wanted[:15]
    question = {"model": KINDS[kind].model, "policy": rules(kind, size)}
    costs = [min(cpu_of(command, json.dumps({**question, "requests": asked}) + "\n") for _ in range(2)) for asked in (few, many)]
    return max(0.0, costs[1] - costs[0]) / (len(many) - len(few)) * 1e9


def node():
    if shutil.which("npm") is None:
        return None
    work = os.path.join(os.environ["RAMPART_WORK"], "node")
    os.makedirs(work, exist_ok=True)
    if subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", work, "casbin@5"], capture_output=True, check=False).returncode != 0:
        return None
    program = os.path.join(work, "decide.js")
    with open(program, "w") as file:
        file.write(NODE)
    return ["node", program]


def available():
    """Name -> measure(kind, size)."""
    import differential
    program, _ = differential.build_peer()
    commands = {"Casbin for Go": program and [program], "Casbin for Node": node()}
    return {name: lambda kind, size, command=command: measure(command, kind, size) for name, command in commands.items() if command}
