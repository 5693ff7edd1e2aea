// Arguments of a function call, by name: SELECT rampart_auth.f(name => $1, ...). Values go as
// parameters, never into the statement; names are of the source code, or of a route's schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytes.hpp"

namespace rampart::server::db {

// A value as PostgreSQL reads it from text; nothing: NULL.
class Value {
  public:
    Value() = default;
    Value(std::string text) : text_(std::move(text)) {}
    Value(const char* text) : text_(text) {}
    Value(std::string_view text) : text_(text) {}
    Value(int number) : text_(std::to_string(number)) {}
    Value(bool flag) : text_(flag ? "true" : "false") {}
    Value(ByteView bytes);
    Value(const std::vector<std::string>& items);
    Value(const std::optional<std::string>& text) : text_(text) {}
    // Scalars as they are, arrays of strings as PostgreSQL's, objects as JSON.
    static Value OfJson(const nlohmann::json& value);

    const std::optional<std::string>& text() const { return text_; }

  private:
    std::optional<std::string> text_;
};

struct Argument {
    std::string_view name;
    Value value;
};
using Arguments = std::vector<Argument>;

// "SELECT rampart_auth.function(a => $1, b => $2)"
std::string CallOf(std::string_view function, const Arguments& arguments);

}  // namespace rampart::server::db
