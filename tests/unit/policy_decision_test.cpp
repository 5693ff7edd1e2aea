// Decisions by models of every kind.
#include <gtest/gtest.h>

#include "policy_cases.hpp"

namespace rampart::policy::test {
namespace {

constexpr char kEquality[] = "r.sub == p.sub && r.obj == p.obj && r.act == p.act";
constexpr char kRoles[] = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act";
constexpr char kAllowAndDeny[] = "some(where (p.eft == allow)) && !some(where (p.eft == deny))";

TEST(PolicyDecision, AccessControlList) {
    const PolicySet set = MakeSet(ModelWith(kEquality), R"(
        p, ada, ledger, read
        p, ada, ledger, write
        p, bob, ledger, read
        p, "eve, jr.", ledger, read
    )");
    ExpectAnswers(set, {"+ ada | ledger | read", "+ ada | ledger | write", "+ bob | ledger | read",
                        "- bob | ledger | write", "- ada | archive | read", "- eve | ledger | read",
                        "+ eve, jr. | ledger | read", "- | ledger | read", "- ADA | ledger | read",
                        "- #1 | ledger | read", "! ada | ledger", "! ada | ledger | read | now"});
}

TEST(PolicyDecision, AdministratorBesideTheRules) {
    const std::string model = ModelWith(std::string(kEquality) + " || r.sub == 'root'");
    const PolicySet set = MakeSet(model, "p, ada, ledger, read\n");
    ExpectAnswers(set, {"+ root | anything | erase", "+ ada | ledger | read",
                        "- ada | ledger | erase", "- roots | ledger | read"});
    ExpectAnswers(MakeSet(model, ""), {"+ root | anything | erase", "- ada | ledger | read"});
}

TEST(PolicyDecision, RolesAndRolesOfRoles) {
    const PolicySet set = MakeSet(ModelWith(kRoles), R"(
        p, reader, ledger, read
        p, clerk, ledger, write
        p, ada, safe, open
        g, clerk, reader
        g, ada, clerk
        g, bob, reader
    )");
    ExpectAnswers(set, {"+ ada | ledger | read", "+ ada | ledger | write", "+ ada | safe | open",
                        "+ bob | ledger | read", "- bob | ledger | write", "- bob | safe | open",
                        "+ clerk | ledger | read", "+ reader | ledger | read",
                        "- reader | ledger | write", "- eve | ledger | read"});
}

TEST(PolicyDecision, RolesInDomains) {
    const PolicySet set = MakeSet(R"(
        [request_definition]
        r = sub, dom, obj, act
        [policy_definition]
        p = sub, dom, obj, act
        [role_definition]
        g = _, _, _
        [policy_effect]
        e = some(where (p.eft == allow))
        [matchers]
        m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act
    )",
                                  R"(
        p, admin, north, ledger, write
        p, admin, south, ledger, write
        p, guest, north, ledger, read
        g, ada, admin, north
        g, bob, admin, south
        g, admin, guest, north
    )");
    ExpectAnswers(set, {"+ ada | north | ledger | write", "- ada | south | ledger | write",
                        "+ bob | south | ledger | write", "- bob | north | ledger | write",
                        "+ ada | north | ledger | read", "- bob | south | ledger | read",
                        "- ada | west | ledger | write", "+ admin | south | ledger | write",
                        "! ada | ledger | write"});
}

TEST(PolicyDecision, DomainsThatArePatterns) {
    PolicyOptions options;
    options.roles["g"].domain_matching = Function::kKeyMatch;
    const PolicySet set = MakeSet(R"(
        [request_definition]
        r = sub, dom, obj, act
        [policy_definition]
        p = sub, dom, obj, act
        [role_definition]
        g = _, _, _
        [policy_effect]
        e = some(where (p.eft == allow))
        [matchers]
        m = g(r.sub, p.sub, r.dom) && keyMatch(r.dom, p.dom) && r.obj == p.obj && r.act == p.act
    )",
                                  R"(
        p, admin, eu*, ledger, write
        p, admin, us-east, ledger, write
        g, ada, admin, *
        g, bob, admin, eu-*
    )",
                                  options);
    ExpectAnswers(set, {"+ ada | eu-west | ledger | write", "+ ada | us-east | ledger | write",
                        "- ada | us-west | ledger | write", "+ bob | eu-west | ledger | write",
                        "- bob | us-east | ledger | write", "- eve | eu-west | ledger | write"});
}

