#include "admin/routes.hpp"

#include "http/schema.hpp"

namespace rampart::server::admin {
namespace {

using http::Access;
using http::CallFunction;
using http::Route;
using namespace http::schema;
using nlohmann::json;

struct Change {
    const char* path;
    const char* name;
    const char* summary;
    const char* function;
};
constexpr Change kChanges[] = {
    {"/admin/users/{id}/approve", "approveUser", "Lets in who signed up and awaits approval",
     "approve_account"},
    {"/admin/users/{id}/reject", "rejectUser", "Turns down who awaits approval", "reject_account"},
    {"/admin/users/{id}/disable", "disableUser", "Shuts an account out and ends its sessions",
     "disable_account"},
    {"/admin/users/{id}/enable", "enableUser", "Lets a disabled account in again",
     "enable_account"},
};

json Status() { return OneOf({"unverified", "awaiting_approval", "active", "disabled"}); }

Route Administrative(const char* method, const char* path, const char* name, const char* summary,
                     const char* action, const char* function) {
    Route route = http::Administrative(method, path, name, summary, action);
    route.handler = CallFunction(function);
    return route;
}

}  // namespace

std::vector<Route> Routes() {
    std::vector<Route> routes;
    Route list = Administrative("GET", "/admin/users", "listUsers", "All accounts, by page", "read",
                                "list_accounts");
    list.query = Object({{"after", Uuid()}, {"status", Status()}, {"page", Integer(1, 200)}},
                        {"after", "status", "page"});
    list.response = Page(Object({{"id", Uuid()},
                                 {"email", Email()},
                                 {"name", Nullable(Name(100))},
                                 {"status", Status()},
                                 {"platform_role", Nullable(Text(20))},
                                 {"created_at", DateTime()},
                                 {"last_login_at", Nullable(DateTime())},
                                 {"locked", Boolean()}}),
                         true);
    routes.push_back(std::move(list));
    for (const Change& change : kChanges) {
        Route route = Administrative("POST", change.path, change.name, change.summary, "update",
                                     change.function);
        route.response = Object({{"id", Uuid()}, {"status", Status()}});
        route.problems = {"not_found", "conflict", "not_possible"};
        routes.push_back(std::move(route));
    }
    Route unlock = Administrative("POST", "/admin/users/{id}/unlock", "unlockUser",
                                  "Lets in who was locked out after failed logins", "update",
                                  "unlock_account");
    Route end = Administrative("DELETE", "/admin/users/{id}/sessions", "endUserSessions",
                               "Ends all sessions of an account", "update", "end_account_sessions");
    Route sessions = Administrative("GET", "/admin/users/{id}/sessions", "listUserSessions",
                                    "Sessions of an account", "read", "list_sessions_of");
    unlock.status = end.status = 204;
    unlock.problems = end.problems = sessions.problems = {"not_found"};
    sessions.response = Page({{"type", "object"}});
    routes.push_back(std::move(unlock));
    routes.push_back(std::move(end));
    routes.push_back(std::move(sessions));
    return routes;
}

}  // namespace rampart::server::admin
