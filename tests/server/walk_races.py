"""What counts once, asked for by many at once; and what changes while a request is on its way."""
import secrets
from concurrent.futures import ThreadPoolExecutor

from database import on
from party import PASSWORD, Party
from walk import bearer

AT_ONCE = 12


def at_once(party, requests):
    """Answers to requests (arguments of Door.send) that are sent together, each by its own connection."""
    doors = [party.new_door() for _ in requests]
    for door in doors:
        door.send("GET", "/.well-known/jwks.json")
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(lambda pair: pair[0].send(*pair[1]), zip(doors, requests)))
    for door in doors:
        door.close()
    return answers


def check_tokens(party, report):
    """A mailed token is taken once."""
    email = party.free_addresses(1)[0]
    party.door.send("POST", "/auth/signup", None, {"email": email, "password": PASSWORD})
    token = party.mailed_token(email, "verify-email")
    answers = at_once(party, [("POST", "/auth/verify-email", None, {"token": token})] * AT_ONCE)
    report.equal(sorted(a.status for a in answers), [200] + [400] * (AT_ONCE - 1), "races: a verification is taken once")
    party.door.send("POST", "/auth/password/forgot", None, {"email": email})
    token = party.mailed_token(email, "password-reset")
    wishes = [f"Another-Horse-{number}-Battery" for number in range(4)]
    answers = at_once(party, [("POST", "/auth/password/reset", None, {"token": token, "new_password": wish}) for wish in wishes])
    report.equal(sorted(a.status for a in answers), [204, 400, 400, 400], "races: a reset is taken once")
    entered = [party.door.send("POST", "/auth/login", None, {"email": email, "password": wish}).status for wish in wishes]
    report.equal([status == 200 for status in entered], [a.status == 204 for a in answers], "races: and the password is the one that was answered so")


def check_sign_up(party, report):
    email = party.free_addresses(1)[0]
    answers = at_once(party, [("POST", "/auth/signup", None, {"email": email, "password": PASSWORD})] * 6)
    report.equal({(a.status, a.text) for a in answers}, {(202, answers[0].text)}, "races: sign-ups with one address are answered alike")
    report.equal(party.value("SELECT count(*) FROM rampart_auth.account WHERE email = %s", email), 1, "races: and make one account")


def check_invitation(party, report):
    owner, guest = party.person_of_role("OWNER"), party.person("guest")
    party.door.send("POST", f"/organisations/{owner.org}/invitations", bearer(owner.token), {"email": guest.email, "role": "VIEWER"})
    token = party.mailed_token(guest.email, "invitation")
    answers = at_once(party, [("POST", "/invitations/accept", bearer(guest.token), {"token": token})] * AT_ONCE)
    report.equal(sorted(a.status for a in answers), [200] + [400] * (AT_ONCE - 1), "races: an invitation is accepted once")


def check_last_owner(party, report):
    """Two owners who remove each other, or step down, at once: one stays."""
    for what, request in (("are removed", lambda other: ("DELETE", other, None)), ("step down", lambda other: ("PATCH", other, {"role": "MEMBER"}))):
        one = party.person_of_role("OWNER")
        two = party.member(one.org, "OWNER")
        members = f"/organisations/{one.org}/members/"
        requests = [(method, path, bearer(by.token), body) for by, whom in ((one, two), (two, one)) for method, path, body in [request(members + whom.account)]]
        at_once(party, requests)
        owners = party.value("SELECT count(*) FROM rampart_auth.membership WHERE org_id = %s AND role = 'OWNER'", one.org)
        report.equal(owners, 1, f"races: owners who {what} at once leave one")


def check_login(party, report):
    """A login that has verified the old password while another was being set does not get in."""
    account, email = party.new_account("late")[0]
    session = party.database.connect("postgres", autocommit=False)
    on(session, "UPDATE rampart_auth.account SET password_hash = password_hash || 'x' WHERE id = %s", (account,))
    with ThreadPoolExecutor(1) as pool:
        login = pool.submit(party.door.send, "POST", "/auth/login", None, {"email": email, "password": PASSWORD})
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%accept_login%%' AND datname = current_database()"
        waited = any(party.database.value(waits) for _ in range(400))
        session.commit()
        answer = login.result()
    session.close()
    report.ok(waited, "races: the login waits for the change of the password")
    report.equal((answer.status, answer.code), (401, "invalid_credentials"), "races: and is refused when it has happened")
    report.equal(party.value("SELECT count(*) FROM rampart_auth.session WHERE account_id = %s", account), 0, "races: no session was begun")


def check_keys(party, report):
    """The next signing key is made once."""
    root = party.administrator()
    party.query("DELETE FROM rampart_auth.signing_key WHERE activated_at IS NULL")
    answers = at_once(party, [("POST", "/admin/signing-keys", bearer(root.token), None)] * 6)
    report.equal(sorted(a.status for a in answers), [201] + [409] * 5, "races: one next signing key is made")
    answers = at_once(party, [("POST", "/admin/signing-keys/activate", bearer(root.token), None)] * 6)
    report.equal(sorted(a.status for a in answers), [200] + [409] * 5, "races: and activated once")
    active = party.value("SELECT count(*) FROM rampart_auth.signing_key WHERE activated_at IS NOT NULL AND retired_at IS NULL")
    report.equal(active, 1, "races: one key signs")


def check_lockout(party, report):
    """Twenty guesses at once are counted like twenty one after the other."""
    email = party.active_addresses(1)[0]
    guesses = [("POST", "/auth/login", None, {"email": email, "password": f"Guess-{secrets.token_hex(4)}"}) for _ in range(20)]
    at_once(party, guesses)
    right = party.door.send("POST", "/auth/login", None, {"email": email, "password": PASSWORD})
    report.equal((right.status, right.code), (429, "login_locked"), "races: guesses at once lock the account too")


def check(world, report):
    party = Party(world)
    check_tokens(party, report)
    check_sign_up(party, report)
    check_invitation(party, report)
    check_last_owner(party, report)
    check_login(party, report)
    check_keys(party, report)
    check_lockout(party, report)
