// What else a policy can be asked: who has which role, and who may do what. Casbin's RBAC API, by
// other names. Takes time in proportion to the rules or the links.
//
// A domain that is not given is the empty one, as in a matcher that calls g() with two arguments.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/policy_data.hpp"
#include "policy/policy_set.hpp"

namespace rampart::policy {

class Queries {
  public:
    using Names = std::vector<std::string>;
    using Rule = std::vector<std::string>;
    using Rules = std::vector<Rule>;
    using Domain = std::optional<std::string_view>;

    Queries(const PolicySet& set, Time now) : set_(set), data_(set.data()), now_(now) {}

    // One link away, by the definition g.
    Names RolesOf(std::string_view member, Domain domain = {}) const;
    Names MembersOf(std::string_view role, Domain domain = {}) const;

    // Any number of links away, by one definition, or by all if none is named. Nearest first.
    Names AllRolesOf(std::string_view member, Domain domain = {},
                     std::string_view definition = {}) const;
    Names AllMembersOf(std::string_view role, Domain domain = {},
                       std::string_view definition = {}) const;

    // Domains that a name has a role or a member in.
    Names DomainsOf(std::string_view name) const;
    // Everybody with a role or a rule in a domain.
    Names SubjectsIn(std::string_view domain) const;

    // Rules of a subject, without those of its roles.
    Rules RulesOf(std::string_view subject, Domain domain = {},
                  std::string_view policy = "p") const;
    // With those of its roles. Where a rule's domain is a pattern, the domain asked for.
    Rules AllRulesOf(std::string_view subject, Domain domain = {}, std::string_view policy = "p",
                     std::string_view definition = "g") const;
    // The same, for the subject itself and for the members of every value that has members.
    Rules ResourcesOf(std::string_view subject, Domain domain = {}) const;
    // Objects of a subject's rules for an action.
    Names ObjectsOf(std::string_view subject, std::string_view domain,
                    std::string_view action) const;
    // The same, which are conditions on attributes of one object: "r.obj.price < 25" is "price <
    // 25". Nothing if there is none, or if one does not begin with `prefix`: it must not be passed
    // over.
    std::optional<Names> ConditionsOf(std::string_view subject, std::string_view action,
                                      std::string_view prefix) const;

    // Subjects that are no roles and may do that: a request without its first value.
    Names SubjectsAllowed(std::span<const ValueView> permission) const;
    // Rules for an object, those of a role once for each of its members.
    Rules RulesFor(std::string_view object, Domain domain = {}) const;

  private:
    using Step =
        std::function<std::vector<Name>(const RoleGraph&, Name, const std::vector<Symbol>&)>;
    std::size_t PolicyNamed(std::string_view name) const;
    std::size_t FieldNamed(std::size_t policy, std::string_view field) const;
    const RoleGraph* GraphNamed(std::string_view name) const;  // null if there is none
    std::vector<const RoleGraph*> GraphsNamed(std::string_view name) const;
    Names Follow(std::string_view start, Domain domain, std::string_view definition,
                 const Step& step) const;
    Rule TextsOf(std::span<const Symbol> rule) const;
    bool InDomain(const RoleGraph* graph, std::size_t policy, std::span<const Symbol> rule,
                  Domain domain) const;

    const PolicySet& set_;
    const PolicyData& data_;
    Time now_;
};

}  // namespace rampart::policy
