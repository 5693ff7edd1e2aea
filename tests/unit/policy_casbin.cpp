#include "policy_casbin.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "policy/csv.hpp"

namespace rampart::policy::test {
namespace {

void ReadMatching(const Value& setup, const char* name, PolicyOptions& options,
                  std::optional<Function> RoleOptions::*member) {
    const Value* matching = setup.Find(name);
    if (matching == nullptr) return;
    for (const auto& [role, function] : *matching->As<Value::Object>()) {
        options.roles[role].*member = FindFunction(*function.As<std::string>())->function;
    }
}

PolicyOptions OptionsOf(const Value& test_case) {
    PolicyOptions options;
    const Value* setup = test_case.Find("setup");
    if (setup == nullptr) return options;
    ReadMatching(*setup, "role_matching", options, &RoleOptions::role_matching);
    ReadMatching(*setup, "domain_matching", options, &RoleOptions::domain_matching);
    const Value* fields = setup->Find("field_index");
    if (fields == nullptr) return options;
    for (const Value::Member& member : *fields->As<Value::Object>()) {
        const auto index = [&](const char* name) -> std::optional<std::size_t> {
            const Value* value = member.second.Find(name);
            if (value == nullptr) return std::nullopt;
            return static_cast<std::size_t>(*value->As<double>());
        };
        options.fields[member.first] = {index("priority"), index("sub"), index("dom")};
    }
    return options;
}

}  // namespace

std::optional<std::filesystem::path> CasbinFolder() {
    const char* set = std::getenv("RAMPART_CASBIN");
    std::filesystem::path folder = set != nullptr ? set : RAMPART_SOURCE "/../shared/casbin";
    if (!std::filesystem::exists(folder / "cases.jsonl")) return std::nullopt;
    return folder;
}

std::string ReadFile(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::vector<Value> ReadCases(const std::filesystem::path& path) {
    std::vector<Value> cases;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) cases.push_back(ParseJson(line));
    return cases;
}

std::string TextOf(const Value& object, std::string_view name) {
    const Value* value = object.Find(name);
    const std::string* text = value == nullptr ? nullptr : value->As<std::string>();
    return text == nullptr ? std::string() : *text;
}

const Value::List* ListOf(const Value& object, std::string_view name) {
    const Value* value = object.Find(name);
    return value == nullptr ? nullptr : value->As<Value::List>();
}

PolicySet LoadCase(const std::filesystem::path& folder, const Value& test_case) {
    PolicySetBuilder builder(Model::Parse(ReadFile(folder / "models" / TextOf(test_case, "model"))),
                             OptionsOf(test_case));
    const std::string policy = TextOf(test_case, "policy");
    if (!policy.empty()) AddPolicyCsv(ReadFile(folder / "policies" / policy), builder);
    return builder.Build();
}

CaseRequest RequestOf(const Value& test_case) {
    CaseRequest request;
    const Value* setup = test_case.Find("setup");
    const bool accept_json = setup != nullptr && setup->Find("accept_json") != nullptr;
    for (const Value& value : *ListOf(test_case, "request")) {
        const auto* text = value.As<std::string>();
        const bool json = accept_json && text != nullptr && text->starts_with("{");
        request.values.push_back(json ? ParseJson(*text) : value);
    }
    for (const Value& value : request.values) request.views.emplace_back(value);
    if (setup == nullptr || setup->Find("context") == nullptr) return request;
    request.matcher = TextOf(*setup->Find("context"), "m");
    request.effect = TextOf(*setup->Find("context"), "e");
    return request;
}

Request CaseRequest::Make() const { return {views, Now(), matcher, effect}; }

Time Now() {
    return std::chrono::time_point_cast<Time::duration>(std::chrono::system_clock::now());
}

}  // namespace rampart::policy::test
