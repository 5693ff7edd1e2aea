// IP addresses and networks, as Go's net.ParseIP and net.ParseCIDR read them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rampart::policy {

// 16 bytes; an IPv4 address is one of ::ffff:0:0/96.
using Address = std::array<std::uint8_t, 16>;

struct Network {
    Address address{};
    unsigned prefix = 128;

    bool Contains(const Address& other) const;
};

std::optional<Address> ParseAddress(std::string_view text);
std::optional<Network> ParseNetwork(std::string_view text);  // or one address

}  // namespace rampart::policy
