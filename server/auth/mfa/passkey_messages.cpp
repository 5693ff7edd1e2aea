#include "auth/mfa/passkey_messages.hpp"

#include "auth/secrets.hpp"
#include "crypto/base64.hpp"

namespace rampart::server::mfa {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Of "https://example.com:8443".
std::string HostOf(const std::string& url) {
    const std::size_t start = url.find("://");
    const std::string rest = start == std::string::npos ? url : url.substr(start + 3);
    return rest.substr(0, rest.find_first_of(":/"));
}

}  // namespace

RelyingParty Party(const Settings& settings) {
    RelyingParty party;
    party.id = settings.mfa.rp_id.empty() ? HostOf(settings.PublicUrl()) : settings.mfa.rp_id;
    party.origins = settings.http.allowed_origins;
    party.origins.push_back(settings.PublicUrl());
    party.verify_user = settings.mfa.user_verification == "required";
    party.attestation =
        settings.mfa.attestation == "verified" ? Attestation::kVerified : Attestation::kIgnored;
    party.attestation_roots = settings.mfa.attestation_roots;
    return party;
}

Bytes FieldOf(const nlohmann::json& body, const char* name) {
    auto bytes = FromBase64Url(body[name].get_ref<const std::string&>());
    if (!bytes) {
        throw http::Problem("validation_failed")
            .WithErrors({{std::string("/") + name, "is no base64url"}});
    }
    return std::move(*bytes);
}

Bytes Stored(const nlohmann::json& row, const char* name) {
    const auto member = row.find(name);
    if (member == row.end() || !member->is_string()) return {};
    std::string text = *member;
    std::erase(text, '\n');
    return FromBase64(text).value_or(Bytes());
}

nlohmann::json Descriptors(const nlohmann::json& credentials) {
    nlohmann::json list = nlohmann::json::array();
    for (const nlohmann::json& id : credentials) {
        const auto bytes = FromBase64(id.get_ref<const std::string&>());
        list.push_back({{"type", "public-key"}, {"id", auth::Base64Url(bytes.value())}});
    }
    return list;
}

nlohmann::json RequestOptions(const RelyingParty& party, ByteView challenge, nlohmann::json allowed,
                              const std::string& user_verification) {
    return {{"challenge", auth::Base64Url(challenge)},
            {"rpId", party.id},
            {"timeout", kTimeoutMs},
            {"allowCredentials", std::move(allowed)},
            {"userVerification", user_verification}};
}

SignedAnswer::SignedAnswer(const nlohmann::json& body)
    : credential_id(FieldOf(body, "credential_id")),
      client_data(FieldOf(body, "client_data")),
      authenticator_data(FieldOf(body, "authenticator_data")),
      signature(FieldOf(body, "signature")) {}

Credential Judge(const RelyingParty& party, const nlohmann::json& found,
                 const SignedAnswer& answer) {
    Credential known;
    known.public_key = Stored(found, "public_key");
    if (known.public_key.empty()) throw WebAuthnRefused(WebAuthnFault::kCredential);
    known.algorithm = static_cast<CoseAlgorithm>(found.value("algorithm", 0));
    known.counter = found.value("counter", 0U);
    known.backup_eligible = found.value("backup_eligible", false);
    return VerifyAssertion(party, Stored(found, "webauthn"), known, answer.client_data,
                           answer.authenticator_data, answer.signature);
}

http::Problem ProblemOf(const WebAuthnRefused& refused) {
    return http::Problem("webauthn_" + std::string(NameOf(refused.fault())));
}

}  // namespace rampart::server::mfa
