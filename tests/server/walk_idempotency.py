"""Idempotency-Key: a request that is sent again has its effect once, and is answered as the first one was."""
from concurrent.futures import ThreadPoolExecutor

from party import Party
from walk import Walk, bearer

AT_ONCE = 20


def keyed(person, key, **more):
    return bearer(person.token, **{"Idempotency-Key": key, **more})


def teams(party, person):
    return party.value("SELECT count(*) FROM rampart_auth.team WHERE org_id = %s", person.org)


def check_replay(party, walk, person, path, report):
    first = walk.send("POST", path, keyed(person, "replay-1"), {"name": "First"})
    again = walk.send("POST", path, keyed(person, "replay-1"), {"name": "First"})
    report.equal((again.status, again.json), (first.status, first.json), "idempotency: the same request again has the same answer")
    report.equal((first.header("Idempotency-Replayed"), again.header("Idempotency-Replayed")), (None, "true"), "idempotency: which says that it is a replay")
    report.equal((first.status, teams(party, person)), (201, 1), "idempotency: and one effect")
    other = walk.send("POST", path, keyed(person, "replay-1"), {"name": "Other"})
    report.equal((other.status, other.code), (422, "idempotency_key_reused"), "idempotency: another body with the key is refused")
    report.equal(walk.send("POST", path, keyed(person, "replay-2"), {"name": "First"}).code, "conflict", "idempotency: another key is another request")


def check_at_once(party, person, path, report):
    doors = [party.new_door() for _ in range(AT_ONCE)]
    before = teams(party, person)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda door: door.send("POST", path, keyed(person, "at-once"), {"name": "At once"}), doors))
    for door in doors:
        door.close()
    report.equal(sorted({(answer.status, answer.text) for answer in answers}), [(201, answers[0].text)], "idempotency: twenty at once have one answer")
    report.equal(teams(party, person), before + 1, "idempotency: and one effect")


def check_whose(party, walk, person, path, report):
    """A key is its caller's: others who use it meet nothing of his."""
    other = party.person_of_role("OWNER")
    theirs = walk.send("POST", f"/organisations/{other.org}/teams", keyed(other, "replay-1"), {"name": "First"})
    report.ok(theirs.status == 201 and theirs.header("Idempotency-Replayed") is None, "idempotency: a key of another caller is another key", theirs)
    colleague = party.member(person.org, "ADMIN")
    answer = walk.send("POST", path, keyed(colleague, "replay-1"), {"name": "Colleague's"})
    report.ok(answer.status in (201, 403) and answer.header("Idempotency-Replayed") is None, "idempotency: of a colleague too", answer)
    party.demote(person, "VIEWER")
    late = walk.send("POST", path, keyed(person, "replay-1"), {"name": "First"})
    report.equal((late.status, late.code), (403, "forbidden"), "idempotency: who may not any more is not given the answer again")
    ended = party.person("idempotency-ended")
    walk.send("POST", "/organisations", keyed(ended, "ended"), {"name": "Ended"})
    walk.send("POST", "/auth/logout", bearer(ended.token))
    report.equal(walk.send("POST", "/organisations", keyed(ended, "ended"), {"name": "Ended"}).status, 401, "idempotency: nor is who has logged out")


def check_failures(party, walk, report):
    """What failed has had no effect and may be tried again."""
    person = party.person_of_role("OWNER")
    path = f"/organisations/{person.org}/teams"
    refused = walk.send("POST", path, keyed(person, "failed"), {"name": ""})
    again = walk.send("POST", path, keyed(person, "failed"), {"name": "Good"})
    report.equal((refused.status, again.status), (422, 201), "idempotency: a request that was refused does not use its key up")
    for what, key in (("too long", "x" * 256), ("with a space", "a b"), ("with other letters", "caf\u00e9")):
        answer = walk.send("POST", path, keyed(person, key), {"name": "Key"})
        report.equal((answer.status, answer.code), (400, "malformed_request"), f"idempotency: a key that is {what}")
    two = [*bearer(person.token).items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    report.equal(walk.send("POST", path, two, {"name": "Key"}).code, "malformed_request", "idempotency: two keys")


def check_at_rest(party, walk, report):
    """The answer is kept encrypted: it may hold a key that is shown once."""
    person = party.person_of_role("OWNER")
    made = walk.send("POST", "/api-keys", keyed(person, "secret"), {"name": "Kept", "scopes": ["a:b"]})
    again = walk.send("POST", "/api-keys", keyed(person, "secret"), {"name": "Kept", "scopes": ["a:b"]})
    report.ok(made.status == 201 and made.json == again.json, "idempotency: an API key is shown again to the same request", (made, again))
    stored = party.dumped("idempotency")
    report.ok(made.json["key"] not in stored, "idempotency: and is not in the database in the clear")


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    person = party.person_of_role("OWNER")
    path = f"/organisations/{person.org}/teams"
    check_replay(party, walk, person, path, report)
    check_at_once(party, person, path, report)
    check_whose(party, walk, person, path, report)
    check_failures(party, walk, report)
    check_at_rest(party, walk, report)
    walk.report(report, "idempotency")
