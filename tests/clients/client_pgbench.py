"""pgbench: custom scripts in each protocol, concurrently, with the two twins' tables compared at the end."""
import os

from cluster import WORK, run as program
from twins import USERS, empty

ROWS = 200
# Concurrent sessions meet in the same rows; what they do commutes, so that the end does not depend on their order.
SHARED = r"""
\set one random(1, :rows)
\set two random(1, :rows)
\set low least(:one, :two)
\set high greatest(:one, :two)
\set delta random(-100, 100)
BEGIN;
UPDATE counter SET visits = visits + :delta WHERE login = :low;
SELECT visits FROM counter WHERE owner = 'user' || :high;
UPDATE counter SET visits = visits - 2 * :delta WHERE owner = 'user' || :high AND login <> 0;
END;
"""
# Each session has rows of its own, which it makes, changes, looks for and deletes.
OWN = r"""
\set mine 1000 * (:client_id + 1) + random(0, 20)
INSERT INTO counter VALUES (:mine, 'own' || :mine, 1, 'new')
    ON CONFLICT (login) DO UPDATE SET visits = counter.visits + 1;
UPDATE counter SET note = note || '.', owner = 'renamed' || :mine WHERE login = :mine AND visits > 2;
DELETE FROM counter WHERE owner = 'renamed' || :mine AND visits > 4;
SELECT count(*) FROM counter WHERE login IN (:mine, :mine + 1) AND note LIKE 'new%';
"""
FILL = "INSERT INTO counter SELECT n, 'user' || n, 0, 'shared' FROM generate_series(1, %d) n" % ROWS
STATE = "SELECT login::bigint, owner::text, visits::bigint, note::text FROM counter ORDER BY 1"


def script(name, text):
    path = os.path.join(WORK, name)
    with open(path, "w") as file:
        file.write(text)
    return path


# One thread a session: the scripts it draws are then the same in each run.
def bench(cluster, user, protocol, files):
    return program("pgbench", "-n", "-M", protocol, "-c", "4", "-j", "4", "-t", "80", "--random-seed=7",
                   "-D", f"rows={ROWS}", "-h", cluster.directory, "-p", str(cluster.port), "-U", user,
                   *[option for file in files for option in ("-f", file)], "postgres", check=False)


def run(cluster, report):
    files = [script("shared.pgbench", SHARED), script("own.pgbench", OWN)]
    for protocol in ("simple", "extended", "prepared"):
        empty(cluster)
        states = []
        for user in USERS:
            cluster.query(FILL, user=user)
            done = bench(cluster, user, protocol, files)
            report.ok(done.returncode == 0 and "number of failed transactions: 0" in done.stdout,
                      f"pgbench: {protocol} protocol as {user}", done.stdout + done.stderr)
            states.append(set(cluster.query(STATE, user=user)))
        plain, encrypted = states
        report.ok(len(plain) > ROWS and any(visits for _, _, visits, _ in plain),
                  f"pgbench: {protocol} protocol changes rows")
        report.equal(sorted(encrypted - plain), sorted(plain - encrypted),
                     f"pgbench: {protocol} protocol, the twins end alike")
