// Sign-up and verification of the address. The answers are the same whether the address has an
// account already or not.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::auth {

http::Reply SignUp(const Service& service, http::Exchange& exchange);
http::Reply VerifyEmail(http::Exchange& exchange);
http::Reply ResendVerification(http::Exchange& exchange);

}  // namespace rampart::server::auth
