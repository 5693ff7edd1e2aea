#include "policy/review.hpp"

#include <algorithm>

#include "policy/coverage.hpp"
#include "policy/search.hpp"

namespace rampart::policy {
namespace {

Effect EffectOf(const Model& model, const CompiledMatcher& matcher) {
    const EffectDefinition* own = FindByName(model.effects, "e" + matcher.name.substr(1));
    return own != nullptr ? own->effect : FindByName(model.effects, "e")->effect;
}

// The rules that a matcher looks at.
class Review {
  public:
    Review(const PolicyData& data, const CompiledMatcher& matcher, Time now)
        : data_(data),
          matcher_(matcher),
          table_(data.tables[matcher.policy]),
          effect_(EffectOf(data.model, matcher)),
          now_(now),
          coverage_(data, matcher, now) {}

    void Run(std::vector<NeedlessRule>& found) {
        for (std::uint32_t rule = 0; rule < table_.size(); ++rule) {
            if (IsPassedOver(rule)) {
                found.push_back(Describe(rule, std::nullopt));
            } else if (const auto other = CoverOf(rule)) {
                found.push_back(Describe(rule, other));
            }
        }
    }

  private:
    bool IsPassedOver(std::uint32_t rule) const {
        const RuleEffect effect = table_.effects[rule];
        return effect == RuleEffect::kIndeterminate ||
               (effect == RuleEffect::kDeny && effect_ == Effect::kAllowOverride) ||
               (effect == RuleEffect::kAllow && effect_ == Effect::kDenyOverride);
    }

    bool GoesByOrder() const {
        return effect_ == Effect::kPriority || effect_ == Effect::kSubjectPriority;
    }

    // Where the other matches as well, the rule does not matter.
    bool Outdoes(std::uint32_t other, std::uint32_t rule) const {
        if (other == rule || IsPassedOver(other)) return false;
        if (GoesByOrder()) return other < rule;
        return table_.effects[other] == table_.effects[rule] ||
               table_.effects[other] == RuleEffect::kDeny;
    }

    std::optional<std::uint32_t> CoverOf(std::uint32_t rule) {
        const std::vector<ValueView> sample = coverage_.SampleOf(rule);
        std::vector<std::uint32_t> matching;
        (void)Search(data_, matcher_, effect_, sample, now_).Run(&matching);
        // Where the rule does not match its own sample, neither need what covers it.
        if (!std::ranges::binary_search(matching, rule)) return std::nullopt;
        for (const std::uint32_t other : matching) {
            if (Outdoes(other, rule) && Covers(other, rule) && !IsFirstOfEqual(rule, other)) {
                return other;
            }
        }
        return std::nullopt;
    }

    bool Covers(std::uint32_t other, std::uint32_t rule) {
        (void)coverage_.SampleOf(rule);
        return coverage_.IsCoveredBy(other);
    }

    // Of two that cover each other the later one is needless.
    bool IsFirstOfEqual(std::uint32_t rule, std::uint32_t other) {
        return rule < other && Outdoes(rule, other) && Covers(rule, other);
    }

    NeedlessRule Describe(std::uint32_t rule, std::optional<std::uint32_t> other) const {
        NeedlessRule described{data_.model.policies[matcher_.policy].name, TextsOf(rule), {}};
        if (other) described.covered_by = TextsOf(*other);
        return described;
    }

    std::vector<std::string> TextsOf(std::uint32_t rule) const {
        std::vector<std::string> texts;
        for (const Symbol value : table_.rule(rule)) texts.emplace_back(data_.symbols.Text(value));
        return texts;
    }

    const PolicyData& data_;
    const CompiledMatcher& matcher_;
    const RuleTable& table_;
    Effect effect_;
    Time now_;
    Coverage coverage_;
};

}  // namespace

std::vector<NeedlessRule> FindNeedlessRules(const PolicySet& set, Time now) {
    const PolicyData& data = set.data();
    std::vector<NeedlessRule> found;
    for (const CompiledMatcher& matcher : data.matchers) {
        const auto same_rules = [&](const CompiledMatcher& m) {
            return m.policy == matcher.policy;
        };
        if (!matcher.problem.empty() || std::ranges::count_if(data.matchers, same_rules) > 1 ||
            !matcher.expression.node(matcher.expression.root()).uses_policy) {
            continue;
        }
        Review(data, matcher, now).Run(found);
    }
    return found;
}

}  // namespace rampart::policy
