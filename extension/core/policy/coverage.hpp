// Whether every request that matches one rule matches another: proved from the shape of the
// matcher.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "policy/evaluate.hpp"
#include "policy/limits.hpp"

namespace rampart::policy {

class Coverage {
  public:
    Coverage(const PolicyData& data, const CompiledMatcher& matcher, Time now);

    // A request that the rule matches, as far as its values say which: from now on rules are
    // compared with it.
    const std::vector<ValueView>& SampleOf(std::uint32_t rule);

    // False: it does not, or it is not known. REQUIRES: SampleOf was called.
    bool IsCoveredBy(std::uint32_t other);

  private:
    using Fields = std::uint64_t;  // of the request, a bit each
    static_assert(kMaxFields <= 64);

    const Node& NodeAt(NodeId id) const { return matcher_.expression.node(id); }
    std::span<const NodeId> OperandsOf(NodeId id) const {
        return matcher_.expression.operands(NodeAt(id));
    }
    std::string_view Text(std::span<const Symbol> rule, NodeId field) const {
        return data_.symbols.Text(rule[NodeAt(field).payload]);
    }
    void Sample(NodeId source, NodeId field);
    Fields SaidBy(NodeId id) const;
    bool IsSame(NodeId id) const;
    bool IsKnown(NodeId id, Fields known) const;
    bool IsAlways(NodeId id, std::span<const Symbol> rule, bool value, Fields known);
    bool Implies(NodeId id, Fields known);
    bool ImpliesOr(NodeId id, Fields known);
    bool ImpliesRole(NodeId id, Fields known);
    bool ImpliesPrefix(NodeId id) const;

    const PolicyData& data_;
    const CompiledMatcher& matcher_;
    const RuleTable& table_;
    std::vector<ValueView> sample_;
    Fields sampled_ = 0;
    Evaluator evaluator_;
    std::span<const Symbol> rule_;
    std::span<const Symbol> other_;
};

}  // namespace rampart::policy
