"""Each route that changes something: the events that stand in the audit log when it has, whose they are, and that there is no
change without them.

Each request is sent twice. First while its events are not defined, so that the log refuses them: it must fail, and nothing may have
changed. Then for good: the entries must be these, with actor, organisation, address, user agent and request id.
"""
import contextlib
import itertools
import secrets
import subprocess

from party import PASSWORD, Party
from passkeys import Authenticator
from walk import Walk, bearer

AGENT = "Walker/1.0 (events of routes)"
NEW_PASSWORD = "Another-Horse-8-Battery"
ENDED = ["session.revoked", "token.revoked"]  # a session and its access token
# Routes that change nothing that lasts, and are asked by POST all the same.
ASKING = {"checkPermission", "explainDecision", "beginAssertion", "beginPasskeyLogin"}

class Scene:
    """Who takes part in one route's story: an owner, a member, an administrator, and somebody outside."""

    def __init__(self, party):
        self.party = party
        self.owner = party.person_of_role("OWNER")
        self.member = party.member(self.owner.org, "MEMBER", "member")
        self.root = party.administrator()
        self.org = f"/organisations/{self.owner.org}"
        self.things = party.things_of(self.owner)

    def account(self, status="active"):
        return self.party.new_account("scene", status)[0]

    def mailed(self, path, body, address, template):
        self.party.door.send("POST", path, None, body)
        return self.party.mailed_token(address, template)

    def invited(self, email):
        self.party.door.send("POST", f"{self.org}/invitations", bearer(self.owner.token), {"email": email, "role": "VIEWER"})
        return self.party.mailed_token(email, "invitation")


class Step:
    """A request, and what it leaves in the log."""

    def __init__(self, method, path, body=None, by=None, events=(), actor=None, org=None, status=200):
        self.method, self.path, self.body, self.by = method, path, body, by
        self.events, self.status = sorted(events), status
        self.actor = actor or (by.account if by else None)
        self.org = org or (by.org if by else None)


def sign_up(scene):
    email = scene.party.free_addresses(1)[0]
    return Step("POST", "/auth/signup", {"email": email, "password": PASSWORD}, events=["auth.signup", "user.created"], status=202, actor="new")


def verify_email(scene):
    email = scene.party.free_addresses(1)[0]
    token = scene.mailed("/auth/signup", {"email": email, "password": PASSWORD}, email, "verify-email")
    account = scene.party.value("SELECT id::text FROM rampart_auth.account WHERE email = %s", email)
    return Step("POST", "/auth/verify-email", {"token": token}, events=["auth.email_verified"], actor=account)


def resend(scene):
    account, email = scene.account("unverified")
    return Step("POST", "/auth/verify-email/resend", {"email": email}, events=["auth.verification_requested"], actor=account, status=202)


def log_in(scene):
    return Step("POST", "/auth/login", {"email": scene.member.email, "password": PASSWORD}, events=["auth.login_success"], actor=scene.member.account, org=scene.owner.org)


def fail_to_log_in(scene):
    return Step("POST", "/auth/login", {"email": scene.member.email, "password": "Wrong-Horse-7-Battery"}, events=["auth.login_failure"], actor=scene.member.account, status=401)


def lock_out(scene):
    for _ in range(4):
        scene.party.door.send("POST", "/auth/login", None, {"email": scene.member.email, "password": "x"})
    return Step("POST", "/auth/login", {"email": scene.member.email, "password": "x"}, events=["auth.lockout", "auth.login_failure"], actor=scene.member.account, status=401)


def refresh(scene):
    return Step("POST", "/auth/refresh", {"refresh_token": scene.member.refresh_token}, events=["session.renewed"], actor=scene.member.account, org=scene.owner.org)


def log_out(scene):
    return Step("POST", "/auth/logout", by=scene.member, events=["auth.logout", *ENDED], status=204)


