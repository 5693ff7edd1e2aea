"""What the walks share: requests that may be wrong in any way, and a look at every answer by the server's own document."""
import http.client
import json
import ssl

from openapi import Document
from walk_schema import example

# Refusals of the listener and the router, which belong to no operation.
OUTSIDE = {400, 403, 404, 405, 408, 413, 414, 431, 503}
# Bodies of which the schema does not say all.
BODIES = {"setUpFactor": {"method": "totp", "name": "Walk"}, "confirmFactor": {"totp_code": "123456"}, "finishRegistration": {"name": "Walk", "client_data": "e30", "attestation_object": "oA"}}
# What stands in paths besides ids.
PARAMETERS = {"number": "7", "setting": "mail.port"}
JSON_TYPE = {"Content-Type": "application/json"}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body

    @property
    def text(self):
        return self.raw.decode("utf-8", "replace")

    @property
    def json(self):
        try:
            return json.loads(self.raw)
        except ValueError:
            return None

    @property
    def code(self):
        """The problem's code, None where the answer is no problem."""
        value = self.json
        return value.get("code") if isinstance(value, dict) and self.status >= 400 else None

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def cookies(self):
        """Of Set-Cookie: name -> value."""
        pairs = [value.split(";")[0].split("=", 1) for key, value in self.headers if key.lower() == "set-cookie"]
        return {name: value for name, value in pairs}

    def __repr__(self):
        return f"{self.status} {self.code or ''} {self.text[:300]}"


class Door:
    """A connection to the server that is kept, and opened anew where the server closes it."""

    def __init__(self, host, port, tls=True):
        self.host, self.port, self.tls, self.connection = host, port, tls, None

    def _open(self):
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the certificate is another suite's matter
            self.connection = http.client.HTTPSConnection(self.host, self.port, timeout=30, context=context)
        else:
            self.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)

    def send(self, method, target, headers=None, body=None):
        """Sends what it is given: headers as a dictionary or pairs, a body of bytes as it is and anything else as JSON."""
        pairs = list(headers.items() if isinstance(headers, dict) else headers or [])
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            pairs += JSON_TYPE.items() if not any(name.lower() == "content-type" for name, _ in pairs) else []
        for attempt in (1, 2):
            if self.connection is None:
                self._open()
            try:
                self.connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in pairs:
                    self.connection.putheader(name, value)
                if body is not None or method in ("POST", "PUT", "PATCH"):
                    self.connection.putheader("Content-Length", str(len(body or b"")))
                self.connection.endheaders(body)
                response = self.connection.getresponse()
                answer = Answer(response.status, response.getheaders(), response.read())
                if response.will_close:
                    self.close()
                return answer
            except (OSError, http.client.HTTPException):
                self.close()
                if attempt == 2:
                    raise
        return None

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Walk:
    """Sends requests and keeps what is wrong with their answers; report() tells of it once for all."""

    def __init__(self, party):
        self.wrong, self.seen, self.problems = [], set(), set()
        self.door = party.new_door()
        self.document = Document(self.door.send("GET", "/openapi.json").text)
        self.operations = self.document.operations

    def send(self, method, target, headers=None, body=None):
        answer = self.door.send(method, target, headers, body)
        self._look(method, target, answer)
        return answer

    def _look(self, method, target, answer):
        operation = self.document.find(method, target)
        if answer.status >= 500 and answer.code != "unavailable":
            self.wrong.append(f"{method} {target[:100]}: {answer!r}")
        if operation is not None and (str(answer.status) in operation.item["responses"] or answer.status not in OUTSIDE):
            wrong = operation.describes(answer.status, answer.header("Content-Type"), answer.raw)
            self.seen.add((operation.name, answer.status))
        elif answer.status >= 400:
            wrong = self._problem(answer)
        else:
            wrong = None
        if wrong:
            self.wrong.append(f"{method} {target[:100]}: {wrong}")
        if answer.code:
            self.problems.add(answer.code)

    def _problem(self, answer):
        if (answer.header("Content-Type") or "").split(";")[0] != "application/problem+json":
            return f"{answer.status} is no problem+json: {answer.text[:100]!r}"
        return self.document.violation({"$ref": "#/components/schemas/Problem"}, answer.json)

    def path(self, operation, **values):
        """The path of an operation, with these ids in it and ids of nothing elsewhere."""
        path = operation.template
        for name in operation.path_parameters:
            path = path.replace(f"{{{name}}}", str(values.get(name, PARAMETERS.get(name, "00000000-0000-7000-8000-000000000000"))))
        return path

    def body(self, operation):
        """One that the operation takes, None where it takes none."""
        if operation.body_schema is None:
            return None
        return BODIES.get(operation.item["operationId"]) or example(self.document.resolve, operation.body_schema)

    def report(self, report, what):
        report.ok(not self.wrong, f"{what}: each answer is one that the document describes", "\n".join(dict.fromkeys(self.wrong[:40])))
        self.wrong.clear()


def bearer(token, **more):
    return {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in more.items()}}
