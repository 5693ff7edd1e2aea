#include "auth/signup.hpp"

#include "auth/secrets.hpp"
#include "http/problem.hpp"

namespace rampart::server::auth {

http::Reply SignUp(const Service& service, http::Exchange& exchange) {
    const SignupSettings& settings = exchange.settings->signup;
    const std::string email = NormalEmail(exchange.body["email"]);
    const std::string name = exchange.body.value("name", "");
    const std::string password = exchange.body["password"];
    RequireGoodPassword(exchange, password, email, name, "/password");
    const std::string hash =
        service.hash_pool.Run<std::string>([&] { return service.hasher.Hash(password); });
    const std::string token = NewToken();
    const std::string invitation = exchange.body.value("invitation", "");
    exchange.db().Finish(
        "sign_up", {{"email", email},
                    {"name", name.empty() ? db::Value() : db::Value(name)},
                    {"password_hash", hash},
                    {"mode", settings.mode},
                    {"domains", settings.domains},
                    {"invitation_hash",
                     invitation.empty() ? db::Value() : db::Value(ByteView(HashOf(invitation)))},
                    {"token_hash", ByteView(HashOf(token))},
                    {"link", LinkTo(*exchange.settings, "verify-email", token)},
                    {"token_minutes", settings.verification_minutes}});
    return {202, {{"status", invitation.empty() ? "verification_sent" : "active"}}};
}

http::Reply VerifyEmail(http::Exchange& exchange) {
    const nlohmann::json result = exchange.db().Finish(
        "verify_email",
        {{"token_hash", ByteView(HashOf(exchange.body["token"].get_ref<const std::string&>()))},
         {"needs_approval", exchange.settings->signup.mode == "approval"}});
    return {200, result};
}

http::Reply ResendVerification(http::Exchange& exchange) {
    const std::string token = NewToken();
    exchange.db().Finish("resend_verification",
                         {{"email", NormalEmail(exchange.body["email"])},
                          {"token_hash", ByteView(HashOf(token))},
                          {"link", LinkTo(*exchange.settings, "verify-email", token)},
                          {"token_minutes", exchange.settings->signup.verification_minutes}});
    return {202, {{"status", "verification_sent"}}};
}

}  // namespace rampart::server::auth
