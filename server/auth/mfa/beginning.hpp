// The session that begins, or goes on with another access token, if a code is right.
#pragma once

#include "auth/service.hpp"

namespace rampart::server::mfa {

class Beginning {
  public:
    // `body`: of the answer; trust_device and cookies are read from it.
    explicit Beginning(const nlohmann::json& body);

    // What end_challenge takes, behind a function's own arguments.
    db::Arguments With(db::Arguments arguments, const Settings& settings) const;

    // What a login answers; for a session that proved itself anew, its next access token. Throws
    // the http::Problem of an answer that is not `ok`.
    http::Reply ReplyTo(const nlohmann::json& answer, const auth::Service& service,
                        const http::Exchange& exchange) const;

  private:
    std::string refresh_;
    std::string jti_;
    std::string device_;  // empty: not to be trusted
};

// Schema of what ReplyTo answers.
nlohmann::json SessionSchema();

// The next access token of a session that has confirmed a new factor.
class Renewal {
  public:
    Renewal();

    // What confirm_factor takes, behind a function's own arguments.
    db::Arguments With(db::Arguments arguments, const Settings& settings) const;

    // Throws the http::Problem of an answer that is not `ok`.
    http::Reply ReplyTo(const nlohmann::json& answer, const auth::Service& service,
                        const http::Exchange& exchange) const;

  private:
    std::string jti_;
};

// Schema of what its ReplyTo answers, and of what more there is.
nlohmann::json RenewalSchema(nlohmann::json more, const std::vector<std::string>& optional = {});

// SHA-256 of the body's session_id.
db::Value ChallengeIn(const nlohmann::json& body);

}  // namespace rampart::server::mfa
