"""What the tests of this suite share: a cluster with Rampart, servers before it, clients, and the mail they send."""
import base64
import hashlib
import http.client
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from cluster import Cluster, free_port  # noqa: E402
from database import Database  # noqa: E402

PROGRAM = os.path.join(os.environ["RAMPART_BUILD"], "dev", "server", "rampartd")
PASSWORD = "Correct-horse-7-battery"
# Generous where a test does not ask for less: tests are one client's many requests.
RATES = {name: "100000/1m" for name in ("sign_in", "password_reset", "refresh", "anonymous", "authenticated", "admin", "tenant")}
FAST_HASH = {"password": {"argon2_memory_kib": 7168, "argon2_iterations": 1}}


def certificate(directory, name="localhost"):
    """(certificate, key): files of a self-signed certificate for a name and 127.0.0.1."""
    files = os.path.join(directory, f"{name}.crt"), os.path.join(directory, f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1", "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    os.chmod(files[1], 0o600)
    return files


def toml(settings):
    lines = []
    for section, values in settings.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body

    @property
    def body(self):
        return json.loads(self.raw) if self.raw else None

    @property
    def code(self):
        """The problem's code, None where it is none."""
        return self.body.get("code") if self.headers.get("Content-Type") == "application/problem+json" else None

    def cookies(self):
        """Values of the cookies it sets, by name."""
        return {c.split("=", 1)[0]: c.split("=", 1)[1].split(";")[0] for c in self.headers.get_all("Set-Cookie") or []}

    def __repr__(self):
        return f"<{self.status} {self.raw[:300]!r}>"


class Client:
    """Requests to a server, with a token or cookies where it has logged in. Keeps its connection."""

    def __init__(self, server, token=None, api_key=None, org=None):
        self.server, self.token, self.api_key, self.org = server, token, api_key, org
        self.cookies, self.csrf, self.connection = {}, None, None

    def request(self, method, path, body=None, headers=None, raw=None):
        sent = {"User-Agent": "tests", **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
                **({"X-API-Key": self.api_key} if self.api_key else {}), **({"X-Tenant-Id": self.org} if self.org else {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        for attempt in (0, 1):
            try:
                if self.connection is None:
                    self.connection = self.server.connection()
                self.connection.request(method, path, body=data, headers={k: v for k, v in sent.items() if v is not None})
                got = self.connection.getresponse()
                return Answer(got.status, got.headers, got.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection that the server has closed meanwhile; a new one tells the truth.
                fresh, self.connection = attempt == 1, None
                if fresh:
                    raise
            except Exception:
                self.connection = None
                raise

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.request("POST", path, body, **kwargs)

    def patch(self, path, body=None, **kwargs):
        return self.request("PATCH", path, body, **kwargs)

    def put(self, path, body=None, **kwargs):
        return self.request("PUT", path, body, **kwargs)

    def delete(self, path, body=None, **kwargs):
        return self.request("DELETE", path, body, **kwargs)

    def log_in(self, email, password=PASSWORD, **more):
        answer = self.post("/auth/login", {"email": email, "password": password, **more})
        if answer.status == 200 and "access_token" in answer.body:
            if more.get("cookies"):
                self.cookies, self.csrf = answer.cookies(), answer.body["csrf_token"]
            else:
                self.token = answer.body["access_token"]
                self.refresh = answer.cookies()["__Host-rampart_refresh"]
        return answer


class Server:
    """A rampartd of its own configuration, before a database of the world's cluster."""

    def __init__(self, world, database, settings=None, plain=True, environment=None):
        self.world, self.database, self.plain = world, database, plain
        self.port, self.management_port = free_port(), free_port()
        merged = {"http": {"port": self.port, "management_port": self.management_port, "plain": plain, "threads": 16, "drain_seconds": 5},
                  "database": {"connection": world.cluster.dsn("rampartd", database.name), "connections": 8},
                  # Tests fail to log in more often than anybody, from one address.
                  "rates": dict(RATES), "attacks": {"watch": False}, **FAST_HASH}
        if not plain:
            merged["http"].update(certificate=world.certificate[0], private_key=world.certificate[1])
        for section, values in (settings or {}).items():
            merged[section] = {**merged.get(section, {}), **values}
        self.file = os.path.join(world.cluster.directory, f"rampartd-{self.port}.toml")
        self.log_file = self.file.replace(".toml", ".log")
        with open(self.file, "w") as f:
            f.write(toml(merged))
        self.environment = environment or {}
        self.process = None

    def start(self, wait=True):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-c", self.file, "serve"], stdout=log, stderr=log, env={**os.environ, **self.environment})
        self.world.processes.append(self.process)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=15):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("rampartd ended: " + self.log()[-2000:])
            if self.ready():
                return self
            time.sleep(0.02)
        raise RuntimeError("rampartd is not ready: " + self.log()[-2000:])

    def ready(self):
        try:
            return self.management("/readyz").status == 200
        except OSError:
            return False

    def management(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.management_port, timeout=5)
        connection.request("GET", path)
        got = connection.getresponse()
        return Answer(got.status, got.headers, got.read())

    def connection(self, timeout=20):
        if self.plain:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=ssl.create_default_context(cafile=self.world.certificate[0]))

    def client(self, **kwargs):
        return Client(self, **kwargs)

    def log(self):
        with open(self.log_file, errors="replace") as f:
            return f.read()

    def stop(self, how=signal.SIGTERM, seconds=15):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(seconds)
        return self.process.returncode


class World:
    def __init__(self, cluster=None):
        self.processes = []
        self.cluster = cluster or Cluster("server", settings={"rampart.seal_interval": 1000, "max_worker_processes": 16}).start()
        self.certificate = certificate(self.cluster.directory)
        self._server = None
        import atexit
        atexit.register(self.kill)

    def kill(self):
        if os.environ.get("RAMPART_LOGS"):
            print(self._server.log() if self._server else "", self.cluster.log())
        for process in self.processes:
            if process.poll() is None:
                process.kill()

    def database(self, name):
        """A database that has been migrated."""
        self.cluster.query(f"CREATE DATABASE {name}")
        run(PROGRAM, "migrate", "--database", self.cluster.dsn(database=name))
        database = Database(self.cluster, name)
        # Sees what the server's own functions see, unlike the superuser.
        database.query("DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'observer') THEN CREATE ROLE observer SUPERUSER LOGIN; END IF; END$$;"
                       "SELECT rampart.grant_scope(s, 'observer') FROM unnest('{pii,secret,mfa}'::text[]) s")
        return database

    @property
    def server(self):
        """The server that tests share which need no settings of their own."""
        if self._server is None:
            self._server = Server(self, self.database("main")).start()
        return self._server

    # Accounts, made past the flows that other tests are about ------------------------------------------

    def account(self, server, email=None, status="active", platform_role=None):
        """(email, id) of a new account whose password is PASSWORD."""
        email = email or f"user-{secrets.token_hex(6)}@example.com"
        answer = server.client().post("/auth/signup", {"email": email, "password": PASSWORD, "name": "A Name"})
        assert answer.status == 202, answer
        account = server.database.value(
            "UPDATE rampart_auth.account SET status = %s, platform_role = %s, email_verified_at = now() WHERE email = %s RETURNING id",
            (status, platform_role, email), "observer")
        return email, account

    def person(self, server, **kwargs):
        """A client that is logged in as a new account; .email, .id."""
        email, account = self.account(server, **kwargs)
        client = server.client()
        answer = client.log_in(email)
        assert answer.status == 200, answer
        client.email, client.id = email, account
        return client

    def admin(self, server):
        return self.person(server, platform_role="SUPER_ADMIN")

    def organisation(self, server, *roles):
        """(id, {role: client}): an organisation with a member of each role, OWNER among them."""
        owner = self.person(server)
        org = owner.post("/organisations", {"name": f"Org {secrets.token_hex(4)}"}).body["id"]
        members = {"OWNER": owner}
        for role in roles:
            member = self.person(server)
            server.database.query("INSERT INTO rampart_auth.membership (org_id, account_id, role) VALUES (%s, %s, %s)", (org, member.id, role))
            members[role] = member
        for member in members.values():
            answer = member.log_in(member.email, organisation=org)
            assert answer.status == 200, answer
        return org, members

    def mails(self, database, email):
        """(template, data) of the mails that wait for an address, oldest first."""
        return [(template, json.loads(data)) for template, data in database.query(
            "SELECT template, data::text FROM rampart_auth.outbox WHERE recipient::text = %s ORDER BY id", (email,), "observer")]

    def mailed_token(self, database, email, template):
        """The token of the last link that was mailed to an address by this template."""
        links = [data["link"] for name, data in self.mails(database, email) if name == template]
        return links[-1].split("token=")[1] if links else None


def run(*command, **kwargs):
    done = subprocess.run(command, text=True, capture_output=True, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:2])} failed: {done.stderr[-2000:]}{done.stdout[-2000:]}")
    return done


def within_a_second(look, expected):
    """What look() comes to: as soon as it is what was expected, and after a second whatever it is."""
    deadline = time.monotonic() + 1
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return seen


def claims_of(token):
    """What a token says, unverified."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def sha256(text):
    return hashlib.sha256(text.encode()).digest()
