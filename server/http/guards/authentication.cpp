#include <algorithm>

#include "auth/secrets.hpp"
#include "auth/session_cookies.hpp"
#include "http/cookies.hpp"
#include "http/guards/guards.hpp"
#include "http/problem.hpp"
#include "http/schema.hpp"

namespace rampart::server::http {
namespace {

constexpr std::string_view kApiKeyPrefix = "rmp_";

void UseApiKey(Exchange& exchange, std::string_view key) {
    if (!key.starts_with(kApiKeyPrefix) || key.size() > 100) throw Problem("not_authenticated");
    const Sha256Digest hash = auth::HashOf(key);
    exchange.credential = Credential::kApiKey;
    exchange.api_key_hash.assign(hash.begin(), hash.end());
}

void UseToken(Exchange& exchange, Credential credential, TokenClaims claims) {
    exchange.credential = credential;
    exchange.organisation = claims.organisation;
    exchange.token = std::move(claims);
}

void Authenticate(Exchange& exchange, const auth::TokenReader& tokens) {
    constexpr std::string_view kBearer = "Bearer ";
    const httplib::Request& request = exchange.request;
    const std::size_t given = request.get_header_value_count("Authorization") +
                              request.get_header_value_count("X-API-Key");
    if (given > 1) throw Problem("malformed_request", "more than one credential");
    if (request.has_header("X-API-Key")) return UseApiKey(exchange, exchange.Header("X-API-Key"));
    if (request.has_header("Authorization")) {
        const std::string header = exchange.Header("Authorization");
        if (!header.starts_with(kBearer)) throw Problem("not_authenticated");
        const std::string_view credential = std::string_view(header).substr(kBearer.size());
        if (credential.starts_with(kApiKeyPrefix)) return UseApiKey(exchange, credential);
        return UseToken(exchange, Credential::kBearer, tokens.Read(credential));
    }
    const auto cookie = CookieValue(exchange.Header("Cookie"), auth::kAccessCookie);
    if (!cookie) throw Problem("not_authenticated");
    UseToken(exchange, Credential::kCookie, tokens.Read(*cookie));
}

bool MustEnrol(const std::vector<std::string>& roles) {
    return std::find(roles.begin(), roles.end(), kEnrolling) != roles.end();
}

// The organisation of the path, of the header, of the token; the first two agree where both are
// given.
void ChooseOrganisation(Exchange& exchange) {
    const std::string header = exchange.Header("X-Tenant-Id");
    if (exchange.request.get_header_value_count("X-Tenant-Id") > 1 ||
        (!header.empty() && !IsUuid(header))) {
        throw Problem("malformed_request", "X-Tenant-Id is no id");
    }
    const auto path = exchange.path.find("organisation");
    if (path != exchange.path.end()) {
        if (!header.empty() && header != path->second) throw Problem("tenant_forbidden");
        exchange.organisation = path->second;
    } else if (!header.empty()) {
        exchange.organisation = header;
    }
}

}  // namespace

Guard Authentication(const auth::TokenReader& tokens) {
    return [&tokens](Exchange& exchange) {
        if (exchange.route->access == Access::kPublic) return;
        Authenticate(exchange, tokens);
        if (exchange.credential == Credential::kApiKey && exchange.route->no_api_keys)
            throw Problem("forbidden", "not by an API key");
        if (exchange.token && !exchange.route->while_enrolling &&
            MustEnrol(exchange.token->roles)) {
            throw Problem("mfa_enrolment_required");
        }
        ChooseOrganisation(exchange);
    };
}

}  // namespace rampart::server::http
