// What rampartd decides without a database: routes, JSON, schemas, networks, cookies.
#include <functional>

#include <gtest/gtest.h>

#include "http/cookies.hpp"
#include "http/json.hpp"
#include "http/network.hpp"
#include "http/route.hpp"
#include "http/router.hpp"
#include "http/schema.hpp"

namespace rampart::server::http {
namespace {

Route Good(const char* method, const char* path, const char* name) {
    Route route{method, path, name, "A route", Access::kPermission, {"document", "read", "own"}};
    route.status = 204;
    route.handler = [](Exchange&) { return Reply{204, nullptr}; };
    return route;
}

TEST(Routes, AreRefusedWhereTheyCouldNotBeGuarded) {
    const std::pair<const char*, std::function<void(Route&)>> faults[] = {
        {"no permission", [](Route& r) { r.permission = {}; }},
        {"no action", [](Route& r) { r.permission.action.clear(); }},
        {"nobody's rows", [](Route& r) { r.permission.whose = "everybody's"; }},
        {"a public route with a permission", [](Route& r) { r.access = Access::kPublic; }},
        {"no handler", [](Route& r) { r.handler = nullptr; }},
        {"an open body",
         [](Route& r) {
             r.body = {{"type", "object"}};
         }},
        {"a response without a schema", [](Route& r) { r.status = 200; }},
        {"an unknown problem", [](Route& r) { r.problems = {"no_such_problem"}; }},
    };
    EXPECT_NO_THROW(CheckRoutes({Good("GET", "/a", "a")}));
    for (const auto& [name, spoil] : faults) {
        Route route = Good("GET", "/a", "a");
        spoil(route);
        EXPECT_THROW(CheckRoutes({route}), std::logic_error) << name;
    }
    EXPECT_THROW(CheckRoutes({Good("GET", "/a", "a"), Good("GET", "/a", "b")}), std::logic_error);
    EXPECT_THROW(CheckRoutes({Good("GET", "/a", "a"), Good("GET", "/b", "a")}), std::logic_error);
}

TEST(Router, PrefersLiteralsAndNamesParameters) {
    const Router router({Good("GET", "/things/{id}", "one"), Good("GET", "/things/mine", "mine"),
                         Good("DELETE", "/things/{id}/parts/{number}", "part")});
    EXPECT_EQ(router.Find("GET", "/things/mine").route->name, "mine");
    EXPECT_EQ(router.Find("GET", "/things/7").path.at("id"), "7");
    const Router::Match part = router.Find("DELETE", "/things/7/parts/8");
    EXPECT_EQ(part.path, (std::map<std::string, std::string>{{"id", "7"}, {"number", "8"}}));
    EXPECT_EQ(router.Find("POST", "/things/7").allowed, "GET, HEAD");
    EXPECT_EQ(router.Find("HEAD", "/things/7").route, router.Find("GET", "/things/7").route);
    for (const char* path :
         {"", "/", "/things", "/things/", "/things//parts/8", "/things/7/", "things/7"}) {
        EXPECT_EQ(router.Find("GET", path).route, nullptr) << path;
        EXPECT_EQ(router.Find("GET", path).allowed, "") << path;
    }
}

TEST(Json, IsTakenStrictly) {
    for (const char* good : {"{}", "[]", "\"x\"", "1", "null", R"({"a": {"b": [1, "\u00e9"]}})"}) {
        EXPECT_TRUE(ParseStrictly(good)) << good;
    }
    const std::string deep(kMaxDepth, '[');
    EXPECT_TRUE(ParseStrictly(deep + std::string(kMaxDepth, ']')));
    EXPECT_FALSE(ParseStrictly("[" + deep + std::string(kMaxDepth + 1, ']')));
    for (const char* bad : {"", "{", "{} {}", R"({"a": 1, "a": 2})", R"({"a": {"b": 1, "b": 1}})",
                            R"(["\u0000"])", R"({"\u0000": 1})", "[\"\xff\"]", "[\"\xed\xa0\x80\"]",
                            "[1,]", "{a: 1}", "[NaN]", "// x\n1", R"(["\ud800"])"}) {
        EXPECT_FALSE(ParseStrictly(bad)) << bad;
    }
}

TEST(Schema, SaysWhatIsWrongByPointer) {
    const nlohmann::json schema = schema::Object({{"email", schema::Email()},
                                                  {"tags", schema::ListOf(schema::Text(3), 2)},
                                                  {"age", schema::Integer(0, 9)}},
                                                 {"tags", "age"});
    const auto faults = [&](const char* text) {
        std::string all;
        for (const FieldError& error : Validate(nlohmann::json::parse(text), schema))
            all += error.pointer + " " + error.detail + "; ";
        return all;
    };
    EXPECT_EQ(faults(R"({"email": "a@b.c"})"), "");
    EXPECT_EQ(faults("{}"), "/email is missing; ");
    EXPECT_EQ(faults(R"({"email": "a@b.c", "secret-name": 1})"),
              " has a property that is not known here; ");
    EXPECT_EQ(faults(R"({"email": "x", "age": 10})"), "/age is more than 9; /email is no email; ");
    EXPECT_EQ(faults(R"({"email": "a@b.c", "tags": ["ok", "long"]})"), "/tags/1 is too long; ");
    EXPECT_EQ(faults(R"({"email": "a@b.c", "tags": ["a", "a"]})"), "/tags has an item twice; ");
    EXPECT_EQ(faults(R"({"email": "a@b.c", "tags": ["a", "b", "c"]})"),
              "/tags has too many items; ");
    EXPECT_EQ(Validate(nlohmann::json::parse("[]"), schema).size(), 1U);
}

TEST(Schema, NamesAreOneLineInOneDirection) {
    for (const char* good : {"Ada", "Zoë O'Neil-Smith", "李小龍", "عمر", "a b"})
        EXPECT_TRUE(Validate(nlohmann::json(good), schema::Name(20)).empty()) << good;
    for (const char* bad : {"", "a\nb", "\t", "a\x7f", "\xc2\x85", "\xe2\x80\xa8",
                            "\xe2\x80\xae"
                            "gpj.exe",
                            "\xe2\x81\xa7x", "more than twenty letters"})
        EXPECT_EQ(Validate(nlohmann::json(bad), schema::Name(20)).size(), 1U) << bad;
}

std::size_t FaultsOf(const char* text) {
    return Validate(nlohmann::json(text), schema::DateTime()).size();
}

TEST(Schema, KnowsMomentsThatThereAre) {
    for (const char* moment : {"2035-01-02T03:04:05Z", "2036-02-29T23:59:59.123456+05:45",
                               "0001-01-01T00:00:00-12:00", "9999-12-31T00:00:00Z"}) {
        EXPECT_EQ(FaultsOf(moment), 0U) << moment;
    }
    for (const char* moment :
         {"2035-02-29T00:00:00Z", "2035-13-01T00:00:00Z", "2035-00-01T00:00:00Z",
          "2035-01-32T00:00:00Z", "2035-01-02T24:00:00Z", "2035-01-02T00:60:00Z",
          "2035-01-02T00:00:60Z", "0000-01-01T00:00:00Z", "2035-01-02T00:00:00",
          "2035-01-02T00:00:00.Z", "2035-01-02T00:00:00+15:00", "2035-01-02T00:00:00+01:60",
          "2035-01-02 00:00:00Z", "2035-01-02T00:00:00Zulu", "infinity", ""}) {
        EXPECT_EQ(FaultsOf(moment), 1U) << moment;
    }
}

TEST(Schema, KnowsAddresses) {
    for (const char* good : {"a@b.c", "first.last+tag@sub.example.com", "o'neil@example.ie"})
        EXPECT_TRUE(IsEmail(good)) << good;
    for (const char* bad : {"", "@b.c", "a@", "a@b", "a b@c.d", "a@b..c", "a@b.c\r\nBcc: x@y.z",
                            "a@b@c.d", "a\"@b.c", "\xc3\xa4@b.c"}) {
        EXPECT_FALSE(IsEmail(bad)) << bad;
    }
}

TEST(Network, ContainsAddresses) {
    const auto contains = [](const char* network, const char* address) {
        return Network::Parse(network)->Contains(address);
    };
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.100"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
    EXPECT_FALSE(contains("::/0", "garbage"));
    for (const char* bad :
         {"", "10.0.0.0/33", "10.0.0/8", "::/129", "1.2.3.4/-1", "1.2.3.4/x", "host"})
        EXPECT_FALSE(Network::Parse(bad)) << bad;
    EXPECT_EQ(NormalAddress("::FFFF:1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(NormalAddress("2001:DB8:0::1"), "2001:db8::1");
}

TEST(Cookies, AreReadOnce) {
    EXPECT_EQ(CookieValue("a=1; b=2", "b"), "2");
    EXPECT_EQ(CookieValue("b=", "b"), "");
    EXPECT_EQ(CookieValue("bb=1", "b"), std::nullopt);
    EXPECT_EQ(CookieValue("b=1; b=1", "b"), std::nullopt);
    EXPECT_EQ(CookieValue("", "b"), std::nullopt);
    EXPECT_EQ(CookieValue("b", "b"), std::nullopt);
}

}  // namespace
}  // namespace rampart::server::http
