#pragma once

#include <vector>

#include "auth/service.hpp"
#include "http/route.hpp"

namespace rampart::server::auth {

// Accounts and sessions, API keys, signing keys.
std::vector<http::Route> Routes(const Service& service);

}  // namespace rampart::server::auth
