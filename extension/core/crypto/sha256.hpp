// SHA-256 (FIPS 180-4) of a byte string, whole or in parts.
#pragma once

#include <array>

#include <openssl/sha.h>

#include "bytes.hpp"

namespace rampart {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest Sha256(ByteView bytes);

// A message in parts: Update any number of times, then Final once. Allocates nothing, cannot fail.
class Sha256Stream {
  public:
    Sha256Stream();
    void Update(ByteView part);
    Sha256Digest Final();

  private:
    SHA256_CTX state_;
};

}  // namespace rampart
