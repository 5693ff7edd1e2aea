"""The listener from outside: what cpp-httplib by itself gets wrong, ambiguous requests, slow and many clients, TLS, draining.

The listener runs with handlers made for this (listener_probe.cpp), plain and under TLS.
"""
import concurrent.futures
import contextlib
import json
import os
import random
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from cluster import free_port  # noqa: E402
from process_memory import Growth, own_memory  # noqa: E402
from world import certificate  # noqa: E402

PROGRAM = os.path.join(os.environ["RAMPART_BUILD"], "dev", "tests", "server", "rampart_listener_probe")
HEAD = b"Host: localhost\r\n"
GET = b"GET /echo HTTP/1.1\r\n" + HEAD + b"\r\n"


class Probe:
    """A listener with made-up handlers; settings are those of [http], descriptors what the system grants."""

    def __init__(self, directory, files=None, descriptors=None, **settings):
        self.files = files
        settings = {"port": 0, "drain_seconds": 5, **settings}
        settings.update({"certificate": files[0], "private_key": files[1]} if files else {"plain": "true"})
        environment = {f"RAMPART_HTTP_{name.upper()}": str(value) for name, value in settings.items()}
        self.log_file = os.path.join(directory, f"probe-{free_port()}.log")
        with open(self.log_file, "wb") as log:
            command = ["prlimit", f"--nofile={descriptors}:{descriptors}", PROGRAM] if descriptors else [PROGRAM]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **environment})
        # Behind lines of the log.
        self.port = next(int(line.split()[1]) for line in self.process.stdout if line.startswith(b"port "))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def connect(self, timeout=10, context=None):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        if not self.files:
            return plain
        return (context or trusting(self.files[0])).wrap_socket(plain, server_hostname="localhost")

    def ask(self, request, timeout=10):
        """What a connection of its own gives until it closes, or for `timeout`."""
        with self.connect(timeout) as s:
            return exchange(s, request)

    def get(self, target="/echo", headers=b""):
        with self.connect() as s:
            s.sendall(b"GET " + target.encode() + b" HTTP/1.1\r\n" + HEAD + headers + b"\r\n")
            return Reply(s)

    def count(self):
        """Requests that were handled, this one among them."""
        return int(self.get("/count").body)


class Named:
    """A report whose checks say under which circumstances they are made."""

    def __init__(self, report, circumstances):
        self.report, self.circumstances = report, circumstances

    def ok(self, condition, name, detail=""):
        return self.report.ok(condition, f"{self.circumstances}: {name}", detail)

    def equal(self, got, expected, name):
        return self.report.equal(got, expected, f"{self.circumstances}: {name}")


class Reply:
    """One answer, read from a connection that may go on."""

    def __init__(self, s):
        data = b""
        while b"\r\n\r\n" not in data:
            got = s.recv(65536)
            if not got:
                raise ConnectionResetError(f"closed after {data[:100]!r}")
            data += got
        head, _, data = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines[1:])}
        length = int(self.headers.get("content-length", 0))
        while len(data) < length:
            got = s.recv(1 << 20)
            if not got:
                break
            data += got
        self.body, self.rest = data[:length], data[length:]

    @property
    def json(self):
        return json.loads(self.body)


