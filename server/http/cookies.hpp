// Cookies (RFC 6265) as this server writes and reads them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rampart::server::http {

// The value of a cookie in a Cookie header. Nothing if it is not there, or there twice: then
// somebody planted one, and neither is believed.
std::optional<std::string> CookieValue(std::string_view header, std::string_view name);

// Set-Cookie with Secure, SameSite=Strict and Path=/, which the prefix __Host- demands. max_age in
// seconds; 0 removes the cookie.
std::string SetCookie(std::string_view name, std::string_view value, int max_age,
                      bool http_only = true);

}  // namespace rampart::server::http
