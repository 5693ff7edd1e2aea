"""Signing up in four modes, verifying the address, approval."""
from world import PASSWORD, Server


def check(world, report):
    server = world.server
    database = server.database
    client = server.client()

    answer = client.post("/auth/signup", {"email": "Ada@Example.com", "password": PASSWORD, "name": "Ada"})
    report.equal((answer.status, answer.body), (202, {"status": "verification_sent"}), "signing up is answered with what comes next")
    report.equal(client.log_in("ada@example.com").code, "email_not_verified", "nobody logs in before the address is verified")
    token = world.mailed_token(database, "ada@example.com", "verify-email")
    report.equal(client.post("/auth/verify-email", {"token": "x" * 43}).code, "token_invalid", "another token verifies nothing")
    report.equal(client.post("/auth/verify-email", {"token": token}).body, {"status": "active"}, "the mailed token verifies")
    report.equal(client.post("/auth/verify-email", {"token": token}).code, "token_invalid", "but once only")
    report.equal(client.log_in("ADA@example.com").status, 200, "then the login succeeds, however the address is written")

    again = client.post("/auth/signup", {"email": "ada@example.com", "password": PASSWORD})
    report.equal((again.status, again.body), (answer.status, answer.body), "signing up again is answered alike")
    report.equal(world.mails(database, "ada@example.com")[-1][0], "already-registered", "and the account's owner is told")

    for password, fault in (("Short-7-pass", None), ("alllowercase-77", "has no uppercase letter"), ("ALLUPPERCASE-77", "has no lowercase letter"),
                            ("No-digits-here", "has no digit"), ("NoSpecials12345", "has no special character"),
                            ("Sh0rt-", "has fewer than 12 characters"), ("Password-1234", "is too easy to guess")):
        answer = client.post("/auth/signup", {"email": "pw@example.com", "password": password})
        faults = [e["detail"] for e in answer.body.get("errors", [])]
        report.ok(fault is None and answer.status == 202 or answer.code == "password_refused" and fault in faults, f"password policy: {fault}", answer)

    domain = Server(world, database, {"signup": {"mode": "domain", "domains": ["corp.example"]}}).start()
    report.equal(domain.client().post("/auth/signup", {"email": "eve@example.com", "password": PASSWORD}).code, "signup_refused", "mode domain: others are refused")
    report.equal(domain.client().post("/auth/signup", {"email": "eve@corp.example", "password": PASSWORD}).status, 202, "mode domain: its own are taken")
    domain.stop()

    approval = Server(world, database, {"signup": {"mode": "approval"}}).start()
    admin = world.admin(server)
    client = approval.client()
    client.post("/auth/signup", {"email": "wait@example.com", "password": PASSWORD})
    token = world.mailed_token(database, "wait@example.com", "verify-email")
    report.equal(client.post("/auth/verify-email", {"token": token}).body, {"status": "awaiting_approval"}, "mode approval: verified is not approved")
    report.equal(client.log_in("wait@example.com").code, "awaiting_approval", "and does not log in")
    report.equal(world.mails(database, admin.email)[-1][0], "approval-requested", "administrators are told")
    waiting = [u for u in admin.get("/admin/users?status=awaiting_approval").body["items"] if u["email"] == "wait@example.com"]
    report.equal(len(waiting), 1, "and see who waits")
    report.equal(admin.post(f"/admin/users/{waiting[0]['id']}/approve").status, 200, "an administrator approves")
    report.equal(client.log_in("wait@example.com").status, 200, "then the login succeeds")
    report.equal(world.mails(database, "wait@example.com")[-1][0], "approved", "a mail says so")
    approval.stop()

    invitation = Server(world, database, {"signup": {"mode": "invitation"}}).start()
    client = invitation.client()
    report.equal(client.post("/auth/signup", {"email": "guest@example.com", "password": PASSWORD}).code, "signup_refused", "mode invitation: not without")
    org, members = world.organisation(server)
    invited = members["OWNER"].post(f"/organisations/{org}/invitations", {"email": "guest@example.com", "role": "MEMBER"})
    report.equal(invited.status, 201, "an owner invites")
    token = world.mailed_token(database, "guest@example.com", "invitation")
    report.equal(client.post("/auth/signup", {"email": "other@example.com", "password": PASSWORD, "invitation": token}).code, "token_invalid",
                 "an invitation counts for its own address only")
    answer = client.post("/auth/signup", {"email": "guest@example.com", "password": PASSWORD, "invitation": token})
    report.equal(answer.status, 202, "who was invited signs up")
    report.equal(client.log_in("guest@example.com").status, 200, "and logs in at once: the mail proved the address")
    report.equal(client.get("/auth/me").body["roles"], ["MEMBER"], "in the role of the invitation")
    invitation.stop()
