#include "auth/mfa/enrolment.hpp"

#include "auth/mfa/answers.hpp"
#include "auth/mfa/beginning.hpp"
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

http::Reply SetUpSentCodes(const auth::Service& service, http::Exchange& exchange) {
    const std::string method = exchange.body["method"];
    // By SMS they are never the first factor, which alone has backup codes come with it.
    nlohmann::json hashed = nlohmann::json::array();
    std::vector<std::string> codes;
    if (method != "sms") {
        BackupSet backup = MakeBackupSet(service);
        hashed = std::move(backup.hashed);
        codes = std::move(backup.codes);
    }
    const nlohmann::json answer = exchange.db().Finish(
        "set_up_code",
        {{"method", method},
         {"phone", exchange.body.contains("phone") ? db::Value::OfJson(exchange.body["phone"])
                                                   : db::Value()},
         {"codes", db::Value(hashed.dump())}});
    DemandOk(answer);
    nlohmann::json body = {{"method", method}};
    if (answer["phone"].is_string()) body["phone"] = answer["phone"];
    if (answer["backup_codes"].get<bool>()) body["backup_codes"] = codes;
    return Secret(std::move(body));
}

nlohmann::json ConfirmTotp(const Renewal& renewal, http::Exchange& exchange) {
    nlohmann::json answer = exchange.db().Call("find_pending_totp");
    if (answer.at("outcome") == "ok") {
        const auto match = MatchStoredTotp(answer, exchange.body["totp_code"]);
        answer = exchange.db().Call(
            "confirm_totp",
            renewal.With({{"step", match ? db::Value(std::to_string(match->step)) : db::Value()}},
                         *exchange.settings));
    }
    exchange.db().Commit();
    return answer;
}

}  // namespace

http::Reply SetUpFactor(const auth::Service& service, http::Exchange& exchange) {
    // Asked before a second of hashing is spent on it.
    exchange.db().Finish("prove_recently");
    const nlohmann::json& body = exchange.body;
    if ((body["method"] == "sms") != body.contains("phone"))
        throw http::Problem("validation_failed",
                            "phone goes with the method sms, and only with it");
    if (body["method"] == "sms" && !exchange.settings->sms.offered())
        throw http::Problem("not_possible", "there are no codes by SMS here");
    if (body["method"] == "sms" &&
        !exchange.settings->sms.Reaches(body["phone"].get_ref<const std::string&>())) {
        throw http::Problem("validation_failed")
            .WithErrors({{"/phone", "is of a country where no SMS are sent to"}});
    }
    return body["method"] == "totp" ? SetUpTotp(service, exchange)
                                    : SetUpSentCodes(service, exchange);
}

http::Reply ConfirmFactor(const auth::Service& service, http::Exchange& exchange) {
    exchange.db().Begin();
    const std::string method = MethodOf(exchange.body, {"totp", "email", "sms"});
    const Renewal renewal;
    const nlohmann::json answer =
        method == "totp"
            ? ConfirmTotp(renewal, exchange)
            : exchange.db().Finish(
                  "confirm_code",
                  renewal.With({{"method", method},
                                {"code", db::Value::OfJson(exchange.body[method + "_code"])}},
                               *exchange.settings));
    http::Reply reply = renewal.ReplyTo(answer, service, exchange);
    reply.body["status"] = "enabled";
    return reply;
}

http::Reply RenewBackupCodes(const auth::Service& service, http::Exchange& exchange) {
    exchange.db().Finish("prove_recently");
    const BackupSet backup = MakeBackupSet(service);
    exchange.db().Finish("renew_backup_codes", {{"codes", db::Value(backup.hashed.dump())}});
    return Secret({{"backup_codes", backup.codes}});
}

}  // namespace rampart::server::mfa
