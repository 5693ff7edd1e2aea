"""Input that is broken or made to do harm: a message with its line, exit code 2, and never a verdict of good."""
import json
import random

from exports import Key, Log, text_of
from program import run

FLIPS = 300


def line(log, **changes):
    return json.dumps({**log.entries["normal"][0], **changes}) + "\n"


def cases(log):
    """Second lines of an export, and a part of what is said about them."""
    good = line(log).rstrip("\n")
    yield "not JSON", "hello\n", "no valid JSON"
    yield "cut short", good[:200] + "\n", "no valid JSON"
    yield "two objects", good + good + "\n", "no valid JSON"
    yield "not UTF-8", good.replace("normal", "n\udcffrmal") + "\n", "no valid JSON"
    yield "half a surrogate", good.replace('"normal"', '"\\ud800"') + "\n", "no valid JSON"
    yield "an array", "[]\n", "array"
    yield "a number", "1\n", "not an object"
    yield "an empty object", "{}\n", "is missing"
    yield "deep nesting", '{"payload":' * 100000 + "\n", "unknown name"
    yield "deep arrays", "[" * 100000 + "\n", "array"
    yield "a member twice", good[:-1] + ', "actor": "ada"}\n', "actor is there twice"
    yield "a value twice", line(log, payload={"key": None, "old": None, "new": None, "metadata": None}).replace('"old"', '"key"'), "twice"
    yield "an unknown member", line(log, comment="trust me"), "unknown name"
    yield "an unknown value", line(log, payload={"key": None, "old": None, "new": None, "metadata": None, "more": None}), "unknown name"
    yield "a name of the payload outside", line(log, key="{}"), "unknown name"
    yield "a value missing", line(log, payload={"key": None}), "payload.old is missing"
    yield "true", line(log, actor=True), "true or false"
    yield "an object for a text", line(log, actor={"a": 1}), "is an object"
    yield "a text for the payload", line(log, payload="{}"), "neither an object nor null"
    yield "a fraction", line(log, id=1.5), "not an integer"
    yield "too large a number", line(log, id=2**64), "integer"
    yield "too large an id", line(log, id=str(2**63)), "id is not an integer in range"
    yield "a negative index", line(log, index=-1), "index is not an integer in range"
    yield "too large an index", line(log, index=str(2**63 - 1)), "index is not an integer in range"
    yield "an index with a sign", line(log, index="+0"), "index is not an integer in range"
    yield "no index", line(log, index=None), "index is null"
    yield "an empty number", line(log, at=""), "at is not an integer in range"
    yield "a short hash", line(log, leaf="00"), "leaf is not 64 hexadecimal digits"
    yield "letters for a hash", line(log, leaf="zz" * 32), "leaf is not 64 hexadecimal digits"
    yield "capitals in a hash", line(log, leaf="AB" * 32), "leaf is not 64 hexadecimal digits"
    yield "a bad class", line(log, **{"class": "Normal\u001b[2J"}), "class is not the name of a class"
    yield "a leaf of another class", json.dumps({"class": "other", "index": "0", "leaf": "00" * 32}) + "\n", "another class"
    yield "a leaf with more", json.dumps({"class": "normal", "index": "0", "leaf": "00" * 32, "actor": "x"}) + "\n", "does not belong here"
    yield "a header in an entry", line(log, origin="x"), "does not belong here"
    yield "a class again", json.dumps(log.header("normal")) + "\n", "was there already"
    yield "an unknown format", json.dumps({**log.header("normal"), "class": "other", "rampart-audit-export": 2}) + "\n", "format"
    yield "a front of no bytes", json.dumps({"class": "normal", "front": ""}) + "\n", "front is not"
    yield "a front of too few hashes", json.dumps({"class": "normal", "front": "00" * 7 + "03" + "00" * 32}) + "\n", "front is not"
    yield "a front of 2^63 leaves", json.dumps({"class": "normal", "front": "80" + "00" * 7 + "00" * 32}) + "\n", "front is not"
    yield "a front of another class", json.dumps({**log.front("normal", 3), "class": "other"}) + "\n", "does not belong here"
    yield "a long line", '{"actor":"' + "x" * 100000 + '"}\n', "longer than 50000 bytes"


