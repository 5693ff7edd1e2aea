"""Rotations beside a plain UPDATE of the same rows, and beside what one would do with pgcrypto.

Rows are narrow: an id and a value of 16 characters. The plain UPDATE writes another column of the very same table, so both
write the same rows once more, with the same indexes; a rotation decrypts and encrypts each value as well, and reads the
table a second time to see that nothing is left.
"""
import os

from measure import best, print_table

KEY, NEW_KEY = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"

TABLES = {
    # Scope -> columns, and what is indexed beside the id.
    "random": ("id int8 PRIMARY KEY, n int, v enc_text(random)", "randomised column"),
    "deterministic": ("id int8 PRIMARY KEY, n int, v enc_text(deterministic, deterministic) UNIQUE",
                      "deterministic column, UNIQUE"),
}


def rotate(session, scope):
    """Runs a rotation in this session; returns its id."""
    number = session.value(f"SELECT rampart.start_rotation('{scope}')")
    session.execute(f"CALL rampart.run_rotation({number})")
    state = session.value(f"SELECT state FROM rampart.rotation WHERE id = {number}")
    if state != "complete":
        raise RuntimeError(f"rotation of {scope} is {state}")
    return number


def measure(session, table, statement, scale):
    """The best of some runs, each on a table that was vacuumed."""
    def once():
        session.execute(f"VACUUM FULL {table}")
        session.execute("CHECKPOINT")
        return (session.cost(statement) if isinstance(statement, str) else session.time(statement)).per(scale.rows)
    return best(once() for _ in range(scale.rounds))


def row(name, cost, base):
    return [name, f"{cost.cpu / base.cpu:.2f}", f"{cost.elapsed / base.elapsed:.2f}", f"{cost.cpu:,.0f}",
            f"{1e9 / cost.elapsed:,.0f}"]


def run(session, scale):
    rows, goals = [], []
    for scope, (columns, title) in TABLES.items():
        table = f"t_{scope}"
        session.execute(f"CREATE TABLE {table} ({columns});"
                        f"INSERT INTO {table} SELECT i, 0, md5(i::text)::char(16) FROM generate_series(1, {scale.rows}) i")
        update = measure(session, table, f"UPDATE {table} SET n = n + 1", scale)
        rotation = measure(session, table, lambda scope=scope: rotate(session, scope), scale)
        rows += [row(f"UPDATE, {title}", update, update), row(f"rotation, {title}", rotation, update)]
        goals.append((f"rotation of a {title}: CPU against a plain UPDATE", 1.6, rotation.cpu / update.cpu))
        if scope == "random":
            rows += competitors(session, scale, update)
    print_table(f"Re-encrypting {scale.rows:,} rows: against a plain UPDATE of them",
                ["what", "ratio of CPU", "ratio of elapsed", "CPU, ns a row", "rows a second"], rows)
    return goals


def competitors(session, scale, update):
    session.execute(f"CREATE TABLE cbc (id int8 PRIMARY KEY, n int, v bytea);"
                    f"INSERT INTO cbc SELECT i, 0, encrypt(left(md5(i::text), 16)::bytea, '{KEY}', 'aes-cbc')"
                    f" FROM generate_series(1, {scale.rows}) i")
    cbc = measure(session, "cbc", f"UPDATE cbc SET v = encrypt(decrypt(v, '{KEY}', 'aes-cbc'), '{KEY}', 'aes-cbc')", scale)
    session.execute(f"CREATE TABLE pgp (id int8 PRIMARY KEY, n int, v bytea);"
                    f"INSERT INTO pgp SELECT i, 0, pgp_sym_encrypt(left(md5(i::text), 16), '{KEY}')"
                    f" FROM generate_series(1, {scale.pgp_rows}) i")
    pgp = session.cost(f"UPDATE pgp SET v = pgp_sym_encrypt(pgp_sym_decrypt(v, '{KEY}'), '{NEW_KEY}')").per(scale.pgp_rows)
    return [row("UPDATE with pgcrypto encrypt(decrypt()), AES-256-CBC, in one transaction", cbc, update),
            row("UPDATE with pgcrypto pgp_sym_encrypt(pgp_sym_decrypt())", pgp, update)]


def resident(pid):
    """Memory of a process that is its own, in MiB: what it shares does not count."""
    with open(f"/proc/{pid}/statm") as f:
        _, all_pages, shared = map(int, f.read().split()[:3])
    return (all_pages - shared) * os.sysconf("SC_PAGE_SIZE") / 2**20


def run_large(session, scale):
    """Memory after the first batches and at the end."""
    session.execute(f"CREATE TABLE large (id int8, v enc_text(large));"
                    f"INSERT INTO large SELECT i, left(md5(i::text), 16) FROM generate_series(1, {scale.large_rows}) i")
    number = session.value("SELECT rampart.start_rotation('large')")
    for _ in range(20):
        session.execute(f"SELECT rampart.rotation_step({number})")
    before = resident(session.pid)
    cost = session.cost(f"CALL rampart.run_rotation({number})")
    after = resident(session.pid)
    print_table(f"A rotation of {scale.large_rows:,} rows",
                ["what", "result"],
                [["rows a second", f"{scale.large_rows / cost.elapsed * 1e9:,.0f}"],
                 ["CPU, ns a row", f"{cost.cpu / scale.large_rows:,.0f}"],
                 ["memory after 20 batches, MiB", f"{before:.1f}"],
                 ["memory at the end, MiB", f"{after:.1f}"],
                 ["state", session.value(f"SELECT state FROM rampart.rotation WHERE id = {number}")]])
    return [("memory at the end against after 20 batches", 1.2, after / before)]
