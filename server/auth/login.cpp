#include "auth/login.hpp"

#include "auth/login_watch.hpp"
#include "auth/mfa/answers.hpp"
#include "auth/secrets.hpp"
#include "http/problem.hpp"

namespace rampart::server::auth {
namespace {

struct Verified {
    bool right;
    std::optional<std::string> new_hash;
};

Verified VerifyPassword(const Service& service, const http::Exchange& exchange,
                        const nlohmann::json& found) {
    const std::string password = exchange.body["password"];
    const bool has_hash = found.contains("hash") && found["hash"].is_string();
    const std::string hash = has_hash ? found["hash"].get<std::string>() : service.hasher.nobody();
    return service.hash_pool.Run<Verified>([&]() -> Verified {
        const bool right = service.hasher.Verify(password, hash) && has_hash;
        if (!right || !service.hasher.IsOutdated(hash)) return {right, std::nullopt};
        // A password that is too long for a new algorithm keeps its old hash.
        const bool takes =
            exchange.settings->password.hash != "bcrypt" || password.size() <= kBcryptMost;
        return {true, takes ? std::optional(service.hasher.Hash(password)) : std::nullopt};
    });
}

[[noreturn]] void RefuseLocked(int seconds) {
    throw http::Problem("login_locked").RetryAfter(seconds);
}

}  // namespace

void DemandAdmission(const nlohmann::json& outcome) {
    const std::string& status = outcome.at("outcome").get_ref<const std::string&>();
    if (status == "locked") RefuseLocked(outcome["locked"]);
    if (status == "unverified") throw http::Problem("email_not_verified");
    if (status == "awaiting_approval") throw http::Problem("awaiting_approval");
    if (status == "disabled") throw http::Problem("account_disabled");
}

void CountFailure(const Service& service, http::Exchange& exchange, const std::string& email) {
    const LockoutSettings& lockout = exchange.settings->lockout;
    db::Transaction count(service.pool, {{"request_id", exchange.request_id},
                                         {"ip", exchange.client_ip},
                                         {"user_agent", exchange.UserAgent()}});
    count.Finish("refuse_login", {{"email", email},
                                  {"ip", exchange.client_ip},
                                  {"allowed", lockout.failures},
                                  {"pause_minutes", lockout.minutes},
                                  {"ip_allowed", lockout.failures_per_address},
                                  {"period", PeriodOf(exchange.settings->attacks)}});
}

http::Reply LogIn(const Service& service, http::Exchange& exchange) {
    const std::string email = NormalEmail(exchange.body["email"]);
    const TokenSettings& tokens = exchange.settings->tokens;
    const AttackSettings& attacks = exchange.settings->attacks;
    nlohmann::json found;
    {
        // No connection is held while the password is verified.
        db::Transaction lookup(service.pool, {{"request_id", exchange.request_id},
                                              {"ip", exchange.client_ip},
                                              {"user_agent", db::Value()}});
        found = lookup.Finish("find_login", {{"email", email},
                                             {"ip", exchange.client_ip},
                                             {"device", mfa::DeviceOf(exchange)},
                                             {"period", PeriodOf(attacks)},
                                             {"per_address", attacks.failures_per_address},
                                             {"per_network", attacks.failures_per_network}});
    }
    if (const int seconds = found["locked"]; seconds > 0) RefuseLocked(seconds);
    const Verified verified = VerifyPassword(service, exchange, found);
    if (!verified.right) {
        CountFailure(service, exchange, email);
        throw http::Problem("invalid_credentials");
    }
    const std::string refresh = NewToken();
    const std::string jti = NewId();
    const std::string challenge = NewToken();
    const nlohmann::json outcome = exchange.db().Finish(
        "accept_login", {{"account", db::Value::OfJson(found["account"])},
                         {"old_hash", db::Value::OfJson(found["hash"])},
                         {"new_hash", db::Value(verified.new_hash)},
                         {"org", exchange.body.contains("organisation")
                                     ? db::Value::OfJson(exchange.body["organisation"])
                                     : db::Value()},
                         {"ip", exchange.client_ip},
                         {"user_agent", exchange.UserAgent()},
                         {"token_hash", ByteView(HashOf(refresh))},
                         {"jti", jti},
                         {"access_seconds", tokens.access_seconds},
                         {"refresh_days", tokens.refresh_days},
                         {"session_days", tokens.session_days},
                         {"tell", exchange.settings->mail.new_login},
                         {"challenge", ByteView(HashOf(challenge))},
                         {"device", mfa::DeviceOf(exchange)}});
    const std::string& status = outcome["outcome"].get_ref<const std::string&>();
    if (status == "changed") throw http::Problem("invalid_credentials");
    if (status == "mfa") return mfa::FactorRequired(exchange, outcome, challenge);
    DemandAdmission(outcome);
    return SessionReply(service, exchange, outcome["claims"], jti, refresh,
                        exchange.body.value("cookies", false));
}

}  // namespace rampart::server::auth