TEST(PolicyDecision, RolesOfResources) {
    const PolicySet set = MakeSet(R"(
        [request_definition]
        r = sub, obj, act
        [policy_definition]
        p = sub, obj, act
        [role_definition]
        g = _, _
        g2 = _, _
        [policy_effect]
        e = some(where (p.eft == allow))
        [matchers]
        m = g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act
    )",
                                  R"(
        p, auditor, books, read
        p, ada, ledger, write
        g, bob, auditor
        g2, ledger, books
        g2, journal, books
    )");
    ExpectAnswers(set, {"+ bob | ledger | read", "+ bob | journal | read", "+ bob | books | read",
                        "- bob | safe | read", "- ada | journal | write", "+ ada | ledger | write",
                        "- auditor | ledger | write", "+ auditor | journal | read"});
}

TEST(PolicyDecision, NamesThatArePatterns) {
    PolicyOptions options;
    options.roles["g"].role_matching = Function::kKeyMatch2;
    const PolicySet set = MakeSet(ModelWith(kRoles), R"(
        p, staff, ledger, read
        p, /team/:name/lead, ledger, write
        g, /team/:name, staff
        g, ada, /team/north/lead
    )",
                                  options);
    ExpectAnswers(set, {"+ /team/north | ledger | read", "+ /team/south | ledger | read",
                        "- /team/north/x | ledger | read", "+ ada | ledger | write",
                        "+ /team/south/lead | ledger | write", "- eve | ledger | read"});
}

TEST(PolicyDecision, AttributesOfTheRequest) {
    const PolicySet set = MakeSet(
        ModelWith("r.sub.Id == r.obj.Owner || 'admin' in r.sub.Roles && r.act != 'erase'"), "");
    ExpectAnswers(set, {R"(+ {"Id": 7, "Roles": []} | {"Owner": 7} | erase)",
                        R"(- {"Id": 7, "Roles": []} | {"Owner": "7"} | erase)",
                        R"(+ {"Id": 8, "Roles": ["user", "admin"]} | {"Owner": 7} | read)",
                        R"(- {"Id": 8, "Roles": ["user", "admin"]} | {"Owner": 7} | erase)",
                        R"(- {"Id": 8, "Roles": ["user"]} | {"Owner": 7} | read)",
                        R"(! {"Id": 8} | {"Owner": 7} | read)", R"(! ada | {"Owner": 7} | read)",
                        R"(! {"Id": 8, "Roles": "admin"} | {"Owner": 7} | read)"});
}

TEST(PolicyDecision, ConditionsInRules) {
    constexpr char kRules[] = R"csv(
        p, "r.sub.Age >= 18 && r.sub.Country in ('CH', 'LI')", wine, buy
        p, r.sub.Vip, lounge, enter
        p, "r.sub.Age * 2 + 1 > 40 || r.sub.Name == 'ada'", vault, enter
        p, r.sub.Age <, cellar, enter
    )csv";
    const PolicySet set = MakeSet(ModelWith("eval(p.rule) && r.obj == p.obj && r.act == p.act",
                                            "some(where (p.eft == allow))", "rule, obj, act"),
                                  kRules);
    ExpectAnswers(
        set,
        {R"(+ {"Age": 18, "Country": "CH"} | wine | buy)",
         R"(- {"Age": 17, "Country": "CH"} | wine | buy)",
         R"(- {"Age": 18, "Country": "FR"} | wine | buy)", R"(+ {"Vip": true} | lounge | enter)",
         R"(- {"Vip": false} | lounge | enter)", R"(! {"Vip": "yes"} | lounge | enter)",
         R"(+ {"Age": 20, "Name": "bob"} | vault | enter)",
         R"(+ {"Age": 1, "Name": "ada"} | vault | enter)",
         R"(- {"Age": 19, "Name": "bob"} | vault | enter)", R"(! {"Age": 19} | vault | enter)",
         R"(! {"Age": 19} | cellar | enter)", R"(! {"Age": "18", "Country": "CH"} | wine | buy)",
         R"(- {"Age": 18} | water | buy)"});
    EXPECT_EQ(set.Problems().size(), 1U);
    ExpectAnswers(MakeSet(ModelWith("eval(p.sub)"), ""), {R"(! {"Age": 18} | wine | buy)"});
}

