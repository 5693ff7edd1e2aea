// Tokens verified by the keys of rampart.token_key.
#pragma once

#include <string>
#include <string_view>

#include "pg/postgres.hpp"

namespace rampart::pg::principal {

// The claims of a token as JSON. Error RMP08 for one that is malformed, not signed by a key that is
// known, of another issuer or audience, not valid now, or revoked; it is a security event as well.
std::string VerifiedClaims(std::string_view token);

}  // namespace rampart::pg::principal
