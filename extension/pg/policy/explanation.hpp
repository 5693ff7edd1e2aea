// An explanation of a decision as JSON.
//
//   {"allowed": true, "rule": {"type": "p", "rule": ["editor", "data1", "write"],
//    "roles": [["g", "alice", "editor"]]}, "matched": [...],
//    "miss": {"type": ..., "rule": ..., "lacking": ["r.act == p.act"]}}
#pragma once

#include "pg/postgres.hpp"
#include "policy/policy_set.hpp"

namespace rampart::pg::policy {

Datum ToJsonb(const rampart::policy::Explanation& explanation);

}  // namespace rampart::pg::policy
