"""The program's subcommands: check, migrate, create-admin, openapi; and what it does without a database."""
import json
import os
import socket
import ssl
import subprocess
import time

from world import PASSWORD, PROGRAM, Server, free_port, run


def rampartd(*arguments, stdin=None, env=None):
    return subprocess.run([PROGRAM, *arguments], input=stdin, text=True, capture_output=True, env={**os.environ, **(env or {})})


def check(world, report):
    database = world.database("program")
    server = Server(world, database, plain=False)
    good = rampartd("-c", server.file, "check")
    report.equal((good.returncode, "The configuration is good." in good.stdout), (0, True), "check: a good configuration")
    for name, text, expected in (
            ("an unknown setting", "[http]\nporrt = 1\n", "http.porrt: there is no such setting"),
            ("a value of another type", "[http]\nport = \"x\"\n", "http.port: not an integer"),
            ("a value out of bounds", "[http]\nport = 70000\n", "http.port: has to be from 0 to 65535"),
            ("a choice that is none", "[signup]\nmode = \"closed\"\n", "signup.mode: has to be one of open, domain, invitation, approval"),
            ("a rate that is none", "[rates]\nsign_in = \"5\"\n", "rates.sign_in: a rate is REQUESTS/TIME"),
            ("no TOML", "[http\n", "bad.toml")):
        file = os.path.join(world.cluster.directory, "bad.toml")
        with open(file, "w") as f:
            f.write(text)
        got = rampartd("-c", file, "check")
        report.ok(got.returncode == 1 and expected in got.stderr, f"check: {name}", got.stderr + got.stdout)
    got = rampartd("check", env={"RAMPART_HTTP_PORT": "8443", "RAMPART_DATABASE_CONNECTION": "host=/nowhere password=hunter2secret"})
    report.ok(got.returncode == 1 and "http.certificate" in got.stdout and "cannot be reached" in got.stdout and "hunter2secret" not in got.stdout + got.stderr,
              "check: settings from the environment; no certificate, no database, no password shown", got.stdout + got.stderr)

    again = run(PROGRAM, "migrate", "--database", world.cluster.dsn(database="program"))
    report.ok("Nothing to do" in again.stdout, "migrate: again, nothing is left to do", again.stdout)
    world.cluster.query("CREATE DATABASE several")
    dsn = world.cluster.dsn(database="several")
    started = [subprocess.Popen([PROGRAM, "migrate", "--database", dsn], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [p.communicate() for p in started]
    applied = [out.count("applied ") for out, _ in outputs]
    report.ok(sorted(applied)[:3] == [0, 0, 0] and max(applied) > 10 and all(p.returncode == 0 for p in started), "migrate: of four at once one does it all", outputs)
    cut_off(world, report)

    dsn = world.cluster.dsn(database="program")
    weak = rampartd("create-admin", "--database", dsn, "root@example.com", stdin="password\n")
    report.ok(weak.returncode == 1 and "fewer than 12 characters" in weak.stderr, "create-admin: a weak password is refused", weak.stderr)
    made = rampartd("create-admin", "--database", dsn, "Root@example.com", stdin=PASSWORD + "\n")
    report.ok(made.returncode == 0 and PASSWORD not in made.stdout + made.stderr, "create-admin: makes one", made.stderr)
    twice = rampartd("create-admin", "--database", dsn, "root@example.com", stdin=PASSWORD + "\n")
    report.ok(twice.returncode == 1 and "exists" in twice.stderr, "create-admin: not twice", twice.stderr)
    server = Server(world, database, plain=False).start()
    client = server.client()
    report.equal(client.log_in("root@example.com").status, 200, "who logs in, over TLS")
    report.equal(client.get("/admin/users").status, 200, "and administers")
    metrics = server.management("/metrics").raw.decode()
    report.ok('rampartd_requests_total{route="logIn",status="200"} 1' in metrics, "metrics count it", metrics[:500])
    refused = no_request(server)
    line = next((line for line in map(json.loads, server.log().splitlines()) if line["event"] == "refused"), {})
    report.equal((line.get("request_id"), line.get("code"), line.get("ip")), (refused["traceId"], refused["code"], "127.0.0.1"), "what is no request stands in the log as it was answered")
    report.ok(f'rampartd_refusals_total{{code="{refused["code"]}"}} 1' in server.management("/metrics").raw.decode(), "and is counted")
    report.equal((server.management("/healthz").status, server.management("/readyz").status), (200, 200), "alive and ready")
    report.equal(server.stop(), 0, "SIGTERM ends it in order")

    document = json.loads(rampartd("openapi").stdout)
    report.ok(document["openapi"] == "3.1.0" and len(document["paths"]) > 30, "openapi: prints the document")
    report.equal(rampartd("serve", env={"RAMPART_HTTP_PLAIN": "true", "RAMPART_DATABASE_CONNECTION": world.cluster.dsn("rampartd", "postgres")}).returncode, 1,
                 "serve: a database without the schema ends it with a word")

    late = Server(world, database, {"database": {"connection": f"host=127.0.0.1 port={free_port()} user=rampartd dbname=program"}})
    late.start(wait=False)
    time.sleep(0.5)
    report.ok(late.process.poll() is None and '"event":"database"' in late.log(), "serve: without a database it waits and says so", late.log())
    late.stop(9)


def no_request(server):
    """What is answered to what is no HTTP/1.1."""
    tls = ssl.create_default_context(cafile=server.world.certificate[0])
    with tls.wrap_socket(socket.create_connection(("127.0.0.1", server.port), 10), server_hostname="localhost") as s:
        s.sendall(b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n")
        return json.loads(s.makefile("rb").read().partition(b"\r\n\r\n")[2])


def cut_off(world, report):
    """A migration that is killed goes on where it was."""
    world.cluster.query("CREATE DATABASE cut")
    dsn = world.cluster.dsn(database="cut")
    seen = set()
    for attempt in range(200):
        process = subprocess.Popen([PROGRAM, "migrate", "--database", dsn], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.04 + 0.01 * attempt)
        process.kill()
        process.communicate()
        time.sleep(0.05)
        have = world.cluster.query("SELECT to_regclass('public.rampart_auth_migration') IS NOT NULL", database="cut")[0][0]
        count = world.cluster.query("SELECT count(*) FROM public.rampart_auth_migration", database="cut")[0][0] if have else 0
        seen.add(count)
        if count > 10:
            break
    done = rampartd("migrate", "--database", dsn)
    total = world.cluster.query("SELECT count(*) FROM public.rampart_auth_migration", database="cut")[0][0]
    expected = world.cluster.query("SELECT count(*) FROM public.rampart_auth_migration", database="program")[0][0]
    report.ok(done.returncode == 0 and total == expected and len(seen) > 1, "migrate: killed at every point, it ends with all", (seen, total, done.stderr))
