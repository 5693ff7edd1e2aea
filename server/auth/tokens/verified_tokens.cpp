#include "auth/tokens/verified_tokens.hpp"

#include <cstring>

namespace rampart::server::auth {

std::size_t VerifiedTokens::PlaceOf(const Sha256Digest& token) {
    std::size_t place = 0;
    std::memcpy(&place, token.data(), sizeof place);
    return place % kPlaces;
}

std::optional<http::TokenClaims> VerifiedTokens::Find(const Sha256Digest& token,
                                                      std::int64_t now) const {
    const std::lock_guard lock(mutex_);
    const auto& entry = entries_[PlaceOf(token)];
    if (entry == nullptr || entry->token != token || entry->claims.expires_at <= now)
        return std::nullopt;
    return entry->claims;
}

void VerifiedTokens::Add(const Sha256Digest& token, const http::TokenClaims& claims) {
    auto entry = std::make_unique<const Entry>(Entry{token, claims});
    const std::lock_guard lock(mutex_);
    entries_[PlaceOf(token)].swap(entry);
}

}  // namespace rampart::server::auth
