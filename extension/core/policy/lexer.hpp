// Tokens of an expression.
#pragma once

#include <string>
#include <string_view>

namespace rampart::policy {

struct Token {
    enum class Kind { kEnd, kName, kNumber, kString, kSymbol };
    Kind kind = Kind::kEnd;
    std::string_view text;  // a string without its quotes; a name with its dots
    double number = 0;
    std::size_t begin = 0;
    std::size_t end = 0;

    bool Is(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
};

// The token at `offset` or behind it. Throws SyntaxError.
Token NextToken(std::string_view source, std::size_t offset);

// True for a string that Casbin's evaluator would take for a date or a time, and turn into a number
// that no string equals.
bool LooksLikeTime(std::string_view text);

}  // namespace rampart::policy
