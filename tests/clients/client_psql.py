"""psql: \\copy out of one twin into the other, and variables, \\gset, \\gexec, \\crosstabview."""
import os

from cluster import WORK, run as program
from twins import empty

FILL = r"""
INSERT INTO plain.customer (email, name, born, seen, balance, visits, token, active, notes, photo)
SELECT 'user' || n || '@example.com', E'tab\t"quote" , \\ ' || n % 10, date '2000-01-01' + n, now(), n / 8.0, n,
       md5(n::text)::uuid, n % 2 = 0, jsonb_build_object('n', n), decode(md5(n::text), 'hex')
FROM generate_series(1, 500) n
"""
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
    return program("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", cluster.directory,
                   "-p", str(cluster.port), "-U", user, "-d", "postgres", input=script, check=False)


def contents(path):
    with open(path) as file:
        return file.read()


def copy_across(cluster, report, path, options):
    """From the plain table to a file, into the encrypted one and out again."""
    cluster.query("TRUNCATE encrypted.customer CASCADE")
    done = psql(cluster, "app_plain", f"\\copy customer to '{path}' {options}\n")
    report.equal(done.returncode, 0, f"psql: \\copy to, {options}")
    done = psql(cluster, "app_encrypted",
                f"\\copy customer from '{path}' {options}\n\\copy customer to '{path}.back' {options}\n")
    report.equal((done.returncode, done.stderr), (0, ""), f"psql: \\copy from, {options}")
    report.ok(contents(path) == contents(path + ".back"), f"psql: what was copied in comes out again, {options}")


def run(cluster, report):
    empty(cluster)
    cluster.query(FILL)
    path = os.path.join(WORK, "copied")
    for options in ("(format text)", "csv header", "delimiter '|' null 'none'"):
        copy_across(cluster, report, path, options)
    plain, encrypted = (psql(cluster, user, SCRIPT) for user in ("app_plain", "app_encrypted"))
    report.ok(plain.returncode == 0, "psql: the script runs", plain.stderr)
    report.equal((encrypted.stdout, encrypted.stderr), (plain.stdout, plain.stderr),
                 "psql: variables, \\gset, \\gexec, \\crosstabview")
    done = psql(cluster, "app_blind", f"\\copy customer to '{path}'\n")
    report.ok(done.returncode == 0 and "user7" not in contents(path),
              "psql: without the right, \\copy writes ciphertext", done.stderr)
