"""Runs rampart-verify on files made for the purpose."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

PROGRAM = Path(os.environ["RAMPART_BUILD"], os.environ.get("RAMPART_PRESET", "dev"), "verify/rampart-verify")
VERDICTS = {0: "good", 1: "tampered", 2: "cannot tell"}


class Answer:
    def __init__(self, done):
        self.code, self.output, self.errors = done.returncode, done.stdout, done.stderr
        if done.returncode not in VERDICTS:
            print(f"# {done.args} ended with {done.returncode}: {done.stderr}")
        self.report = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        self.kinds = [finding["kind"] for finding in self.report.get("findings", [])]

    def first(self, log_class):
        """The index of the first bad entry of a class."""
        return min((f["first"] for f in self.report["findings"] if f.get("class") == log_class and "first" in f), default=None)

    def consistent(self):
        """Exit code and report agree."""
        return VERDICTS.get(self.code) == self.report.get("verdict")


def run(*arguments, stdin=None, json_report=True):
    command = [PROGRAM, *arguments, *(["--json"] if json_report else [])]
    return Answer(subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False))


class Files:
    """A directory that is gone in the end."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(dir=os.environ["RAMPART_WORK"])
        self.count = 0

    def write(self, content, name=None):
        self.count += 1
        path = Path(self.directory.name, name or f"file{self.count}")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def heads(self, notes):
        """A directory of checkpoints, a file each."""
        self.count += 1
        folder = Path(self.directory.name, f"heads{self.count}")
        folder.mkdir()
        for i, note in enumerate(notes):
            self.write(note, folder / f"{i:06}")
        return str(folder)
