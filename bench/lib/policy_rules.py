"""Models, rules and requests that are measured: as those of policy_core.cpp. A size counts rules and role links together, ten links a rule."""
from typing import NamedTuple

REQUESTS = 100


def model(request, policy, roles, matcher):
    return (f"[request_definition]\nr = {request}\n[policy_definition]\np = {policy}{roles}\n[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = {matcher}\n")


class Kind(NamedTuple):
    model: str


KINDS = {
    "RBAC": Kind(model("sub, obj, act", "sub, obj, act", "\n[role_definition]\ng = _, _", "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act")),
    "RBAC with domains": Kind(model("sub, dom, obj, act", "sub, dom, obj, act", "\n[role_definition]\ng = _, _, _", "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act")),
    "ABAC": Kind(model("sub, obj, act", "sub_rule, obj, act", "", "eval(p.sub_rule) && r.obj == p.obj && r.act == p.act")),
}


def shape(size):
    roles = max(1, size // 11)
    return roles, size - roles


def rules(kind, size):
    roles, users = shape(size)
    if kind == "RBAC":
        lines = [f"p, group{i}, data{i // 10}, read" for i in range(roles)] + [f"g, user{i}, group{i % roles}" for i in range(users)]
    elif kind == "ABAC":
        lines = [f"p, r.sub.Age > {18 + i % 50}, data{i}, read" for i in range(size)]
    else:
        lines = [f"p, group{i}, domain{i // 10}, data{i // 10}, read" for i in range(roles)] + [f"g, user{i}, group{i % roles}, domain{i % roles // 10}" for i in range(users)]
    return "\n".join(lines) + "\n"


def requests(kind, size, allowed):
    roles, users = shape(size)
    action, made = "read" if allowed else "write", []
    for number in range(REQUESTS):
        user = number * 7919 % users
        place = user % roles // 10
        if kind == "RBAC":
            made.append([f"user{user}", f"data{place}", action])
        elif kind == "ABAC":
            made.append([{"Name": "alice", "Age": 90 if allowed else 9}, f"data{number * 7919 % size}", "read"])
        else:
            made.append([f"user{user}", f"domain{place}", f"data{place}", action])
    return made
