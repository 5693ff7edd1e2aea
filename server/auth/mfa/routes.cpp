#include "auth/mfa/routes.hpp"

#include "auth/mfa/admin_routes.hpp"
#include "auth/mfa/answers.hpp"
#include "auth/mfa/beginning.hpp"
#include "auth/mfa/challenge.hpp"
#include "auth/mfa/enrolment.hpp"
#include "auth/mfa/passkey_routes.hpp"
#include "auth/mfa/recovery.hpp"
#include "http/schema.hpp"

namespace rampart::server::mfa {
namespace {

using http::Access;
using http::CallFunction;
using http::RateTier;
using http::Route;
using namespace http::schema;
using nlohmann::json;

json SixDigits() { return Text(6, 6); }
json BackupCode() { return Text(20, 12); }
json Status(const char* status) { return Object({{"status", OneOf({status})}}); }

// From between password and factor: what is known of the sender is the challenge alone.
std::vector<Route> Challenges(const auth::Service& s) {
    Route answer{"POST", "/auth/mfa", "answerChallenge", "Ends a login by its second factor"};
    answer.body =
        Object({{"session_id", Token()},
                {"totp_code", SixDigits()},
                {"email_code", SixDigits()},
                {"sms_code", SixDigits()},
                {"backup_code", BackupCode()},
                {"trust_device", Boolean()},
                {"cookies", Boolean()}},
               {"totp_code", "email_code", "sms_code", "backup_code", "trust_device", "cookies"});
    answer.response = SessionSchema();
    answer.problems = {"mfa_refused", "mfa_locked", "mfa_session_ended", "tenant_forbidden"};
    answer.handler = [&s](http::Exchange& e) { return AnswerChallenge(s, e); };

    Route mail{"POST", "/auth/mfa/email", "mailCode", "Mails a code for a login"};
    mail.body = Object({{"session_id", Token()}});
    mail.status = 202;
    mail.response = Object({{"status", OneOf({"code_sent"})}, {"expires_in", Integer(1, 600)}});
    mail.problems = {"mfa_session_ended", "mfa_not_set_up"};
    mail.handler = SendCodeByMail;

    Route sms{"POST", "/auth/mfa/sms", "sendSms", "Sends a code for a login by SMS"};
    sms.body = mail.body;
    sms.status = mail.status;
    sms.response = mail.response;
    sms.problems = mail.problems;
    sms.handler = SendCodeBySms;

    Route recovery{"POST", "/auth/mfa/recovery", "requestRecovery",
                   "Mails a link that turns the second factor off, to the recovery address"};
    recovery.body = Object({{"session_id", Token()}});
    recovery.status = 202;
    recovery.response = Status("recovery_sent");
    recovery.problems = {"mfa_session_ended"};
    recovery.handler = RequestRecovery;

    Route recover{"POST", "/auth/mfa/recovery/confirm", "recover",
                  "Turns the second factor off by the token of a mail; all sessions end"};
    recover.body = Object({{"token", Token()}});
    recover.status = 204;
    recover.problems = {"token_invalid", "not_possible"};
    recover.handler = Recover;

    Route verify{"POST", "/auth/mfa/recovery-email/verify", "verifyRecoveryEmail",
                 "Verifies a recovery address by the token of its mail"};
    verify.body = Object({{"token", Token()}});
    verify.status = 204;
    verify.problems = {"token_invalid"};
    verify.handler = VerifyRecoveryAddress;

    std::vector<Route> routes{answer, mail, sms, recovery, recover, verify};
    for (Route& route : routes) {
        route.access = Access::kPublic;
        // Attempts have a budget of their own, which does not count those of others behind one
        // address.
        route.rate =
            route.name == "answerChallenge" ? RateTier::kGeneral : RateTier::kPasswordReset;
        route.idempotent = false;
    }
    return routes;
}

std::vector<Route> Factors(const auth::Service& s) {
    Route list{"GET", "/auth/mfa", "listFactors", "One's own second factors"};
    list.response =
        Object({{"enabled", Boolean()},
                {"required", Boolean()},
                {"grace_ends_at", Nullable(DateTime())},
                {"backup_codes_left", Integer(0, 10)},
                {"recovery_email_verified", Boolean()},
                {"factors",
                 {{"type", "array"},
                  {"items", Object({{"id", Uuid()},
                                    {"method", OneOf({"totp", "email", "sms", "webauthn"})},
                                    {"name", Nullable(Name(100))},
                                    {"phone", Nullable(Text(16))},
                                    {"created_at", DateTime()},
                                    {"last_used_at", Nullable(DateTime())}})}}}});
    list.handler = CallFunction("list_factors");

    Route set_up{"POST", "/auth/mfa/setup", "setUpFactor", "Begins with a second factor"};
    set_up.body = Object(
        {{"method", OneOf({"totp", "email", "sms"})}, {"name", Name(100)}, {"phone", Phone()}},
        {"name", "phone"});
    set_up.response = Object({{"method", OneOf({"totp", "email", "sms"})},
                              {"secret", Text(32)},
                              {"uri", Text(1000)},
                              {"qr_svg", Text(40000)},
                              {"qr_png", Text(20000)},
                              {"phone", Text(16)},
                              {"backup_codes", BackupCodesSchema()}},
                             {"secret", "uri", "qr_svg", "qr_png", "phone", "backup_codes"});
    set_up.problems = {"step_up_required", "not_possible"};
    set_up.handler = [&s](http::Exchange& e) { return SetUpFactor(s, e); };

    Route confirm{"POST", "/auth/mfa/verify", "confirmFactor",
                  "Confirms the factor that was begun with; other sessions end"};
    confirm.body = Object({{"totp_code", SixDigits()},
                           {"email_code", SixDigits()},
                           {"sms_code", SixDigits()},
                           {"cookies", Boolean()}},
                          {"totp_code", "email_code", "sms_code", "cookies"});
    confirm.response = RenewalSchema({{"status", OneOf({"enabled"})}});
    confirm.problems = {"step_up_required", "mfa_refused", "mfa_locked"};
    confirm.handler = [&s](http::Exchange& e) { return ConfirmFactor(s, e); };

    Route step_up{"POST", "/auth/mfa/step-up", "stepUp",
                  "Proves anew who is there: by the second factor, or by the password without one"};
    step_up.body = Object({{"password", Password()}}, {"password"});
    step_up.response = Object({{"mfa_required", Boolean()},
                               {"session_id", Token()},
                               {"methods", ListOf(Text(20), 10)},
                               {"expires_in", Integer(1, 600)}},
                              {"session_id", "methods", "expires_in"});
    step_up.problems = {"mfa_refused", "mfa_locked"};
    step_up.handler = [&s](http::Exchange& e) { return StepUp(s, e); };

    Route disable{"DELETE", "/auth/mfa/factors/{id}", "removeFactor",
                  "Removes one of one's own second factors; other sessions end"};
    disable.status = 204;
    disable.problems = {"step_up_required", "not_found", "not_possible"};
    disable.handler = CallFunction("remove_factor");

    Route codes{"POST", "/auth/mfa/backup-codes", "renewBackupCodes",
                "Replaces the backup codes, which are shown this once"};
    codes.response = Object({{"backup_codes", BackupCodesSchema()}});
    codes.problems = {"step_up_required", "mfa_not_set_up"};
    codes.handler = [&s](http::Exchange& e) { return RenewBackupCodes(s, e); };

    Route address{"PUT", "/auth/mfa/recovery-email", "setRecoveryEmail",
                  "Names a second address, for recovery; it gets a mail to verify it by"};
    address.body = Object({{"email", Email()}});
    address.status = 202;
    address.response = Status("verification_sent");
    address.problems = {"step_up_required", "not_possible"};
    address.handler = SetRecoveryAddress;

    std::vector<Route> routes{list, set_up, confirm, step_up, disable, codes, address};
    for (Route& route : OwnPasskeyRoutes(s)) routes.push_back(std::move(route));
    for (Route& route : routes) {
        route.while_enrolling = route.name != "removeFactor" && route.name != "setRecoveryEmail";
    }
    return routes;
}

std::vector<Route> Devices() {
    Route list{"GET", "/auth/mfa/devices", "listDevices",
               "Devices that log in to one's own account without the second factor"};
    list.response = Page(Object({{"id", Uuid()},
                                 {"created_at", DateTime()},
                                 {"last_used_at", DateTime()},
                                 {"expires_at", DateTime()},
                                 {"ip", Nullable(Text(45))},
                                 {"user_agent", Nullable(Text(500, 0))}}));
    list.handler = CallFunction("list_devices");
    Route forget{"DELETE", "/auth/mfa/devices/{id}", "forgetDevice", "Trusts a device no more"};
    forget.status = 204;
    forget.problems = {"not_found"};
    forget.handler = CallFunction("forget_device");
    return {list, forget};
}

}  // namespace

std::vector<Route> Routes(const auth::Service& service) {
    std::vector<Route> routes = Challenges(service);
    for (Route& route : PublicPasskeyRoutes(service)) routes.push_back(std::move(route));
    std::vector<Route> own = Factors(service);
    for (Route& route : Devices()) own.push_back(std::move(route));
    for (Route& route : own) {
        route.access = Access::kSelf;
        route.no_api_keys = true;
        route.idempotent = false;
        routes.push_back(std::move(route));
    }
    for (Route& route : AdminRoutes()) routes.push_back(std::move(route));
    return routes;
}

}  // namespace rampart::server::mfa
