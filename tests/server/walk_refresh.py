"""One refresh token in many hands: sixteen at once, again within the window, and after it."""
import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor

from party import Party

AT_ONCE = 16


def digest(token):
    return hashlib.sha256(token.encode()).digest()


def renew(door, token):
    return door.send("POST", "/auth/refresh", None, {"refresh_token": token})


def family(party, session):
    return party.value("SELECT count(*) FROM rampart_auth.refresh_token WHERE session_id = %s", session)


def at_once(party, token):
    doors = [party.new_door() for _ in range(AT_ONCE)]
    for door in doors:
        door.send("GET", "/.well-known/jwks.json")  # connected, so that all begin together
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda door: renew(door, token), doors))
    for door in doors:
        door.close()
    return answers


def check_at_once(party, report):
    person = party.person("refresh")
    answers = at_once(party, person.refresh_token)
    report.equal([answer.status for answer in answers], [200] * AT_ONCE, "refresh: sixteen at once with one token are all answered")
    successors = {answer.json.get("refresh_token") for answer in answers if answer.status == 200}
    report.equal(len(successors), 1, "refresh: all with the same successor")
    report.equal(family(party, person.session), 2, "refresh: the family has one member more")
    report.equal(party.value("SELECT count(*) FROM rampart_auth.session WHERE account_id = %s", person.account), 1, "refresh: and is one family")
    return person, successors.pop()


def check_window(party, person, successor, report):
    again = renew(party.door, person.refresh_token)
    report.equal((again.status, (again.json or {}).get("refresh_token")), (200, successor), "refresh: within the window the same successor again")
    newer = renew(party.door, successor).json["refresh_token"]
    report.equal(renew(party.door, person.refresh_token).status, 200, "refresh: within the window also when the successor was used")
    return newer


def check_reuse(party, person, newest, report):
    party.query("UPDATE rampart_auth.refresh_token SET used_at = used_at - interval '1 minute' WHERE hash = %s", digest(person.refresh_token))
    reused = party.door.send("POST", "/auth/refresh", {"X-Request-Id": "walk-refresh-reuse"}, {"refresh_token": person.refresh_token})
    report.equal((reused.status, reused.code), (401, "session_ended"), "refresh: after the window reuse is refused")
    report.equal(renew(party.door, newest).code, "session_ended", "refresh: and the newest of the family is worth nothing any more")
    report.equal(party.door.send("GET", "/auth/me", {"Authorization": f"Bearer {person.token}"}).status, 401, "refresh: nor is the access token")
    logged = party.database.query("SELECT event, actor, severity FROM rampart.audit_log WHERE request_id = 'walk-refresh-reuse' ORDER BY id")
    report.equal([row[:2] for row in logged[:2]], [("auth.token_reused", person.account), ("token.revoked", person.account)], "refresh: auth.token_reused stands in the log")
    report.ok(logged and logged[0][2] in ("high", "critical"), "refresh: as something to be alerted of", logged)


def check_reuse_at_once(party, report):
    """Sixteen thieves after the window: all are refused, the family dies once."""
    person = party.person("refresh-thieves")
    renew(party.door, person.refresh_token)
    party.query("UPDATE rampart_auth.refresh_token SET used_at = used_at - interval '1 minute' WHERE hash = %s", digest(person.refresh_token))
    codes = {answer.code for answer in at_once(party, person.refresh_token)}
    report.equal(codes, {"session_ended"}, "refresh: sixteen reuses at once are all refused")
    report.equal(party.database.value("SELECT count(*) FROM rampart.audit_log WHERE event = 'auth.token_reused' AND actor = %s", (person.account,)), 1, "refresh: and are one event")


def check_forged(party, report):
    person = party.person("refresh-forged")
    token = person.refresh_token
    for what, value in (("another", base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()), ("with a letter more", token + "A"), ("in capitals", token.upper()),
                        ("an access token's beginning", person.token[:43]), ("its own hash", digest(token).hex())):
        answer = renew(party.door, value)
        report.equal((answer.status, answer.code), (401, "session_ended"), f"refresh: a token that is none: {what}")
    report.equal(party.door.send("POST", "/auth/refresh", None, {}).code, "session_ended", "refresh: no token at all")
    party.query("UPDATE rampart_auth.refresh_token SET expires_at = now() WHERE hash = %s", digest(token))
    report.equal(renew(party.door, token).code, "session_ended", "refresh: a token that has expired")


def check(world, report):
    party = Party(world)
    person, successor = check_at_once(party, report)
    newest = check_window(party, person, successor, report)
    check_reuse(party, person, newest, report)
    check_reuse_at_once(party, report)
    check_forged(party, report)
