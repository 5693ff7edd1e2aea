// rampartd check: what is wrong with a configuration, before it runs.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace rampart::server {

struct Finding {
    bool is_error;  // else a warning
    std::string text;
};

// Looks at files, the certificate, the policy of the settings together, and the database.
std::vector<Finding> Check(const Settings& settings);

}  // namespace rampart::server
