// What the sections of a configuration require of values and files.
#pragma once

#include <string>

namespace rampart::server {

// Throws ConfigurationError "setting: reason" unless good.
void Require(bool good, const char* setting, const char* reason);

bool IsReadable(const std::string& file);
// Also by those who are neither its owner nor of its group; false where there is none.
bool IsReadableByAll(const std::string& file);

}  // namespace rampart::server
