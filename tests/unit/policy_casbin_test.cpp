// Casbin's answers: decisions, errors and function calls of its own test suite.
#include <gtest/gtest.h>

#include "policy/csv.hpp"
#include "policy_casbin.hpp"

namespace rampart::policy::test {
namespace {

#define REQUIRE_CASBIN(folder)          \
    const auto folder = CasbinFolder(); \
    if (!folder) GTEST_SKIP() << "Casbin's examples are not there: RAMPART_CASBIN"

std::string Label(const Value& test_case) {
    return TextOf(test_case, "test") + ", case " +
           std::to_string(static_cast<int>(*test_case.Find("id")->As<double>()));
}

// A switch of Casbin's that allows everything. The engine has none.
bool SwitchesOff(const Value& test_case) {
    const Value* setup = test_case.Find("setup");
    return setup != nullptr && setup->Find("enforce_enabled") != nullptr;
}

TEST(PolicyCasbin, Decisions) {
    REQUIRE_CASBIN(folder);
    int decided = 0;
    int switched_off = 0;
    for (const Value& test_case : ReadCases(*folder / "cases.jsonl")) {
        SCOPED_TRACE(Label(test_case));
        if (SwitchesOff(test_case)) {
            ++switched_off;
            continue;
        }
        try {
            const PolicySet set = LoadCase(*folder, test_case);
            const CaseRequest request = RequestOf(test_case);
            const bool expected = *test_case.Find("expect")->As<bool>();
            EXPECT_EQ(set.Decide(request.Make()), expected);
            EXPECT_EQ(set.Explain(request.Make()).allowed, expected);
            ++decided;
        } catch (const Error& error) {
            ADD_FAILURE() << error.what();
        }
    }
    EXPECT_EQ(decided, 573);
    EXPECT_EQ(switched_off, 8);
}

TEST(PolicyCasbin, RulesThatDecide) {
    REQUIRE_CASBIN(folder);
    for (const Value& test_case : ReadCases(*folder / "cases.jsonl")) {
        const Value::List* expected = ListOf(test_case, "explain");
        if (expected == nullptr) continue;
        SCOPED_TRACE(Label(test_case));
        const PolicySet set = LoadCase(*folder, test_case);
        const auto rule = set.Explain(RequestOf(test_case).Make()).rule;
        std::vector<std::string> values;
        for (const Value& value : *expected) values.push_back(*value.As<std::string>());
        EXPECT_EQ(rule ? rule->values : std::vector<std::string>(), values);
    }
}

TEST(PolicyCasbin, Errors) {
    REQUIRE_CASBIN(folder);
    for (const Value& test_case : ReadCases(*folder / "cases_error.jsonl")) {
        SCOPED_TRACE(Label(test_case));
        const PolicySet set = LoadCase(*folder, test_case);
        EXPECT_THROW((void)set.Decide(RequestOf(test_case).Make()), Error);
    }
}

// Through a matcher, as a model would call it.
TEST(PolicyCasbin, Functions) {
    REQUIRE_CASBIN(folder);
    for (const Value& test_case : ReadCases(*folder / "functions.jsonl")) {
        const std::string name = TextOf(test_case, "fn");
        SCOPED_TRACE(name + ", case " +
                     std::to_string(static_cast<int>(*test_case.Find("id")->As<double>())));
        const Value::List& arguments = *ListOf(test_case, "args");
        const Value& expected = *test_case.Find("expect");
        std::string fields = "expected";
        std::string call;
        std::vector<ValueView> request = {ValueView(expected)};
        for (const Value& argument : arguments) {
            const std::string field = "a" + std::to_string(request.size());
            fields += ", " + field;
            call += (call.empty() ? "r." : ", r.") + field;
            request.emplace_back(argument);
        }
        call = name + "(" + call + ") == r.expected";
        const auto decide = [&] {
            PolicySetBuilder builder(
                Model::Parse("[request_definition]\nr = " + fields +
                             "\n[policy_definition]\np = a\n[policy_effect]\n"
                             "e = some(where (p.eft == allow))\n[matchers]\nm = " +
                             call));
            return builder.Build().Decide({request, Now()});
        };
        if (expected == Value(std::string("error"))) {
            EXPECT_THROW((void)decide(), Error);
        } else {
            EXPECT_TRUE(decide());
        }
    }
}

}  // namespace
}  // namespace rampart::policy::test
