#include "policy/roles.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_set>

#include "interrupt.hpp"

namespace rampart::policy {
namespace {

std::uint64_t Key(Symbol symbol, Symbol domain) {
    return static_cast<std::uint64_t>(domain) << 32 | symbol;
}

// Names in the order they came, each once.
class Walked {
  public:
    Walked() { names.reserve(kUsual); }

    std::vector<Reached> names;

    void Add(const Reached& reached) {
        if (Contains(reached.name)) return;
        names.push_back(reached);
        if (names.size() > kFew) {
            if (seen_.empty()) {
                for (const Reached& earlier : names) seen_.insert(earlier.name.text);
            }
            seen_.insert(reached.name.text);
        }
    }

  private:
    static constexpr std::size_t kUsual = 8;
    static constexpr std::size_t kFew = 16;  // up to there a look at each is quicker

    bool Contains(const Name& name) const {
        if (names.size() > kFew) return seen_.contains(name.text);
        return std::ranges::any_of(names, [&](const Reached& r) { return r.name == name; });
    }
    std::unordered_set<std::string_view> seen_;
};

void DropRepeats(std::vector<Name>& names) {
    std::unordered_set<std::string_view> seen;
    std::erase_if(names, [&](const Name& name) { return !seen.insert(name.text).second; });
}

}  // namespace

void RoleGraph::Add(const Link& link) { links_.push_back(link); }

void RoleGraph::Build() {
    // The later of two that differ in time only, in the place of the earlier.
    if (std::ranges::any_of(links_, [](const Link& link) { return link.time.has_value(); })) {
        std::set<std::tuple<Symbol, Symbol, Symbol>> seen;
        std::vector<Link> kept;
        for (auto link = links_.rbegin(); link != links_.rend(); ++link) {
            if (seen.emplace(link->member, link->role, link->domain).second) kept.push_back(*link);
        }
        links_.assign(kept.rbegin(), kept.rend());
    }
    std::vector<HashIndex::Entry> members;
    std::vector<HashIndex::Entry> roles;
    std::vector<HashIndex::Entry> nodes;
    std::set<std::uint64_t> seen_nodes;
    std::set<Symbol> seen_domains;
    for (std::uint32_t i = 0; i < links_.size(); ++i) {
        CheckForInterrupts();
        const Link& link = links_[i];
        members.emplace_back(Key(link.member, link.domain), i);
        roles.emplace_back(Key(link.role, link.domain), i);
        for (const Symbol name : {link.member, link.role}) {
            if (!options_.role_matching) break;
            if (!seen_nodes.insert(Key(name, link.domain)).second) continue;
            nodes.emplace_back(link.domain, name);
            AddPattern(name);
        }
        if (options_.domain_matching && seen_domains.insert(link.domain).second) {
            patterns_.Add(*options_.domain_matching, link.domain, symbols_.Text(link.domain));
            if (!patterns_.Find(*options_.domain_matching, link.domain)->IsLiteral()) {
                pattern_domains_.push_back(link.domain);
            }
        }
    }
    by_member_.Build(members);
    by_role_.Build(roles);
    nodes_.Build(nodes);
}

void RoleGraph::AddPattern(Symbol name) {
    if (!options_.role_matching) return;
    patterns_.Add(*options_.role_matching, name, symbols_.Text(name));
}

bool RoleGraph::Matches(Function function, std::string_view text, Name pattern) const {
    if (text == pattern.text) return true;
    const Pattern* known =
        pattern.symbol == kNoSymbol ? nullptr : patterns_.Find(function, pattern.symbol);
    return known != nullptr ? known->Matches(text) : Pattern(function, pattern.text).Matches(text);
}

bool RoleGraph::RoleMatches(Name name, Name pattern) const {
    return name == pattern ||
           (HasRolePatterns() && Matches(*options_.role_matching, name.text, pattern));
}

bool RoleGraph::DomainMatches(Name domain, Symbol pattern) const {
    if (domain.symbol == pattern) return true;
    return options_.domain_matching &&
           Matches(*options_.domain_matching, domain.text, NameOf(pattern));
}

std::vector<Symbol> RoleGraph::DomainsOf(Name domain) const {
    if (!has_domain_) return {0};
    std::vector<Symbol> domains;
    if (domain.symbol != kNoSymbol) domains.push_back(domain.symbol);
    for (const Symbol pattern : pattern_domains_) {
        if (pattern != domain.symbol && DomainMatches(domain, pattern)) domains.push_back(pattern);
    }
    return domains;
}

template <typename Visit>
void RoleGraph::EachLink(const HashIndex& index, Symbol symbol, const std::vector<Symbol>& domains,
                         Time now, const Visit& visit) const {
    if (symbol == kNoSymbol) return;
    for (const Symbol domain : domains) {
        for (const std::uint32_t i : index.Find(Key(symbol, domain))) {
            const Link& link = links_[i];
            if (!link.time || link.time->Holds(now)) visit(link);
        }
    }
}

template <typename Visit>
void RoleGraph::EachNode(const std::vector<Symbol>& domains, const Visit& visit) const {
    for (const Symbol domain : domains) {
        for (const Symbol name : nodes_.Find(domain)) {
            CheckForInterrupts();
            visit(NameOf(name));
        }
    }
}

std::vector<Name> RoleGraph::DirectRoles(Name member, const std::vector<Symbol>& domains,
                                         Time now) const {
    std::vector<Name> roles;
    const auto add = [&](const Link& link) { roles.push_back(NameOf(link.role)); };
    EachLink(by_member_, member.symbol, domains, now, add);
    if (!HasRolePatterns()) return roles;
    const std::vector<Name> own = roles;
    EachNode(domains, [&](Name node) {
        if (node == member) return;
        if (RoleMatches(member, node)) EachLink(by_member_, node.symbol, domains, now, add);
        for (const Name& role : own) {
            if (RoleMatches(node, role)) roles.push_back(node);
        }
    });
    DropRepeats(roles);
    return roles;
}

std::vector<Name> RoleGraph::DirectMembers(Name role, const std::vector<Symbol>& domains,
                                           Time now) const {
    std::vector<Name> members;
    const auto add = [&](const Link& link) { members.push_back(NameOf(link.member)); };
    EachLink(by_role_, role.symbol, domains, now, add);
    if (!HasRolePatterns()) return members;
    const std::vector<Name> own = members;
    EachNode(domains, [&](Name node) {
        if (node == role) return;
        if (RoleMatches(role, node)) EachLink(by_role_, node.symbol, domains, now, add);
        for (const Name& member : own) {
            if (RoleMatches(node, member)) members.push_back(node);
        }
    });
    DropRepeats(members);
    return members;
}

std::vector<Reached> RoleGraph::Walk(Name member, const std::vector<Symbol>& domains,
                                     Time now) const {
    Walked walked;
    walked.Add({member, 0, 0});
    for (std::uint32_t i = 0; i < walked.names.size(); ++i) {
        CheckForInterrupts();
        const Reached from = walked.names[i];
        if (from.depth >= options_.max_depth) break;
        const auto add = [&](Name role) { walked.Add({role, i, from.depth + 1}); };
        if (HasRolePatterns()) {
            for (const Name& role : DirectRoles(from.name, domains, now)) add(role);
        } else {
            EachLink(by_member_, from.name.symbol, domains, now,
                     [&](const Link& link) { add(NameOf(link.role)); });
        }
    }
    return std::move(walked.names);
}

std::optional<std::size_t> RoleGraph::FindRole(const std::vector<Reached>& walk, Name role,
                                               const std::vector<Symbol>& domains, Time now) const {
    const auto is_role = [&](const Reached& reached) { return reached.name == role; };
    const auto found = std::ranges::find_if(walk, is_role);
    if (found != walk.end()) return static_cast<std::size_t>(found - walk.begin());
    if (!HasRolePatterns()) return std::nullopt;

    const Function function = *options_.role_matching;
    std::optional<Pattern> made;  // of a role that is not a rule's
    const Pattern* pattern =
        role.symbol == kNoSymbol ? nullptr : patterns_.Find(function, role.symbol);
    if (pattern == nullptr) pattern = &made.emplace(function, role.text);
    for (std::size_t i = 0; i < walk.size(); ++i) {
        if (pattern->Matches(walk[i].name.text)) return i;
        bool linked = false;
        if (walk[i].depth >= options_.max_depth) continue;
        EachLink(by_member_, walk[i].name.symbol, domains, now, [&](const Link& link) {
            linked = linked || RoleMatches(role, NameOf(link.role));
        });
        if (linked) return i;
    }
    return std::nullopt;
}

}  // namespace rampart::policy
