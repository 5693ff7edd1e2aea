#include "policy/lexer.hpp"

#include <algorithm>
#include <charconv>

#include "policy/expression.hpp"

namespace rampart::policy {
namespace {

// Longer ones first.
constexpr std::string_view kSymbols[] = {"&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+",
                                         "-",  "*",  "/",  "%",  "(",  ")",  "[", "]", ","};
// Operators of Casbin's evaluator that are not supported, so that they are named when refused.
constexpr std::string_view kUnsupported[] = {"**", "=~", "!~", "<<", ">>", "??", "?",
                                             ":",  "|",  "&",  "^",  "~",  "="};

// 0 is a digit, A a letter, + a sign, _ a digit or a space.
constexpr std::string_view kTimeShapes[] = {
    "0000-00-00",
    "0000-00-00 00:00",
    "0000-00-00 00:00:00",
    "0000-00-00 00:00:00+00:00",
    "0000-00-00T00:00:00+00:00",
    "0000-00-00T00:00:00.000000000+00:00",
    "0000-00-00T00+0000",
    "0000-00-00T00:00+0000",
    "0000-00-00T00:00:00+0000",
    "0000-00-00T00:00:00.000000000+0000",
    "0:00AA",
    "00:00AA",
    "AAA AAA _0 00:00:00 0000",
    "AAA AAA 0 00:00:00 0000",
    "AAA AAA 00 00:00:00 +0000 0000",
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) > 127;
}
bool IsNamePart(char c) { return IsLetter(c) || IsDigit(c) || c == '_' || c == '.'; }
bool IsNumberPart(char c) { return IsDigit(c) || c == '.'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

std::size_t EndOf(std::string_view source, std::size_t at, bool (*part)(char)) {
    while (at < source.size() && part(source[at])) ++at;
    return at;
}

Token ReadNumber(std::string_view source, std::size_t at) {
    const bool hexadecimal = source.substr(at).starts_with("0x");
    const std::size_t start = hexadecimal ? at + 2 : at;
    const std::size_t end = EndOf(source, start, hexadecimal ? IsHexDigit : IsNumberPart);
    Token token{Token::Kind::kNumber, source.substr(at, end - at), 0, at, end};
    const char* first = source.data() + start;
    const char* last = source.data() + end;
    std::from_chars_result read{};
    if (hexadecimal) {
        std::uint64_t value = 0;
        read = std::from_chars(first, last, value, 16);
        token.number = static_cast<double>(value);
    } else {
        read = std::from_chars(first, last, token.number, std::chars_format::fixed);
    }
    if (read.ec != std::errc() || read.ptr != last) throw SyntaxError(at, "not a number");
    return token;
}

// A backslash is a character as any other. Casbin ends a string at either quote; one that holds the
// other quote would be read differently there.
Token ReadString(std::string_view source, std::size_t at) {
    const std::size_t end = source.find_first_of("'\"", at + 1);
    if (end == source.npos) throw SyntaxError(at, "a string without an end");
    if (source[end] != source[at]) {
        throw SyntaxError(end, "a string cannot hold the other kind of quote");
    }
    return {Token::Kind::kString, source.substr(at + 1, end - at - 1), 0, at, end + 1};
}

Token ReadName(std::string_view source, std::size_t at) {
    const std::size_t end = EndOf(source, at, IsNamePart);
    return {Token::Kind::kName, source.substr(at, end - at), 0, at, end};
}

Token ReadSymbol(std::string_view source, std::size_t at) {
    const auto begins = [rest = source.substr(at)](std::string_view s) {
        return rest.starts_with(s);
    };
    const auto* known = std::ranges::find_if(kSymbols, begins);
    const auto* refused = std::ranges::find_if(kUnsupported, begins);
    const std::size_t known_size = known == std::end(kSymbols) ? 0 : known->size();
    if (refused != std::end(kUnsupported) && refused->size() > known_size) {
        throw SyntaxError(at, "operator '" + std::string(*refused) + "' is not supported");
    }
    if (known_size == 0) throw SyntaxError(at, "unexpected character");
    return {Token::Kind::kSymbol, source.substr(at, known_size), 0, at, at + known_size};
}

}  // namespace

Token NextToken(std::string_view source, std::size_t offset) {
    const std::size_t at = EndOf(source, offset, IsSpace);
    if (at == source.size()) return {Token::Kind::kEnd, {}, 0, at, at};
    const char c = source[at];
    if (IsNumberPart(c)) return ReadNumber(source, at);
    if (c == '\'' || c == '"') return ReadString(source, at);
    if (IsLetter(c)) return ReadName(source, at);
    return ReadSymbol(source, at);
}

bool LooksLikeTime(std::string_view text) {
    const auto fits = [text](std::string_view shape) {
        return std::ranges::equal(text, shape, [](char c, char s) {
            if (s == '0') return IsDigit(c);
            if (s == '_') return IsDigit(c) || c == ' ';
            if (s == 'A') return IsLetter(c);
            if (s == '+') return c == '+' || c == '-';
            return c == s;
        });
    };
    return std::ranges::any_of(kTimeShapes, fits);
}

}  // namespace rampart::policy
