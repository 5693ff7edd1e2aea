#include "policy/search.hpp"

#include <algorithm>

#include "interrupt.hpp"

namespace rampart::policy {
namespace {

constexpr std::size_t kUsualCandidates = 16;

}  // namespace

Verdict Search::Run(std::vector<std::uint32_t>* all) {
    CheckForInterrupts();
    verdict_ = {};
    all_ = all;
    if (!UsesRules()) {
        RunWithoutRules();
    } else {
        for (const Alternative& alternative : matcher_.alternatives) RunAlternative(alternative);
    }
    if (all_ != nullptr) {
        std::ranges::sort(*all_);
        all_->erase(std::unique(all_->begin(), all_->end()), all_->end());
    }
    return verdict_;
}

void Search::RunWithoutRules() {
    try {
        if (matcher_.has_eval && table_.size() == 0) {
            throw Error(errc::kEvaluationFailed, "the matcher calls eval(), and there is no rule");
        }
        evaluator_.SetRule(matcher_, {});
        verdict_.matched = evaluator_.Test(matcher_.expression, matcher_.expression.root());
    } catch (const Error& error) {
        NoteError(0, error);
    }
}

void Search::RunAlternative(const Alternative& alternative) {
    if (!LeadingHold(alternative)) return;
    const auto others = std::span(alternative.conjuncts).subspan(alternative.leading);
    if (alternative.key.empty()) {
        Scan(others);
        return;
    }
    const auto candidates = FindCandidates(alternative);
    if (!candidates || candidates->combinations > table_.size()) {
        Scan(others);
    } else if (candidates->combinations != 0) {
        LookUp(alternative, *candidates);
    }
}

// The first rule would be looked at with them: an error is that rule's.
bool Search::LeadingHold(const Alternative& alternative) {
    try {
        const auto leading = std::span(alternative.conjuncts).first(alternative.leading);
        return std::ranges::all_of(leading, [this](NodeId conjunct) { return Test(conjunct); });
    } catch (const Error& error) {
        NoteError(0, error);
        return false;
    }
}

void Search::Scan(std::span<const NodeId> conjuncts) {
    for (std::uint32_t i = 0; i < table_.size() && i < Bound(); ++i) {
        if (!Look(i, conjuncts)) return;
    }
}

// Nothing where a value is not what the conjunct takes: to be found out rule by rule, because it is
// an error only for a rule that all conjuncts before hold for.
std::optional<Search::Candidates> Search::FindCandidates(const Alternative& alternative) {
    Candidates candidates;
    candidates.symbols.reserve(kUsualCandidates);
    try {
        for (std::size_t part = 0; part < alternative.key.size(); ++part) {
            if (!AddCandidates(alternative.key[part], candidates)) return std::nullopt;
            candidates.ends[part] = candidates.symbols.size();
            candidates.combinations *= candidates.ends[part] - candidates.begin(part);
            if (candidates.combinations == 0 || candidates.combinations > table_.size()) break;
        }
    } catch (const Error&) {
        return std::nullopt;
    }
    return candidates;
}

bool Search::AddCandidates(const KeyPart& part, Candidates& candidates) {
    const ValueView value = evaluator_.Evaluate(matcher_.expression, part.source);
    const bool is_text = value.kind() == Kind::kString;
    if (!part.role) {
        const Symbol symbol = is_text ? data_.symbols.Find(value.string()) : kNoSymbol;
        if (symbol != kNoSymbol) candidates.symbols.push_back(symbol);
        return true;
    }
    const ValueView domain = part.domain ? evaluator_.Evaluate(matcher_.expression, *part.domain)
                                         : ValueView(std::string_view());
    if (!is_text || domain.kind() != Kind::kString) return false;
    const RoleWalk& walk =
        evaluator_.Walk(*part.role, data_.NameOf(value.string()), data_.NameOf(domain.string()));
    for (const Reached& reached : walk.names) {
        if (reached.name.symbol != kNoSymbol) candidates.symbols.push_back(reached.name.symbol);
    }
    return true;
}

// Each combination of candidates, counted up as a number with a digit a part.
void Search::LookUp(const Alternative& alternative, const Candidates& candidates) {
    const std::size_t parts = alternative.key.size();
    std::array<std::size_t, kMaxFields> chosen{};
    for (std::size_t part = 0; part < parts; ++part) chosen[part] = candidates.begin(part);
    while (true) {
        std::uint64_t hash = kKeySeed;
        for (std::size_t part = 0; part < parts; ++part) {
            hash = MixHash(hash, candidates.symbols[chosen[part]]);
        }
        for (const std::uint32_t i : alternative.index.Find(hash)) {
            if (i >= Bound()) break;
            const auto rule = table_.rule(i);
            bool equal = true;  // and not of the same hash only
            for (std::size_t part = 0; part < parts; ++part) {
                equal =
                    equal && rule[alternative.key[part].field] == candidates.symbols[chosen[part]];
            }
            if (equal && !Look(i, alternative.residual)) break;
        }
        std::size_t part = parts;
        while (part > 0 && ++chosen[part - 1] == candidates.ends[part - 1]) {
            --part;
            chosen[part] = candidates.begin(part);
        }
        if (part == 0) return;
    }
}

// False if it is of no use to go on to later rules.
bool Search::Look(std::uint32_t rule, std::span<const NodeId> conjuncts) {
    CheckForInterrupts();
    try {
        if (!conjuncts.empty()) evaluator_.SetRule(matcher_, table_.rule(rule));
        for (const NodeId conjunct : conjuncts) {
            if (!Test(conjunct)) return true;
        }
        Note(rule);
        return true;
    } catch (const Error& error) {
        NoteError(rule, error);
        return all_ != nullptr;
    }
}

bool Search::Test(NodeId conjunct) {
    return evaluator_.Test(matcher_.expression, conjunct, conjunct == matcher_.expression.root());
}

void Search::Note(std::uint32_t rule) {
    if (all_ != nullptr) all_->push_back(rule);
    switch (table_.effects[rule]) {
        case RuleEffect::kAllow:
            verdict_.allow = std::min(verdict_.allow, rule);
            break;
        case RuleEffect::kDeny:
            verdict_.deny = std::min(verdict_.deny, rule);
            break;
        case RuleEffect::kIndeterminate:
            break;
    }
}

void Search::NoteError(std::uint32_t rule, const Error& error) {
    if (rule >= verdict_.error) return;
    verdict_.error = rule;
    verdict_.reason = error;
}

std::uint32_t Search::Bound() const {
    if (all_ != nullptr) return Verdict::kNone;
    return std::min(Deciding(verdict_), verdict_.error);
}

std::uint32_t Search::Deciding(const Verdict& verdict) const {
    switch (effect_) {
        case Effect::kAllowOverride:
            return verdict.allow;
        case Effect::kDenyOverride:
        case Effect::kAllowAndDeny:
            return verdict.deny;
        default:
            return std::min(verdict.allow, verdict.deny);
    }
}

bool Search::Allowed(const Verdict& verdict) const {
    const std::uint32_t deciding = Deciding(verdict);
    if (verdict.error != Verdict::kNone && verdict.error <= deciding) throw *verdict.reason;
    if (!UsesRules()) return verdict.matched || effect_ == Effect::kDenyOverride;
    switch (effect_) {
        case Effect::kAllowOverride:
            return verdict.allow != Verdict::kNone;
        case Effect::kDenyOverride:
            return verdict.deny == Verdict::kNone;
        case Effect::kAllowAndDeny:
            return verdict.deny == Verdict::kNone && verdict.allow != Verdict::kNone;
        default:
            return verdict.allow < verdict.deny;
    }
}

bool Search::Holds(std::uint32_t rule, NodeId conjunct) {
    CheckForInterrupts();
    try {
        evaluator_.SetRule(matcher_, table_.rule(rule));
        return Test(conjunct);
    } catch (const Error&) {
        return false;
    }
}

}  // namespace rampart::policy
