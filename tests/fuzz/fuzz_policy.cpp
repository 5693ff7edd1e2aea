// Input: a model, a line "---", rules as CSV, a line "---", and requests, a line each, their values
// separated by '|' and JSON where they begin with '{'. No input may crash, hang, or throw anything
// but Error; rules must read back as they are written, and Explain must agree with Decide.
#include <algorithm>
#include <vector>

#include "fuzz.hpp"
#include "policy/csv.hpp"
#include "policy/policy_set.hpp"

using namespace rampart;
using namespace rampart::policy;

namespace {

constexpr std::size_t kMaxInput = 16UL * 1024;
constexpr std::string_view kDivider = "\n---\n";

std::string_view TakePart(std::string_view& rest, std::string_view divider) {
    const std::size_t end = std::min(rest.find(divider), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + divider.size(), rest.size()));
    return part;
}

std::optional<bool> DecisionOf(const PolicySet& set, const Request& request) {
    try {
        return set.Decide(request);
    } catch (const Error&) {
        return std::nullopt;
    }
}

void CheckRequest(const PolicySet& set, std::string_view line) {
    std::vector<Value> values;
    while (!line.empty() && values.size() < 32) {
        const std::string_view value = TakePart(line, "|");
        values.push_back(value.starts_with('{') ? ParseJson(value) : Value(std::string(value)));
    }
    const std::vector<ValueView> views(values.begin(), values.end());
    const Request request{views, Time(), "m", {}};
    const auto decision = DecisionOf(set, request);
    if (!decision) return;
    fuzz::Require(set.Explain(request).allowed == *decision, "an explanation is of the decision");
}

void CheckRules(std::string_view text) {
    ParsePolicyCsv(text, [](std::string_view type, std::span<const std::string_view> values) {
        const std::string line = FormatRule(type, values);
        int read = 0;
        ParsePolicyCsv(line, [&](std::string_view same, std::span<const std::string_view> also) {
            fuzz::Require(same == type && std::ranges::equal(also, values), "a rule reads back");
            ++read;
        });
        fuzz::Require(read == 1, "a rule is one line of CSV");
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = AsText({data, std::min(size, kMaxInput)});
    try {
        const std::string_view model = TakePart(rest, kDivider);
        const std::string_view rules = TakePart(rest, kDivider);
        CheckRules(rules);
        PolicySetBuilder builder(Model::Parse(model));
        AddPolicyCsv(rules, builder);
        const PolicySet set = builder.Build();
        (void)set.Problems();
        for (int i = 0; i < 8 && !rest.empty(); ++i) CheckRequest(set, TakePart(rest, "\n"));
    } catch (const Error&) {
    }
    return 0;
}
