"""Attacks on logins that are spread over accounts and addresses: limits tighten while they last, and known clients notice nothing."""
import concurrent.futures
import hashlib
import itertools
import secrets
import time

from world import PASSWORD, Server, within_a_second

PERIOD = 10
# Plain limits are far away: five failures of an account, fifty of an address.
SETTINGS = {"http": {"trusted_proxies": ["127.0.0.1"]},
            "attacks": {"watch": True, "period_seconds": PERIOD, "least_failures": 20, "factor": 5, "half_life_hours": 1, "failures_per_address": 4,
                        "failures_per_network": 8}}
HOME, OFFICE = "192.0.2.10", "2001:db8:1:2::10"


def log_in(server, address, email=None, password="Wrong-horse-7-battery", cookie=None):
    headers = {"X-Forwarded-For": address, "Cookie": cookie}
    return server.client().post("/auth/login", {"email": email or f"{secrets.token_hex(8)}@example.com", "password": password}, headers=headers)


def spray(server, addresses):
    """What one wrong password from each address is answered, each for an account of its own."""
    def one(address):
        while (code := log_in(server, address).code) == "unavailable":  # too many hashes at once
            time.sleep(0.05)
        return code
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        return list(pool.map(one, addresses))


def gauge(server, name):
    text = server.management("/metrics").raw.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


def level(database):
    return database.value("SELECT level FROM rampart_auth.login_watch")


def wait_for(look, expected, seconds):
    deadline = time.monotonic() + seconds
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def wait_for_period():
    """Into a period that has most of its time left."""
    time.sleep((PERIOD - time.time() % PERIOD) if time.time() % PERIOD > 0.5 else 0)


def events(database):
    return database.query("SELECT event, metadata FROM rampart.audit_log WHERE event LIKE 'auth.attack_%%' ORDER BY id")


def check(world, report):
    database = world.database("attacks")
    one, two = (Server(world, database, SETTINGS).start() for _ in range(2))
    numbers = itertools.count(1)
    users = {name: world.account(one) for name in ("at home", "in the office", "with a device", "elsewhere")}
    email = {name: account[0] for name, account in users.items()}
    for name, address in (("at home", HOME), ("in the office", OFFICE)):
        report.equal(log_in(one, address, email[name], PASSWORD).status, 200, f"a user logs in {name}")
    device = "device-of-a-user-0123456789"
    database.query("INSERT INTO rampart_auth.trusted_device (account_id, hash, expires_at) VALUES (%s, %s, now() + interval '1 day')",
                   (users["with a device"][1], hashlib.sha256(device.encode()).digest()))

    a_few(report, database, one)
    begins(report, database, one, two, numbers)
    known(report, one, two, email, f"__Host-rampart_device={device}")
    ends(report, database, one, two)
    what_is_usual(report, database, one, numbers)
    one.stop()
    two.stop()
    switched_off(world, report, database, numbers)


def a_few(report, database, one):
    wait_for_period()
    codes = spray(one, [f"198.51.100.{n}" for n in range(1, 16)])
    time.sleep(0.5)
    report.equal((set(codes), level(database), events(database)), ({"invalid_credentials"}, 0, []), "fifteen failures are no attack")
    report.ok(gauge(one, "rampartd_failed_logins") > 0, "metrics count them")
    time.sleep(2 * PERIOD)  # until nobody remembers them
    usual = gauge(one, "rampartd_failed_logins_usual")
    report.ok(0 < usual < 15, "what was becomes part of what is usual, slowly", usual)


