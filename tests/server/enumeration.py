"""No answer tells whether an address has an account: by its status, its body, its headers, or the time it takes."""
import statistics
import time

from party import Party

PAIRS = 60
# Probability that an answer about an address with an account comes later than one about another: 0.5 where nothing is told.
# With 60 of each, chance alone stays within 0.5 +- 0.19 in all but one of some 3,000 runs.
TOLD = 0.19
VARYING = {"x-request-id", "date", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-remaining", "content-length", "keep-alive"}


def later(known, unknown):
    """By ranks: how often a member of the one sample is above one of the other; ties count half."""
    return sum((a > b) + (a == b) / 2 for a in known for b in unknown) / (len(known) * len(unknown))


def shape(answer):
    """What stays of an answer when what differs from request to request is taken out."""
    body = answer.json
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != "traceId"}
    return answer.status, body, sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in VARYING)


def flows(party):
    """(name, request for an address with an account, the same for one without): each address is used once."""
    def post(path, **body):
        return party.door.send("POST", path, None, body)
    wrong, good = "Wrong-Horse-7-Battery", "Correct-Horse-7-Battery"
    yield "log-in", party.active_addresses, lambda email: post("/auth/login", email=email, password=wrong)
    yield "sign-up", party.active_addresses, lambda email: post("/auth/signup", email=email, password=good)
    yield "forgotten password", party.active_addresses, lambda email: post("/auth/password/forgot", email=email)
    yield "another verification mail", party.unverified_addresses, lambda email: post("/auth/verify-email/resend", email=email)


def measure(request, email):
    began = time.perf_counter()
    answer = request(email)
    return time.perf_counter() - began, answer


def check(world, report):
    party = Party(world)
    for name, known_addresses, request in flows(party):
        known, unknown, shapes = [], [], set()
        for index, (somebody, nobody) in enumerate(zip(known_addresses(PAIRS), party.free_addresses(PAIRS))):
            order = [(known, somebody), (unknown, nobody)]
            for times, email in order if index % 2 else reversed(order):
                took, answer = measure(request, email)
                times.append(took)
                shapes.add(repr(shape(answer)))
        report.equal(len(shapes), 1, f"enumeration: {name}: one status, body and set of headers" + "".join(f"\n#   {s}" for s in sorted(shapes)[:3] if len(shapes) > 1))
        told = later(known, unknown)
        medians = ", ".join(f"{statistics.median(times) * 1000:.2f} ms" for times in (known, unknown))
        report.ok(abs(told - 0.5) < TOLD, f"enumeration: {name}: the time does not tell ({told:.2f} later; medians {medians})")
