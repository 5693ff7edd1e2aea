"""Every kind of tampering with an export is found, told apart, and its first entry named; the independent verifier agrees."""
import copy

import audit_export
from exports import Key, Log, entry, text_of
from program import run

AT = 17      # the entry that suffers
BEFORE = 14  # entries of the last checkpoint before it
FIELDS = ["id", "at", "xid", "lineage", *audit_export.FIELDS.values()]


def payload_line(lines, start=AT):
    """The number of the first line from one on that has values."""
    return next(i for i in range(start + 1, len(lines)) if lines[i]["payload"])


def change(member):
    def tamper(lines):
        line = lines[AT + 1]
        line[member] = str(int(line[member]) ^ 1) if member in ("id", "at", "xid", "lineage") else "security" if member == "class" else (line[member] or "") + "x"
    return tamper


def null_to_empty(lines):
    member = next(name for name in ("actor", "org", "ip", "client", "relation") if lines[AT + 1][name] in (None, ""))
    lines[AT + 1][member] = "" if lines[AT + 1][member] is None else None


def rewrite(lines):
    lines[AT + 1]["actor"] = "mallory"
    lines[AT + 1]["leaf"] = audit_export.leaf_of(lines[AT + 1]).hex()


def renumber(lines):
    for i, line in enumerate(lines[1:]):
        line["index"] = str(i)


def delete_and_renumber(lines):
    del lines[AT + 1]
    renumber(lines)


def keep_places(lines, move):
    """Entries move as `move` says; indexes and stored leaf hashes stay, as a server has them."""
    places = [(line["index"], line["leaf"]) for line in lines[1:]]
    moved = move([copy.deepcopy(line) for line in lines[1:]])
    lines[1:] = [{**line, "index": index, "leaf": leaf} if line else {"class": "normal", "index": index, "leaf": leaf}
                 for line, (index, leaf) in zip(moved, places)]


def delete_in_server(lines):
    keep_places(lines, lambda entries: entries[:AT] + entries[AT + 1:] + [None])


def insert_in_server(lines):
    import random
    keep_places(lines, lambda entries: entries[:AT] + [entry("normal", 999, random.Random(5))] + entries[AT:])


def double_in_server(lines):
    keep_places(lines, lambda entries: entries[:AT] + [copy.deepcopy(entries[AT - 1])] + entries[AT:])


def swap_in_server(lines):
    keep_places(lines, lambda entries: entries[:AT] + [entries[AT + 1], entries[AT]] + entries[AT + 2:])


def move_in_server(lines):
    keep_places(lines, lambda entries: entries[:AT] + entries[AT + 1:AT + 5] + [entries[AT]] + entries[AT + 5:])


def double_and_renumber(lines):
    lines.insert(AT + 1, copy.deepcopy(lines[AT + 1]))
    renumber(lines)


def swap_lines(lines):
    lines[AT + 1], lines[AT + 2] = lines[AT + 2], lines[AT + 1]


def only_hash(lines):
    lines[AT + 1] = {name: lines[AT + 1][name] for name in ("class", "index", "leaf")}


def flip_leaf(lines):
    lines[AT + 1]["leaf"] = f"{int(lines[AT + 1]['leaf'], 16) ^ 1:064x}"


def without_hints(tamper):
    def both(lines):
        tamper(lines)
        for line in lines[1:]:
            line["leaf"] = None
    return both


# name, what is done to the lines of class normal, kinds that are found, the first bad entry
CASES = [
    *((f"{member} changed", change(member), ["altered"], AT) for member in FIELDS),
    ("NULL for an empty text or the reverse", null_to_empty, ["altered"], AT),
    ("entry and its leaf hash rewritten", rewrite, ["rewritten"], BEFORE),
    ("leaf hash alone", flip_leaf, ["leaf_hash"], AT),
    ("a line deleted", lambda lines: lines.pop(AT + 1), ["missing"], AT),
    ("three lines deleted", lambda lines: lines.__delitem__(slice(AT + 1, AT + 4)), ["missing"], AT),
    ("the first line deleted", lambda lines: lines.pop(1), ["missing"], 0),
    ("a line deleted, the others renumbered", delete_and_renumber, ["rewritten", "cut_off"], BEFORE),
    ("a row deleted in the server", delete_in_server, ["missing", "removed"], AT),
    ("a row inserted in the server", insert_in_server, ["inserted"], AT),
    ("a row doubled in the server", double_in_server, ["doubled"], AT),
    ("two rows swapped in the server", swap_in_server, ["reordered"], AT),
    ("a row moved in the server", move_in_server, ["reordered"], AT),
    ("a line doubled", lambda lines: lines.insert(AT + 1, copy.deepcopy(lines[AT + 1])), ["doubled"], AT),
    ("a line doubled, the others renumbered", double_and_renumber, ["rewritten", "doubled"], BEFORE),
    ("two lines swapped", swap_lines, ["reordered"], AT),
    ("only the hash of an entry left", only_hash, ["removed"], AT),
    ("the end cut off", lambda lines: lines.__delitem__(slice(39, None)), ["cut_off"], 38),
    ("all cut off", lambda lines: lines.__delitem__(slice(1, None)), ["cut_off"], 0),
]


