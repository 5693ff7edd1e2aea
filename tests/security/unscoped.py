"""A literal whose column is not known yet is never stored in the clear: the files of the database are searched for it."""
import os
import re
import subprocess

from world import attempt

HERE = os.path.dirname(os.path.abspath(__file__))

SETUP = """
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
GRANT USAGE ON FOREIGN SERVER files TO app;
GRANT pg_read_server_files, pg_execute_server_program, postgres TO app;
GRANT CREATE ON DATABASE unscoped TO app;
CREATE FUNCTION f2(enc_text, enc_text) RETURNS enc_text LANGUAGE sql AS $$ SELECT $2 $$;
"""
# A value without a scope has no ciphertext, and would answer with an error.
SEALED = "SELECT rampart.inspect(rampart.ciphertext(v)) IS NOT NULL FROM ({}) s (v)"


def cases_in(file_name):
    """(name, statements) of each case; a file's own comment ends at the first empty line."""
    with open(os.path.join(HERE, file_name), encoding="utf-8") as file:
        blocks = file.read().split("\n\n")[1:]
    for block in blocks:
        name, *statements = block.strip().split("\n")
        if statements:
            yield name.removeprefix("# "), statements


class Cases:
    """Runs each case in a schema of its own and keeps its secret for the search at the end."""

    def __init__(self, database, report):
        self.database, self.report = database, report
        self.secrets = {}

    def run(self, name, statements, options=""):
        """The session, the secret, and the outcome of the last statement or of the first that failed before it."""
        secret = f"unscopedsecret{len(self.secrets):03d}q"
        self.secrets[secret] = name
        schema = f"case_{len(self.secrets)}"
        connection = self.database.connect("app", options=f"-c search_path={schema},public -c app.s={secret} {options}")
        attempt(connection, f"CREATE SCHEMA {schema}")
        outcome = []
        for statement in statements:
            outcome = attempt(connection, statement.replace("{s}", secret))
            if isinstance(outcome, str) and statement is not statements[-1]:
                outcome = f"{outcome}: {statement}"
                break
        return connection, secret, outcome

    def refused(self, title, statements):
        name, sqlstate = re.fullmatch(r"(.*) \[(\w{5})\]", title).groups()
        connection, _, outcome = self.run(name, statements)
        self.report.equal(outcome, sqlstate, f"unscoped, refused: {name}")
        connection.close()

    def stored(self, heading, name, statements, options=""):
        *statements, read = statements
        read = read.removeprefix("> ")
        connection, secret, outcome = self.run(name, statements, options)
        got = [outcome] if isinstance(outcome, str) else [attempt(connection, read), attempt(connection, SEALED.format(read))]
        shown = [{row[0] for row in rows} if isinstance(rows, list) else rows for rows in got]
        self.report.equal(shown, [{secret}, {True}], f"{heading}: {name}")
        # Left open: temporary tables must be there when the files are searched.
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
    for case in cases_in("unscoped_refused.txt"):
        cases.refused(*case)
    kept = [cases.stored("unscoped, stored", *case) for case in cases_in("unscoped_stored.txt")]
    kept += [cases.stored("unscoped, default scope", *case, "-c rampart.default_scope=pii")
             for case in cases_in("unscoped_default.txt")]
    control = "unscopedsecretcontrolq"
    database.query(f"CREATE TABLE control AS SELECT '{control}'::text")
    database.query("CHECKPOINT")
    found = found_in_files(world.cluster, [*cases.secrets, control])
    report.ok(control in found, "unscoped: the search finds what is stored in the clear")
    bare = [cases.secrets[secret] for secret in found if secret != control]
    report.equal(bare, [], f"unscoped: no file of the cluster holds one of {len(cases.secrets)} secrets")
    for connection in kept:
        connection.close()
