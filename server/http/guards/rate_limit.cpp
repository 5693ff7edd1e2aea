#include <algorithm>

#include "auth/secrets.hpp"
#include "http/guards/guards.hpp"
#include "http/problem.hpp"

namespace rampart::server::http {
namespace {

void Apply(Exchange& exchange, RateLimiter& limiter, const std::string& who, const Rate& rate) {
    const RateLimiter::Outcome outcome = limiter.Take(who, rate);
    const std::string remaining = std::to_string(outcome.remaining);
    exchange.response.headers.erase("RateLimit-Limit");
    exchange.response.headers.erase("RateLimit-Remaining");
    exchange.response.headers.erase("RateLimit-Reset");
    exchange.response.headers.erase("X-RateLimit-Remaining");
    exchange.response.set_header("RateLimit-Limit", std::to_string(rate.requests));
    exchange.response.set_header("RateLimit-Remaining", remaining);
    exchange.response.set_header("RateLimit-Reset", std::to_string(outcome.reset));
    exchange.response.set_header("X-RateLimit-Remaining", remaining);
    if (!outcome.granted) throw Problem("rate_limited").RetryAfter(outcome.retry_after);
}

const Rate* RouteRate(const Exchange& exchange, const RateSettings& rates) {
    switch (exchange.route->rate) {
        case RateTier::kSignIn:
            return &rates.sign_in;
        case RateTier::kPasswordReset:
            return &rates.password_reset;
        case RateTier::kRefresh:
            return &rates.refresh;
        case RateTier::kGeneral:
            break;
    }
    return nullptr;
}

}  // namespace

Guard RateLimit(RateLimiter& limiter) {
    return [&limiter](Exchange& exchange) {
        const RateSettings& rates = exchange.settings->rates;
        if (exchange.credential == Credential::kNone) {
            Apply(exchange, limiter, "anonymous " + exchange.client_ip, rates.anonymous);
        } else if (exchange.credential == Credential::kApiKey) {
            Apply(exchange, limiter, "key " + exchange.api_key_hash, rates.authenticated);
        } else {
            const auto& roles = exchange.token->roles;
            const bool admin = std::find(roles.begin(), roles.end(), "SUPER_ADMIN") != roles.end();
            Apply(exchange, limiter, "session " + exchange.token->session,
                  admin ? rates.admin : rates.authenticated);
        }
        // The one that the token names: anybody can write another into a header, and would use up
        // its quota.
        if (exchange.token && !exchange.token->organisation.empty())
            Apply(exchange, limiter, "tenant " + exchange.token->organisation, rates.tenant);
        if (const Rate* rate = RouteRate(exchange, rates)) {
            Apply(exchange, limiter, exchange.route->name + " " + exchange.client_ip, *rate);
        }
    };
}

}  // namespace rampart::server::http
