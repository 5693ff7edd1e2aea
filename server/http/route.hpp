// A route is one row of a table. From these rows come the router, the guard that asks the policy,
// validation, /openapi.json, /rbac/policies and the tests that walk every route.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace rampart::server::http {

class Exchange;

// What a handler answers. A body of null is none.
struct Reply {
    int status = 200;
    nlohmann::json body;
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string text = {};          // in place of a body
    std::string content_type = {};  // of the text
};
using Handler = std::function<Reply(Exchange&)>;

// What one has to be allowed to do, in the policy model "rampart". "own": to rows of one's own at
// least; row-level security then shows what more. "platform": roles of the platform.
struct Permission {
    std::string resource;
    std::string action;
    std::string whose;  // own, all or platform
};

enum class Access : std::uint8_t {
    kPublic,      // anybody
    kSelf,        // whoever is logged in, about themselves
    kPermission,  // whom the policy allows
};

enum class RateTier : std::uint8_t { kGeneral, kSignIn, kPasswordReset, kRefresh };

struct Route {
    std::string method;
    std::string path;  // "/teams/{id}/members"
    std::string name;  // operationId
    std::string summary;
    Access access = Access::kPermission;
    Permission permission = {};
    nlohmann::json query = nullptr;  // schemas
    nlohmann::json body = nullptr;
    int status = 200;
    nlohmann::json response = nullptr;
    std::vector<std::string> problems = {};  // codes beside those that its guards give
    RateTier rate = RateTier::kGeneral;
    bool idempotent = true;        // takes an Idempotency-Key, where it is not a GET
    bool no_api_keys = false;      // of persons only
    bool step_up = false;          // takes a proof of who is there that is minutes old
    bool while_enrolling = false;  // also for who has to enrol a second factor first
    // An answer takes this long at least, so that its time does not tell what was found.
    std::chrono::milliseconds least{0};
    Handler handler = {};
};

// A handler that passes path parameters, query and body on to rampart_auth.<function>, each
// property as the argument of its name, and answers with what that returns.
Handler CallFunction(std::string function);

// Of the platform's administrators, who are persons.
Route Administrative(const char* method, const char* path, const char* name, const char* summary,
                     const char* action);

// Refuses a table that could not be guarded: two routes alike, access by permission without one, a
// public route with one, an unknown problem code, a body without a closed schema. Throws
// std::logic_error, so that the server does not start.
void CheckRoutes(const std::vector<Route>& routes);

}  // namespace rampart::server::http
