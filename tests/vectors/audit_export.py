"""An export of the audit log for verification, following the documented format and nothing else.

It reads all of it into memory and computes every root from the leaves by the definitions of audit.py.
"""

import json

import audit

FIELDS = {"Event": "event", "Class": "class", "Severity": "severity", "Actor": "actor", "Org": "org", "Ip": "ip",
          "UserAgent": "user_agent", "RequestId": "request_id", "Role": "role", "SessionRole": "session_role",
          "Application": "application", "Client": "client", "Relation": "relation", "Operation": "operation"}


class Unreadable(Exception):
    pass


def once(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Unreadable("a member twice")
    return dict(pairs)


def encoded(text):
    return None if text is None else text.encode()


def leaf_of(line):
    """The hash of an entry's leaf; None where values stand there that it does not cover."""
    payload = {name.capitalize(): encoded(value) for name, value in (line["payload"] or {}).items()}
    there = any(value is not None for value in payload.values())
    if line["erased"] is not None:
        covered = None if there else bytes.fromhex(line["erased"])
    elif there:
        salt = bytes.fromhex(line["salt"] or "")
        covered = audit.payload_hash(salt, payload) if len(salt) == 16 else None
    else:
        covered = None
    if (there or line["erased"] is not None) and (covered is None or len(covered) != 32):
        return None
    values = {name: encoded(line[member]) for name, member in FIELDS.items()}
    return audit.leaf_hash(audit.leaf_bytes(int(line["id"]), int(line["at"]), int(line["xid"]), int(line["lineage"]),
                                            values, covered))


def root(front, leaves, size):
    """The root of the first `size` leaves, of which `front` (size, hashes) stands for the first ones."""
    nodes, begin = {}, 0
    for digit in reversed(range(front[0].bit_length())):
        if front[0] >> digit & 1:
            nodes[begin, begin + (1 << digit)] = front[1][len(nodes)]
            begin += 1 << digit

    def node(first, end):
        if (first, end) in nodes:
            return nodes[first, end]
        if end - first == 1:
            return leaves[first - front[0]]
        middle = first + audit.split(end - first)
        return audit.node_hash(node(first, middle), node(middle, end))

    return node(0, size) if size else audit.root([])


def sections(text):
    """By class: the front and the lines of leaves."""
    result, current = {}, None
    for row in filter(None, text.split("\n")):
        try:
            line = json.loads(row, object_pairs_hook=once)
        except ValueError as error:
            raise Unreadable(str(error)) from error
        if "rampart-audit-export" in line:
            current = result[line["class"]] = {"front": (0, []), "lines": [], "note": line["checkpoint"]}
        elif "front" in line:
            data = bytes.fromhex(line["front"])
            current["front"] = (int.from_bytes(data[:8], "big"), [data[i:i + 32] for i in range(8, len(data), 32)])
        else:
            current["lines"].append(line)
    return result


def first_bad(part, heads):
    """The index of the first entry of a class that is not as sealed, None where all are; heads: sizes and roots."""
    start = part["front"][0]
    lines = {}
    bad = []
    for line in part["lines"]:
        index = int(line["index"])
        if index in lines or (lines and index < max(lines)):
            bad.append(index)
        lines.setdefault(index, line)
    end = start
    while end in lines:
        end += 1
    if lines and max(lines) >= end:
        bad.append(end)
    if heads and max(size for size, _ in heads) > max(lines, default=start - 1) + 1:
        bad.append(max(lines, default=start - 1) + 1)
    ordered = [lines[index] for index in range(start, end)]
    bad += [int(line["index"]) for line in ordered if "id" not in line]
    leaves = [bytes.fromhex(line["leaf"]) if "id" not in line else leaf_of(line) or b"" for line in ordered]
    compared = [(size, root(part["front"], leaves[:size - start], size) == expected) for size, expected in heads if start <= size <= end]
    right = [size for size, agrees in compared if agrees]
    good = max(right, default=0)
    false = [size for size, agrees in compared if not agrees and size not in right]
    stored = [bytes.fromhex(line["leaf"]) for line in ordered]
    misfits = [start + i for i, (leaf, kept) in enumerate(zip(leaves, stored)) if leaf != kept]
    bad += misfits
    if false and max(false) > good:
        first = min(size for size in false if size > good)
        vouched = root(part["front"], stored[:first - start], first) in [expected for size, expected in heads if size == first]
        if not (vouched and any(good <= index < first for index in misfits)):
            bad.append(good)
    bad += [max((size for size in right if size < wrong), default=0) for wrong in false if wrong < good]
    return min(bad, default=None)


def verify(text, notes, verifier):
    """What is wrong first, by class; notes are signed checkpoints. Raises Unreadable, and ValueError for false notes."""
    parts = sections(text)
    opened = [audit.open_checkpoint(note, verifier)[1] for note in
              [*notes, *(part["note"].encode() for part in parts.values() if part["note"])]]
    result = {}
    for log_class, part in parts.items():
        result[log_class] = first_bad(part, sorted({heads[log_class] for heads in opened if log_class in heads}))
    return result
