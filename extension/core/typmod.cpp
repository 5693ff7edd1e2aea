#include "typmod.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "crypto/sha256.hpp"
#include "error.hpp"

namespace rampart {
namespace {

constexpr unsigned kModeBits = 2;
constexpr unsigned kTagBits = 24;
constexpr std::size_t kTagDigits = kTagBits / 4;

// Not the C library's classes: a name means the same whatever the locale.
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualIgnoringCase(std::string_view word, std::string_view lower) {
    return std::equal(word.begin(), word.end(), lower.begin(), lower.end(),
                      [](char a, char b) { return ToLower(a) == b; });
}

bool IsMode(std::uint32_t bits) {
    return bits == static_cast<std::uint32_t>(Mode::kRandomised) ||
           bits == static_cast<std::uint32_t>(Mode::kDeterministic);
}

[[noreturn]] void ThrowBadModifier(const std::string& message) {
    throw Error(errc::kBadModifier, message, {},
                "Write the scope, then optionally the mode: (pii) or (pii, deterministic).");
}

std::optional<std::uint32_t> ParseTag(std::string_view word) {
    if (word.size() != 1 + kTagDigits || word[0] != '#') return std::nullopt;
    const char* end = word.data() + word.size();
    std::uint32_t tag = 0;
    const auto [stop, error] = std::from_chars(word.data() + 1, end, tag, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return tag;
}

std::uint32_t ParseScope(std::string_view word) {
    if (const auto tag = ParseTag(word)) return *tag;
    if (!IsScopeName(word)) {
        ThrowBadModifier("\"" + std::string(word) + "\" is not a name a scope can have");
    }
    return ScopeTag(word);
}

Mode ParseMode(std::string_view word) {
    if (EqualIgnoringCase(word, "deterministic")) return Mode::kDeterministic;
    if (EqualIgnoringCase(word, "random") || EqualIgnoringCase(word, "randomised")) {
        return Mode::kRandomised;
    }
    ThrowBadModifier("\"" + std::string(word) + "\" is not an encryption mode");
}

}  // namespace

bool IsScopeName(std::string_view name) {
    if (name.empty() || name.size() > kMaxScopeName) return false;
    if (!IsLetter(name[0]) && name[0] != '_') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || c == '.';
    });
}

std::uint32_t ScopeTag(std::string_view scope) {
    const auto digest = Sha256(AsBytes(scope));
    return LoadBigEndian<std::uint32_t>(digest.data()) >> (32 - kTagBits);
}

std::int32_t PackModifier(const Modifier& modifier) {
    return static_cast<std::int32_t>(modifier.scope_tag << kModeBits |
                                     static_cast<std::uint32_t>(modifier.mode));
}

Modifier UnpackModifier(std::int32_t packed) {
    const auto bits = static_cast<std::uint32_t>(packed);
    const std::uint32_t mode = bits & ((1U << kModeBits) - 1);
    if (bits >> (kTagBits + kModeBits) != 0 || !IsMode(mode)) {
        ThrowBadModifier("invalid type modifier " + std::to_string(packed));
    }
    return {.scope_tag = bits >> kModeBits, .mode = static_cast<Mode>(mode)};
}

Modifier ParseModifier(std::span<const std::string_view> words) {
    if (words.empty() || words.size() > 2) {
        ThrowBadModifier("the type takes one or two modifiers, not " +
                         std::to_string(words.size()));
    }
    const Mode mode = words.size() == 2 ? ParseMode(words[1]) : Mode::kRandomised;
    return {.scope_tag = ParseScope(words[0]), .mode = mode};
}

std::string FormatModifier(std::string_view scope, Mode mode) {
    std::string text = "(";
    text += scope;
    if (mode == Mode::kDeterministic) text += ",deterministic";
    text += ')';
    return text;
}

std::string ScopeTagText(std::uint32_t scope_tag) {
    return "#" + KeyIdText(scope_tag).substr(16 - kTagDigits);
}

}  // namespace rampart
