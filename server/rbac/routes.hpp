#pragma once

#include <vector>

#include "http/route.hpp"

namespace rampart::server::rbac {

// `all`: the whole table, for the map of who may do what; complete before the first request.
std::vector<http::Route> Routes(const std::vector<http::Route>& all);

}  // namespace rampart::server::rbac
