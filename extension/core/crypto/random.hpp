// Randomness, from OpenSSL's generator only.
#pragma once

#include "bytes.hpp"

namespace rampart {

// Fills with cryptographically strong bytes. Error XX000 when the generator fails.
void RandomBytes(ByteSpan out);

// A few strong bytes at a time: initialisation vectors for randomised AES-GCM (SP 800-38D, 8.2.2:
// 96 random bits), salts. Drawn from the generator by the batch, because a call for each costs five
// times the encryption of a short value. The batch is dropped in a child after fork(), so no two
// processes ever hand out the same bytes, and bytes are wiped from it once given. One a process;
// not thread-safe.
class RandomPool {
  public:
    static constexpr std::size_t kMaxSize = 32;
    static void Next(ByteSpan out);  // REQUIRES: at most kMaxSize bytes
};

}  // namespace rampart
