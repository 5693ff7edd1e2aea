// The links of the chain that every request passes, in this order. A guard fills in what it finds
// out about the request, or refuses it by throwing a Problem. What the policy says is not among
// them: the request's transaction begins with it (db/transaction.hpp).
#pragma once

#include <functional>

#include "auth/tokens/token_reader.hpp"
#include "config/settings.hpp"
#include "http/exchange.hpp"
#include "http/rate_limiter.hpp"
#include "http/router.hpp"

namespace rampart::server::http {

using Guard = std::function<void(Exchange&)>;

// X-Request-Id where the client sent a sensible one, or else a new one; it stands in each log line,
// error and audit entry of the request.
Guard RequestId();

// The client's address: the connection's, or what trusted proxies say, read from the right. Refuses
// by the lists of networks.
Guard ClientAddress(const HttpSettings& settings);

// Security headers, and CORS for the origins that are allowed; answers preflights.
Guard Headers(const HttpSettings& settings);

// Which route it is, and that the path is written plainly.
Guard RouteLookup(const Router& router);

// Bearer token, API key or cookie, where the route is not public. Two at once are refused.
Guard Authentication(const auth::TokenReader& tokens);

// The tiers that the route and the caller are of.
Guard RateLimit(RateLimiter& limiter);

// That an unsafe request by cookie comes from the application: its origin, and a token that only
// the application's pages can read.
Guard Csrf(const HttpSettings& settings, const std::string& public_url,
           std::function<std::string(const std::string& session)> token_of);

// Query and body, by the route's schemas.
Guard Body(const HttpSettings& settings);

// That an Idempotency-Key is one. The transaction then claims it (PrepareIdempotency).
Guard Idempotency();
void PrepareIdempotency(Exchange& exchange);

}  // namespace rampart::server::http
