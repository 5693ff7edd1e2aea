#include "policy/order.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

namespace rampart::policy {
namespace {

using Order = std::vector<std::uint32_t>;

Order WithoutRepeats(const RuleTable& table) {
    std::vector<HashIndex::Entry> entries;
    entries.reserve(table.size());
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint64_t hash = kKeySeed;
        for (const Symbol value : table.rule(i)) hash = MixHash(hash, value);
        entries.emplace_back(hash, i);
    }
    HashIndex index;
    index.Build(entries);
    Order order;
    order.reserve(table.size());
    for (const HashIndex::Entry& entry : entries) {
        const std::uint32_t i = entry.second;
        const auto rule = table.rule(i);
        const bool repeated =
            std::ranges::any_of(index.Find(entry.first), [&](std::uint32_t other) {
                return other < i && std::ranges::equal(table.rule(other), rule);
            });
        if (!repeated) order.push_back(i);
    }
    return order;
}

void SortByPriority(const RuleTable& table, std::size_t field, const SymbolTable& symbols,
                    Order& order) {
    std::vector<long> priorities(table.size());
    for (const std::uint32_t i : order) {
        const std::string_view text = symbols.Text(table.rule(i)[field]);
        const char* end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, priorities[i]);
        if (read.ec != std::errc() || read.ptr != end) {
            throw Error(errc::kMalformedPolicy,
                        "priority '" + std::string(text) + "' of a rule is no number");
        }
    }
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return priorities[i]; });
}

using Subject = std::pair<Symbol, Symbol>;  // domain, name

// The longest way from a role that is no member of another.
std::map<Subject, std::size_t> DepthsOf(const RoleGraph& graph) {
    std::map<Subject, std::vector<Subject>> members;
    std::map<Subject, std::size_t> open;  // roles of a subject that are not done yet
    for (const RoleGraph::Link& link : graph.links()) {
        const Subject role{link.domain, link.role};
        const Subject member{link.domain, link.member};
        members[role].push_back(member);
        open.try_emplace(role, 0);
        ++open[member];
    }
    std::vector<Subject> done;
    for (const auto& [subject, roles] : open) {
        if (roles == 0) done.push_back(subject);
    }
    std::map<Subject, std::size_t> depths;
    for (std::size_t i = 0; i < done.size(); ++i) {
        const Subject role = done[i];
        const std::size_t depth = depths[role];
        for (const Subject& member : members[role]) {
            depths[member] = std::max(depths[member], depth + 1);
            if (--open[member] == 0) done.push_back(member);
        }
    }
    if (done.size() != open.size()) {
        throw Error(errc::kMalformedPolicy,
                    "roles are members of each other, so that none is the deeper one");
    }
    return depths;
}

void SortBySubject(const RuleTable& table, const PolicyData& data, Order& order) {
    const RoleDefinition* roles = FindByName(data.model.roles, "g");
    if (roles == nullptr) return;
    const auto depths =
        DepthsOf(data.roles[static_cast<std::size_t>(roles - data.model.roles.data())]);
    std::ranges::stable_sort(order, std::greater<>(), [&](std::uint32_t i) -> std::size_t {
        const auto rule = table.rule(i);
        if (roles->has_domain && !table.domain) return 0;
        const auto found =
            depths.find({roles->has_domain ? rule[*table.domain] : 0, rule[table.subject]});
        return found == depths.end() ? 0 : found->second;
    });
}

RuleTable Reordered(const RuleTable& table, const Order& order) {
    RuleTable sorted{table.fields, table.subject, table.domain, {}, {}};
    sorted.values.reserve(order.size() * table.fields);
    sorted.effects.reserve(order.size());
    for (const std::uint32_t i : order) {
        const auto rule = table.rule(i);
        sorted.values.insert(sorted.values.end(), rule.begin(), rule.end());
        sorted.effects.push_back(table.effects[i]);
    }
    return sorted;
}

}  // namespace

void OrderRules(std::size_t policy, std::optional<std::size_t> priority, PolicyData& data) {
    RuleTable& table = data.tables[policy];
    Order order = WithoutRepeats(table);
    if (priority) SortByPriority(table, *priority, data.symbols, order);
    const bool by_subject = std::ranges::any_of(data.model.effects, [](const EffectDefinition& e) {
        return e.effect == Effect::kSubjectPriority;
    });
    if (by_subject) SortBySubject(table, data, order);
    if (!std::ranges::is_sorted(order) || order.size() != table.size()) {
        table = Reordered(table, order);
    }
}

}  // namespace rampart::policy
