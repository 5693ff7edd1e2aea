#include "policy/evaluate.hpp"

#include <charconv>
#include <cmath>

#include "policy/limits.hpp"

namespace rampart::policy {
namespace {

constexpr std::size_t kKeptWalks = 64;

[[noreturn]] void Fail(const std::string& message) {
    throw Error(errc::kEvaluationFailed, message);
}
[[noreturn]] void FailAt(const Expression& expression, const Node& node, const std::string& what) {
    Fail("cannot evaluate '" + std::string(expression.source(node)) + "': " + what);
}

// As Go prints a float64 with %v.
std::string TextOf(double number) {
    const double size = std::fabs(number);
    const bool fixed = size == 0 || (size >= 1e-4 && size < 1e21);
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number,
                                   fixed ? std::chars_format::fixed : std::chars_format::scientific)
                         .ptr;
    return {buffer, end};
}

std::string TextOf(ValueView value) {
    switch (value.kind()) {
        case Kind::kString:
            return std::string(value.string());
        case Kind::kNumber:
            return TextOf(value.number());
        case Kind::kBool:
            return value.boolean() ? "true" : "false";
        default:
            Fail(std::string("'+' of a string and a ") + KindName(value.kind()));
    }
}

template <typename T>
bool Ordered(Op op, const T& left, const T& right) {
    switch (op) {
        case Op::kLess:
            return left < right;
        case Op::kLessEqual:
            return left <= right;
        case Op::kGreater:
            return left > right;
        default:
            return left >= right;
    }
}

}  // namespace

ValueView Evaluator::Evaluate(const Expression& expression, NodeId id) {
    const Node& node = expression.node(id);
    const auto operands = expression.operands(node);
    switch (node.op) {
        case Op::kNumber:
            return ValueView(expression.number(node));
        case Op::kText:
            return ValueView(std::string_view(expression.text(node)));
        case Op::kBool:
            return ValueView(node.payload != 0);
        case Op::kRequest:
            return request_[node.payload];
        case Op::kPolicy:
            return ValueView(RuleText(node.payload));
        case Op::kAttribute:
            return Attribute(expression, node);
        case Op::kNot:
            return ValueView(!Test(expression, operands[0]));
        case Op::kNegate:
            return ValueView(-Number(expression, operands[0]));
        case Op::kAnd:
            for (const NodeId operand : operands) {
                if (!Test(expression, operand)) return ValueView(false);
            }
            return ValueView(true);
        case Op::kOr:
            for (const NodeId operand : operands) {
                if (Test(expression, operand)) return ValueView(true);
            }
            return ValueView(false);
        case Op::kEqual:
        case Op::kNotEqual: {
            const ValueView left = Evaluate(expression, operands[0]);
            const bool equal = left == Evaluate(expression, operands[1]);
            return ValueView(equal == (node.op == Op::kEqual));
        }
        case Op::kLess:
        case Op::kLessEqual:
        case Op::kGreater:
        case Op::kGreaterEqual:
            return ValueView(Compare(expression, node));
        case Op::kIn:
            return ValueView(IsIn(expression, node));
        case Op::kAdd: {
            const ValueView left = Evaluate(expression, operands[0]);
            return Add(left, Evaluate(expression, operands[1]));
        }
        case Op::kCall:
            return Call(expression, node);
        case Op::kRole:
            return ValueView(HasRole(expression, node));
        case Op::kEval:
            return EvaluateRule(node);
        case Op::kList:
            break;
        default:
            return Calculate(expression, node);
    }
    FailAt(expression, node, "a list is no value");
}

bool Evaluator::Test(const Expression& expression, NodeId id, bool numbers_count) {
    const ValueView value = Evaluate(expression, id);
    if (value.kind() == Kind::kBool) return value.boolean();
    if (value.kind() == Kind::kNumber && numbers_count) return value.number() != 0;
    FailAt(expression, expression.node(id),
           std::string("it is a ") + KindName(value.kind()) + ", not true or false");
}

ValueView Evaluator::Attribute(const Expression& expression, const Node& node) {
    const ValueView of = Evaluate(expression, expression.operands(node)[0]);
    if (of.kind() != Kind::kObject) {
        FailAt(expression, node, std::string("a ") + KindName(of.kind()) + " has no attributes");
    }
    const Value* member = of.whole().Find(expression.text(node));
    if (member == nullptr) FailAt(expression, node, "there is no such attribute");
    return ValueView(*member);
}

bool Evaluator::Compare(const Expression& expression, const Node& node) {
    const ValueView left = Evaluate(expression, expression.operands(node)[0]);
    const ValueView right = Evaluate(expression, expression.operands(node)[1]);
    if (left.kind() == Kind::kNumber && right.kind() == Kind::kNumber) {
        return Ordered(node.op, left.number(), right.number());
    }
    if (left.kind() == Kind::kString && right.kind() == Kind::kString) {
        return Ordered(node.op, left.string(), right.string());
    }
    FailAt(expression, node,
           std::string("a ") + KindName(left.kind()) + " and a " + KindName(right.kind()) +
               " have no order");
}

