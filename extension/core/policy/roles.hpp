// Who has which role: the links of one role definition (g, g2...).
//
// A link says that a member has a role, in a domain where the definition has domains, and during a
// time where it has conditions. Roles are members of roles; a walk follows kDefaultRoleDepth links
// at most, as Casbin's does, and never goes in circles.
//
// Where a matching function is set, the names of links are patterns: a name has the roles of every
// pattern that it matches, and a link to a pattern is one to every name that matches it. Domains
// can be patterns in the same way: the links of a pattern hold in each domain that matches it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "policy/hash_index.hpp"
#include "policy/pattern.hpp"
#include "policy/symbols.hpp"
#include "policy/time.hpp"

namespace rampart::policy {

inline constexpr unsigned kDefaultRoleDepth = 10;

struct RoleOptions {
    std::optional<Function> role_matching;
    std::optional<Function> domain_matching;
    unsigned max_depth = kDefaultRoleDepth;
};

// A string and the symbol it has, if a rule holds it.
struct Name {
    std::string_view text;
    Symbol symbol = kNoSymbol;

    bool operator==(const Name& other) const {
        return symbol == other.symbol && (symbol != kNoSymbol || text == other.text);
    }
};

// A name that a walk has come to, and from which.
struct Reached {
    Name name;
    std::uint32_t from = 0;  // index in the walk; its own for the first
    unsigned depth = 0;
};

class RoleGraph {
  public:
    RoleGraph(const SymbolTable& symbols, const RoleOptions& options, bool has_domain)
        : symbols_(symbols), options_(options), has_domain_(has_domain) {}

    struct Link {
        Symbol member;
        Symbol role;
        Symbol domain;
        std::optional<TimeRange> time;
    };
    // Of two links that differ in time only the later counts.
    void Add(const Link& link);
    void Build();  // after the last Add, once
    // A role that will be asked for. To be compiled only once, where roles are patterns.
    void AddPattern(Symbol name);

    bool HasRolePatterns() const { return options_.role_matching.has_value(); }
    bool has_domain() const { return has_domain_; }
    const RoleOptions& options() const { return options_; }
    const std::vector<Link>& links() const { return links_; }

    // Domains whose links hold in `domain`. A definition without domains has one, whatever is
    // asked.
    std::vector<Symbol> DomainsOf(Name domain) const;
    bool DomainMatches(Name domain, Symbol pattern) const;

    // `member` and all roles it has, nearest first. Without those that only match one by pattern.
    std::vector<Reached> Walk(Name member, const std::vector<Symbol>& domains, Time now) const;

    // Index in Walk(member) of what is or matches `role`, if it is there. A name has itself as
    // role.
    std::optional<std::size_t> FindRole(const std::vector<Reached>& walk, Name role,
                                        const std::vector<Symbol>& domains, Time now) const;

    // One link away.
    std::vector<Name> DirectRoles(Name member, const std::vector<Symbol>& domains, Time now) const;
    std::vector<Name> DirectMembers(Name role, const std::vector<Symbol>& domains, Time now) const;

  private:
    Name NameOf(Symbol symbol) const { return {symbols_.Text(symbol), symbol}; }
    bool Matches(Function function, std::string_view text, Name pattern) const;
    bool RoleMatches(Name name, Name pattern) const;
    template <typename Visit>
    void EachLink(const HashIndex& index, Symbol symbol, const std::vector<Symbol>& domains,
                  Time now, const Visit& visit) const;
    template <typename Visit>
    void EachNode(const std::vector<Symbol>& domains, const Visit& visit) const;

    const SymbolTable& symbols_;
    RoleOptions options_;
    bool has_domain_;
    std::vector<Link> links_;
    HashIndex by_member_;  // member and domain -> links
    HashIndex by_role_;
    HashIndex nodes_;  // domain -> the names in its links; only where names are patterns
    PatternTable patterns_;
    std::vector<Symbol> pattern_domains_;
};

}  // namespace rampart::policy
