// The routes of second factors.
#pragma once

#include <vector>

#include "auth/service.hpp"

namespace rampart::server::mfa {

// `service` outlives them.
std::vector<http::Route> Routes(const auth::Service& service);

}  // namespace rampart::server::mfa
