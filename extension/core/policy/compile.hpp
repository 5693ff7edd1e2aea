// From a matcher's text to what decisions use.
//
// A matcher is taken apart at || into alternatives and these at && into conjuncts. Two forms of
// conjunct become columns of a hash index over the rules, so that a decision looks at those rules
// only that can match:
//
//   r.x == p.x              the rule's value is the request's (or its attribute's, or a literal)
//   g(r.x, p.x[, r.dom])    the rule's value is one of the roles of the request's
//
// What is left is evaluated for each of the rules found.
#pragma once

#include "policy/policy_data.hpp"

namespace rampart::policy {

// Error RMP01 with line and column if the default matcher is malformed; another matcher keeps the
// message, to be raised when it is used. Models in use have matchers that never worked.
CompiledMatcher CompileMatcher(const MatcherDefinition& definition, const Model& model,
                               const std::deque<RoleGraph>& roles);

// The indexes of its alternatives, and the expressions and patterns that its rules hold.
void CompileRules(CompiledMatcher& matcher, PolicyData& data);

}  // namespace rampart::policy
