// Bounds of the policy engine. Models, rules and requests come from anywhere; what is beyond a
// bound is refused with error RMP04 before any work is done on it.
#pragma once

#include <cstddef>
#include <string>

#include "error.hpp"

namespace rampart::policy {

inline constexpr std::size_t kMaxModelText = 256UL * 1024;
inline constexpr std::size_t kMaxDefinitions = 32;  // a section
inline constexpr std::size_t kMaxFields = 32;       // of a request or a rule
inline constexpr std::size_t kMaxExpressionText = 32UL * 1024;
inline constexpr std::size_t kMaxExpressionNodes = 4096;
inline constexpr unsigned kMaxNesting = 64;  // of an expression: what evaluating it recurses
inline constexpr std::size_t kMaxPatternText = 4096;
inline constexpr std::size_t kMaxPolicyText = 256UL * 1024 * 1024;
inline constexpr std::size_t kMaxRules = 4'000'000;
inline constexpr std::size_t kMaxRequestText = 1024UL * 1024;  // all of its values
inline constexpr std::size_t kMaxJsonText = 1024UL * 1024;
inline constexpr unsigned kMaxJsonNesting = 32;
inline constexpr std::size_t kMaxConcatenation = 1024UL * 1024;

inline void RequireWithin(std::size_t amount, std::size_t limit, const char* what) {
    if (amount <= limit) return;
    throw Error(
        errc::kPolicyLimit, std::string(what) + " is beyond the limit",
        "It is " + std::to_string(amount) + ", the limit is " + std::to_string(limit) + ".");
}

}  // namespace rampart::policy
