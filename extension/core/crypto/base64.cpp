#include "crypto/base64.hpp"

#include <algorithm>
#include <limits>

#include <openssl/evp.h>

namespace rampart {
namespace {

constexpr std::size_t kMaxText = std::numeric_limits<int>::max() / 2;

}  // namespace

std::string Base64(ByteView bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                    static_cast<int>(bytes.size()));
    text.pop_back();  // the terminating zero
    return text;
}

std::optional<std::vector<std::uint8_t>> FromBase64(std::string_view text) {
    if (text.size() % 4 != 0 || text.size() > kMaxText) return std::nullopt;
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    if (EVP_DecodeBlock(bytes.data(), AsBytes(text).data(), static_cast<int>(text.size())) < 0) {
        return std::nullopt;
    }
    bytes.resize(bytes.size() - padding);
    // OpenSSL skips white space and takes stray bits.
    if (Base64(bytes) != text) return std::nullopt;
    return bytes;
}

std::optional<std::vector<std::uint8_t>> FromBase64Url(std::string_view text) {
    std::string padded(text);
    for (char& c : padded) {
        if (c == '+' || c == '/' || c == '=') return std::nullopt;
        if (c == '-') c = '+';
        if (c == '_') c = '/';
    }
    padded.append((4 - padded.size() % 4) % 4, '=');
    return FromBase64(padded);
}

}  // namespace rampart
