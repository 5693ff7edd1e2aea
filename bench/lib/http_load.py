"""Requests by wrk, and what they cost a server: CPU of its process, requests a second, latencies."""
import os
import re
import subprocess
import tempfile
from typing import NamedTuple

from measure import process_cpu

UNITS = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}


class HttpCost(NamedTuple):
    """CPU of the server in microseconds a request; latencies in milliseconds."""
    cpu: float
    per_second: float
    median: float
    p99: float
    requests: int
    failed: int


def _quoted(text):
    """In a long bracket, because a header or body may have any quotes."""
    return f"[==[{text}]==]"


def _script(method, headers, bodies):
    """wrk's own language: its requests take turns in the bodies."""
    sent = ", ".join(f"[ {_quoted(name)} ] = {_quoted(value)}" for name, value in headers.items())
    return f"""local bodies, at = {{ {", ".join(map(_quoted, bodies))} }}, 0
local headers = {{ {sent} }}
function request()
    at = at + 1
    return wrk.format("{method}", nil, headers, bodies[at % #bodies + 1])
end
"""


class Wrk:
    """A run that goes on until result() is asked for it."""

    def __init__(self, pid, url, seconds, connections=8, method="GET", headers=None, bodies=()):
        self.pid, self.cpu = pid, process_cpu(pid)
        with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as script:
            script.write(_script(method, headers or {}, bodies))
        self.script = script.name
        self.process = subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", self.script, url],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self):
        output, _ = self.process.communicate()
        cpu = process_cpu(self.pid) - self.cpu
        os.remove(self.script)
        requests = int(re.search(r"(\d+) requests in", output)[1])
        latency = {share: float(number) * UNITS[unit] for share, number, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s|m)\b", output)}
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
        failed = (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)
        return HttpCost(cpu / 1e3 / max(requests, 1), float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]), latency["50"], latency["99"], requests, failed)


def run(*arguments, **options):
    return Wrk(*arguments, **options).result()
