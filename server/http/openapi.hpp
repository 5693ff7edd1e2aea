// The OpenAPI 3.1 document of the route table.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/route.hpp"

namespace rampart::server::http {

nlohmann::json OpenApi(const std::vector<Route>& routes, const std::string& url);

}  // namespace rampart::server::http
