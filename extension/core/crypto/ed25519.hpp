// Ed25519 signatures (RFC 8032, 5.1; pure, without context).
//
// A private key is its 32-byte seed in a SecretKey; SecretKey::Random() makes one. Signing is
// deterministic: a key and a message have one signature.
#pragma once

#include <array>
#include <memory>

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart {

using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

// A private key ready to sign. Its copy inside OpenSSL is on the locked heap and wiped when
// released. Sign() may be called from several threads at once.
class Ed25519Key {
  public:
    explicit Ed25519Key(const SecretKey& seed);
    ~Ed25519Key();
    Ed25519Key(Ed25519Key&&) noexcept;
    Ed25519Key& operator=(Ed25519Key&&) noexcept;

    const Ed25519PublicKey& public_key() const { return public_key_; }
    Ed25519Signature Sign(ByteView message) const;  // Error XX000 if OpenSSL fails

  private:
    struct Pair;
    std::unique_ptr<Pair> pair_;
    Ed25519PublicKey public_key_;
};

// False for a signature of another length, for one whose scalar is not reduced, and for a public
// key that is no point of the curve. Trust in the key is the caller's: a key of small order, which
// no honest generator makes, accepts signatures that nobody made.
[[nodiscard]] bool Ed25519Verify(const Ed25519PublicKey& key, ByteView message, ByteView signature);

}  // namespace rampart