def forget(scene):
    return Step("POST", "/auth/password/forgot", {"email": scene.member.email}, events=["auth.password_reset_requested"], actor=scene.member.account, status=202)


def reset(scene):
    token = scene.mailed("/auth/password/forgot", {"email": scene.member.email}, scene.member.email, "password-reset")
    return Step("POST", "/auth/password/reset", {"token": token, "new_password": NEW_PASSWORD}, events=["auth.password_reset", *ENDED], actor=scene.member.account, status=204)


def change_password(scene):
    scene.party.door.send("POST", "/auth/login", None, {"email": scene.member.email, "password": PASSWORD})
    return Step("POST", "/auth/password/change", {"old_password": PASSWORD, "new_password": NEW_PASSWORD}, by=scene.member, events=["auth.password_change", *ENDED], status=204)


def another_session(scene):
    answer = scene.party.door.send("POST", "/auth/login", None, {"email": scene.member.email, "password": PASSWORD})
    return scene.party.door.send("GET", "/auth/me", bearer(answer.json["access_token"])).json["session"]


def end_session(scene):
    return Step("DELETE", f"/auth/sessions/{another_session(scene)}", by=scene.member, events=ENDED, status=204)


def end_other_sessions(scene):
    another_session(scene)
    another_session(scene)
    return Step("DELETE", "/auth/sessions", by=scene.member, events=ENDED * 2, status=204)


def end_user_sessions(scene):
    return Step("DELETE", f"/admin/users/{scene.member.account}/sessions", by=scene.root, events=ENDED, status=204)


def administer(verb, status, events, answer=200):
    def step(scene):
        account = scene.member.account if status == "active" else scene.account(status)[0]
        return Step("POST", f"/admin/users/{account}/{verb}", by=scene.root, events=events, status=answer)
    return step


def create_api_key(scene):
    return Step("POST", "/api-keys", {"name": "Events", "scopes": ["a:b"]}, by=scene.owner, events=["apikey.created"], status=201)


def revoke_api_key(scene):
    return Step("DELETE", f"/api-keys/{scene.things['api_key']}", by=scene.owner, events=["apikey.revoked"], status=204)


def create_signing_key(scene):
    scene.party.query("DELETE FROM rampart_auth.signing_key WHERE activated_at IS NULL")
    return Step("POST", "/admin/signing-keys", by=scene.root, events=["signing_key.created", "token.key_added"], status=201)


def change_settings(scene):
    return Step("PATCH", "/admin/settings", {"lockout.minutes": 15, "lockout.failures": 5}, by=scene.root, events=["setting.changed"] * 2, status=204)


def put_setting(scene):
    return Step("PUT", "/admin/settings/lockout.minutes", {"value": 15}, by=scene.root, events=["setting.changed"], status=204)


def remove_setting(scene):
    scene.party.query("INSERT INTO rampart_auth.settings (name, value) VALUES ('lockout.minutes', '15') ON CONFLICT DO NOTHING")
    return Step("DELETE", "/admin/settings/lockout.minutes", by=scene.root, events=["setting.removed"], status=204)


def activate_signing_key(scene):
    scene.party.door.send("POST", "/admin/signing-keys", bearer(scene.root.token))
    return Step("POST", "/admin/signing-keys/activate", by=scene.root, events=["signing_key.activated"])


def create_organisation(scene):
    return Step("POST", "/organisations", {"name": "Events"}, by=scene.owner, events=["org.created"], org="new", status=201)


def owned(method, path, events, status=200, body=None):
    """A request of the owner's below the organisation; the path may name what is there."""
    def step(scene):
        return Step(method, scene.org + path.format(member=scene.member.account, **{k: v for k, v in scene.things.items() if k != "member"}), body, by=scene.owner, events=events, status=status)
    return step


def in_team(step):
    def prepared(scene):
        scene.party.query("INSERT INTO rampart_auth.team_member (org_id, team_id, account_id) VALUES (%s, %s, %s)", scene.owner.org, scene.things["team"], scene.member.account)
        return step(scene)
    return prepared


