#include <algorithm>

#include "http/guards/guards.hpp"
#include "http/problem.hpp"
#include "secret.hpp"

namespace rampart::server::http {

Guard Csrf(const HttpSettings& settings, const std::string& public_url,
           std::function<std::string(const std::string& session)> token_of) {
    return [&settings, public_url, token_of = std::move(token_of)](Exchange& exchange) {
        if (exchange.route->method == "GET") return;
        // A page of another origin, which a browser names for every request but simple GETs.
        const std::string origin = exchange.Header("Origin");
        const auto& allowed = settings.allowed_origins;
        const bool by_cookie =
            exchange.credential == Credential::kCookie || exchange.request.has_header("Cookie");
        if (by_cookie && !origin.empty() && origin != public_url &&
            std::find(allowed.begin(), allowed.end(), origin) == allowed.end()) {
            throw Problem("csrf_refused");
        }
        if (exchange.credential != Credential::kCookie) return;
        if (!ConstantTimeEqual(AsBytes(exchange.Header("X-CSRF-Token")),
                               AsBytes(token_of(exchange.token->session))))
            throw Problem("csrf_refused");
    };
}

}  // namespace rampart::server::http
