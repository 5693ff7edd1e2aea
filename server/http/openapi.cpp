#include "http/openapi.hpp"

#include <map>
#include <set>

#include "http/problem.hpp"
#include "http/schema.hpp"

namespace rampart::server::http {
namespace {

using nlohmann::json;

// What its guards may refuse a route with, beside what it names itself.
std::set<std::string> ProblemsOf(const Route& route) {
    std::set<std::string> codes(route.problems.begin(), route.problems.end());
    codes.insert({"malformed_request", "address_refused", "rate_limited", "validation_failed",
                  "internal_error", "unavailable"});
    if (route.path.find('{') != std::string::npos) codes.insert("not_found");
    if (!route.body.is_null())
        codes.insert({"malformed_json", "body_too_large", "unsupported_media_type"});
    if (route.access != Access::kPublic)
        codes.insert({"not_authenticated", "session_ended", "tenant_forbidden"});
    if (route.access == Access::kPermission) codes.insert({"forbidden", "tenant_required"});
    if (route.no_api_keys) codes.insert("forbidden");
    if (route.step_up) codes.insert("step_up_required");
    if (route.access != Access::kPublic && !route.while_enrolling)
        codes.insert("mfa_enrolment_required");
    if (route.access != Access::kPublic && route.method != "GET") codes.insert("csrf_refused");
    if (route.idempotent && route.method != "GET") codes.insert("idempotency_key_reused");
    return codes;
}

json Responses(const Route& route) {
    json responses;
    json success = {{"description", route.summary}};
    if (!route.response.is_null())
        success["content"]["application/json"]["schema"] = route.response;
    responses[std::to_string(route.status)] = std::move(success);
    std::map<int, std::vector<std::string>> by_status;
    const std::set<std::string> codes = ProblemsOf(route);
    for (const ProblemKind& kind : ProblemKinds()) {
        if (codes.contains(std::string(kind.code))) by_status[kind.status].emplace_back(kind.code);
    }
    for (const auto& [status, of_status] : by_status) {
        json schema = {{"allOf",
                        {{{"$ref", "#/components/schemas/Problem"}},
                         {{"properties", {{"code", {{"enum", of_status}}}}}}}}};
        std::string description;
        for (const std::string& code : of_status)
            description += (description.empty() ? "" : ", ") + code;
        responses[std::to_string(status)] = {
            {"description", description},
            {"content", {{"application/problem+json", {{"schema", std::move(schema)}}}}}};
    }
    return responses;
}

// As guards/route_lookup.cpp reads it.
json PathSchema(const std::string& name) {
    if (name == "number") return {{"type", "string"}, {"pattern", "^[0-9]{1,18}$"}};
    if (name == "setting") return {{"type", "string"}, {"pattern", "^[a-z_]+\\.[a-z_.]+$"}};
    return schema::Uuid();
}

json Parameters(const Route& route) {
    json parameters = json::array();
    for (std::size_t at = route.path.find('{'); at != std::string::npos;
         at = route.path.find('{', at + 1)) {
        const std::string name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
        parameters.push_back(
            {{"name", name}, {"in", "path"}, {"required", true}, {"schema", PathSchema(name)}});
    }
    if (!route.query.is_null()) {
        for (const auto& [name, schema] : route.query["properties"].items()) {
            parameters.push_back({{"name", name}, {"in", "query"}, {"schema", schema}});
        }
    }
    if (route.access != Access::kPublic && route.path.find("{organisation}") == std::string::npos) {
        parameters.push_back({{"$ref", "#/components/parameters/TenantId"}});
    }
    if (route.idempotent && route.method != "GET")
        parameters.push_back({{"$ref", "#/components/parameters/IdempotencyKey"}});
    return parameters;
}

json Operation(const Route& route) {
    json operation = {
        {"operationId", route.name}, {"summary", route.summary}, {"responses", Responses(route)}};
    if (json parameters = Parameters(route); !parameters.empty())
        operation["parameters"] = std::move(parameters);
    if (!route.body.is_null())
        operation["requestBody"] = {{"required", true},
                                    {"content", {{"application/json", {{"schema", route.body}}}}}};
    if (route.access == Access::kPublic) {
        operation["security"] = json::array();
    } else {
        operation["security"] = {{{"bearer", json::array()}}, {{"cookie", json::array()}}};
        if (!route.no_api_keys) operation["security"].push_back({{"apiKey", json::array()}});
    }
    if (route.access == Access::kPermission) {
        operation["x-permission"] = {{"resource", route.permission.resource},
                                     {"action", route.permission.action},
                                     {"whose", route.permission.whose}};
    }
    return operation;
}

json Components() {
    const json field_error =
        schema::Object({{"pointer", {{"type", "string"}}}, {"detail", {{"type", "string"}}}});
    return {
        {"schemas",
         {{"Problem",
           {{"type", "object"},
            {"description", "RFC 9457"},
            {"required", {"type", "title", "status", "code", "traceId"}},
            {"properties",
             {{"type", {{"type", "string"}}},
              {"title", {{"type", "string"}}},
              {"status", {{"type", "integer"}}},
              {"code", {{"type", "string"}}},
              {"detail", {{"type", "string"}}},
              {"traceId", {{"type", "string"}}},
              {"errors", {{"type", "array"}, {"items", field_error}}}}}}}}},
        {"parameters",
         {{"TenantId",
           {{"name", "X-Tenant-Id"},
            {"in", "header"},
            {"schema", schema::Uuid()},
            {"description", "The organisation to work in; the token's without it"}}},
          {"IdempotencyKey",
           {{"name", "Idempotency-Key"},
            {"in", "header"},
            {"schema", schema::Text(255)},
            {"description", "The same key again is answered with the same answer, for a day"}}}}},
        {"securitySchemes",
         {{"bearer", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
          {"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "__Host-rampart_access"}}},
          {"apiKey", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}}}};
}

}  // namespace

json OpenApi(const std::vector<Route>& routes, const std::string& url) {
    json document = {{"openapi", "3.1.0"},
                     {"info",
                      {{"title", "rampartd"},
                       {"version", "0.1.0"},
                       {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
                     {"servers", {{{"url", url}}}},
                     {"components", Components()}};
    for (const Route& route : routes) {
        std::string method = route.method;
        for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        document["paths"][route.path][method] = Operation(route);
    }
    return document;
}

}  // namespace rampart::server::http
