"""Logs that are made up: entries of every kind, their trees, checkpoints and exports, by the definitions of
tests/vectors/audit.py. No server and no code of Rampart's has a part in it."""
import base64
import hashlib
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vectors"))
import audit  # noqa: E402
import audit_export  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: E402

ORIGIN = "example.com/orders"
TEXTS = [None, "", "ada", "Grüße – 日本 🙂", 'a "quoted" \\ back\\slash', "line\nbreak\ttab\x01\x7f", "'; DROP TABLE x; --", "</script>", "x" * 300]


class Key:
    def __init__(self, seed, name=ORIGIN):
        self.private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
        self.name = name
        public = b"\x01" + self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = audit.sha256(name.encode() + b"\n" + public)[:4]
        self.verifier = f"{name}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def sign(self, text):
        signature = base64.b64encode(self.id + self.private.sign(text.encode())).decode()
        return f"\u2014 {self.name} {signature}\n"


def note(heads, *keys, origin=ORIGIN, extensions=()):
    """A signed checkpoint; heads: (size, root) by class."""
    size, root = heads["security"]
    lines = [origin, str(size), base64.b64encode(root).decode()]
    lines += [f"rampart/{name} {size} {base64.b64encode(root).decode()}" for name, (size, root) in sorted(heads.items()) if name != "security"]
    text = "\n".join([*lines, *extensions]) + "\n"
    return text + "\n" + "".join(key.sign(text) for key in keys)


def entry(log_class, index, rng):
    line = {"class": log_class, "index": str(index), "id": str(1000 + 3 * index - rng.randrange(3)), "at": str(rng.randrange(-2**40, 2**60)),
            "xid": str(rng.randrange(2**63)), "lineage": str(rng.randrange(-2**63, 2**63))}
    for member in audit_export.FIELDS.values():
        line.setdefault(member, rng.choice(TEXTS))
    line["class"] = log_class
    payload = {name: rng.choice([None, '{"id": %d}' % index, '{"a": "b\\\\c", "ü": [1, 2.50, null]}']) for name in ("key", "old", "new", "metadata")}
    there = any(value is not None for value in payload.values())
    line["payload"] = payload if there else None
    line["salt"] = rng.randbytes(16).hex() if there else None
    line["erased"] = None
    if there and rng.random() < 0.1:
        values = {name.capitalize(): audit_export.encoded(value) for name, value in payload.items()}
        line["erased"] = audit.payload_hash(bytes.fromhex(line["salt"]), values).hex()
        line["payload"] = line["salt"] = None
    line["leaf"] = audit_export.leaf_of(line).hex()
    return line


class Log:
    """Entries of two classes and a checkpoint after every `step` of them."""

    def __init__(self, key, sizes=None, step=7, seed=1):
        rng = random.Random(seed)
        self.key = key
        self.sizes = sizes or {"normal": 41, "security": 13}
        self.entries = {name: [entry(name, i, rng) for i in range(size)] for name, size in self.sizes.items()}
        self.steps = [{name: min(size, n) for name, size in self.sizes.items()} for n in range(0, max(self.sizes.values()) + step, step)]
        self.notes = [self.note(sizes) for sizes in self.steps]

    def leaves(self, name):
        return [bytes.fromhex(line["leaf"]) for line in self.entries[name]]

    def note(self, sizes=None, key=None):
        return note({name: (size, audit.root(self.leaves(name)[:size])) for name, size in (sizes or self.sizes).items()}, key or self.key)

    def header(self, name, checkpoint=True, size=None):
        return {"rampart-audit-export": 1, "origin": ORIGIN, "class": name, "size": str(size or self.sizes[name]),
                "checkpoint": self.notes[-1] if checkpoint is True else checkpoint}

    def front(self, name, size):
        return {"class": name, "front": audit.frontier(self.leaves(name)[:size]).hex()}

    def lines(self, name, first=0):
        """Copies, to be tampered with; the header first."""
        return json.loads(json.dumps([self.header(name), *([self.front(name, first)] if first else []), *self.entries[name][first:]]))

    def inclusion(self, name, index, size=None):
        size = size or self.sizes[name]
        proof = audit.inclusion(index, self.leaves(name)[:size])
        return {"class": name, "index": index, "size": size, "leaf": self.entries[name][index]["leaf"], "proof": [h.hex() for h in proof],
                "entry": self.entries[name][index], "checkpoint": self.notes[-1]}

    def consistency(self, name, old_size, new_size):
        proof = audit.consistency(old_size, self.leaves(name)[:new_size])
        return {"class": name, "old_size": old_size, "new_size": new_size, "proof": [h.hex() for h in proof]}


def text_of(*parts):
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for part in parts for line in part)
