// A model and its rules, compiled: what decisions are made by. Never changes, so that any number of
// threads can ask the same one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/model.hpp"
#include "policy/roles.hpp"
#include "policy/time.hpp"
#include "policy/value.hpp"

namespace rampart::policy {

struct PolicyData;

// What a model's text does not say.
struct PolicyOptions {
    // Which field of a policy definition is what, where it is not named so.
    struct Fields {
        std::optional<std::size_t> priority;
        std::optional<std::size_t> subject;
        std::optional<std::size_t> domain;
    };
    std::map<std::string, Fields> fields;      // by policy definition
    std::map<std::string, RoleOptions> roles;  // by role definition
};

struct Request {
    std::span<const ValueView> values;  // as the request definition names them
    Time now;
    std::string_view matcher = "m";
    std::string_view effect = {};  // the matcher's (e2 for m2) if there is one, else e
};

struct RolePath {
    std::string definition;          // g
    std::vector<std::string> names;  // from the request's value to the rule's
};

struct MatchedRule {
    std::size_t index;  // among the rules of its definition, in the order they are looked at
    std::vector<std::string> values;
    std::vector<RolePath> roles;
};

// The rule that came closest, and what of the matcher it lacked.
struct NearMiss {
    MatchedRule rule;
    std::vector<std::string> lacking;
};

struct Explanation {
    bool allowed = false;
    std::string definition;            // of the rules
    std::optional<MatchedRule> rule;   // that decided; none if none matched, or none was needed
    std::vector<MatchedRule> matched;  // kMaxExplained of those that match
    std::optional<NearMiss> miss;      // of a denial that no rule decided
};
inline constexpr std::size_t kMaxExplained = 32;

class PolicySet {
  public:
    explicit PolicySet(std::unique_ptr<const PolicyData> data);
    ~PolicySet();
    PolicySet(PolicySet&&) noexcept;
    PolicySet& operator=(PolicySet&&) noexcept;

    // Error RMP05 for a request that is not of the model, RMP03 if a matcher cannot be evaluated
    // for a rule before one has decided. Nothing is allowed then.
    bool Decide(const Request& request) const;

    // The same, with reasons. Takes time in proportion to the rules.
    Explanation Explain(const Request& request) const;

    // Rules whose expression or pattern does not parse: an error for each request they are looked
    // at for.
    std::vector<std::string> Problems() const;

    const PolicyData& data() const { return *data_; }

  private:
    std::unique_ptr<const PolicyData> data_;
};

class PolicySetBuilder {
  public:
    explicit PolicySetBuilder(Model model, PolicyOptions options = {});
    ~PolicySetBuilder();

    // A rule of `type` (p, p2, g...). Error RMP02 if it is none, RMP04 if there are too many. One
    // that was added before is passed over. For roles, values beyond the definition's are too.
    void Add(std::string_view type, std::span<const std::string_view> values);

    // Once, after the last Add. Error RMP01 if the matcher is malformed, RMP02 if a priority is no
    // number, or if roles are members of each other where their depth decides.
    PolicySet Build();

  private:
    void AddRole(std::size_t definition, std::span<const std::string_view> values);
    [[noreturn]] void Fail(std::string_view type, const std::string& what) const;

    std::unique_ptr<PolicyData> data_;
    PolicyOptions options_;
    std::size_t count_ = 0;
};

}  // namespace rampart::policy
