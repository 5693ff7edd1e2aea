// Evaluates expressions for one request. Its work is bounded by the expression's size, the length
// of the values and, for role functions, the roles of a member.
//
// Errors (RMP03) name attributes and functions; they never show a value of the request.
#pragma once

#include <list>
#include <span>
#include <string>
#include <vector>

#include "policy/policy_data.hpp"
#include "policy/value.hpp"

namespace rampart::policy {

// A member's roles in a domain.
struct RoleWalk {
    std::size_t role;  // the definition
    Name member;
    Name domain;
    std::vector<Symbol> domains;
    std::vector<Reached> names;
};

class Evaluator {
  public:
    Evaluator(const PolicyData& data, std::span<const ValueView> request, Time now)
        : data_(data), request_(request), now_(now) {}

    // The rule that p. means from now on. Without one its values are empty strings.
    void SetRule(const CompiledMatcher& matcher, std::span<const Symbol> values) {
        matcher_ = &matcher;
        rule_ = values;
        if (made_.empty()) return;
        walks_.clear();  // which may be of strings that were made
        made_.clear();
    }

    ValueView Evaluate(const Expression& expression, NodeId id);

    // True if the node is true or, where numbers count, a number that is not 0.
    bool Test(const Expression& expression, NodeId id, bool numbers_count = false);

    // Walks of members are kept for the next rules.
    const RoleWalk& Walk(std::size_t role, Name member, Name domain);

  private:
    std::string_view RuleText(std::uint32_t field) const {
        return rule_.empty() ? std::string_view() : data_.symbols.Text(rule_[field]);
    }
    std::string_view Text(const Expression& expression, NodeId id, std::string_view function);
    Name NameAt(const Expression& expression, NodeId id, std::string_view function);
    double Number(const Expression& expression, NodeId id);

    ValueView Attribute(const Expression& expression, const Node& node);
    bool Compare(const Expression& expression, const Node& node);
    bool IsIn(const Expression& expression, const Node& node);
    ValueView Calculate(const Expression& expression, const Node& node);
    ValueView Add(ValueView left, ValueView right);
    ValueView Call(const Expression& expression, const Node& node);
    bool HasRole(const Expression& expression, const Node& node);
    ValueView EvaluateRule(const Node& node);

    const PolicyData& data_;
    std::span<const ValueView> request_;
    Time now_;
    const CompiledMatcher* matcher_ = nullptr;
    std::span<const Symbol> rule_;
    std::list<std::string> made_;  // strings that + made
    std::list<RoleWalk> walks_;
};

}  // namespace rampart::policy
