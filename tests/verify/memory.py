"""A long log in constant memory: a tenth of it needs as much as all of it."""
import json
import os
import subprocess
import time

import audit
import audit_export
from exports import Key, Log, note
from program import PROGRAM

ENTRIES = 300_000
STEP = 10_000
LIMIT = 16 * 1024  # kB


class Tree:
    """Grows by a leaf; the roots of complete subtrees, largest first, with their sizes."""

    def __init__(self):
        self.parts = []

    def append(self, leaf):
        size = 1
        while self.parts and self.parts[-1][0] == size:
            leaf = audit.node_hash(self.parts.pop()[1], leaf)
            size *= 2
        self.parts.append((size, leaf))

    def root(self):
        if not self.parts:
            return audit.root([])
        result = self.parts[-1][1]
        for _, left in reversed(self.parts[:-1]):
            result = audit.node_hash(left, result)
        return result


def write(path, heads_path, key, entries):
    template = Log(key, {"normal": 20, "security": 1}).entries["normal"]
    tree, notes = Tree(), []
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps({"rampart-audit-export": 1, "origin": key.name, "class": "normal", "size": str(entries), "checkpoint": None}) + "\n")
        for i in range(entries):
            line = {**template[i % 20], "index": str(i), "id": str(i)}
            leaf = audit_export.leaf_of(line)
            line["leaf"] = leaf.hex()
            tree.append(leaf)
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            if (i + 1) % STEP == 0:
                notes.append(note({"security": (0, audit.root([])), "normal": (i + 1, tree.root())}, key))
    with open(heads_path, "w", encoding="utf-8") as out:
        out.write("\n".join(notes))


def measure(path, heads, key):
    """Exit code, seconds and the most kB: as the kernel counts them, looked at while it runs."""
    begin, most = time.monotonic(), 0
    process = subprocess.Popen([PROGRAM, "log", "-q", "--key", key.verifier, "--checkpoint", heads, path])
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
            name, peak = "", 0
            for line in status:
                name = line.split()[1] if line.startswith("Name:") else name
                peak = int(line.split()[1]) if line.startswith("VmHWM:") else peak
            if name == PROGRAM.name[:15]:
                most = max(most, peak)
        time.sleep(0.005)
    return process.returncode, time.monotonic() - begin, most


def check(report, files):
    key = Key("log")
    results = {}
    for entries in (ENTRIES // 10, ENTRIES):
        path, heads = files.write("", f"long{entries}"), files.write("", f"heads{entries}")
        write(path, heads, key, entries)
        results[entries] = measure(path, heads, key)
        code, seconds, memory = results[entries]
        print(f"# {entries} entries, {os.path.getsize(path) >> 20} MB: {seconds:.2f} s, {entries / seconds:.0f} a second, {memory} kB")
    report.equal([result[0] for result in results.values()], [0, 0], "memory: long logs are good")
    small, large = (result[2] for result in results.values())
    report.ok(0 < large < LIMIT and large - small < 1024, f"memory: constant: {small} kB for a tenth, {large} kB for all", results)
