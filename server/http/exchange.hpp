// One request on its way through the chain of guards, and what they have found out about it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "config/settings.hpp"
#include "db/transaction.hpp"
#include "http/route.hpp"

namespace rampart::server::http {

// By what a request says who it is from.
inline constexpr std::string_view kEnrolling = "MFA_REQUIRED";

enum class Credential : std::uint8_t { kNone, kBearer, kCookie, kApiKey };

// Whom a signed access token names. What it says may have changed since; begin_request says what
// is.
struct TokenClaims {
    std::string subject;
    std::string session;
    std::string organisation;
    std::vector<std::string> roles;
    std::string token_id;
    std::int64_t expires_at = 0;
};

class Exchange {
  public:
    Exchange(const httplib::Request& received, httplib::Response& answer)
        : request(received), response(answer) {}

    const httplib::Request& request;
    httplib::Response& response;

    std::shared_ptr<const Settings> settings;  // as they are for this request
    std::string request_id;
    std::string client_ip;
    const Route* route = nullptr;
    std::map<std::string, std::string> path;  // parameters in the path
    nlohmann::json query = nlohmann::json::object();
    nlohmann::json body = nlohmann::json::object();

    Credential credential = Credential::kNone;
    std::optional<TokenClaims> token;  // of a bearer or a cookie
    std::string api_key_hash;          // of an API key, 32 bytes
    std::string organisation;          // that the request names, or else its token
    std::string idempotency_key;       // 32 bytes: SHA-256 of it and whose it is
    std::optional<db::Transaction> transaction;
    bool checked = false;  // that its session lasts, without a transaction

    std::string Header(const char* name) const { return request.get_header_value(name); }
    // As the database takes it: its beginning, or none where it is no text.
    db::Value UserAgent() const;
    db::Transaction& db() { return *transaction; }
};

}  // namespace rampart::server::http
