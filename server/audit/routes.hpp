#pragma once

#include <vector>

#include "http/route.hpp"

namespace rampart::server::audit {

std::vector<http::Route> Routes();

}  // namespace rampart::server::audit
