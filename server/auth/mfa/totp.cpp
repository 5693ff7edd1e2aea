#include "auth/mfa/totp.hpp"

#include <algorithm>
#include <new>

#include <liboath/oath.h>

#include "crypto/random.hpp"

namespace rampart::server::mfa {
namespace {

std::string UriEscaped(std::string_view text) {
    constexpr std::string_view kUnreserved =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string escaped;
    for (const char c : text) {
        if (kUnreserved.find(c) != std::string_view::npos) {
            escaped += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
        }
    }
    return escaped;
}

bool IsCode(std::string_view code) {
    return code.size() == 6 &&
           std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::vector<std::uint8_t> NewTotpSecret() {
    std::vector<std::uint8_t> secret(kTotpSecretSize);
    RandomBytes(secret);
    return secret;
}

std::string Base32(ByteView bytes) {
    constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string text;
    unsigned held = 0;
    int bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = held << 8 | byte;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            text += kAlphabet[held >> bits & 31];
        }
        held &= (1U << bits) - 1;
    }
    if (bits > 0) text += kAlphabet[held << (5 - bits) & 31];
    return text;
}

std::string TotpUri(ByteView secret, std::string_view issuer, std::string_view account) {
    const std::string escaped = UriEscaped(issuer);
    return "otpauth://totp/" + escaped + ":" + UriEscaped(account) + "?secret=" + Base32(secret) +
           "&issuer=" + escaped + "&algorithm=SHA1&digits=6&period=" + std::to_string(kTotpPeriod);
}

std::optional<TotpMatch> MatchTotp(ByteView secret, std::string_view code, std::int64_t now) {
    if (!IsCode(code) || secret.empty()) return std::nullopt;
    int drift = 0;
    std::uint64_t step = 0;
    const int found = oath_totp_validate4(
        AsText(secret).data(), secret.size(), now, kTotpPeriod, OATH_TOTP_DEFAULT_START_TIME,
        /*window=*/1, &drift, &step, /*flags=*/0, std::string(code).c_str());
    if (found == OATH_MALLOC_ERROR) throw std::bad_alloc();
    if (found < 0) return std::nullopt;
    return TotpMatch{static_cast<std::int64_t>(step), drift};
}

}  // namespace rampart::server::mfa
