// A key that verifies tokens, bound to one algorithm: RFC 7518 (ES256, RS256, HS256), RFC 8037
// (EdDSA with Ed25519).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "bytes.hpp"

namespace rampart::token {

enum class Algorithm : std::uint8_t { kEdDsa, kEs256, kRs256, kHs256 };

std::optional<Algorithm> AlgorithmNamed(std::string_view name);

class TokenKey {
  public:
    // `material` is a public key in PEM (SubjectPublicKeyInfo), for HS256 the secret itself. Error
    // 22023 for one that is none, of another kind than the algorithm's, or too short: RSA keys
    // have 2,048 bits at least, secrets 32 bytes.
    TokenKey(Algorithm algorithm, ByteView material);
    ~TokenKey();
    TokenKey(const TokenKey&) = delete;
    TokenKey& operator=(const TokenKey&) = delete;

    bool Verify(std::string_view message, ByteView signature) const;

  private:
    struct Secrets;
    Algorithm algorithm_;
    std::unique_ptr<Secrets> secrets_;
};

}  // namespace rampart::token
