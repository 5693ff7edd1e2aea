#include "policy/compile.hpp"

#include <algorithm>
#include <set>

#include "interrupt.hpp"

namespace rampart::policy {
namespace {

constexpr std::string_view kDefaultMatcher = "m";

std::vector<NodeId> OperandsOf(const Expression& expression, NodeId id, Op op) {
    const Node& node = expression.node(id);
    if (node.op != op) return {id};
    const auto operands = expression.operands(node);
    return {operands.begin(), operands.end()};
}

// What can be computed from the request alone and is a string, if it is anything useful.
bool IsRequestText(const Expression& expression, NodeId id) {
    const Node& node = expression.node(id);
    if (node.op == Op::kAttribute) return IsRequestText(expression, expression.operands(node)[0]);
    return node.op == Op::kRequest || node.op == Op::kText;
}

std::optional<KeyPart> EqualityPart(const Expression& expression, const Node& node) {
    if (node.op != Op::kEqual) return std::nullopt;
    const auto operands = expression.operands(node);
    for (const std::size_t side : {0U, 1U}) {
        const Node& rule = expression.node(operands[side]);
        const NodeId source = operands[1 - side];
        if (rule.op == Op::kPolicy && IsRequestText(expression, source)) {
            return KeyPart{rule.payload, source, std::nullopt, std::nullopt};
        }
    }
    return std::nullopt;
}

std::optional<KeyPart> RolePart(const Expression& expression, const Node& node,
                                const std::deque<RoleGraph>& roles) {
    if (node.op != Op::kRole || roles[node.payload].HasRolePatterns()) return std::nullopt;
    const auto operands = expression.operands(node);
    const Node& role = expression.node(operands[1]);
    if (role.op != Op::kPolicy || !IsRequestText(expression, operands[0])) return std::nullopt;
    KeyPart part{role.payload, operands[0], node.payload, std::nullopt};
    if (operands.size() > 2) {
        if (!IsRequestText(expression, operands[2])) return std::nullopt;
        part.domain = operands[2];
    }
    return part;
}

Alternative CompileAlternative(const Expression& expression, NodeId id,
                               const std::deque<RoleGraph>& roles) {
    Alternative alternative;
    alternative.conjuncts = OperandsOf(expression, id, Op::kAnd);
    const auto looks_at_rule = [&](NodeId c) { return expression.node(c).uses_policy; };
    const auto& conjuncts = alternative.conjuncts;
    const auto first = std::ranges::find_if(conjuncts, looks_at_rule);
    alternative.leading = static_cast<std::size_t>(first - conjuncts.begin());
    for (auto conjunct = first; conjunct != conjuncts.end(); ++conjunct) {
        const Node& node = expression.node(*conjunct);
        auto part = EqualityPart(expression, node);
        if (!part) part = RolePart(expression, node, roles);
        const auto same_field = [&](const KeyPart& other) { return other.field == part->field; };
        if (!part || std::ranges::any_of(alternative.key, same_field)) {
            alternative.residual.push_back(*conjunct);
        } else {
            alternative.key.push_back(*part);
        }
    }
    return alternative;
}

void BuildIndex(Alternative& alternative, const RuleTable& table) {
    if (alternative.key.empty()) return;
    std::vector<HashIndex::Entry> entries;
    entries.reserve(table.size());
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint64_t hash = kKeySeed;
        for (const KeyPart& part : alternative.key) {
            hash = MixHash(hash, table.rule(i)[part.field]);
        }
        entries.emplace_back(hash, i);
    }
    alternative.index.Build(entries);
}

// The different values of a column.
std::set<Symbol> ValuesOf(const RuleTable& table, std::uint32_t field) {
    std::set<Symbol> values;
    for (std::size_t i = 0; i < table.size(); ++i) values.insert(table.rule(i)[field]);
    return values;
}

// Roles of rules that are patterns.
void CompileRolePatterns(const Expression& expression, const RuleTable& table, PolicyData& data) {
    for (const Node& node : expression.nodes()) {
        if (node.op != Op::kRole || !data.roles[node.payload].HasRolePatterns()) continue;
        const Node& role = expression.node(expression.operands(node)[1]);
        if (role.op != Op::kPolicy) continue;
        for (const Symbol value : ValuesOf(table, role.payload)) {
            data.roles[node.payload].AddPattern(value);
        }
    }
}

// Patterns that an expression calls functions with: its literals, and the values of its fields.
void CompilePatterns(const Expression& expression, const RuleTable* table, PolicyData& data) {
    for (const Node& node : expression.nodes()) {
        if (node.op != Op::kCall) continue;
        const auto function = static_cast<Function>(node.payload);
        const Node& pattern = expression.node(expression.operands(node)[1]);
        if (pattern.op == Op::kText) {
            const std::string& text = expression.text(pattern);
            data.patterns.Add(function, data.symbols.Intern(text), text);
        } else if (pattern.op == Op::kPolicy && table != nullptr) {
            for (const Symbol value : ValuesOf(*table, pattern.payload)) {
                CheckForInterrupts();
                data.patterns.Add(function, value, data.symbols.Text(value));
            }
        }
    }
}

RuleExpression CompileRuleExpression(std::string_view text, const CompiledMatcher& matcher,
                                     const Model& model) {
    try {
        return {ParseRuleExpression(text, model, matcher.request, matcher.policy), {}};
    } catch (const SyntaxError& error) {
        return {std::nullopt, "eval() of a malformed expression, at character " +
                                  std::to_string(error.offset + 1) + ": " + error.what()};
    } catch (const Error& error) {
        return {std::nullopt, error.what()};
    }
}

void CompileRuleExpressions(CompiledMatcher& matcher, PolicyData& data) {
    const RuleTable& table = data.tables[matcher.policy];
    for (const Node& node : matcher.expression.nodes()) {
        if (node.op != Op::kEval) continue;
        for (const Symbol value : ValuesOf(table, node.payload)) {
            CheckForInterrupts();
            const std::uint64_t key =
                PolicyData::RuleExpressionKey(matcher.request, matcher.policy, value);
            if (data.rule_expressions.contains(key)) continue;
            const auto& compiled = data.rule_expressions
                                       .emplace(key, CompileRuleExpression(data.symbols.Text(value),
                                                                           matcher, data.model))
                                       .first->second;
            if (compiled.expression) CompilePatterns(*compiled.expression, nullptr, data);
        }
    }
}

template <typename Definition>
std::size_t IndexOf(const std::vector<Definition>& definitions, std::string_view name) {
    const Definition* found = FindByName(definitions, name);
    return found == nullptr ? 0 : static_cast<std::size_t>(found - definitions.data());
}

}  // namespace

