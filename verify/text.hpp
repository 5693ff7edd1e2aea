// Text of inputs: numbers and hashes in it, and what of it may be shown.
#pragma once

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "audit/merkle.hpp"

namespace rampart::verify {

// An input that cannot be read: nothing can be said about the log. The message names file and line,
// and repeats nothing that the file contains.
class InputError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

template <typename Integer>
std::optional<Integer> ParseInteger(std::string_view text) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::vector<std::uint8_t>> FromHex(std::string_view text);
std::optional<audit::Hash> ToHash(ByteView bytes);  // nothing for another number of bytes
std::optional<audit::Hash> HashFromHex(std::string_view text);
std::string Hex(ByteView bytes);

// On one line, without control characters: a name of a file, an origin.
std::string Printable(std::string_view text);

}  // namespace rampart::verify
