// Validation by the part of JSON Schema 2020-12 that the routes use: type, properties, required,
// additionalProperties: false, minLength, maxLength, minimum, maximum, enum, items, minItems,
// maxItems, uniqueItems, the pattern of Name(), and the formats email, phone, uuid, date-time and
// uri. One schema is what is checked here and what /openapi.json says.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "http/problem.hpp"

namespace rampart::server::http {

// What is wrong, by JSON pointer; empty: nothing. At most sixteen errors.
std::vector<FieldError> Validate(const nlohmann::json& value, const nlohmann::json& schema);

bool IsUuid(std::string_view text);
// "section.name"
bool IsSettingName(std::string_view text);
// One address of at most 254 characters (RFC 5321), of printable ASCII, without quoting.
bool IsEmail(std::string_view text);
// A number as E.164 has it, with its plus: at most fifteen digits.
bool IsPhone(std::string_view text);

namespace schema {

// What most routes are made of.
nlohmann::json Text(int most, int least = 1);
// What people read: without control characters and those that turn the direction of writing.
nlohmann::json Name(int most);
nlohmann::json Email();
nlohmann::json Phone();
nlohmann::json Password();
nlohmann::json Token();
nlohmann::json Uuid();
nlohmann::json DateTime();
nlohmann::json Integer(int least, int most);
nlohmann::json Boolean();
nlohmann::json OneOf(std::vector<std::string> values);
nlohmann::json Nullable(nlohmann::json schema);
nlohmann::json ListOf(nlohmann::json item, int most);
// Nothing but these properties; those that `optional` names may be missing.
nlohmann::json Object(nlohmann::json properties, const std::vector<std::string>& optional = {});
// {"items": [...], "next": ...}
nlohmann::json Page(nlohmann::json item, bool has_next = false);

}  // namespace schema

}  // namespace rampart::server::http
