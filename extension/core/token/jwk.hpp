// Keys as JSON (RFC 7517, 7518, 8037).
#pragma once

#include <string_view>
#include <vector>

#include "crypto/openssl.hpp"

namespace rampart::token {

// Of type OKP (Ed25519), EC (P-256) or RSA. Error 22023 with a detail, also for a private key. That
// the point is on its curve is for the caller to check.
KeyPair PublicKeyOfJwk(std::string_view json);

// Of type oct. The caller wipes it. Error 22023.
std::vector<std::uint8_t> SecretOfJwk(std::string_view json);

}  // namespace rampart::token
