"""Temporary PostgreSQL clusters with this build of Rampart, for tests and benchmarks in Python.

A cluster lives in a directory of its own below RAMPART_WORK, listens on a Unix socket and a free port of
127.0.0.1, and is stopped and removed when the program ends, however it ends. Clusters are copies of one
template, because initdb takes longer than many tests.
"""
import atexit
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg2

BIN = os.environ["RAMPART_BIN"]
WORK = os.environ["RAMPART_WORK"]


def run(*command, check=True, **kwargs):
    """Runs a program of the server's and returns its completed process, output as text."""
    program = os.path.join(BIN, command[0])
    done = subprocess.run([program, *command[1:]], text=True, capture_output=True, **kwargs)
    if check and done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()[-2000:]}")
    return done


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    _template = None

    def __init__(self, name="main", root_key=None, settings=None, preload=True, initialise=True):
        # Short: a socket's path has 107 characters at most.
        self.directory = tempfile.mkdtemp(prefix=f"rmp-{name}-", dir="/tmp")
        self.data = os.path.join(self.directory, "data")
        self.log_file = os.path.join(self.directory, "log")
        self.root_key_file = os.path.join(self.directory, "root.key")
        self.port = free_port()
        atexit.register(self.remove)
        self.root_key = root_key or secrets.token_hex(32)
        self.write_root_key(self.root_key)
        if initialise:
            shutil.copytree(self._make_template(), self.data, symlinks=True)
            os.chmod(self.data, 0o700)
            self.configure(preload, settings or {})

    @classmethod
    def _make_template(cls):
        if cls._template is None:
            cls._template = tempfile.mkdtemp(prefix="rmp-template-", dir="/tmp")
            atexit.register(shutil.rmtree, cls._template, ignore_errors=True)
            run("initdb", "-D", cls._template, "-U", "postgres", "--no-locale", "--encoding=UTF8",
                "-A", "trust", "--no-sync")
        return cls._template

    def write_root_key(self, key):
        self.root_key = key
        with os.fdopen(os.open(self.root_key_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write(key)

    def configure(self, preload=True, settings=None):
        values = {
            "port": self.port,
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": f"'{self.directory}'",
            "shared_preload_libraries": "'rampart'" if preload else "''",
            "rampart.root_key_file": f"'{self.root_key_file}'",
            "fsync": "off",
            "max_connections": 150,
            **(settings or {}),
        }
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.writelines(f"{name} = {value}\n" for name, value in values.items())

    def standby(self, name, settings=None):
        """A copy that follows this cluster, started."""
        copy = Cluster(name, root_key=self.root_key, initialise=False)
        run("pg_basebackup", "-c", "fast", "-D", copy.data, "-R", "-d", self.dsn())
        copy.configure(settings=settings)
        return copy.start()

    def wait_for_replay(self, standby, seconds=30):
        """Until a standby has what this cluster has written."""
        written, deadline = self.query("SELECT pg_current_wal_lsn()")[0][0], time.monotonic() + seconds
        while not standby.query("SELECT pg_last_wal_replay_lsn() >= %s", (written,))[0][0]:
            if time.monotonic() > deadline:
                raise RuntimeError("the standby does not follow")
            time.sleep(0.05)

    def start(self):
        run("pg_ctl", "-D", self.data, "-l", self.log_file, "-w", "start", stdout=None)
        return self

    def stop(self, mode="fast"):
        run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop", check=False)

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        run("pg_ctl", "-D", self.data, "reload")

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        with open(self.log_file, errors="replace") as f:
            return f.read()

    def dsn(self, user="postgres", database="postgres"):
        return f"host={self.directory} port={self.port} user={user} dbname={database}"

    def connect(self, user="postgres", database="postgres", autocommit=True, options=None):
        connection = psycopg2.connect(self.dsn(user, database), options=options)
        connection.autocommit = autocommit
        return connection

    def query(self, sql, parameters=None, user="postgres", database="postgres", options=None):
        """Rows of one statement, None where it returns none."""
        connection = self.connect(user, database, options=options)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def psql(self, sql, user="postgres", database="postgres", check=True):
        return run("psql", "-X", "-h", self.directory, "-p", str(self.port), "-U", user, "-d", database,
                   "-v", "ON_ERROR_STOP=1", "-At", input=sql, check=check)

    def kill_postmaster(self):
        with open(os.path.join(self.data, "postmaster.pid")) as f:
            os.kill(int(f.readline()), signal.SIGKILL)

    def crash(self):
        """Kills the postmaster and starts another, as soon as the old one's children have noticed."""
        self.kill_postmaster()
        for attempt in range(50):
            try:
                return self.start()
            except RuntimeError:
                if attempt == 49:
                    raise
                time.sleep(0.2)


class Report:
    """Counts checks and prints TAP lines; finish() prints the closing line that ./dev test sums."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, condition, name, detail=""):
        number = self.passed + self.failed + self.skipped + 1
        if condition:
            self.passed += 1
            print(f"ok {number} - {name}", flush=True)
        else:
            self.failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in str(detail).splitlines():
                print(f"#   {line}", flush=True)
        return bool(condition)

    def equal(self, got, expected, name):
        return self.ok(got == expected, name, f"got      {got!r}\nexpected {expected!r}")

    def raises(self, sqlstate, function, name):
        """The call fails with this SQLSTATE."""
        try:
            result = function()
        except psycopg2.Error as error:
            return self.ok(error.pgcode == sqlstate, name, f"SQLSTATE {error.pgcode}, expected {sqlstate}: {error}")
        return self.ok(False, name, f"no error, but {result!r}"[:500])

    def skip(self, name, reason):
        self.skipped += 1
        print(f"ok {self.passed + self.failed + self.skipped} - {name} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed else 0)
