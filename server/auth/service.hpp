// What the flows of authentication share. One for the server; thread-safe.
#pragma once

#include <string>

#include "auth/hash_pool.hpp"
#include "auth/password.hpp"
#include "auth/tokens/changed_sessions.hpp"
#include "auth/tokens/signing_keys.hpp"
#include "auth/tokens/token_reader.hpp"
#include "config/settings.hpp"
#include "db/pool.hpp"
#include "http/exchange.hpp"

namespace rampart::server::auth {

struct Service {
    db::Pool& pool;
    SigningKeys& signing_keys;
    TokenReader& tokens;
    ChangedSessions& changed_sessions;
    PasswordHasher& hasher;
    HashPool& hash_pool;
    // Shared by all instances; 32 bytes each, in hexadecimal.
    std::string rotation_key;
    std::string csrf_key;
};

// The answer that begins or prolongs a session: an access token for what claims_of_session said,
// the refresh token as a cookie.
http::Reply SessionReply(const Service& service, const http::Exchange& exchange,
                         const nlohmann::json& claims, const std::string& jti,
                         const std::string& refresh, bool cookies);

// The answer that gives a session another access token, and leaves its refresh token.
http::Reply RenewedReply(const Service& service, const http::Exchange& exchange,
                         const nlohmann::json& claims, const std::string& jti, bool cookies);

// In lower case: an account's address is one, however it is written.
std::string NormalEmail(const std::string& email);

// Of the address of a link in a mail: <link_url>/<path>?token=<token>
std::string LinkTo(const Settings& settings, const std::string& path, const std::string& token);

// Throws http::Problem `password_refused` with what is wrong, `pointer` of the body.
void RequireGoodPassword(const http::Exchange& exchange, const std::string& password,
                         const std::string& email, const std::string& name, const char* pointer);

}  // namespace rampart::server::auth
