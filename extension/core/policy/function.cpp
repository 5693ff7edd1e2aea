#include "policy/function.hpp"

#include <algorithm>

namespace rampart::policy {
namespace {

constexpr FunctionInfo kFunctions[] = {
    {"keyMatch", Function::kKeyMatch, 2, false},     {"keyMatch2", Function::kKeyMatch2, 2, false},
    {"keyMatch3", Function::kKeyMatch3, 2, false},   {"keyMatch4", Function::kKeyMatch4, 2, false},
    {"keyMatch5", Function::kKeyMatch5, 2, false},   {"keyGet", Function::kKeyGet, 2, true},
    {"keyGet2", Function::kKeyGet2, 3, true},        {"keyGet3", Function::kKeyGet3, 3, true},
    {"regexMatch", Function::kRegexMatch, 2, false}, {"ipMatch", Function::kIpMatch, 2, false},
    {"globMatch", Function::kGlobMatch, 2, false},   {"timeMatch", Function::kTimeMatch, 2, false},
};

}  // namespace

const FunctionInfo* FindFunction(std::string_view name) {
    const auto* found = std::ranges::find(kFunctions, name, &FunctionInfo::name);
    return found == std::end(kFunctions) ? nullptr : found;
}

const FunctionInfo& InfoOf(Function function) {
    return kFunctions[static_cast<std::size_t>(function)];
}

}  // namespace rampart::policy
