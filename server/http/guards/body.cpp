#include <charconv>

#include "http/guards/guards.hpp"
#include "http/json.hpp"
#include "http/problem.hpp"
#include "http/schema.hpp"
#include "utf8.hpp"

namespace rampart::server::http {
namespace {

// Values of a query are text; where the schema says integer, they are read as one.
nlohmann::json QueryValue(const std::string& text, const nlohmann::json& schema) {
    const nlohmann::json& type = schema.contains("type") ? schema["type"] : schema;
    if (type == "integer") {
        int number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error == std::errc() && end == text.data() + text.size()) return number;
    }
    return text;
}

nlohmann::json ReadQuery(const Exchange& exchange) {
    nlohmann::json query = nlohmann::json::object();
    const nlohmann::json none = nlohmann::json::object();
    const nlohmann::json& schema =
        exchange.route->query.is_null() ? none : exchange.route->query["properties"];
    for (const auto& [name, value] : exchange.request.params) {
        const auto plain = [](const std::string& text) {
            return EachCodePoint(text, [](char32_t c) { return c != 0; });
        };
        if (!plain(name) || !plain(value))
            throw Problem("malformed_request", "the query is not UTF-8");
        if (!schema.contains(name) || query.contains(name))
            throw Problem("validation_failed",
                          "the query has a parameter that is not known here, or one twice");
        query[name] = QueryValue(value, schema[name]);
    }
    return query;
}

nlohmann::json ReadBody(const Exchange& exchange, std::size_t most) {
    const std::string& text = exchange.request.body;
    if (text.size() > most) throw Problem("body_too_large");
    if (exchange.route->body.is_null()) {
        if (!text.empty()) throw Problem("malformed_request", "no body is taken here");
        return nlohmann::json::object();
    }
    const std::string type = exchange.Header("Content-Type");
    if (type != "application/json" && !type.starts_with("application/json;"))
        throw Problem("unsupported_media_type");
    auto body = ParseStrictly(text);
    if (!body) throw Problem("malformed_json");
    return std::move(*body);
}

void RequireValid(const nlohmann::json& value, const nlohmann::json& schema) {
    if (schema.is_null()) return;
    if (auto errors = Validate(value, schema); !errors.empty())
        throw Problem("validation_failed").WithErrors(std::move(errors));
}

}  // namespace

Guard Body(const HttpSettings& settings) {
    return [&settings](Exchange& exchange) {
        // The body first: the library counts the fields of a form as the query's.
        exchange.body = ReadBody(exchange, static_cast<std::size_t>(settings.max_body));
        exchange.query = ReadQuery(exchange);
        RequireValid(exchange.query, exchange.route->query);
        RequireValid(exchange.body, exchange.route->body);
    };
}

}  // namespace rampart::server::http