def accept_invitation(scene):
    guest = scene.party.person("guest")
    return Step("POST", "/invitations/accept", {"token": scene.invited(guest.email)}, by=guest, events=["org.member_added"], org=scene.owner.org)


def rule(name):
    number = itertools.count()

    def step(scene):
        body = {"type": "p", "rule": ["VIEWER", f"events{next(number)}", "read", "all"]}
        if name == "remove":
            scene.party.door.send("POST", "/rbac/rules", bearer(scene.root.token), body)
        return Step("POST", "/rbac/rules" + ("/remove" if name == "remove" else ""), body, by=scene.root, events=["policy.changed"])
    return step


# Second factors ---------------------------------------------------------------------------------------------------------

TOTP_SECRET, PHONE = b"12345678901234567890", "+12025550123"


def totp():
    return subprocess.run(["oathtool", "--totp", TOTP_SECRET.hex()], check=True, capture_output=True, text=True).stdout.strip()


def enrolled(scene, method="totp", confirmed=True):
    """The member has a factor."""
    return scene.party.value("INSERT INTO rampart_auth.mfa_factor (account_id, method, secret, phone, confirmed_at) "
                             "VALUES (%s, %s, %s, %s, CASE WHEN %s THEN now() END) RETURNING id::text",
                             scene.member.account, method, TOTP_SECRET if method == "totp" else None, PHONE if method == "sms" else None, confirmed)


def challenge(scene, method="totp"):
    """The id of a login that waits for the member's factor."""
    enrolled(scene, method)
    return scene.party.door.send("POST", "/auth/login", None, {"email": scene.member.email, "password": PASSWORD}).json["session_id"]


def of_member(method, path, events, body=None, status=200):
    return lambda scene: Step(method, path, body, by=scene.member, events=events, status=status)


def at_challenge(path, events, status=200, method="totp", **body):
    """A request of whoever knows the member's password."""
    return lambda scene: Step("POST", path, {"session_id": challenge(scene, method), **{k: v(scene) for k, v in body.items()}}, events=events, actor=scene.member.account,
                              org=scene.owner.org, status=status)


def mailed_code(scene):
    session = challenge(scene, "email")
    scene.party.door.send("POST", "/auth/mfa/email", None, {"session_id": session})
    code = [data["code"] for template, data in scene.party.mails(scene.member.email) if template == "mfa-code"][-1]
    return Step("POST", "/auth/mfa", {"session_id": session, "email_code": code}, events=["auth.mfa_success", "auth.login_success"], actor=scene.member.account, org=scene.owner.org)


def texted_code(scene):
    session = challenge(scene, "sms")
    scene.party.hook.posts.clear()
    scene.party.door.send("POST", "/auth/mfa/sms", None, {"session_id": session})
    return Step("POST", "/auth/mfa", {"session_id": session, "sms_code": scene.party.hook.code(PHONE)}, events=["auth.mfa_success", "auth.login_success"],
                actor=scene.member.account, org=scene.owner.org)


def set_up_phone(scene):
    enrolled(scene)
    return Step("POST", "/auth/mfa/setup", {"method": "sms", "phone": PHONE}, by=scene.member, events=["auth.mfa_code_sent", "auth.mfa_setup"])


def wrong_code(scene):
    code = "111111" if totp() != "111111" else "222222"
    return at_challenge("/auth/mfa", ["auth.mfa_failed"], 401, totp_code=lambda _: code)(scene)


def confirm_factor(scene):
    enrolled(scene, confirmed=False)
    return Step("POST", "/auth/mfa/verify", {"totp_code": totp()}, by=scene.member, events=["auth.mfa_enabled"])


def step_up_by_factor(scene):
    enrolled(scene)
    return Step("POST", "/auth/mfa/step-up", {}, by=scene.member, events=["auth.mfa_challenged"])


