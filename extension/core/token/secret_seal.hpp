// Secrets of HS256 as they are stored: encrypted under a key that the root key wraps, and bound to
// the id of the token key that they belong to. docs/formats.md has the bytes.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart::token {

std::vector<std::uint8_t> SealSecret(const SecretKey& key, std::string_view key_id,
                                     ByteView secret);

// Nothing: altered, of another token key, or under another key. The caller wipes it.
std::optional<std::vector<std::uint8_t>> OpenSecret(const SecretKey& key, std::string_view key_id,
                                                    ByteView sealed);

}  // namespace rampart::token
