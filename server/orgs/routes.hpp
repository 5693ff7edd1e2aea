#pragma once

#include <vector>

#include "http/route.hpp"

namespace rampart::server::orgs {

std::vector<http::Route> Routes();

}  // namespace rampart::server::orgs
