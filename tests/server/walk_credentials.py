"""Every route that needs a credential, with none and with each that is worth nothing."""
from forged_tokens import Forger
from party import Party
from walk import Walk, bearer

ENDED = "session_ended"
NOT_IN = {"not_authenticated", ENDED}
# Another route that needs no credential has to be written here as well.
PUBLIC = """openApi signUp verifyEmail resendVerification logIn answerChallenge mailCode sendSms beginAssertion finishAssertion beginPasskeyLogin finishPasskeyLogin requestRecovery recover
verifyRecoveryEmail refresh forgotPassword resetPassword jwks""".split()


def request(walk, operation, headers):
    body = walk.body(operation)
    return walk.send(operation.method, walk.path(operation), headers, body)


def credentials(party):
    """(what it is, headers) of all that nobody may come in with."""
    person = party.person("credentials")
    kid, private_pem, public_pem = party.signing_key()
    forger = Forger(person.token, private_pem, public_pem)
    assert forger.header["kid"] == kid
    yield "nothing", {}
    yield "an empty header", {"Authorization": ""}
    yield "Basic", {"Authorization": "Basic cm9vdDpyb290"}
    yield "a token without its scheme", {"Authorization": person.token}
    yield "a token behind a comma", {"Authorization": f"Basic x, Bearer {person.token}"}
    yield "a refresh token", bearer(person.refresh_token)
    yield "an API key's header with a token", {"X-API-Key": person.token}
    yield "a token in a cookie of another name", {"Cookie": f"rampart_access={person.token}"}
    yield "a token in a cookie, twice", {"Cookie": f"__Host-rampart_access={person.token}; __Host-rampart_access={person.token}"}
    yield "a token of a session that has ended", bearer(party.ended_session_token())
    yield "a token of an account that is disabled", bearer(party.disabled_account_token())
    for what, token in forger.forgeries():
        yield f"a token: {what}", bearer(token)


def check_unknown_key(walk, report):
    """An API key that is none: refused as a key where only persons may come, and as no credential elsewhere."""
    wrong = []
    for operation in walk.operations:
        if operation.secured:
            takes = any("apiKey" in way for way in operation.item["security"])
            for headers in ({"X-API-Key": "rmp_" + "A" * 43}, bearer("rmp_" + "A" * 43)):
                answer = request(walk, operation, headers)
                if answer.status != (401 if takes else 403) or answer.code not in (NOT_IN if takes else {"forbidden"}):
                    wrong.append(f"{operation.name}: {answer!r}")
    report.ok(not wrong, "credentials: an API key that is none", "\n".join(wrong[:10]))


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    secured = [operation for operation in walk.operations if operation.secured]
    public = sorted(operation.item["operationId"] for operation in walk.operations if not operation.secured)
    report.equal(public, sorted(PUBLIC), "credentials: the routes that need none are these")
    for what, headers in credentials(party):
        answers = {operation.name: request(walk, operation, headers) for operation in secured}
        wrong = [f"{name}: {answer!r}" for name, answer in answers.items() if answer.status != 401 or answer.code not in NOT_IN]
        report.ok(not wrong, f"credentials: {what}: each of {len(answers)} routes answers 401", "\n".join(wrong[:10]))
        unsaid = [name for name, answer in answers.items() if not (answer.header("WWW-Authenticate") or "").startswith("Bearer")]
        if unsaid:
            report.ok(False, f"credentials: {what}: WWW-Authenticate", unsaid[:5])
    forger = Forger(party.person("credentials").token, *party.signing_key()[1:])
    report.equal(walk.send("GET", "/auth/me", bearer(forger.genuine())).status, 200, "credentials: the forger's token is taken where nothing is wrong with it")
    check_unknown_key(walk, report)
    two = walk.send("GET", "/auth/me", {**bearer(forger.token), "X-API-Key": "rmp_" + "A" * 43})
    report.equal((two.status, two.code), (400, "malformed_request"), "credentials: two at once")
    walk.report(report, "credentials")
