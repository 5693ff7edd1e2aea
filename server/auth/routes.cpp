#include "auth/routes.hpp"

#include "auth/api_keys.hpp"
#include "auth/login.hpp"
#include "auth/passwords.hpp"
#include "auth/sessions.hpp"
#include "auth/signup.hpp"
#include "http/schema.hpp"

namespace rampart::server::auth {
namespace {

// Several times what it takes to write a mail, or to find that there is nobody to write to.
constexpr std::chrono::milliseconds kQuietly{50};
// Besides, a password is hashed.
constexpr std::chrono::milliseconds kQuietlyHashed{100};

using http::Access;
using http::RateTier;
using http::Route;
using namespace http::schema;
using nlohmann::json;

json SessionSchema() {
    return Object({{"token_type", OneOf({"Bearer"})},
                   {"access_token", Text(4096)},
                   {"expires_in", Integer(1, 3600)},
                   {"csrf_token", Text(64)},
                   {"refresh_token", Token()}},
                  {"refresh_token"});
}

// A session, or the challenge that comes before it.
json LoginSchema() {
    json schema = SessionSchema();
    schema["properties"].erase("refresh_token");
    schema["properties"]["mfa_required"] = Boolean();
    schema["properties"]["session_id"] = Token();
    schema["properties"]["methods"] = ListOf(Text(20), 10);
    schema["required"] = json::array({"expires_in"});
    return schema;
}

json StatusSchema(std::vector<std::string> values) {
    return Object({{"status", OneOf(std::move(values))}});
}

std::vector<Route> Public(const Service& s) {
    const auto with = [&s](http::Reply (*flow)(const Service&, http::Exchange&)) {
        return [&s, flow](http::Exchange& e) { return flow(s, e); };
    };
    std::vector<Route> routes = {
        {"POST", "/auth/signup", "signUp", "Signs up, in the mode that the server is set to"},
        {"POST", "/auth/verify-email", "verifyEmail",
         "Verifies an address by the token of its mail"},
        {"POST", "/auth/verify-email/resend", "resendVerification", "Mails another token"},
        {"POST", "/auth/login", "logIn", "Logs in by password"},
        {"POST", "/auth/refresh", "refresh",
         "Exchanges a refresh token, of the cookie or the body, for the next one and an access "
         "token"},
        {"POST", "/auth/password/forgot", "forgotPassword",
         "Mails a link to set another password by"},
        {"POST", "/auth/password/reset", "resetPassword",
         "Sets another password by the token of a mail"},
        {"GET", "/.well-known/jwks.json", "jwks", "The public keys of access tokens (RFC 7517)"},
    };
    for (Route& route : routes) route.access = Access::kPublic;
    Route* r = routes.data();
    r[0].body = Object({{"email", Email()},
                        {"password", Password()},
                        {"name", Name(100)},
                        {"invitation", Token()}},
                       {"name", "invitation"});
    r[0].status = 202;
    r[0].response = StatusSchema({"verification_sent", "active"});
    r[0].problems = {"password_refused", "signup_refused", "token_invalid"};
    r[0].rate = RateTier::kSignIn;
    r[0].least = kQuietlyHashed;
    r[0].handler = with(SignUp);
    r[1].body = Object({{"token", Token()}});
    r[1].response = StatusSchema({"active", "awaiting_approval", "disabled"});
    r[1].problems = {"token_invalid"};
    r[1].rate = RateTier::kPasswordReset;
    r[1].handler = VerifyEmail;
    r[2].body = Object({{"email", Email()}});
    r[2].status = 202;
    r[2].response = StatusSchema({"verification_sent"});
    r[2].rate = RateTier::kPasswordReset;
    r[2].least = kQuietly;
    r[2].handler = ResendVerification;
    r[3].body = Object({{"email", Email()},
                        {"password", Password()},
                        {"organisation", Uuid()},
                        {"cookies", Boolean()}},
                       {"organisation", "cookies"});
    r[3].response = LoginSchema();
    r[3].problems = {"invalid_credentials", "login_locked",     "email_not_verified",
                     "awaiting_approval",   "account_disabled", "tenant_forbidden"};
    r[3].rate = RateTier::kSignIn;
    r[3].idempotent = false;
    r[3].handler = with(LogIn);
    r[4].body = Object({{"refresh_token", Token()}, {"organisation", Uuid()}},
                       {"refresh_token", "organisation"});
    r[4].response = SessionSchema();
    r[4].problems = {"session_ended", "csrf_refused", "tenant_forbidden"};
    r[4].rate = RateTier::kRefresh;
    r[4].idempotent = false;
    r[4].handler = with(RefreshSession);
    r[5].body = Object({{"email", Email()}});
    r[5].status = 202;
    r[5].response = StatusSchema({"reset_sent"});
    r[5].rate = RateTier::kPasswordReset;
    r[5].least = kQuietly;
    r[5].handler = ForgotPassword;
    r[6].body = Object({{"token", Token()}, {"new_password", Password()}});
    r[6].status = 204;
    r[6].problems = {"token_invalid", "password_refused"};
    r[6].rate = RateTier::kPasswordReset;
    r[6].handler = with(ResetPassword);
    r[7].response = Object({{"keys", {{"type", "array"}, {"items", {{"type", "object"}}}}}});
    r[7].handler = [&s](http::Exchange&) {
        return http::Reply{200,
                           s.signing_keys.Current()->jwks,
                           {{"Cache-Control", "public, max-age=300"}},
                           {},
                           {}};
    };
    return routes;
}

json SessionItem() {
    return Object({{"id", Uuid()},
                   {"created_at", DateTime()},
                   {"last_used_at", DateTime()},
                   {"expires_at", DateTime()},
                   {"ip", Nullable(Text(45))},
                   {"user_agent", Nullable(Text(500, 0))},
                   {"amr", ListOf(Text(20), 10)},
                   {"current", Boolean()}});
}

std::vector<Route> Own(const Service& s) {
    std::vector<Route> routes = {
        {"POST", "/auth/logout", "logOut", "Ends this session"},
        {"POST", "/auth/password/change", "changePassword",
         "Changes one's own password; all other sessions end"},
        {"GET", "/auth/me", "whoAmI", "Who is logged in, from the token"},
        {"GET", "/auth/verify", "verify",
         "For proxies: whether the request is from somebody, and may do that"},
        {"GET", "/auth/profile", "profile", "One's own account and organisations"},
        {"GET", "/auth/sessions", "listSessions", "One's own sessions"},
        {"DELETE", "/auth/sessions", "endOtherSessions",
         "Ends all of one's own sessions but this one"},
        {"DELETE", "/auth/sessions/{id}", "endSession", "Ends one of one's own sessions"},
    };
    for (Route& route : routes) {
        route.access = Access::kSelf;
        route.no_api_keys = true;
    }
    Route* r = routes.data();
    r[0].status = 204;
    r[0].idempotent = false;
    r[0].handler = LogOut;
    r[1].body = Object({{"old_password", Password()}, {"new_password", Password()}});
    r[1].status = 204;
    r[1].problems = {"invalid_credentials", "password_refused", "login_locked", "conflict"};
    r[1].rate = RateTier::kPasswordReset;
    r[1].handler = [&s](http::Exchange& e) { return ChangePassword(s, e); };
    r[2].no_api_keys = r[3].no_api_keys = false;
    r[0].while_enrolling = r[2].while_enrolling = true;
    r[2].response = Object({{"id", Uuid()},
                            {"organisation", Nullable(Uuid())},
                            {"roles", ListOf(Text(50), 50)},
                            {"session", Uuid()},
                            {"scopes", ListOf(Text(100), 100)}},
                           {"session", "scopes"});
    r[2].handler = [&s](http::Exchange& e) { return WhoAmI(s, e); };
    r[3].query = Object({{"resource", Text(100)}, {"action", Text(100)}}, {"resource", "action"});
    r[3].response = Object(json::object());
    r[3].problems = {"forbidden", "tenant_required"};
    r[3].handler = [&s](http::Exchange& e) { return VerifyForProxy(s, e); };
    r[4].response =
        Object({{"id", Uuid()},
                {"email", Email()},
                {"name", Nullable(Name(100))},
                {"created_at", DateTime()},
                {"last_login_at", Nullable(DateTime())},
                {"platform_role", Nullable(OneOf({"SUPER_ADMIN"}))},
                {"organisations",
                 {{"type", "array"},
                  {"items", Object({{"id", Uuid()}, {"name", Name(100)}, {"role", Text(20)}})}}}});
    r[4].handler = http::CallFunction("profile");
    r[5].response = Page(SessionItem());
    r[5].handler = http::CallFunction("list_sessions");
    r[6].status = r[7].status = 204;
    r[6].handler = http::CallFunction("end_other_sessions");
    r[7].handler = http::CallFunction("end_session");
    r[7].problems = {"not_found"};
    return routes;
}

std::vector<Route> Keys() {
    const json scopes = ListOf(Text(100, 3), 50);
    const json key = Object({{"id", Uuid()},
                             {"name", Name(100)},
                             {"scopes", scopes},
                             {"last_four", Text(4)},
                             {"created_by", Uuid()},
                             {"created_at", DateTime()},
                             {"expires_at", Nullable(DateTime())},
                             {"last_used_at", Nullable(DateTime())}});
    std::vector<Route> routes = {
        {"GET",
         "/api-keys",
         "listApiKeys",
         "API keys: one's own, or all of the organisation",
         Access::kPermission,
         {"api_key", "read", "own"}},
        {"POST",
         "/api-keys",
         "createApiKey",
         "Makes an API key, which is shown this once",
         Access::kPermission,
         {"api_key", "create", "own"}},
        {"DELETE",
         "/api-keys/{id}",
         "revokeApiKey",
         "Revokes an API key",
         Access::kPermission,
         {"api_key", "update", "own"}},
        {"POST",
         "/admin/signing-keys",
         "createSigningKey",
         "Publishes the next signing key",
         Access::kPermission,
         {"platform", "update", "platform"}},
        {"POST",
         "/admin/signing-keys/activate",
         "activateSigningKey",
         "Signs with the next key from now on",
         Access::kPermission,
         {"platform", "update", "platform"}},
    };
    for (Route& route : routes) route.no_api_keys = true;
    Route* r = routes.data();
    r[0].response = Page(key);
    r[0].handler = http::CallFunction("list_api_keys");
    r[1].body = Object({{"name", Name(100)}, {"scopes", scopes}, {"expires_at", DateTime()}},
                       {"expires_at"});
    r[1].status = 201;
    r[1].response = Object({{"id", Uuid()},
                            {"name", Name(100)},
                            {"scopes", scopes},
                            {"created_at", DateTime()},
                            {"expires_at", Nullable(DateTime())},
                            {"key", Text(100)}});
    r[1].problems = {"not_possible"};
    r[1].handler = CreateApiKey;
    r[1].step_up = r[3].step_up = r[4].step_up = true;
    r[2].status = 204;
    r[2].problems = {"not_found"};
    r[2].handler = http::CallFunction("revoke_api_key");
    const json kid = Object({{"kid", Text(50)}, {"algorithm", Text(10)}}, {"algorithm"});
    r[3].status = 201;
    r[3].response = kid;
    r[3].problems = {"conflict"};
    r[3].handler = CreateSigningKey;
    r[4].response = kid;
    r[4].problems = {"conflict"};
    r[4].handler = ActivateSigningKey;
    return routes;
}

}  // namespace

std::vector<Route> Routes(const Service& service) {
    std::vector<Route> routes = Public(service);
    for (std::vector<Route>& group : std::vector<std::vector<Route>>{Own(service), Keys()}) {
        for (Route& route : group) routes.push_back(std::move(route));
    }
    return routes;
}

}  // namespace rampart::server::auth
