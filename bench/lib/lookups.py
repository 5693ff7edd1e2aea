"""Point lookups by the deterministic column and its index, in pgbench with one client.

Runs on the two tables alternate, and the ratio is the median of the ratios of neighbouring runs: transactions
a second depend on everything else the machine does, which two neighbours share.
"""
import os
import re
import statistics
import time
from typing import NamedTuple

from cluster import run as run_program
from measure import print_table
from tables import COLUMNS, FIRST_CARD

PROTOCOLS = ["simple", "extended", "prepared"]


def script(directory, table, protocol, rows):
    """pgbench puts a variable into the text of a simple query, and makes it a parameter elsewhere."""
    card = "':card'" if protocol == "simple" else ":card"
    path = os.path.join(directory, f"{table}-{protocol}.sql")
    with open(path, "w") as f:
        f.write(f"\\set card random({FIRST_CARD}, {FIRST_CARD + rows - 1})\n"
                f"SELECT id, name FROM {table} WHERE card = {card};\n")
    return path


def children_cpu(cluster):
    """CPU time in seconds of the backends that have ended: user and system time of the postmaster's children."""
    with open(os.path.join(cluster.data, "postmaster.pid")) as f:
        postmaster = int(f.readline())
    with open(f"/proc/{postmaster}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def wait_for_end(session):
    while session.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'"):
        time.sleep(0.01)
    time.sleep(0.05)  # for the postmaster to notice


class Run(NamedTuple):
    tps: float
    cpu: float  # microseconds a transaction


def pgbench(session, cluster, path, protocol, transactions):
    before = children_cpu(cluster)
    output = run_program("pgbench", "-n", "-M", protocol, "-f", path, "-t", str(transactions), "-h", cluster.directory,
                         "-p", str(cluster.port), "-U", "postgres", "postgres").stdout
    wait_for_end(session)
    cpu = (children_cpu(cluster) - before) / transactions * 1e6
    return Run(float(re.search(r"^tps = ([\d.]+)", output, re.MULTILINE).group(1)), cpu)


def run(session, cluster, scale):
    """Prints the table; ratios of TPS by protocol."""
    ratios, rows = {}, []
    for protocol in PROTOCOLS:
        paths = {table: script(cluster.directory, table, protocol, scale.rows) for table in COLUMNS}
        # Each goes first in turn.
        orders = [list(COLUMNS), list(reversed(COLUMNS))]
        runs = [{table: pgbench(session, cluster, paths[table], protocol, scale.transactions)
                 for table in orders[n % 2]} for n in range(scale.lookup_rounds)]
        ratios[protocol] = statistics.median(r["encrypted"].tps / r["plain"].tps for r in runs)
        plain, encrypted = (statistics.median(r[table].tps for r in runs) for table in COLUMNS)
        # A clock tick is long beside a run: the mean, not the best.
        plain_cpu, encrypted_cpu = (statistics.mean(r[table].cpu for r in runs) for table in COLUMNS)
        rows.append([protocol, f"{ratios[protocol]:.2f}", f"{plain:,.0f}", f"{encrypted:,.0f}",
                     f"{encrypted_cpu / plain_cpu:.2f}", f"{plain_cpu:.1f}", f"{encrypted_cpu:.1f}"])
    print_table("Point lookups by card: transactions a second, one client",
                ["protocol", "ratio of TPS", "plaintext", "encrypted", "ratio of backend CPU", "plaintext, µs",
                 "encrypted, µs"], rows)
    return ratios
