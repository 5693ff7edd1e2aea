"""Bodies made from a schema: one that is good, and from it all that differ in one thing that is wrong."""
import json
import uuid

TEXT = {"phone": lambda: "+12025550123", "email": lambda: f"walk-{uuid.uuid4().hex[:12]}@example.com", "uuid": lambda: str(uuid.uuid4()),
        "date-time": lambda: "2035-01-02T03:04:05Z", "uri": lambda: "https://example.com/", "ipv4": lambda: "192.0.2.1"}
NOT_OF_FORMAT = {"phone": ["12025550123", "+02025550123", "+1 2025550123", "+1202555012\r\n3"],
                 "email": ["ada", "a@b@c.de", "a@b", "ada@example.com\r\nBcc: x", "a" * 65 + "@example.com", "@example.com"],
                 "uuid": ["x", "00000000-0000-0000-0000-00000000000", "{00000000-0000-0000-0000-000000000000}", "' OR true --"],
                 "date-time": ["yesterday", "2035-01-02", "2035-13-45T99:99:99Z", "2035-02-30T00:00:00Z", "infinity"]}
SECRET = "Correct-Horse-7-Battery"


def kinds_of(schema):
    kinds = schema.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def example(resolve, schema, name=""):
    """A value that the schema takes."""
    schema, kinds = resolve(schema), kinds_of(resolve(schema))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "object" in kinds:
        return {key: example(resolve, inner, key) for key, inner in schema.get("properties", {}).items()}
    if "array" in kinds:
        return [example(resolve, schema["items"], name) for _ in range(max(1, schema.get("minItems", 0)))] if "items" in schema else []
    if "string" in kinds:
        if schema.get("format") in TEXT:
            return TEXT[schema["format"]]()
        if "password" in name:
            return SECRET
        return ("walk " + uuid.uuid4().hex * 4)[:min(schema.get("maxLength", 40), max(schema.get("minLength", 1), 40))]
    if "integer" in kinds or "number" in kinds:
        return schema.get("minimum", 1)
    return True if "boolean" in kinds else None


def of_other_types(kinds):
    samples = {"string": "x", "integer": 7, "boolean": True, "array": [], "object": {}, "null": None}
    if "number" not in kinds and "integer" not in kinds:
        samples["number"] = 1.5
    elif "integer" in kinds:
        samples["number with a fraction"] = 1.5
    for kind, value in samples.items():
        if kind not in kinds and not (kind == "integer" and "number" in kinds):
            yield f"is {kind}", value


def wrong_values(resolve, schema):
    """(what is wrong, value) for one place of a body."""
    schema = resolve(schema)
    yield from of_other_types(kinds_of(schema))
    if "enum" in schema:
        yield "is none of those", "NO_SUCH_VALUE"
    if "maxLength" in schema and "string" in kinds_of(schema) and "enum" not in schema:
        yield "is too long", "x" * (schema["maxLength"] + 1)
        if schema["maxLength"] < 5000:  # in six bytes each; more would be too large a body
            yield "is too long in other letters", "é" * (schema["maxLength"] + 1)
    if schema.get("minLength", 0) > 0:
        yield "is too short", "x" * (schema["minLength"] - 1)
    for value in NOT_OF_FORMAT.get(schema.get("format"), []):
        yield f"is no {schema['format']}: {value[:20]!r}", value
    if "minimum" in schema:
        yield "is too small", schema["minimum"] - 1
    if "maximum" in schema:
        yield "is too large", schema["maximum"] + 1
        yield "is larger than any integer", 2 ** 70
    if "maxItems" in schema:
        yield "has too many items", [f"item {i}" for i in range(schema["maxItems"] + 1)]
    if schema.get("minItems"):
        yield "has too few items", ["item"] * (schema["minItems"] - 1)
    if schema.get("uniqueItems"):
        yield "has an item twice", [value := example(resolve, schema["items"]), value]
    if "items" in schema:
        for what, value in wrong_values(resolve, schema["items"]):
            yield f"has an item that {what}", [value, *example(resolve, schema)]


def replaced(body, path, value):
    copy = json.loads(json.dumps(body))
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copy


def places(resolve, schema, path=()):
    """(path, schema) of every property, also of objects inside."""
    for name, inner in resolve(schema).get("properties", {}).items():
        yield (*path, name), resolve(inner)
        yield from places(resolve, inner, (*path, name))


def invalid_bodies(resolve, schema):
    """(what is wrong, body) for each way that one property can be wrong, be missing, or be one too many."""
    good = example(resolve, schema)
    yield "has a property that nobody knows", {**good, "no_such_property": 1}
    yield "has __proto__", {**good, "__proto__": {"role": "SUPER_ADMIN"}}
    for path, inner in places(resolve, schema):
        pointer = "/" + "/".join(path)
        for what, value in wrong_values(resolve, inner):
            yield f"{pointer} {what}", replaced(good, path, value)
        if "properties" in inner:
            yield f"{pointer} has a property that nobody knows", replaced(good, (*path, "no_such_property"), 1)
    for name in resolve(schema).get("required", []):
        yield f"/{name} is missing", {key: value for key, value in good.items() if key != name}


def malformed_bodies(good):
    """(what is wrong, bytes) that are no JSON, or JSON that could be read in two ways."""
    text = json.dumps(good)
    first = next(iter(good), "x")
    yield "nothing", b""
    yield "half of it", text[:-1].encode()
    yield "a comma too many", (text[:-1] + ",}").encode()
    yield "something after it", (text + "x").encode()
    yield "two of it", (text + text).encode()
    yield "a NUL in it", text.replace("}", "\0}", 1).encode()
    yield "a NUL in a string", json.dumps({**good, first: "a\0b"}).encode()
    yield "an unfinished surrogate", (text[:-1] + ', "x": "\\ud800"}').encode()
    yield "bytes that are no UTF-8", text.encode()[:-1] + b', "x": "\xff\xfe"}'
    yield "an overlong encoding", text.encode()[:-1] + b', "x": "\xc0\xaf"}'
    yield "UTF-16", text.encode("utf-16")
    yield "a property twice", (text[:-1] + f', "{first}": {json.dumps(good.get(first, 1))}}}').encode()
    yield "a property twice, once escaped", (text[:-1] + f', "\\u{ord(first[0]):04x}{first[1:]}": 1}}').encode()
    yield "20,000 levels", b'{"x": ' + b"[" * 20000 + b"]" * 20000 + b"}"
    yield "a number beyond any", (text[:-1] + ', "x": 1e999}').encode()
    yield "NaN", (text[:-1] + ', "x": NaN}').encode()
    yield "a comment", ("/* */" + text).encode()
    yield "single quotes", text.replace('"', "'").encode()
    yield "a control character in a string", text.encode()[:-1] + b', "x": "\x01"}'
