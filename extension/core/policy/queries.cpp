#include "policy/queries.hpp"

#include <algorithm>
#include <set>

#include "interrupt.hpp"

#include "policy/limits.hpp"

namespace rampart::policy {
namespace {

// A list of what was added, each once, in the order it came.
template <typename T>
class Once {
  public:
    void Add(const T& item) {
        if (seen_.insert(item).second) list_.push_back(item);
    }
    std::vector<T> Take() { return std::move(list_); }

  private:
    std::set<T> seen_;
    std::vector<T> list_;
};

[[noreturn]] void FailUnknown(const std::string& what, std::string_view name) {
    throw Error(errc::kMalformedRequest,
                "the model has no " + what + " '" + std::string(name) + "'");
}

Queries::Names TextsOfNames(const std::vector<Name>& names) {
    Queries::Names texts;
    for (const Name& name : names) texts.emplace_back(name.text);
    return texts;
}

}  // namespace

std::size_t Queries::PolicyNamed(std::string_view name) const {
    const FieldDefinition* found = FindByName(data_.model.policies, name);
    if (found == nullptr) FailUnknown("policy definition", name);
    return static_cast<std::size_t>(found - data_.model.policies.data());
}

std::size_t Queries::FieldNamed(std::size_t policy, std::string_view field) const {
    const auto found = data_.model.policies[policy].Find(field);
    if (!found) FailUnknown("field", field);
    return *found;
}

const RoleGraph* Queries::GraphNamed(std::string_view name) const {
    const RoleDefinition* found = FindByName(data_.model.roles, name);
    if (found == nullptr) return nullptr;
    return &data_.roles[static_cast<std::size_t>(found - data_.model.roles.data())];
}

std::vector<const RoleGraph*> Queries::GraphsNamed(std::string_view name) const {
    std::vector<const RoleGraph*> graphs;
    for (const RoleDefinition& definition : data_.model.roles) {
        if (name.empty() || name == definition.name) graphs.push_back(GraphNamed(definition.name));
    }
    if (graphs.empty()) FailUnknown("role definition", name);
    return graphs;
}

Queries::Rule Queries::TextsOf(std::span<const Symbol> rule) const {
    Rule texts;
    for (const Symbol value : rule) texts.emplace_back(data_.symbols.Text(value));
    return texts;
}

Queries::Names Queries::RolesOf(std::string_view member, Domain domain) const {
    const RoleGraph& graph = *GraphsNamed("g").front();
    const auto domains = graph.DomainsOf(data_.NameOf(domain.value_or("")));
    return TextsOfNames(graph.DirectRoles(data_.NameOf(member), domains, now_));
}

Queries::Names Queries::MembersOf(std::string_view role, Domain domain) const {
    const RoleGraph& graph = *GraphsNamed("g").front();
    const auto domains = graph.DomainsOf(data_.NameOf(domain.value_or("")));
    return TextsOfNames(graph.DirectMembers(data_.NameOf(role), domains, now_));
}

Queries::Names Queries::Follow(std::string_view start, Domain domain, std::string_view definition,
                               const Step& step) const {
    Once<std::string> reached;
    for (const RoleGraph* graph : GraphsNamed(definition)) {
        const auto domains = graph->DomainsOf(data_.NameOf(domain.value_or("")));
        std::vector<Name> queue = {data_.NameOf(start)};
        std::set<std::string_view> seen = {start};
        for (std::size_t i = 0; i < queue.size(); ++i) {
            CheckForInterrupts();
            for (const Name& next : step(*graph, queue[i], domains)) {
                if (!seen.insert(next.text).second) continue;
                queue.push_back(next);
                reached.Add(std::string(next.text));
            }
        }
    }
    return reached.Take();
}

Queries::Names Queries::AllRolesOf(std::string_view member, Domain domain,
                                   std::string_view definition) const {
    return Follow(member, domain, definition,
                  [this](const RoleGraph& graph, Name name, const std::vector<Symbol>& domains) {
                      return graph.DirectRoles(name, domains, now_);
                  });
}

Queries::Names Queries::AllMembersOf(std::string_view role, Domain domain,
                                     std::string_view definition) const {
    return Follow(role, domain, definition,
                  [this](const RoleGraph& graph, Name name, const std::vector<Symbol>& domains) {
                      return graph.DirectMembers(name, domains, now_);
                  });
}

Queries::Names Queries::DomainsOf(std::string_view name) const {
    const Symbol symbol = data_.symbols.Find(name);
    Once<std::string> domains;
    for (const RoleGraph& graph : data_.roles) {
        for (const RoleGraph::Link& link : graph.links()) {
            if (link.member != symbol && link.role != symbol) continue;
            domains.Add(std::string(data_.symbols.Text(link.domain)));
        }
    }
    return domains.Take();
}

Queries::Names Queries::SubjectsIn(std::string_view domain) const {
    const Symbol symbol = data_.symbols.Find(domain);
    Once<std::string> subjects;
    for (const RuleTable& table : data_.tables) {
        for (std::size_t i = 0; i < table.size() && table.domain; ++i) {
            if (table.rule(i)[*table.domain] != symbol) continue;
            subjects.Add(std::string(data_.symbols.Text(table.rule(i)[table.subject])));
        }
    }
    for (const RoleGraph& graph : data_.roles) {
        for (const RoleGraph::Link& link : graph.links()) {
            if (!graph.has_domain() || link.domain != symbol) continue;
            subjects.Add(std::string(data_.symbols.Text(link.member)));
        }
    }
    return subjects.Take();
}

// Error RMP05 if a domain is asked for and rules have none.
bool Queries::InDomain(const RoleGraph* graph, std::size_t policy, std::span<const Symbol> rule,
                       Domain domain) const {
    if (!domain) return true;
    const auto& field = data_.tables[policy].domain;
    if (!field) FailUnknown("field", "dom");
    const Name asked = data_.NameOf(*domain);
    return graph != nullptr ? graph->DomainMatches(asked, rule[*field])
                            : asked.symbol == rule[*field];
}

Queries::Rules Queries::RulesOf(std::string_view subject, Domain domain,
                                std::string_view policy) const {
    const std::size_t index = PolicyNamed(policy);
    const RuleTable& table = data_.tables[index];
    const Symbol symbol = data_.symbols.Find(subject);
    Rules rules;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto rule = table.rule(i);
        if (rule[table.subject] == symbol && InDomain(nullptr, index, rule, domain)) {
            rules.push_back(TextsOf(rule));
        }
    }
    return rules;
}

