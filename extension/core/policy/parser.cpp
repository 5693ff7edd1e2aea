// Recursive descent, a function a level of precedence, lowest first: || && comparisons + * unary.
#include <algorithm>
#include <utility>

#include "policy/expression.hpp"
#include "policy/lexer.hpp"
#include "policy/limits.hpp"

namespace rampart::policy {
namespace {

struct BinaryOperator {
    std::string_view symbol;
    Op op;
};
constexpr BinaryOperator kComparisons[] = {
    {"==", Op::kEqual},        {"!=", Op::kNotEqual}, {"<=", Op::kLessEqual},
    {">=", Op::kGreaterEqual}, {"<", Op::kLess},      {">", Op::kGreater},
};
constexpr BinaryOperator kSums[] = {{"+", Op::kAdd}, {"-", Op::kSubtract}};
constexpr BinaryOperator kProducts[] = {
    {"*", Op::kMultiply}, {"/", Op::kDivide}, {"%", Op::kRemainder}};

bool IsLiteral(Op op) { return op == Op::kNumber || op == Op::kText || op == Op::kBool; }

}  // namespace

class ExpressionParser {
  public:
    ExpressionParser(std::string_view source, const Model& model) : model_(model) {
        RequireWithin(source.size(), kMaxExpressionText, "an expression");
        out_.source_ = source;
        Advance();
    }

    void InsideRule(std::optional<std::size_t> request, std::size_t policy) {
        inside_rule_ = true;
        out_.request_ = request;
        out_.policy_ = policy;
    }

    Expression Parse() {
        out_.root_ = ParseOr();
        if (token_.kind != Token::Kind::kEnd) Fail("expected an operator");
        return std::move(out_);
    }

  private:
    using Operands = std::vector<NodeId>;

    // Counts what the parser recurses into.
    class Nested {
      public:
        explicit Nested(unsigned& depth) : depth_(depth) {
            RequireWithin(++depth_, kMaxNesting, "the nesting of an expression");
        }
        ~Nested() { --depth_; }
        Nested(const Nested&) = delete;
        Nested& operator=(const Nested&) = delete;

      private:
        unsigned& depth_;
    };

    [[noreturn]] void Fail(const std::string& message) const {
        throw SyntaxError(token_.begin, message);
    }
    void Advance() {
        previous_end_ = token_.end;
        token_ = NextToken(out_.source_, token_.end);
    }
    bool Take(std::string_view symbol) {
        if (!token_.Is(symbol)) return false;
        Advance();
        return true;
    }
    void Expect(std::string_view symbol) {
        if (!Take(symbol)) Fail("expected '" + std::string(symbol) + "'");
    }

    NodeId Add(Op op, std::size_t begin, const Operands& operands, std::size_t payload = 0) {
        Node node;
        node.op = op;
        node.payload = static_cast<std::uint32_t>(payload);
        node.uses_policy = op == Op::kPolicy || op == Op::kEval;
        node.begin = static_cast<std::uint32_t>(begin);
        node.end = static_cast<std::uint32_t>(previous_end_);
        node.first = static_cast<std::uint32_t>(out_.operands_.size());
        node.count = static_cast<std::uint32_t>(operands.size());
        for (const NodeId id : operands) {
            node.depth = std::max(node.depth, out_.nodes_[id].depth + 1);
            node.uses_policy = node.uses_policy || out_.nodes_[id].uses_policy;
        }
        RequireWithin(node.depth, kMaxNesting, "the nesting of an expression");
        RequireWithin(out_.nodes_.size() + 1, kMaxExpressionNodes, "the size of an expression");
        out_.operands_.insert(out_.operands_.end(), operands.begin(), operands.end());
        out_.nodes_.push_back(node);
        return static_cast<NodeId>(out_.nodes_.size() - 1);
    }
    NodeId AddText(Op op, std::size_t begin, const Operands& operands, std::string_view text) {
        out_.texts_.emplace_back(text);
        return Add(op, begin, operands, out_.texts_.size() - 1);
    }

    NodeId ParseOr() {
        return ParseJoined("||", Op::kOr, [this] {
            return ParseJoined("&&", Op::kAnd, [this] { return ParseComparison(); });
        });
    }

