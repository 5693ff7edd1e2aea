"""Sessions renewed, listed, ended; refresh tokens used twice."""
import concurrent.futures
import time

from world import Server, claims_of


def refresh(server, token, **kwargs):
    return server.client().post("/auth/refresh", {"refresh_token": token}, **kwargs)


def check(world, report):
    server = world.server
    database = server.database
    person = world.person(server)

    answer = refresh(server, person.refresh)
    report.equal(answer.status, 200, "a refresh token is exchanged")
    report.ok(answer.body["refresh_token"] != person.refresh, "for another one")
    report.equal(claims_of(answer.body["access_token"])["sid"], claims_of(person.token)["sid"], "of the same session")
    report.equal(refresh(server, person.refresh).body["refresh_token"], answer.body["refresh_token"], "the same token again, at once: the same successor")
    report.equal(server.client().get("/auth/me", headers={"Authorization": f"Bearer {answer.body['access_token']}"}).status, 200, "the new access token works")
    report.equal(refresh(server, "x" * 43).code, "session_ended", "a token that was never given")

    by_cookie = server.client()
    by_cookie.cookies = {"__Host-rampart_refresh": answer.body["refresh_token"]}
    got = by_cookie.post("/auth/refresh", {})
    report.ok(got.status == 200 and "refresh_token" not in got.body, "by cookie, the next one comes as a cookie", got)
    report.equal(by_cookie.post("/auth/refresh", {}, headers={"Origin": "https://evil.example"}).code, "csrf_refused", "not from another page")

    # Sixteen tabs.
    person = world.person(server)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: refresh(server, person.refresh), range(16)))
    report.equal({a.status for a in answers}, {200}, "sixteen at once with one token are all answered")
    report.equal(len({a.body["refresh_token"] for a in answers}), 1, "with one successor")
    sid = claims_of(person.token)["sid"]
    report.equal(database.value("SELECT count(*) FROM rampart_auth.refresh_token WHERE session_id = %s", (sid,)), 2, "and one chain")

    # A token that was stolen.
    strict = Server(world, database, {"tokens": {"grace_seconds": 1}}).start()
    person = world.person(strict)
    successor = refresh(strict, person.refresh).body["refresh_token"]
    time.sleep(1.2)
    report.equal(refresh(strict, person.refresh).code, "session_ended", "a used token after the window is refused")
    report.equal(refresh(strict, successor).code, "session_ended", "and its successor with it")
    report.equal(person.get("/auth/profile").code, "session_ended", "the whole session has ended")
    sid = claims_of(person.token)["sid"]
    report.equal(database.value("SELECT count(*) FROM rampart.audit_log WHERE event = 'auth.token_reused' AND metadata ->> 'session' = %s", (sid,)), 1,
                 "which the log has, for an alert")
    report.equal(database.value("SELECT rampart.enforce('rampart', 'VIEWER', 'x', 'read', 'own')"), True, "and the database still decides")
    strict.stop()
    ending(world, report, server)


def ending(world, report, server):
    person = world.person(server)
    other = server.client()
    other.log_in(person.email)
    items = person.get("/auth/sessions").body["items"]
    report.equal([i["current"] for i in items], [False, True], "one's sessions are listed, newest first, and which is this one")
    stranger = world.person(server)
    report.equal(stranger.delete(f"/auth/sessions/{items[0]['id']}").code, "not_found", "nobody ends another's session")
    report.equal(person.delete(f"/auth/sessions/{items[0]['id']}").status, 204, "one ends one's own")
    report.equal(other.get("/auth/profile").code, "session_ended", "it is dead at once")
    report.equal(refresh(server, other.refresh).code, "session_ended", "and not renewed")
    other.log_in(person.email)
    report.equal(person.delete("/auth/sessions").status, 204, "all others")
    report.equal((other.get("/auth/profile").status, person.get("/auth/profile").status), (401, 200), "end, and this one stays")

    token = person.token
    jti = claims_of(token)["jti"]
    before = server.database.failure("BEGIN; SELECT rampart.set_principal(%s); COMMIT", (token,))
    report.equal(person.post("/auth/logout").status, 204, "logging out")
    report.equal(person.get("/auth/profile").code, "session_ended", "ends the session")
    after = server.database.failure("BEGIN; SELECT rampart.set_principal(%s); COMMIT", (token,))
    report.equal((before, after), (None, "RMP08"), "for SQL by this token as well")
    report.equal(server.database.value("SELECT count(*) FROM rampart.token_denylist WHERE jti = %s", (jti,)), 1, "by its jti")
    admin = world.admin(server)
    person = world.person(server)
    report.equal(len(admin.get(f"/admin/users/{person.id}/sessions").body["items"]), 1, "an administrator lists anybody's sessions")
    report.equal(admin.delete(f"/admin/users/{person.id}/sessions").status, 204, "and ends them")
    report.equal(person.get("/auth/profile").status, 401, "at once")
