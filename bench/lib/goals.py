"""What was set out to be reached, beside what was measured."""
from functions import OPEN, SEAL, SEAL_DETERMINISTIC
from measure import print_table

# The table's rows that goals name.
COPY_IN, SCAN = "COPY in", "scan, `count(length(card))`"


def judge(functions, bare, tables, lookups):
    """Goal, whether less or more is better, bound, result."""
    encrypt, decrypt = functions["rampart.encrypt"], functions["rampart.decrypt"]
    deterministic = functions["rampart.encrypt_deterministic"]
    yield "encrypt, against the bare loop", "≤", 1.4, encrypt / bare[SEAL]
    yield "encrypt_deterministic, against the bare loop", "≤", 1.4, deterministic / bare[SEAL_DETERMINISTIC]
    yield "decrypt, against the bare loop", "≤", 1.4, decrypt / bare[OPEN]
    yield "encrypt: times faster than pgcrypto encrypt", "≥", 3, functions["pgcrypto encrypt, AES-256-CBC"] / encrypt
    yield "decrypt: times faster than pgcrypto decrypt", "≥", 3, functions["pgcrypto decrypt, AES-256-CBC"] / decrypt
    yield "encrypt: times faster than pgp_sym_encrypt", "≥", 300, functions["pgcrypto pgp_sym_encrypt"] / encrypt
    yield "COPY in, two encrypted columns, CPU against plaintext", "≤", 1.8, tables[COPY_IN]
    yield "scan count(length(col)), CPU against plaintext", "≤", 2, tables[SCAN]
    for protocol in ("simple", "prepared"):
        yield f"point lookup, {protocol} protocol: TPS against plaintext", "≥", 0.95, lookups[protocol]


def run(*results):
    rows = []
    for goal, direction, bound, result in judge(*results):
        met = result <= bound if direction == "≤" else result >= bound
        rows.append([goal, f"{direction} {bound}", f"{result:.2f}", "met" if met else "**not met**"])
    print_table("Goals", ["goal", "bound", "result", ""], rows)
