// Finds the rules that match a request, and among them the one that decides.
//
// The answer, and whether there is an error instead, is as if the rules were looked at one after
// the other until one decides, although most are not looked at. Only an error in a rule that an
// index rules out is not seen.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "policy/evaluate.hpp"
#include "policy/limits.hpp"

namespace rampart::policy {

// The first rule of each kind. What lies behind one that decides is not looked for.
struct Verdict {
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t allow = kNone;
    std::uint32_t deny = kNone;
    std::uint32_t error = kNone;  // a rule that could not be evaluated
    std::optional<Error> reason;

    bool matched = false;  // where rules play no part: the matcher holds
};

class Search {
  public:
    Search(const PolicyData& data, const CompiledMatcher& matcher, Effect effect,
           std::span<const ValueView> request, Time now)
        : table_(data.tables[matcher.policy]),
          matcher_(matcher),
          effect_(effect),
          data_(data),
          evaluator_(data, request, now) {}

    // False for a matcher that never looks at a rule, and where there are none. It is evaluated
    // once then, with empty strings for a rule's values.
    bool UsesRules() const {
        return table_.size() != 0 &&
               matcher_.expression.node(matcher_.expression.root()).uses_policy;
    }

    // With `all`, every rule that matches is added to it, and errors count as no match.
    Verdict Run(std::vector<std::uint32_t>* all = nullptr);

    // Error of the first rule, unless one before it decides.
    bool Allowed(const Verdict& verdict) const;
    // The rule that decides; kNone if none does.
    std::uint32_t Deciding(const Verdict& verdict) const;

    Evaluator& evaluator() { return evaluator_; }
    bool Holds(std::uint32_t rule, NodeId conjunct);  // false where it is an error

  private:
    // The symbols that a rule must have in the fields of a key, to match.
    struct Candidates {
        std::vector<Symbol> symbols;
        std::array<std::size_t, kMaxFields> ends{};  // of each part's
        std::size_t combinations = 1;

        std::size_t begin(std::size_t part) const { return part == 0 ? 0 : ends[part - 1]; }
    };
    void RunWithoutRules();
    void RunAlternative(const Alternative& alternative);
    bool LeadingHold(const Alternative& alternative);
    void Scan(std::span<const NodeId> conjuncts);
    void LookUp(const Alternative& alternative, const Candidates& candidates);
    std::optional<Candidates> FindCandidates(const Alternative& alternative);
    bool AddCandidates(const KeyPart& part, Candidates& candidates);
    bool Look(std::uint32_t rule, std::span<const NodeId> conjuncts);
    bool Test(NodeId conjunct);
    void Note(std::uint32_t rule);
    void NoteError(std::uint32_t rule, const Error& error);
    std::uint32_t Bound() const;

    const RuleTable& table_;
    const CompiledMatcher& matcher_;
    Effect effect_;
    const PolicyData& data_;
    Evaluator evaluator_;
    Verdict verdict_;
    std::vector<std::uint32_t>* all_ = nullptr;
};

}  // namespace rampart::policy