def remove_factor(scene):
    return Step("DELETE", f"/auth/mfa/factors/{enrolled(scene)}", by=scene.member, events=["auth.mfa_disabled"], status=204)


def renew_backup_codes(scene):
    enrolled(scene)
    return Step("POST", "/auth/mfa/backup-codes", by=scene.member, events=["auth.mfa_backup_renewed"])


def forget_device(scene):
    device = scene.party.value("INSERT INTO rampart_auth.trusted_device (account_id, hash, expires_at) VALUES (%s, %s, now() + interval '1 day') RETURNING id::text",
                               scene.member.account, secrets.token_bytes(32))
    return Step("DELETE", f"/auth/mfa/devices/{device}", by=scene.member, events=["auth.device_revoked"], status=204)


def recovery_address(scene):
    address = scene.party.free_addresses(1)[0]
    scene.party.door.send("PUT", "/auth/mfa/recovery-email", bearer(scene.member.token), {"email": address})
    return address, scene.party.mailed_token(address, "verify-recovery-email")


def verify_recovery_address(scene):
    return Step("POST", "/auth/mfa/recovery-email/verify", {"token": recovery_address(scene)[1]}, events=["auth.recovery_email_verified"], actor=scene.member.account, status=204)


def request_recovery(scene):
    scene.party.door.send("POST", "/auth/mfa/recovery-email/verify", None, {"token": recovery_address(scene)[1]})
    return at_challenge("/auth/mfa/recovery", ["auth.mfa_recovery_requested"], 202)(scene)


def recover(scene):
    address, token = recovery_address(scene)
    scene.party.door.send("POST", "/auth/mfa/recovery-email/verify", None, {"token": token})
    scene.party.door.send("POST", "/auth/mfa/recovery", None, {"session_id": challenge(scene)})
    return Step("POST", "/auth/mfa/recovery/confirm", {"token": scene.party.mailed_token(address, "mfa-recovery")}, events=["auth.mfa_recovered", *ENDED],
                actor=scene.member.account, status=204)


def force_off(scene):
    enrolled(scene)
    return Step("POST", f"/admin/users/{scene.member.account}/mfa/disable", {"reason": "lost"}, by=scene.root, events=["auth.mfa_force_disabled", *ENDED], status=204)


def reset_grace(scene):
    return Step("POST", f"/admin/users/{scene.party.person_of_role('ADMIN').account}/mfa/grace", by=scene.root, events=["auth.mfa_grace_reset"])


def require_mfa(scene):
    return Step("PUT", "/admin/mfa/requirements", {"role": "ADMIN", "grace_days": 14}, by=scene.root, events=["auth.mfa_requirement_changed"])


def finish_registration(scene):
    options = scene.party.door.send("POST", "/auth/mfa/webauthn/register", bearer(scene.member.token), {}).json
    return Step("POST", "/auth/mfa/webauthn/register/finish", Authenticator(scene.party.server).create(options), by=scene.member, events=["auth.mfa_enabled"], status=201)


def passkey_of_member(scene):
    key, door, by = Authenticator(scene.party.server), scene.party.door, bearer(scene.member.token)
    door.send("POST", "/auth/mfa/webauthn/register/finish", by, key.create(door.send("POST", "/auth/mfa/webauthn/register", by, {}).json))
    key.counter += 1
    return key, door


def log_in_by_passkey(scene):
    key, door = passkey_of_member(scene)
    return Step("POST", "/auth/login/passkey/finish", key.log_in(door.send("POST", "/auth/login/passkey").json, scene.member.account),
                events=["auth.mfa_success", "auth.login_success"], actor=scene.member.account, org=scene.owner.org)


