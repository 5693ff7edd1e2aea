// Walking over UTF-8 (RFC 3629) that may be none.
#pragma once

#include <optional>
#include <string_view>

#include "bytes.hpp"

namespace rampart {

// Takes the character that `text`, which is not empty, begins with. Nothing if that is not UTF-8:
// cut short, overlong, a surrogate or beyond U+10FFFF.
inline std::optional<char32_t> TakeCodePoint(std::string_view& text) {
    struct Form {
        std::uint8_t mask, mark;  // of the first byte
        char32_t least;           // smaller characters have a shorter form
    };
    constexpr Form kForms[] = {
        {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const auto first = static_cast<std::uint8_t>(text.front());
    std::size_t length = 0;
    for (const Form& form : kForms) {
        ++length;
        if ((first & form.mask) != form.mark) continue;
        if (text.size() < length) return std::nullopt;
        char32_t character = first & static_cast<std::uint8_t>(~form.mask);
        for (const std::uint8_t next : AsBytes(text.substr(1, length - 1))) {
            if ((next & 0xc0U) != 0x80) return std::nullopt;
            character = character << 6 | (next & 0x3fU);
        }
        const bool surrogate = character >= 0xd800 && character <= 0xdfff;
        if (character < form.least || surrogate || character > 0x10ffff) return std::nullopt;
        text.remove_prefix(length);
        return character;
    }
    return std::nullopt;
}

// True if `text` is UTF-8 and `accept` returns true for each of its characters.
template <typename Accept>
bool EachCodePoint(std::string_view text, const Accept& accept) {
    while (!text.empty()) {
        const auto character = TakeCodePoint(text);
        if (!character || !accept(*character)) return false;
    }
    return true;
}

// The property White_Space of Unicode.
constexpr bool IsUnicodeSpace(char32_t c) {
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

}  // namespace rampart
