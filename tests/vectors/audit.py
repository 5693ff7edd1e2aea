"""The audit log's entries, trees and checkpoints, following the documented format and nothing else.

It shares no code with Rampart, and takes the definitions of RFC 6962 at their word: roots and proofs
are computed from all leaves by recursion, and a proof is verified by a recursion of its own.
"""

import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TAG = b"rampart-audit-v1"
HEADER = ["Event", "Class", "Severity", "Actor", "Org", "Ip", "UserAgent", "RequestId", "Role", "SessionRole",
          "Application", "Client", "Relation", "Operation"]
PAYLOAD = ["Key", "Old", "New", "Metadata"]
SIZE = re.compile(r"0|[1-9][0-9]*")


def sha256(data):
    return hashlib.sha256(data).digest()


def field(value):
    return b"\x00" if value is None else b"\x01" + len(value).to_bytes(8, "big") + value


def payload_hash(salt, values):
    """values: bytes or None by the names of PAYLOAD."""
    if all(values.get(name) is None for name in PAYLOAD):
        return None
    return sha256(salt + b"".join(field(values.get(name)) for name in PAYLOAD))


def leaf_bytes(entry_id, at, xid, lineage, values, payload):
    """values: bytes or None by the names of HEADER; payload: the hash or None."""
    return b"".join([TAG, field(entry_id.to_bytes(8, "big", signed=True)), field(at.to_bytes(8, "big", signed=True)),
                     field(xid.to_bytes(8, "big")), field((lineage % 2**64).to_bytes(8, "big")),
                     *(field(values.get(name)) for name in HEADER), field(payload)])


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def split(size):
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(root(leaves[:k]), root(leaves[k:]))


def inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return inclusion(index, leaves[:k]) + [root(leaves[k:])]
    return inclusion(index - k, leaves[k:]) + [root(leaves[:k])]


def consistency(old_size, leaves, known=True):
    if old_size in (0, len(leaves)):
        return [] if known else [root(leaves)]
    k = split(len(leaves))
    if old_size <= k:
        return consistency(old_size, leaves[:k], known) + [root(leaves[k:])]
    return consistency(old_size - k, leaves[k:], False) + [root(leaves[:k])]


def root_of_inclusion(leaf, index, size, proof):
    """The root that a proof leads to; None if it has another length."""
    if size == 1:
        return leaf if not proof else None
    if not proof:
        return None
    k = split(size)
    if index < k:
        below = root_of_inclusion(leaf, index, k, proof[:-1])
        return below and node_hash(below, proof[-1])
    below = root_of_inclusion(leaf, index - k, size - k, proof[:-1])
    return below and node_hash(proof[-1], below)


def roots_of_consistency(old_size, new_size, proof, known):
    """The old and the new root that a proof leads to; `known` is the old root where it is a node of both."""
    if old_size == new_size:
        node = known if known is not None else proof[-1] if len(proof) == 1 else None
        return (node, node) if node is not None and len(proof) == (known is None) else None
    if not proof:
        return None
    k = split(new_size)
    if old_size <= k:
        below = roots_of_consistency(old_size, k, proof[:-1], known)
        return below and (below[0], node_hash(below[1], proof[-1]))
    below = roots_of_consistency(old_size - k, new_size - k, proof[:-1], None)
    return below and (node_hash(proof[-1], below[0]), node_hash(proof[-1], below[1]))


def frontier(leaves):
    data, begin = len(leaves).to_bytes(8, "big"), 0
    for digit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> digit & 1:
            data += root(leaves[begin:begin + (1 << digit)])
            begin += 1 << digit
    return data


def tiles(leaves):
    """The bytes of each tile by its name."""
    result, level, span = {}, 0, 1
    while len(leaves) >= span:
        hashes = [root(leaves[i * span:(i + 1) * span]) for i in range(len(leaves) // span)]
        for index in range(0, len(hashes), 256):
            tile = hashes[index:index + 256]
            digits = str(index // 256).zfill((len(str(index // 256)) + 2) // 3 * 3)
            groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
            name = f"tile/{level}/" + "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
            result[name + ("" if len(tile) == 256 else f".p/{len(tile)}")] = b"".join(tile)
        level, span = level + 1, span * 256
    return result


def head(size, encoded_root):
    decoded = base64.b64decode(encoded_root, validate=True)
    if not SIZE.fullmatch(size) or len(decoded) != 32 or base64.b64encode(decoded).decode() != encoded_root:
        raise ValueError("malformed head")
    return int(size), decoded


def open_checkpoint(note, verifier):
    """The origin and the heads by class, if the key `verifier` signed the note; ValueError otherwise."""
    name, key_id, encoded = verifier.split("+", 2)
    key = base64.b64decode(encoded)
    if key[0] != 1 or sha256(name.encode() + b"\n" + key)[:4].hex() != key_id:
        raise ValueError("malformed key")
    text, _, signatures = note.decode().rpartition("\n\n")
    text += "\n"
    lines = [line.split(" ") for line in signatures.splitlines()]
    mine = [base64.b64decode(line[2], validate=True) for line in lines if line[0] == "\u2014" and line[1] == name]
    mine = [signature[4:] for signature in mine if signature[:4].hex() == key_id]
    if len(mine) != 1:
        raise ValueError("not signed")
    try:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(mine[0], text.encode())
    except InvalidSignature as error:
        raise ValueError("false signature") from error
    origin, size, encoded_root, *rest = text.split("\n")[:-1]
    heads = {"security": head(size, encoded_root)}
    for line in rest:
        if line.startswith("rampart/"):
            log_class, size, encoded_root = line.removeprefix("rampart/").split(" ")
            if log_class in heads:
                raise ValueError("a class twice")
            heads[log_class] = head(size, encoded_root)
    return origin, heads
