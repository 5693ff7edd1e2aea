#include "policy_cases.hpp"

#include <charconv>

#include "policy/config.hpp"
#include "policy/csv.hpp"

namespace rampart::policy::test {
namespace {

Value ReadValue(std::string_view text) {
    if (text.starts_with('{') || text.starts_with('[')) return ParseJson(text);
    if (text.starts_with('#')) return ParseJson(text.substr(1));
    return Value(std::string(text));
}

char Answer(const PolicySet& set, const Request& request) {
    try {
        return set.Decide(request) ? '+' : '-';
    } catch (const Error& error) {
        const std::string_view code = error.state().view();
        EXPECT_TRUE(code == "RMP03" || code == "RMP05") << error.what();
        return '!';
    }
}

}  // namespace

Time Noon() {
    using namespace std::chrono;
    return sys_days(year(2026) / 1 / 15) + hours(12);
}

PolicySet MakeSet(std::string_view model, std::string_view rules, PolicyOptions options) {
    PolicySetBuilder builder(Model::Parse(model), std::move(options));
    AddPolicyCsv(rules, builder);
    return builder.Build();
}

TestRequest::TestRequest(std::string_view line) {
    std::size_t start = 0;
    while (start <= line.size()) {
        const std::size_t end = std::min(line.find('|', start), line.size());
        values_.push_back(ReadValue(Trim(line.substr(start, end - start))));
        start = end + 1;
    }
    for (const Value& value : values_) views_.emplace_back(value);
}

void ExpectAnswers(const PolicySet& set, std::initializer_list<std::string_view> lines,
                   std::string_view matcher) {
    for (const std::string_view line : lines) {
        const TestRequest request(line.substr(1));
        EXPECT_EQ(Answer(set, request.Make(matcher)), line.front()) << line;
        if (line.front() == '!') continue;
        EXPECT_EQ(set.Explain(request.Make(matcher)).allowed, line.front() == '+') << line;
    }
}

std::string ModelWith(std::string_view matcher, std::string_view effect, std::string_view policy) {
    return "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = " +
           std::string(policy) +
           "\n[role_definition]\ng = _, _\n[policy_effect]\ne = " + std::string(effect) +
           "\n[matchers]\nm = " + std::string(matcher) + "\n";
}

}  // namespace rampart::policy::test
