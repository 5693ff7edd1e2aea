"""What a process has of memory that it shares with nobody."""
import re
import threading


def own_memory(pid):
    """MiB; None where there is no such process."""
    try:
        with open(f"/proc/{pid}/status") as f:
            return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1]) / 1024
    except (OSError, TypeError):
        return None


def resident_memory(pid):
    """MiB, shared pages included."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024


class Growth:
    """MiB by which a process is larger, at most, than it was at first."""

    def __init__(self, pid):
        self.pid, self.first, self.most, self.stop = pid, own_memory(pid), 0, threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while not self.stop.wait(0.01):
            self.most = max(self.most, own_memory(self.pid) or 0)

    def end(self):
        self.stop.set()
        self.thread.join()
        return self.most - self.first
