// Issues access tokens, and reads them without the database.
#pragma once

#include <string>
#include <string_view>

#include "auth/tokens/signing_keys.hpp"
#include "http/exchange.hpp"

namespace rampart::server::auth {

struct AccessToken {
    std::string text;
    int seconds;  // that it lasts
};

class TokenReader {
  public:
    TokenReader(const SigningKeys& keys, const Settings& settings)
        : keys_(keys), settings_(settings) {}

    // The claims of a token that this server signed and that has not expired. Throws http::Problem
    // `not_authenticated`. Whether its session still lasts is not asked here.
    http::TokenClaims Read(std::string_view token) const;

    // For what rampart_auth.claims_of_session says; lasts no longer than a grace period that the
    // claims tell of.
    AccessToken Issue(const nlohmann::json& claims, const std::string& jti) const;

  private:
    const SigningKeys& keys_;
    const Settings& settings_;
};

}  // namespace rampart::server::auth
