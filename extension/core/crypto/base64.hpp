// Base64 (RFC 4648): with padding (section 4) as signed notes have it, for URLs (section 5) as
// tokens do.
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

// Of the alphabet for URLs, without padding (RFC 7515, 2): as strictly.
std::optional<std::vector<std::uint8_t>> FromBase64Url(std::string_view text);

}  // namespace rampart
