// Ciphertext, format 1: what the bytes mean is decided here and nowhere else (docs/formats.md).
//
//   1  format 1 in the high nibble, mode in the low one
//   1  kind of plaintext
//   8  key id, big-endian
//  12  IV
//   n  AES-256-GCM ciphertext
//  16  tag
//
// The first 10 bytes, then the caller's aad, are authenticated.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.hpp"

namespace rampart {

enum class Mode : std::uint8_t { kRandomised = 1, kDeterministic = 2 };

// Stored in ciphertexts and on disk: values are never changed or reused.
enum class Kind : std::uint8_t {
    kText = 1,
    kBytea = 2,
    kJsonb = 3,
    kNumeric = 4,
    kInt8 = 5,
    kDate = 6,
    kTimestamptz = 7,
    kUuid = 8,
    kBool = 9,
};
inline constexpr std::uint8_t kMaxKind = 9;
std::string_view KindName(Kind kind);
std::string_view ModeName(Mode mode);

inline constexpr std::uint8_t kFormat = 1;
inline constexpr std::size_t kHeaderSize = 10;
inline constexpr std::size_t kIvOffset = 10;
inline constexpr std::size_t kBodyOffset = 22;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kCiphertextOverhead = 38;

// A parsed ciphertext: views into the bytes it was parsed from.
struct Ciphertext {
    Mode mode;
    Kind kind;
    std::uint64_t key_id;
    ByteView header;  // the 10 authenticated bytes
    const std::uint8_t* iv;
    ByteView body;
    const std::uint8_t* tag;
};

// Nothing unless format, mode, kind and length are right. Authenticates nothing.
std::optional<Ciphertext> ParseCiphertext(ByteView bytes);

void WriteHeader(Mode mode, Kind kind, std::uint64_t key_id, std::uint8_t* out);

// Text form: "rmp1:" and base64url (RFC 4648, section 5) of the bytes, without padding.
inline constexpr std::string_view kArmourPrefix = "rmp1:";
constexpr std::size_t ArmourSize(std::size_t bytes) {
    return kArmourPrefix.size() + (bytes * 4 + 2) / 3;
}
void WriteArmour(ByteView bytes, char* out);  // ArmourSize(bytes.size()) characters
std::string Armour(ByteView bytes);
bool LooksLikeArmour(std::string_view text);
// Number of bytes the armour holds, nothing if it is not canonical armour. Canonical: each byte
// string has one text form (no padding, no stray bits in the last character).
std::optional<std::size_t> DearmouredSize(std::string_view text);
// Decodes to DearmouredSize(text) bytes. False if a character is none of the alphabet's.
[[nodiscard]] bool Dearmour(std::string_view text, std::uint8_t* out);
std::optional<std::vector<std::uint8_t>> Dearmour(std::string_view text);

std::string KeyIdText(std::uint64_t key_id);  // 16 hexadecimal digits

}  // namespace rampart
