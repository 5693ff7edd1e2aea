#include "rbac/routes.hpp"

#include "http/exchange.hpp"
#include "http/schema.hpp"

namespace rampart::server::rbac {
namespace {

using http::Access;
using http::CallFunction;
using http::Route;
using namespace http::schema;
using nlohmann::json;

json RouteMap(const std::vector<Route>& all) {
    json map = json::array();
    for (const Route& route : all) {
        json entry = {{"method", route.method},
                      {"path", route.path},
                      {"operation", route.name},
                      {"api_keys", !route.no_api_keys}};
        entry["access"] = route.access == Access::kPublic ? "public"
                          : route.access == Access::kSelf ? "self"
                                                          : "permission";
        if (route.access == Access::kPermission) {
            entry["permission"] = {{"resource", route.permission.resource},
                                   {"action", route.permission.action},
                                   {"whose", route.permission.whose}};
        }
        map.push_back(std::move(entry));
    }
    return map;
}

json RuleSchema() {
    return Object(
        {{"type", OneOf({"p", "g"})},
         {"rule", {{"type", "array"}, {"items", Text(200)}, {"minItems", 2}, {"maxItems", 8}}}});
}

}  // namespace

std::vector<Route> Routes(const std::vector<Route>& all) {
    std::vector<Route> routes = {
        {"GET",
         "/rbac/policies",
         "policyMap",
         "The whole policy: model, rules, version, hash, and the permission of each route",
         Access::kPermission,
         {"audit_log", "read", "all"}},
        {"POST",
         "/rbac/rules",
         "addRule",
         "Adds a rule, as of the next request everywhere",
         Access::kPermission,
         {"platform", "update", "platform"}},
        {"POST",
         "/rbac/rules/remove",
         "removeRule",
         "Removes a rule, as of the next request everywhere",
         Access::kPermission,
         {"platform", "update", "platform"}},
        {"POST", "/rbac/check", "checkPermission",
         "Whether one may do that: to all rows, to one's own", Access::kSelf},
        {"POST",
         "/rbac/explain",
         "explainDecision",
         "What a role is answered, and by which rule",
         Access::kPermission,
         {"audit_log", "read", "all"}},
    };
    for (Route& route : routes) route.no_api_keys = true;
    Route* r = routes.data();
    const json object = {{"type", "object"}};
    r[0].response = Object({{"models", {{"type", "array"}, {"items", object}}},
                            {"routes", {{"type", "array"}, {"items", object}}}});
    r[0].handler = [&all](http::Exchange& exchange) {
        json map = exchange.db().Finish("policy_map");
        map["routes"] = RouteMap(all);
        return http::Reply{200, std::move(map)};
    };
    r[1].body = r[2].body = RuleSchema();
    r[1].step_up = r[2].step_up = true;
    r[1].status = 200;
    r[1].response = Object({{"added", Boolean()}});
    r[1].problems = r[2].problems = {"not_possible"};
    r[1].handler = CallFunction("add_rule");
    r[2].response = Object({{"removed", Boolean()}});
    r[2].handler = CallFunction("remove_rule");
    r[3].body = Object({{"resource", Text(100)}, {"action", Text(100)}});
    r[3].response = Object({{"allowed", Boolean()}, {"allowed_own", Boolean()}});
    r[3].no_api_keys = false;
    r[3].handler = CallFunction("check_permission");
    r[4].body = Object({{"role", Text(100)},
                        {"resource", Text(100)},
                        {"action", Text(100)},
                        {"whose", OneOf({"own", "all"})}});
    r[4].response = object;
    r[4].handler = CallFunction("explain_decision");
    return routes;
}

}  // namespace rampart::server::rbac