TEST(PolicyDecision, PathsAndMethods) {
    const PolicySet set = MakeSet(
        ModelWith("g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && regexMatch(r.act, p.act)"), R"(
        p, reader, /api/:org/books, ^(GET|HEAD)$
        p, writer, /api/:org/books/*, ^(GET|PUT|DELETE)$
        p, ada, /api/admin, GET
        g, bob, reader
        g, writer, reader
        g, cy, writer
    )");
    ExpectAnswers(
        set, {"+ bob | /api/north/books | GET", "+ bob | /api/north/books | HEAD",
              "- bob | /api/north/books | POST", "- bob | /api/north/books/1 | GET",
              "- bob | /api/a/b/books | GET", "+ cy | /api/north/books | GET",
              "+ cy | /api/north/books/1/pages | PUT", "- cy | /api/north/books/1 | PATCH",
              "+ ada | /api/admin | GET", "- ada | /api/admin/ | GET", "- bob | /api//books | GET",
              "+ ada | /api/admin | FORGET"});
}

TEST(PolicyDecision, AddressesGlobsAndTimes) {
    const PolicySet set = MakeSet(ModelWith("ipMatch(r.sub, p.sub) && globMatch(r.obj, p.obj) && "
                                            "timeMatch(p.act, '2027-01-01 00:00:00')"),
                                  R"(
        p, 10.1.0.0/16, /srv/*/log, _
        p, 2001:db8::/32, /srv/**/log, 2026-01-01 00:00:00
        p, 192.0.2.7, **, 2026-06-01 00:00:00
    )");
    ExpectAnswers(set, {"+ 10.1.2.3 | /srv/a/log | x", "- 10.2.2.3 | /srv/a/log | x",
                        "- 10.1.2.3 | /srv/a/b/log | x", "+ 2001:db8::1 | /srv/a/b/log | x",
                        "- 2001:db9::1 | /srv/a/log | x", "- 192.0.2.7 | anything | x",
                        "+ ::ffff:10.1.0.9 | /srv/a/log | x", "! ten | /srv/a/log | x"});
}

TEST(PolicyDecision, RolesForATime) {
    const PolicySet set = MakeSet(R"(
        [request_definition]
        r = sub, obj, act
        [policy_definition]
        p = sub, obj, act
        [role_definition]
        g = _, _, (_, _)
        [policy_effect]
        e = some(where (p.eft == allow))
        [matchers]
        m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
    )",
                                  R"(
        p, clerk, ledger, write
        g, always, clerk, _, _
        g, now, clerk, 2026-01-01 00:00:00, 2026-02-01 00:00:00
        g, past, clerk, _, 2026-01-15 11:59:59
        g, future, clerk, 2026-01-15 12:00:01, _
        g, starts, clerk, 2026-01-15 12:00:00, _
        g, twice, clerk, _, _
        g, twice, clerk, _, 2026-01-01 00:00:00
        g, through, past, _, _
    )");
    ExpectAnswers(
        set, {"+ always | ledger | write", "+ now | ledger | write", "- past | ledger | write",
              "- future | ledger | write", "- starts | ledger | write", "- twice | ledger | write",
              "- through | ledger | write", "+ clerk | ledger | write"});
}

TEST(PolicyDecision, AllowAndDeny) {
    const PolicySet set = MakeSet(ModelWith(kRoles, kAllowAndDeny, "sub, obj, act, eft"), R"(
        p, clerk, ledger, write, allow
        p, intern, ledger, write, deny
        p, ada, ledger, read, maybe
        g, ada, clerk
        g, bob, clerk
        g, bob, intern
    )");
    ExpectAnswers(set, {"+ ada | ledger | write", "- bob | ledger | write", "- ada | ledger | read",
                        "- eve | ledger | write", "- intern | ledger | write"});
}

