// The functions that a matcher can call, by the names that Casbin gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rampart::policy {

enum class Function : std::uint8_t {
    kKeyMatch,
    kKeyMatch2,
    kKeyMatch3,
    kKeyMatch4,
    kKeyMatch5,
    kKeyGet,
    kKeyGet2,
    kKeyGet3,
    kRegexMatch,
    kIpMatch,
    kGlobMatch,
    kTimeMatch,
};

// All take strings; the second one is a pattern, except timeMatch's.
struct FunctionInfo {
    std::string_view name;
    Function function;
    std::size_t arguments;
    bool returns_text;  // the part that matched, not whether
};

// Null for a name that is no function's.
const FunctionInfo* FindFunction(std::string_view name);
const FunctionInfo& InfoOf(Function function);

}  // namespace rampart::policy
