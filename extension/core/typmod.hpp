// The type modifier of an encrypted column, `(scope [, random | deterministic])`, in 26 bits: 24
// bits of SHA-256 of the scope's name (its tag), then two bits of mode. A hash and no number from a
// table, so that the CREATE TABLE of a restored dump means the same before the scopes are there
// again; create_scope refuses a name whose tag is taken.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ciphertext.hpp"

namespace rampart {

inline constexpr std::size_t kMaxScopeName = 63;

// Letters, digits, underscore, hyphen and dot, beginning with a letter or underscore; 1 to 63
// bytes.
bool IsScopeName(std::string_view name);

// 24 bits.
std::uint32_t ScopeTag(std::string_view scope);

struct Modifier {
    std::uint32_t scope_tag;
    Mode mode;
    friend bool operator==(const Modifier&, const Modifier&) = default;
};

// -1 is PostgreSQL's "no modifier" and never a result.
std::int32_t PackModifier(const Modifier& modifier);
// REQUIRES: packed is a result of PackModifier; throws Error RMT01 otherwise.
Modifier UnpackModifier(std::int32_t packed);

// Parses the words between the parentheses. The scope may be written `#0a1b2c`, its tag in
// hexadecimal, which is how a modifier prints while its scope's name is not known. Error RMT01.
Modifier ParseModifier(std::span<const std::string_view> words);

// "(pii,deterministic)", "(pii)"; randomised is the default and not printed. `scope` goes out as
// given: where it is to be read back as SQL, the caller quotes it as an identifier.
std::string FormatModifier(std::string_view scope, Mode mode);
std::string ScopeTagText(std::uint32_t scope_tag);  // "#0a1b2c"

}  // namespace rampart
