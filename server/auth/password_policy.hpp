// Which passwords may be chosen: length, composition or not (policy "asvs": OWASP ASVS 5.0, 6.2.5),
// strength by zxcvbn, which knows the common ones and those made of the address or name.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace rampart::server::auth {

// What is wrong with it, in words for who chooses it; empty: nothing.
std::vector<std::string> PasswordFaults(const std::string& password, const std::string& email,
                                        const std::string& name, const PasswordSettings& settings);

}  // namespace rampart::server::auth
