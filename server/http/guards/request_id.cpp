#include <algorithm>
#include <cctype>

#include "auth/secrets.hpp"
#include "http/guards/guards.hpp"

namespace rampart::server::http {

Guard RequestId() {
    return [](Exchange& exchange) {
        const std::string given = exchange.Header("X-Request-Id");
        const bool sensible = given.size() >= 8 && given.size() <= 64 &&
                              std::all_of(given.begin(), given.end(), [](unsigned char c) {
                                  return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                              });
        exchange.request_id = sensible ? given : auth::NewId();
        exchange.response.set_header("X-Request-Id", exchange.request_id);
    };
}

}  // namespace rampart::server::http
