// What a model's text does not say, as JSON: what the host program tells Casbin by calls.
//
//   {"roles":  {"g": {"matching": "keyMatch2", "domain_matching": "keyMatch", "max_depth": 10}},
//    "fields": {"p": {"priority": 0, "subject": 1, "domain": 2}}}
#pragma once

#include <string_view>

#include "policy/policy_set.hpp"

namespace rampart::policy {

// Error RMP01 for anything else; names of definitions are looked at by PolicySetBuilder.
PolicyOptions ParseOptions(std::string_view json);

}  // namespace rampart::policy
