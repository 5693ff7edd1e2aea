// Input: text. Whatever decodes must be canonical armour, and any bytes must survive being
// armoured.
#include <algorithm>

#include "ciphertext.hpp"
#include "fuzz.hpp"

using namespace rampart;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    const std::string_view text = AsText(input);
    if (const auto bytes = Dearmour(text)) {
        fuzz::Require(LooksLikeArmour(text), "what decodes looks like armour");
        fuzz::Require(DearmouredSize(text) == bytes->size(), "the size is known beforehand");
        fuzz::Require(Armour(*bytes) == text, "each value has one text form");
    }
    const auto back = Dearmour(std::string_view(Armour(input)));
    fuzz::Require(back && std::ranges::equal(*back, input), "armour keeps every byte");
    return 0;
}
