#include "auth/sessions.hpp"

#include "auth/secrets.hpp"
#include "auth/session_cookies.hpp"
#include "http/cookies.hpp"
#include "http/problem.hpp"

namespace rampart::server::auth {
namespace {

// What counts of whom the request is from: the token's word, or the database's where that may have
// changed, where another organisation was asked for, and for API keys.
nlohmann::json CurrentClaims(const Service& service, http::Exchange& exchange) {
    const auto& token = exchange.token;
    if (token && exchange.organisation == token->organisation &&
        !service.changed_sessions.MayHaveChanged(token->session)) {
        exchange.checked = true;
        return {{"sub", token->subject},
                {"org", token->organisation.empty() ? nlohmann::json()
                                                    : nlohmann::json(token->organisation)},
                {"roles", token->roles},
                {"sid", token->session}};
    }
    exchange.db().Begin();
    const nlohmann::json& claims = exchange.db().claims();
    if (claims["roles"] == nlohmann::json::array({http::kEnrolling}) &&
        !exchange.route->while_enrolling) {
        throw http::Problem("mfa_enrolment_required");
    }
    return claims;
}

std::string Joined(const nlohmann::json& list) {
    std::string text;
    for (const nlohmann::json& item : list)
        text += (text.empty() ? "" : ",") + item.get<std::string>();
    return text;
}

}  // namespace

http::Reply RefreshSession(const Service& service, http::Exchange& exchange) {
    const TokenSettings& settings = exchange.settings->tokens;
    const bool in_body = exchange.body.contains("refresh_token");
    const auto cookie = http::CookieValue(exchange.Header("Cookie"), kRefreshCookie);
    const std::string token =
        in_body ? exchange.body["refresh_token"].get<std::string>() : cookie.value_or("");
    if (token.size() < 20) throw http::Problem("session_ended");
    const std::string successor = SuccessorOf(token, AsBytes(service.rotation_key));
    const std::string jti = NewId();
    const nlohmann::json outcome = exchange.db().Finish(
        "renew_session", {{"token_hash", ByteView(HashOf(token))},
                          {"successor_hash", ByteView(HashOf(successor))},
                          {"jti", jti},
                          {"access_seconds", settings.access_seconds},
                          {"refresh_days", settings.refresh_days},
                          {"grace_seconds", settings.grace_seconds},
                          {"org", exchange.body.contains("organisation")
                                      ? db::Value::OfJson(exchange.body["organisation"])
                                      : db::Value()}});
    if (outcome["outcome"] != "ok") throw http::Problem("session_ended");
    const bool cookies = http::CookieValue(exchange.Header("Cookie"), kCsrfCookie).has_value();
    http::Reply reply = SessionReply(service, exchange, outcome["claims"], jti, successor, cookies);
    // A program that holds its token itself gets the next one the same way.
    if (in_body) reply.body["refresh_token"] = successor;
    return reply;
}

http::Reply LogOut(http::Exchange& exchange) {
    exchange.db().Finish("log_out");
    http::Reply reply{204, nullptr};
    RemoveSessionCookies(reply);
    return reply;
}

http::Reply WhoAmI(const Service& service, http::Exchange& exchange) {
    const nlohmann::json claims = CurrentClaims(service, exchange);
    nlohmann::json body = {
        {"id", claims["sub"]}, {"organisation", claims["org"]}, {"roles", claims["roles"]}};
    if (claims.contains("sid")) body["session"] = claims["sid"];
    if (claims.contains("scopes")) body["scopes"] = claims["scopes"];
    return {200, std::move(body)};
}

http::Reply VerifyForProxy(const Service& service, http::Exchange& exchange) {
    const bool asks = exchange.query.contains("resource") || exchange.query.contains("action");
    nlohmann::json claims;
    if (asks) {
        if (!exchange.query.contains("resource") || !exchange.query.contains("action")) {
            throw http::Problem("validation_failed", "resource and action go together");
        }
        const nlohmann::json answer = exchange.db().Finish(
            "check_permission", {{"resource", db::Value::OfJson(exchange.query["resource"])},
                                 {"action", db::Value::OfJson(exchange.query["action"])}});
        if (!answer["allowed_own"].get<bool>()) throw http::Problem("forbidden");
        claims = exchange.db().claims();
    } else {
        claims = CurrentClaims(service, exchange);
    }
    if (!exchange.organisation.empty() && !claims["org"].is_string()) {
        throw http::Problem("tenant_forbidden");
    }
    http::Reply reply{200, nlohmann::json::object()};
    reply.headers = {{"X-Auth-Subject", claims["sub"].get<std::string>()},
                     {"X-Auth-Roles", Joined(claims["roles"])}};
    if (claims["org"].is_string())
        reply.headers.emplace_back("X-Auth-Organisation", claims["org"].get<std::string>());
    if (claims.contains("scopes"))
        reply.headers.emplace_back("X-Auth-Scopes", Joined(claims["scopes"]));
    return reply;
}

}  // namespace rampart::server::auth
