"""A literal whose column is not known yet is never stored in the clear: the files of the database are searched for it."""
import subprocess

from unscoped_cases import DECLARATIONS, DEFAULTED, MISMATCHES, REFUSED, STORES
from world import attempt

SETUP = """
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
GRANT USAGE ON FOREIGN SERVER files TO app;
GRANT pg_read_server_files, pg_execute_server_program TO app;
GRANT postgres TO app;
GRANT CREATE ON DATABASE unscoped TO app;
CREATE FUNCTION f2(enc_text, enc_text) RETURNS enc_text LANGUAGE sql AS $$ SELECT $2 $$;
"""
# What a value without a scope would answer to this with an error.
SEALED = "SELECT rampart.inspect(rampart.ciphertext(v)) IS NOT NULL FROM ({}) s (v)"


class Cases:
    """Runs each case in a schema of its own and keeps its secret for the search at the end."""

    def __init__(self, database, report):
        self.database, self.report = database, report
        self.secrets = {}

    def run(self, name, steps, options=""):
        secret = f"unscopedsecret{len(self.secrets):03d}q"
        self.secrets[secret] = name
        schema = f"case_{len(self.secrets)}"
        connection = self.database.connect("app", options=f"-c search_path={schema},public -c app.s={secret} {options}")
        attempt(connection, f"CREATE SCHEMA {schema}")
        outcome = []
        for number, step in enumerate(steps):
            outcome = attempt(connection, step.format(s=secret) if "{" in step else step)
            if isinstance(outcome, str) and number < len(steps) - 1:
                outcome = f"step {number + 1}: {outcome}"
                break
        return connection, secret, outcome

    def refused(self, name, sqlstate, *steps):
        connection, _, outcome = self.run(name, steps)
        self.report.equal(outcome, sqlstate, f"unscoped, refused: {name}")
        connection.close()

    def stored(self, name, steps, read, options="", heading="unscoped, stored"):
        connection, secret, outcome = self.run(name, steps, options)
        got = outcome if isinstance(outcome, str) else attempt(connection, read)
        shown = {row[0] for row in got} if isinstance(got, list) else got
        sealed = attempt(connection, SEALED.format(read))
        sealed = {row[0] for row in sealed} if isinstance(sealed, list) else sealed
        self.report.equal((shown, sealed), ({secret}, {True}), f"{heading}: {name}")
        # Left open: temporary tables must be on disk when the files are searched.
        return connection


def found_in_files(cluster, secrets):
    """Secrets that the cluster's files hold: tables, WAL, temporary files, catalog."""
    done = subprocess.run(["grep", "-raoFh", "-f", "-", cluster.data], input="\n".join(secrets), text=True,
                          capture_output=True, check=False, errors="replace")
    return sorted(set(done.stdout.split()))


def check(world, report):
    database = world.database("unscoped")
    database.query(SETUP)
    cases = Cases(database, report)
    for name, *steps in DECLARATIONS:
        cases.refused(name, REFUSED, *steps)
    for case in MISMATCHES:
        cases.refused(*case)
    kept = [cases.stored(*case) for case in STORES]
    kept += [cases.stored(*case, options="-c rampart.default_scope=pii", heading="unscoped, default scope") for case in DEFAULTED]
    control = "unscopedsecretcontrolq"
    database.query(f"CREATE TABLE control AS SELECT '{control}'::text")
    database.query("CHECKPOINT")
    found = found_in_files(world.cluster, [*cases.secrets, control])
    report.ok(control in found, "unscoped: the search finds what is stored in the clear")
    bare = [cases.secrets[secret] for secret in found if secret != control]
    report.equal(bare, [], f"unscoped: no file of the cluster holds one of {len(cases.secrets)} secrets")
    for connection in kept:
        connection.close()
