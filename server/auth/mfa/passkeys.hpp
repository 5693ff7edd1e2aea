// Passkeys and security keys over HTTP: registered, and answered with. Options go out and answers
// come in as browsers have them, binary fields in base64url.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::mfa {

http::Reply BeginRegistration(http::Exchange& exchange);
// With the first factor come the backup codes.
http::Reply FinishRegistration(const auth::Service& service, http::Exchange& exchange);

// For a challenge: a login, or a session that proves itself anew.
http::Reply BeginAssertion(http::Exchange& exchange);
// Answers what AnswerChallenge answers.
http::Reply FinishAssertion(const auth::Service& service, http::Exchange& exchange);

}  // namespace rampart::server::mfa
