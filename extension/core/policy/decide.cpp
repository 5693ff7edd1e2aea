#include <algorithm>

#include "policy/policy_set.hpp"
#include "policy/search.hpp"

namespace rampart::policy {
namespace {

[[noreturn]] void FailRequest(const std::string& message) {
    throw Error(errc::kMalformedRequest, message);
}

const CompiledMatcher& FindMatcher(const PolicyData& data, const Request& request) {
    const CompiledMatcher* matcher = FindByName(data.matchers, request.matcher);
    if (matcher == nullptr) {
        FailRequest("the model has no matcher '" + std::string(request.matcher) + "'");
    }
    if (!matcher->problem.empty()) throw Error(errc::kMalformedModel, matcher->problem);
    const FieldDefinition& definition = data.model.requests[matcher->request];
    if (request.values.size() != definition.fields.size()) {
        FailRequest("a request of '" + definition.name + "' has " +
                    std::to_string(definition.fields.size()) + " values, this one " +
                    std::to_string(request.values.size()));
    }
    return *matcher;
}

Effect FindEffect(const PolicyData& data, const Request& request) {
    const auto find = [&](std::string_view name) { return FindByName(data.model.effects, name); };
    const EffectDefinition* effect = nullptr;
    if (!request.effect.empty()) {
        effect = find(request.effect);
    } else {
        effect = find("e" + std::string(request.matcher.substr(1)));
        if (effect == nullptr) effect = find("e");
    }
    if (effect == nullptr) {
        FailRequest("the model has no effect '" + std::string(request.effect) + "'");
    }
    return effect->effect;
}

Search MakeSearch(const PolicyData& data, const Request& request) {
    const CompiledMatcher& matcher = FindMatcher(data, request);
    return {data, matcher, FindEffect(data, request), request.values, request.now};
}

// The alternative of which most holds for the rule.
struct Fit {
    const Alternative* alternative = nullptr;
    std::size_t held = 0;
};
Fit FitOf(Search& search, const CompiledMatcher& matcher, std::uint32_t rule) {
    Fit best;
    for (const Alternative& alternative : matcher.alternatives) {
        const auto held = static_cast<std::size_t>(std::ranges::count_if(
            alternative.conjuncts, [&](NodeId conjunct) { return search.Holds(rule, conjunct); }));
        const bool whole = held == alternative.conjuncts.size();
        if (best.alternative == nullptr || held > best.held || whole) best = {&alternative, held};
        if (whole) break;
    }
    return best;
}

class Explainer {
  public:
    Explainer(const PolicyData& data, const CompiledMatcher& matcher, Search& search,
              const Request& request)
        : data_(data), matcher_(matcher), search_(search), request_(request) {}

    MatchedRule Describe(std::uint32_t rule) {
        MatchedRule described{rule, {}, {}};
        for (const Symbol value : Row(rule))
            described.values.emplace_back(data_.symbols.Text(value));
        for (const NodeId conjunct : FitOf(search_, matcher_, rule).alternative->conjuncts) {
            AddRolePath(rule, conjunct, described.roles);
        }
        return described;
    }

    // The first of the rules that most of an alternative holds for.
    std::optional<NearMiss> FindNearMiss() {
        std::uint32_t nearest = 0;
        Fit best;
        for (std::uint32_t i = 0; i < data_.tables[matcher_.policy].size(); ++i) {
            const Fit fit = FitOf(search_, matcher_, i);
            if (best.alternative != nullptr && fit.held <= best.held) continue;
            best = fit;
            nearest = i;
        }
        if (best.held == 0) return std::nullopt;
        NearMiss miss{Describe(nearest), {}};
        for (const NodeId conjunct : best.alternative->conjuncts) {
            if (search_.Holds(nearest, conjunct)) continue;
            miss.lacking.emplace_back(
                matcher_.expression.source(matcher_.expression.node(conjunct)));
        }
        return miss;
    }

  private:
    std::span<const Symbol> Row(std::uint32_t rule) const {
        return data_.tables[matcher_.policy].rule(rule);
    }

    void AddRolePath(std::uint32_t rule, NodeId conjunct, std::vector<RolePath>& paths) {
        const Node& node = matcher_.expression.node(conjunct);
        if (node.op != Op::kRole || !search_.Holds(rule, conjunct)) return;
        const auto operands = matcher_.expression.operands(node);
        const auto name = [&](std::size_t operand) {
            if (operand >= operands.size()) return data_.NameOf(std::string_view());
            return data_.NameOf(
                search_.evaluator().Evaluate(matcher_.expression, operands[operand]).string());
        };
        const Name role = name(1);
        const RoleWalk& walk = search_.evaluator().Walk(node.payload, name(0), name(2));
        const auto found =
            data_.roles[node.payload].FindRole(walk.names, role, walk.domains, request_.now);
        if (!found) return;
        RolePath path{data_.model.roles[node.payload].name, {}};
        if (walk.names[*found].name.text != role.text) path.names.emplace_back(role.text);
        for (std::size_t at = *found;; at = walk.names[at].from) {
            path.names.emplace_back(walk.names[at].name.text);
            if (at == 0) break;
        }
        std::ranges::reverse(path.names);
        paths.push_back(std::move(path));
    }

    const PolicyData& data_;
    const CompiledMatcher& matcher_;
    Search& search_;
    const Request& request_;
};

}  // namespace

bool PolicySet::Decide(const Request& request) const {
    Search search = MakeSearch(*data_, request);
    return search.Allowed(search.Run());
}

Explanation PolicySet::Explain(const Request& request) const {
    const CompiledMatcher& matcher = FindMatcher(*data_, request);
    Search search = MakeSearch(*data_, request);
    const Verdict verdict = search.Run();
    Explanation explanation;
    explanation.allowed = search.Allowed(verdict);
    explanation.definition = data_->model.policies[matcher.policy].name;
    if (!search.UsesRules()) return explanation;

    Explainer explainer(*data_, matcher, search, request);
    std::vector<std::uint32_t> all;
    (void)search.Run(&all);
    if (all.size() > kMaxExplained) all.resize(kMaxExplained);
    for (const std::uint32_t rule : all) explanation.matched.push_back(explainer.Describe(rule));
    std::uint32_t deciding = search.Deciding(verdict);
    if (deciding == Verdict::kNone && explanation.allowed) deciding = verdict.allow;
    if (deciding != Verdict::kNone) {
        explanation.rule = explainer.Describe(deciding);
    } else if (!explanation.allowed) {
        explanation.miss = explainer.FindNearMiss();
    }
    return explanation;
}

}  // namespace rampart::policy
