// Whom a transaction works for: what of a token's claims decisions are made by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/value.hpp"

namespace rampart {

struct Principal {
    std::string subject;
    std::string organisation;  // empty: of none
    std::vector<std::string> roles;
    std::vector<std::string> teams;
    std::vector<std::string> scopes;
    bool api_key = false;  // a program with a key of its own, whom its scopes bound
    std::string issuer;
    std::string token_id;
    std::string session;
    std::int64_t expires_at = 0;  // seconds since 1970; 0: not known

    bool operator==(const Principal&) const = default;
};

// All its text together, and so what a token can make it.
inline constexpr std::size_t kMaxClaimsSize = 16UL * 1024;

// Claims as RFC 9068 has them, and what WriteClaims wrote: sub, org, roles or role, teams, scope or
// scopes, api_key, iss, jti, sid, exp; others are left alone. Errors: 22023 with a detail that
// names the claim, for one of another kind, for text with a NUL, and without a subject.
Principal ReadClaims(const policy::Value& claims);

// JSON that ReadClaims reads back. Text goes through as bytes, whatever its encoding.
std::string WriteClaims(const Principal& principal);

}  // namespace rampart
