#include "http/cookies.hpp"

namespace rampart::server::http {

std::optional<std::string> CookieValue(std::string_view header, std::string_view name) {
    std::optional<std::string> found;
    while (!header.empty()) {
        const std::size_t end = header.find(';');
        std::string_view pair = header.substr(0, end);
        header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
        while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
        while (!pair.empty() && pair.back() == ' ') pair.remove_suffix(1);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
        if (found) return std::nullopt;
        found.emplace(pair.substr(equals + 1));
    }
    return found;
}

std::string SetCookie(std::string_view name, std::string_view value, int max_age, bool http_only) {
    return std::string(name) + "=" + std::string(value) +
           "; Path=/; Secure; SameSite=Strict; Max-Age=" + std::to_string(max_age) +
           (http_only ? "; HttpOnly" : "");
}

}  // namespace rampart::server::http
