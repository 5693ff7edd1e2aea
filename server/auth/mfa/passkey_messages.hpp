// Passkeys between browser, server and database: options that the first is given, answers that it
// sends, credentials as the last keeps them.
#pragma once

#include "auth/mfa/webauthn.hpp"
#include "auth/service.hpp"
#include "http/problem.hpp"

namespace rampart::server::mfa {

// For somebody to find their authenticator.
inline constexpr int kTimeoutMs = 300'000;

// By the settings.
RelyingParty Party(const Settings& settings);

// A property in base64url. Throws http::Problem `validation_failed`.
std::vector<std::uint8_t> FieldOf(const nlohmann::json& body, const char* name);

// Of what the database wrote, in base64; empty where there is none.
std::vector<std::uint8_t> Stored(const nlohmann::json& row, const char* name);

// PublicKeyCredentialDescriptor, of ids in base64.
nlohmann::json Descriptors(const nlohmann::json& credentials);

// For navigator.credentials.get().
nlohmann::json RequestOptions(const RelyingParty& party, ByteView challenge, nlohmann::json allowed,
                              const std::string& user_verification);

// What get() came to.
struct SignedAnswer {
    explicit SignedAnswer(const nlohmann::json& body);

    std::vector<std::uint8_t> credential_id;
    std::vector<std::uint8_t> client_data;
    std::vector<std::uint8_t> authenticator_data;
    std::vector<std::uint8_t> signature;
};

// By what the database said of the credential and the challenge, which is none where none was given
// out or it was taken. Throws WebAuthnRefused.
Credential Judge(const RelyingParty& party, const nlohmann::json& found,
                 const SignedAnswer& answer);

http::Problem ProblemOf(const WebAuthnRefused& refused);

}  // namespace rampart::server::mfa
