// A signed token in its compact form (RFC 7515, 7.1), taken apart and not yet believed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "policy/value.hpp"

namespace rampart::token {

inline constexpr std::size_t kMaxTokenSize = 16UL * 1024;

struct CompactToken {
    std::string_view signed_text;  // into the token
    std::string algorithm;
    std::optional<std::string> key_id;
    std::string type;     // in lower case, without "application/"; empty: not stated
    std::string payload;  // bytes of anybody's, until the signature is verified
    std::vector<std::uint8_t> signature;
};

// Errors: 54000 for a token beyond kMaxTokenSize, RMP08 for what is none, and for one whose header
// asks for what it must not: an extension (crit, b64), or a key that it brings along.
CompactToken ParseCompact(std::string_view token);

// UTF-8, one object, each name once. Error RMP08; `part` says of what.
policy::Value ParseObject(std::string_view json, const char* part);

// Error RMP08. `reason` ends a sentence, and never quotes the token.
[[noreturn]] void Refuse(const std::string& reason);

}  // namespace rampart::token
