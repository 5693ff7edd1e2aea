"""Checkpoints from outside: false ones, older ones, contradictory ones, rolled back logs, pruned logs, rotated keys."""
import random

import audit
import audit_export
from exports import Key, Log, entry, note, text_of
from program import run


def rewritten(log, seed=9):
    """Another history under the same key, from entry 20 on."""
    other = Log(log.key)
    rng = random.Random(seed)
    for i in range(20, other.sizes["normal"]):
        other.entries["normal"][i] = entry("normal", i, rng)
    other.notes = [other.note(sizes) for sizes in other.steps]
    return other


def check_false(report, log, verify):
    export = text_of(log.lines("normal"), log.lines("security"))
    stranger = Key("stranger")
    text, _, signature = log.notes[2].rpartition("\n\n")
    size = text.split("\n")[1]
    for name, false in (("of another key", note({"normal": (0, audit.root([])), "security": (0, audit.root([]))}, stranger)),
                        ("altered", log.notes[2].replace(size, "8", 1)),
                        ("with another's signature", text + "\n\n" + log.notes[3].rpartition("\n\n")[2])):
        report.equal(verify(log, export, [*log.notes, false]).kinds, ["unsigned"], f"checkpoints: one {name} is not believed")
    foreign = note({"normal": (0, audit.root([])), "security": (0, audit.root([]))}, Key("log"), origin="example.com/other")
    report.equal(verify(log, export, [*log.notes, foreign]).kinds, ["origin"], "checkpoints: one of another log")
    answer = verify(log, export.replace(log.key.name, "example.com/other"), log.notes[:3])
    report.equal(answer.code, 2, "checkpoints: an export of another log is not judged")
    own = text_of([log.header("normal", log.notes[-1].replace(size, "8", 1)), *log.entries["normal"]], log.lines("security"))
    report.equal(verify(log, own, log.notes).kinds, ["unsigned"] if size in log.notes[-1] else [], "checkpoints: a false one in the export")
    witnessed = log.notes[-1] + f"\u2014 witness.example {'A' * 4 * 26}\n"
    report.equal(verify(log, export, [*log.notes[:-1], witnessed]).code, 0, "checkpoints: signatures of witnesses are passed over")


def check_rollback(report, log, verify):
    older = log.steps[4]  # 28 entries
    def at(sizes, checkpoint):
        return text_of(*([log.header(name, checkpoint, sizes[name]), *log.entries[name][:sizes[name]]] for name in ("normal", "security")))
    for name, checkpoint in (("and says so", log.notes[4]), ("and says nothing", None)):
        answer = verify(log, at(older, checkpoint), log.notes)
        report.equal((answer.code, answer.kinds, answer.first("normal")), (1, ["rolled_back"], 28), f"checkpoints: a log is rolled back, {name}")
    answer = verify(log, at(older, log.notes[4]), log.notes[:4])
    report.equal((answer.code, answer.report["notes"]), (0, []), "checkpoints: which only a newer one from outside shows")
    answer = verify(log, at(older, log.notes[4]), [])
    report.ok(answer.code == 0 and "rolled back" in answer.report["notes"][0], "checkpoints: and without one the report says what it cannot see", answer.output)
    answer = verify(log, at({"normal": 28, "security": 13}, log.notes[-1]), log.notes)
    report.equal((answer.kinds, answer.first("normal")), (["cut_off"], 28), "checkpoints: which is not the same as a cut tail")
    other = rewritten(log)
    export = text_of(other.lines("normal"), other.lines("security"))
    answer = verify(log, export, log.notes[:4])
    report.equal((answer.code, answer.kinds, answer.first("normal")), (1, ["not_continued"], 14), "checkpoints: rewritten with the signing key")
    report.equal(audit_export.verify(export, [n.encode() for n in log.notes[:4]], log.key.verifier)["normal"], 14,
                 "checkpoints: rewritten with the signing key, to the independent verifier")
    answer = verify(log, export, log.notes[:3])
    report.equal(answer.code, 0, "checkpoints: and not to be seen by those that are older than the rewriting")
    answer = verify(log, text_of(log.lines("normal"), log.lines("security")), [*log.notes, other.notes[-2]])
    report.ok("forked" in answer.kinds, "checkpoints: two signed histories", answer.output)
    crossed = log.note({"normal": 20, "security": 8})
    answer = verify(log, text_of(log.lines("normal"), log.lines("security")), [*log.notes, crossed])
    report.equal(answer.kinds, ["forked"], "checkpoints: one class further, the other behind")


