#include "auth/service.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>

#include "auth/password_policy.hpp"
#include "auth/session_cookies.hpp"
#include "http/problem.hpp"

namespace rampart::server::auth {
namespace {

// Seconds that an access token lasts: no longer than a grace period that its claims tell of.
int LifetimeOf(const nlohmann::json& claims, const TokenSettings& settings) {
    const std::int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count();
    const std::int64_t left = claims.value("until", INT64_MAX) - now;
    return static_cast<int>(std::clamp<std::int64_t>(left, 1, settings.access_seconds));
}

}  // namespace

http::Reply RenewedReply(const Service& service, const nlohmann::json& claims,
                         const std::string& jti, bool cookies) {
    const TokenSettings& settings = service.settings.tokens;
    const std::string access = service.tokens.Issue(claims, jti);
    const std::string csrf =
        CsrfToken(claims.at("sid").get_ref<const std::string&>(), service.csrf_key);
    const int lifetime = LifetimeOf(claims, settings);
    http::Reply reply{200,
                      {{"token_type", "Bearer"},
                       {"access_token", access},
                       {"expires_in", lifetime},
                       {"csrf_token", csrf}}};
    if (cookies) AddAccessCookies(reply, access, csrf, lifetime, settings.refresh_days);
    return reply;
}

http::Reply SessionReply(const Service& service, const nlohmann::json& claims,
                         const std::string& jti, const std::string& refresh, bool cookies) {
    http::Reply reply = RenewedReply(service, claims, jti, cookies);
    AddRefreshCookie(reply, refresh, service.settings.tokens.refresh_days);
    return reply;
}

std::string NormalEmail(const std::string& email) {
    std::string normal = email;
    std::transform(normal.begin(), normal.end(), normal.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return normal;
}

std::string LinkTo(const Settings& settings, const std::string& path, const std::string& token) {
    return settings.LinkUrl() + "/" + path + "?token=" + token;
}

void RequireGoodPassword(const Service& service, const std::string& password,
                         const std::string& email, const std::string& name, const char* pointer) {
    std::vector<http::FieldError> errors;
    for (std::string& fault : PasswordFaults(password, email, name, service.settings.password))
        errors.push_back({pointer, std::move(fault)});
    if (!errors.empty()) throw http::Problem("password_refused").WithErrors(std::move(errors));
}

}  // namespace rampart::server::auth
