#include "policy/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace rampart::policy {
namespace {

constexpr unsigned kMappedPrefix = 96;
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsMapped(const Address& address) {
    return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

}  // namespace

bool Network::Contains(const Address& other) const {
    // An IPv6 network holds no IPv4 address, not even ::/0.
    if (prefix < kMappedPrefix && IsMapped(other)) return false;
    const std::size_t bytes = prefix / 8;
    if (!std::equal(address.begin(), address.begin() + bytes, other.begin())) return false;
    const unsigned bits = prefix % 8;
    return bits == 0 || ((address[bytes] ^ other[bytes]) >> (8 - bits)) == 0;
}

std::optional<Address> ParseAddress(std::string_view text) {
    const std::string terminated(text);
    if (terminated.find('\0') != terminated.npos) return std::nullopt;
    Address address{};
    if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
    std::copy(kMapped.begin(), kMapped.end(), address.begin());
    if (inet_pton(AF_INET, terminated.c_str(), address.data() + kMapped.size()) == 1) {
        return address;
    }
    return std::nullopt;
}

std::optional<Network> ParseNetwork(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = ParseAddress(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == text.npos) return Network{*address, 128};
    unsigned prefix = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + slash + 1, end, prefix);
    const bool version_4 = text.find(':') == text.npos;
    if (read.ec != std::errc() || read.ptr != end || prefix > (version_4 ? 32U : 128U)) {
        return std::nullopt;
    }
    return Network{*address, version_4 ? prefix + kMappedPrefix : prefix};
}

}  // namespace rampart::policy
