// The table of routes: what the server does not start with.
#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "http/exchange.hpp"
#include "http/route.hpp"
#include "http/schema.hpp"

namespace rampart::server::http {
namespace {

Route Good() {
    Route route{"PATCH", "/things/{id}", "changeThing", "Changes a thing"};
    route.permission = {"thing", "update", "own"};
    route.body = schema::Object({{"name", schema::Text(10)}});
    route.response = schema::Object({{"id", schema::Uuid()}});
    route.problems = {"conflict"};
    route.handler = [](Exchange&) { return Reply{}; };
    return route;
}

void ExpectRefused(const char* what, const std::function<void(Route&)>& change) {
    Route route = Good();
    change(route);
    EXPECT_THROW(CheckRoutes({route}), std::logic_error) << what;
}

TEST(RouteTable, TakesARouteThatIsGuarded) { EXPECT_NO_THROW(CheckRoutes({Good()})); }

TEST(RouteTable, RefusesARouteWithoutItsEntryInThePolicy) {
    ExpectRefused("no permission", [](Route& r) { r.permission = {}; });
    ExpectRefused("no resource", [](Route& r) { r.permission.resource.clear(); });
    ExpectRefused("no action", [](Route& r) { r.permission.action.clear(); });
    ExpectRefused("nobody's rows", [](Route& r) { r.permission.whose.clear(); });
    ExpectRefused("somebody's rows", [](Route& r) { r.permission.whose = "somebody"; });
    ExpectRefused("public, with a permission", [](Route& r) { r.access = Access::kPublic; });
    ExpectRefused("about oneself, with one", [](Route& r) { r.access = Access::kSelf; });
}

TEST(RouteTable, RefusesARouteThatCannotBeWalked) {
    ExpectRefused("no handler", [](Route& r) { r.handler = nullptr; });
    ExpectRefused("no name", [](Route& r) { r.name.clear(); });
    ExpectRefused("no summary", [](Route& r) { r.summary.clear(); });
    ExpectRefused("an open body", [](Route& r) { r.body.erase("additionalProperties"); });
    ExpectRefused("an open query", [](Route& r) { r.query = {{"type", "object"}}; });
    ExpectRefused("an answer of no shape", [](Route& r) { r.response = nullptr; });
    ExpectRefused("no answer, of a shape", [](Route& r) { r.status = 204; });
    ExpectRefused("a problem that is none", [](Route& r) { r.problems = {"no_such_code"}; });
}

TEST(RouteTable, RefusesTwoAlike) {
    Route other = Good();
    EXPECT_THROW(CheckRoutes({Good(), other}), std::logic_error);
    other.name = "changeIt";
    EXPECT_THROW(CheckRoutes({Good(), other}), std::logic_error) << "by method and path";
    other = Good();
    other.path = "/others/{id}";
    EXPECT_THROW(CheckRoutes({Good(), other}), std::logic_error) << "by name";
}

std::size_t Faults(const char* text) {
    return Validate(nlohmann::json(text), schema::DateTime()).size();
}

TEST(Schema, TakesMomentsThatThereAre) {
    for (const char* moment : {"2035-01-02T03:04:05Z", "2036-02-29T23:59:59.123456+05:45",
                               "0001-01-01T00:00:00-12:00", "9999-12-31T00:00:00Z"}) {
        EXPECT_EQ(Faults(moment), 0U) << moment;
    }
    for (const char* moment :
         {"2035-02-29T00:00:00Z", "2035-13-01T00:00:00Z", "2035-00-01T00:00:00Z",
          "2035-01-32T00:00:00Z", "2035-01-02T24:00:00Z", "2035-01-02T00:60:00Z",
          "2035-01-02T00:00:60Z", "0000-01-01T00:00:00Z", "2035-01-02T00:00:00",
          "2035-01-02T00:00:00.Z", "2035-01-02T00:00:00+15:00", "2035-01-02T00:00:00+01:60",
          "2035-01-02 00:00:00Z", "2035-01-02T00:00:00Zulu", "infinity", ""}) {
        EXPECT_EQ(Faults(moment), 1U) << moment;
    }
}

}  // namespace
}  // namespace rampart::server::http
