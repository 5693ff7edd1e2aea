// Signing of tokens: JWS in compact form (RFC 7515) by ES256, EdDSA or RS256 (RFC 7518, 8037), and
// the keys for it. Verification is core's (token/verify.hpp).
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "crypto/openssl.hpp"

namespace rampart::server::auth {

struct NewKey {
    std::string private_pem;
    std::string public_pem;
};
// P-256, Ed25519 or RSA of 3072 bits.
NewKey MakeKey(std::string_view algorithm);

KeyPair PrivateKeyOfPem(std::string_view pem);
KeyPair PublicKeyOfPem(std::string_view pem);

// Thread-safe: a key may sign in many threads at once.
std::string Sign(EVP_PKEY* key, std::string_view algorithm, std::string_view kid,
                 const nlohmann::json& claims);

// A public key as a JWK (RFC 7517), with kid, alg and use.
nlohmann::json JwkOf(EVP_PKEY* key, std::string_view algorithm, std::string_view kid);

}  // namespace rampart::server::auth
