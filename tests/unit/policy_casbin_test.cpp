// Casbin's answers: decisions, errors and function calls of its own test suite.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "policy/queries.hpp"
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

using Arguments = std::vector<std::string>;
using Answers = std::multiset<std::vector<std::string>>;

Answers OfNames(const Queries::Names& names) {
    Answers answers;
    for (const std::string& name : names) answers.insert({name});
    return answers;
}
Answers OfRules(const Queries::Rules& rules) { return {rules.begin(), rules.end()}; }

// The argument at `index` as a domain, if there is one.
Queries::Domain DomainAt(const Arguments& arguments, std::size_t index) {
    if (arguments.size() <= index) return std::nullopt;
    return arguments[index];
}

// Casbin's name of a query, and ours. Nothing is Casbin's error.
using Query = std::function<std::optional<Answers>(const Queries&, const Arguments&)>;
const std::map<std::string, Query>& QueriesByName() {
    using Q = const Queries&;
    using A = const Arguments&;
    static const Query roles = [](Q q, A a) { return OfNames(q.RolesOf(a[0], DomainAt(a, 1))); };
    static const Query users = [](Q q, A a) { return OfNames(q.MembersOf(a[0], DomainAt(a, 1))); };
    static const Query all_rules = [](Q q, A a) {
        return OfRules(q.AllRulesOf(a[0], DomainAt(a, 1)));
    };
    static const Query rules_for = [](Q q, A a) {
        return OfRules(q.RulesFor(a[0], DomainAt(a, 1)));
    };
    static const std::map<std::string, Query> queries = {
        {"GetRolesForUser", roles},
        {"GetRolesForUserInDomain", roles},
        {"GetUsersForRole", users},
        {"GetUsersForRoleInDomain", users},
        {"GetImplicitRolesForUser",
         [](Q q, A a) { return OfNames(q.AllRolesOf(a[0], DomainAt(a, 1))); }},
        {"GetImplicitUsersForRole",
         [](Q q, A a) { return OfNames(q.AllMembersOf(a[0], DomainAt(a, 1))); }},
        {"GetPermissionsForUser",
         [](Q q, A a) { return OfRules(q.RulesOf(a[0], DomainAt(a, 1))); }},
        {"GetPermissionsForUserInDomain", all_rules},
        {"GetImplicitPermissionsForUser", all_rules},
        {"GetNamedImplicitPermissionsForUser",
         [](Q q, A a) { return OfRules(q.AllRulesOf(a[2], DomainAt(a, 3), a[0], a[1])); }},
        {"GetImplicitUsersForPermission",
         [](Q q, A a) {
             const std::vector<std::string_view> texts(a.begin(), a.end());
             const std::vector<ValueView> values(texts.begin(), texts.end());
             return OfNames(q.SubjectsAllowed(values));
         }},
        {"GetImplicitResourcesForUser",
         [](Q q, A a) { return OfRules(q.ResourcesOf(a[0], DomainAt(a, 1))); }},
        {"GetImplicitUsersForResource", rules_for},
        {"GetImplicitUsersForResourceByDomain", rules_for},
        {"GetImplicitObjectPatternsForUser",
         [](Q q, A a) { return OfNames(q.ObjectsOf(a[0], a[1], a[2])); }},
        {"GetAllowedObjectConditions",
         [](Q q, A a) -> std::optional<Answers> {
             const auto conditions = q.ConditionsOf(a[0], a[1], a[2]);
             if (!conditions) return std::nullopt;
             return OfNames(*conditions);
         }},
        {"GetDomainsForUser", [](Q q, A a) { return OfNames(q.DomainsOf(a[0])); }},
        {"GetAllUsersByDomain", [](Q q, A a) { return OfNames(q.SubjectsIn(a[0])); }},
    };
    return queries;
}

std::optional<Answers> Expected(const Value& test_case) {
    const Value::List* items = ListOf(test_case, "expect");
    if (items == nullptr) return std::nullopt;
    Answers answers;
    for (const Value& item : *items) {
        if (const auto* name = item.As<std::string>()) {
            answers.insert({*name});
            continue;
        }
        std::vector<std::string> rule;
        for (const Value& value : *item.As<Value::List>()) rule.push_back(*value.As<std::string>());
        answers.insert(rule);
    }
    return answers;
}

TEST(PolicyCasbin, Queries) {
    REQUIRE_CASBIN(folder);
    int asked = 0;
    for (const Value& test_case : ReadCases(*folder / "queries.jsonl")) {
        const std::string name = TextOf(test_case, "fn");
        SCOPED_TRACE(name + " of " + Label(test_case));
        Arguments arguments;
        for (const Value& argument : *ListOf(test_case, "args")) {
            arguments.push_back(*argument.As<std::string>());
        }
        // Code of the host, or two domains at once, which cannot be written here.
        const bool two_domains = name == "GetImplicitPermissionsForUser" && arguments.size() > 2;
        if (test_case.Find("needs") != nullptr || two_domains) continue;
        try {
            const PolicySet set = LoadCase(*folder, test_case);
            EXPECT_EQ(QueriesByName().at(name)(Queries(set, Now()), arguments),
                      Expected(test_case));
            ++asked;
        } catch (const Error& error) {
            ADD_FAILURE() << error.what();
        }
    }
    EXPECT_EQ(asked, 189);
}

}  // namespace
}  // namespace rampart::policy::test
