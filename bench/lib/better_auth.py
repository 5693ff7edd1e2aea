"""better-auth from npm as a neighbour: one Node process with a database of the same cluster, e-mail and password enabled."""
import json
import os
import secrets
import subprocess
import urllib.request

from cluster import free_port

PROGRAM = """
import http from 'node:http';
import pg from 'pg';
import { betterAuth } from 'better-auth';
import { toNodeHandler } from 'better-auth/node';
import { getMigrations } from 'better-auth/db/migration';

const port = Number(process.env.PORT);
const auth = betterAuth({
  secret: process.env.BETTER_AUTH_SECRET,
  baseURL: `http://127.0.0.1:${port}`,
  database: new pg.Pool({ max: 10 }),
  emailAndPassword: { enabled: true },
  session: JSON.parse(process.env.SESSION),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});
await (await getMigrations(auth.options)).runMigrations();
http.createServer(toNodeHandler(auth)).listen(port, '127.0.0.1', () => console.log('ready'));
"""
PASSWORD = "Correct-Horse-1234"


def installed():
    """The directory of the packages; None where npm does not give them."""
    work = os.path.join(os.environ["RAMPART_WORK"], "better-auth")
    os.makedirs(work, exist_ok=True)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", work, "better-auth@1", "pg@8"]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        return None
    with open(os.path.join(work, "server.mjs"), "w") as f:
        f.write(PROGRAM)
    return work


def version(work):
    with open(os.path.join(work, "node_modules", "better-auth", "package.json")) as f:
        return json.load(f)["version"]


class BetterAuth:
    """Signed up and logged in once; `session` are the options of its sessions."""

    def __init__(self, work, cluster, database, session=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/auth"
        cluster.psql(f"CREATE DATABASE {database}")
        environment = {**os.environ, "NODE_ENV": "production", "PORT": str(self.port), "PGHOST": cluster.directory, "PGPORT": str(cluster.port),
                       "PGUSER": "postgres", "PGAPPNAME": "better-auth", "PGDATABASE": database, "BETTER_AUTH_SECRET": secrets.token_hex(32), "SESSION": json.dumps(session or {})}
        self.process = subprocess.Popen(["node", os.path.join(work, "server.mjs")], env=environment, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("better-auth does not start")
        self.pid = self.process.pid
        answer = self.post("/sign-up/email", {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"})
        self.cookie = "; ".join(cookie.split(";")[0] for cookie in answer.headers.get_all("set-cookie"))

    def post(self, path, body):
        headers = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{self.port}"}
        return urllib.request.urlopen(urllib.request.Request(self.url + path, json.dumps(body).encode(), headers))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)
