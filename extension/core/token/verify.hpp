// Whether a token is to be believed (RFC 7519, 8725, 9068).
//
// The header only says which key it claims: the key has one algorithm, one issuer and one audience,
// and nothing that the token says changes them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "token/principal.hpp"
#include "token/verification_key.hpp"

namespace rampart::token {

inline constexpr std::int64_t kMaxLeeway = 60;

struct Key {
    std::string id;
    Algorithm algorithm;
    std::string issuer;
    std::string audience;
    std::int64_t leeway = 0;   // seconds that clocks may differ by; at most kMaxLeeway
    bool access_only = false;  // takes tokens of type at+jwt only
    std::int64_t from = 0;     // seconds since 1970
    std::int64_t until = INT64_MAX;
    std::optional<VerificationKey> key;  // nothing: it cannot be had at present
};

// The claims of a token that one of the keys signed and that counts at `now`. Whether it was
// revoked is for the caller to ask. Errors RMP08, 54000.
Principal Verify(std::string_view token, std::span<const Key> keys, std::int64_t now);

}  // namespace rampart::token
