"""Random models, rules and requests, decided here and by Casbin for Go (Debian's package): the same answers."""
import json
import os
import random
import shutil
import subprocess

import psycopg2
from models import model

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = "/usr/share/gocode"
SETS, REQUESTS = 500, 20
PEOPLE, GROUPS, THINGS, ACTIONS, DOMAINS = ["ada", "bob", "eve"], ["staff", "admin", "guest"], ["data1", "data2", "/d/1", "/d/2"], ["read", "write"], ["north", "south"]
EFFECTS = {"allow": "some(where (p.eft == allow))", "deny": "!some(where (p.eft == deny))", "both": "some(where (p.eft == allow)) && !some(where (p.eft == deny))", "priority": "priority(p.eft) || deny"}


def build_peer():
    """The other engine's program, or why there is none."""
    if shutil.which("go") is None or not os.path.isdir(SOURCES + "/src/github.com/casbin/casbin"):
        return None, "packages golang-go and golang-github-casbin-casbin-dev are not installed"
    work = os.path.join(os.environ["RAMPART_WORK"], "peer")
    home = os.path.join(work, "src", "github.com", "casbin", "casbin")
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(home)
    # The package lies where its older name would.
    os.symlink(SOURCES + "/src/github.com/casbin/casbin", os.path.join(home, "v2"))
    program = os.path.join(work, "peer")
    done = subprocess.run(["go", "build", "-o", program, "."], cwd=os.path.join(HERE, "peer"), capture_output=True, text=True, check=False,
                          env={**os.environ, "GO111MODULE": "off", "GOPATH": f"{work}:{SOURCES}", "GOCACHE": os.path.join(work, "cache"), "GOFLAGS": ""})
    return (program, None) if done.returncode == 0 else (None, done.stderr[-300:])


class Maker:
    """One random model with rules and requests."""

    def __init__(self, rng):
        self.rng = rng
        self.domains, self.resources, self.abac = rng.random() < 0.35, rng.random() < 0.25, rng.random() < 0.2
        self.roles = rng.random() < 0.8
        self.effect = rng.choice(list(EFFECTS))
        self.object_test = rng.choice(["r.obj == p.obj", "keyMatch(r.obj, p.obj)", "keyMatch2(r.obj, p.obj)", "regexMatch(r.obj, p.obj)"])

    def fields(self):
        return (["sub"] if not self.abac else ["rule"]) + (["dom"] if self.domains else []) + ["obj", "act"]

    def matcher(self):
        domain = ", r.dom" if self.domains else ""
        if self.abac:
            subject = "eval(p.rule)"
        elif self.roles:
            subject = f"g(r.sub, p.sub{domain})"
        else:
            subject = "r.sub == p.sub"
        parts = [subject, "g2(r.obj, p.obj)" if self.resources else self.object_test, "r.act == p.act"]
        if self.domains:
            parts.append("r.dom == p.dom")
        text = " && ".join(parts)
        extra = self.rng.random()
        if extra < 0.1:
            return text + (" || r.sub == \"root\"" if not self.abac else " || r.act == \"ping\"")
        if extra < 0.2:
            return f"({text}) && r.act in (\"read\", \"write\")"
        if extra < 0.3:
            return text + " && !(r.obj == \"data2\")"
        return text

    def model(self):
        roles = []
        # Casbin looks for a g2 only behind a g.
        if self.roles and not self.abac or self.resources:
            roles.append("g = _, _" + (", _" if self.domains else ""))
        if self.resources:
            roles.append("g2 = _, _")
        request = ", ".join(["sub"] + (["dom"] if self.domains else []) + ["obj", "act"])
        policy = ", ".join(self.fields() + (["eft"] if self.effect != "allow" else []))
        return model(self.matcher(), request, policy, "; ".join(roles), EFFECTS[self.effect])

    def object(self):
        if self.object_test != "r.obj == p.obj" and not self.resources and self.rng.random() < 0.4:
            return {"keyMatch(": "/d/*", "keyMatch2": "/d/:id", "regexMatc": "^data[12]$"}[self.object_test[:9]]
        return self.rng.choice(THINGS + (["things"] if self.resources else []))

    def rules(self):
        rng, lines = self.rng, []
        for _ in range(rng.randint(0, 10)):
            subject = rng.choice(["r.sub.Age > 30", "r.sub.Age < 50 && r.sub.Name == 'ada'", "r.sub.Name != 'eve'"]) if self.abac else rng.choice(PEOPLE + GROUPS)
            values = [subject] + ([rng.choice(DOMAINS)] if self.domains else []) + [self.object(), rng.choice(ACTIONS)]
            if self.effect != "allow":
                values.append(rng.choice(["allow", "allow", "deny"]))
            lines.append("p, " + ", ".join(values))
        if self.roles and not self.abac:
            for _ in range(rng.randint(0, 8)):
                lines.append(f"g, {rng.choice(PEOPLE + GROUPS)}, {rng.choice(GROUPS)}" + (f", {rng.choice(DOMAINS)}" if self.domains else ""))
        if self.resources:
            lines += [f"g2, {rng.choice(THINGS)}, things" for _ in range(rng.randint(0, 3))]
        return "\n".join(dict.fromkeys(lines))

    def request(self):
        rng = self.rng
        subject = {"Name": rng.choice(PEOPLE), "Age": rng.choice([20, 40, 60])} if self.abac else rng.choice(PEOPLE + GROUPS + ["root"])
        return [subject] + ([rng.choice(DOMAINS)] if self.domains else []) + [rng.choice(THINGS), rng.choice(ACTIONS + ["ping"])]


def answers(session, question):
    with session.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            cursor.execute("SELECT rampart.load_model('peer', %s); SELECT rampart.import_policy('peer', %s)", (question["model"], question["policy"]))
            found = []
            for request in question["requests"]:
                cursor.execute("SAVEPOINT s")
                try:
                    cursor.execute("SELECT rampart.enforce('peer', %s::jsonb)", (json.dumps(request),))
                    found.append(cursor.fetchone()[0])
                except psycopg2.Error:
                    cursor.execute("ROLLBACK TO s")
                    found.append("error")
            return found
        except psycopg2.Error as error:
            return [f"error {error.pgcode}"] * len(question["requests"])
        finally:
            cursor.execute("ROLLBACK")


def check(world, report):
    program, reason = build_peer()
    if program is None:
        report.skip("Casbin for Go decides the same", reason)
        return
    session = world.database("peer").connect()
    rng = random.Random(int(os.environ.get("RAMPART_SEED", "1")))
    different, decided, allowed = [], 0, 0
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        for _ in range(SETS):
            made = Maker(rng)
            question = {"model": made.model(), "policy": made.rules(), "requests": [made.request() for _ in range(REQUESTS)]}
            peer.stdin.write(json.dumps(question) + "\n")
            peer.stdin.flush()
            theirs, ours = json.loads(peer.stdout.readline()), answers(session, question)
            decided, allowed = decided + len(ours), allowed + ours.count(True)
            different += [(question["model"], question["policy"], request, mine, other) for request, mine, other in zip(question["requests"], ours, theirs) if mine != other]
        peer.stdin.close()
    session.close()
    report.ok(decided == SETS * REQUESTS and decided * 0.1 < allowed < decided * 0.9 and not different, f"Casbin for Go: {decided} decisions, {allowed} of them allowed",
              "\n".join(str(d) for d in different[:5]) + f"\n{len(different)} differ")
