"""CPU and elapsed time of statements, interleaved so that a busy machine spoils every variant alike."""
import time
from typing import NamedTuple


class Cost(NamedTuple):
    """Nanoseconds."""
    cpu: float
    elapsed: float

    def per(self, count):
        return Cost(self.cpu / count, self.elapsed / count)


def process_cpu(pid):
    """CPU time of another process, in nanoseconds: its CPU clock, see clock_getcpuclockid(3)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


class Session:
    """A connection that knows the CPU time of its backend. Client and server count apart."""

    def __init__(self, cluster, database="postgres"):
        self.connection = cluster.connect(database=database)
        self.cursor = self.connection.cursor()
        self.pid = self.value("SELECT pg_backend_pid()")

    def execute(self, sql):
        self.cursor.execute(sql)

    def value(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchone()[0]

    def time(self, action):
        cpu, elapsed = process_cpu(self.pid), time.perf_counter_ns()
        action()
        return Cost(process_cpu(self.pid) - cpu, time.perf_counter_ns() - elapsed)

    def cost(self, sql):
        return self.time(lambda: self.execute(sql))


def best(costs):
    """The least of each: what disturbs a measurement only ever adds to it."""
    costs = list(costs)
    return Cost(min(c.cpu for c in costs), min(c.elapsed for c in costs))


def interleave(variants, rounds):
    """Runs every variant (name -> function that returns a Cost) once a round; the best of each."""
    costs = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            costs[name].append(variant())
    return {name: best(list_of_costs) for name, list_of_costs in costs.items()}


def print_table(title, header, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|---" + "|---:" * (len(header) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
