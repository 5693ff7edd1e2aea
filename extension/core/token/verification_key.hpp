// A key that tokens are verified with, and the one algorithm it is for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bytes.hpp"
#include "crypto/hmac.hpp"
#include "crypto/openssl.hpp"

namespace rampart::token {

// RFC 7518 and RFC 8037.
enum class Algorithm : std::uint8_t { kEdDsa, kEs256, kRs256, kHs256 };
std::optional<Algorithm> AlgorithmNamed(std::string_view name);
const char* NameOf(Algorithm algorithm);

// Movable. Verify() may be called by one thread at a time.
class VerificationKey {
  public:
    static constexpr std::size_t kMinSecret = 32;
    static constexpr std::size_t kMaxSecret = 1024;
    static constexpr int kMinRsaBits = 2048;
    static constexpr int kMaxRsaBits = 8192;

    // The public key of a PEM ("PUBLIC KEY") or of a JWK (RFC 7517), or SubjectPublicKeyInfo in
    // DER. Error 22023 with a detail: what is none, a private key, one of another algorithm, RSA of
    // fewer than 2048 bits, a point that is not on its curve.
    static VerificationKey FromText(Algorithm algorithm, std::string_view text);
    static VerificationKey FromDer(Algorithm algorithm, ByteView der);
    // For HS256. Error 22023 for fewer than 32 bytes or more than 1024.
    static VerificationKey FromSecret(ByteView secret);

    Algorithm algorithm() const { return algorithm_; }
    std::vector<std::uint8_t> Der() const;  // REQUIRES: not HS256

    [[nodiscard]] bool Verify(ByteView message, ByteView signature) const;

  private:
    using Key = std::variant<KeyPair, std::unique_ptr<HmacSha256>>;
    VerificationKey(Algorithm algorithm, Key key) : algorithm_(algorithm), key_(std::move(key)) {}

    Algorithm algorithm_;
    Key key_;
};

// The secret of a JWK of type oct; other text is the secret itself. The caller wipes it. Error
// 22023 for a JWK of another kind and for what looks like a public key, which is no secret.
std::vector<std::uint8_t> SecretFromText(std::string_view text);

}  // namespace rampart::token
