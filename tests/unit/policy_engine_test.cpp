// Expressions, roles, explanations and queries.
#include <gtest/gtest.h>

#include <random>

#include "policy/csv.hpp"
#include "policy/pattern.hpp"
#include "policy/queries.hpp"
#include "policy_cases.hpp"

namespace rampart::policy::test {
namespace {

using Names = std::vector<std::string>;
constexpr char kRoles[] = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act";

TEST(PolicyExpression, Operators) {
    const std::vector<std::pair<std::string_view, char>> kCases = {
        {"1 + 2 * 3 == 7", '+'},
        {"(1 + 2) * 3 == 9", '+'},
        {"10 - 4 - 3 == 3", '+'},
        {"8 / 4 / 2 == 1", '+'},
        {"7 % 4 == 3 && -7 % 4 == -3", '+'},
        {"0x1f == 31", '+'},
        {"!false && !(1 == 2)", '+'},
        {"true || 1", '+'},
        {"false || 1", '!'},
        {"false && 1", '-'},
        {"true && 1", '!'},
        {"'a'", '!'},
        {"'a' < 'b' && 'a' <= 'a' && 'b' > 'a' && 'b' >= 'b'", '+'},
        {"1 < '2'", '!'},
        {"1 == '1'", '-'},
        {"1 != '1'", '+'},
        {"'a' + 1 == 'a1' && 1.5 + 'x' == '1.5x'", '+'},
        {"true + 1", '!'},
        {"r.sub in ('ada', 'bob')", '+'},
        {"r.sub in ['ada']", '+'},
        {"r.sub IN ('x')", '-'},
        {"r.sub in ()", '-'},
        {"r.sub in 'ada'", '!'},
        {"!(r.sub in ('ada'))", '-'},
        {"-r.sub == 1", '!'},
        {"r.obj.a.b == 3", '+'},
        {"r.obj.a.c == 3", '!'},
        {"r.obj.list == r.obj.same && r.obj.list != r.obj.a", '+'},
        {"2 in r.obj.list", '+'},
        {"keyGet2('/a/7', '/a/:id', 'id') == '7'", '+'},
        {"keyMatch(r.sub, 'a*') && keyMatch(r.sub, r.sub)", '+'},
        {"keyMatch(1, 'a*')", '!'},
        {"regexMatch(r.sub, '(')", '!'},
    };
    for (const auto& [matcher, answer] : kCases) {
        const std::string line =
            answer + std::string(R"( ada | {"a": {"b": 3}, "list": [1, 2], "same": [1, 2]} | x)");
        SCOPED_TRACE(matcher);
        ExpectAnswers(MakeSet(ModelWith(matcher), ""), {line});
        const std::string with_rule = "p.sub == 'x' && (" + std::string(matcher) + ")";
        ExpectAnswers(MakeSet(ModelWith(with_rule), "p, x, y, z\n"), {line});
    }
}

TEST(PolicyExpression, NumbersCountForRules) {
    ExpectAnswers(MakeSet(ModelWith("eval(p.sub)"), "p, 2, x, y\n"), {"+ a | b | c"});
    ExpectAnswers(MakeSet(ModelWith("eval(p.sub)"), "p, 1 - 1, x, y\n"), {"- a | b | c"});
    ExpectAnswers(MakeSet(ModelWith("eval(p.sub) && true"), "p, 2, x, y\n"), {"! a | b | c"});
    ExpectAnswers(MakeSet(ModelWith("2"), "p, x, y, z\n"), {"! a | b | c"});
    EXPECT_THROW(MakeSet(ModelWith("1e2 == 100"), ""), Error);
}

TEST(PolicyExpression, ErrorsComeInTheOrderOfRules) {
    const auto set = [](std::string_view rules) {
        return MakeSet(ModelWith("eval(p.sub) && r.act == p.act"), rules);
    };
    constexpr char kRequest[] = R"( {"Age": 20} | x | read)";
    const auto answer = [&](char sign) { return sign + std::string(kRequest); };
    ExpectAnswers(set("p, r.sub.Age > 18, x, read\np, r.sub.Nothing, x, read\n"), {answer('+')});
    ExpectAnswers(set("p, r.sub.Nothing, x, read\np, r.sub.Age > 18, x, read\n"), {answer('!')});
    ExpectAnswers(set("p, r.sub.Nothing, x, write\np, r.sub.Age > 18, x, read\n"), {answer('+')});
}

TEST(PolicyPattern, HostileOnesTakeLinearTime) {
    const std::string text(50'000, 'a');
    EXPECT_FALSE(Pattern(Function::kRegexMatch, "^(a+)+$").Matches(text + "!"));
    EXPECT_FALSE(Pattern(Function::kRegexMatch, "^(a|a)*b$").Matches(text));
    EXPECT_FALSE(Pattern(Function::kGlobMatch, "*a*a*a*a*a*a*a*a*b").Matches(text));
    EXPECT_FALSE(Pattern(Function::kKeyMatch2, "/*/*/*/*/*/*/x").Matches(std::string(50'000, '/')));
    EXPECT_NE(Pattern(Function::kRegexMatch, "((a{100}){100}){100}").problem(), "");
    EXPECT_NE(Pattern(Function::kRegexMatch, std::string(5'000, 'a')).problem(), "");
}

TEST(PolicyPattern, Globs) {
    const std::vector<std::tuple<std::string_view, std::string_view, bool>> kCases = {
        {"a?c", "abc", true},         {"a?c", "a/c", false},   {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},     {"[!a-c]x", "dx", true}, {"[^a]", "/", false},
        {"[+-9]", "/", false},        {"[+-9]", "5", true},    {"{a,b}c", "bc", true},
        {"{a,b{1,2}}c", "b2c", true}, {"\\*", "*", true},      {"\\*", "x", false},
        {"a,b", "a,b", true},         {"a/**", "a", true},     {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},  {"a**b", "a/b", false},  {"**", "a/b/c", true},
    };
    for (const auto& [pattern, text, matches] : kCases) {
        EXPECT_EQ(Pattern(Function::kGlobMatch, pattern).Matches(text), matches)
            << pattern << " " << text;
    }
    for (const char* malformed : {"[a", "[]", "{a", "\\", "[a-"}) {
        EXPECT_NE(Pattern(Function::kGlobMatch, malformed).problem(), "") << malformed;
    }
}

TEST(PolicyRoles, CirclesAndDepth) {
    std::string rules = "p, top, x, read\np, a, y, read\n";
    for (int i = 0; i < 12; ++i) {
        rules += "g, level" + std::to_string(i) + ", " +
                 (i == 0 ? std::string("top") : "level" + std::to_string(i - 1)) + "\n";
    }
    rules += "g, a, b\ng, b, c\ng, c, a\ng, self, self\n";
    const PolicySet set = MakeSet(ModelWith(kRoles), rules);
    ExpectAnswers(set, {"+ level0 | x | read", "+ level9 | x | read", "- level10 | x | read",
                        "+ a | y | read", "+ b | y | read", "+ c | y | read", "- self | y | read"});
    PolicyOptions options;
    options.roles["g"].max_depth = 2;
    ExpectAnswers(MakeSet(ModelWith(kRoles), rules, options),
                  {"+ level1 | x | read", "- level2 | x | read"});
}

TEST(PolicyRoles, ManyOfOneMember) {
    std::string rules = "p, role999, x, read\n";
    for (int i = 0; i < 1'000; ++i) rules += "g, ada, role" + std::to_string(i) + "\n";
    ExpectAnswers(MakeSet(ModelWith(kRoles), rules),
                  {"+ ada | x | read", "- ada | x | write", "- bob | x | read"});
}

// The same matcher as one conjunct that no index can answer. An error stands behind what an index
// answers: before it, an index may pass over the rule.
TEST(PolicyIndex, AnswersAsEachRuleWould) {
    constexpr const char* kMatchers[] = {
        "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act",
        "r.act == p.act && (r.sub == p.sub || r.obj == p.obj) && r.sub != r.obj",
        "r.sub == p.sub && r.act == 'x' || g(r.sub, p.obj) && p.act == 'y' || r.obj == r.act",
        "keyMatch(r.obj, p.obj) && g(r.sub, p.sub) && r.sub == p.sub",
        "r.obj != 'a' && g(r.sub, p.sub) && r.obj == p.obj && (p.act < r.act || r.obj.none)",
    };
    constexpr const char* kEffects[] = {
        "some(where (p.eft == allow))", "!some(where (p.eft == deny))",
        "some(where (p.eft == allow)) && !some(where (p.eft == deny))", "priority(p.eft) || deny"};
    constexpr const char* kNames[] = {"a", "b", "c", "x", "y", "d*"};
    std::minstd_rand random(7);
    const auto name = [&] { return std::string(kNames[random() % std::size(kNames)]); };
    const auto answer = [](const PolicySet& set, const Request& request) {
        return ErrorOf([&] { throw Error(errc::kInternal, set.Decide(request) ? "+" : "-"); });
    };
    for (int round = 0; round < 40; ++round) {
        std::string rules;
        for (std::size_t i = random() % 20; i > 0; --i) {
            const char* effect = random() % 3 == 0 ? "deny" : "allow";
            rules += "p, " + name() + ", " + name() + ", " + name() + ", " + effect + "\n";
            if (i % 3 == 0) rules += "g, " + name() + ", " + name() + "\n";
        }
        for (const char* matcher : kMatchers) {
            const std::string whole = "(" + std::string(matcher) + ") == true";
            const char* effect = kEffects[random() % std::size(kEffects)];
            const auto make = [&](std::string_view m) {
                return MakeSet(ModelWith(m, effect, "sub, obj, act, eft"), rules);
            };
            const PolicySet indexed = make(matcher);
            const PolicySet scanned = make(whole);
            for (int i = 0; i < 50; ++i) {
                const TestRequest request(name() + "|" + name() + "|" + name());
                ASSERT_EQ(answer(indexed, request.Make()).substr(0, 7),
                          answer(scanned, request.Make()).substr(0, 7))
                    << matcher << "\n"
                    << effect << "\n"
                    << rules;
            }
        }
    }
}

TEST(PolicyExplanation, NamesTheRuleAndThePath) {
    const PolicySet set = MakeSet(ModelWith(kRoles), R"(
        p, reader, ledger, read
        p, clerk, ledger, write
        p, ada, ledger, read
        g, ada, clerk
        g, clerk, reader
    )");
    const Explanation allowed = set.Explain(TestRequest("ada | ledger | read").Make());
    ASSERT_TRUE(allowed.allowed && allowed.rule);
    EXPECT_EQ(allowed.definition, "p");
    EXPECT_EQ(allowed.rule->values, (Names{"reader", "ledger", "read"}));
    ASSERT_EQ(allowed.rule->roles.size(), 1U);
    EXPECT_EQ(allowed.rule->roles[0].definition, "g");
    EXPECT_EQ(allowed.rule->roles[0].names, (Names{"ada", "clerk", "reader"}));
    ASSERT_EQ(allowed.matched.size(), 2U);
    EXPECT_EQ(allowed.matched[1].values, (Names{"ada", "ledger", "read"}));
    EXPECT_FALSE(allowed.miss);

    const Explanation denied = set.Explain(TestRequest("bob | ledger | write").Make());
    EXPECT_FALSE(denied.allowed || denied.rule);
    ASSERT_TRUE(denied.miss);
    EXPECT_EQ(denied.miss->rule.values, (Names{"clerk", "ledger", "write"}));
    EXPECT_EQ(denied.miss->lacking, (Names{"g(r.sub, p.sub)"}));
    EXPECT_FALSE(set.Explain(TestRequest("bob | safe | open").Make()).miss);
}

TEST(PolicyQueries, RolesAndRules) {
    const PolicySet set = MakeSet(ModelWith(kRoles), R"(
        p, reader, ledger, read
        p, clerk, ledger, write
        p, ada, safe, open
        g, ada, clerk
        g, bob, reader
        g, clerk, reader
    )");
    const Queries queries(set, Noon());
    EXPECT_EQ(queries.RolesOf("ada"), Names{"clerk"});
    EXPECT_EQ(queries.AllRolesOf("ada"), (Names{"clerk", "reader"}));
    EXPECT_EQ(queries.MembersOf("reader"), (Names{"bob", "clerk"}));
    EXPECT_EQ(queries.AllMembersOf("reader"), (Names{"bob", "clerk", "ada"}));
    EXPECT_EQ(queries.RulesOf("ada"), Queries::Rules({{"ada", "safe", "open"}}));
    EXPECT_EQ(queries.AllRulesOf("ada").size(), 3U);
    const std::vector<ValueView> reading = {ValueView("ledger"), ValueView("read")};
    EXPECT_EQ(queries.SubjectsAllowed(reading), (Names{"ada", "bob"}));
    EXPECT_EQ(queries.RulesFor("ledger"), Queries::Rules({{"bob", "ledger", "read"},
                                                          {"clerk", "ledger", "read"},
                                                          {"ada", "ledger", "write"}}));
    EXPECT_EQ(ErrorOf([&] { (void)queries.RulesOf("ada", "north"); }),
              "RMP05 the model has no field 'dom'");
    EXPECT_EQ(ErrorOf([&] { (void)queries.RulesOf("ada", {}, "p7"); }),
              "RMP05 the model has no policy definition 'p7'");
}

TEST(PolicyJson, IsStrict) {
    for (const char* text : {"{\"a\": [1, -2.5e3, true, null, \"\\u00e9\\ud83d\\ude00\\n\"]}", "0",
                             "\"\"", " [ ] ", "{\"a\":1,\"a\":2}"}) {
        EXPECT_NO_THROW(ParseJson(text)) << text;
    }
    for (const char* text : {"", "{", "[1,]", "{\"a\"}", "01", "1.", "1e", "+1", "nul", "'a'",
                             "\"\\x20\"", "\"\n\"", "\"\\u12\"", "1 2", "{a:1}", "1e999"}) {
        EXPECT_THROW(ParseJson(text), Error) << text;
    }
    EXPECT_EQ(*ParseJson("{\"b\":1,\"a\":2,\"b\":3}").Find("b")->As<double>(), 3);
    EXPECT_THROW(ParseJson(std::string(100, '[') + std::string(100, ']')), Error);
}

}  // namespace
}  // namespace rampart::policy::test