def fail_by_passkey(scene):
    key, door = passkey_of_member(scene)
    key.counter = 0
    return Step("POST", "/auth/login/passkey/finish", key.log_in(door.send("POST", "/auth/login/passkey").json, scene.member.account),
                events=["auth.mfa_failed"], actor=scene.member.account, status=401)


def unknown_passkey(scene):
    key = Authenticator(scene.party.server)
    return Step("POST", "/auth/login/passkey/finish", key.log_in(scene.party.door.send("POST", "/auth/login/passkey").json, scene.member.account),
                events=["auth.login_failure"], status=401)


def finish_assertion(scene):
    key, door = passkey_of_member(scene)
    session = door.send("POST", "/auth/login", None, {"email": scene.member.email, "password": PASSWORD}).json["session_id"]
    return Step("POST", "/auth/mfa/webauthn/finish", {"session_id": session, **key.get(door.send("POST", "/auth/mfa/webauthn", None, {"session_id": session}).json)},
                events=["auth.mfa_success", "auth.login_success"], actor=scene.member.account, org=scene.owner.org)


ROUTES = {
    "answerChallenge": [at_challenge("/auth/mfa", ["auth.mfa_success", "auth.login_success"], totp_code=lambda _: totp()), mailed_code, texted_code, wrong_code],
    "mailCode": [at_challenge("/auth/mfa/email", ["auth.mfa_code_sent"], 202, "email")],
    "sendSms": [at_challenge("/auth/mfa/sms", ["auth.mfa_code_sent"], 202, "sms")],
    "setUpFactor": [of_member("POST", "/auth/mfa/setup", ["auth.mfa_setup"], {"method": "totp"}), set_up_phone], "confirmFactor": [confirm_factor],
    "stepUp": [of_member("POST", "/auth/mfa/step-up", ["auth.mfa_success"], {"password": PASSWORD}), step_up_by_factor],
    "removeFactor": [remove_factor], "renewBackupCodes": [renew_backup_codes], "forgetDevice": [forget_device],
    "setRecoveryEmail": [of_member("PUT", "/auth/mfa/recovery-email", ["auth.recovery_email_set"], {"email": "elsewhere@example.org"}, 202)],
    "verifyRecoveryEmail": [verify_recovery_address], "requestRecovery": [request_recovery], "recover": [recover],
    "disableUserMfa": [force_off], "resetGrace": [reset_grace], "requireMfa": [require_mfa],
    "beginRegistration": [of_member("POST", "/auth/mfa/webauthn/register", ["auth.mfa_setup"], {})], "finishRegistration": [finish_registration],
    "finishAssertion": [finish_assertion], "finishPasskeyLogin": [log_in_by_passkey, fail_by_passkey, unknown_passkey],
    "signUp": [sign_up], "verifyEmail": [verify_email], "resendVerification": [resend], "logIn": [log_in, fail_to_log_in, lock_out], "refresh": [refresh], "logOut": [log_out],
    "forgotPassword": [forget], "resetPassword": [reset], "changePassword": [change_password],
    "endSession": [end_session], "endOtherSessions": [end_other_sessions], "endUserSessions": [end_user_sessions],
    "approveUser": [administer("approve", "awaiting_approval", ["user.approved"])], "rejectUser": [administer("reject", "awaiting_approval", ["user.rejected"])],
    "disableUser": [administer("disable", "active", [*ENDED, "user.disabled"])], "enableUser": [administer("enable", "disabled", ["user.enabled"])],
    "unlockUser": [administer("unlock", "active", ["user.unlocked"], 204)],
    "createApiKey": [create_api_key], "revokeApiKey": [revoke_api_key], "createSigningKey": [create_signing_key], "activateSigningKey": [activate_signing_key],
    "changeSettings": [change_settings], "putSetting": [put_setting], "removeSetting": [remove_setting],
    "createOrganisation": [create_organisation], "renameOrganisation": [owned("PATCH", "", ["org.updated"], body={"name": "Renamed"})],
    "deleteOrganisation": [owned("DELETE", "", ["org.deleted"], 204)],
    "changeRole": [owned("PATCH", "/members/{member}", ["org.member_role_changed"], body={"role": "VIEWER"})],
    "removeMember": [owned("DELETE", "/members/{member}", ["org.member_removed"], 204)],
    "invite": [owned("POST", "/invitations", ["user.invited"], 201, {"email": "events@example.com", "role": "MEMBER"})],
    "revokeInvitation": [owned("DELETE", "/invitations/{invitation}", ["org.invitation_revoked"], 204)], "acceptInvitation": [accept_invitation],
    "createTeam": [owned("POST", "/teams", ["team.created"], 201, {"name": "Events"})], "changeTeam": [owned("PATCH", "/teams/{team}", ["team.updated"], body={"name": "Renamed"})],
    "deleteTeam": [owned("DELETE", "/teams/{team}", ["team.deleted"], 204)],
    "addTeamMember": [owned("PUT", "/teams/{team}/members/{member}", ["team.member_added"], 204)],
    "removeTeamMember": [in_team(owned("DELETE", "/teams/{team}/members/{member}", ["team.member_removed"], 204))],
    "addRule": [rule("add")], "removeRule": [rule("remove")],
}