def payload_cases(lines):
    """What can be done to the values of an entry."""
    i = payload_line(lines)
    member = next(name for name, value in lines[i]["payload"].items() if value)

    def put(**values):
        return lambda changed: changed[i].update(values)
    yield "a value changed", lambda changed: changed[i]["payload"].update({member: changed[i]["payload"][member] + " "}), i - 1
    yield "a value taken away", lambda changed: changed[i]["payload"].update({member: None}), i - 1
    yield "values taken away", put(payload=None, salt=None), i - 1
    yield "the salt taken away", put(salt=None), i - 1
    yield "the salt changed", put(salt="00" * 16), i - 1
    yield "the salt shortened", put(salt="00" * 15), i - 1
    yield "values beside the hash of erased ones", put(erased="00" * 32), i - 1
    yield "a short hash for erased values", put(erased="00" * 31, payload=None, salt=None), i - 1
    yield "values for erased ones", put(erased="00" * 32, payload=None, salt=None), i - 1
    erased = next(j for j in range(1, len(lines)) if lines[j]["erased"])
    yield "erased values put back", lambda changed: changed[erased].update(
        {"payload": {"key": "{}", "old": None, "new": None, "metadata": None}, "salt": "00" * 16}), erased - 1
    yield "the hash of erased values taken away", lambda changed: changed[erased].update({"erased": None}), erased - 1


def compare(report, files, log, name, text, kinds, first, notes):
    answer = run("log", "--key", log.key.verifier, "--checkpoint", files.heads(notes), files.write(text))
    report.equal((answer.code, sorted(answer.kinds), answer.first("normal")), (1, sorted(kinds), first), f"tampering: {name}")
    report.ok(answer.consistent(), f"tampering: {name}: the report says what the exit code says", answer.output)
    independent = audit_export.verify(text, [note.encode() for note in notes], log.key.verifier)
    report.equal((independent["normal"], independent["security"]), (first, None), f"tampering: {name}: the independent verifier agrees")


def check(report, files):
    log = Log(Key("log"))
    good = text_of(log.lines("normal"), log.lines("security"))
    answer = run("log", "--key", log.key.verifier, "--checkpoint", files.heads(log.notes), files.write(good))
    report.equal((answer.code, answer.kinds, answer.report["problems"], answer.report["notes"]), (0, [], [], []), "tampering: a good log is good")
    report.equal(audit_export.verify(good, [note.encode() for note in log.notes], log.key.verifier), {"normal": None, "security": None},
                 "tampering: a good log is good to the independent verifier")
    for name, tamper, kinds, first in CASES:
        lines = log.lines("normal")
        tamper(lines)
        compare(report, files, log, name, text_of(lines, log.lines("security")), kinds, first, log.notes)
    for name, tamper, first in payload_cases(log.lines("normal")):
        lines = log.lines("normal")
        tamper(lines)
        compare(report, files, log, name, text_of(lines, log.lines("security")), ["altered"], first, log.notes)
    # Without leaf hashes nobody can tell which entry it is, only between which checkpoints.
    for name, tamper in (("actor changed", change("actor")), ("two rows swapped", swap_in_server)):
        lines = log.lines("normal")
        without_hints(tamper)(lines)
        answer = run("log", "--key", log.key.verifier, "--checkpoint", files.heads(log.notes), files.write(text_of(lines, log.lines("security"))))
        report.equal((answer.kinds, answer.first("normal")), (["rewritten"], BEFORE), f"tampering: {name}, no leaf hashes")
    forged = log.lines("normal") + [dict(entry("normal", 41, __import__("random").Random(3)))]
    answer = run("log", "--key", log.key.verifier, "--checkpoint", files.heads(log.notes), files.write(text_of(forged, log.lines("security"))))
    report.equal((answer.code, answer.report["classes"][0]["proven"], answer.report["classes"][0]["end"]), (0, 41, 42),
                 "tampering: what no checkpoint covers is not detected, and said")
    forged[-1]["actor"] = "mallory"
    answer = run("log", "--key", log.key.verifier, "--checkpoint", files.heads(log.notes), files.write(text_of(forged, log.lines("security"))))
    report.equal((answer.kinds, answer.first("normal")), (["altered"], 41), "tampering: unless it is not what its leaf hash says")
