"""Point lookups by the deterministic column and its index, in pgbench with one client.

Runs on the two tables alternate, and the ratio is the median of the ratios of neighbouring runs: transactions
a second depend on everything else the machine does, which two neighbours share.
"""
import os
import re
import statistics

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


def transactions_per_second(cluster, path, protocol, transactions):
    output = run_program("pgbench", "-n", "-M", protocol, "-f", path, "-t", str(transactions), "-h", cluster.directory,
                         "-p", str(cluster.port), "-U", "postgres", "postgres").stdout
    return float(re.search(r"^tps = ([\d.]+)", output, re.MULTILINE).group(1))


def run(session, cluster, scale):
    """Prints the table; ratios of TPS by protocol."""
    ratios, rows = {}, []
    for protocol in PROTOCOLS:
        paths = {table: script(cluster.directory, table, protocol, scale.rows) for table in COLUMNS}
        # Each goes first in turn.
        orders = [list(COLUMNS), list(reversed(COLUMNS))]
        runs = [{table: transactions_per_second(cluster, paths[table], protocol, scale.transactions)
                 for table in orders[n % 2]} for n in range(scale.lookup_rounds)]
        ratios[protocol] = statistics.median(r["encrypted"] / r["plain"] for r in runs)
        plain, encrypted = (statistics.median(r[table] for r in runs) for table in COLUMNS)
        rows.append([protocol, f"{ratios[protocol]:.2f}", f"{plain:,.0f}", f"{encrypted:,.0f}"])
    print_table("Point lookups by card: transactions a second, one client",
                ["protocol", "ratio", "plaintext", "encrypted"], rows)
    return ratios