Queries::Rules Queries::AllRulesOf(std::string_view subject, Domain domain, std::string_view policy,
                                   std::string_view definition) const {
    const std::size_t index = PolicyNamed(policy);
    const RuleTable& table = data_.tables[index];
    std::set<Symbol> subjects = {data_.symbols.Find(subject)};
    for (const std::string& role : AllRolesOf(subject, domain, definition)) {
        subjects.insert(data_.symbols.Find(role));
    }
    const RoleGraph* graph = GraphNamed(definition);
    Rules rules;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto rule = table.rule(i);
        if (!subjects.contains(rule[table.subject])) continue;
        if (!InDomain(graph, index, rule, domain)) continue;
        rules.push_back(TextsOf(rule));
        if (domain) rules.back()[*table.domain] = *domain;
    }
    return rules;
}

Queries::Rules Queries::ResourcesOf(std::string_view subject, Domain domain) const {
    Rules resources;
    const std::size_t field = data_.tables[PolicyNamed("p")].subject;
    for (const Rule& rule : AllRulesOf(subject, domain)) {
        if (rule[field] == subject) {
            resources.push_back(rule);
            continue;
        }
        Rules combined = {rule};
        combined.front()[field] = subject;
        for (std::size_t i = 0; i < rule.size(); ++i) {
            if (i == field) continue;
            Names values = AllMembersOf(rule[i], domain);
            values.push_back(rule[i]);
            Rules next;
            for (const std::string& value : values) {
                for (Rule one : combined) {
                    one[i] = value;
                    next.push_back(std::move(one));
                }
            }
            RequireWithin(next.size(), kMaxRules, "the number of resources");
            combined = std::move(next);
        }
        resources.insert(resources.end(), combined.begin(), combined.end());
    }
    return resources;
}

