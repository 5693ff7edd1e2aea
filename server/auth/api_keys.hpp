// What is made here and stored in the database: API keys, signing keys.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::auth {

http::Reply CreateApiKey(http::Exchange& exchange);

// A key is published before it signs, so that whoever verifies tokens offline has had the time to
// fetch it; that time is the administrator's to choose.
http::Reply CreateSigningKey(http::Exchange& exchange);
http::Reply ActivateSigningKey(http::Exchange& exchange);

}  // namespace rampart::server::auth
