// The routes of passkeys.
#pragma once

#include <vector>

#include "auth/service.hpp"

namespace rampart::server::mfa {

// Answers to a login, and logins by a passkey alone.
std::vector<http::Route> PublicPasskeyRoutes(const auth::Service& service);

// Registration, by whoever is logged in.
std::vector<http::Route> OwnPasskeyRoutes(const auth::Service& service);

}  // namespace rampart::server::mfa
