#include "auth/mfa/passkey_login.hpp"

#include "auth/login.hpp"
#include "auth/mfa/answers.hpp"
#include "auth/mfa/beginning.hpp"
#include "auth/mfa/passkey_messages.hpp"
#include "auth/secrets.hpp"

namespace rampart::server::mfa {
namespace {

void DemandSetting(const http::Exchange& exchange) {
    if (!exchange.settings->mfa.passwordless)
        throw http::Problem("not_possible", "passkeys are second factors only here");
}

// A passkey that has verified its user once before, at registration or beside the password: to a
// key that has no PIN, whoever finds it can give one.
Credential JudgeAlone(const Settings& settings, const nlohmann::json& found,
                      const SignedAnswer& answer, ByteView user_handle) {
    RelyingParty party = Party(settings);
    party.verify_user = true;
    Credential used = Judge(party, found, answer);
    if (AsText(user_handle) != found["account"].get_ref<const std::string&>())
        throw WebAuthnRefused(WebAuthnFault::kUserHandle);
    if (!found.value("user_verified", false))
        throw WebAuthnRefused(WebAuthnFault::kUserNotVerified);
    return used;
}

}  // namespace

http::Reply BeginPasskeyLogin(http::Exchange& exchange) {
    DemandSetting(exchange);
    const std::string id = auth::NewToken();
    const std::vector<std::uint8_t> webauthn = NewChallenge();
    const nlohmann::json begun = exchange.db().Finish(
        "begin_passkey_login",
        {{"challenge", ByteView(auth::HashOf(id))}, {"webauthn", ByteView(webauthn)}});
    http::Reply reply{200, RequestOptions(Party(*exchange.settings), webauthn,
                                          nlohmann::json::array(), "required")};
    reply.body["session_id"] = id;
    reply.body["expires_in"] = begun["expires_in"];
    return reply;
}

http::Reply FinishPasskeyLogin(const auth::Service& service, http::Exchange& exchange) {
    DemandSetting(exchange);
    const SignedAnswer answer(exchange.body);
    const std::vector<std::uint8_t> user_handle = FieldOf(exchange.body, "user_handle");
    const ByteView id(answer.credential_id);
    const Beginning beginning(exchange.body);
    // In one transaction, which holds the credential: its counter is compared and set at once.
    const nlohmann::json found = exchange.db().Call(
        "find_passkey", {{"challenge", ChallengeIn(exchange.body)}, {"credential_id", id}});
    nlohmann::json outcome;
    try {
        if (found.at("outcome") == "ok") {
            const Credential used = JudgeAlone(*exchange.settings, found, answer, user_handle);
            outcome = exchange.db().Call(
                "accept_passkey",
                beginning.With({{"credential_id", id},
                                {"counter", db::Value(std::to_string(used.counter))},
                                {"backed_up", used.backed_up},
                                {"org", exchange.body.contains("organisation")
                                            ? db::Value::OfJson(exchange.body["organisation"])
                                            : db::Value()}},
                               *exchange.settings));
        }
    } catch (const WebAuthnRefused& refused) {
        exchange.db().Call("refuse_passkey",
                           {{"credential_id", id},
                            {"reason", NameOf(refused.fault())},
                            {"ip_allowed", exchange.settings->lockout.failures_per_address}});
        exchange.db().Commit();
        throw ProblemOf(refused);
    }
    exchange.db().Commit();
    DemandOk(found);
    auth::DemandAdmission(outcome);
    return beginning.ReplyTo(outcome, service, exchange);
}

}  // namespace rampart::server::mfa
