#include "http/schema.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <set>

#include "mail/address.hpp"
#include "utf8.hpp"

namespace rampart::server::http {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxErrors = 16;

// Digits as a number; the caller has seen that they are digits.
int Number(std::string_view digits) {
    int number = 0;
    for (const char digit : digits) number = number * 10 + (digit - '0');
    return number;
}

bool HasShape(std::string_view text, std::string_view shape) {
    return text.size() == shape.size() &&
           std::equal(text.begin(), text.end(), shape.begin(), [](unsigned char c, char s) {
               return s == 'd' ? std::isdigit(c) != 0 : c == static_cast<unsigned char>(s);
           });
}

bool IsOffset(std::string_view text) {
    if (text == "Z") return true;
    return (HasShape(text, "+dd:dd") || HasShape(text, "-dd:dd")) &&
           Number(text.substr(1, 2)) < 15 && Number(text.substr(4)) < 60;
}

// RFC 3339, and a day and a time that there are: the database would refuse others.
bool IsDateTime(std::string_view text) {
    constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
    if (text.size() > 40 || !HasShape(text.substr(0, kShape.size()), kShape)) return false;
    const std::chrono::year_month_day day{
        std::chrono::year(Number(text.substr(0, 4))),
        std::chrono::month(static_cast<unsigned>(Number(text.substr(5, 2)))),
        std::chrono::day(static_cast<unsigned>(Number(text.substr(8, 2))))};
    if (!day.ok() || day.year() < std::chrono::year(1)) return false;
    if (Number(text.substr(11, 2)) > 23 || Number(text.substr(14, 2)) > 59 ||
        Number(text.substr(17, 2)) > 59) {
        return false;
    }
    std::string_view rest = text.substr(kShape.size());
    if (rest.starts_with('.')) {
        const std::size_t end = rest.find_first_not_of("0123456789", 1);
        if (end == 1 || end == std::string_view::npos) return false;
        rest.remove_prefix(end);
    }
    return IsOffset(rest);
}

std::size_t Length(std::string_view text) {
    std::size_t length = 0;
    EachCodePoint(text, [&](char32_t) {
        ++length;
        return true;
    });
    return length;
}

// The one pattern there is. What a name must not do is to break a line of a log, or to turn around
// what is written beside it in a list.
constexpr char kOneLine[] = R"(^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$)";

bool IsOneLine(std::string_view text) {
    return EachCodePoint(text, [](char32_t c) {
        return c >= 0x20 && (c < 0x7f || c > 0x9f) && (c < 0x2028 || c > 0x202e) &&
               (c < 0x2066 || c > 0x2069);
    });
}

class Validator {
  public:
    std::vector<FieldError> Run(const json& value, const json& schema) {
        Check(value, schema, "");
        return std::move(errors_);
    }

  private:
    void Complain(const std::string& pointer, std::string detail) {
        if (errors_.size() < kMaxErrors) errors_.push_back({pointer, std::move(detail)});
    }

    static bool IsOf(const json& value, std::string_view type) {
        if (type == "object") return value.is_object();
        if (type == "array") return value.is_array();
        if (type == "string") return value.is_string();
        if (type == "integer") return value.is_number_integer();
        if (type == "number") return value.is_number();
        if (type == "boolean") return value.is_boolean();
        return type == "null" && value.is_null();
    }

    bool HasType(const json& value, const json& type) {
        if (type.is_string()) return IsOf(value, type.get_ref<const std::string&>());
        return std::any_of(type.begin(), type.end(), [&](const json& one) {
            return IsOf(value, one.get_ref<const std::string&>());
        });
    }

    void Check(const json& value, const json& schema, const std::string& pointer) {
        if (const auto type = schema.find("type"); type != schema.end() && !HasType(value, *type)) {
            return Complain(pointer,
                            "is of another type: " +
                                (type->is_string() ? type->get<std::string>() : type->dump()) +
                                " is taken");
        }
        if (const auto values = schema.find("enum");
            values != schema.end() &&
            std::find(values->begin(), values->end(), value) == values->end()) {
            return Complain(pointer, "is none of " + values->dump());
        }
        if (value.is_object()) CheckObject(value, schema, pointer);
        if (value.is_array()) CheckArray(value, schema, pointer);
        if (value.is_string()) CheckString(value.get_ref<const std::string&>(), schema, pointer);
        if (value.is_number()) {
            if (schema.contains("minimum") && value < schema["minimum"])
                Complain(pointer, "is less than " + schema["minimum"].dump());
            if (schema.contains("maximum") && value > schema["maximum"])
                Complain(pointer, "is more than " + schema["maximum"].dump());
        }
    }

