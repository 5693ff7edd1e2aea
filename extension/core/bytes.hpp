// Views of bytes and big-endian integers, shared by everything that reads or writes a format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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

template <typename Integer>
constexpr void StoreBigEndian(Integer value, std::uint8_t* out) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        out[i] = static_cast<std::uint8_t>(value >> (8 * (sizeof(Integer) - 1 - i)));
    }
}
template <typename Integer>
constexpr Integer LoadBigEndian(const std::uint8_t* in) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) value = value << 8 | in[i];
    return static_cast<Integer>(value);
}

}  // namespace rampart
