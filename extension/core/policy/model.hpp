// A model: what requests, rules and roles look like, which effect rules have together, and when a
// rule matches a request. Casbin's .conf text; the answers are Casbin's as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/config.hpp"

namespace rampart::policy {

// r, r2, p, p2...: the names of the values.
struct FieldDefinition {
    std::string name;
    std::vector<std::string> fields;

    std::optional<std::size_t> Find(std::string_view field) const;
};

// g, g2...: member and role, then perhaps the domain, then perhaps what a condition is given.
struct RoleDefinition {
    std::string name;
    bool has_domain = false;
    std::size_t conditions = 0;

    std::size_t fields() const { return (has_domain ? 3U : 2U) + conditions; }
};

enum class Effect : std::uint8_t {
    kAllowOverride,    // allowed if a rule that allows matches
    kDenyOverride,     // denied if a rule that denies matches, else allowed
    kAllowAndDeny,     // allowed if one that allows matches and none that denies
    kPriority,         // the first rule that matches and is not indeterminate
    kSubjectPriority,  // the same, rules sorted by how deep the subject stands among the roles
};

struct EffectDefinition {
    std::string name;
    Effect effect;
};

struct MatcherDefinition {
    std::string name;
    SourceText text;
};

struct Model {
    std::vector<FieldDefinition> requests;
    std::vector<FieldDefinition> policies;
    std::vector<RoleDefinition> roles;
    std::vector<EffectDefinition> effects;
    std::vector<MatcherDefinition> matchers;

    // Error RMP01 with line and column. Matchers are parsed when rules are compiled.
    static Model Parse(std::string_view text);
};

// The definition of that name, or null.
template <typename Definition>
const Definition* FindByName(const std::vector<Definition>& definitions, std::string_view name) {
    for (const Definition& definition : definitions) {
        if (definition.name == name) return &definition;
    }
    return nullptr;
}

bool IsIdentifier(std::string_view text);

}  // namespace rampart::policy
