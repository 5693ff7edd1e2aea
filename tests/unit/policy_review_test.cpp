// Rules that change no decision.
#include <gtest/gtest.h>

#include <random>

#include "policy/review.hpp"
#include "policy_cases.hpp"

namespace rampart::policy::test {
namespace {

using Line = std::pair<std::string, std::string>;  // a rule, and what covers it
constexpr char kRoles[] = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act";
constexpr char kAllow[] = "some(where (p.eft == allow))";
constexpr char kNotDenied[] = "!some(where (p.eft == deny))";
constexpr char kBoth[] = "some(where (p.eft == allow)) && !some(where (p.eft == deny))";
constexpr char kFirst[] = "priority(p.eft) || deny";
constexpr char kWithEffect[] = "sub, obj, act, eft";

std::string Join(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : " ") + value;
    return text;
}

std::vector<Line> Needless(const PolicySet& set) {
    std::vector<Line> lines;
    for (const NeedlessRule& rule : FindNeedlessRules(set, Noon())) {
        lines.emplace_back(Join(rule.values), Join(rule.covered_by));
    }
    return lines;
}

TEST(PolicyReview, Roles) {
    const PolicySet set =
        MakeSet(ModelWith(kRoles),
                "p, member, doc, read\np, admin, doc, read\np, admin, doc, write\n"
                "p, ada, doc, write\np, x, doc, read\np, y, doc, read\n"
                "g, admin, member\ng, ada, admin\ng, x, y\ng, y, x\n");
    EXPECT_EQ(Needless(set), (std::vector<Line>{{"admin doc read", "member doc read"},
                                                {"ada doc write", "admin doc write"},
                                                {"y doc read", "x doc read"}}));
}

TEST(PolicyReview, WildcardsAndPrefixes) {
    const std::string wild = ModelWith(
        "r.sub == p.sub && (r.obj == p.obj || p.obj == '*' && r.obj != 'safe') && "
        "keyMatch(r.act, p.act)");
    const PolicySet set = MakeSet(wild,
                                  "p, ada, *, read*\np, ada, doc, read\np, ada, doc, readonly/*\n"
                                  "p, ada, safe, read\np, ada, doc, re*\np, bob, doc, read\n");
    EXPECT_EQ(Needless(set), (std::vector<Line>{{"ada doc read", "ada * read*"},
                                                {"ada doc readonly/*", "ada * read*"}}));
}

// Who asks is a member of the sample: what holds for the sample need not hold for it.
TEST(PolicyReview, PrefixesOfWhatIsNotKnown) {
    const PolicySet set =
        MakeSet(ModelWith("g(r.sub, p.sub) && keyMatch(r.sub, p.obj) && r.act == p.act"),
                "p, a, a*, x\np, a, *, x\ng, b, a\n");
    EXPECT_EQ(Needless(set), (std::vector<Line>{{"a a* x", "a * x"}}));
}

TEST(PolicyReview, Effects) {
    const char* rules = "p, ada, doc, read, allow\np, ada, doc, read, deny\np, ada, doc, read, -\n";
    const auto needless = [&](const char* effect) {
        return Needless(MakeSet(
            ModelWith("r.sub == p.sub && r.obj == p.obj && r.act == p.act", effect, kWithEffect),
            rules));
    };
    const Line allow{"ada doc read allow", ""};
    const Line deny{"ada doc read deny", ""};
    const Line neither{"ada doc read -", ""};
    EXPECT_EQ(needless(kAllow), (std::vector<Line>{deny, neither}));
    EXPECT_EQ(needless(kNotDenied), (std::vector<Line>{allow, neither}));
    EXPECT_EQ(needless(kBoth), (std::vector<Line>{{allow.first, "ada doc read deny"}, neither}));
    EXPECT_EQ(needless(kFirst), (std::vector<Line>{{deny.first, "ada doc read allow"}, neither}));
}

TEST(PolicyReview, SaysNothingOfWhatItCannotTell) {
    for (const char* matcher :
         {"regexMatch(r.sub, p.sub) && r.obj == p.obj", "r.sub != p.sub && r.obj == p.obj",
          "!(r.sub == p.sub) && r.obj == p.obj", "eval(p.sub) && r.obj == p.obj"}) {
        const PolicySet set = MakeSet(ModelWith(matcher), "p, a.*, doc, x\np, ab, doc, x\n");
        EXPECT_EQ(Needless(set), std::vector<Line>{}) << matcher;
    }
    const PolicySet set = MakeSet(ModelWith("r.sub != p.sub"), "p, a, doc, x\np, a, other, y\n");
    EXPECT_EQ(Needless(set), (std::vector<Line>{{"a other y", "a doc x"}}));
}

// All of what is found removed together: every request is decided as before.
TEST(PolicyReview, RemovingThemChangesNothing) {
    const std::vector<std::string> matchers = {
        kRoles,
        "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && (r.act == p.act || p.act == 'b*')",
        "(r.sub == p.sub || p.sub == 'b*') && (r.obj == p.obj || p.obj == 'a' && r.obj != 'b') "
        "&& r.act == p.act",
        "r.sub == p.sub && r.obj == p.obj || r.act == p.act && g(r.sub, p.obj)",
        "r.sub == p.sub && !(r.obj == p.obj) && keyMatch(r.act, p.act) || p.act == 'ab'",
        "g(r.sub, p.sub) && r.obj != p.act",
        "g(r.sub, p.sub) && keyMatch(r.sub, p.obj) && r.act == p.act",
        "!(p.sub == 'b*') && r.obj == p.obj && r.act != p.act",
    };
    const std::vector<std::string> words = {"a", "b", "ab", "a*", "b*", "*"};
    std::mt19937 random(7);
    const auto word = [&] { return words[random() % words.size()]; };
    std::size_t needless = 0;
    for (int turn = 0; turn < 600; ++turn) {
        const char* effects[] = {kAllow, kNotDenied, kBoth, kFirst};
        const std::string model =
            ModelWith(matchers[random() % matchers.size()], effects[turn % 4], kWithEffect);
        const char* kinds[] = {"allow", "deny", "allow", "-"};
        std::vector<std::string> rules;
        std::string links;
        for (int i = 0; i < 6; ++i) {
            rules.push_back(word() + " " + word() + " " + word() + " " + kinds[random() % 4]);
        }
        for (int i = 0; i < 3; ++i) links += "g, " + word() + ", " + word() + "\n";
        const auto csv = [&] {
            std::string text = links;
            for (std::string rule : rules) {
                for (std::size_t at; (at = rule.find(' ')) != rule.npos;) rule[at] = ',';
                text += "p," + rule + "\n";
            }
            return text;
        };
        const PolicySet before = MakeSet(model, csv());
        for (const Line& line : Needless(before)) needless += std::erase(rules, line.first);
        const PolicySet after = MakeSet(model, csv());
        if (rules.empty()) continue;
        for (const std::string& sub : words) {
            for (const std::string& obj : words) {
                for (const std::string& act : words) {
                    const TestRequest request(sub + " | " + obj + " | " + act);
                    ASSERT_EQ(before.Decide(request.Make()), after.Decide(request.Make()))
                        << model << csv() << sub << " " << obj << " " << act;
                }
            }
        }
    }
    EXPECT_GT(needless, 600);
}

}  // namespace
}  // namespace rampart::policy::test