CompiledMatcher CompileMatcher(const MatcherDefinition& definition, const Model& model,
                               const std::deque<RoleGraph>& roles) {
    CompiledMatcher matcher;
    matcher.name = definition.name;
    try {
        try {
            matcher.expression = ParseMatcher(definition.text.text(), model);
        } catch (const SyntaxError& error) {
            FailModel(definition.text.At(error.offset), error.what());
        }
    } catch (const Error& error) {
        if (definition.name == kDefaultMatcher) throw;
        matcher.problem = error.what();
        return matcher;
    }
    const Expression& expression = matcher.expression;
    matcher.request = expression.request().value_or(IndexOf(model.requests, "r"));
    matcher.policy = expression.policy().value_or(IndexOf(model.policies, "p"));
    matcher.has_eval = std::ranges::any_of(expression.nodes(),
                                           [](const Node& node) { return node.op == Op::kEval; });
    for (const NodeId id : OperandsOf(expression, expression.root(), Op::kOr)) {
        matcher.alternatives.push_back(CompileAlternative(expression, id, roles));
    }
    return matcher;
}

void CompileRules(CompiledMatcher& matcher, PolicyData& data) {
    if (!matcher.problem.empty()) return;
    for (Alternative& alternative : matcher.alternatives) {
        BuildIndex(alternative, data.tables[matcher.policy]);
    }
    CompileRolePatterns(matcher.expression, data.tables[matcher.policy], data);
    CompilePatterns(matcher.expression, &data.tables[matcher.policy], data);
    CompileRuleExpressions(matcher, data);
}

}  // namespace rampart::policy