TEST(PolicyDecision, AllowedUnlessDenied) {
    const PolicySet set =
        MakeSet(ModelWith(kEquality, "!some(where (p.eft == deny))", "sub, obj, act, eft"), R"(
        p, ada, ledger, write, deny
        p, bob, ledger, write, allow
    )");
    ExpectAnswers(set, {"- ada | ledger | write", "+ ada | ledger | read", "+ bob | ledger | write",
                        "+ eve | anything | at all"});
    ExpectAnswers(MakeSet(ModelWith(kEquality, "!some(where (p.eft == deny))"), ""),
                  {"+ eve | anything | at all"});
}

TEST(PolicyDecision, FirstRuleThatMatches) {
    const std::string model = ModelWith(kRoles, "priority(p.eft) || deny", "sub, obj, act, eft");
    const PolicySet set = MakeSet(model, R"(
        p, ada, ledger, write, allow
        p, clerk, ledger, write, deny
        p, bob, ledger, write, allow
        p, bob, ledger, read, unsure
        p, clerk, ledger, read, allow
        g, ada, clerk
        g, bob, clerk
    )");
    ExpectAnswers(set,
                  {"+ ada | ledger | write", "- bob | ledger | write", "- clerk | ledger | write",
                   "+ bob | ledger | read", "- eve | ledger | read"});
}

TEST(PolicyDecision, PrioritiesAsNumbers) {
    const PolicySet set =
        MakeSet(ModelWith(kRoles, "priority(p.eft) || deny", "priority, sub, obj, act, eft"),
                R"(
        p, 10, clerk, ledger, write, deny
        p, 9, ada, ledger, write, allow
        p, -1, bob, ledger, write, deny
        p, 0, bob, ledger, write, allow
        g, ada, clerk
        g, cy, clerk
    )");
    ExpectAnswers(set,
                  {"+ ada | ledger | write", "- cy | ledger | write", "- bob | ledger | write"});
    EXPECT_EQ(ErrorOf([&] {
                  MakeSet(
                      ModelWith(kRoles, "priority(p.eft) || deny", "priority, sub, obj, act, eft"),
                      "p, high, ada, ledger, write, allow\n");
              }),
              "RMP02 priority 'high' of a rule is no number");
}

TEST(PolicyDecision, TheDeeperSubjectDecides) {
    const std::string model =
        ModelWith(kRoles, "subjectPriority(p.eft) || deny", "sub, obj, act, eft");
    constexpr char kRules[] = R"(
        p, everybody, ledger, read, deny
        p, clerk, ledger, read, allow
        p, ada, ledger, read, deny
        g, clerk, everybody
        g, bob, clerk
        g, ada, clerk
        g, eve, everybody
    )";
    ExpectAnswers(MakeSet(model, kRules),
                  {"+ bob | ledger | read", "- ada | ledger | read", "- eve | ledger | read",
                   "+ clerk | ledger | read", "- everybody | ledger | read"});
    EXPECT_THROW(MakeSet(model, "p, a, x, y, allow\ng, a, b\ng, b, a\n"), Error);
}

TEST(PolicyDecision, SeveralDefinitions) {
    const PolicySet set = MakeSet(R"(
        [request_definition]
        r = sub, obj
        r2 = sub, age
        [policy_definition]
        p = sub, obj
        p2 = age, eft
        [policy_effect]
        e = some(where (p.eft == allow))
        e2 = !some(where (p.eft == deny))
        [matchers]
        m = r.sub == p.sub && r.obj == p.obj
        m2 = r2.age < 18 && p2.age == 'minor'
        m3 = r.sub == p2.age && r.obj == p.obj
    )",
                                  R"(
        p, ada, ledger
        p2, minor, deny
    )");
    ExpectAnswers(set, {"+ ada | ledger", "- bob | ledger"});
    ExpectAnswers(set, {"- ada | #17", "+ ada | #18", "! ada | old"}, "m2");
    EXPECT_EQ(ErrorOf([&] { (void)set.Decide(TestRequest("ada | ledger").Make("m3")); }),
              "RMP01 malformed model at line 14, column 42: 'p.obj' is of another definition than "
              "'p2'");
    EXPECT_EQ(ErrorOf([&] { (void)set.Decide(TestRequest("ada | ledger").Make("m4")); }),
              "RMP05 the model has no matcher 'm4'");
}

}  // namespace
}  // namespace rampart::policy::test
