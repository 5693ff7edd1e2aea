#include "auth/mfa/beginning.hpp"

#include "auth/mfa/answers.hpp"
#include "auth/secrets.hpp"
#include "http/cookies.hpp"
#include "http/schema.hpp"

namespace rampart::server::mfa {

constexpr int kDeviceSeconds = 14 * 86400;

Beginning::Beginning(const nlohmann::json& body)
    : refresh_(auth::NewToken()),
      jti_(auth::NewId()),
      device_(body.value("trust_device", false) ? auth::NewToken() : "") {}

db::Arguments Beginning::With(db::Arguments arguments, const Settings& settings) const {
    arguments.push_back({"token_hash", ByteView(auth::HashOf(refresh_))});
    arguments.push_back({"jti", jti_});
    arguments.push_back({"access_seconds", settings.tokens.access_seconds});
    arguments.push_back({"refresh_days", settings.tokens.refresh_days});
    arguments.push_back({"session_days", settings.tokens.session_days});
    arguments.push_back({"tell", settings.mail.new_login});
    if (!device_.empty()) arguments.push_back({"device", ByteView(auth::HashOf(device_))});
    return arguments;
}

http::Reply Beginning::ReplyTo(const nlohmann::json& answer, const auth::Service& service,
                               const http::Exchange& exchange) const {
    DemandOk(answer);
    const bool cookies = exchange.body.value("cookies", false);
    http::Reply reply =
        answer.at("renewed").get<bool>()
            ? auth::RenewedReply(service, exchange, answer["claims"], jti_, cookies)
            : auth::SessionReply(service, exchange, answer["claims"], jti_, refresh_, cookies);
    if (const int drift = answer.value("drift", 0); drift != 0) {
        reply.body["clock_drift_seconds"] = drift * kTotpPeriod;
    }
    if (!device_.empty()) {
        reply.headers.emplace_back("Set-Cookie",
                                   http::SetCookie(kDeviceCookie, device_, kDeviceSeconds));
    }
    return reply;
}

Renewal::Renewal() : jti_(auth::NewId()) {}

db::Arguments Renewal::With(db::Arguments arguments, const Settings& settings) const {
    arguments.push_back({"jti", jti_});
    arguments.push_back({"access_seconds", settings.tokens.access_seconds});
    return arguments;
}

http::Reply Renewal::ReplyTo(const nlohmann::json& answer, const auth::Service& service,
                             const http::Exchange& exchange) const {
    DemandOk(answer);
    return auth::RenewedReply(service, exchange, answer.at("claims"), jti_,
                              exchange.body.value("cookies", false));
}

nlohmann::json RenewalSchema(nlohmann::json more, const std::vector<std::string>& optional) {
    using namespace http::schema;
    more.update({{"token_type", OneOf({"Bearer"})},
                 {"access_token", Text(4096)},
                 {"expires_in", Integer(1, 3600)},
                 {"csrf_token", Text(64)}});
    return Object(std::move(more), optional);
}

nlohmann::json SessionSchema() {
    return RenewalSchema(
        {{"clock_drift_seconds", http::schema::Integer(-kTotpPeriod, kTotpPeriod)}},
        {"clock_drift_seconds"});
}

db::Value ChallengeIn(const nlohmann::json& body) {
    return {ByteView(auth::HashOf(body["session_id"].get_ref<const std::string&>()))};
}

}  // namespace rampart::server::mfa
