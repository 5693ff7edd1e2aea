"""/openapi.json: a valid OpenAPI 3.1 document, by a linter that is not ours, and what tests read in it.

Document says which operations there are and whether an answer is one that the document describes.
"""
import json
import os
import re
import shutil
import subprocess

from cluster import WORK
from npm import lacks_node
from world import PROGRAM

import jsonschema

HERE = os.path.dirname(os.path.realpath(__file__))
NODE = [20, 19, 0]  # at least, for the linter
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class Operation:
    """A row of the table of routes, as the document tells of it."""

    def __init__(self, document, method, template, item):
        self.document, self.method, self.template, self.item = document, method.upper(), template, item
        self.name = f"{self.method} {template}"
        self.matcher = re.compile(re.sub(r"\{\w+\}", "[^/]+", template) + "$")

    def __repr__(self):
        return self.name

    @property
    def secured(self):
        """Whether a credential is needed."""
        return bool(self.item.get("security", self.document.root.get("security", [])))

    @property
    def path_parameters(self):
        return re.findall(r"\{(\w+)\}", self.template)

    @property
    def query_parameters(self):
        return {p["name"]: p for p in map(self.document.resolve, self.item.get("parameters", [])) if p["in"] == "query"}

    @property
    def body_schema(self):
        """The schema of the JSON body, references followed; None where there is no body."""
        content = self.document.resolve(self.item.get("requestBody", {})).get("content", {})
        return self.document.resolve(content["application/json"]["schema"]) if "application/json" in content else None

    def describes(self, status, content_type, body):
        """None if the document describes this answer, else what it does not."""
        responses = self.item["responses"]
        response = self.document.resolve(responses.get(str(status), responses.get("default")))
        if response is None:
            return f"{self.name}: status {status} is not described"
        content = response.get("content", {})
        kind = (content_type or "").split(";")[0].strip()
        if not content:
            return None if not body else f"{self.name}: {status} has a body, none is described"
        if kind not in content:
            return f"{self.name}: {status} is {kind!r}, described is {', '.join(content)}"
        if "json" not in kind:
            return None
        try:
            value = json.loads(body)
        except ValueError as error:
            return f"{self.name}: {status} is no JSON: {error}"
        wrong = self.document.violation(content[kind]["schema"], value)
        return f"{self.name}: {status}: {wrong}" if wrong else None


class Document:
    def __init__(self, text):
        self.root = json.loads(text)
        self.operations = [Operation(self, method, template, item[method])
                           for template, item in self.root["paths"].items() for method in METHODS if method in item]

    def resolve(self, node):
        """What a reference refers to; other nodes as they are."""
        while node and "$ref" in node:
            target = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def violation(self, schema, value):
        """None if a value is as a schema of the document says, else where it is not."""
        whole = {**schema, "components": self.root.get("components", {})}  # references begin at the document's root
        error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(whole).iter_errors(value))
        return f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" if error else None

    def find(self, method, path):
        """The operation that a request is one of, None if there is none."""
        path = path.split("?")[0]
        exact = [o for o in self.operations if o.method == method and o.template == path]
        return next(iter(exact + [o for o in self.operations if o.method == method and o.matcher.match(path)]), None)


def lint(text, report):
    """Redocly's linter, its recommended rules taken strictly."""
    if lacks_node(report, "openapi: the document is valid", NODE):
        return
    there = os.path.join(WORK, "redocly")
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(os.path.join(HERE, "redocly"), there)
    install = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], cwd=there, text=True,
                             capture_output=True, timeout=300)
    if not report.ok(install.returncode == 0, "openapi: npm ci", install.stdout + install.stderr):
        return
    with open(os.path.join(there, "openapi.json"), "w", encoding="utf-8") as f:
        f.write(text)
    done = subprocess.run(["node_modules/.bin/redocly", "lint", "openapi.json", "--config=redocly.yaml", "--format=json"], cwd=there, text=True,
                          capture_output=True, timeout=120, env={**os.environ, "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"})
    try:
        found = json.loads(done.stdout[done.stdout.index("{"):])
    except ValueError:
        report.ok(False, "openapi: the linter runs", done.stdout + done.stderr)
        return
    problems = [f"{p['severity']} {p['ruleId']} {p['location'][0].get('pointer')}: {p['message']}" for p in found["problems"]]
    report.ok(not problems, "openapi: the document is valid, and good by the linter's recommendations", "\n".join(problems[:20]))


def check_table(document, report):
    """What every operation says of itself."""
    operations = document.operations
    names = [o.item.get("operationId") for o in operations]
    report.ok(document.root["openapi"].startswith("3.1."), "openapi: version 3.1")
    report.equal([o.name for o in operations if not o.item.get("summary")], [], "openapi: each operation has a summary")
    report.equal(len(set(names)), len(operations), "openapi: each operation has a name of its own")
    loose = [o.name for o in operations if o.body_schema and o.body_schema.get("additionalProperties") is not False]
    report.equal(loose, [], "openapi: bodies take no property that is not described")
    unbounded = [f"{o.name} {name}" for o in operations if o.body_schema for name, schema in unbounded_strings(document, o.body_schema)]
    report.equal(unbounded, [], "openapi: the length of each string and array of a body is bounded")
    report.equal([o.name for o in operations if o.secured and "401" not in o.item["responses"]], [], "openapi: what needs a credential describes its lack")


def unbounded_strings(document, schema, name=""):
    schema = document.resolve(schema)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds and not {"maxLength", "enum", "const", "format"} & schema.keys():
        yield name, schema
    if "array" in kinds:
        if "maxItems" not in schema:
            yield name, schema
        yield from unbounded_strings(document, schema.get("items", {}), f"{name}[]")
    for part, inner in schema.get("properties", {}).items():
        yield from unbounded_strings(document, inner, f"{name}/{part}")


def check(world, report):
    answer = world.server.client().get("/openapi.json")
    report.equal((answer.status, answer.headers["Content-Type"]), (200, "application/json"), "openapi: the document is served as JSON")
    text = answer.raw.decode()
    lint(text, report)
    check_table(Document(text), report)
    printed = subprocess.run([PROGRAM, "openapi"], text=True, capture_output=True, check=True).stdout
    report.equal(json.loads(printed)["paths"], json.loads(text)["paths"], "openapi: rampartd openapi prints what the server serves")
