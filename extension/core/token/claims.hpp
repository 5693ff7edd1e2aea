// Whom a token speaks of: RFC 7519's claims, RFC 9068's for access tokens.
//
//   sub, org, roles, teams    the subject, its organisation, its roles there, its teams
//   scope                     what an API key may do, words between spaces: "document:read"
//   api_key                   true: an API key's, which may do what its scopes say and no more
//   iss, aud, exp, nbf, iat   who made it for whom, and when it holds; seconds since 1970
//   jti                       its own id, by which it can be revoked
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/value.hpp"

namespace rampart::token {

struct Claims {
    std::string subject;
    std::string organisation;  // empty: none
    std::vector<std::string> roles;
    std::vector<std::string> teams;
    std::vector<std::string> scopes;
    bool api_key = false;
    std::string id;  // empty: none
};

struct Expected {
    std::string_view issuer;
    std::string_view audience;
    double now;     // seconds since 1970
    double leeway;  // seconds
};

// Those that say who somebody is. Error RMP08 for a claim of another type, for a text that is
// empty, long or has control characters, and for more than kMaxNames names of a kind.
Claims ReadClaims(const policy::Value& payload);
inline constexpr std::size_t kMaxNames = 256;

// Error RMP08 where the token is another's, or does not hold now.
void CheckClaims(const policy::Value& payload, const Expected& expected);

}  // namespace rampart::token
