// The value of one setting, from text and back. Files, the environment, the database and requests
// all come through Assign(), so that what one of them may not say, none may.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/settings.hpp"

namespace rampart::server {

// Throws ConfigurationError, which names the setting and never quotes the text. Lists are separated
// by commas.
void Assign(const Setting& setting, std::string_view text);

// As a JSON document and a TOML file write it.
nlohmann::json JsonOf(const Setting& setting);

// What Assign() takes for a value of JSON. REQUIRES: a string, an integer, a boolean or a list of
// strings.
std::string TextOfJson(const nlohmann::json& value);

}  // namespace rampart::server
