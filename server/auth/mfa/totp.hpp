// Codes of authenticator apps (RFC 6238): SHA-1, 30 seconds, six digits, the one step before and
// after the present one too, because phones' clocks differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace rampart::server::mfa {

inline constexpr std::size_t kTotpSecretSize = 20;  // 160 bits (RFC 4226, 4)
inline constexpr int kTotpPeriod = 30;

std::vector<std::uint8_t> NewTotpSecret();

// As people type a secret that they cannot scan (RFC 4648, 6, without padding).
std::string Base32(ByteView bytes);

// What the QR code says: otpauth://totp/issuer:account?...
std::string TotpUri(ByteView secret, std::string_view issuer, std::string_view account);

struct TotpMatch {
    std::int64_t step;  // since 1970: no code of this step or an earlier one is to be taken again
    int drift;          // steps that the app's clock is ahead of ours
};

// Nothing for another code, or what is none. `now` in seconds since 1970. Whether the step was used
// before is for the database, which sees all attempts.
std::optional<TotpMatch> MatchTotp(ByteView secret, std::string_view code, std::int64_t now);

}  // namespace rampart::server::mfa
