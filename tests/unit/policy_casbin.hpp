// Casbin's own examples and expectations, where the folder with them is there: RAMPART_CASBIN, or
// ../shared/casbin beside the repository. It is not part of the repository.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy_set.hpp"
#include "policy/value.hpp"

namespace rampart::policy::test {

std::optional<std::filesystem::path> CasbinFolder();
std::string ReadFile(const std::filesystem::path& path);

// The lines of a .jsonl file.
std::vector<Value> ReadCases(const std::filesystem::path& path);

// Members of a case; the empty string, or nothing, where they are not there or null.
std::string TextOf(const Value& object, std::string_view name);
const Value::List* ListOf(const Value& object, std::string_view name);

// The model and policy of a case, with its setup.
PolicySet LoadCase(const std::filesystem::path& folder, const Value& test_case);

// The request of a case. Keeps the values that JSON strings are read into.
struct CaseRequest {
    std::vector<Value> values;
    std::vector<ValueView> views;
    std::string matcher = "m";
    std::string effect;

    Request Make() const;
};
CaseRequest RequestOf(const Value& test_case);

Time Now();

}  // namespace rampart::policy::test
