// JSON as it is taken from clients (RFC 8259, and stricter): UTF-8, each name once, sixteen levels
// at most, no NUL in strings (PostgreSQL's text has none), nothing after the value.
#pragma once

#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace rampart::server::http {

inline constexpr int kMaxDepth = 16;

// Nothing for anything else.
std::optional<nlohmann::json> ParseStrictly(std::string_view text);

}  // namespace rampart::server::http
