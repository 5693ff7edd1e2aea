#include "policy/model.hpp"

#include <algorithm>
#include <functional>

#include "policy/limits.hpp"

namespace rampart::policy {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Each effect as Casbin writes it, without spaces and with p_eft for p.eft.
struct EffectText {
    std::string_view text;
    Effect effect;
};
constexpr EffectText kEffects[] = {
    {"some(where(p_eft==allow))", Effect::kAllowOverride},
    {"!some(where(p_eft==deny))", Effect::kDenyOverride},
    {"some(where(p_eft==allow))&&!some(where(p_eft==deny))", Effect::kAllowAndDeny},
    {"priority(p_eft)||deny", Effect::kPriority},
    {"subjectPriority(p_eft)||deny", Effect::kSubjectPriority},
};

FieldDefinition ReadFields(const ConfigEntry& entry) {
    FieldDefinition definition{entry.key, {}};
    const std::string_view text = entry.value.text();
    std::size_t start = 0;
    while (start <= text.size()) {
        const std::size_t end = std::min(text.find(',', start), text.size());
        const std::string_view field = Trim(text.substr(start, end - start));
        const Position at = entry.value.At(start);
        if (!IsIdentifier(field)) FailModel(at, "expected the name of a field");
        if (definition.Find(field)) {
            FailModel(at, "field '" + std::string(field) + "' is there twice");
        }
        definition.fields.emplace_back(field);
        RequireWithin(definition.fields.size(), kMaxFields, "the number of fields of a definition");
        start = end + 1;
    }
    return definition;
}

// "_, _", "_, _, _", and "(_, _)" behind either.
RoleDefinition ReadRole(const ConfigEntry& entry) {
    std::string text = entry.value.text();
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
    RoleDefinition definition{entry.key, false, 0};
    std::string_view rest = text;
    const auto take = [&rest](std::string_view prefix) {
        const bool found = rest.starts_with(prefix);
        if (found) rest.remove_prefix(prefix.size());
        return found;
    };
    bool valid = take("_,_");
    definition.has_domain = take(",_");
    if (take(",(_")) {
        definition.conditions = 1;
        while (take(",_")) ++definition.conditions;
        valid = valid && take(")");
    }
    if (!valid || !rest.empty()) {
        FailModel(entry.value.At(0), "expected '_, _' or '_, _, _', and '(_, _)' behind it");
    }
    if (definition.conditions != 0 && definition.conditions != 2) {
        FailModel(entry.value.At(0), "a condition takes two values: a start and an end");
    }
    return definition;
}

EffectDefinition ReadEffect(const ConfigEntry& entry) {
    std::string text = entry.value.text();
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
    for (std::size_t at = 0; (at = text.find("p.eft", at)) != text.npos;) text[at + 1] = '_';
    for (const EffectText& known : kEffects) {
        if (text == known.text) return {entry.key, known.effect};
    }
    FailModel(entry.value.At(0), "not an effect that is known");
}

MatcherDefinition ReadMatcher(const ConfigEntry& entry) {
    RequireWithin(entry.value.text().size(), kMaxExpressionText, "a matcher");
    return {entry.key, entry.value};
}

struct Section {
    std::string_view name;
    char letter;
    bool required;
    std::function<std::size_t(Model&, const ConfigEntry&)> add;  // returns how many there are
};

template <typename Definition, typename Reader>
Section MakeSection(std::string_view name, char letter, bool required,
                    std::vector<Definition> Model::*list, Reader reader) {
    return {name, letter, required, [list, reader](Model& model, const ConfigEntry& entry) {
                (model.*list).push_back(reader(entry));
                return (model.*list).size();
            }};
}

const std::vector<Section>& Sections() {
    static const std::vector<Section> sections = {
        MakeSection("request_definition", 'r', true, &Model::requests, ReadFields),
        MakeSection("policy_definition", 'p', true, &Model::policies, ReadFields),
        MakeSection("role_definition", 'g', false, &Model::roles, ReadRole),
        MakeSection("policy_effect", 'e', true, &Model::effects, ReadEffect),
        MakeSection("matchers", 'm', true, &Model::matchers, ReadMatcher),
    };
    return sections;
}

// r, r2, r3...
bool IsKeyOf(const Section& section, std::string_view key) {
    if (key.empty() || key.front() != section.letter) return false;
    const std::string_view number = key.substr(1);
    return number.empty() || (std::ranges::all_of(number, IsDigit) && number.front() != '0' &&
                              number != "1" && number.size() < 6);
}

}  // namespace

bool IsIdentifier(std::string_view text) {
    return !text.empty() && IsLetter(text.front()) &&
           std::ranges::all_of(text, [](char c) { return IsLetter(c) || IsDigit(c); });
}

std::optional<std::size_t> FieldDefinition::Find(std::string_view field) const {
    const auto found = std::find(fields.begin(), fields.end(), field);
    if (found == fields.end()) return std::nullopt;
    return static_cast<std::size_t>(found - fields.begin());
}

Model Model::Parse(std::string_view text) {
    Model model;
    std::string seen;  // letters of the sections whose first key is there
    for (const ConfigEntry& entry : ParseConfig(text)) {
        const auto section = std::ranges::find(Sections(), entry.section, &Section::name);
        if (section == Sections().end()) {
            FailModel(entry.at, "section [" + entry.section + "] is not supported");
        }
        if (!IsKeyOf(*section, entry.key)) {
            FailModel(entry.at, "'" + entry.key + "' is no key of [" + entry.section + "]");
        }
        if (entry.key.size() == 1) seen += section->letter;
        RequireWithin(section->add(model, entry), kMaxDefinitions,
                      "the number of definitions of a section");
    }
    for (const Section& section : Sections()) {
        if (section.required && seen.find(section.letter) == seen.npos) {
            throw Error(errc::kMalformedModel, "malformed model: '" +
                                                   std::string(1, section.letter) + "' of [" +
                                                   std::string(section.name) + "] is missing");
        }
    }
    return model;
}

}  // namespace rampart::policy
