#include "auth/mfa/enrolment.hpp"

#include "auth/mfa/answers.hpp"
#include "auth/mfa/qr_code.hpp"
#include "crypto/base64.hpp"
#include "http/problem.hpp"

namespace rampart::server::mfa {
namespace {

// A secret goes to nobody's cache.
http::Reply Secret(nlohmann::json body) {
    return {200, std::move(body), {{"Cache-Control", "no-store"}}, {}, {}};
}

http::Reply SetUpTotp(const auth::Service& service, http::Exchange& exchange) {
    const BackupSet backup = MakeBackupSet(service);
    const std::vector<std::uint8_t> secret = NewTotpSecret();
    const nlohmann::json kept = exchange.db().Finish(
        "set_up_totp",
        {{"secret", ByteView(secret)},
         {"name",
          exchange.body.contains("name") ? db::Value::OfJson(exchange.body["name"]) : db::Value()},
         {"codes", db::Value(backup.hashed.dump())}});
    const std::string uri =
        TotpUri(secret, exchange.settings->mfa.issuer, kept["email"].get_ref<const std::string&>());
    nlohmann::json body = {{"method", "totp"},
                           {"secret", Base32(secret)},
                           {"uri", uri},
                           {"qr_svg", QrSvg(uri)},
                           {"qr_png", Base64(QrPng(uri))}};
    if (kept["backup_codes"].get<bool>()) body["backup_codes"] = backup.codes;
    return Secret(std::move(body));
}

http::Reply SetUpEmail(const auth::Service& service, http::Exchange& exchange) {
    const BackupSet backup = MakeBackupSet(service);
    const nlohmann::json answer =
        exchange.db().Finish("set_up_email", {{"codes", db::Value(backup.hashed.dump())}});
    DemandOk(answer);
    nlohmann::json body = {{"method", "email"}};
    if (answer["backup_codes"].get<bool>()) body["backup_codes"] = backup.codes;
    return Secret(std::move(body));
}

}  // namespace

http::Reply SetUpFactor(const auth::Service& service, http::Exchange& exchange) {
    // Asked before a second of hashing is spent on it.
    exchange.db().Finish("prove_recently");
    return exchange.body["method"] == "totp" ? SetUpTotp(service, exchange)
                                             : SetUpEmail(service, exchange);
}

http::Reply ConfirmFactor(http::Exchange& exchange) {
    exchange.db().Begin();
    if (exchange.body.contains("totp_code") == exchange.body.contains("email_code")) {
        throw http::Problem("validation_failed", "one of totp_code and email_code is to be given");
    }
    nlohmann::json answer;
    if (exchange.body.contains("email_code")) {
        answer = exchange.db().Finish("confirm_email",
                                      {{"code", db::Value::OfJson(exchange.body["email_code"])}});
    } else {
        answer = exchange.db().Call("find_pending_totp");
        if (answer.at("outcome") == "ok") {
            const auto match = MatchStoredTotp(answer, exchange.body["totp_code"]);
            answer = exchange.db().Call(
                "confirm_totp",
                {{"step", match ? db::Value(std::to_string(match->step)) : db::Value()}});
        }
        exchange.db().Commit();
    }
    DemandOk(answer);
    return {200, {{"status", "enabled"}}, {}, {}, {}};
}

http::Reply RenewBackupCodes(const auth::Service& service, http::Exchange& exchange) {
    exchange.db().Finish("prove_recently");
    const BackupSet backup = MakeBackupSet(service);
    exchange.db().Finish("renew_backup_codes", {{"codes", db::Value(backup.hashed.dump())}});
    return Secret({{"backup_codes", backup.codes}});
}

}  // namespace rampart::server::mfa
