// The cookies of a session. The prefix __Host- keeps other hosts of the domain from planting them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/route.hpp"

namespace rampart::server::auth {

inline constexpr std::string_view kAccessCookie = "__Host-rampart_access";
inline constexpr std::string_view kRefreshCookie = "__Host-rampart_refresh";
inline constexpr std::string_view kCsrfCookie =
    "__Host-rampart_csrf";  // for the application's pages to read

// Of HMAC-SHA256 over the session's id: what X-CSRF-Token has to say.
std::string CsrfToken(std::string_view session, std::string_view key);

void AddRefreshCookie(http::Reply& reply, const std::string& refresh, int refresh_days);
// For applications whose pages hold no token themselves.
void AddAccessCookies(http::Reply& reply, const std::string& access, const std::string& csrf,
                      int access_seconds, int refresh_days);
void RemoveSessionCookies(http::Reply& reply);

}  // namespace rampart::server::auth
