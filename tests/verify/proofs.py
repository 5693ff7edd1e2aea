"""Proofs of single entries and between checkpoints: good ones, forged ones, malformed ones."""
import copy
import json

from exports import Key, Log
from program import run


def flip(text):
    return text[:-1] + format(int(text[-1], 16) ^ 1, "x")


def check_entries(report, log, prove):
    for name, index, size in (("normal", 0, None), ("normal", 17, None), ("normal", 40, None), ("normal", 5, 7), ("security", 12, None)):
        answer = prove("entry", log.inclusion(name, index, size))
        report.ok(answer.code == 0 and "is in the log of checkpoint" in answer.report["proved"][0], f"proofs: entry {index} of {name} at {size}", answer.output)
    good = log.inclusion("normal", 17)
    postgres = copy.deepcopy(good)
    postgres["leaf"], postgres["proof"] = "\\x" + good["leaf"], ["\\x" + value for value in good["proof"]]
    report.equal(prove("entry", postgres).code, 0, "proofs: hashes as PostgreSQL prints them")
    without = {name: value for name, value in good.items() if name != "entry"}
    report.equal((prove("entry", without).code, len(prove("entry", without).report["notes"])), (0, 1), "proofs: without the entry only its hash is proved, which is said")
    for name, changes, kinds in (
            ("a hash of the proof", {"proof": [flip(good["proof"][0]), *good["proof"][1:]]}, ["false_proof"]),
            ("a hash more", {"proof": [*good["proof"], good["proof"][0]]}, ["false_proof"]), ("a hash less", {"proof": good["proof"][:-1]}, ["false_proof"]),
            ("another index", {"index": 16, "entry": None}, ["false_proof"]), ("another leaf", {"leaf": flip(good["leaf"]), "entry": None}, ["false_proof"]),
            ("another class", {"class": "security", "size": 13, "entry": None}, ["false_proof"]),
            ("the entry", {"entry": {**good["entry"], "actor": "mallory"}}, ["altered"]),
            ("the entry's place", {"entry": {**good["entry"], "index": "16"}}, ["altered"]),
            ("a checkpoint of a stranger", {"checkpoint": log.note(key=Key("stranger"))}, ["unsigned"])):
        answer = prove("entry", {**good, **changes})
        report.equal((answer.code, answer.kinds), (1, kinds), f"proofs: {name} changed")
    report.equal(prove("entry", {**good, "size": 40}).code, 2, "proofs: no checkpoint of that size")


def check_heads(report, log, prove):
    for old, new in ((0, 41), (7, 14), (14, 35), (41, 41), (28, 41)):
        report.equal(prove("heads", log.consistency("normal", old, new)).code, 0, f"proofs: {new} entries continue {old}")
    good = log.consistency("normal", 14, 35)
    for name, changes in (("a hash", {"proof": [flip(good["proof"][0]), *good["proof"][1:]]}), ("a hash less", {"proof": good["proof"][1:]}),
                          ("no hash", {"proof": []}), ("sizes swapped", {"old_size": 35, "new_size": 14}), ("another old size", {"old_size": 7})):
        answer = prove("heads", {**good, **changes})
        report.equal((answer.code, answer.kinds), (1, ["not_consistent"]), f"proofs: {name}")
    report.equal(prove("heads", {**good, "old_size": 15}).code, 2, "proofs: no checkpoint of the old size")


def check(report, files):
    log = Log(Key("log"))
    heads = files.heads(log.notes)

    def prove(command, content):
        text = content if isinstance(content, str) else json.dumps(content)
        return run(command, "--key", log.key.verifier, "--checkpoint", heads, files.write(text))
    check_entries(report, log, prove)
    check_heads(report, log, prove)
    good = log.inclusion("normal", 17)
    for name, content in (("nothing", ""), ("no object", "[]"), ("broken", json.dumps(good)[:-5]), ("a member twice", json.dumps(good)[:-1] + ', "index": 17}'),
                          ("no class", {**good, "class": None}), ("a bad class", {**good, "class": "A"}), ("a negative index", {**good, "index": -1}),
                          ("a huge size", {**good, "size": 2**63}), ("no list", {**good, "proof": "00"}), ("numbers for hashes", {**good, "proof": [1]}),
                          ("endless", {**good, "proof": ["00" * 32] * 1000}), ("no entry", {**good, "entry": {"class": "normal"}}),
                          ("a text for an entry", {**good, "entry": "x"}), ("deep", "[" * 200000)):
        for command in ("entry", "heads"):
            answer = prove(command, content)
            report.ok(answer.code == 2 and answer.consistent(), f"proofs: {command}: {name}", answer.output + answer.errors)
