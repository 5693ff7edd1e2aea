#include "auth/secrets.hpp"

#include <array>

#include "crypto/hmac.hpp"
#include "crypto/random.hpp"

namespace rampart::server::auth {

std::string Base64Url(ByteView bytes) {
    constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    std::uint32_t bits = 0;
    int count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = bits << 8U | byte;
        count += 8;
        for (; count >= 6; count -= 6)
            text += kAlphabet[bits >> static_cast<unsigned>(count - 6) & 63U];
    }
    if (count > 0) text += kAlphabet[bits << static_cast<unsigned>(6 - count) & 63U];
    return text;
}

namespace {

template <std::size_t kSize>
std::string Random() {
    std::array<std::uint8_t, kSize> bytes;
    RandomBytes(bytes);
    return Base64Url(bytes);
}

}  // namespace

std::string NewToken() { return Random<32>(); }
std::string NewId() { return Random<16>(); }

Sha256Digest HashOf(std::string_view token) { return Sha256(AsBytes(token)); }

std::string SuccessorOf(std::string_view token, ByteView rotation_key) {
    const HmacSha256 hmac(rotation_key, AsBytes("rampartd refresh token"));
    HmacSha256::Message message = hmac.Start();
    message.Update(AsBytes(token));
    std::array<std::uint8_t, HmacSha256::kSize> mac;
    message.Final(mac.data());
    return Base64Url(mac);
}

}  // namespace rampart::server::auth
