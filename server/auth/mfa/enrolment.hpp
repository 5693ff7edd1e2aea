// One's own second factors: begun with, confirmed; backup codes anew.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::mfa {

// An authenticator app: secret, otpauth URI, QR code; codes by mail or SMS: one is sent. With the
// first factor come the backup codes, which are shown this once.
http::Reply SetUpFactor(const auth::Service& service, http::Exchange& exchange);

// By a code of the factor that was begun with: from now on logins ask for it. Answers with this
// session's next access token: the one before may say that a factor is to be enrolled.
http::Reply ConfirmFactor(const auth::Service& service, http::Exchange& exchange);

http::Reply RenewBackupCodes(const auth::Service& service, http::Exchange& exchange);

}  // namespace rampart::server::mfa
