#include "ciphertext.hpp"

#include <algorithm>
#include <array>

namespace rampart {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> kDigits = [] {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(kNoDigit);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return digits;
}();

std::uint8_t Digit(char c) { return kDigits[static_cast<unsigned char>(c)]; }

// Characters that one or two bytes leave over take two or three; each carries six bits, so that
// four or two bits of the last one stand for nothing and must be zero.
constexpr std::uint8_t StrayBits(std::size_t characters_left) {
    constexpr std::array<std::uint8_t, 4> kMask{0, 0, 0x0f, 0x03};
    return kMask[characters_left];
}

}  // namespace

std::string_view KindName(Kind kind) {
    constexpr std::array<std::string_view, kMaxKind> kNames{
        "text", "bytea", "jsonb", "numeric", "int8", "date", "timestamptz", "uuid", "bool"};
    return kNames.at(static_cast<std::size_t>(kind) - 1);
}

std::string_view ModeName(Mode mode) {
    return mode == Mode::kRandomised ? "randomised" : "deterministic";
}

std::optional<Ciphertext> ParseCiphertext(ByteView bytes) {
    if (bytes.size() < kCiphertextOverhead || bytes[0] >> 4 != kFormat) return std::nullopt;
    const Mode mode{static_cast<std::uint8_t>(bytes[0] & 0x0f)};
    if (mode != Mode::kRandomised && mode != Mode::kDeterministic) return std::nullopt;
    if (bytes[1] == 0 || bytes[1] > kMaxKind) return std::nullopt;
    const ByteView body = bytes.subspan(kBodyOffset, bytes.size() - kCiphertextOverhead);
    return Ciphertext{.mode = mode,
                      .kind = Kind{bytes[1]},
                      .key_id = LoadBigEndian<std::uint64_t>(bytes.data() + 2),
                      .header = bytes.first(kHeaderSize),
                      .iv = bytes.data() + kIvOffset,
                      .body = body,
                      .tag = body.data() + body.size()};
}

void WriteHeader(Mode mode, Kind kind, std::uint64_t key_id, std::uint8_t* out) {
    out[0] = static_cast<std::uint8_t>(kFormat << 4 | static_cast<std::uint8_t>(mode));
    out[1] = static_cast<std::uint8_t>(kind);
    StoreBigEndian(key_id, out + 2);
}

void WriteArmour(ByteView bytes, char* out) {
    out = std::copy(kArmourPrefix.begin(), kArmourPrefix.end(), out);
    while (bytes.size() >= 3) {
        const std::uint32_t group =
            std::uint32_t{bytes[0]} << 16 | std::uint32_t{bytes[1]} << 8 | bytes[2];
        *out++ = kAlphabet[group >> 18];
        *out++ = kAlphabet[group >> 12 & 0x3f];
        *out++ = kAlphabet[group >> 6 & 0x3f];
        *out++ = kAlphabet[group & 0x3f];
        bytes = bytes.subspan(3);
    }
    if (bytes.empty()) return;
    const std::uint32_t first = bytes[0];
    const std::uint32_t second = bytes.size() == 2 ? bytes[1] : 0;
    *out++ = kAlphabet[first >> 2];
    *out++ = kAlphabet[(first << 4 & 0x30) | second >> 4];
    if (bytes.size() == 2) *out++ = kAlphabet[second << 2 & 0x3f];
}

std::string Armour(ByteView bytes) {
    std::string text(ArmourSize(bytes.size()), '\0');
    WriteArmour(bytes, text.data());
    return text;
}

bool LooksLikeArmour(std::string_view text) { return text.starts_with(kArmourPrefix); }

std::optional<std::size_t> DearmouredSize(std::string_view text) {
    if (!LooksLikeArmour(text)) return std::nullopt;
    text.remove_prefix(kArmourPrefix.size());
    const std::size_t left = text.size() % 4;
    if (left == 1) return std::nullopt;
    if (left != 0 && (Digit(text.back()) & StrayBits(left)) != 0) return std::nullopt;
    return text.size() / 4 * 3 + (left == 0 ? 0 : left - 1);
}

bool Dearmour(std::string_view text, std::uint8_t* out) {
    text.remove_prefix(kArmourPrefix.size());
    // The digits are below 64, so any bit above them means that some character was none.
    std::uint8_t seen = 0;
    std::uint32_t group = 0;
    const auto take = [&](char c) {
        const std::uint8_t digit = Digit(c);
        seen |= digit;
        group = group << 6 | digit;
    };
    while (text.size() >= 4) {
        for (std::size_t i = 0; i < 4; ++i) take(text[i]);
        *out++ = static_cast<std::uint8_t>(group >> 16);
        *out++ = static_cast<std::uint8_t>(group >> 8);
        *out++ = static_cast<std::uint8_t>(group);
        text.remove_prefix(4);
    }
    for (const char c : text) take(c);
    if (text.size() == 2) {
        *out = static_cast<std::uint8_t>(group >> 4);
    } else if (text.size() == 3) {
        *out++ = static_cast<std::uint8_t>(group >> 10);
        *out = static_cast<std::uint8_t>(group >> 2);
    }
    return seen < kAlphabet.size();
}

std::optional<std::vector<std::uint8_t>> Dearmour(std::string_view text) {
    const std::optional<std::size_t> size = DearmouredSize(text);
    if (!size) return std::nullopt;
    std::vector<std::uint8_t> bytes(*size);
    if (!Dearmour(text, bytes.data())) return std::nullopt;
    return bytes;
}

std::string KeyIdText(std::uint64_t key_id) {
    std::array<std::uint8_t, sizeof key_id> bytes;
    StoreBigEndian(key_id, bytes.data());
    return HexOf(bytes);
}

}  // namespace rampart
