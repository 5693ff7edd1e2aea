// Login by a passkey alone: no address, no password. The authenticator finds the passkey and
// verifies its user, so that whoever answers has shown two factors.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::mfa {

// Says the same to everybody: nobody has been named.
http::Reply BeginPasskeyLogin(http::Exchange& exchange);

// Answers what a login by password answers, and holds it to the same: locks, the account's status.
http::Reply FinishPasskeyLogin(const auth::Service& service, http::Exchange& exchange);

}  // namespace rampart::server::mfa
