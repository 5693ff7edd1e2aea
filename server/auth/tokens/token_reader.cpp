#include "auth/tokens/token_reader.hpp"

#include <algorithm>
#include <chrono>
#include <span>

#include "auth/secrets.hpp"
#include "auth/tokens/jws.hpp"
#include "error.hpp"
#include "http/problem.hpp"
#include "token/verify.hpp"

namespace rampart::server::auth {
namespace {

constexpr int kLeewaySeconds = 5;

std::int64_t Now() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Keys can be used by one thread at a time, so each thread has its own, made anew when the set was.
std::span<const token::Key> KeysOfThread(const SigningKeys::Set& set, const Settings& settings) {
    thread_local std::uint64_t generation = 0;
    thread_local std::vector<token::Key> keys;
    if (generation != set.generation) {
        keys.clear();
        for (const SigningKeys::Key& key : set.keys) {
            const token::Algorithm algorithm = *token::AlgorithmNamed(key.algorithm);
            keys.push_back({key.kid, algorithm, settings.Issuer(), settings.tokens.audience,
                            kLeewaySeconds, true, 0, INT64_MAX,
                            token::VerificationKey::FromText(algorithm, key.public_pem)});
        }
        generation = set.generation;
    }
    return keys;
}

http::TokenClaims VerifiedClaims(std::string_view token, std::span<const token::Key> keys,
                                 std::int64_t now) {
    try {
        Principal principal = token::Verify(token, keys, now);
        if (principal.session.empty()) throw http::Problem("not_authenticated");
        return {std::move(principal.subject),      std::move(principal.session),
                std::move(principal.organisation), std::move(principal.roles),
                std::move(principal.token_id),     principal.expires_at};
    } catch (const Error&) {
        throw http::Problem("not_authenticated");
    }
}

}  // namespace

http::TokenClaims TokenReader::Read(std::string_view token) const {
    const auto keys = keys_.Current();
    const std::int64_t now = Now();
    const Sha256Digest digest = HashOf(token);
    if (auto claims = keys->verified.Find(digest, now)) return *std::move(claims);
    http::TokenClaims claims = VerifiedClaims(token, KeysOfThread(*keys, settings_), now);
    keys->verified.Add(digest, claims);
    return claims;
}

AccessToken TokenReader::Issue(const nlohmann::json& claims, const std::string& jti) const {
    const auto keys = keys_.Current();
    const std::int64_t now = Now();
    const std::int64_t left = claims.value("until", INT64_MAX) - now;
    const auto seconds =
        static_cast<int>(std::clamp<std::int64_t>(left, 1, settings_.tokens.access_seconds));
    nlohmann::json token = {{"iss", settings_.Issuer()},
                            {"aud", settings_.tokens.audience},
                            {"sub", claims.at("sub")},
                            {"sid", claims.at("sid")},
                            {"roles", claims.at("roles")},
                            {"amr", claims.at("amr")},
                            {"jti", jti},
                            {"iat", now},
                            {"exp", now + seconds}};
    if (claims.contains("org") && !claims["org"].is_null()) token["org"] = claims["org"];
    return {Sign(keys->active_key.get(), keys->active_algorithm, keys->active_kid, token), seconds};
}

}  // namespace rampart::server::auth
