// What the fuzz targets share. A broken promise aborts, which is how libFuzzer sees it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart::fuzz {

inline void Require(bool holds, const char* promise) {
    if (holds) return;
    (void)std::fprintf(stderr, "broken: %s\n", promise);
    std::abort();
}

// Every key that the targets and their seeds use.
inline SecretKey FixedKey() {
    SecretKey key;
    for (std::uint8_t& byte : key.MutableReveal()) byte = 7;
    return key;
}

}  // namespace rampart::fuzz
