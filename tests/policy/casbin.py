"""Casbin's own expectations, where they are there: RAMPART_CASBIN, or beside the repository."""
import json
import os

import psycopg2

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.environ.get("RAMPART_CASBIN", os.path.join(HERE, "..", "..", "..", "shared", "casbin"))


def read(*path):
    with open(os.path.join(FOLDER, *path), encoding="utf-8", newline="") as file:
        return file.read()


def options(setup):
    roles = {}
    for key, name in (("role_matching", "matching"), ("domain_matching", "domain_matching")):
        for role, function in setup.get(key, {}).items():
            roles.setdefault(role, {})[name] = function
    names = {"priority": "priority", "sub": "subject", "dom": "domain"}
    fields = {definition: {names[field]: index for field, index in found.items() if field in names} for definition, found in setup.get("field_index", {}).items()}
    return json.dumps({"roles": roles, "fields": fields})


def request(case):
    """What Casbin is given as JSON text where it is told to read it."""
    values = case["request"]
    if "accept_json" in case.get("setup", {}):
        return "[" + ", ".join(value if isinstance(value, str) and value.startswith("{") else json.dumps(value) for value in values) + "]"
    return json.dumps(values)


class Cases:
    def __init__(self, database):
        self.session = database.connect()
        self.loaded = None

    def decide(self, case):
        setup = case.get("setup", {})
        wanted = (case["model"], case["policy"], options(setup))
        with self.session.cursor() as cursor:
            if wanted != self.loaded:
                self.loaded = None
                cursor.execute("SELECT rampart.drop_model(name) FROM rampart.policy_model")
                cursor.execute("SELECT rampart.load_model('casbin', %s, %s)", (read("models", wanted[0]), wanted[2]))
                if wanted[1]:
                    cursor.execute("SELECT rampart.import_policy('casbin', %s)", (read("policies", wanted[1]),))
                self.loaded = wanted
            matcher = setup.get("context", {}).get("m", "m")
            cursor.execute("SELECT rampart.enforce('casbin', %s::jsonb, %s)", (request(case), matcher))
            return cursor.fetchone()[0]

    def outcome(self, case):
        try:
            return self.decide(case)
        except psycopg2.Error as error:
            return f"error {error.pgcode}"


def check(world, report):
    if not os.path.exists(os.path.join(FOLDER, "cases.jsonl")):
        report.skip("Casbin's decisions", "its examples are not there: RAMPART_CASBIN")
        return
    cases = Cases(world.database("casbin"))
    wrong, decided = [], 0
    for line in read("cases.jsonl").splitlines():
        case = json.loads(line)
        # A switch of Casbin's that allows everything. There is none here.
        if "enforce_enabled" in case.get("setup", {}):
            continue
        decided += 1
        found = cases.outcome(case)
        if found != case["expect"]:
            wrong.append((case["id"], case["test"], found))
    report.ok(decided > 500 and not wrong, f"Casbin: {decided} decisions", wrong[:10])
    found = {cases.outcome(json.loads(line)) for line in read("cases_error.jsonl").splitlines()}
    report.ok(found and all(str(outcome).startswith("error") for outcome in found), "Casbin: errors", found)