    template <typename Next>
    NodeId ParseJoined(std::string_view symbol, Op op, const Next& next) {
        const std::size_t begin = token_.begin;
        Operands operands = {next()};
        while (Take(symbol)) operands.push_back(next());
        return operands.size() == 1 ? operands.front() : Add(op, begin, operands);
    }

    template <typename Next>
    NodeId ParseLeftToRight(std::span<const BinaryOperator> operators, const Next& next) {
        const std::size_t begin = token_.begin;
        NodeId left = next();
        while (true) {
            const auto found = std::ranges::find_if(
                operators, [this](const BinaryOperator& o) { return token_.Is(o.symbol); });
            if (found == operators.end()) return left;
            Advance();
            const NodeId right = next();
            left = Add(found->op, begin, {left, right});
        }
    }

    NodeId ParseComparison() {
        const std::size_t begin = token_.begin;
        NodeId left = ParseLeftToRight(kComparisons, [this] { return ParseSum(); });
        while (token_.kind == Token::Kind::kName && (token_.text == "in" || token_.text == "IN")) {
            Advance();
            const NodeId list = ParseListOperand();
            left = Add(Op::kIn, begin, {left, list});
        }
        return left;
    }
    NodeId ParseSum() {
        return ParseLeftToRight(
            kSums, [this] { return ParseLeftToRight(kProducts, [this] { return ParseUnary(); }); });
    }

    // What stands behind `in`: ('a', 'b'), ('a'), ['a'], or an expression that gives a list.
    NodeId ParseListOperand() {
        const std::size_t begin = token_.begin;
        if (Take("[")) {
            const Nested nested(depth_);
            const Operands items = ParseItems("]");
            return Add(Op::kList, begin, items);
        }
        if (!token_.Is("(")) return ParseSum();
        const Nested nested(depth_);
        Advance();
        const Operands items = ParseItems(")");
        if (items.size() == 1 && !IsLiteral(out_.nodes_[items.front()].op)) return items.front();
        return Add(Op::kList, begin, items);
    }

    // Up to and with the closing symbol.
    Operands ParseItems(std::string_view close) {
        Operands items;
        if (Take(close)) return items;
        do {
            items.push_back(ParseOr());
        } while (Take(","));
        Expect(close);
        return items;
    }

    NodeId ParseUnary() {
        const Nested nested(depth_);
        const std::size_t begin = token_.begin;
        if (Take("!")) {
            const NodeId operand = ParseUnary();
            return Add(Op::kNot, begin, {operand});
        }
        if (Take("-")) {
            const NodeId operand = ParseUnary();
            return Add(Op::kNegate, begin, {operand});
        }
        return ParsePrimary();
    }

    NodeId ParsePrimary() {
        const Token token = token_;
        if (token.kind == Token::Kind::kEnd) Fail("the expression ends too early");
        Advance();
        switch (token.kind) {
            case Token::Kind::kNumber:
                out_.numbers_.push_back(token.number);
                return Add(Op::kNumber, token.begin, {}, out_.numbers_.size() - 1);
            case Token::Kind::kString:
                if (LooksLikeTime(token.text) && !times_allowed_) {
                    throw SyntaxError(token.begin,
                                      "a string that reads as a time is not supported");
                }
                return AddText(Op::kText, token.begin, {}, token.text);
            case Token::Kind::kName:
                return ParseName(token);
            default:
                break;
        }
        if (token.Is("[")) {
            throw SyntaxError(token.begin, "a list can stand behind 'in' and nowhere else");
        }
        if (!token.Is("(")) throw SyntaxError(token.begin, "expected a value");
        const NodeId inner = ParseOr();
        Expect(")");
        return inner;
    }

    NodeId ParseName(const Token& token) {
        if (token_.Is("(")) return ParseCall(token);
        if (token.text == "true" || token.text == "false") {
            return Add(Op::kBool, token.begin, {}, token.text == "true" ? 1 : 0);
        }
        std::vector<std::string_view> parts = Split(token);
        if (const std::size_t bar = parts.front().find('_'); bar != std::string_view::npos) {
            const std::string_view first = parts.front();  // r_sub is r.sub
            parts.front() = first.substr(0, bar);
            parts.insert(parts.begin() + 1, first.substr(bar + 1));
        }
        NodeId node = AddField(token, parts);
        for (std::size_t i = 2; i < parts.size(); ++i) {
            if (out_.nodes_[node].op == Op::kPolicy) {
                throw SyntaxError(token.begin, "a value of a rule has no attributes");
            }
            node = AddText(Op::kAttribute, token.begin, {node}, parts[i]);
        }
        return node;
    }

