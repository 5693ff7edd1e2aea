#include "auth/mfa/challenge.hpp"

#include "auth/mfa/answers.hpp"
#include "auth/mfa/backup_codes.hpp"
#include "auth/mfa/beginning.hpp"
#include "auth/secrets.hpp"
#include "http/problem.hpp"

namespace rampart::server::mfa {
namespace {

nlohmann::json AnswerTotp(const db::Value& challenge, const Beginning& beginning,
                          http::Exchange& exchange) {
    // Judged in the attempt's own transaction, which costs microseconds: while it lasts, no other
    // request sees the step that it is about to use up.
    const nlohmann::json factor =
        exchange.db().Call("find_factor", {{"challenge", challenge}, {"method", "totp"}});
    nlohmann::json answer = factor;
    if (factor.at("outcome") == "ok") {
        const auto match = MatchStoredTotp(factor, exchange.body["totp_code"]);
        answer = match ? exchange.db().Call(
                             "accept_factor",
                             beginning.With({{"challenge", challenge},
                                             {"method", "totp"},
                                             {"step", db::Value(std::to_string(match->step))},
                                             {"selector", db::Value()}},
                                            *exchange.settings))
                       : exchange.db().Call("refuse_factor",
                                            {{"challenge", challenge}, {"method", "totp"}});
        if (match) answer["drift"] = match->drift;
    }
    exchange.db().Commit();
    return answer;
}

nlohmann::json AnswerBackup(const db::Value& challenge, const Beginning& beginning,
                            const auth::Service& service, http::Exchange& exchange) {
    const std::string code =
        NormalBackupCode(exchange.body["backup_code"].get<std::string>()).value_or("");
    const db::Value selector = code.empty() ? db::Value() : db::Value(SelectorOf(code));
    // The attempt is counted and committed before the hash is computed, which takes a while.
    const nlohmann::json factor = exchange.db().Finish(
        "find_factor", {{"challenge", challenge}, {"method", "backup"}, {"selector", selector}});
    DemandOk(factor);
    if (!IsBackupCode(service, code, factor.value("hash", ""))) {
        return exchange.db().Finish("refuse_factor",
                                    {{"challenge", challenge}, {"method", "backup"}});
    }
    return exchange.db().Finish("accept_factor", beginning.With({{"challenge", challenge},
                                                                 {"method", "backup"},
                                                                 {"step", db::Value()},
                                                                 {"selector", selector}},
                                                                *exchange.settings));
}

http::Reply SendCode(http::Exchange& exchange, const char* method) {
    const nlohmann::json answer = exchange.db().Finish(
        "send_code", {{"challenge", ChallengeIn(exchange.body)}, {"method", method}});
    DemandOk(answer);
    return {202, {{"status", "code_sent"}, {"expires_in", answer["expires_in"]}}, {}, {}, {}};
}

}  // namespace

http::Reply AnswerChallenge(const auth::Service& service, http::Exchange& exchange) {
    const db::Value challenge = ChallengeIn(exchange.body);
    const std::string method = MethodOf(exchange.body, {"totp", "email", "sms", "backup"});
    const Beginning beginning(exchange.body);
    nlohmann::json answer;
    if (method == "totp") {
        answer = AnswerTotp(challenge, beginning, exchange);
    } else if (method == "backup") {
        answer = AnswerBackup(challenge, beginning, service, exchange);
    } else {
        answer = exchange.db().Finish(
            "check_code",
            beginning.With({{"challenge", challenge},
                            {"method", method},
                            {"code", db::Value::OfJson(exchange.body[method + "_code"])}},
                           *exchange.settings));
    }
    return beginning.ReplyTo(answer, service, exchange);
}

http::Reply SendCodeByMail(http::Exchange& exchange) { return SendCode(exchange, "email"); }

http::Reply SendCodeBySms(http::Exchange& exchange) {
    if (!exchange.settings->sms.offered()) throw http::Problem("mfa_not_set_up");
    return SendCode(exchange, "sms");
}

http::Reply StepUp(const auth::Service& service, http::Exchange& exchange) {
    const std::string challenge = auth::NewToken();
    const nlohmann::json begun =
        exchange.db().Finish("begin_step_up", {{"challenge", ByteView(auth::HashOf(challenge))}});
    if (begun.at("outcome") == "mfa") return FactorRequired(exchange, begun, challenge);
    if (!exchange.body.contains("password")) {
        throw http::Problem("validation_failed").WithErrors({{"/password", "is missing"}});
    }
    const nlohmann::json found = exchange.db().Finish("find_own_password");
    DemandOk(found);
    const std::string hash =
        found["hash"].is_string() ? found["hash"].get<std::string>() : service.hasher.nobody();
    const bool right = service.hash_pool.Run<bool>(
        [&] { return service.hasher.Verify(exchange.body["password"].get<std::string>(), hash); });
    DemandOk(exchange.db().Finish("prove_password",
                                  {{"verified_hash", right ? db::Value(hash) : db::Value()}}));
    return {200, {{"mfa_required", false}}, {}, {}, {}};
}

}  // namespace rampart::server::mfa
