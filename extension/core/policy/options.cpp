#include "policy/options.hpp"

#include <cmath>

#include "policy/function.hpp"
#include "policy/limits.hpp"

namespace rampart::policy {
namespace {

constexpr double kMaxRoleDepth = 1000;

[[noreturn]] void Fail(const std::string& what) {
    throw Error(errc::kMalformedModel, "malformed options of a model: " + what);
}

template <typename Visit>
void EachMember(const Value& value, const std::string& where, const Visit& visit) {
    const auto* object = value.As<Value::Object>();
    if (object == nullptr) Fail(where + " must be an object");
    for (const auto& [name, member] : *object) visit(name, member);
}

Function FunctionNamed(const Value& value, const std::string& where) {
    const auto* name = value.As<std::string>();
    const FunctionInfo* info = name == nullptr ? nullptr : FindFunction(*name);
    if (info == nullptr || info->arguments != 2 || info->returns_text)
        Fail(where + " must be the name of a function that matches a pattern");
    return info->function;
}

std::size_t NumberIn(const Value& value, double least, double greatest, const std::string& where) {
    const auto* number = value.As<double>();
    if (number == nullptr || *number != std::floor(*number) || *number < least ||
        *number > greatest)
        Fail(where + " must be a whole number in range");
    return static_cast<std::size_t>(*number);
}

RoleOptions ReadRole(const Value& value, const std::string& role) {
    RoleOptions options;
    EachMember(value, role, [&](const std::string& name, const Value& member) {
        const std::string where = role + "." + name;
        if (name == "matching") {
            options.role_matching = FunctionNamed(member, where);
        } else if (name == "domain_matching") {
            options.domain_matching = FunctionNamed(member, where);
        } else if (name == "max_depth") {
            options.max_depth = static_cast<unsigned>(NumberIn(member, 1, kMaxRoleDepth, where));
        } else {
            Fail("there is no " + where);
        }
    });
    return options;
}

PolicyOptions::Fields ReadFields(const Value& value, const std::string& definition) {
    PolicyOptions::Fields fields;
    EachMember(value, definition, [&](const std::string& name, const Value& member) {
        const std::string where = definition + "." + name;
        const std::size_t index = NumberIn(member, 0, static_cast<double>(kMaxFields) - 1, where);
        if (name == "priority") {
            fields.priority = index;
        } else if (name == "subject") {
            fields.subject = index;
        } else if (name == "domain") {
            fields.domain = index;
        } else {
            Fail("there is no " + where);
        }
    });
    return fields;
}

}  // namespace

PolicyOptions ParseOptions(std::string_view json) {
    PolicyOptions options;
    EachMember(ParseJson(json), "they", [&](const std::string& kind, const Value& definitions) {
        if (kind != "roles" && kind != "fields") Fail("there is no " + kind);
        EachMember(definitions, kind, [&](const std::string& name, const Value& value) {
            if (kind == "roles") {
                options.roles[name] = ReadRole(value, name);
            } else {
                options.fields[name] = ReadFields(value, name);
            }
        });
    });
    return options;
}

}  // namespace rampart::policy
