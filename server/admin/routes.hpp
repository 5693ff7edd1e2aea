#pragma once

#include <vector>

#include "http/route.hpp"

namespace rampart::server::admin {

std::vector<http::Route> Routes();

}  // namespace rampart::server::admin
