// A signed token taken apart: a compact JWS (RFC 7515). Nothing in it is believed before its
// signature has been verified by a key that was configured for it (RFC 8725): the header chooses
// among configured keys by their id and says nothing about how to use them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/value.hpp"

namespace rampart::token {

inline constexpr std::size_t kMaxTokenText = 16UL * 1024;

// Why a token is refused, in words that say nothing of it: error RMP08.
[[noreturn]] void Refuse(const char* reason);

struct Jws {
    std::string algorithm;
    std::optional<std::string> key_id;
    policy::Value payload;
    std::string payload_text;
    std::vector<std::uint8_t> signature;
    std::string_view signed_part;  // of the text that was parsed
};

// Error RMP08 for what is no compact JWS with a JSON object as payload, is longer than
// kMaxTokenText, names a member twice, or asks for an extension ("crit").
Jws ParseJws(std::string_view text);

}  // namespace rampart::token
