// The order in which rules are looked at. Where effects are priorities it decides.
#pragma once

#include "policy/policy_data.hpp"

namespace rampart::policy {

// Drops rules that are there twice, and sorts: by the field `priority`, lowest first, if there is
// one; for the effect kSubjectPriority by how deep the subject stands among the roles of g, deepest
// first, because what is said of a user counts more than what is said of a role.
void OrderRules(std::size_t policy, std::optional<std::size_t> priority, PolicyData& data);

}  // namespace rampart::policy
