// Rules that change no decision, so that all of them could be removed as long as others stay: those
// whose effect the policy's effect passes over, and those that another rule makes needless.
//
// Says only what it can prove from the matcher: that a request which matches the one rule matches
// the other. It knows ==, roles and keyMatch(), joined by && and ||; of other conditions, that two
// rules with the same values have the same. Roles count however many links away.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy_set.hpp"
#include "policy/time.hpp"

namespace rampart::policy {

struct NeedlessRule {
    std::string type;
    std::vector<std::string> values;
    std::vector<std::string> covered_by;  // empty: its own effect makes it needless
};

// Takes one look at the matching rules for each rule. Passes over rules that several matchers look
// at.
std::vector<NeedlessRule> FindNeedlessRules(const PolicySet& set, Time now);

}  // namespace rampart::policy