def send(door, step, request_id):
    headers = {"X-Request-Id": request_id, "User-Agent": AGENT, **(bearer(step.by.token) if step.by else {})}
    if step.by and step.by.org:
        headers["X-Tenant-Id"] = step.by.org
    return door.send(step.method, step.path, headers, step.body)


@contextlib.contextmanager
def undefined(party, events):
    """While this lasts the log refuses these events."""
    party.database.query("CREATE TABLE public.undefined AS SELECT * FROM rampart.audit_event_type WHERE name = ANY (%s)", (events,))
    party.database.query("DELETE FROM rampart.audit_event_type WHERE name = ANY (%s)", (events,))
    try:
        yield
    finally:
        party.database.query("INSERT INTO rampart.audit_event_type TABLE public.undefined")
        party.database.query("DROP TABLE public.undefined")


def check_refused(party, name, step, report):
    with undefined(party, step.events):
        before = party.state()
        answer = send(party.door, step, f"refused-{secrets.token_hex(8)}")
        after = party.state()
    changed = sorted(table for table in before if before[table] != after[table])
    report.ok(answer.code == "internal_error" and not changed, f"events: {name}: nothing is done that the log does not take", f"{answer!r}\nchanged: {changed}")


def check_logged(party, walk, name, step, report):
    request_id = f"events-{secrets.token_hex(8)}"
    answer = send(walk, step, request_id)
    rows = party.database.query("SELECT event, actor, org, host(ip), user_agent, xid::text FROM rampart.audit_log WHERE request_id = %s ORDER BY id", (request_id,))
    got = (answer.status, sorted(row[0] for row in rows))
    report.ok(got == (step.status, step.events), f"events: {name}: {', '.join(step.events)}", f"{answer!r}\nlogged {got[1]}")
    whose = {(row[1] if step.actor != "new" else "new", row[2] if step.org != "new" else "new", *row[3:5]) for row in rows}
    report.equal(whose, {(step.actor, step.org, "127.0.0.1", AGENT)}, f"events: {name}: with actor, organisation, address and user agent")
    report.equal(len({row[5] for row in rows}), 1, f"events: {name}: of one transaction")


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    changing = {o.item["operationId"] for o in walk.operations if o.method != "GET"} - ASKING
    report.equal(sorted(changing ^ ROUTES.keys()), [], "events: every route that changes something is in the table")
    for name, stories in ROUTES.items():
        for story in stories:
            label = name if len(stories) == 1 else f"{name} ({story.__name__})"
            party.wait_for_sms()
            check_refused(party, label, story(Scene(party)), report)
            check_logged(party, walk, label, story(Scene(party)), report)
    walk.report(report, "events")