    void CheckObject(const json& value, const json& schema, const std::string& pointer) {
        const json& properties = schema.contains("properties") ? schema["properties"] : kNone;
        for (const json& name : schema.contains("required") ? schema["required"] : kNone) {
            if (!value.contains(name.get_ref<const std::string&>()))
                Complain(pointer + "/" + name.get<std::string>(), "is missing");
        }
        for (const auto& [name, item] : value.items()) {
            // A name from outside is not repeated where nobody knows it.
            if (const auto known = properties.find(name); known != properties.end()) {
                Check(item, *known, pointer + "/" + name);
            } else if (schema.contains("additionalProperties")) {
                Complain(pointer, "has a property that is not known here");
            }
        }
    }

    void CheckArray(const json& value, const json& schema, const std::string& pointer) {
        if (schema.contains("minItems") && value.size() < schema["minItems"])
            Complain(pointer, "has too few items");
        if (schema.contains("maxItems") && value.size() > schema["maxItems"])
            return Complain(pointer, "has too many items");
        if (schema.contains("uniqueItems") &&
            std::set<json>(value.begin(), value.end()).size() != value.size()) {
            Complain(pointer, "has an item twice");
        }
        for (std::size_t i = 0; i < value.size() && schema.contains("items"); ++i) {
            Check(value[i], schema["items"], pointer + "/" + std::to_string(i));
        }
    }

    void CheckString(const std::string& value, const json& schema, const std::string& pointer) {
        const std::size_t length = Length(value);
        if (schema.contains("minLength") && length < schema["minLength"])
            Complain(pointer, "is too short");
        if (schema.contains("maxLength") && length > schema["maxLength"])
            Complain(pointer, "is too long");
        if (schema.contains("pattern") && !IsOneLine(value))
            Complain(pointer, "has a control character");
        if (const auto format = schema.find("format"); format != schema.end()) {
            const bool fits = *format == "email"   ? IsEmail(value)
                              : *format == "phone" ? IsPhone(value)
                              : *format == "uuid"  ? IsUuid(value)
                                                   : *format != "date-time" || IsDateTime(value);
            if (!fits) Complain(pointer, "is no " + format->get<std::string>());
        }
    }

    static inline const json kNone = json::object();
    std::vector<FieldError> errors_;
};

}  // namespace

std::vector<FieldError> Validate(const json& value, const json& schema) {
    return Validator().Run(value, schema);
}

bool IsUuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0)
            return false;
    }
    return true;
}

bool IsSettingName(std::string_view text) {
    const std::size_t dot = text.find('.');
    return text.size() <= 100 && dot != 0 && dot < text.size() - 1 &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; });
}

bool IsPhone(std::string_view text) {
    return text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
           text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

bool IsEmail(std::string_view text) {
    return mail::IsAddress(text) && text.find('.', text.find('@')) != std::string_view::npos;
}

namespace schema {

json Text(int most, int least) {
    return {{"type", "string"}, {"minLength", least}, {"maxLength", most}};
}
json Name(int most) {
    json name = Text(most);
    name["pattern"] = kOneLine;
    return name;
}
json Email() { return {{"type", "string"}, {"format", "email"}, {"maxLength", 254}}; }
json Phone() {
    return {{"type", "string"}, {"format", "phone"}, {"minLength", 8}, {"maxLength", 16}};
}
// The policy says more; this keeps hashing from being fed megabytes.
json Password() { return {{"type", "string"}, {"minLength", 1}, {"maxLength", 256}}; }
json Token() { return {{"type", "string"}, {"minLength", 20}, {"maxLength", 200}}; }
json Uuid() { return {{"type", "string"}, {"format", "uuid"}}; }
json DateTime() { return {{"type", "string"}, {"format", "date-time"}}; }
json Integer(int least, int most) {
    return {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
}
json Boolean() { return {{"type", "boolean"}}; }
json OneOf(std::vector<std::string> values) {
    return {{"type", "string"}, {"enum", std::move(values)}};
}

json Nullable(json schema) {
    if (!schema["type"].is_array()) schema["type"] = json::array({schema["type"]});
    schema["type"].push_back("null");
    if (schema.contains("enum")) schema["enum"].push_back(nullptr);
    return schema;
}

json ListOf(json item, int most) {
    return {
        {"type", "array"}, {"items", std::move(item)}, {"maxItems", most}, {"uniqueItems", true}};
}

json Object(json properties, const std::vector<std::string>& optional) {
    json required = json::array();
    for (const auto& [name, property] : properties.items()) {
        if (std::find(optional.begin(), optional.end(), name) == optional.end())
            required.push_back(name);
    }
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
}

json Page(json item, bool has_next) {
    json properties = {{"items", {{"type", "array"}, {"items", std::move(item)}}}};
    if (has_next) properties["next"] = Nullable(Text(100));
    return Object(std::move(properties));
}

}  // namespace schema

}  // namespace rampart::server::http
