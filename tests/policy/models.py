"""Models of each kind, their rules, and what they decide: "+ alice | data1 | read" is allowed, "-" denied, "!" an error."""
ALLOW = "some(where (p.eft == allow))"


def model(matcher, request="sub, obj, act", policy="sub, obj, act", roles="", effect=ALLOW):
    roles = "".join(f"{name} = {fields}\n" for name, fields in (pair.split(" = ") for pair in roles.split("; ") if pair))
    return (f"[request_definition]\nr = {request}\n[policy_definition]\np = {policy}\n" + (f"[role_definition]\n{roles}" if roles else "") +
            f"[policy_effect]\ne = {effect}\n[matchers]\nm = {matcher}\n")


PLAIN = "r.sub == p.sub && r.obj == p.obj && r.act == p.act"
ROLES = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"
MODELS = {
    "acl": (model(PLAIN), """
p, ada, ledger, read
p, ada, ledger, write
p, bob, ledger, read
p, "eve, jr.", ledger, read
""", """
+ ada | ledger | read
+ ada | ledger | write
+ bob | ledger | read
- bob | ledger | write
- ada | archive | read
- eve | ledger | read
+ eve, jr. | ledger | read
-  | ledger | read
- ADA | ledger | read
! ada | ledger
! ada | ledger | read | now
"""),
    "acl with a superuser": (model(PLAIN + " || r.sub == 'root'"), "p, ada, ledger, read", """
+ root | anything | erase
+ ada | ledger | read
- ada | ledger | erase
- roots | ledger | read
"""),
    "rbac": (model(ROLES, roles="g = _, _"), """
p, reader, ledger, read
p, clerk, ledger, write
p, ada, safe, open
g, clerk, reader
g, ada, clerk
g, bob, reader
""", """
+ ada | ledger | read
+ ada | ledger | write
+ ada | safe | open
+ bob | ledger | read
- bob | ledger | write
- bob | safe | open
+ clerk | ledger | read
+ reader | ledger | read
- reader | ledger | write
- eve | ledger | read
"""),
    "rbac with domains": (model("g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act",
                                "sub, dom, obj, act", "sub, dom, obj, act", "g = _, _, _"), """
p, admin, north, data, read
p, admin, north, data, write
p, admin, south, data, read
g, ada, admin, north
g, bob, admin, south
g, chief, admin, north
g, chief, admin, south
""", """
+ ada | north | data | read
+ ada | north | data | write
- ada | south | data | read
+ bob | south | data | read
- bob | south | data | write
- bob | north | data | read
+ chief | north | data | write
+ chief | south | data | read
- chief | east | data | read
- ada |  | data | read
"""),
    "rbac with resource roles": (model("g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act", roles="g = _, _; g2 = _, _"), """
p, editor, reports, write
p, ada, secret, read
g, ada, editor
g2, q1.pdf, reports
g2, q2.pdf, reports
g2, q2.pdf, drafts
""", """
+ ada | q1.pdf | write
+ ada | q2.pdf | write
+ ada | reports | write
- ada | q3.pdf | write
+ ada | secret | read
- bob | q1.pdf | write
+ editor | q1.pdf | write
- ada | drafts | write
"""),
    "abac": (model("r.sub.name == r.obj.owner || r.sub.clearance >= r.obj.level", policy="sub, obj, act"), "", """
+ {"name": "ada", "clearance": 1} | {"owner": "ada", "level": 9} | read
- {"name": "bob", "clearance": 1} | {"owner": "ada", "level": 9} | read
+ {"name": "bob", "clearance": 9} | {"owner": "ada", "level": 9} | read
+ {"name": "bob", "clearance": 9.5} | {"owner": "ada", "level": 9} | read
! {"name": "bob"} | {"owner": "ada", "level": 9} | read
! bob | {"owner": "ada", "level": 9} | read
"""),
    "abac rules": (model("eval(p.rule) && r.obj == p.obj && r.act == p.act", policy="rule, obj, act"), """
p, r.sub.Age > 18 && r.sub.Age < 60, bar, enter
p, "r.sub.Name in ('ada', 'bob')", office, enter
""", """
+ {"Age": 30, "Name": "x"} | bar | enter
- {"Age": 18, "Name": "x"} | bar | enter
- {"Age": 60, "Name": "x"} | bar | enter
+ {"Age": 1, "Name": "bob"} | office | enter
- {"Age": 30, "Name": "eve"} | office | enter
- {"Age": 30, "Name": "x"} | bar | leave
"""),
    "restful": (model("r.sub == p.sub && keyMatch2(r.obj, p.obj) && regexMatch(r.act, p.act)"), """
p, ada, /orders/:id, (GET)|(PUT)
p, ada, /orders, POST
p, bob, /files/*, GET
""", """
+ ada | /orders/17 | GET
+ ada | /orders/17 | PUT
- ada | /orders/17 | DELETE
- ada | /orders/17/lines | GET
+ ada | /orders | POST
- ada | /orders | GET
+ bob | /files/a/b/c | GET
- bob | /orders/17 | GET
- ada | /files/a | GET
"""),
    "networks": (model("ipMatch(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"), """
p, 10.0.0.0/8, intranet, read
p, 2001:db8::/32, intranet, read
""", """
+ 10.1.2.3 | intranet | read
- 11.1.2.3 | intranet | read
+ 2001:db8::1 | intranet | read
- 2001:db9::1 | intranet | read
! nowhere | intranet | read
"""),
    "globs": (model("r.sub == p.sub && globMatch(r.obj, p.obj) && r.act == p.act"), "p, ada, /store/*/notes, read", """
+ ada | /store/ada/notes | read
- ada | /store/ada/b/notes | read
- ada | /store/ada/mail | read
"""),
    "deny overrides": (model(PLAIN, policy="sub, obj, act, eft", effect="!some(where (p.eft == deny))"), "p, bob, ledger, write, deny", """
+ ada | ledger | write
- bob | ledger | write
+ bob | ledger | read
"""),
    "allow and no deny": (model(ROLES, policy="sub, obj, act, eft", roles="g = _, _", effect="some(where (p.eft == allow)) && !some(where (p.eft == deny))"), """
p, staff, ledger, read, allow
p, guest, ledger, read, deny
g, ada, staff
g, bob, staff
g, bob, guest
""", """
+ ada | ledger | read
- bob | ledger | read
- eve | ledger | read
"""),
    "explicit priorities": (model(ROLES, policy="priority, sub, obj, act, eft", roles="g = _, _", effect="priority(p.eft) || deny"), """
p, 20, staff, ledger, write, allow
p, 10, bob, ledger, write, deny
p, 30, everyone, ledger, write, deny
g, ada, staff
g, bob, staff
g, eve, everyone
""", """
+ ada | ledger | write
- bob | ledger | write
- eve | ledger | write
- joe | ledger | write
"""),
    "priorities by role": (model(ROLES, policy="sub, obj, act, eft", roles="g = _, _", effect="subjectPriority(p.eft) || deny"), """
p, root, ledger, write, deny
p, staff, ledger, write, allow
p, ada, ledger, write, deny
g, staff, root
g, ada, staff
g, bob, staff
""", """
- ada | ledger | write
+ bob | ledger | write
- root | ledger | write
"""),
    "temporal roles": (model(ROLES, roles="g = _, _, (_, _)"), """
p, guard, gate, open
g, ada, guard, 2000-01-01 00:00:00, 2999-01-01 00:00:00
g, bob, guard, 2000-01-01 00:00:00, 2001-01-01 00:00:00
g, eve, guard, 2999-01-01 00:00:00, _
g, joe, guard, _, _
""", """
+ ada | gate | open
- bob | gate | open
- eve | gate | open
+ joe | gate | open
"""),
    "no rules at all": (model("r.sub == r.obj.owner"), "", """
+ ada | {"owner": "ada"} | read
- bob | {"owner": "ada"} | read
"""),
}
# Roles and domains that are patterns, which Casbin's host program sets.
PATTERNS = ('{"roles": {"g": {"matching": "keyMatch2", "domain_matching": "keyMatch"}}}',
            model("g(r.sub, p.sub, r.dom) && r.obj == p.obj && r.act == p.act", "sub, dom, obj, act", roles="g = _, _, _"), """
p, staff, ledger, read
g, /team/:name, staff, north*
""", """
+ /team/ada | northeast | ledger | read
- /team/ada | south | ledger | read
- /crew/ada | northeast | ledger | read
""")


def cases(text):
    """(answer, values) of each line."""
    for line in text.strip().splitlines():
        yield line[0], [value.strip() for value in line[2:].split("|")]
