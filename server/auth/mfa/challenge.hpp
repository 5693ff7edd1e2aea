// A challenge answered: the second half of a login, or a session that proves itself anew.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::mfa {

// With a code of an authenticator app, of a mail, of an SMS or of the set on paper. Answers what a
// login answers; with trust_device the browser logs in without for 14 days.
http::Reply AnswerChallenge(const auth::Service& service, http::Exchange& exchange);

// Send a code for a challenge.
http::Reply SendCodeByMail(http::Exchange& exchange);
http::Reply SendCodeBySms(http::Exchange& exchange);

// Begins a challenge for this session; where its account has no second factor, the password in the
// body proves it at once.
http::Reply StepUp(const auth::Service& service, http::Exchange& exchange);

}  // namespace rampart::server::mfa
