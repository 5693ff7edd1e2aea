"""The golden files of the audit log against an implementation that shares no code with Rampart.

Part of independent_test.py, which hands over what it counts checks with.
"""

import hashlib
import re


def leaves_of(audit, size):
    return [audit.leaf_hash(number.to_bytes(8, "big")) for number in range(size)]


def flip(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def hashes(data):
    return [data[i:i + 32] for i in range(0, len(data), 32)]


def check_proof(check, name, proof, expected, leads_to, *place):
    check(leads_to(proof, *place) == expected, f"{name} verifies")
    check(all(leads_to(flip(proof, bit), *place) != expected for bit in range(0, len(proof) * 8, 31)),
          f"{name}, altered, is refused")


def entries(audit, records, check):
    for record in records("audit_entries.txt"):
        values = {name: bytes.fromhex(record[name]) for name in audit.HEADER + audit.PAYLOAD if name in record}
        payload = audit.payload_hash(bytes.fromhex(record.get("Salt", "")), values)
        check((payload.hex() if payload else None) == record.get("PayloadHash"),
              f"audit entry {record['Count']}: payload")
        leaf = audit.leaf_bytes(int(record["Id"]), int(record["At"]), int(record["Xid"]), int(record["Lineage"]), values, payload)
        check(leaf.hex() == record["Leaf"], f"audit entry {record['Count']}: bytes")
        check(audit.leaf_hash(leaf).hex() == record["LeafHash"], f"audit entry {record['Count']}: hash")


def trees(audit, records, check):
    for record in records("audit_trees.txt"):
        size, old_size = int(record["Size"]), int(record["OldSize"])
        name, leaves = f"audit tree of {size}", leaves_of(audit, size)
        root, old_root = bytes.fromhex(record["Root"]), bytes.fromhex(record["OldRoot"])
        check(audit.root(leaves) == root and audit.root(leaves[:old_size]) == old_root, f"{name}: roots")
        check(audit.frontier(leaves).hex() == record["Frontier"], f"{name}: frontier")
        proof = bytes.fromhex(record["Consistency"])
        check(b"".join(audit.consistency(old_size, leaves)) == proof, f"{name}: consistency proof")
        if old_size:
            # The old root is itself a node of the new tree where its size is a power of two.
            known = old_root if old_size & (old_size - 1) == 0 or old_size == size else None
            check_proof(check, f"{name}: consistency", proof, (old_root, root),
                        lambda data, *sizes: audit.roots_of_consistency(*sizes, hashes(data), known), old_size, size)
        if size:
            index, proof = int(record["Index"]), bytes.fromhex(record["Inclusion"])
            check(b"".join(audit.inclusion(index, leaves)) == proof, f"{name}: inclusion proof")
            check_proof(check, f"{name}: inclusion", proof, root,
                        lambda data, *place: audit.root_of_inclusion(leaves[place[0]], *place, hashes(data)), index, size)


def tiles(audit, records, check):
    expected = {record["Path"]: record["Sha256"] for record in records("audit_tiles.txt")}
    made = {name: hashlib.sha256(data).hexdigest() for name, data in audit.tiles(leaves_of(audit, 1000)).items()}
    check(made == expected, "audit tiles")


def checkpoints(audit, records, check):
    def opened(note, verifier):
        try:
            return audit.open_checkpoint(note, verifier)
        except ValueError:
            return None

    for record in records("audit_checkpoints.txt"):
        name, note = f"audit checkpoint {record['Count']}", bytes.fromhex(record["Note"])
        sizes = {log_class.lower(): int(record[log_class]) for log_class in ("Security", "Normal", "Archive")
                 if log_class in record}
        heads = {log_class: (size, audit.root(leaves_of(audit, size))) for log_class, size in sizes.items()}
        check(opened(note, record["Verifier"]) == (record["Origin"], heads), f"{name}: opens")
        text = note[:note.rindex(b"\n\n") + 1]
        check(not any(opened(flip(note, bit), record["Verifier"]) for bit in range(0, len(text) * 8, 7)),
              f"{name}: altered text is refused")


def documented_example(formats, records, check):
    """The checkpoint that the page shows is the golden one."""
    shown = re.search(r"^```\n(example\.com/orders\n.*?\n)\n— ", formats, re.M | re.S).group(1)
    notes = [bytes.fromhex(record["Note"]).decode() for record in records("audit_checkpoints.txt")]
    check(any(note.startswith(shown + "\n") for note in notes), "audit checkpoint: as documented")


def run(audit, formats, records, check):
    for test in (entries, trees, tiles, checkpoints):
        test(audit, records, check)
    documented_example(formats, records, check)
