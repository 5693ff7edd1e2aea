// What a PolicySet consists of, for those who compile it, decide by it and ask it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "policy/expression.hpp"
#include "policy/hash_index.hpp"
#include "policy/model.hpp"
#include "policy/pattern.hpp"
#include "policy/roles.hpp"
#include "policy/symbols.hpp"

namespace rampart::policy {

enum class RuleEffect : std::uint8_t { kAllow, kDeny, kIndeterminate };

// The rules of one policy definition, in the order they are to be looked at.
struct RuleTable {
    std::size_t fields = 0;
    std::size_t subject = 0;            // the field
    std::optional<std::size_t> domain;  // the field, if there is one
    std::vector<Symbol> values;         // a row a rule
    std::vector<RuleEffect> effects;

    std::size_t size() const { return effects.size(); }
    std::span<const Symbol> rule(std::size_t index) const {
        return std::span(values).subspan(index * fields, fields);
    }
};

// What eval() finds in a rule. One that does not parse is an error when it is evaluated.
struct RuleExpression {
    std::optional<Expression> expression;
    std::string problem;
};

// A column of an index: the rule's value is the request's, or a role of it.
struct KeyPart {
    std::uint32_t field = 0;
    NodeId source = 0;                // of the request: the value, or the member
    std::optional<std::size_t> role;  // the role definition
    std::optional<NodeId> domain;     // of the request
};

// One operand of a matcher's || (the matcher itself if it has none): all of its conjuncts hold.
struct Alternative {
    std::vector<NodeId> conjuncts;
    std::size_t leading = 0;       // conjuncts before the first that looks at the rule
    std::vector<NodeId> residual;  // what the index does not answer, behind the leading ones
    std::vector<KeyPart> key;
    HashIndex index;  // hash of the key's fields -> rules
};

struct CompiledMatcher {
    std::string name;
    std::string problem;  // of one that cannot be used
    Expression expression;
    std::size_t request = 0;
    std::size_t policy = 0;
    bool has_eval = false;
    std::vector<Alternative> alternatives;
};

struct PolicyData {
    Model model;
    SymbolTable symbols;
    PatternTable patterns;
    std::deque<RoleGraph> roles;    // as in the model
    std::vector<RuleTable> tables;  // as in the model
    std::vector<CompiledMatcher> matchers;
    std::unordered_map<std::uint64_t, RuleExpression> rule_expressions;

    static std::uint64_t RuleExpressionKey(std::size_t request, std::size_t policy, Symbol text) {
        return static_cast<std::uint64_t>(request) << 48 |
               static_cast<std::uint64_t>(policy) << 32 | text;
    }
    Name NameOf(std::string_view text) const { return {text, symbols.Find(text)}; }
    Name NameOf(Symbol symbol) const { return {symbols.Text(symbol), symbol}; }
};

// The hash of a row's key fields.
inline constexpr std::uint64_t kKeySeed = 0x243f6a8885a308d3ULL;

}  // namespace rampart::policy