def check_pruned(report, log, verify):
    export = text_of(log.lines("normal", 24), log.lines("security"))
    answer = verify(log, export, log.notes)
    report.equal((answer.code, answer.kinds, len(answer.report["problems"])), (2, [], 1), "checkpoints: entries that are not shown are to be accounted for")
    answer = verify(log, export, log.notes, "--kept-from", "normal=24")
    normal = next(part for part in answer.report["classes"] if part["class"] == "normal")
    # Of 24 leaves the front has subtrees of 16 and 8: of the older heads, 0 only; 7, 14 and 21 are out of reach.
    report.equal((answer.code, normal["first"], normal["proven"], normal["not_compared"]), (0, 24, 41, 3), "checkpoints: a pruned front")
    report.equal(audit_export.verify(export, [n.encode() for n in log.notes], log.key.verifier)["normal"], None,
                 "checkpoints: a pruned front, to the independent verifier")
    sixteen = log.note({"normal": 16, "security": 13})
    answer = verify(log, export, [*log.notes[3:], sixteen], "--kept-from", "normal=24")
    report.equal(answer.code, 0 if answer.kinds == [] else 1, "checkpoints: one that is a subtree of the front is compared")
    lines = log.lines("normal", 24)
    lines[1]["front"] = lines[1]["front"][:-1] + format(int(lines[1]["front"][-1], 16) ^ 1, "x")
    answer = verify(log, text_of(lines, log.lines("security")), log.notes, "--kept-from", "normal=24")
    report.equal(answer.kinds, ["rewritten"], "checkpoints: a forged front")
    lines = log.lines("normal", 24)
    lines[3] = {name: lines[3][name] for name in ("class", "index", "leaf")}
    pruned = text_of(lines, log.lines("security"))
    answer = verify(log, pruned, log.notes, "--kept-from", "normal=26")
    report.equal((answer.code, answer.report["classes"][0]["removed"]), (0, 1), "checkpoints: an entry that retention removed")
    piece = text_of(log.lines("normal", 10)[:14], log.lines("security"))  # leaves 10 to 21
    answer = verify(log, piece, log.notes, "--kept-from", "normal=10", "--until", "normal=22")
    report.equal((answer.code, answer.report["classes"][0]["proven"], answer.report["classes"][0]["end"]), (0, 21, 22), "checkpoints: a piece of a log")
    report.equal(verify(log, piece, log.notes, "--kept-from", "normal=10", "--until", "normal=28").kinds, ["cut_off"], "checkpoints: and a shorter one")
    answer = verify(log, pruned, log.notes, "--kept-from", "normal=24")
    report.equal((answer.kinds, answer.first("normal")), (["removed"], 25), "checkpoints: and one that it should not have")


def check_sources(report, log, files):
    export = files.write(text_of(log.lines("normal"), log.lines("security")))
    both = files.write("\n".join(log.notes))
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", both, export).report["checkpoints"], len(log.notes) + 2,
                 "checkpoints: many in a file")
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", log.notes[-1], export).code, 0, "checkpoints: on the command line")
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", log.notes[-1].rstrip("\n"), export).code, 0,
                 "checkpoints: on the command line, as a shell passes them")
    key_file = files.write(f"# the log's key\n{log.key.verifier}\n")
    report.equal(run("log", "--key", key_file, "--checkpoint", both, export).code, 0, "checkpoints: keys from a file")
    new = Key("new")
    late = Log(new)
    late.notes = log.notes[:3] + [late.note(sizes, new) for sizes in late.steps[3:]]
    mixed = files.write(text_of(late.lines("normal"), late.lines("security")))
    heads = files.heads(late.notes)
    report.equal(run("log", "--key", log.key.verifier, "--key", new.verifier, "--checkpoint", heads, mixed).code, 0, "checkpoints: a rotated key")
    report.equal(set(run("log", "--key", new.verifier, "--checkpoint", heads, mixed).kinds), {"unsigned"}, "checkpoints: of which both are needed")
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", heads, "--class", "normal", files.write(text_of(log.lines("normal")))).code, 1,
                 "checkpoints: the new one too")
    normal = files.write(text_of(log.lines("normal")))
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", both, normal).code, 2, "checkpoints: a class that is not in the export")
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", both, "--class", "normal", normal).code, 0, "checkpoints: unless it was left out")
    security = files.write(text_of(log.lines("security")))
    report.equal(run("log", "--key", log.key.verifier, "--checkpoint", both, normal, security).code, 0, "checkpoints: classes in two files")
    for name, source in (("missing", "/nonexistent"), ("empty of checkpoints", files.write("hello\n")), ("binary", files.write(bytes(range(256)))),
                         ("endless", files.write("x" * 300000)), ("cut short", files.write(log.notes[0].split("\n\n")[0] + "\n"))):
        answer = run("log", "--key", log.key.verifier, "--checkpoint", source, normal)
        report.equal((answer.code, answer.consistent()), (2, True), f"checkpoints: a file that is {name}")


def check(report, files):
    log = Log(Key("log"))

    def verify(of, export, notes, *arguments):
        return run("log", "--key", of.key.verifier, *(("--checkpoint", files.heads(notes)) if notes else ()), *arguments, files.write(export))
    check_false(report, log, verify)
    check_rollback(report, log, verify)
    check_pruned(report, log, verify)
    check_sources(report, log, files)
