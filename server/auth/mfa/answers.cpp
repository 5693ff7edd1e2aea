#include "auth/mfa/answers.hpp"

#include <chrono>

#include "auth/mfa/backup_codes.hpp"
#include "auth/secrets.hpp"
#include "crypto/base64.hpp"
#include "http/cookies.hpp"
#include "http/schema.hpp"
#include "http/problem.hpp"

namespace rampart::server::mfa {
namespace {

// Ten are hashed while somebody waits. Behind each are 60 random bits, more than can be tried at
// this cost, and still 40 for who has the database's keys as well, which take a graphics processor
// months; and the password is needed besides.
const auth::PasswordHasher& CodeHasher() {
    static const auth::PasswordHasher hasher([] {
        PasswordSettings settings;
        settings.hash = "bcrypt";
        settings.bcrypt_cost = 8;
        return settings;
    }());
    return hasher;
}

}  // namespace

void DemandOk(const nlohmann::json& answer) {
    const std::string outcome = answer.at("outcome");
    if (outcome == "ok") return;
    const int seconds = answer.value("locked", 0);
    if (outcome == "locked") throw http::Problem("mfa_locked").RetryAfter(seconds);
    if (outcome == "wait") throw http::Problem("rate_limited").RetryAfter(seconds);
    if (outcome == "ended") throw http::Problem("mfa_session_ended");
    http::Problem refused("mfa_refused");
    if (seconds > 0) refused.RetryAfter(seconds);
    throw refused;
}

std::string MethodOf(const nlohmann::json& body, std::initializer_list<const char*> methods) {
    std::string given;
    std::string known;
    for (const char* method : methods) {
        const std::string field = std::string(method) + "_code";
        known += (known.empty() ? "" : ", ") + field;
        if (!body.contains(field)) continue;
        if (!given.empty()) throw http::Problem("validation_failed", "one code at a time");
        given = method;
    }
    if (given.empty()) throw http::Problem("validation_failed", "one of these is needed: " + known);
    return given;
}

http::Reply FactorRequired(const http::Exchange& exchange, const nlohmann::json& answer,
                           const std::string& challenge) {
    nlohmann::json methods = nlohmann::json::array();
    for (const nlohmann::json& method : answer.at("methods")) {
        if (method != "sms" || exchange.settings->sms.offered()) methods.push_back(method);
    }
    return {200,
            {{"mfa_required", true},
             {"session_id", challenge},
             {"methods", std::move(methods)},
             {"expires_in", answer.at("expires_in")}},
            {},
            {},
            {}};
}

db::Value DeviceOf(const http::Exchange& exchange) {
    const auto cookie = http::CookieValue(exchange.Header("Cookie"), kDeviceCookie);
    return cookie ? db::Value(ByteView(auth::HashOf(*cookie))) : db::Value();
}

std::optional<TotpMatch> MatchStoredTotp(const nlohmann::json& factor, const std::string& code) {
    const auto secret = FromBase64(factor.value("secret", ""));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return MatchTotp(secret.value_or(std::vector<std::uint8_t>()), code,
                     std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

nlohmann::json BackupCodesSchema() { return http::schema::ListOf(http::schema::Text(14, 14), 10); }

BackupSet MakeBackupSet(const auth::Service& service) {
    BackupSet set{NewBackupCodes(), nlohmann::json::array()};
    for (const std::string& code : set.codes) {
        const std::string hash =
            service.hash_pool.Run<std::string>([&] { return CodeHasher().Hash(code); });
        set.hashed.push_back({{"selector", SelectorOf(code)}, {"hash", hash}});
    }
    return set;
}

bool IsBackupCode(const auth::Service& service, const std::string& code, const std::string& hash) {
    const std::string& compared = hash.empty() ? CodeHasher().nobody() : hash;
    return service.hash_pool.Run<bool>(
        [&] { return CodeHasher().Verify(code, compared) && !hash.empty(); });
}

}  // namespace rampart::server::mfa
