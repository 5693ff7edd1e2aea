// Secrets that this server makes: tokens of mails, refresh tokens, API keys. 256 random bits, shown
// once; what is stored is their SHA-256, which needs no salt at that size.
#pragma once

#include <string>
#include <string_view>

#include "bytes.hpp"
#include "crypto/sha256.hpp"

namespace rampart::server::auth {

std::string Base64Url(ByteView bytes);

// 43 characters of base64url.
std::string NewToken();

// 128 random bits as 22 characters, for ids that are no secrets: jti, kid, request ids.
std::string NewId();

Sha256Digest HashOf(std::string_view token);

// What a refresh token is exchanged for: HMAC-SHA256 of it under a key that the instances share.
// The same token so has one successor, whoever asks and however often, and nobody stores it.
std::string SuccessorOf(std::string_view token, ByteView rotation_key);

}  // namespace rampart::server::auth
