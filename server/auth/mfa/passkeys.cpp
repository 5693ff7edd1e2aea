#include "auth/mfa/passkeys.hpp"

#include "auth/mfa/answers.hpp"
#include "auth/mfa/beginning.hpp"
#include "auth/mfa/webauthn.hpp"
#include "auth/secrets.hpp"
#include "crypto/base64.hpp"
#include "http/problem.hpp"

namespace rampart::server::mfa {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kTimeoutMs = 300'000;

// Of "https://example.com:8443".
std::string HostOf(const std::string& url) {
    const std::size_t start = url.find("://");
    const std::string rest = start == std::string::npos ? url : url.substr(start + 3);
    return rest.substr(0, rest.find_first_of(":/"));
}

RelyingParty Party(const Settings& settings) {
    RelyingParty party;
    party.id = settings.mfa.rp_id.empty() ? HostOf(settings.PublicUrl()) : settings.mfa.rp_id;
    party.origins = settings.http.allowed_origins;
    party.origins.push_back(settings.PublicUrl());
    party.verify_user = settings.mfa.user_verification == "required";
    party.attestation =
        settings.mfa.attestation == "verified" ? Attestation::kVerified : Attestation::kIgnored;
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

// Of what the database wrote.
Bytes Stored(const nlohmann::json& row, const char* name) {
    std::string text = row.value(name, "");
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

http::Problem ProblemOf(const WebAuthnRefused& refused) {
    return http::Problem("webauthn_" + std::string(NameOf(refused.fault())));
}

nlohmann::json Judged(http::Exchange& exchange, const db::Value& challenge,
                      const Beginning& beginning) {
    const nlohmann::json& body = exchange.body;
    const Bytes id = FieldOf(body, "credential_id");
    const Bytes client_data = FieldOf(body, "client_data");
    const Bytes authenticator_data = FieldOf(body, "authenticator_data");
    const Bytes signature = FieldOf(body, "signature");
    // In one transaction, which holds the credential: its counter is compared and set at once.
    const nlohmann::json found = exchange.db().Call(
        "find_credential", {{"challenge", challenge}, {"credential_id", ByteView(id)}});
    if (found.at("outcome") != "ok") {
        exchange.db().Commit();
        DemandOk(found);
    }
    Credential known;
    known.public_key = Stored(found, "public_key");
    known.algorithm = static_cast<CoseAlgorithm>(found.value("algorithm", 0));
    known.counter = found.value("counter", 0U);
    known.backup_eligible = found.value("backup_eligible", false);
    // NULL where no challenge was given out, or it was taken.
    const Bytes expected = found["webauthn"].is_string() ? Stored(found, "webauthn") : Bytes();
    try {
        const Credential used = VerifyAssertion(Party(*exchange.settings), expected, known,
                                                client_data, authenticator_data, signature);
        const nlohmann::json answer =
            exchange.db().Call("accept_assertion",
                               beginning.With({{"challenge", challenge},
                                               {"credential_id", ByteView(id)},
                                               {"counter", db::Value(std::to_string(used.counter))},
                                               {"backed_up", used.backed_up}},
                                              exchange.settings->tokens));
        exchange.db().Commit();
        return answer;
    } catch (const WebAuthnRefused& refused) {
        exchange.db().Call("refuse_factor",
                           {{"challenge", challenge},
                            {"method", "webauthn: " + std::string(NameOf(refused.fault()))}});
        exchange.db().Commit();
        throw ProblemOf(refused);
    }
}

}  // namespace

http::Reply BeginRegistration(http::Exchange& exchange) {
    const Bytes webauthn = NewChallenge();
    const nlohmann::json user =
        exchange.db().Finish("begin_registration", {{"webauthn", ByteView(webauthn)}});
    const RelyingParty party = Party(*exchange.settings);
    nlohmann::json algorithms = nlohmann::json::array();
    for (const CoseAlgorithm algorithm :
         {CoseAlgorithm::kEs256, CoseAlgorithm::kEdDsa, CoseAlgorithm::kRs256}) {
        algorithms.push_back({{"type", "public-key"}, {"alg", static_cast<int>(algorithm)}});
    }
    const std::string handle = user["account"];
    return {200,
            {{"challenge", auth::Base64Url(webauthn)},
             {"rp", {{"id", party.id}, {"name", exchange.settings->mfa.issuer}}},
             {"user",
              {{"id", auth::Base64Url(AsBytes(handle))},
               {"name", user["email"]},
               {"displayName", user["name"]}}},
             {"pubKeyCredParams", std::move(algorithms)},
             {"timeout", kTimeoutMs},
             {"excludeCredentials", Descriptors(user["credentials"])},
             {"authenticatorSelection",
              {{"residentKey", "preferred"},
               {"userVerification", exchange.settings->mfa.user_verification}}},
             {"attestation", party.attestation == Attestation::kIgnored ? "none" : "direct"}},
            {},
            {},
            {}};
}

http::Reply FinishRegistration(const auth::Service& service, http::Exchange& exchange) {
    exchange.db().Finish("prove_recently");
    const Bytes client_data = FieldOf(exchange.body, "client_data");
    const Bytes object = FieldOf(exchange.body, "attestation_object");
    // Hashed before the transaction begins, in which the challenge is taken and the key is kept.
    const BackupSet backup = MakeBackupSet(service);
    const nlohmann::json taken = exchange.db().Call("take_registration");
    Credential credential;
    try {
        credential = VerifyRegistration(Party(*exchange.settings), Stored(taken, "webauthn"),
                                        client_data, object);
    } catch (const WebAuthnRefused& refused) {
        exchange.db().Commit();
        throw ProblemOf(refused);
    }
    const nlohmann::json added = exchange.db().Finish(
        "add_credential", {{"name", db::Value::OfJson(exchange.body["name"])},
                           {"credential_id", ByteView(credential.id)},
                           {"public_key", ByteView(credential.public_key)},
                           {"algorithm", static_cast<int>(credential.algorithm)},
                           {"aaguid", ByteView(credential.aaguid)},
                           {"counter", db::Value(std::to_string(credential.counter))},
                           {"backup_eligible", credential.backup_eligible},
                           {"backed_up", credential.backed_up},
                           {"codes", db::Value(backup.hashed.dump())}});
    nlohmann::json body = {{"id", added["id"]}};
    if (added["backup_codes"].get<bool>()) body["backup_codes"] = backup.codes;
    return {201, std::move(body), {{"Cache-Control", "no-store"}}, {}, {}};
}

http::Reply BeginAssertion(http::Exchange& exchange) {
    const Bytes webauthn = NewChallenge();
    const nlohmann::json found = exchange.db().Finish(
        "begin_assertion",
        {{"challenge", ChallengeIn(exchange.body)}, {"webauthn", ByteView(webauthn)}});
    return {200,
            {{"challenge", auth::Base64Url(webauthn)},
             {"rpId", Party(*exchange.settings).id},
             {"timeout", kTimeoutMs},
             {"allowCredentials", Descriptors(found["credentials"])},
             {"userVerification", exchange.settings->mfa.user_verification}},
            {},
            {},
            {}};
}

http::Reply FinishAssertion(const auth::Service& service, http::Exchange& exchange) {
    const Beginning beginning(exchange.body);
    return beginning.ReplyTo(Judged(exchange, ChallengeIn(exchange.body), beginning), service,
                             exchange);
}

}  // namespace rampart::server::mfa
