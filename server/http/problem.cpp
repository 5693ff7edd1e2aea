#include "http/problem.hpp"

#include <algorithm>
#include <cassert>

namespace rampart::server::http {
namespace {

// In the order of their status. what() relies on each code ending with a NUL, as literals do.
constexpr ProblemKind kKinds[] = {
    {"malformed_request", 400, "The request cannot be understood"},
    {"malformed_json", 400, "The body is not the JSON that is taken here"},
    {"token_invalid", 400, "The token of a mail is not valid, or not any more"},
    {"tenant_required", 400, "No organisation was chosen"},
    {"not_authenticated", 401, "Not logged in"},
    {"invalid_credentials", 401, "Address or password is wrong"},
    {"mfa_refused", 401, "The second factor is wrong, or was used before"},
    {"mfa_session_ended", 401, "The login was not begun, or has ended"},
    {"webauthn_attestation", 401, "Nobody vouches for the authenticator"},
    {"webauthn_backup_state", 401, "The passkey has changed what it cannot change"},
    {"webauthn_challenge", 401, "The authenticator has signed another challenge, or an old one"},
    {"webauthn_counter", 401, "The authenticator may have been copied"},
    {"webauthn_credential", 401, "Nobody here has this passkey"},
    {"webauthn_malformed", 401, "Not what an authenticator answers"},
    {"webauthn_origin", 401, "The authenticator was used on another page"},
    {"webauthn_relying_party", 401, "The authenticator has answered for another domain"},
    {"webauthn_signature", 401, "The signature is not that of the passkey"},
    {"webauthn_type", 401, "The authenticator was asked for something else"},
    {"webauthn_user_absent", 401, "Nobody has touched the authenticator"},
    {"webauthn_user_handle", 401, "The passkey says that it is somebody else's"},
    {"webauthn_user_not_verified", 401, "The authenticator has not verified who uses it"},
    {"session_ended", 401, "The session has ended"},
    {"forbidden", 403, "Not allowed"},
    {"tenant_forbidden", 403, "Not a member of this organisation"},
    {"mfa_enrolment_required", 403, "A second factor is to be enrolled first"},
    {"step_up_required", 403, "This takes a recent proof of who is there"},
    {"csrf_refused", 403, "The request does not prove that it comes from the application"},
    {"address_refused", 403, "Not from this address"},
    {"signup_refused", 403, "Signing up is not possible so"},
    {"email_not_verified", 403, "The address has not been verified"},
    {"awaiting_approval", 403, "The account has not been approved"},
    {"account_disabled", 403, "The account is disabled"},
    {"not_found", 404, "There is no such thing"},
    {"method_not_allowed", 405, "Not by this method"},
    {"request_timeout", 408, "The request took too long to arrive"},
    {"mfa_not_set_up", 409, "The account has no such second factor"},
    {"conflict", 409, "In conflict with what is there"},
    {"length_required", 411, "The body has no length"},
    {"body_too_large", 413, "The body is too large"},
    {"target_too_long", 414, "The address is too long"},
    {"unsupported_media_type", 415, "The body is not JSON"},
    {"expectation_failed", 417, "The request expects what cannot be done"},
    {"validation_failed", 422, "The request is not valid"},
    {"password_refused", 422, "The password is refused"},
    {"not_possible", 422, "Not possible as things are"},
    {"setting_fixed", 422, "The setting is not for the database"},
    {"idempotency_key_reused", 422, "The Idempotency-Key belongs to another request"},
    {"rate_limited", 429, "Too many requests"},
    {"mfa_locked", 429, "Too many wrong second factors"},
    {"login_locked", 429, "Too many failed logins"},
    {"headers_too_large", 431, "The headers are too large"},
    {"internal_error", 500, "Something went wrong"},
    {"method_unknown", 501, "There is no such method"},
    {"unavailable", 503, "Not available at the moment"},
    {"version_unknown", 505, "Not by this version of HTTP"},
};

}  // namespace

std::span<const ProblemKind> ProblemKinds() { return kKinds; }

Problem::Problem(std::string_view code, std::string detail)
    : kind_(std::find_if(std::begin(kKinds), std::end(kKinds),
                         [&](const ProblemKind& kind) { return kind.code == code; })),
      detail_(std::move(detail)) {
    assert(kind_ != std::end(kKinds));
}

Problem& Problem::WithErrors(std::vector<FieldError> errors) {
    errors_ = std::move(errors);
    return *this;
}

Problem& Problem::RetryAfter(int seconds) {
    retry_after_ = std::max(seconds, 1);
    return *this;
}

Problem& Problem::Allow(std::string methods) {
    allow_ = std::move(methods);
    return *this;
}

nlohmann::json Problem::Body(std::string_view trace_id) const {
    nlohmann::json body = {{"type", "about:blank"},
                           {"title", kind_->title},
                           {"status", kind_->status},
                           {"code", kind_->code},
                           {"traceId", trace_id}};
    if (!detail_.empty()) body["detail"] = detail_;
    for (const FieldError& error : errors_) {
        body["errors"].push_back({{"pointer", error.pointer}, {"detail", error.detail}});
    }
    return body;
}

}  // namespace rampart::server::http
