// What administrators do about second factors: requirements, grace, metrics, forcing one off.
#pragma once

#include <vector>

#include "http/route.hpp"

namespace rampart::server::mfa {

std::vector<http::Route> AdminRoutes();

}  // namespace rampart::server::mfa