    static std::vector<std::string_view> Split(const Token& token) {
        std::vector<std::string_view> parts;
        std::size_t start = 0;
        while (start <= token.text.size()) {
            const std::size_t end = std::min(token.text.find('.', start), token.text.size());
            if (end == start) throw SyntaxError(token.begin + start, "a dot without a name");
            parts.push_back(token.text.substr(start, end - start));
            start = end + 1;
        }
        return parts;
    }

    NodeId AddField(const Token& token, const std::vector<std::string_view>& parts) {
        const std::string name(token.text);
        const auto add = [&](Op op, const std::vector<FieldDefinition>& definitions,
                             std::optional<std::size_t>& used) -> std::optional<NodeId> {
            const FieldDefinition* definition = FindByName(definitions, parts.front());
            if (definition == nullptr || parts.size() < 2) return std::nullopt;
            const auto index = static_cast<std::size_t>(definition - definitions.data());
            const auto field = definition->Find(parts[1]);
            if (!field) throw SyntaxError(token.begin, "unknown field '" + name + "'");
            if (used.value_or(index) != index) {
                throw SyntaxError(token.begin, "'" + name + "' is of another definition than '" +
                                                   definitions[*used].name + "'");
            }
            used = index;
            return Add(op, token.begin, {}, *field);
        };
        if (const auto node = add(Op::kRequest, model_.requests, out_.request_)) return *node;
        if (const auto node = add(Op::kPolicy, model_.policies, out_.policy_)) return *node;
        throw SyntaxError(token.begin, "unknown name '" + name + "'");
    }

    NodeId ParseCall(const Token& name) {
        const Nested nested(depth_);
        const FunctionInfo* function = FindFunction(name.text);
        const bool outer = std::exchange(
            times_allowed_, function != nullptr && function->function == Function::kTimeMatch);
        Expect("(");
        const Operands arguments = ParseItems(")");
        times_allowed_ = outer;
        if (const RoleDefinition* role = FindByName(model_.roles, name.text)) {
            RequireArguments(name, arguments.size(), 2, role->has_domain ? 3 : 2);
            return Add(Op::kRole, name.begin, arguments,
                       static_cast<std::size_t>(role - model_.roles.data()));
        }
        if (name.text == "eval") return AddEval(name, arguments);
        if (function == nullptr) {
            throw SyntaxError(name.begin, "unknown function '" + std::string(name.text) + "'");
        }
        RequireArguments(name, arguments.size(), function->arguments, function->arguments);
        return Add(Op::kCall, name.begin, arguments, static_cast<std::size_t>(function->function));
    }

    NodeId AddEval(const Token& name, const Operands& arguments) {
        if (inside_rule_) throw SyntaxError(name.begin, "eval() in an expression of a rule");
        RequireArguments(name, arguments.size(), 1, 1);
        const Node& argument = out_.nodes_[arguments.front()];
        if (argument.op != Op::kPolicy) {
            throw SyntaxError(name.begin, "eval() takes a field of a rule, and nothing else");
        }
        return Add(Op::kEval, name.begin, {}, argument.payload);
    }

    static void RequireArguments(const Token& name, std::size_t given, std::size_t least,
                                 std::size_t most) {
        if (given >= least && given <= most) return;
        throw SyntaxError(name.begin, std::string(name.text) + "() takes " + std::to_string(least) +
                                          (most == least ? "" : " or " + std::to_string(most)) +
                                          " arguments");
    }

    const Model& model_;
    Expression out_;
    Token token_;
    std::size_t previous_end_ = 0;
    unsigned depth_ = 0;
    bool inside_rule_ = false;
    bool times_allowed_ = false;  // inside the arguments of timeMatch
};

Expression ParseMatcher(std::string_view text, const Model& model) {
    return ExpressionParser(text, model).Parse();
}

Expression ParseRuleExpression(std::string_view text, const Model& model,
                               std::optional<std::size_t> request, std::size_t policy) {
    ExpressionParser parser(text, model);
    parser.InsideRule(request, policy);
    return parser.Parse();
}

}  // namespace rampart::policy
