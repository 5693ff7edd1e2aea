// The bytes of the answers that the listener itself gives: problem+json (RFC 9457), and the way to
// HTTPS.
#pragma once

#include <string>
#include <string_view>

#include "http/request_head.hpp"

namespace rampart::server::http {

inline constexpr char kProblemType[] = "application/problem+json";

// For an answer that no guard gave an id.
std::string RandomTraceId();

// With 503 goes a Retry-After.
std::string RefusalResponse(const Refusal& refusal, const std::string& trace_id, bool keep_alive);

// 308 to the same target under `origin` ("https://name:port"), and the end of the connection.
std::string RedirectResponse(std::string_view origin, std::string_view target);

}  // namespace rampart::server::http
