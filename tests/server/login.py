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
    new_places(world, report)
    one_network(world, report)


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


def one_network(world, report):
    """Who has one address of IPv6 has 2^64 of them."""
    server = Server(world, world.server.database, {"http": {"trusted_proxies": ["127.0.0.1"]}, "lockout": {"failures_per_address": 3}}).start()

    def failed(address, number):
        body = {"email": f"nobody-{number}@example.com", "password": "Wrong-horse-7-battery"}
        return server.client().post("/auth/login", body, headers={"X-Forwarded-For": address}).code

    codes = [failed(f"2001:db8:1:2::{n}", n) for n in range(1, 5)]
    report.equal(codes, ["invalid_credentials"] * 3 + ["login_locked"], "failures of a /64 count as of one address")
    report.equal(failed("2001:db8:1:3::1", 5), "invalid_credentials", "and not as those of the next")
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


def new_places(world, report):
    """Who logs in from a device or network that the account has not used before; for the test the proxy says which network."""
    database = world.database("places")
    server = Server(world, database, {"http": {"trusted_proxies": ["127.0.0.1"]}}).start()
    email, account = world.account(server)
    firefox, newer = ("Mozilla/5.0 (X11; Linux x86_64; rv:%s) Gecko/20100101 Firefox/%s" % (v, v) for v in ("115.0", "142.0.1"))

    def log_in(agent, address="198.51.100.7", server=server):
        answer = server.client().post("/auth/login", {"email": email, "password": PASSWORD}, headers={"User-Agent": agent, "X-Forwarded-For": address})
        assert answer.status == 200, answer
        return answer, [data for template, data in world.mails(database, email) if template == "new-login"]

    report.equal(log_in(firefox)[1], [], "a first login is told of to nobody")
    report.equal(log_in(firefox)[1], [], "nor is one like it")
    report.equal(log_in(newer)[1], [], "nor one by a newer version")
    report.equal(log_in(newer, "198.51.200.9")[1], [], "nor one from another address of the provider")
    told = log_in("curl/8.5.0")[1]
    report.equal(told, [{"ip": "198.51.100.7", "what": "curl/8.5.0"}], "one from another device is, by mail")
    report.equal(len(log_in("curl/8.6.0")[1]), 1, "once")
    told = log_in(firefox, "2001:db8:1::1")[1]
    report.equal(told[1:], [{"ip": "2001:db8:1::1", "what": firefox}], "so is one from another network")
    report.equal(len(log_in(firefox, "2001:db8:2::1")[1]), 2, "and not from elsewhere in it")
    database.query("UPDATE rampart_auth.session SET revoked_at = now() - interval '29 days'")
    database.query("SELECT rampart_auth.clean_up()")
    report.equal(len(log_in(firefox)[1]), 2, "a session that has ended is remembered for thirty days")
    database.query("UPDATE rampart_auth.session SET revoked_at = now() - interval '31 days'")
    database.query("SELECT rampart_auth.clean_up()")
    report.equal(database.value("SELECT count(*) FROM rampart_auth.session"), 0, "and no longer")
    report.equal(len(log_in(firefox)[1]), 3, "then nothing is known of the account's devices")
    silent = Server(world, database, {"http": {"trusted_proxies": ["127.0.0.1"]}, "mail": {"new_login": False}}).start()
    report.equal(len(log_in("Lynx", "203.0.113.1", silent)[1]), 3, "a setting turns it off")
    silent.stop()
    database.query("INSERT INTO rampart_auth.mfa_factor (account_id, method, confirmed_at) VALUES (%s, 'email', now())", (account,))
    challenge, told = log_in("Opera")
    report.equal(len(told), 3, "a login that awaits its second factor is none yet")
    challenge = challenge.body["session_id"]
    server.client().post("/auth/mfa/email", {"session_id": challenge})
    code = [data["code"] for template, data in world.mails(database, email) if template == "mfa-code"][-1]
    answer = server.client().post("/auth/mfa", {"session_id": challenge, "email_code": code}, headers={"User-Agent": "Opera", "X-Forwarded-For": "198.51.100.7"})
    told = [data for template, data in world.mails(database, email) if template == "new-login"]
    report.equal((answer.status, told[3:]), (200, [{"ip": "198.51.100.7", "what": "Opera"}]), "one that it ends is")
    server.stop()
