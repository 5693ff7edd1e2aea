// Password hashes: argon2id (RFC 9106) and bcrypt for new ones, and those plus what other systems
// wrote for verification. A hash is text with its algorithm, parameters and salt in it.
#pragma once

#include <string>

#include "config/settings.hpp"

namespace rampart::server::auth {

// bcrypt reads no more than 72 bytes; longer passwords are refused under it, not cut.
inline constexpr std::size_t kBcryptMost = 72;

class PasswordHasher {
  public:
    explicit PasswordHasher(const PasswordSettings& settings);

    // Takes tens of milliseconds: run it in the HashPool. Error 22023 where bcrypt cannot take it.
    std::string Hash(const std::string& password) const;

    // argon2i, argon2id, and what crypt(3) knows of $2a$, $2b$, $2y$.
    bool Verify(const std::string& password, const std::string& hash) const;

    // Whether a hash is weaker than what Hash() writes today, or of another algorithm.
    bool IsOutdated(const std::string& hash) const;

    // A hash that no password has, to be verified where there is no account, at the same cost.
    const std::string& nobody() const { return nobody_; }

  private:
    std::string Argon2Prefix() const;
    std::string BcryptPrefix() const;

    const PasswordSettings settings_;
    std::string nobody_;
};

}  // namespace rampart::server::auth