bool Evaluator::IsIn(const Expression& expression, const Node& node) {
    const auto operands = expression.operands(node);
    const ValueView left = Evaluate(expression, operands[0]);
    const Node& right = expression.node(operands[1]);
    if (right.op == Op::kList) {
        for (const NodeId item : expression.operands(right)) {
            if (left == Evaluate(expression, item)) return true;
        }
        return false;
    }
    const ValueView list = Evaluate(expression, operands[1]);
    if (list.kind() != Kind::kList) {
        FailAt(expression, node, std::string("a ") + KindName(list.kind()) + " is no list");
    }
    for (const Value& item : *list.whole().As<Value::List>()) {
        if (left == ValueView(item)) return true;
    }
    return false;
}

double Evaluator::Number(const Expression& expression, NodeId id) {
    const ValueView value = Evaluate(expression, id);
    if (value.kind() == Kind::kNumber) return value.number();
    FailAt(expression, expression.node(id),
           std::string("it is a ") + KindName(value.kind()) + ", not a number");
}

ValueView Evaluator::Calculate(const Expression& expression, const Node& node) {
    const double left = Number(expression, expression.operands(node)[0]);
    const double right = Number(expression, expression.operands(node)[1]);
    switch (node.op) {
        case Op::kSubtract:
            return ValueView(left - right);
        case Op::kMultiply:
            return ValueView(left * right);
        case Op::kDivide:
            return ValueView(left / right);
        default:
            return ValueView(std::fmod(left, right));
    }
}

ValueView Evaluator::Add(ValueView left, ValueView right) {
    if (left.kind() == Kind::kNumber && right.kind() == Kind::kNumber) {
        return ValueView(left.number() + right.number());
    }
    if (left.kind() != Kind::kString && right.kind() != Kind::kString) {
        Fail(std::string("'+' of a ") + KindName(left.kind()) + " and a " + KindName(right.kind()));
    }
    std::string joined = TextOf(left) + TextOf(right);
    RequireWithin(joined.size(), kMaxConcatenation, "a string made by '+'");
    return ValueView(std::string_view(made_.emplace_back(std::move(joined))));
}

std::string_view Evaluator::Text(const Expression& expression, NodeId id,
                                 std::string_view function) {
    const ValueView value = Evaluate(expression, id);
    if (value.kind() == Kind::kString) return value.string();
    FailAt(expression, expression.node(id),
           std::string(function) + "() takes strings, not a " + KindName(value.kind()));
}

Name Evaluator::NameAt(const Expression& expression, NodeId id, std::string_view function) {
    const Node& node = expression.node(id);
    if (node.op == Op::kPolicy && !rule_.empty()) return data_.NameOf(rule_[node.payload]);
    return data_.NameOf(Text(expression, id, function));
}

ValueView Evaluator::Call(const Expression& expression, const Node& node) {
    const FunctionInfo& info = InfoOf(static_cast<Function>(node.payload));
    const auto operands = expression.operands(node);
    const std::string_view key = Text(expression, operands[0], info.name);
    const Name pattern = NameAt(expression, operands[1], info.name);
    if (info.function == Function::kTimeMatch) {
        const auto range = ParseTimeRange(key, pattern.text);
        if (!range) FailAt(expression, node, "not a time");
        return ValueView(range->Holds(now_));
    }
    const std::string_view name =
        operands.size() > 2 ? Text(expression, operands[2], info.name) : std::string_view();
    const Pattern* known =
        pattern.symbol == kNoSymbol ? nullptr : data_.patterns.Find(info.function, pattern.symbol);
    const auto apply = [&](const Pattern& compiled) {
        return info.returns_text ? ValueView(compiled.Get(key, name))
                                 : ValueView(compiled.Matches(key));
    };
    return known != nullptr ? apply(*known) : apply(Pattern(info.function, pattern.text));
}

const RoleWalk& Evaluator::Walk(std::size_t role, Name member, Name domain) {
    for (const RoleWalk& walk : walks_) {
        if (walk.role == role && walk.member == member && walk.domain == domain) return walk;
    }
    if (walks_.size() >= kKeptWalks) walks_.clear();
    const RoleGraph& graph = data_.roles[role];
    RoleWalk walk{role, member, domain, graph.DomainsOf(domain), {}};
    walk.names = graph.Walk(member, walk.domains, now_);
    return walks_.emplace_back(std::move(walk));
}

bool Evaluator::HasRole(const Expression& expression, const Node& node) {
    const RoleDefinition& definition = data_.model.roles[node.payload];
    const auto operands = expression.operands(node);
    const Name member = NameAt(expression, operands[0], definition.name);
    const Name role = NameAt(expression, operands[1], definition.name);
    const Name domain = operands.size() > 2 ? NameAt(expression, operands[2], definition.name)
                                            : data_.NameOf(std::string_view());
    const RoleWalk& walk = Walk(node.payload, member, domain);
    return data_.roles[node.payload].FindRole(walk.names, role, walk.domains, now_).has_value();
}

ValueView Evaluator::EvaluateRule(const Node& node) {
    if (rule_.empty()) Fail("eval() without a rule");
    const auto found = data_.rule_expressions.find(
        PolicyData::RuleExpressionKey(matcher_->request, matcher_->policy, rule_[node.payload]));
    if (found == data_.rule_expressions.end()) Fail("eval() of an expression that is not known");
    if (!found->second.expression) Fail(found->second.problem);
    return Evaluate(*found->second.expression, found->second.expression->root());
}

}  // namespace rampart::policy
