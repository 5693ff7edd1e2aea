// rampartd check: what is wrong with a configuration, before it runs.
#pragma once

#include <string>
#include <vector>

#include "config/live_settings.hpp"

namespace rampart::server {

struct Finding {
    bool is_error;  // else a warning
    std::string text;
};

// Looks at files, the certificate, the settings together, and the database with those it has.
std::vector<Finding> Check(const Configuration& configuration);

// Of settings that can change at run time, those that do not go together.
std::vector<Finding> CheckRunTime(const Settings& settings);

}  // namespace rampart::server
