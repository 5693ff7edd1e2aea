// Settings that administrators of the platform change while the servers run.
#pragma once

#include <vector>

#include "config/live_settings.hpp"
#include "http/route.hpp"

namespace rampart::server::admin {

std::vector<http::Route> SettingsRoutes(const LiveSettings& settings);

}  // namespace rampart::server::admin
