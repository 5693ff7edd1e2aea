// A matcher, or a rule's expression for eval(), as a tree in one array.
//
//   g(r.sub, p.sub) && r.obj == p.obj && (r.act in ('read', 'list') || r.sub.Age >= 18)
//
// Names are resolved to the fields of one request and one policy definition. A tree is at most
// kMaxNesting deep; && and || are one node however many they join.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "policy/function.hpp"
#include "policy/model.hpp"

namespace rampart::policy {

enum class Op : std::uint8_t {
    kNumber,
    kText,
    kBool,
    kRequest,    // payload: the field
    kPolicy,     // payload: the field
    kAttribute,  // of its operand; payload: the name's index among the texts
    kList,       // behind kIn only
    kNot,
    kNegate,
    kAnd,
    kOr,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kRemainder,
    kIn,
    kCall,  // payload: the Function
    kRole,  // payload: the role definition; operands: member, role, domain
    kEval,  // payload: the field of the rule
};

using NodeId = std::uint32_t;

struct Node {
    Op op = Op::kBool;
    bool uses_policy = false;  // it, or an operand of it
    std::uint32_t depth = 1;
    std::uint32_t payload = 0;
    std::uint32_t first = 0;  // operand
    std::uint32_t count = 0;
    std::uint32_t begin = 0;  // in the source
    std::uint32_t end = 0;
};

class Expression {
  public:
    const Node& node(NodeId id) const { return nodes_[id]; }
    std::span<const Node> nodes() const { return nodes_; }
    std::span<const NodeId> operands(const Node& node) const {
        return std::span(operands_).subspan(node.first, node.count);
    }
    double number(const Node& node) const { return numbers_[node.payload]; }
    const std::string& text(const Node& node) const { return texts_[node.payload]; }
    std::string_view source(const Node& node) const {
        return std::string_view(source_).substr(node.begin, node.end - node.begin);
    }
    NodeId root() const { return root_; }

    // Which definitions its names are of. Nothing if it names none.
    std::optional<std::size_t> request() const { return request_; }
    std::optional<std::size_t> policy() const { return policy_; }

  private:
    friend class ExpressionParser;
    std::string source_;
    std::vector<Node> nodes_;
    std::vector<NodeId> operands_;
    std::vector<double> numbers_;
    std::vector<std::string> texts_;
    NodeId root_ = 0;
    std::optional<std::size_t> request_;
    std::optional<std::size_t> policy_;
};

// What is wrong with an expression, and at which byte of it.
class SyntaxError : public std::runtime_error {
  public:
    SyntaxError(std::size_t at, const std::string& message)
        : std::runtime_error(message), offset(at) {}
    std::size_t offset;
};

// Throws SyntaxError, and Error RMP04.
Expression ParseMatcher(std::string_view text, const Model& model);

// What eval() is given in a rule: of the definitions of the matcher that evaluates it, and without
// an eval() of its own.
Expression ParseRuleExpression(std::string_view text, const Model& model,
                               std::optional<std::size_t> request, std::size_t policy);

}  // namespace rampart::policy
