#include "orgs/routes.hpp"

#include "auth/secrets.hpp"
#include "auth/service.hpp"
#include "http/exchange.hpp"
#include "http/schema.hpp"

namespace rampart::server::orgs {
namespace {

using http::Access;
using http::CallFunction;
using http::Route;
using namespace http::schema;
using nlohmann::json;

json Role() { return OneOf({"OWNER", "ADMIN", "MEMBER", "VIEWER"}); }
json TeamRole() { return OneOf({"ADMIN", "MEMBER", "VIEWER"}); }

http::Reply Invite(http::Exchange& exchange) {
    const std::string token = auth::NewToken();
    const json created = exchange.db().Finish(
        "create_invitation", {{"email", auth::NormalEmail(exchange.body["email"])},
                              {"role", db::Value::OfJson(exchange.body["role"])},
                              {"token_hash", ByteView(auth::HashOf(token))},
                              {"link", auth::LinkTo(*exchange.settings, "invitation", token)},
                              {"hours", exchange.settings->signup.invitation_hours}});
    return {201, created};
}

http::Reply Accept(http::Exchange& exchange) {
    const std::string& token = exchange.body["token"].get_ref<const std::string&>();
    return {
        200,
        exchange.db().Finish("accept_invitation", {{"token_hash", ByteView(auth::HashOf(token))}}),
        {},
        {},
        {}};
}

Route Permitted(const char* method, const char* path, const char* name, const char* summary,
                http::Permission permission, json body, int status, json response,
                std::vector<std::string> problems, http::Handler handler) {
    Route route{method, path, name, summary, Access::kPermission, std::move(permission)};
    route.body = std::move(body);
    route.status = status;
    route.response = std::move(response);
    route.problems = std::move(problems);
    route.handler = std::move(handler);
    return route;
}

std::vector<Route> Organisations() {
    const json organisation =
        Object({{"id", Uuid()}, {"name", Name(100)}, {"created_at", DateTime()}, {"role", Role()}},
               {"role"});
    const json named = Object({{"name", Name(100)}});
    Route create{"POST", "/organisations", "createOrganisation",
                 "Makes an organisation that one owns", Access::kSelf};
    create.body = named;
    create.status = 201;
    create.response = organisation;
    create.no_api_keys = true;
    create.handler = CallFunction("create_organisation");
    return {
        create,
        Permitted("GET", "/organisations/{organisation}", "getOrganisation", "An organisation",
                  {"organisation", "read", "own"}, nullptr, 200, organisation, {},
                  CallFunction("get_organisation")),
        Permitted("PATCH", "/organisations/{organisation}", "renameOrganisation",
                  "Renames an organisation", {"settings", "update", "all"}, named, 200,
                  organisation, {}, CallFunction("rename_organisation")),
        Permitted("DELETE", "/organisations/{organisation}", "deleteOrganisation",
                  "Closes an organisation", {"settings", "delete", "all"}, nullptr, 204, nullptr,
                  {}, CallFunction("delete_organisation")),
    };
}

std::vector<Route> Members() {
    const json member = Object({{"account_id", Uuid()},
                                {"email", Email()},
                                {"name", Nullable(Name(100))},
                                {"role", Role()},
                                {"since", DateTime()},
                                {"effective_roles", ListOf(Text(20), 10)}});
    const json invitation =
        Object({{"id", Uuid()}, {"email", Email()}, {"role", Role()}, {"expires_at", DateTime()}});
    Route accept{"POST", "/invitations/accept", "acceptInvitation",
                 "Joins an organisation by an invitation to one's own address", Access::kSelf};
    accept.body = Object({{"token", Token()}});
    accept.response = Object({{"organisation", Uuid()}, {"role", Role()}});
    accept.problems = {"token_invalid"};
    accept.no_api_keys = true;
    accept.handler = Accept;
    return {
        Permitted("GET", "/organisations/{organisation}/members", "listMembers",
                  "Members, as far as one may see them", {"member", "read", "own"}, nullptr, 200,
                  Page(member), {}, CallFunction("list_members")),
        Permitted("PATCH", "/organisations/{organisation}/members/{account_id}", "changeRole",
                  "Gives a member another role", {"users", "update", "all"},
                  Object({{"role", Role()}}), 200,
                  Object({{"account_id", Uuid()}, {"role", Role()}}), {"not_found", "not_possible"},
                  CallFunction("change_role")),
        Permitted("DELETE", "/organisations/{organisation}/members/{account_id}", "removeMember",
                  "Removes a member", {"users", "delete", "all"}, nullptr, 204, nullptr,
                  {"not_found", "not_possible"}, CallFunction("remove_member")),
        Permitted("GET", "/organisations/{organisation}/invitations", "listInvitations",
                  "Open invitations", {"users", "read", "all"}, nullptr, 200, Page(invitation), {},
                  CallFunction("list_invitations")),
        Permitted("POST", "/organisations/{organisation}/invitations", "invite",
                  "Invites an address, by mail", {"users", "create", "all"},
                  Object({{"email", Email()}, {"role", TeamRole()}}), 201, invitation,
                  {"conflict", "not_possible"}, Invite),
        Permitted("DELETE", "/organisations/{organisation}/invitations/{id}", "revokeInvitation",
                  "Withdraws an invitation", {"users", "delete", "all"}, nullptr, 204, nullptr,
                  {"not_found"}, CallFunction("revoke_invitation")),
        accept,
    };
}

std::vector<Route> Teams() {
    const json team = Object({{"id", Uuid()},
                              {"name", Name(100)},
                              {"role", Nullable(TeamRole())},
                              {"created_at", DateTime()}});
    return {
        Permitted("GET", "/organisations/{organisation}/teams", "listTeams", "Teams",
                  {"team", "read", "own"}, nullptr, 200, Page(team), {},
                  CallFunction("list_teams")),
        Permitted("POST", "/organisations/{organisation}/teams", "createTeam",
                  "Makes a team, whose role adds to its members'", {"users", "create", "all"},
                  Object({{"name", Name(100)}, {"role", TeamRole()}}, {"role"}), 201, team,
                  {"conflict"}, CallFunction("create_team")),
        Permitted("PATCH", "/organisations/{organisation}/teams/{id}", "changeTeam",
                  "Changes a team", {"users", "update", "all"},
                  Object({{"name", Name(100)}, {"role", TeamRole()}}, {"name", "role"}), 200, team,
                  {"not_found", "conflict"}, CallFunction("change_team")),
        Permitted("DELETE", "/organisations/{organisation}/teams/{id}", "deleteTeam",
                  "Deletes a team", {"users", "delete", "all"}, nullptr, 204, nullptr,
                  {"not_found"}, CallFunction("delete_team")),
        Permitted("GET", "/organisations/{organisation}/teams/{id}/members", "listTeamMembers",
                  "Who is in a team", {"member", "read", "own"}, nullptr, 200,
                  Page(Object({{"account_id", Uuid()}})), {}, CallFunction("list_team_members")),
        Permitted("PUT", "/organisations/{organisation}/teams/{id}/members/{account_id}",
                  "addTeamMember", "Puts a member into a team", {"users", "update", "all"}, nullptr,
                  204, nullptr, {"not_found"}, CallFunction("add_team_member")),
        Permitted("DELETE", "/organisations/{organisation}/teams/{id}/members/{account_id}",
                  "removeTeamMember", "Takes a member out of a team", {"users", "update", "all"},
                  nullptr, 204, nullptr, {"not_found"}, CallFunction("remove_team_member")),
    };
}

}  // namespace

std::vector<Route> Routes() {
    std::vector<Route> routes = Organisations();
    for (const std::vector<Route>& group : {Members(), Teams()})
        routes.insert(routes.end(), group.begin(), group.end());
    return routes;
}

}  // namespace rampart::server::orgs
