// The keys that access tokens are signed and verified with, as the database has them, in memory.
// Loaded when the listener connects and when it hears that they have changed. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "auth/tokens/verified_tokens.hpp"
#include "config/settings.hpp"
#include "crypto/openssl.hpp"
#include "db/pool.hpp"

namespace rampart::server::auth {

class SigningKeys {
  public:
    SigningKeys(db::Pool& pool, const Settings& settings) : pool_(pool), settings_(settings) {}

    // Makes the first key where there is none. Throws http::Problem where the database is not
    // there.
    void Reload();

    struct Key {
        std::string kid;
        std::string algorithm;
        std::string public_pem;
        bool active;
    };
    struct Set {
        std::uint64_t generation = 0;
        std::vector<Key> keys;
        std::string active_kid;
        std::string active_algorithm;
        KeyPair active_key;
        nlohmann::json jwks;
        mutable VerifiedTokens verified;
    };
    // Throws http::Problem `unavailable` before the first Reload().
    std::shared_ptr<const Set> Current() const;

  private:
    void MakeFirst();

    db::Pool& pool_;
    const Settings& settings_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Set> current_;
    std::uint64_t generations_ = 0;
};

}  // namespace rampart::server::auth
