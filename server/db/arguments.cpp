#include "db/arguments.hpp"

namespace rampart::server::db {
namespace {

std::string ArrayOf(const std::vector<std::string>& items) {
    std::string text = "{";
    for (const std::string& item : items) {
        if (text.size() > 1) text += ',';
        text += '"';
        for (const char c : item) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
        }
        text += '"';
    }
    return text + "}";
}

}  // namespace

Value::Value(ByteView bytes) : text_("\\x" + HexOf(bytes)) {}

Value::Value(const std::vector<std::string>& items) : text_(ArrayOf(items)) {}

Value Value::OfJson(const nlohmann::json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return {value.get_ref<const std::string&>()};
    if (!value.is_array()) return {value.dump()};
    std::vector<std::string> items;
    for (const nlohmann::json& item : value) {
        items.push_back(item.is_string() ? item.get<std::string>() : item.dump());
    }
    return {items};
}

std::string CallOf(std::string_view function, const Arguments& arguments) {
    std::string sql = "SELECT rampart_auth." + std::string(function) + "(";
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (i > 0) sql += ", ";
        sql += std::string(arguments[i].name) + " => $" + std::to_string(i + 1);
    }
    return sql + ")";
}

}  // namespace rampart::server::db