Queries::Names Queries::ObjectsOf(std::string_view subject, std::string_view domain,
                                  std::string_view action) const {
    const std::size_t policy = PolicyNamed("p");
    const std::size_t object = FieldNamed(policy, "obj");
    const std::size_t act = FieldNamed(policy, "act");
    Once<std::string> objects;
    for (const Rule& rule : AllRulesOf(subject, domain)) {
        if (rule[act] == action) objects.Add(rule[object]);
    }
    return objects.Take();
}

std::optional<Queries::Names> Queries::ConditionsOf(std::string_view subject,
                                                    std::string_view action,
                                                    std::string_view prefix) const {
    constexpr std::size_t kCondition = 1;  // a rule is subject, condition, action
    constexpr std::size_t kAction = 2;
    if (data_.tables[PolicyNamed("p")].fields <= kAction) FailUnknown("field", "act");
    Names conditions;
    for (const Rule& rule : AllRulesOf(subject)) {
        if (rule[kAction] != action) continue;
        if (!rule[kCondition].starts_with(prefix)) return std::nullopt;
        conditions.push_back(rule[kCondition].substr(prefix.size()));
    }
    if (conditions.empty()) return std::nullopt;
    return conditions;
}

Queries::Names Queries::SubjectsAllowed(std::span<const ValueView> permission) const {
    std::vector<Symbol> subjects;
    std::set<Symbol> passed_over;
    for (const RoleGraph& graph : data_.roles) {
        for (const RoleGraph::Link& link : graph.links()) passed_over.insert(link.role);
    }
    const auto add = [&](Symbol subject) {
        if (passed_over.insert(subject).second) subjects.push_back(subject);
    };
    for (const RuleTable& table : data_.tables) {
        for (std::size_t i = 0; i < table.size(); ++i) add(table.rule(i)[table.subject]);
    }
    for (const RoleGraph& graph : data_.roles) {
        for (const RoleGraph::Link& link : graph.links()) add(link.member);
    }
    Names allowed;
    std::vector<ValueView> request(1);
    request.insert(request.end(), permission.begin(), permission.end());
    for (const Symbol subject : subjects) {
        request.front() = ValueView(data_.symbols.Text(subject));
        if (set_.Decide({request, now_})) allowed.emplace_back(data_.symbols.Text(subject));
    }
    return allowed;
}

Queries::Rules Queries::RulesFor(std::string_view object, Domain domain) const {
    const std::size_t policy = PolicyNamed("p");
    const std::size_t field = FieldNamed(policy, "obj");
    const RuleTable& table = data_.tables[policy];
    std::set<Symbol> roles;
    if (const RoleGraph* graph = GraphNamed("g")) {
        for (const RoleGraph::Link& link : graph->links()) roles.insert(link.role);
    }
    Once<Rule> rules;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto row = table.rule(i);
        if (data_.symbols.Text(row[field]) != object) continue;
        if (!InDomain(nullptr, policy, row, domain)) continue;
        Rule rule = TextsOf(row);
        if (!roles.contains(row[table.subject])) {
            rules.Add(rule);
            continue;
        }
        for (const std::string& member : MembersOf(rule[table.subject], domain)) {
            rule[table.subject] = member;
            rules.Add(rule);
        }
    }
    return rules.Take();
}

}  // namespace rampart::policy
