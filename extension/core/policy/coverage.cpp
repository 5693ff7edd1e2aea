#include "policy/coverage.hpp"

#include <algorithm>

namespace rampart::policy {
namespace {

// What a name must begin with for keyMatch(), or be where there is no star.
std::string_view PrefixOf(std::string_view pattern) { return pattern.substr(0, pattern.find('*')); }

}  // namespace

Coverage::Coverage(const PolicyData& data, const CompiledMatcher& matcher, Time now)
    : data_(data),
      matcher_(matcher),
      table_(data.tables[matcher.policy]),
      sample_(data.model.requests[matcher.request].fields.size()),
      evaluator_(data, sample_, now) {}

const std::vector<ValueView>& Coverage::SampleOf(std::uint32_t rule) {
    rule_ = table_.rule(rule);
    sampled_ = 0;
    std::ranges::fill(sample_, ValueView(std::string_view()));
    for (const Node& node : matcher_.expression.nodes()) {
        const auto operands = matcher_.expression.operands(node);
        if (node.op == Op::kEqual) Sample(operands[1], operands[0]);
        if (node.op == Op::kEqual || node.op == Op::kRole || node.op == Op::kCall) {
            Sample(operands[0], operands[1]);
        }
    }
    return sample_;
}

void Coverage::Sample(NodeId source, NodeId field) {
    const Node& request = NodeAt(source);
    if (request.op != Op::kRequest || NodeAt(field).op != Op::kPolicy) return;
    const Fields bit = Fields{1} << request.payload;
    if ((sampled_ & bit) != 0) return;
    sampled_ |= bit;
    sample_[request.payload] = ValueView(Text(rule_, field));
}

bool Coverage::IsCoveredBy(std::uint32_t other) {
    other_ = table_.rule(other);
    return Implies(matcher_.expression.root(), 0);
}

// Values of the request that are the sample's where the node holds for the rule.
Coverage::Fields Coverage::SaidBy(NodeId id) const {
    const auto operands = OperandsOf(id);
    Fields said = 0;
    if (NodeAt(id).op == Op::kAnd) {
        for (const NodeId operand : operands) said |= SaidBy(operand);
    }
    if (NodeAt(id).op != Op::kEqual) return said;
    for (const std::size_t side : {0U, 1U}) {
        const Node& request = NodeAt(operands[side]);
        const NodeId field = operands[1 - side];
        if (request.op == Op::kRequest && NodeAt(field).op == Op::kPolicy &&
            sample_[request.payload] == ValueView(Text(rule_, field))) {
            said |= Fields{1} << request.payload;
        }
    }
    return said;
}

// It means the same for both rules.
bool Coverage::IsSame(NodeId id) const {
    const Node& node = NodeAt(id);
    if ((node.op == Op::kPolicy || node.op == Op::kEval) &&
        rule_[node.payload] != other_[node.payload]) {
        return false;
    }
    return std::ranges::all_of(OperandsOf(id), [this](NodeId operand) { return IsSame(operand); });
}

bool Coverage::IsKnown(NodeId id, Fields known) const {
    const Node& node = NodeAt(id);
    if (node.op == Op::kRole || node.op == Op::kEval) return false;
    if (node.op == Op::kRequest && (known >> node.payload & 1) == 0) return false;
    return std::ranges::all_of(OperandsOf(id),
                               [&](NodeId operand) { return IsKnown(operand, known); });
}

bool Coverage::IsAlways(NodeId id, std::span<const Symbol> rule, bool value, Fields known) {
    const Op op = NodeAt(id).op;
    const auto operands = OperandsOf(id);
    const auto is_always = [&](NodeId operand) { return IsAlways(operand, rule, value, known); };
    if (op == Op::kNot) return IsAlways(operands[0], rule, !value, known);
    if (op == Op::kAnd || op == Op::kOr) {
        return value == (op == Op::kAnd) ? std::ranges::all_of(operands, is_always)
                                         : std::ranges::any_of(operands, is_always);
    }
    if (!IsKnown(id, known)) return false;
    try {
        evaluator_.SetRule(matcher_, rule);
        return evaluator_.Test(matcher_.expression, id) == value;
    } catch (const Error&) {
        return false;
    }
}

// Where it holds for the rule it holds for the other, given values of the request that are known.
bool Coverage::Implies(NodeId id, Fields known) {
    if (IsSame(id) || IsAlways(id, rule_, false, known) || IsAlways(id, other_, true, known)) {
        return true;
    }
    switch (NodeAt(id).op) {
        case Op::kAnd:
            known |= SaidBy(id);
            return std::ranges::all_of(OperandsOf(id),
                                       [&](NodeId operand) { return Implies(operand, known); });
        case Op::kOr:
            return ImpliesOr(id, known);
        case Op::kRole:
            return ImpliesRole(id, known);
        case Op::kCall:
            return ImpliesPrefix(id);
        default:
            return false;
    }
}

// Whichever of its operands holds for the rule, one holds for the other.
bool Coverage::ImpliesOr(NodeId id, Fields known) {
    const auto operands = OperandsOf(id);
    return std::ranges::all_of(operands, [&](NodeId holds) {
        const Fields with_it = known | SaidBy(holds);
        return Implies(holds, known) || std::ranges::any_of(operands, [&](NodeId operand) {
                   return IsAlways(operand, other_, true, with_it);
               });
    });
}

// Who has the rule's role has the other's, because the one has the other.
bool Coverage::ImpliesRole(NodeId id, Fields known) {
    const Node& node = NodeAt(id);
    const auto operands = OperandsOf(id);
    const RoleGraph& graph = data_.roles[node.payload];
    if (!IsSame(operands[0]) || NodeAt(operands[1]).op != Op::kPolicy || graph.HasRolePatterns() ||
        data_.model.roles[node.payload].conditions != 0) {
        return false;
    }
    std::string_view domain;
    if (operands.size() > 2) {
        if (!IsSame(operands[2]) || !IsKnown(operands[2], known)) return false;
        evaluator_.SetRule(matcher_, rule_);
        const ValueView value = evaluator_.Evaluate(matcher_.expression, operands[2]);
        if (value.kind() != Kind::kString) return false;
        domain = value.string();
    }
    const Name role = data_.NameOf(Text(rule_, operands[1]));
    const Name wanted = data_.NameOf(Text(other_, operands[1]));
    const RoleWalk& walk = evaluator_.Walk(node.payload, role, data_.NameOf(domain));
    return std::ranges::any_of(walk.names,
                               [&](const Reached& reached) { return reached.name == wanted; });
}

// keyMatch(r.obj, p.obj): the other's pattern takes all that the rule's does.
bool Coverage::ImpliesPrefix(NodeId id) const {
    const auto operands = OperandsOf(id);
    if (static_cast<Function>(NodeAt(id).payload) != Function::kKeyMatch || !IsSame(operands[0]) ||
        NodeAt(operands[1]).op != Op::kPolicy) {
        return false;
    }
    const std::string_view pattern = Text(other_, operands[1]);
    return PrefixOf(pattern) != pattern &&
           PrefixOf(Text(rule_, operands[1])).starts_with(PrefixOf(pattern));
}

}  // namespace rampart::policy
