"""Logging in, being locked out and let back in, hashes of other systems, many at once."""
import concurrent.futures
import time

from world import PASSWORD, Server, claims_of, run


def check(world, report):
    server = world.server
    database = server.database
    person = world.person(server)

    claims = claims_of(person.token)
    report.ok({"iss", "aud", "sub", "sid", "roles", "amr", "jti", "iat", "exp"} <= set(claims), "an access token says what it should", claims)
    report.equal(claims["exp"] - claims["iat"], 900, "and lasts fifteen minutes")
    report.equal(person.get("/auth/me").body, {"id": person.id, "organisation": None, "roles": [], "session": claims["sid"]}, "who am I")
    report.equal(person.get("/auth/profile").body["email"], person.email, "the profile shows one's own address")
    report.equal(database.value("SELECT count(*) FROM rampart.audit_log WHERE event = 'auth.login_success' AND actor = %s AND ip = '127.0.0.1' "
                                "AND user_agent = 'tests' AND request_id IS NOT NULL", (person.id,)), 1, "a login is recorded, with whom and from where")

    unknown = server.client().log_in("nobody@example.com")
    wrong = server.client().log_in(person.email, "Wrong-horse-7-battery")
    report.equal((unknown.status, unknown.code), (401, "invalid_credentials"), "an unknown address is refused")
    same = {k: v for k, v in unknown.body.items() if k != "traceId"} == {k: v for k, v in wrong.body.items() if k != "traceId"}
    report.ok(same, "as a wrong password is", (unknown, wrong))

    lockout(world, report)
    statuses(world, report, server)
    foreign_hashes(world, report, server)
    cookies(world, report, server)


def lockout(world, report):
    server = Server(world, world.database("lockout"), {"lockout": {"failures": 5, "minutes": 15, "failures_per_address": 1000}}).start()
    admin = world.admin(server)
    for email, name in ((world.account(server)[0], "an account"), ("ghost@example.com", "an address that nobody has")):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            codes = [a.code for a in pool.map(lambda _: server.client().log_in(email, "Wrong-horse-7-battery"), range(16))]
        # So many at once also meet the bound of what is hashed at a time.
        report.ok(set(codes) <= {"invalid_credentials", "login_locked", "unavailable"}, f"wrong passwords for {name}, at once, are refused", codes)
        answer = server.client().log_in(email)
        report.equal((answer.status, answer.code), (429, "login_locked"), f"five failures lock {name}, also for the right password")
        wait = int(answer.headers["Retry-After"])
        report.ok(840 <= wait <= 900, f"for a quarter of an hour ({name})", wait)
    email, account = world.account(server)
    for _ in range(5):
        server.client().log_in(email, "Wrong-horse-7-battery")
    report.equal([t for t, _ in world.mails(server.database, email)][-1], "account-locked", "who is locked out gets a mail")
    report.equal(admin.post(f"/admin/users/{account}/unlock").status, 204, "an administrator unlocks")
    report.equal(server.client().log_in(email).status, 200, "and the login succeeds")
    for expected in (900, 1800, 3600):
        for _ in range(5):
            last = server.client().log_in(email, "Wrong-horse-7-battery")
        wait = int(server.client().log_in(email).headers["Retry-After"])
        report.ok(expected - 60 <= wait <= expected, f"repeated lockouts last longer: {expected} s", (wait, last))
        server.database.query("UPDATE rampart_auth.throttle SET locked_until = now()")
    events = server.database.value("SELECT count(*) FROM rampart.audit_log WHERE event = 'auth.lockout'")
    report.ok(events >= 6, "lockouts are recorded", events)
    server.stop()


def statuses(world, report, server):
    email, _ = world.account(server, status="disabled")
    report.equal(server.client().log_in(email).code, "account_disabled", "a disabled account is told so, after the right password")
    report.equal(server.client().log_in(email, "Wrong-horse-7-battery").code, "invalid_credentials", "and not after a wrong one")
    admin, person = world.admin(server), world.person(server)
    report.equal(admin.post(f"/admin/users/{person.id}/disable").status, 200, "an administrator disables an account")
    report.equal(person.get("/auth/profile").code, "session_ended", "whose session ends at once")
    deadline = time.monotonic() + 1
    while person.get("/auth/me").status == 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    report.equal(person.get("/auth/me").code, "session_ended", "also where the database is not asked")
    report.equal(admin.post(f"/admin/users/{admin.id}/disable").code, "not_possible", "nobody disables themselves")
    report.equal(person.post(f"/admin/users/{admin.id}/disable").status, 401, "nor does who is shut out")
    report.equal(world.person(server).get("/admin/users").code, "forbidden", "accounts are listed for administrators only")


def foreign_hashes(world, report, server):
    for name, scheme in (("bcrypt $2b$", "2b"), ("bcrypt $2y$", "2y")):
        hashed = run("python3", "-c", f"import crypt; print(crypt.crypt({PASSWORD!r}, '${scheme}$10$abcdefghijklmnopqrstuu'))").stdout.strip()
        email, account = world.account(server)
        server.database.query("UPDATE rampart_auth.account SET password_hash = %s WHERE id = %s", (hashed, account))
        report.equal(server.client().log_in(email).status, 200, f"a hash of another system verifies: {name}")
        new = server.database.value("SELECT password_hash FROM rampart_auth.account WHERE id = %s", (account,))
        report.ok(new.startswith("$argon2id$"), "and is made anew at login", new[:12])
        report.equal(server.client().log_in(email).status, 200, "with the same password")
    bcrypt = Server(world, server.database, {"password": {"hash": "bcrypt", "bcrypt_cost": 10}}).start()
    long = "Correct-horse-7-battery-" * 4
    report.equal(bcrypt.client().post("/auth/signup", {"email": "long@example.com", "password": long}).code, "password_refused",
                 "bcrypt: more than 72 bytes are refused, not cut")
    email, _ = world.account(bcrypt)
    report.equal(bcrypt.client().log_in(email).status, 200, "bcrypt: a login")
    report.equal(bcrypt.client().log_in(email, PASSWORD + "x" * 80).code, "invalid_credentials", "bcrypt: a password that begins alike is another")
    bcrypt.stop()


def cookies(world, report, server):
    email, _ = world.account(server)
    client = server.client()
    answer = client.log_in(email, cookies=True)
    headers = answer.headers.get_all("Set-Cookie")
    report.ok(all("Secure" in h and "SameSite=Strict" in h and "Path=/;" in h and h.startswith("__Host-") for h in headers), "cookies are __Host-, Secure, Strict", headers)
    report.ok(all("HttpOnly" in h for h in headers if "csrf" not in h), "those with tokens are HttpOnly", headers)
    report.equal(client.get("/auth/me").status, 200, "a cookie logs in")
    body = {"name": "Cookies Ltd"}
    report.equal(client.post("/organisations", body).code, "csrf_refused", "a write by cookie needs the CSRF token")
    report.equal(client.post("/organisations", body, headers={"X-CSRF-Token": "x" * 43}).code, "csrf_refused", "the right one")
    report.equal(client.post("/organisations", body, headers={"X-CSRF-Token": client.csrf, "Origin": "https://evil.example"}).code, "csrf_refused",
                 "and no other page's origin")
    report.equal(client.post("/organisations", body, headers={"X-CSRF-Token": client.csrf}).status, 201, "then it is done")
    doubled = f"__Host-rampart_access=x; __Host-rampart_access={client.cookies['__Host-rampart_access']}"
    report.equal(server.client().get("/auth/me", headers={"Cookie": doubled}).status, 401, "a cookie that is there twice is not believed")
