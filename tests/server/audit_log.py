"""The organisation's audit log: pages, export, and what an auditor verifies with rampart-verify and no database."""
import json
import os
import subprocess
import tempfile
from pathlib import Path

from world import claims_of, within_a_second

VERIFY = Path(os.environ["RAMPART_BUILD"], os.environ.get("RAMPART_PRESET", "dev"), "verify/rampart-verify")


def check(world, report):
    server = world.server
    org, members = world.organisation(server, "ADMIN", "MEMBER")
    admin = members["ADMIN"]
    for n in range(5):
        made = members["OWNER"].post(f"/organisations/{org}/teams", {"name": f"Team {n}"})
        assert made.status == 201, made
    exported(world, report, server, org, admin)
    refused(world, report, server, members)
    verified(report, admin)


def exported(world, report, server, org, admin):
    stranger_org, _ = world.organisation(server)
    pages, after = [], "0"
    while after:
        answer = admin.get(f"/audit/export?page=4&after={after}")
        assert answer.status == 200, answer
        pages.append(answer.body["items"])
        after = answer.body["next"] if len(pages) < 50 else None
    entries = [entry for page in pages for entry in page]
    ids = [int(entry["id"]) for entry in entries]
    report.ok(ids == sorted(set(ids)) and all(len(page) == 4 for page in pages[:-1]), "export: each entry once, oldest first", [len(page) for page in pages])
    report.ok(len([e for e in entries if e["event"] == "team.created"]) == 5 and all(e["org"] == org for e in entries), "all of the organisation, and of no other", stranger_org)
    report.ok({"at", "xid", "event", "severity", "actor", "ip", "request_id", "metadata"} <= entries[-1].keys(), "with all they hold", entries[-1])
    events = admin.get("/audit/events?event=audit.exported&page=200").body["items"]
    report.ok(len(events) == len(pages) and events[-1]["metadata"]["entries"] == 4 and events[-1]["metadata"]["first"] == ids[0], "each export stands in the log, with what was taken", events[-1:])
    since = entries[3]["at"]
    later = admin.get(f"/audit/export?since={since.replace('+', '%2B')}").body["items"]
    report.equal(later[0]["id"], entries[3]["id"], "since a moment")


def refused(world, report, server, members):
    report.equal(members["MEMBER"].get("/audit/export").code, "forbidden", "export: not for members")
    owner = members["OWNER"]
    key = owner.post("/api-keys", {"name": "k", "scopes": ["audit_log:read"]}).body["key"]
    report.equal(server.client(api_key=key).get("/audit/export").code, "forbidden", "nor by an API key")
    server.database.query("UPDATE rampart_auth.session SET proved_at = now() - interval '16 minutes' WHERE id = %s", (claims_of(owner.token)["sid"],))
    report.equal(owner.get("/audit/export").code, "step_up_required", "it takes a fresh proof of who asks")


def verified(report, admin):
    number = admin.get("/audit/events?event=team.created").body["items"][0]["id"]
    within_a_second(lambda: admin.get(f"/audit/proof/{number}").status, 200)
    report.equal(within_a_second(lambda: admin.get(f"/audit/proof/{number}").status, 200), 200, "an entry is sealed soon, and proved")
    heads = admin.get("/audit/heads?page=1").body
    report.ok(len(heads["items"]) == 1 and heads["next"] and len(heads["keys"]) == 1, "the newest head, and the log's key", heads)
    before = admin.get(f"/audit/heads?before={heads['next']}").body["items"]
    report.ok(before and int(before[0]["number"]) < int(heads["items"][0]["number"]), "older ones by page")
    with tempfile.TemporaryDirectory() as directory:
        paths = {name: Path(directory, name) for name in ("key", "head", "proof")}
        paths["key"].write_text("\n".join(heads["keys"]) + "\n")
        proof = admin.get(f"/audit/proof/{number}").body
        paths["head"].write_text(admin.get("/audit/heads").body["items"][0]["note"])
        got = verify(paths, proof)
        report.ok(got.returncode == 0, "rampart-verify takes key, head and proof as they come", got.stdout + got.stderr)
        proof["entry"]["event"] = "team.deleted"
        got = verify(paths, proof)
        report.ok(got.returncode != 0, "and not an entry that was changed", got.stdout)


def verify(paths, proof):
    paths["proof"].write_text(json.dumps(proof))
    return subprocess.run([VERIFY, "entry", "--key", paths["key"], "--checkpoint", paths["head"], paths["proof"]], capture_output=True, text=True)