def process_time(pid):
    """Seconds of CPU that a process has used."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def trusting(file, **versions):
    context = ssl.create_default_context(cafile=file)
    for name, value in versions.items():
        setattr(context, name, value)
    return context


def exchange(s, request):
    """Sends what the server takes of a request, and reads meanwhile to the end: bytes, whether it was closed."""
    waiting, data, deadline = memoryview(request), b"", time.monotonic() + s.gettimeout()
    s.setblocking(False)
    while (left := deadline - time.monotonic()) > 0:
        try:
            while got := s.recv(65536):
                data += got
            return data, True
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            return data, True
        try:
            while waiting:
                waiting = waiting[s.send(waiting[:65536]):]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            waiting = b""
        select.select([s], [s] if waiting else [], [], left)
    return data, False


def statuses(data):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def is_problem(data):
    head, _, body = data.partition(b"\r\n\r\n")
    try:
        problem = json.loads(body)
    except ValueError:
        return False
    return b"Content-Type: application/problem+json" in head and {"type", "title", "status", "code", "traceId"} <= set(problem)


# Requests that two readers could understand differently, or that ask for too much: name, bytes, status.
REFUSED = [
    ("a GET with a body", b"GET / HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n" % len(GET) + GET, 400),
    ("a HEAD with a body", b"HEAD / HTTP/1.1\r\n" + HEAD + b"Content-Length: 3\r\n\r\nabc", 400),
    ("a DELETE with a body", b"DELETE / HTTP/1.1\r\n" + HEAD + b"Content-Length: 3\r\n\r\nabc", 400),
    ("two lengths that differ", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 0\r\nContent-Length: 3\r\n\r\nabc", 400),
    ("two equal lengths", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc", 400),
    ("a list of lengths", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    ("a length with a sign", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: +3\r\n\r\nabc", 400),
    ("a negative length", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n", 400),
    ("a hexadecimal length", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 0x3\r\n\r\nabc", 400),
    ("a length beyond 64 bits", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 18446744073709551619\r\n\r\nabc", 400),
    ("an empty length", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length:\r\n\r\n", 400),
    ("chunks and a length", b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + GET, 400),
    ("chunks", b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET, 411),
    ("chunks spelled otherwise", b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + GET, 411),
    ("chunks behind a tab", b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + GET, 411),
    ("chunks in a GET", b"GET / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET, 411),
    ("a space before the colon", b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + GET, 400),
    ("a control before a header's name", b"POST / HTTP/1.1\r\n" + HEAD + b"\x0bTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET, 400),
    ("a folded header", b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n", 400),
    ("a folded first header", b"GET / HTTP/1.1\r\n X: a\r\n" + HEAD + b"\r\n", 400),
    ("a bare LF after the request line", b"GET / HTTP/1.1\n" + HEAD + b"\r\n", 400),
    ("bare LFs throughout", b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    ("a bare CR in a header", b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\rTransfer-Encoding: chunked\r\n\r\n", 400),
    ("a NUL in a header", b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\0b\r\n\r\n", 400),
    ("a NUL in the target", b"GET /\0 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("an encoded NUL", b"GET /a%00b HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("an encoded line end in a path", b"GET /a%0d%0ab HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("an encoded slash", b"GET /a%2fb HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("a backslash", b"GET /a\\b HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("dots that climb", b"GET /a/../count HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("encoded dots that climb", b"GET /a/%2e%2E/count HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("half an escape", b"GET /a%2 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("an escape of another kind", b"GET /%u0041 HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("a target that is no UTF-8", b"GET /%ff HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("a header that is no UTF-8", b"GET / HTTP/1.1\r\n" + HEAD + b"X: \xff\r\n\r\n", 400),
    ("an absolute target", b"GET http://elsewhere/ HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("a target of two slashes", b"GET //elsewhere/ HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", b"GET / HTTP/1.1\r\n" + HEAD + HEAD + b"\r\n", 400),
    ("a Host that is none", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("two Authorizations", b"GET / HTTP/1.1\r\n" + HEAD + b"Authorization: a\r\nAuthorization: b\r\n\r\n", 400),
    ("two Cookie headers", b"GET / HTTP/1.1\r\n" + HEAD + b"Cookie: a=b\r\nCookie: a=c\r\n\r\n", 400),
    ("a header without a colon", b"GET / HTTP/1.1\r\n" + HEAD + b"X\r\n\r\n", 400),
    ("a header without a name", b"GET / HTTP/1.1\r\n" + HEAD + b": x\r\n\r\n", 400),
    ("an empty first line", b"\r\n" + GET, 400),
    ("two spaces in the request line", b"GET  / HTTP/1.1\r\n" + HEAD + b"\r\n", 400),
    ("a request line of two words", b"GET /\r\n" + HEAD + b"\r\n", 400),
    ("the start of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ("a version to come", b"GET / HTTP/1.2\r\n" + HEAD + b"\r\n", 505),
    ("a method nobody knows", b"BREW / HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
    ("CONNECT", b"CONNECT / HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
    ("TRACE", b"TRACE / HTTP/1.1\r\n" + HEAD + b"\r\n", 501),
    ("an expectation", b"POST / HTTP/1.1\r\n" + HEAD + b"Expect: miracles\r\nContent-Length: 3\r\n\r\nabc", 417),
    ("a compressed body", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415),
    ("a body that is too large", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 65537\r\n\r\n" + b"x" * 65537, 413),
    ("a target of 9 kB", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 414),
    ("a header of 9 kB", b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
    ("101 headers", b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\r\n" * 100 + b"\r\n", 431),
    ("headers of 70 kB", b"GET / HTTP/1.1\r\n" + HEAD + (b"X: " + b"a" * 7000 + b"\r\n") * 10 + b"\r\n", 431),
    ("noise", bytes(range(256)), 400),
]


def check_refused(report, probe):
    before = probe.count()
    for name, request, status in REFUSED:
        data, closed = probe.ask(request, timeout=5)
        # What stands behind a refused request is never taken for another one.
        good = statuses(data) == [status] and closed and (is_problem(data) or request.startswith(b"HEAD"))
        report.ok(good, f"{name} is refused by {status}, and the connection closed", (closed, data[:400]))
    report.equal(probe.count(), before + 1, "none of them came to a handler")


def check_harmless(report, probe):
    seen = probe.get("/echo?q=%2e%0a", b"REMOTE_ADDR: 6.6.6.6\r\nX-A: %0d%0aSet-Cookie: a\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip, br\r\n")
    names = [name for name, _ in seen.json["headers"]]
    report.equal(sorted(names), ["Host", "X-A"], "no header claims another address, a range or compression")
    report.ok(["X-A", "%0d%0aSet-Cookie: a"] in seen.json["headers"], "header values are not decoded")
    report.equal((seen.status, seen.json["address"]), (200, "127.0.0.1"), "the address is the socket's")
    report.ok(not {"content-encoding", "keep-alive", "server"} & set(seen.headers), "answers are neither compressed nor boastful", seen.headers)
    for target in ("/throw", "/throw-number"):
        answer = probe.get(target)
        text = json.dumps(answer.headers) + answer.body.decode()
        report.ok(answer.status == 500 and answer.json["code"] == "internal_error" and "nobody" not in text.lower() and "exception" not in text.lower(),
                  f"{target}: an exception is answered without its text", text)
    with probe.connect() as s:
        s.sendall(GET.replace(b"/echo", b"/1") + GET.replace(b"/echo", b"/2") + b"POST /3 HTTP/1.1\r\n" + HEAD + b"Content-Length: 3\r\n\r\nabc"
                  + GET.replace(b"/echo", b"/4").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        data, closed = exchange(s, b"")
        report.equal((re.findall(rb'"path":"(/\d)"', data), closed), ([b"/1", b"/2", b"/3", b"/4"], True), "pipelined requests are answered in order")
    with probe.connect() as s:
        s.sendall(b"POST /echo HTTP/1.1\r\n" + HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\nExpect: 100-continue\r\n\r\n")
        report.equal(s.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n", "100-continue is answered before the body")
        s.sendall(b"x" * 60000)
        report.equal(len(Reply(s).json["body"]), 60000, "a form may be as large as other bodies")
        s.sendall(GET)
        began = time.monotonic()
        for _ in range(100):
            Reply(s)
            s.sendall(GET)
        report.ok(time.monotonic() - began < 2, "a kept connection answers without stalls", time.monotonic() - began)
    data, closed = probe.ask(b"GET /echo HTTP/1.0\r\n\r\n")
    report.equal((statuses(data), closed), ([200], True), "HTTP/1.0 is answered, and its connection closed")
    data, _ = probe.ask(GET.replace(b"GET /echo", b"HEAD /large?bytes=1000").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    report.ok(b"Content-Length: 1000\r\n" in data and data.endswith(b"\r\n\r\n"), "HEAD has no body", data)
    data, _ = probe.ask(GET.replace(b"/echo", b"/stream?parts=300&bytes=10000").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    report.equal(data.partition(b"\r\n\r\n")[2].count(b"x"), 3_000_000, "a stream larger than what may wait arrives whole")


def check_memory(report, probe):
    """Floods that cpp-httplib keeps in memory."""
    growth = Growth(probe.pid)
    million = b"GET / HTTP/1.1\r\n" + HEAD + b"a: b\r\n" * 1_000_000 + b"\r\n"
    for name, request, status in (
            ("100 MB without a line end", b"GET /" + b"a" * 100_000_000, 414), ("a million headers", million, 431),
            ("100 MB in chunks", b"POST / HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"fffff\r\n" + b"x" * 100_000_000, 411)):
        data, closed = probe.ask(request)
        report.ok(statuses(data) in ([status], []) and closed, f"{name}: cut off", data[:300])
    ranges = b"Range: bytes=" + b",".join(b"%d-" % i for i in range(900)) + b"\r\n"
    report.equal(probe.get("/large?bytes=1048576", ranges).headers["content-length"], "1048576", "overlapping ranges multiply nothing")
    report.ok((grown := growth.end()) < 16, "memory stays flat meanwhile", f"{grown:.1f} MiB")


def check_idle(report, probe):
    """More clients than threads, each of which would hold one."""
    held = []
    for i in range(40):
        s = socket.create_connection(("127.0.0.1", probe.port)) if i % 2 else probe.connect()
        if i % 4 == 0:
            s.sendall(GET)
            Reply(s)
        elif i % 4 == 2:
            s.sendall(b"GET /echo HT")
        held.append(s)
    for s in (readers := [probe.connect() for _ in range(8)]):
        s.sendall(GET.replace(b"/echo", b"/large?bytes=20000000"))
    time.sleep(1)
    began = time.monotonic()
    answer = probe.get()
    report.ok(answer.status == 200 and time.monotonic() - began < 4, "idle, silent, slow and not reading clients hold no thread", time.monotonic() - began)
    for s in held + readers:
        s.close()


def check_slow(report, directory, files):
    with Probe(directory, files, request_seconds=1, threads=2) as probe:
        memory = own_memory(probe.pid)
        for name, first in (("a head", b"GET / HTTP/1.1\r\nX: "), ("a body", b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\n")):
            with probe.connect() as s:
                s.sendall(first)
                began, data = time.monotonic(), b""
                s.settimeout(0.1)
                with contextlib.suppress(OSError):
                    while time.monotonic() - began < 5 and not data:
                        s.sendall(b"x")
                        with contextlib.suppress(TimeoutError):
                            data = s.recv(1000)
                report.ok(statuses(data) == [408] and time.monotonic() - began < 3, f"{name} that drips is ended after its time", (data, time.monotonic() - began))
        with probe.connect() as s:
            s.sendall(GET.replace(b"/echo", b"/large?bytes=50000000"))
            time.sleep(3)
            data, closed = exchange(s, b"")
            report.ok(closed and len(data) < 50_000_000, "who does not read an answer is ended", len(data))
        with socket.create_connection(("127.0.0.1", probe.port)) as s:
            s.settimeout(3)
            s.sendall(b"\x16\x03\x01" if files else b"GET")
            data = s.recv(100)
            report.ok(data == b"" or statuses(data) == [408], "a handshake or head that stops is ended", data)
        report.ok(own_memory(probe.pid) < memory + 16, "nothing of it is kept", (memory, own_memory(probe.pid)))


def check_slowhttptest(report, directory):
    with Probe(directory, request_seconds=2, threads=2) as probe:
        memory = own_memory(probe.pid)
        for name, options in (("slow headers", ["-H"]), ("slow bodies", ["-B", "-t", "POST"]), ("slow reading", ["-X", "-w", "10", "-y", "20"])):
            path = "/large?bytes=300000" if name == "slow reading" else "/echo"
            attack = subprocess.Popen(["slowhttptest", *options, "-c", "300", "-r", "150", "-i", "1", "-l", "5", "-p", "2", "-u", f"http://127.0.0.1:{probe.port}{path}"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times = []
            while attack.poll() is None:
                began = time.monotonic()
                probe.get()
                times.append(time.monotonic() - began)
                time.sleep(0.05)
            report.ok(len(times) > 20 and max(times) < 4, f"slowhttptest, {name}: others are answered throughout", (len(times), max(times)))
        time.sleep(0.5)
        report.ok(own_memory(probe.pid) < memory + 48, "and memory comes back", (memory, own_memory(probe.pid)))


def check_many(report, directory, files):
    with Probe(directory, files) as probe:
        probe.get()
        growth = Growth(probe.pid)
        context = trusting(files[0]) if files else None
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            began = time.monotonic()
            sockets = list(pool.map(lambda _: probe.connect(60, context), range(1000)))
            for s in sockets:
                s.sendall(GET)
            answered = sum(reply.status == 200 for reply in pool.map(Reply, sockets))
            took = time.monotonic() - began
        report.ok(answered == 1000 and took < 30, "1,000 connections at once are all answered", (answered, took))
        for s in sockets:
            s.close()
        report.ok((grown := growth.end()) < 64, "at some KiB each", f"{grown:.1f} MiB")
        after_first = own_memory(probe.pid)
        for _ in range(3):
            sockets = [probe.connect(60, context) for _ in range(300)]
            for s in sockets:
                s.sendall(GET)
                Reply(s)
            for s in sockets:
                s.close()
        time.sleep(0.5)
        report.ok(own_memory(probe.pid) < after_first + 4, "and not more each time", (after_first, own_memory(probe.pid)))


def check_bounds(report, directory):
    with Probe(directory, threads=2) as probe:
        sockets = [probe.connect() for _ in range(120)]
        began = time.monotonic()
        for s in sockets:
            s.sendall(GET.replace(b"/echo", b"/slow?ms=300"))
        early = []
        # Those that are queued take nine seconds together.
        while len(early) < 50 and time.monotonic() - began < 4:
            ready = select.select(sockets, [], [], 1)[0]
            early += [Reply(s) for s in ready]
            sockets = [s for s in sockets if s not in ready]
        refused = sum(r.status == 503 and r.headers.get("retry-after") == "1" and r.json["code"] == "unavailable" for r in early)
        report.ok(refused >= 40 and time.monotonic() - began < 4, "requests beyond the queue are answered 503 with Retry-After at once", early)
        for s in sockets:
            s.close()
    with Probe(directory, max_connections=16) as probe:
        held = [probe.connect() for _ in range(4)]
        for s in held:
            s.sendall(GET)
            Reply(s)
        report.equal(probe.ask(GET, timeout=2), (b"", True), "one address has a quarter of all connections")
        for s in held:
            s.sendall(GET)
            Reply(s)
            s.close()
        report.equal(probe.get().status, 200, "and again when it has ended some")
    with Probe(directory, max_connections=16, trusted_proxies="127.0.0.0/8") as probe:
        held = [probe.connect() for _ in range(16)]
        for s in held:
            s.sendall(GET)
            Reply(s)
        report.equal(probe.get().status, 200, "a proxy has all of them, and a new one takes the place of one that is idle")
        report.equal(held[0].recv(1), b"", "of that which has been idle for longest")
        held[1].sendall(GET)
        report.equal(Reply(held[1]).status, 200, "and of no other")
    with Probe(directory, descriptors=40, trusted_proxies="127.0.0.0/8") as probe:
        held = [probe.connect() for _ in range(100)]
        time.sleep(1)
        used = process_time(probe.pid)
        time.sleep(1)
        report.ok(process_time(probe.pid) - used < 0.3, "without descriptors left the server waits, and does not spin", process_time(probe.pid) - used)
        for s in held:
            s.close()
        report.equal(probe.get().status, 200, "and serves again when there are some")


class Load:
    """Clients that ask all the time, on kept connections, until told to stop."""

    def __init__(self, probe, clients=8, target=b"/slow?ms=5", context=None):
        self.probe, self.target, self.context = probe, target, context
        self.stop, self.answers, self.failures = threading.Event(), 0, []
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while not self.stop.is_set():
            try:
                s = self.probe.connect(context=self.context)
            except (ConnectionRefusedError, ConnectionResetError) as e:
                # Only a server that takes no more connections may do this; the drain's test knows.
                if not self.stop.is_set() and self.probe.process.poll() is None:
                    self.refused = e
                return
            with s:
                while not self.stop.is_set():
                    try:
                        s.sendall(GET.replace(b"/echo", self.target))
                        reply = Reply(s)
                    except OSError as e:
                        self.failures.append(repr(e))
                        return
                    if reply.status != 200:
                        self.failures.append(reply.status)
                    self.answers += 1
                    if reply.headers.get("connection") == "close":
                        break

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def check_drain(report, directory, files):
    with Probe(directory, files) as probe:
        idle = probe.connect()
        idle.sendall(GET)
        Reply(idle)
        load = Load(probe, context=trusting(files[0]) if files else None)
        slow = probe.connect()
        slow.sendall(GET.replace(b"/echo", b"/slow?ms=1500"))
        time.sleep(0.5)
        probe.process.send_signal(signal.SIGTERM)
        reply = Reply(slow)
        report.equal((reply.status, reply.headers.get("connection")), (200, "close"), "a request in flight is answered when the server stops")
        report.equal(probe.process.wait(5), 0, "and then it ends")
        load.end()
        report.ok(load.answers > 100 and not load.failures, "under load no request fails", (load.answers, load.failures))
        report.equal(idle.recv(1), b"", "idle connections are closed")
    with Probe(directory, files, drain_seconds=1) as probe:
        stuck = probe.connect()
        stuck.sendall(b"POST / HTTP/1.1\r\n" + HEAD + b"Content-Length: 1000\r\n\r\n")
        probe.get()
        probe.process.send_signal(signal.SIGTERM)
        report.equal(probe.process.wait(3), 0, "who does not finish in time is not waited for")
        stuck.close()


def check_noise(report, probe):
    """Requests with bytes changed, doubled, left out: never a crash, never silence without an end."""
    generator = random.Random(7)
    seeds = [request[:2000] for _, request, _ in REFUSED] + [GET]
    for _ in range(300):
        request = bytearray(generator.choice(seeds))
        for _ in range(generator.randint(1, 4)):
            at = generator.randrange(len(request))
            request[at:at + generator.randint(0, 3)] = bytes(generator.randrange(256) for _ in range(generator.randint(0, 3)))
        with probe.connect() as s, contextlib.suppress(OSError):
            s.sendall(bytes(request))
            s.shutdown(socket.SHUT_WR) if not probe.files else None
    report.ok(probe.get().status == 200 and probe.process.poll() is None, "noise does not end the server")


def handshake(probe, context):
    try:
        with probe.connect(context=context) as s:
            s.sendall(GET)
            Reply(s)
            return s.version(), s.cipher()[0], s.getpeercert()
    except (ssl.SSLError, OSError) as e:
        return e


def check_tls(report, directory, files):
    v = ssl.TLSVersion
    with Probe(directory, files) as probe:
        report.equal(handshake(probe, trusting(files[0]))[0], "TLSv1.3", "TLS 1.3 is what is spoken")
        report.equal(handshake(probe, trusting(files[0], maximum_version=v.TLSv1_2))[0], "TLSv1.2", "TLS 1.2 still is")
        old = trusting(files[0], minimum_version=v.TLSv1, maximum_version=v.TLSv1_1)
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        report.ok(isinstance(handshake(probe, old), Exception), "TLS 1.1 is not")
        for cipher, good in (("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-AES256-GCM-SHA384", True), ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
                             ("ECDHE-ECDSA-AES128-SHA256", False), ("ECDHE-ECDSA-AES256-SHA", False), ("ECDHE-ECDSA-AES128-CCM", False)):
            context = trusting(files[0], maximum_version=v.TLSv1_2)
            context.set_ciphers(cipher)
            answer = handshake(probe, context)
            report.ok((not isinstance(answer, Exception)) == good, f"{cipher} is {'taken' if good else 'refused'}", answer)
        context = trusting(files[0])
        context.set_alpn_protocols(["h2"])
        report.ok(isinstance(handshake(probe, context), Exception), "a client that speaks HTTP/2 only is told so")
        with socket.create_connection(("127.0.0.1", probe.port), timeout=5) as s:
            data, closed = exchange(s, GET)
            report.ok(closed and b"HTTP/1.1 2" not in data, "plain HTTP is not answered on the port of HTTPS", data)


def check_reload(report, directory):
    first, second = certificate(directory, "localhost"), certificate(directory, "second.localhost")
    current = [os.path.join(directory, name) for name in ("current.crt", "current.key")]

    def install(pair):
        for source, target in zip(pair, current):
            with open(source) as f, open(target, "w") as t:
                t.write(f.read())
    install(first)
    both = ssl.create_default_context(cafile=first[0])
    both.load_verify_locations(second[0])
    both.check_hostname = False
    with Probe(directory, current) as probe:
        name = lambda: dict(part[0] for part in handshake(probe, both)[2]["subject"])["commonName"]  # noqa: E731
        report.equal(name(), "localhost", "the certificate of the start is shown")
        load = Load(probe, context=both)
        old = probe.connect(context=both)
        install(second)
        probe.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        report.equal(name(), "second.localhost", "after SIGHUP the new one is")
        old.sendall(GET)
        report.equal(Reply(old).status, 200, "connections that were open go on")
        with open(current[0], "w") as f:
            f.write("not a certificate")
        probe.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        report.equal(name(), "second.localhost", "a file that is none changes nothing")
        install((second[0], first[1]))
        probe.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        report.equal(name(), "second.localhost", "nor a key of another certificate")
        load.end()
        report.ok(load.answers > 100 and not load.failures, "and no request failed meanwhile", (load.answers, load.failures))


def check_client_certificates(report, directory, files):
    clients, strangers = certificate(directory, "client"), certificate(directory, "stranger")
    with Probe(directory, files, client_ca=clients[0]) as probe:
        def answer(pair):
            context = trusting(files[0])
            if pair:
                context.load_cert_chain(*pair)
            return handshake(probe, context)
        report.ok(isinstance(answer(None), Exception), "without a client certificate there is no connection")
        report.ok(isinstance(answer(strangers), Exception), "nor with a stranger's")
        report.ok(not isinstance(answer(clients), Exception), "but with one that the authority knows", answer(clients))


def check_redirect(report, directory, files):
    port = free_port()
    with Probe(directory, files, redirect_port=port, public_url="https://rampart.example") as probe:
        def ask(request):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
                return exchange(s, request)
        data, closed = ask(GET.replace(b"/echo", b"/a?b=c"))
        report.ok(statuses(data) == [308] and b"\r\nLocation: https://rampart.example/a?b=c\r\n" in data and closed, "plain HTTP is sent to HTTPS", data)
        data, closed = ask(b"POST /a HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 100000\r\n\r\n")
        report.ok(statuses(data) in ([308], [413]) and b"evil" not in data and closed, "never to where a client says", data)
        report.equal(statuses(ask(b"GET / HTTP/1.1\r\n\r\n")[0]), [400], "and only if the request is one")
        report.equal(probe.count(), 1, "nothing of it comes to a handler")


def check(world, report):
    directory = world.cluster.directory
    files = world.certificate
    for pair in (None, files):
        named = Named(report, "TLS" if pair else "plain")
        with Probe(directory, pair, threads=4) as probe:
            check_harmless(named, probe)
            check_refused(named, probe)
            check_memory(named, probe)
            check_idle(named, probe)
            check_noise(named, probe)
        check_slow(named, directory, pair)
        check_many(named, directory, pair)
        check_drain(named, directory, pair)
    check_bounds(report, directory)
    check_slowhttptest(report, directory)
    check_tls(report, directory, files)
    check_reload(report, directory)
    check_client_certificates(report, directory, files)
    check_redirect(report, directory, files)
