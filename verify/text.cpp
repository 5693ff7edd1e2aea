#include "text.hpp"

#include <algorithm>

#include "utf8.hpp"

namespace rampart::verify {
namespace {

std::optional<std::uint8_t> Digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    return std::nullopt;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> FromHex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<std::uint8_t> bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = Digit(text[i]);
        const auto low = Digit(text[i + 1]);
        if (!high || !low) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
    }
    return bytes;
}

std::optional<audit::Hash> ToHash(ByteView bytes) {
    audit::Hash hash{};
    if (bytes.size() != hash.size()) return std::nullopt;
    std::ranges::copy(bytes, hash.begin());
    return hash;
}

std::optional<audit::Hash> HashFromHex(std::string_view text) {
    const auto bytes = FromHex(text);
    return bytes ? ToHash(*bytes) : std::nullopt;
}

std::string Hex(ByteView bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

std::string Printable(std::string_view text) {
    std::string shown;
    while (!text.empty()) {
        const std::string_view before = text;
        const auto c = TakeCodePoint(text);
        if (!c) text.remove_prefix(1);
        const bool plain = c && *c >= ' ' && !(*c >= 0x7f && *c < 0xa0);
        shown += plain ? before.substr(0, before.size() - text.size()) : "?";
    }
    return shown;
}

}  // namespace rampart::verify
