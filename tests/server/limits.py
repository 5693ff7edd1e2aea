"""Rates, lists of addresses, proxies, idempotency."""
import concurrent.futures

from world import PASSWORD, Server


def check(world, report):
    database = world.database("limits")
    rates(world, report, database)
    addresses(world, report, database)
    idempotency(world, report, database)


def rates(world, report, database):
    one = Server(world, database, {"rates": {"sign_in": "5/1m", "password_reset": "3/1m"}}).start()
    two = Server(world, database, {"rates": {"sign_in": "5/1m", "password_reset": "3/1m"}}).start()
    wait_for_window(database)
    answers = [s.client().log_in("nobody@example.com") for s in (one, two, one, two, one, two, one)]
    report.equal([a.status for a in answers], [401] * 5 + [429] * 2, "five logins a minute, counted by both instances together")
    report.equal([a.headers["RateLimit-Remaining"] for a in answers[:5]], ["4", "3", "2", "1", "0"], "what remains is said")
    report.ok(0 < int(answers[-1].headers["Retry-After"]) <= 120 and answers[-1].code == "rate_limited", "and when to try again", answers[-1].headers)
    report.equal([one.client().post("/auth/password/forgot", {"email": "x@example.com"}).status for _ in range(4)], [202] * 3 + [429], "resets have a rate of their own")
    report.equal(one.client().get("/.well-known/jwks.json").status, 200, "which does not touch others")
    for server in (one, two):
        server.stop()
    few = Server(world, database, {"rates": {"authenticated": "40/1m", "sign_in": "1000/1m"}}).start()
    person = world.person(few)
    wait_for_window(database)
    statuses = [person.get("/auth/me").status for _ in range(60)]
    report.equal((statuses.count(200), statuses[-1]), (40, 429), "a session's quota, to the request")
    report.equal(world.person(few).get("/auth/me").status, 200, "another session has its own")
    few.stop()


def wait_for_window(database):
    """Into a minute that has some time left, so that a test does not straddle two."""
    database.query("SELECT pg_sleep(CASE WHEN extract(second FROM clock_timestamp()) > 50 THEN 60.2 - extract(second FROM clock_timestamp()) ELSE 0 END)")


def addresses(world, report, database):
    proxied = Server(world, database, {"http": {"trusted_proxies": ["127.0.0.1", "10.0.0.0/8"], "deny": ["203.0.113.0/24", "2001:db8::/32"]}}).start()

    def status(forwarded):
        return proxied.client().get("/openapi.json", headers={"X-Forwarded-For": forwarded}).status

    report.equal(status("203.0.113.9"), 403, "a denied network, behind a proxy")
    report.equal(status("2001:db8::1"), 403, "IPv6 too")
    report.equal(status("203.0.113.9, 198.51.100.7"), 200, "what stands before the last untrusted address anybody may have written")
    report.equal(status("203.0.113.9, 10.1.2.3"), 403, "proxies of ours are passed over")
    report.equal(status("::ffff:203.0.113.9"), 403, "however it is written")
    report.equal(status("garbage"), 200, "garbage is nobody's address")
    person = world.account(proxied)[0]
    proxied.client().post("/auth/login", {"email": person, "password": PASSWORD}, headers={"X-Forwarded-For": "198.51.100.7"})
    report.equal(database.value("SELECT host(ip) FROM rampart.audit_log WHERE event = 'auth.login_success' AND actor IS NOT NULL ORDER BY id DESC LIMIT 1"), "198.51.100.7", "the log has the client's address")
    proxied.stop()
    bare = Server(world, database, {"http": {"deny": ["203.0.113.0/24"]}}).start()
    report.equal(bare.client().get("/openapi.json", headers={"X-Forwarded-For": "203.0.113.9"}).status, 200, "without trusted proxies the header says nothing")
    bare.stop()
    closed = Server(world, database, {"http": {"allow": ["10.0.0.0/8"]}}).start()
    report.equal(closed.client().get("/openapi.json").code, "address_refused", "a list of allowed networks shuts others out")
    closed.stop()


def idempotency(world, report, database):
    server = Server(world, database).start()
    person = world.person(server)
    key = {"Idempotency-Key": "create-1"}
    first = person.post("/organisations", {"name": "Once"}, headers=key)
    again = person.post("/organisations", {"name": "Once"}, headers=key)
    report.equal((first.status, again.status, again.body == first.body, again.headers["Idempotency-Replayed"]), (201, 201, True, "true"), "the same key is answered alike")
    report.equal(database.value("SELECT count(*) FROM rampart_auth.organisation WHERE name = 'Once'"), 1, "and done once")
    report.equal(person.post("/organisations", {"name": "Twice"}, headers=key).code, "idempotency_key_reused", "another body with it is refused")
    other = world.person(server)
    report.equal(other.post("/organisations", {"name": "Once"}, headers=key).body["id"] != first.body["id"], True, "another's key is another")
    key = {"Idempotency-Key": "create-2"}
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: server.client(token=person.token).post("/organisations", {"name": "At once"}, headers=key), range(20)))
    report.equal(({a.status for a in answers}, len({a.body["id"] for a in answers})), ({201}, 1), "twenty at once: one answer")
    report.equal(database.value("SELECT count(*) FROM rampart_auth.organisation WHERE name = 'At once'"), 1, "and one effect")
    report.equal(person.post("/organisations", {"name": "x"}, headers={"Idempotency-Key": "a b"}).code, "malformed_request", "a key is printable")
    made = person.post("/organisations", {"name": "Keys"}).body["id"]
    maker = server.client(token=person.token, org=made)
    body = {"name": "k", "scopes": ["document:read"]}
    keys = [maker.post("/api-keys", body, headers={"Idempotency-Key": "key-1"}).body["key"] for _ in range(2)]
    report.equal(keys[0], keys[1], "an API key is shown again to who lost the answer")
    server.stop()
