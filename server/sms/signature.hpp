// Signatures of requests as Standard Webhooks has them (https://www.standardwebhooks.com): what
// the provider's verifier, of any language, takes as it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hmac.hpp"

namespace rampart::server::sms {

// The key of a secret, which is base64 of 24 to 64 bytes, with `whsec_` before it or without.
// Nothing if it is none.
std::optional<std::vector<std::uint8_t>> KeyOf(std::string_view secret);

// "v1," and base64 of HMAC-SHA256 of `id.timestamp.body`; `timestamp` in seconds since 1970.
std::string SignatureOf(const HmacSha256& key, std::string_view id, std::string_view timestamp,
                        std::string_view body);

}  // namespace rampart::server::sms
