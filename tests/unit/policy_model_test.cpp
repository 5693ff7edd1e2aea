// Models and rules that are malformed: what is said, and where.
#include <gtest/gtest.h>

#include "policy/csv.hpp"
#include "policy/limits.hpp"
#include "policy_cases.hpp"

namespace rampart::policy::test {
namespace {

std::string ModelError(std::string_view text) {
    return ErrorOf([&] { PolicySetBuilder(Model::Parse(text)).Build(); });
}
std::string MatcherError(std::string_view matcher) {
    const std::string error = ModelError(ModelWith(matcher));
    constexpr std::string_view kWhere = "RMP01 malformed model at line 10, column ";
    return error.starts_with(kWhere) ? error.substr(kWhere.size()) : error;
}

TEST(PolicyModel, SaysWhereItIsMalformed) {
    const std::vector<std::pair<std::string_view, std::string_view>> kCases = {
        {"", "malformed model: 'r' of [request_definition] is missing"},
        {"r = sub", "malformed model at line 1, column 1: a key before the first section"},
        {"[r", "malformed model at line 1, column 1: a section without ']'"},
        {"[policy]\np = a",
         "malformed model at line 2, column 1: section [policy] is not supported"},
        {"[matchers]\n  x = a", "malformed model at line 2, column 3: 'x' is no key of [matchers]"},
        {"[matchers]\nm1 = a", "malformed model at line 2, column 1: 'm1' is no key of [matchers]"},
        {"[matchers]\nm", "malformed model at line 2, column 1: expected 'key = value'"},
        {"[matchers]\nm =", "malformed model at line 2, column 1: 'm' has no value"},
        {"[matchers]\nm = a\nm = b", "malformed model at line 3, column 1: 'm' is there twice"},
        {"[matchers]\n[matchers]",
         "malformed model at line 2, column 1: section [matchers] is there twice"},
        {"[matchers]\nm = a \\\n# b\n",
         "malformed model at line 3, column 1: a comment or blank line inside a continued value"},
        {"[matchers]\nm = a \\",
         "malformed model at line 3, column 1: the text ends inside a continued value"},
        {"[request_definition]\nr = sub, , act",
         "malformed model at line 2, column 9: expected the name of a field"},
        {"[request_definition]\nr = sub, sub",
         "malformed model at line 2, column 9: field 'sub' is there twice"},
        {"[role_definition]\ng = _",
         "malformed model at line 2, column 5: expected '_, _' or '_, _, _', and '(_, _)' behind "
         "it"},
        {"[role_definition]\ng = _, _, (_)",
         "malformed model at line 2, column 5: a condition takes two values: a start and an end"},
        {"[policy_effect]\ne = allow",
         "malformed model at line 2, column 5: not an effect that is known"},
        {"[constraint_definition]\nc = sod('a', 'b')",
         "malformed model at line 2, column 1: section [constraint_definition] is not supported"},
    };
    for (const auto& [text, message] : kCases) {
        EXPECT_EQ(ErrorOf([&, model = text] { Model::Parse(model); }),
                  "RMP01 " + std::string(message))
            << text;
    }
}

TEST(PolicyModel, SaysWhereAMatcherIsMalformed) {
    const std::vector<std::pair<std::string_view, std::string_view>> kCases = {
        {"r.sub ==", "13: the expression ends too early"},
        {"r.sub == p.sub)", "19: expected an operator"},
        {"(r.sub == p.sub", "20: expected ')'"},
        {"r.user == p.sub", "5: unknown field 'r.user'"},
        {"r.sub == q.sub", "14: unknown name 'q.sub'"},
        {"r.sub = p.sub", "11: operator '=' is not supported"},
        {"r.sub =~ p.sub", "11: operator '=~' is not supported"},
        {"r.sub ? 1 : 2", "11: operator '?' is not supported"},
        {"r.sub & p.sub", "11: operator '&' is not supported"},
        {"2 ** 3 == 8", "7: operator '**' is not supported"},
        {"r.sub == $", "14: unexpected character"},
        {"r.sub == 'ada", "14: a string without an end"},
        {"r.sub == 'a\"b'", "16: a string cannot hold the other kind of quote"},
        {"r.sub == 1.2.3", "14: not a number"},
        {"r.sub == '2026-01-31'", "14: a string that reads as a time is not supported"},
        {"p.sub.Age > 3", "5: a value of a rule has no attributes"},
        {"r.sub. == 'a'", "11: a dot without a name"},
        {"keyMatch9(r.obj, p.obj)", "5: unknown function 'keyMatch9'"},
        {"keyMatch(r.obj)", "5: keyMatch() takes 2 arguments"},
        {"g(r.sub, p.sub, r.obj)", "5: g() takes 2 arguments"},
        {"eval(r.sub)", "5: eval() takes a field of a rule, and nothing else"},
        {"eval('true')", "5: eval() takes a field of a rule, and nothing else"},
        {"r.obj == ['a']", "14: a list can stand behind 'in' and nowhere else"},
        {"r.sub == p.sub \\\n  && r.obj == q.obj",
         "RMP01 malformed model at line 11, column 15: unknown name 'q.obj'"},
    };
    for (const auto& [matcher, message] : kCases)
        EXPECT_EQ(MatcherError(matcher), message) << matcher;
}

TEST(PolicyModel, IsBounded) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "r.sub == p.sub" + std::string(depth, ')');
    };
    EXPECT_EQ(MatcherError(nested(30)), "no error");
    EXPECT_TRUE(MatcherError(nested(30'000 / 2)).starts_with("RMP04"));
    EXPECT_TRUE(MatcherError(std::string(10'000, '!') + "true").starts_with("RMP04"));
    EXPECT_TRUE(MatcherError(std::string(100'000, 'x')).starts_with("RMP04"));
    std::string joined = "r.sub == p.sub";
    for (int i = 0; i < 300; ++i) joined += " || r.sub == 'a'";
    EXPECT_EQ(MatcherError(joined), "no error") << "long is not deep";
    std::string sum = "1";
    for (int i = 0; i < 300; ++i) sum += " + 1";
    EXPECT_TRUE(MatcherError(sum + " == 301").starts_with("RMP04"));
    EXPECT_TRUE(ModelError(std::string(kMaxModelText + 1, '#')).starts_with("RMP04"));
}

TEST(PolicyModel, CommentsAndStrings) {
    const PolicySet set = MakeSet(R"(
        # a comment; another
        [request_definition] ; of what is asked
        r = sub, obj, act    # don't
        [policy_definition]
        p = sub, obj, act
        [policy_effect]
        e=some(where(p_eft==allow))
        [matchers]
        m = r_sub == p_sub && r.obj == "a;b#c" && \
            r.act == '\d' ; the rest
    )",
                                  "p, ada, x, y\n");
    ExpectAnswers(set, {R"(+ ada | a;b#c | \d)", "- ada | a | d", R"(- bob | a;b#c | \d)"});
}

TEST(PolicyCsv, ReadsWhatItWrites) {
    const std::vector<std::string_view> kValues = {"plain", "two words",  " spaces ",
                                                   "a,b",   "\"",         "#no comment",
                                                   "",      "two\nlines", "it's \"so\""};
    std::string text = "# comment\n\n  \t\n";
    for (int i = 0; i < 3; ++i) text += FormatRule("p", kValues);
    int rules = 0;
    ParsePolicyCsv(text, [&](std::string_view type, std::span<const std::string_view> values) {
        EXPECT_EQ(type, "p");
        EXPECT_TRUE(std::ranges::equal(values, kValues));
        ++rules;
    });
    EXPECT_EQ(rules, 3);
}

TEST(PolicyCsv, SaysWhereItIsMalformed) {
    const auto error = [](std::string_view rules) {
        return ErrorOf([&] { MakeSet(ModelWith("r.sub == p.sub"), rules); });
    };
    EXPECT_EQ(error("p, a, b, c\n\np, a, b\n"),
              "RMP02 malformed policy at line 3: rule 2 ('p') has 2 values, its definition has 3 "
              "fields");
    EXPECT_EQ(
        error("p9, a, b, c"),
        "RMP02 malformed policy at line 1: rule 1 ('p9') is of a type that the model does not "
        "define");
    EXPECT_EQ(error("g, a"),
              "RMP02 malformed policy at line 1: rule 1 ('g') has 1 values, its definition has 2 "
              "fields");
    EXPECT_EQ(error("p, \"a, b, c"),
              "RMP02 malformed policy at line 1: a quoted value without an end");
    EXPECT_EQ(error("p, a\"b, c, d"),
              "RMP02 malformed policy at line 1: a quote inside a value that is not quoted");
    EXPECT_EQ(error("p, \"a\"b, c, d"),
              "RMP02 malformed policy at line 1: text behind a quoted value");
}

}  // namespace
}  // namespace rampart::policy::test
