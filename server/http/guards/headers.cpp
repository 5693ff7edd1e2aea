#include <algorithm>

#include "http/guards/guards.hpp"

namespace rampart::server::http {
namespace {

// The API serves no pages: nothing may be loaded from it, embed it or guess what it is.
constexpr std::pair<const char*, const char*> kAlways[] = {
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-site"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
};

}  // namespace

Guard Headers(const HttpSettings& settings) {
    return [&settings](Exchange& exchange) {
        for (const auto& [name, value] : kAlways) exchange.response.set_header(name, value);
        if (!settings.plain) {
            exchange.response.set_header("Strict-Transport-Security",
                                         "max-age=63072000; includeSubDomains; preload");
        }
        const std::string origin = exchange.Header("Origin");
        if (origin.empty()) return;
        exchange.response.set_header("Vary", "Origin");
        const auto& allowed = settings.allowed_origins;
        if (std::find(allowed.begin(), allowed.end(), origin) == allowed.end()) return;
        exchange.response.set_header("Access-Control-Allow-Origin", origin);
        exchange.response.set_header("Access-Control-Allow-Credentials", "true");
        exchange.response.set_header(
            "Access-Control-Expose-Headers",
            "X-Request-Id, RateLimit-Remaining, X-RateLimit-Remaining, Retry-After");
        if (exchange.request.method != "OPTIONS") return;
        exchange.response.set_header("Access-Control-Allow-Methods",
                                     "GET, POST, PUT, PATCH, DELETE");
        exchange.response.set_header("Access-Control-Allow-Headers",
                                     "Authorization, Content-Type, Idempotency-Key, X-API-Key, "
                                     "X-CSRF-Token, X-Request-Id, X-Tenant-Id");
        exchange.response.set_header("Access-Control-Max-Age", "86400");
        exchange.response.status = 204;
    };
}

}  // namespace rampart::server::http
