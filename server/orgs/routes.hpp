#pragma once

#include <vector>

#include "config/settings.hpp"
#include "http/route.hpp"

namespace rampart::server::orgs {

std::vector<http::Route> Routes(const Settings& settings);

}  // namespace rampart::server::orgs