def check_flips(report, log, files):
    """No byte of an entry can be changed without another verdict."""
    key, heads = log.key.verifier, files.heads(log.notes)
    header, *entries = text_of(log.lines("normal")).splitlines(keepends=True)
    body = "".join(entries).encode()
    rng, good, odd = random.Random(7), [], []
    for _ in range(FLIPS):
        changed = bytearray(body)
        at = rng.randrange(len(changed))
        changed[at] ^= 1 << rng.randrange(8)
        answer = run("log", "--key", key, "--checkpoint", heads, "--class", "normal", files.write(header.encode() + changed, "flip"))
        if answer.code not in (1, 2) or not answer.consistent():
            (good if answer.code == 0 else odd).append((at, changed[max(0, at - 20):at + 20]))
    report.equal((good, odd), ([], []), f"hostile: {FLIPS} flipped bits, none of them passes")
    passed = []
    for _ in range(FLIPS):
        begin = rng.randrange(len(body))
        piece = body[begin:begin + rng.randrange(1, 3000)]
        changed = body.replace(piece, b"", 1) if rng.random() < .5 else body[:begin] + piece + body[begin:]
        answer = run("log", "--key", key, "--checkpoint", heads, "--class", "normal", files.write(header.encode() + changed, "piece"))
        if answer.code not in (1, 2) or not answer.consistent():
            passed.append((begin, len(piece), answer.code))
    report.equal(passed, [], f"hostile: {FLIPS} pieces cut out or doubled, none of them passes")


def check_program(report, log, files):
    export = text_of(log.lines("normal"), log.lines("security"))
    heads = files.heads(log.notes)
    arguments = ("log", "--key", log.key.verifier, "--checkpoint", heads)
    report.equal(run(*arguments, "-", stdin=export).code, 0, "hostile: from standard input")
    text = run(*arguments, "-", stdin=export, json_report=False)
    report.ok(text.output.endswith("verdict: good\n") and "entries 0 to 40" in text.output, "hostile: in words", text.output)
    report.equal(run(*arguments, "-q", "-", stdin=export, json_report=False).output, "", "hostile: quiet says nothing of a good log")
    bad = export.replace('"id": "1', '"id": "2', 1)
    quiet = run(*arguments, "-q", "-", stdin=bad, json_report=False)
    report.ok(quiet.code == 1 and quiet.output.startswith("TAMPERING: entry 0 of class normal (id 2") and quiet.output.count("\n") == 1,
              "hostile: quiet names the first bad entry", quiet.output)
    for name, given in (("no command", ()), ("an unknown command", ("guess",)), ("no key", ("log", "x")), ("no file", arguments),
                        ("an unknown option", (*arguments, "--trust", "-")), ("an odd number", (*arguments, "--kept-from", "normal=x", "-")),
                        ("a bad key", ("log", "--key", log.key.verifier[:-4] + "AAA=", "-")), ("a missing file", (*arguments, "/nonexistent"))):
        report.equal(run(*given, stdin=export, json_report=False).code, 2, f"hostile: {name}")
    report.equal(run("--help", json_report=False).code, 0, "hostile: help is no failure")
    shown = run(*arguments, files.write(export.replace(log.key.name, "\\u001b[31mred\\n"))).report["problems"]
    report.ok(shown and "\x1b" not in shown[0], "hostile: a terminal is not spoken to", shown)


def check(report, files):
    log = Log(Key("log"))
    heads = files.heads(log.notes)
    header = json.dumps(log.header("normal")) + "\n"
    for name, bad, said in cases(log):
        content = (header + bad).encode("utf-8", "surrogateescape")
        path = files.write(content)
        answer = run("log", "--key", log.key.verifier, "--checkpoint", heads, "--max-line", "50000" if name == "a long line" else "5000000", "--class", "normal", path)
        problem = answer.report.get("problems", [""])[0]
        report.ok(answer.code == 2 and problem.startswith(f"{path}:2: ") and said in problem, f"hostile: {name}", answer.output + answer.errors)
    answer = run("log", "--key", log.key.verifier, "--checkpoint", heads, files.write(line(log)))
    report.ok(answer.code == 2 and "begins with its header" in answer.report["problems"][0], "hostile: no header")
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", heads, files.write("")).code, 2, "hostile: an empty file")
    check_program(report, log, files)
    check_flips(report, log, files)
