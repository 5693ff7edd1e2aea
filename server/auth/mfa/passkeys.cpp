#include "auth/mfa/passkeys.hpp"

#include "auth/mfa/answers.hpp"
#include "auth/mfa/beginning.hpp"
#include "auth/mfa/passkey_messages.hpp"
#include "auth/secrets.hpp"

namespace rampart::server::mfa {
namespace {

using Bytes = std::vector<std::uint8_t>;

nlohmann::json Judged(http::Exchange& exchange, const db::Value& challenge,
                      const Beginning& beginning) {
    const SignedAnswer signed_answer(exchange.body);
    const ByteView id(signed_answer.credential_id);
    // In one transaction, which holds the credential: its counter is compared and set at once.
    const nlohmann::json found =
        exchange.db().Call("find_credential", {{"challenge", challenge}, {"credential_id", id}});
    if (found.at("outcome") != "ok") {
        exchange.db().Commit();
        DemandOk(found);
    }
    try {
        const Credential used = Judge(Party(*exchange.settings), found, signed_answer);
        const nlohmann::json answer =
            exchange.db().Call("accept_assertion",
                               beginning.With({{"challenge", challenge},
                                               {"credential_id", id},
                                               {"counter", db::Value(std::to_string(used.counter))},
                                               {"backed_up", used.backed_up},
                                               {"user_verified", used.user_verified}},
                                              *exchange.settings));
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
    // One that is to log in alone has to be found without its id, and to know who uses it.
    const bool alone = exchange.body.value("passwordless", false);
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
              {{"residentKey", alone ? "required" : "preferred"},
               {"requireResidentKey", alone},
               {"userVerification",
                alone ? std::string("required") : exchange.settings->mfa.user_verification}}},
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
    const Renewal renewal;
    const nlohmann::json added = exchange.db().Finish(
        "add_credential", renewal.With({{"name", db::Value::OfJson(exchange.body["name"])},
                                        {"credential_id", ByteView(credential.id)},
                                        {"public_key", ByteView(credential.public_key)},
                                        {"algorithm", static_cast<int>(credential.algorithm)},
                                        {"aaguid", ByteView(credential.aaguid)},
                                        {"counter", db::Value(std::to_string(credential.counter))},
                                        {"backup_eligible", credential.backup_eligible},
                                        {"backed_up", credential.backed_up},
                                        {"user_verified", credential.user_verified},
                                        {"codes", db::Value(backup.hashed.dump())}},
                                       *exchange.settings));
    http::Reply reply = renewal.ReplyTo(added, service, exchange);
    reply.status = 201;
    reply.body["id"] = added["id"];
    if (added["backup_codes"].get<bool>()) reply.body["backup_codes"] = backup.codes;
    return reply;
}

http::Reply BeginAssertion(http::Exchange& exchange) {
    const Bytes webauthn = NewChallenge();
    const nlohmann::json found = exchange.db().Finish(
        "begin_assertion",
        {{"challenge", ChallengeIn(exchange.body)}, {"webauthn", ByteView(webauthn)}});
    return {200,
            RequestOptions(Party(*exchange.settings), webauthn, Descriptors(found["credentials"]),
                           exchange.settings->mfa.user_verification)};
}

http::Reply FinishAssertion(const auth::Service& service, http::Exchange& exchange) {
    const Beginning beginning(exchange.body);
    return beginning.ReplyTo(Judged(exchange, ChallengeIn(exchange.body), beginning), service,
                             exchange);
}

}  // namespace rampart::server::mfa
