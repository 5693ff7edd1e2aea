// Views of bytes, hexadecimal and big-endian integers, shared by everything that reads or writes a
// format.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace rampart {

using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

inline ByteView AsBytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string HexOf(ByteView bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::uint8_t byte : bytes) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 15U];
    }
    return text;
}

// GCC does not see in a loop over bytes that it is one instruction.
template <typename Integer>
Integer SwapToBigEndian(Integer value) {
    constexpr std::size_t kSize = sizeof(Integer);
    static_assert(kSize == 1 || kSize == 4 || kSize == 8);
    if constexpr (std::endian::native == std::endian::big || kSize == 1) {
        return value;
    } else if constexpr (kSize == 4) {
        return static_cast<Integer>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
    } else {
        return static_cast<Integer>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
    }
}

template <typename Integer>
void StoreBigEndian(Integer value, std::uint8_t* out) {
    value = SwapToBigEndian(value);
    std::memcpy(out, &value, sizeof value);
}
template <typename Integer>
Integer LoadBigEndian(const std::uint8_t* in) {
    Integer value;
    std::memcpy(&value, in, sizeof value);
    return SwapToBigEndian(value);
}

}  // namespace rampart
