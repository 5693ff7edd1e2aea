"""What a client feels of a rotation beside it: pgbench with one client reads and updates rows of the table that is being rotated."""
import os
import statistics

from cluster import run as run_program
from measure import print_table

# Name -> max_rows_per_second of the rotation; None: none runs.
CASES = {"no rotation": None, "rotation, 2,000 rows a second": 2000, "rotation, 10,000 rows a second": 10000,
         "rotation, not throttled": 0}


def script(directory, rows):
    path = os.path.join(directory, "neighbour.sql")
    with open(path, "w") as f:
        f.write(f"\\set id random(1, {rows})\n"
                "SELECT v FROM neighbour WHERE id = :id;\nUPDATE neighbour SET n = n + 1 WHERE id = :id;\n")
    return path


def latencies(cluster, path, seconds):
    """Milliseconds of each transaction, from pgbench's own log."""
    prefix = os.path.join(cluster.directory, "log-neighbour")
    run_program("pgbench", "-n", "-M", "prepared", "-f", path, "-T", str(seconds), "-l", f"--log-prefix={prefix}",
                "-h", cluster.directory, "-p", str(cluster.port), "-U", "postgres", "postgres")
    found = []
    for name in os.listdir(cluster.directory):
        if name.startswith("log-neighbour"):
            with open(os.path.join(cluster.directory, name)) as f:
                found += [int(line.split()[2]) / 1000 for line in f]
            os.remove(os.path.join(cluster.directory, name))
    return sorted(found)


def measure(session, cluster, path, pace, seconds):
    """Latencies, and how many rows the rotation beside rewrote."""
    number = None
    if pace is not None:
        number = session.value(f"SELECT rampart.start_rotation('neighbour', batch => 1000, "
                               f"max_rows_per_second => {pace or 'NULL'})")
    found = latencies(cluster, path, seconds)
    rewritten = 0
    if number is not None:
        rewritten = session.value(f"SELECT rewritten FROM rampart.rotation_progress WHERE rotation = {number}"
                                  " AND table_name IS NULL")
        session.execute(f"SELECT rampart.cancel_rotation({number}) FROM rampart.rotation"
                        f" WHERE id = {number} AND state = 'running'")
    return found, rewritten


def run(session, cluster, scale):
    session.execute("CREATE TABLE neighbour (id int8 PRIMARY KEY, n int, v enc_text(neighbour)) WITH (fillfactor = 80);"
                    "INSERT INTO neighbour SELECT i, 0, left(md5(i::text), 16)"
                    f" FROM generate_series(1, {scale.neighbour_rows}) i")
    session.execute("VACUUM ANALYZE neighbour")
    path = script(cluster.directory, scale.neighbour_rows)
    rows, base = [], None
    for name, pace in CASES.items():
        found, rewritten = measure(session, cluster, path, pace, scale.neighbour_seconds)
        median, p99 = statistics.median(found), found[int(len(found) * 0.99)]
        base = base or (median, p99)
        rows.append([name, f"{median:.2f}", f"{p99:.2f}", f"{found[-1]:.1f}", f"{p99 / base[1]:.2f}", f"{rewritten:,}"])
    print_table(f"One pgbench client on the table beside it, {scale.neighbour_seconds} s each",
                ["", "median, ms", "p99, ms", "max, ms", "p99 against none", "rows re-encrypted"], rows)
