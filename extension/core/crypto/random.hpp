// Randomness, from OpenSSL's generator only.
#pragma once

#include "bytes.hpp"

namespace rampart {

// Fills with cryptographically strong bytes. Error XX000 when the generator fails.
void RandomBytes(ByteSpan out);

// 96-bit initialisation vectors for randomised AES-GCM (SP 800-38D, 8.2.2: 96 random bits), drawn
// from the generator by the batch because a call an IV costs five times the encryption itself. The
// batch is dropped in a child after fork(), so no two processes ever hand out the same IV, and each
// IV is wiped from it once given. One a process; not thread-safe.
class IvPool {
  public:
    static constexpr std::size_t kIvSize = 12;
    static void Next(std::uint8_t* iv);
};

}  // namespace rampart
