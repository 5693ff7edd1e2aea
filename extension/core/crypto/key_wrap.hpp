// AES-256 key wrap with padding (RFC 5649, KWP of SP 800-38F): deterministic, needs no IV, detects
// any change.
#pragma once

#include <optional>
#include <vector>

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart {

// Length of the result is a multiple of 8: the padded key plus 8.
std::vector<std::uint8_t> WrapKey(const SecretKey& kek, ByteView key);

// The wrapped 256-bit key; nothing if the bytes were not made with this KEK, were altered, or hold
// a key of another length.
std::optional<SecretKey> UnwrapKey(const SecretKey& kek, ByteView wrapped);

}  // namespace rampart
