#include "policy/policy_set.hpp"

#include <algorithm>

#include "interrupt.hpp"
#include "policy/compile.hpp"
#include "policy/limits.hpp"
#include "policy/order.hpp"

namespace rampart::policy {
namespace {

RuleEffect EffectOf(std::string_view text) {
    if (text == "allow") return RuleEffect::kAllow;
    return text == "deny" ? RuleEffect::kDeny : RuleEffect::kIndeterminate;
}

void CheckFields(const Model& model, const PolicyOptions& options) {
    for (const auto& [name, fields] : options.fields) {
        const FieldDefinition* definition = FindByName(model.policies, name);
        for (const auto& field : {fields.priority, fields.subject, fields.domain}) {
            if (definition != nullptr && field.value_or(0) < definition->fields.size()) continue;
            throw Error(errc::kMalformedModel, "the model has no such field of '" + name + "'");
        }
    }
}

}  // namespace

PolicySet::PolicySet(std::unique_ptr<const PolicyData> data) : data_(std::move(data)) {}
PolicySet::~PolicySet() = default;
PolicySet::PolicySet(PolicySet&&) noexcept = default;
PolicySet& PolicySet::operator=(PolicySet&&) noexcept = default;

std::vector<std::string> PolicySet::Problems() const {
    std::vector<std::string> problems;
    for (const auto& [key, rule] : data_->rule_expressions) {
        if (!rule.expression) problems.push_back(rule.problem);
    }
    data_->patterns.Each([&](const Pattern& pattern) {
        if (!pattern.problem().empty()) problems.push_back(pattern.problem());
    });
    std::ranges::sort(problems);
    return problems;
}

PolicySetBuilder::PolicySetBuilder(Model model, PolicyOptions options)
    : data_(std::make_unique<PolicyData>()), options_(std::move(options)) {
    CheckFields(model, options_);
    data_->model = std::move(model);
    for (const RoleDefinition& role : data_->model.roles) {
        data_->roles.emplace_back(data_->symbols, options_.roles[role.name], role.has_domain);
    }
    for (const FieldDefinition& policy : data_->model.policies) {
        const PolicyOptions::Fields& fields = options_.fields[policy.name];
        RuleTable& table = data_->tables.emplace_back();
        table.fields = policy.fields.size();
        table.subject = fields.subject.value_or(policy.Find("sub").value_or(0));
        table.domain = fields.domain ? fields.domain : policy.Find("dom");
    }
    data_->symbols.Intern("");  // is 0: the domain of definitions without domains
}
PolicySetBuilder::~PolicySetBuilder() = default;

void PolicySetBuilder::Fail(std::string_view type, const std::string& what) const {
    throw Error(errc::kMalformedPolicy,
                "rule " + std::to_string(count_) + " ('" + std::string(type) + "') " + what);
}

void PolicySetBuilder::Add(std::string_view type, std::span<const std::string_view> values) {
    CheckForInterrupts();
    RequireWithin(++count_, kMaxRules, "the number of rules");
    const Model& model = data_->model;
    if (const RoleDefinition* role = FindByName(model.roles, type)) {
        AddRole(static_cast<std::size_t>(role - model.roles.data()), values);
        return;
    }
    const FieldDefinition* policy = FindByName(model.policies, type);
    if (policy == nullptr) Fail(type, "is of a type that the model does not define");
    if (values.size() != policy->fields.size()) {
        Fail(type, "has " + std::to_string(values.size()) + " values, its definition has " +
                       std::to_string(policy->fields.size()) + " fields");
    }
    RuleTable& table = data_->tables[static_cast<std::size_t>(policy - model.policies.data())];
    for (const std::string_view value : values) {
        table.values.push_back(data_->symbols.Intern(value));
    }
    const auto effect = policy->Find("eft");
    table.effects.push_back(effect ? EffectOf(values[*effect]) : RuleEffect::kAllow);
}

void PolicySetBuilder::AddRole(std::size_t definition, std::span<const std::string_view> values) {
    const RoleDefinition& role = data_->model.roles[definition];
    if (values.size() < role.fields()) {
        Fail(role.name, "has " + std::to_string(values.size()) + " values, its definition has " +
                            std::to_string(role.fields()) + " fields");
    }
    RoleGraph::Link link{data_->symbols.Intern(values[0]), data_->symbols.Intern(values[1]), 0, {}};
    if (role.has_domain) link.domain = data_->symbols.Intern(values[2]);
    if (role.conditions != 0) {
        const std::size_t start = role.fields() - role.conditions;
        link.time = ParseTimeRange(values[start], values[start + 1]);
        if (!link.time) Fail(role.name, "has a time that is neither YYYY-MM-DD HH:MM:SS nor _");
    }
    data_->roles[definition].Add(link);
}

PolicySet PolicySetBuilder::Build() {
    for (RoleGraph& graph : data_->roles) graph.Build();
    const Model& model = data_->model;
    for (std::size_t i = 0; i < model.policies.size(); ++i) {
        const auto& fields = options_.fields[model.policies[i].name];
        OrderRules(i, fields.priority ? fields.priority : model.policies[i].Find("priority"),
                   *data_);
    }
    for (const MatcherDefinition& definition : model.matchers) {
        data_->matchers.push_back(CompileMatcher(definition, model, data_->roles));
        CompileRules(data_->matchers.back(), *data_);
    }
    return PolicySet(std::move(data_));
}

}  // namespace rampart::policy
