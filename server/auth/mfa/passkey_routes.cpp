#include "auth/mfa/passkey_routes.hpp"

#include "auth/mfa/answers.hpp"
#include "auth/mfa/beginning.hpp"
#include "auth/mfa/passkey_login.hpp"
#include "auth/mfa/passkeys.hpp"
#include "http/schema.hpp"

namespace rampart::server::mfa {
namespace {

using http::Access;
using http::RateTier;
using http::Route;
using namespace http::schema;
using nlohmann::json;

// Of what both create() and get() come to, and `more`.
std::vector<std::string> WebAuthnProblems(const std::vector<std::string>& more) {
    std::vector<std::string> problems = {"webauthn_malformed",         "webauthn_type",
                                         "webauthn_challenge",         "webauthn_origin",
                                         "webauthn_relying_party",     "webauthn_user_absent",
                                         "webauthn_user_not_verified", "webauthn_backup_state",
                                         "mfa_session_ended"};
    problems.insert(problems.end(), more.begin(), more.end());
    return problems;
}

json Descriptors() {
    return {{"type", "array"},
            {"items", Object({{"type", OneOf({"public-key"})}, {"id", Text(1400)}})}};
}

// Of navigator.credentials.get(): its options, and what it came to.
json RequestOptions() {
    return {{"challenge", Text(43)},
            {"rpId", Text(253)},
            {"timeout", Integer(1, 600'000)},
            {"allowCredentials", Descriptors()},
            {"userVerification", Text(20)}};
}

json SignedAnswer() {
    return {{"session_id", Token()},     {"credential_id", Text(1400)},
            {"client_data", Text(6000)}, {"authenticator_data", Text(6000)},
            {"signature", Text(2000)},   {"cookies", Boolean()}};
}

std::vector<Route> PasskeyLogin(const auth::Service& s) {
    Route begin{"POST", "/auth/login/passkey", "beginPasskeyLogin",
                "Options for navigator.credentials.get(), for a login without a password"};
    json options = RequestOptions();
    options["session_id"] = Token();
    options["expires_in"] = Integer(1, 600);
    begin.response = Object(std::move(options));
    begin.problems = {"not_possible"};
    begin.handler = BeginPasskeyLogin;

    Route finish{"POST", "/auth/login/passkey/finish", "finishPasskeyLogin",
                 "Logs in by what a passkey has signed, without a password"};
    json answer = SignedAnswer();
    answer["user_handle"] = Text(88);
    answer["organisation"] = Uuid();
    finish.body = Object(std::move(answer), {"organisation", "cookies"});
    finish.response = SessionSchema();
    finish.problems = WebAuthnProblems(
        {"webauthn_credential", "webauthn_user_handle", "webauthn_signature", "webauthn_counter",
         "mfa_refused", "mfa_locked", "login_locked", "email_not_verified", "awaiting_approval",
         "account_disabled", "tenant_forbidden", "not_possible"});
    finish.rate = RateTier::kSignIn;
    finish.handler = [&s](http::Exchange& e) { return FinishPasskeyLogin(s, e); };
    return {begin, finish};
}

std::vector<Route> SecondFactor(const auth::Service& s) {
    Route begin{"POST", "/auth/mfa/webauthn", "beginAssertion",
                "Options for navigator.credentials.get(), for a login"};
    begin.body = Object({{"session_id", Token()}});
    begin.response = Object(RequestOptions());
    begin.problems = {"mfa_session_ended", "mfa_not_set_up"};
    begin.handler = BeginAssertion;

    Route finish{"POST", "/auth/mfa/webauthn/finish", "finishAssertion",
                 "Ends a login by what an authenticator has signed"};
    json signed_answer = SignedAnswer();
    signed_answer["trust_device"] = Boolean();
    finish.body = Object(std::move(signed_answer), {"trust_device", "cookies"});
    finish.response = SessionSchema();
    finish.problems =
        WebAuthnProblems({"webauthn_credential", "webauthn_signature", "webauthn_counter",
                          "mfa_refused", "mfa_locked", "tenant_forbidden"});
    finish.handler = [&s](http::Exchange& e) { return FinishAssertion(s, e); };
    return {begin, finish};
}

}  // namespace

std::vector<Route> PublicPasskeyRoutes(const auth::Service& service) {
    std::vector<Route> routes = SecondFactor(service);
    for (Route& route : PasskeyLogin(service)) routes.push_back(std::move(route));
    for (Route& route : routes) {
        route.access = Access::kPublic;
        route.idempotent = false;
    }
    return routes;
}

std::vector<Route> OwnPasskeyRoutes(const auth::Service& s) {
    Route begin{"POST", "/auth/mfa/webauthn/register", "beginRegistration",
                "Options for navigator.credentials.create()"};
    begin.body = Object({{"passwordless", Boolean()}}, {"passwordless"});
    begin.response = Object(
        {{"challenge", Text(43)},
         {"rp", Object({{"id", Text(253)}, {"name", Name(100)}})},
         {"user", Object({{"id", Text(64)}, {"name", Email()}, {"displayName", Text(254)}})},
         {"pubKeyCredParams",
          {{"type", "array"},
           {"items", Object({{"type", OneOf({"public-key"})}, {"alg", Integer(-1000, 0)}})}}},
         {"timeout", Integer(1, 600'000)},
         {"excludeCredentials", Descriptors()},
         {"authenticatorSelection", Object({{"residentKey", Text(20)},
                                            {"requireResidentKey", Boolean()},
                                            {"userVerification", Text(20)}})},
         {"attestation", OneOf({"none", "direct"})}});
    begin.problems = {"step_up_required"};
    begin.handler = BeginRegistration;

    Route finish{"POST", "/auth/mfa/webauthn/register/finish", "finishRegistration",
                 "Registers a passkey or security key; other sessions end"};
    finish.body = Object({{"name", Name(100)},
                          {"client_data", Text(6000)},
                          {"attestation_object", Text(8000)},
                          {"cookies", Boolean()}},
                         {"cookies"});
    finish.status = 201;
    finish.response =
        RenewalSchema({{"id", Uuid()}, {"backup_codes", BackupCodesSchema()}}, {"backup_codes"});
    finish.problems =
        WebAuthnProblems({"webauthn_attestation", "step_up_required", "conflict", "not_possible"});
    finish.handler = [&s](http::Exchange& e) { return FinishRegistration(s, e); };
    return {begin, finish};
}

}  // namespace rampart::server::mfa
