// Base64 with padding (RFC 4648, section 4), as signed notes have it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace rampart {

std::string Base64(ByteView bytes);

// Nothing unless `text` is what Base64() writes: no white space, whole padding, no stray bits.
std::optional<std::vector<std::uint8_t>> FromBase64(std::string_view text);

// base64url without padding (RFC 4648, section 5), as JWS has it; as strictly.
std::optional<std::vector<std::uint8_t>> FromBase64Url(std::string_view text);

}  // namespace rampart
