#include <algorithm>
#include <cctype>

#include "http/guards/guards.hpp"
#include "http/problem.hpp"
#include "http/schema.hpp"

namespace rampart::server::http {
namespace {

// No path of ours needs escapes, so that a proxy's rules and this router cannot read one in two
// ways.
bool IsPlain(std::string_view path) {
    return std::all_of(path.begin(), path.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '/' || c == '-' || c == '_' || c == '.';
    });
}

// What may stand in the place of a parameter; most are ids.
bool Fits(std::string_view name, std::string_view value) {
    if (name == "number") {
        return value.size() <= 18 && std::all_of(value.begin(), value.end(), [](unsigned char c) {
                   return std::isdigit(c) != 0;
               });
    }
    return name == "setting" ? IsSettingName(value) : IsUuid(value);
}

}  // namespace

Guard RouteLookup(const Router& router) {
    return [&router](Exchange& exchange) {
        std::string_view path = exchange.request.target;
        path = path.substr(0, path.find('?'));
        if (!IsPlain(path)) throw Problem("not_found");
        Router::Match match = router.Find(exchange.request.method, path);
        if (match.route == nullptr && !match.allowed.empty())
            throw Problem("method_not_allowed").Allow(match.allowed);
        if (match.route == nullptr) throw Problem("not_found");
        for (const auto& [name, value] : match.path) {
            if (!Fits(name, value)) throw Problem("not_found");
        }
        exchange.route = match.route;
        exchange.path = std::move(match.path);
    };
}

}  // namespace rampart::server::http
