#include "auth/mfa/recovery.hpp"

#include "auth/secrets.hpp"

namespace rampart::server::mfa {
namespace {

db::Value HashIn(const nlohmann::json& body, const char* name) {
    return db::Value(ByteView(auth::HashOf(body[name].get_ref<const std::string&>())));
}

}  // namespace

http::Reply SetRecoveryAddress(http::Exchange& exchange) {
    const std::string token = auth::NewToken();
    exchange.db().Finish(
        "set_recovery_address",
        {{"email", auth::NormalEmail(exchange.body["email"])},
         {"token_hash", ByteView(auth::HashOf(token))},
         {"link", auth::LinkTo(*exchange.settings, "verify-recovery-email", token)}});
    return {202, {{"status", "verification_sent"}}, {}, {}, {}};
}

http::Reply VerifyRecoveryAddress(http::Exchange& exchange) {
    exchange.db().Finish("verify_recovery_address",
                         {{"token_hash", HashIn(exchange.body, "token")}});
    return {204, nullptr, {}, {}, {}};
}

http::Reply RequestRecovery(http::Exchange& exchange) {
    const std::string token = auth::NewToken();
    exchange.db().Finish("request_recovery",
                         {{"challenge", HashIn(exchange.body, "session_id")},
                          {"token_hash", ByteView(auth::HashOf(token))},
                          {"link", auth::LinkTo(*exchange.settings, "mfa-recovery", token)},
                          {"waiting_hours", exchange.settings->mfa.recovery_waiting_hours}});
    return {202, {{"status", "recovery_sent"}}, {}, {}, {}};
}

http::Reply Recover(http::Exchange& exchange) {
    exchange.db().Finish("recover", {{"token_hash", HashIn(exchange.body, "token")}});
    return {204, nullptr, {}, {}, {}};
}

}  // namespace rampart::server::mfa
