// What the database's functions of second factors answer, and what that is to the client.
#pragma once

#include <initializer_list>

#include "auth/mfa/totp.hpp"
#include "auth/service.hpp"

namespace rampart::server::mfa {

// Trusts a browser for a while; SHA-256 of it is what the database has.
inline constexpr std::string_view kDeviceCookie = "__Host-rampart_device";

// Returns where the outcome is `ok`, and throws the http::Problem that any other one is.
void DemandOk(const nlohmann::json& answer);

// Of these, the one whose code the body has, as in "totp_code". Throws http::Problem for none and
// for several.
std::string MethodOf(const nlohmann::json& body, std::initializer_list<const char*> methods);

// {"mfa_required": true, "session_id": ...}: who knows the password has to show more. `challenge`
// is what answers name; the database has its SHA-256.
http::Reply FactorRequired(const http::Exchange& exchange, const nlohmann::json& answer,
                           const std::string& challenge);

// SHA-256 of the device's cookie, NULL where there is none.
db::Value DeviceOf(const http::Exchange& exchange);

// By {"secret": base64}; nothing where there is none.
std::optional<TotpMatch> MatchStoredTotp(const nlohmann::json& factor, const std::string& code);

// Ten new codes: to be shown, and what is stored of them. Hashes in the pool, for a tenth of a
// second.
struct BackupSet {
    std::vector<std::string> codes;
    nlohmann::json hashed;  // [{selector, hash}]
};
nlohmann::json BackupCodesSchema();
BackupSet MakeBackupSet(const auth::Service& service);

// `hash` empty: takes as long, and is false.
bool IsBackupCode(const auth::Service& service, const std::string& code, const std::string& hash);

}  // namespace rampart::server::mfa
