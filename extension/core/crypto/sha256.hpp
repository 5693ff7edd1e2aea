// SHA-256 (FIPS 180-4) of a byte string.
#pragma once

#include <array>

#include "bytes.hpp"

namespace rampart {

std::array<std::uint8_t, 32> Sha256(ByteView bytes);

}  // namespace rampart
