#include "auth/mfa/admin_routes.hpp"

#include "http/schema.hpp"

namespace rampart::server::mfa {
namespace {

using http::Access;
using http::CallFunction;
using http::Route;
using namespace http::schema;
using nlohmann::json;

Route Administrative(const char* method, const char* path, const char* name, const char* summary,
                     const char* action, const char* function) {
    Route route = http::Administrative(method, path, name, summary, action);
    route.handler = CallFunction(function);
    if (std::string_view(method) != "GET") route.problems = {"step_up_required"};
    return route;
}

json Requirements() { return Page(Object({{"role", Text(20)}, {"grace_days", Integer(0, 90)}})); }

json Counted(const char* by, json key, const char* counted) {
    return {{"type", "array"},
            {"items", Object({{by, std::move(key)},
                              {"accounts", Integer(0, 1 << 30)},
                              {counted, Integer(0, 1 << 30)}},
                             {"accounts", counted})}};
}

}  // namespace

std::vector<Route> AdminRoutes() {
    Route disable = Administrative("POST", "/admin/users/{id}/mfa/disable", "disableUserMfa",
                                   "Turns somebody's second factor off, with a reason", "update",
                                   "disable_mfa");
    disable.body = Object({{"reason", Text(500)}});
    disable.status = 204;
    disable.problems = {"step_up_required", "not_found", "not_possible"};

    Route reset = Administrative("POST", "/admin/users/{id}/mfa/grace", "resetGrace",
                                 "Begins somebody's grace period anew", "update", "reset_grace");
    reset.response = Object({{"grace_ends_at", DateTime()}});
    reset.problems = {"step_up_required", "not_found", "not_possible"};

    Route grace = Administrative("GET", "/admin/mfa/grace", "listGrace",
                                 "Who needs a second factor and has none", "read", "list_grace");
    grace.response = Page(Object({{"account", Uuid()},
                                  {"email", Email()},
                                  {"since", DateTime()},
                                  {"ends_at", DateTime()},
                                  {"ended", Boolean()}}));

    Route list = Administrative("GET", "/admin/mfa/requirements", "listRequirements",
                                "Roles that demand a second factor", "read", "list_requirements");
    list.response = Requirements();

    Route require = Administrative("PUT", "/admin/mfa/requirements", "requireMfa",
                                   "Makes a second factor mandatory for a role, or no longer",
                                   "update", "require_mfa");
    require.body = Object({{"role", OneOf({"SUPER_ADMIN", "OWNER", "ADMIN", "MEMBER", "VIEWER"})},
                           {"grace_days", Nullable(Integer(0, 90))}});
    require.response = Requirements();

    Route metrics = Administrative("GET", "/admin/mfa/metrics", "mfaMetrics",
                                   "How many accounts have a second factor", "read", "mfa_metrics");
    metrics.response = Object({{"accounts", Integer(0, 1 << 30)},
                               {"enrolled", Integer(0, 1 << 30)},
                               {"in_grace", Integer(0, 1 << 30)},
                               {"overdue", Integer(0, 1 << 30)},
                               {"by_role", Counted("role", Text(20), "enrolled")},
                               {"by_organisation", Counted("organisation", Uuid(), "enrolled")},
                               {"by_method", Counted("method", Text(20), "enrolled")},
                               {"by_week", Counted("week", Text(10), "enrolments")}});
    return {disable, reset, grace, list, require, metrics};
}

}  // namespace rampart::server::mfa
