#include "auth/service.hpp"

#include <algorithm>
#include <cctype>

#include "auth/password_policy.hpp"
#include "auth/session_cookies.hpp"
#include "http/problem.hpp"

namespace rampart::server::auth {
http::Reply RenewedReply(const Service& service, const http::Exchange& exchange,
                         const nlohmann::json& claims, const std::string& jti, bool cookies) {
    const AccessToken access = service.tokens.Issue(claims, jti);
    const std::string csrf =
        CsrfToken(claims.at("sid").get_ref<const std::string&>(), service.csrf_key);
    http::Reply reply{200,
                      {{"token_type", "Bearer"},
                       {"access_token", access.text},
                       {"expires_in", access.seconds},
                       {"csrf_token", csrf}}};
    if (cookies)
        AddAccessCookies(reply, access.text, csrf, access.seconds,
                         exchange.settings->tokens.refresh_days);
    return reply;
}

http::Reply SessionReply(const Service& service, const http::Exchange& exchange,
                         const nlohmann::json& claims, const std::string& jti,
                         const std::string& refresh, bool cookies) {
    http::Reply reply = RenewedReply(service, exchange, claims, jti, cookies);
    AddRefreshCookie(reply, refresh, exchange.settings->tokens.refresh_days);
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

void RequireGoodPassword(const http::Exchange& exchange, const std::string& password,
                         const std::string& email, const std::string& name, const char* pointer) {
    std::vector<http::FieldError> errors;
    for (std::string& fault : PasswordFaults(password, email, name, exchange.settings->password))
        errors.push_back({pointer, std::move(fault)});
    if (!errors.empty()) throw http::Problem("password_refused").WithErrors(std::move(errors));
}

}  // namespace rampart::server::auth
