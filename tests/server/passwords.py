"""Passwords changed, forgotten and reset."""
from world import PASSWORD, Server

NEW = "Another-stable-8-donkey"


def check(world, report):
    server = world.server
    database = server.database
    person = world.person(server)
    other = server.client()
    other.log_in(person.email)

    wrong = person.post("/auth/password/change", {"old_password": "Wrong-horse-7-battery", "new_password": NEW})
    report.equal(wrong.code, "invalid_credentials", "changing a password takes the old one")
    weak = person.post("/auth/password/change", {"old_password": PASSWORD, "new_password": "short"})
    report.equal(weak.code, "password_refused", "and a good new one")
    same = person.post("/auth/password/change", {"old_password": PASSWORD, "new_password": PASSWORD})
    report.equal(same.body.get("errors"), [{"pointer": "/new_password", "detail": "was used before"}], "which is not the old one")
    report.equal(person.post("/auth/password/change", {"old_password": PASSWORD, "new_password": NEW}).status, 204, "then it is changed")
    report.equal((person.get("/auth/profile").status, other.get("/auth/profile").status), (200, 401), "all other sessions end")
    report.equal(world.mails(database, person.email)[-1][0], "password-changed", "a mail says so")
    back = person.post("/auth/password/change", {"old_password": NEW, "new_password": PASSWORD})
    report.equal(back.code, "password_refused", "former passwords are remembered")
    client = server.client()
    report.equal((client.log_in(person.email).status, client.log_in(person.email, NEW).status), (401, 200), "the new one logs in, the old one does not")

    forgot = client.post("/auth/password/forgot", {"email": person.email})
    unknown = client.post("/auth/password/forgot", {"email": "nobody@example.com"})
    report.equal((forgot.status, forgot.body), (unknown.status, unknown.body), "forgotten: the same answer for an unknown address")
    report.equal(world.mails(database, "nobody@example.com"), [], "which gets no mail")
    token = world.mailed_token(database, person.email, "password-reset")
    report.equal(client.post("/auth/password/reset", {"token": token, "new_password": NEW}).code, "password_refused", "a reset refuses a former password")
    third = "Quite-other-9-giraffe"
    report.equal(client.post("/auth/password/reset", {"token": token, "new_password": third}).status, 204, "the mailed token resets")
    report.equal(client.post("/auth/password/reset", {"token": token, "new_password": "Fourth-word-3-ostrich"}).code, "token_invalid", "once")
    report.equal(person.get("/auth/profile").status, 401, "all sessions end")
    report.equal(client.log_in(person.email, third).status, 200, "the new password logs in")

    for _ in range(2):
        client.post("/auth/password/forgot", {"email": person.email})
    first, second = [d["link"].split("token=")[1] for t, d in world.mails(database, person.email) if t == "password-reset"][-2:]
    report.equal(client.post("/auth/password/reset", {"token": first, "new_password": "Fifth-word-4-ostrich"}).code, "token_invalid", "a later mail voids the one before")
    database.query("UPDATE rampart_auth.one_time_token SET expires_at = now() - interval '1 second'")
    report.equal(client.post("/auth/password/reset", {"token": second, "new_password": "Fifth-word-4-ostrich"}).code, "token_invalid", "an expired token resets nothing")

    locked = Server(world, database, {"lockout": {"failures": 2}}).start()
    email, _ = world.account(locked)
    for _ in range(2):
        locked.client().log_in(email, "Wrong-horse-7-battery")
    report.equal(locked.client().log_in(email).code, "login_locked", "who is locked out")
    locked.client().post("/auth/password/forgot", {"email": email})
    locked.client().post("/auth/password/reset", {"token": world.mailed_token(database, email, "password-reset"), "new_password": third})
    report.equal(locked.client().log_in(email, third).status, 200, "is let back in by a reset")
    person = world.person(locked)
    codes = [person.post("/auth/password/change", {"old_password": "Wrong-horse-7-battery", "new_password": third}).code for _ in range(3)]
    report.equal(codes, ["invalid_credentials", "invalid_credentials", "login_locked"], "a stolen session does not guess the password either")
    locked.stop()

    asvs = Server(world, database, {"password": {"policy": "asvs"}}).start()
    report.equal(asvs.client().post("/auth/signup", {"email": "asvs@example.com", "password": "correct horse battery staple"}).status, 202,
                 "policy asvs: a long phrase without digits is taken")
    report.equal(asvs.client().post("/auth/signup", {"email": "asvs2@example.com", "password": "passwordpassword"}).code, "password_refused",
                 "policy asvs: a common one is not")
    asvs.stop()
