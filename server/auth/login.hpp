// Login by password: looks up, verifies in the hash pool, begins a session. Whether an address has
// an account shows in neither answer nor time: for one that has none a password is verified too.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::auth {

// A wrong password for this address, in a transaction of its own: so many of them lock it.
void CountFailure(const Service& service, http::Exchange& exchange, const std::string& email);

// Throws the http::Problem of an account that is locked, or is not active, although whoever asks
// has shown that it is theirs: what the database's bar_of said.
void DemandAdmission(const nlohmann::json& outcome);

http::Reply LogIn(const Service& service, http::Exchange& exchange);

}  // namespace rampart::server::auth
