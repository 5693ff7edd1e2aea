// Models and rules as they are stored.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "pg/postgres.hpp"
#include "policy/limits.hpp"

extern "C" {
#include "utils/array.h"
}

namespace rampart::pg::policy {

inline constexpr std::size_t kMaxRuleValues = 2 * rampart::policy::kMaxFields;

struct RuleRow {
    const char* type;
    ArrayType* values;
};

// In the memory context that was current when it was read.
struct ModelRow {
    const char* definition;
    const char* options;
    RuleRow* rules;
    std::size_t rule_count;
};

// What is committed, and what this transaction has written: not what its snapshot shows. False:
// there is no such model.
bool ReadModel(Oid models, Oid rules, std::string_view name, ModelRow* row);

// Views of the elements of a text[]; how many there are. Nothing where one is NULL, there are more
// than fit, or the array has more than one dimension. REQUIRES: not TOASTed.
std::optional<std::size_t> TextsOf(ArrayType* array, std::string_view (&texts)[kMaxRuleValues]);

}  // namespace rampart::pg::policy
