// Recovery without the second factor, by mail to a second address.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::mfa {

// Of one's own account; it counts once the token of its mail has come back.
http::Reply SetRecoveryAddress(http::Exchange& exchange);
http::Reply VerifyRecoveryAddress(http::Exchange& exchange);

// From between password and factor. The answer does not tell whether there is an address.
http::Reply RequestRecovery(http::Exchange& exchange);
http::Reply Recover(http::Exchange& exchange);

}  // namespace rampart::server::mfa
