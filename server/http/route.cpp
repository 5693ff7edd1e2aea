#include "http/route.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "http/exchange.hpp"
#include "http/problem.hpp"

namespace rampart::server::http {

Handler CallFunction(std::string function) {
    return [function = std::move(function)](Exchange& exchange) {
        db::Arguments arguments;
        for (const auto& [name, value] : exchange.path) {
            // The organisation in a path is where the request works, not an argument.
            if (name != "organisation") arguments.push_back({name, db::Value(value)});
        }
        for (const nlohmann::json* part : {&exchange.query, &exchange.body}) {
            for (const auto& [name, value] : part->items())
                arguments.push_back({name, db::Value::OfJson(value)});
        }
        Reply reply{exchange.route->status, exchange.db().Finish(function, arguments)};
        if (reply.status == 204) reply.body = nullptr;
        return reply;
    };
}

Route Administrative(const char* method, const char* path, const char* name, const char* summary,
                     const char* action) {
    Route route{method, path, name, summary, Access::kPermission, {"platform", action, "platform"}};
    route.no_api_keys = true;
    return route;
}

namespace {

void Refuse(const Route& route, const char* reason) {
    throw std::logic_error("route " + route.method + " " + route.path + ": " + reason);
}

void Check(const Route& route) {
    const bool has_permission =
        !route.permission.resource.empty() && !route.permission.action.empty();
    constexpr std::string_view kWhose[] = {"own", "all", "platform"};
    if (!route.handler) Refuse(route, "has no handler");
    if (route.name.empty() || route.summary.empty()) Refuse(route, "has no name or summary");
    if ((route.access == Access::kPermission) != has_permission)
        Refuse(route, "is not in the policy registry as its access says");
    if (has_permission && std::find(std::begin(kWhose), std::end(kWhose), route.permission.whose) ==
                              std::end(kWhose)) {
        Refuse(route, "does not say whose rows");
    }
    for (const nlohmann::json* schema : {&route.body, &route.query}) {
        if (!schema->is_null() && schema->value("additionalProperties", true))
            Refuse(route, "takes properties that it does not name");
    }
    if ((route.status == 204) != route.response.is_null())
        Refuse(route, "has a response without a schema");
    for (const std::string& code : route.problems) {
        const auto kinds = ProblemKinds();
        if (std::none_of(kinds.begin(), kinds.end(),
                         [&](const ProblemKind& kind) { return kind.code == code; }))
            Refuse(route, "names a problem that is none");
    }
}

}  // namespace

void CheckRoutes(const std::vector<Route>& routes) {
    std::set<std::string> seen;
    std::set<std::string> names;
    for (const Route& route : routes) {
        Check(route);
        if (!seen.insert(route.method + " " + route.path).second) Refuse(route, "is there twice");
        if (!names.insert(route.name).second) Refuse(route, "has the name of another");
    }
}

}  // namespace rampart::server::http
