"""SQL functions over values of 32 bytes, beside a bare loop over OpenSSL and beside pgcrypto.

Net CPU time a value: that of SELECT count(f(v)) less that of SELECT count(empty(v)), where empty() is a
function of C that returns its argument, over the same table.
"""
import os
import subprocess

from measure import interleave, print_table

TABLES = """
CREATE FUNCTION empty(text, int4, bool) RETURNS text LANGUAGE internal IMMUTABLE STRICT AS 'varchar';
CREATE FUNCTION empty(bytea, int4, bool) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'varchar';
CREATE FUNCTION empty(enc_text, int4, bool) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'varchar';

CREATE UNLOGGED TABLE texts AS SELECT md5(i::text) AS v FROM generate_series(1, {rows}) i;
CREATE UNLOGGED TABLE bytes AS SELECT v::bytea AS v FROM texts;
CREATE UNLOGGED TABLE sealed AS SELECT rampart.encrypt('pii', v) AS v FROM texts;
CREATE UNLOGGED TABLE sealed_det AS SELECT rampart.encrypt_deterministic('pii', v) AS v FROM texts;
CREATE UNLOGGED TABLE col (v enc_text(pii));
CREATE UNLOGGED TABLE col_det (v enc_text(pii, deterministic));
INSERT INTO col SELECT v FROM texts;
INSERT INTO col_det SELECT v FROM texts;
CREATE UNLOGGED TABLE cbc AS SELECT encrypt(v, '{key}', 'aes-cbc') AS v FROM bytes;
CREATE UNLOGGED TABLE few AS SELECT v FROM texts LIMIT {few};
CREATE UNLOGGED TABLE pgp AS SELECT pgp_sym_encrypt(v, '{key}') AS v FROM few;
"""
KEY = "0123456789abcdef0123456789abcdef"

SEAL, SEAL_DETERMINISTIC, OPEN = "encrypt, randomised", "encrypt, deterministic", "decrypt, randomised"

# Name, expression over v, table, the row of the bare loop that does the same work.
FUNCTIONS = [
    ("rampart.encrypt", "rampart.encrypt('pii', v)", "texts", SEAL),
    ("rampart.encrypt_deterministic", "rampart.encrypt_deterministic('pii', v)", "texts", SEAL_DETERMINISTIC),
    ("rampart.decrypt", "rampart.decrypt(v)", "sealed", OPEN),
    ("rampart.decrypt, deterministic", "rampart.decrypt(v)", "sealed_det", OPEN),
    ("value into enc_text(pii)", "v::enc_text(pii)", "texts", SEAL),
    ("value into enc_text(pii, deterministic)", "v::enc_text(pii, deterministic)", "texts", SEAL_DETERMINISTIC),
    ("value out of enc_text(pii)", "v::text", "col", OPEN),
    ("value out of enc_text(pii, deterministic)", "v::text", "col_det", OPEN),
    ("pgcrypto encrypt, AES-256-CBC", f"encrypt(v, '{KEY}', 'aes-cbc')", "bytes", SEAL),
    ("pgcrypto decrypt, AES-256-CBC", f"decrypt(v, '{KEY}', 'aes-cbc')", "cbc", OPEN),
    ("pgcrypto pgp_sym_encrypt", f"pgp_sym_encrypt(v, '{KEY}')", "few", SEAL),
    ("pgcrypto pgp_sym_decrypt", f"pgp_sym_decrypt(v, '{KEY}')", "pgp", OPEN),
]


def bare_loop():
    """CPU nanoseconds a value of a loop over OpenSSL without a database, by name."""
    program = os.path.join(os.environ["RAMPART_BUILD"], "dev", "bench", "rampart_bench_core")
    output = subprocess.run([program], text=True, capture_output=True, check=True).stdout
    lines = [line.rsplit(maxsplit=3) for line in output.splitlines()[1:]]
    return {name: float(openssl) for name, openssl, _, _ in lines}


def least(bare, again):
    return again if bare is None else {name: min(ns, again[name]) for name, ns in bare.items()}


def run(session, scale):
    """Prints the table; net nanoseconds by function, and the bare loop's by row."""
    session.execute(TABLES.format(rows=scale.values, few=scale.pgp_values, key=KEY))
    tables = sorted({table for _, _, table, _ in FUNCTIONS})
    counts = {table: session.value(f"SELECT count(*) FROM {table}") for table in tables}
    session.execute(f"VACUUM ANALYZE {', '.join(tables)}")

    def variant(expression, table):
        return lambda: session.cost(f"SELECT count({expression}) FROM {table}").per(counts[table])

    variants = {("empty", table): variant("empty(v, -1, true)", table) for table in tables}
    variants.update({name: variant(expression, table) for name, expression, table, _ in FUNCTIONS})
    bare, costs = None, {}
    # The loop outside the database runs before, between and after what runs inside.
    for _ in range(2):
        bare = least(bare, bare_loop())
        for name, cost in interleave(variants, scale.function_rounds).items():
            costs[name] = min(cost.cpu, costs.get(name, cost.cpu))
    bare = least(bare, bare_loop())

    net = {name: costs[name] - costs["empty", table] for name, _, table, _ in FUNCTIONS}
    rows = [[name, f"{net[name] / bare[loop]:.2f}", f"{net[name]:,.0f}", f"{bare[loop]:,.0f}"]
            for name, _, _, loop in FUNCTIONS]
    rows.append(["pgsodium", "Debian does not package it", "", ""])
    print_table("Functions: net CPU time a value of 32 bytes, as a multiple of a bare loop over OpenSSL's EVP",
                ["function", "ratio", "ns", "bare loop, ns"], rows)
    return net, bare
