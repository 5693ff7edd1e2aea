// Passwords changed, forgotten and reset.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::auth {

http::Reply ChangePassword(const Service& service, http::Exchange& exchange);
http::Reply ForgotPassword(http::Exchange& exchange);
http::Reply ResetPassword(const Service& service, http::Exchange& exchange);

}  // namespace rampart::server::auth
