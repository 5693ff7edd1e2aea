// The claims of tokens whose signature was verified lately: a client shows the same token for a
// quarter of an hour, and verifying it is the dearest part of a request. One set of keys has one
// of these, so that nothing outlives the key it was verified by. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/sha256.hpp"
#include "http/exchange.hpp"

namespace rampart::server::auth {

class VerifiedTokens {
  public:
    // By the SHA-256 of the whole token, signature and all; nothing once it has expired.
    std::optional<http::TokenClaims> Find(const Sha256Digest& token, std::int64_t now) const;

    void Add(const Sha256Digest& token, const http::TokenClaims& claims);

  private:
    struct Entry {
        Sha256Digest token;
        http::TokenClaims claims;
    };
    // Each token has one place, and takes it from whichever was there: about 1 MiB when full.
    static constexpr std::size_t kPlaces = 2048;
    static std::size_t PlaceOf(const Sha256Digest& token);

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<const Entry>> entries_{kPlaces};
};

}  // namespace rampart::server::auth
