"""psql: \\copy out of one twin into the other, \\gset, \\gexec, \\watch-free scripts of every day."""
import os

from cluster import WORK, run as program
from twins import empty

SCRIPT = r"""
\set email user7@example.com
SELECT id, name FROM customer WHERE email = :'email' \gset
\echo :id :name
SELECT name FROM customer WHERE email = :'email' AND visits = 7;
SELECT format('SELECT count(*) FROM customer WHERE email <> %L', :'email') \gexec
SELECT name, active::bool, count(*) FROM customer WHERE visits < 30 GROUP BY 1, 2 ORDER BY 1, 2 \crosstabview
SELECT name, visits FROM customer ORDER BY visits DESC LIMIT 3;
"""


def psql(cluster, user, script):
    return program("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", cluster.directory, "-p", str(cluster.port), "-U", user, "-d", "postgres",
                   input=script, check=False)


def run(cluster, report):
    empty(cluster)
    cluster.query("""INSERT INTO plain.customer (email, name, born, seen, balance, visits, token, active, notes, photo)
        SELECT 'user' || n || '@example.com', E'tab\t"quote" , \\ ' || n % 10, date '2000-01-01' + n, now(), n / 8.0, n,
               md5(n::text)::uuid, n % 2 = 0, jsonb_build_object('n', n), decode(md5(n::text), 'hex') FROM generate_series(1, 500) n""")
    for options in ("", "csv header", "delimiter '|' null 'none'"):
        here = os.path.join(WORK, "copied")
        cluster.query("TRUNCATE encrypted.customer CASCADE")
        done = psql(cluster, "app_plain", f"\\copy customer to '{here}' {options}\n")
        report.equal(done.returncode, 0, f"psql: \\copy to, {options or 'text'}")
        done = psql(cluster, "app_encrypted", f"\\copy customer from '{here}' {options}\n\\copy customer to '{here}.back' {options}\n")
        report.equal((done.returncode, done.stderr), (0, ""), f"psql: \\copy from, {options or 'text'}")
        with open(here) as copied, open(here + ".back") as back:
            report.ok(copied.read() == back.read(), f"psql: what was copied in comes out again, {options or 'text'}")
    plain, encrypted = (psql(cluster, user, SCRIPT) for user in ("app_plain", "app_encrypted"))
    report.equal((encrypted.stdout, encrypted.stderr), (plain.stdout, plain.stderr), "psql: \\gset, \\gexec, \\crosstabview")
    report.ok(plain.returncode == 0, "psql: the script ran", plain.stderr)
    done = psql(cluster, "app_blind", f"\\copy customer to '{here}'\n")
    with open(here) as copied:
        report.ok(done.returncode == 0 and "user7" not in copied.read(), "psql: without the right, \\copy writes ciphertext", done.stderr)