def begins(report, database, one, two, numbers):
    wait_for_period()
    addresses = [f"203.0.{n // 3}.{n}" for n in range(1, 61)] + [HOME, HOME, HOME, OFFICE, OFFICE, OFFICE]
    codes = spray(one, addresses)
    report.ok(codes.count("invalid_credentials") >= 20, "sixty addresses, each with one wrong password for an account of its own: no plain limit is met", codes[:25])
    report.equal(within_a_second(lambda: level(database) > 0, True), True, "but all together are an attack")
    report.equal([event for event, _ in events(database)], ["auth.attack_begun"], "which the log says, once")
    said = events(database)[0][1]
    report.ok(said["failures"] >= 20 and said["usual"] < 15 and said["period_seconds"] == PERIOD and said["level"] >= 1, "with numbers", said)
    wait_for_level(database)
    answers = [log_in(server, address) for server in (one, two) for address in addresses[:6]]
    report.equal({(answer.status, answer.code) for answer in answers}, {(429, "login_locked")}, "addresses with part in it are refused, on both instances")
    report.ok(all(1 <= int(answer.headers["Retry-After"] or 0) <= PERIOD for answer in answers), "for as long as they are told")
    report.equal([log_in(server, f"203.0.5.{200 + n}").code for n, server in enumerate((one, two))], ["login_locked"] * 2, "so are others of their networks")
    report.equal([log_in(server, f"100.64.{next(numbers)}.1").code for server in (one, two)], ["invalid_credentials"] * 2, "and not those that have no part in it")
    report.ok(within_a_second(lambda: {gauge(server, "rampartd_attack_level") > 0 for server in (one, two)}, {True}) == {True}, "metrics of both tell of it")


def wait_for_level(database):
    wait_for(lambda: level(database) >= 2, True, 1)


def known(report, one, two, email, cookie):
    for server in (one, two):
        report.equal(log_in(server, HOME, email["at home"], PASSWORD).status, 200, "who logged in from an address before does so during the attack")
        report.equal(log_in(server, OFFICE.replace("::10", "::abcd"), email["in the office"], PASSWORD).status, 200, "by IPv6 from the same network")
        report.equal(log_in(server, "203.0.5.15", email["with a device"], PASSWORD, cookie).status, 200, "with a trusted device from anywhere")
        report.equal(log_in(server, HOME, email["elsewhere"], PASSWORD).code, "login_locked", "another's address makes nobody known")
        report.equal(log_in(server, "203.0.5.15", email["elsewhere"], PASSWORD, cookie).code, "login_locked", "nor does another's device")


def ends(report, database, one, two):
    seen, deadline = [level(database)], time.monotonic() + 8 * PERIOD
    while seen[-1] > 0 and time.monotonic() < deadline:
        time.sleep(0.1)
        if (now := level(database)) != seen[-1]:
            seen.append(now)
    report.equal(seen, list(range(seen[0], -1, -1)), "it ends by itself, step by step")
    report.equal([event for event, _ in events(database)], ["auth.attack_begun", "auth.attack_ended"], "and the log says so")
    said = events(database)[1][1]
    report.ok(said["highest_level"] >= 2 and said["seconds"] >= PERIOD, "with how far it went and how long it lasted", said)
    report.equal([log_in(server, f"203.0.5.{15 + n}").code for n, server in enumerate((one, two))], ["invalid_credentials"] * 2, "after which limits are what they were")


def what_is_usual(report, database, one, numbers):
    database.query("UPDATE rampart_auth.login_watch SET usual = 40")
    wait_for_period()
    spray(one, [f"100.65.{next(numbers)}.1" for _ in range(60)])
    time.sleep(0.5)
    report.equal(level(database), 0, "where forty failures are usual, sixty are no attack")
    before = database.value("SELECT usual FROM rampart_auth.login_watch")
    database.query("UPDATE rampart_auth.login_watch SET usual = 0")
    time.sleep(PERIOD + 0.5)
    usual = database.value("SELECT usual FROM rampart_auth.login_watch")
    # One period of at most least_failures, weighed by what it is of the half-life.
    most = 20 * (1 - 0.5 ** (PERIOD / 3600)) * 2
    report.ok(before <= 40 and usual <= most, "an attack counts as the most that is none, in what is usual", (before, usual, most))


def switched_off(world, report, database, numbers):
    database.query("UPDATE rampart_auth.login_watch SET level = 3, begun_at = now(), lower_at = now() + interval '1 hour'")
    off = Server(world, database, {**SETTINGS, "attacks": {**SETTINGS["attacks"], "watch": False}}).start()
    report.equal(wait_for(lambda: level(database), 0, 2), 0, "switched off, it ends")
    codes = spray(off, [f"100.66.{next(numbers)}.1" for _ in range(60)] + ["100.66.1.1"] * 6)
    time.sleep(0.5)
    report.equal((codes.count("login_locked"), level(database)), (0, 0), "and nothing is watched")
    off.stop()
