"""Every route with every body, query, path and method that is wrong in one way: the documented refusal, and nothing done."""
import json
import urllib.parse

from party import Party
from walk import JSON_TYPE, Walk, bearer
from walk_schema import example, invalid_bodies, malformed_bodies, wrong_values

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Values of a query that are no JSON of another type: everything in a query is text.
TEXTUAL = (str, int)


def expect(wrong, operation, what, answer, *expected):
    if (answer.status, answer.code) not in expected:
        wrong.append(f"{operation.name}: {what}: {answer!r}")


class Bodies:
    def __init__(self, walk, admin):
        self.walk, self.headers, self.org, self.count = walk, bearer(admin.token), admin.org, 0

    def send(self, operation, body, headers=None, target=None):
        self.count += 1
        return self.walk.send(operation.method, target or self.walk.path(operation, organisation=self.org),
                              {**(self.headers if operation.secured else {}), **(headers or {})}, body)

    def check_invalid(self, report):
        wrong, silent = [], []
        for operation in self.walk.operations:
            for what, body in invalid_bodies(self.walk.document.resolve, operation.body_schema) if operation.body_schema else ():
                answer = self.send(operation, body)
                expect(wrong, operation, what, answer, (422, "validation_failed"))
                if answer.status == 422 and not (answer.json or {}).get("errors"):
                    silent.append(f"{operation.name}: {what}")
            for body in ([], "x", 7, True, None) if operation.body_schema else ():
                expect(wrong, operation, f"the body is {body!r}", self.send(operation, json.dumps(body).encode(), JSON_TYPE), (422, "validation_failed"))
        report.ok(not wrong, f"bodies: {self.count} that the schema does not take are refused", "\n".join(wrong[:25]))
        report.equal(silent[:10], [], "bodies: the refusal says where, by JSON pointer")

    def check_malformed(self, report):
        wrong = []
        for operation in self.walk.operations:
            if not operation.body_schema:
                continue
            good = self.walk.body(operation)
            for what, body in malformed_bodies(good):
                expect(wrong, operation, what, self.send(operation, body, JSON_TYPE), (400, "malformed_json"))
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "application/xml", ""):
                expect(wrong, operation, f"Content-Type {kind}", self.send(operation, good, {"Content-Type": kind}), (415, "unsupported_media_type"))
            large = b'{"x": "' + b"x" * (Party.MAX_BODY + 1) + b'"}'
            expect(wrong, operation, "a large body", self.send(operation, large, JSON_TYPE), (413, "body_too_large"))
        report.ok(not wrong, "bodies: what is no JSON, no JSON by its type, or too large is refused", "\n".join(wrong[:25]))

    def check_unasked(self, report):
        """A body where none is taken."""
        wrong = []
        for operation in self.walk.operations:
            if operation.body_schema is None and operation.method in ("POST", "PUT", "PATCH"):
                expect(wrong, operation, "a body", self.send(operation, {"role": "SUPER_ADMIN"}), (400, "malformed_request"))
        report.ok(not wrong, "bodies: where none is taken, one is refused", "\n".join(wrong))

    def check_queries(self, report):
        wrong = []
        for operation in self.walk.operations:
            path = self.walk.path(operation, organisation=self.org)
            body = self.walk.body(operation)
            if operation.method == "GET" or body is not None:
                for query in ("no_such_parameter=1", "a=%00", "a=%ff", "%ff=a", "__proto__=1"):
                    expect(wrong, operation, f"?{query}", self.send(operation, body, target=f"{path}?{query}"), (422, "validation_failed"), (400, "malformed_request"))
            for name, parameter in operation.query_parameters.items():
                values = [(what, value) for what, value in wrong_values(self.walk.document.resolve, parameter["schema"]) if isinstance(value, TEXTUAL) and value is not True]
                for what, value in values:
                    if "integer" not in str(parameter["schema"]["type"]) and what.startswith("is ") and what[3:] in ("integer", "string"):
                        continue  # any text will do
                    target = f"{path}?{name}={urllib.parse.quote(str(value))}"
                    expect(wrong, operation, f"?{name} {what}", self.send(operation, body, target=target), (422, "validation_failed"), (400, "malformed_request"))
                good = urllib.parse.quote(str(example(self.walk.document.resolve, parameter["schema"])))
                expect(wrong, operation, f"?{name} twice", self.send(operation, body, target=f"{path}?{name}={good}&{name}={good}1"), (422, "validation_failed"))
        report.ok(not wrong, "queries: unknown, repeated, ill-encoded and out of bounds are refused", "\n".join(wrong[:25]))

    def check_paths(self, report):
        wrong = []
        for operation in self.walk.operations:
            for name in operation.path_parameters:
                for value in ("x", "..", "%2e%2e", "%00", "%ff", "'%20OR%20true", "00000000-0000-7000-8000-00000000000g", "9" * 30, "a" * 3000, "%2F", ";", "-1"):
                    path = self.walk.path(operation, **{"organisation": self.org, name: value})
                    answer = self.send(operation, None, target=path)
                    expect(wrong, operation, f"{name} = {value[:20]}", answer, (404, "not_found"), (405, "method_not_allowed"), (400, "malformed_request"))
        report.ok(not wrong, "paths: ids that are none are of nothing", "\n".join(wrong[:25]))

    def check_methods(self, report):
        """HEAD as GET without content; what is not in the table: 405 with the methods there are, 404 for other paths, whoever asks."""
        wrong, templates = [], {}
        for operation in self.walk.operations:
            templates.setdefault(operation.template, []).append(operation)
        for operations in templates.values():
            there = {operation.method for operation in operations}
            path = self.walk.path(operations[0], organisation=self.org)
            for method in METHODS:
                if method in there:
                    continue
                answer = self.walk.send(method, path, self.headers)
                allow = set(filter(None, (answer.header("Allow") or "").split(", ")))
                if (answer.status, answer.code) != (405, "method_not_allowed") or allow != there | ({"HEAD"} if "GET" in there else set()):
                    wrong.append(f"{method} {operations[0].template}: {answer!r}, Allow {allow}")
            if "GET" in there:
                get, head = (self.walk.door.send(method, path, self.headers) for method in ("GET", "HEAD"))
                if (head.status, head.raw) != (get.status, b"") or head.header("Content-Type") != get.header("Content-Type"):
                    wrong.append(f"HEAD {operations[0].template}: {head!r}, as GET {get!r}")
        for path in ("/nowhere", "/auth", "/auth/", "/auth/login/", "//auth/login", "/AUTH/LOGIN", "/auth/login%00", "/auth/./login", "/auth/../auth/login", "/auth%2Flogin",
                     "/auth/login;x", "/..%2f..%2fetc/passwd", "/%"):
            answer = self.walk.send("GET", path, self.headers)
            if (answer.status, answer.code) not in ((404, "not_found"), (400, "malformed_request")):
                wrong.append(f"GET {path}: {answer!r}")
        report.ok(not wrong, "methods: HEAD as GET, 405 with Allow, 404 for what is not there", "\n".join(wrong[:25]))


def check(world, report):
    party = Party(world)
    walk = Walk(party)
    bodies = Bodies(walk, party.person_of_role("SUPER_ADMIN"))
    before = party.counts()
    bodies.check_invalid(report)
    bodies.check_malformed(report)
    bodies.check_unasked(report)
    bodies.check_queries(report)
    bodies.check_methods(report)
    bodies.check_paths(report)
    report.equal(party.counts(), before, "bodies: nothing was done for any of them")
    walk.report(report, "bodies")
