// A network in CIDR notation (RFC 4632), IPv4 or IPv6. IPv4-mapped addresses are IPv4's.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rampart::server::http {

class Network {
  public:
    // "10.0.0.0/8", "::1", "192.0.2.7". Nothing for what is none.
    static std::optional<Network> Parse(const std::string& text);

    bool Contains(const std::string& address) const;

  private:
    std::array<unsigned char, 16> bytes_{};
    int bits_ = 128;  // of the IPv6 form
};

// An address in its usual form; nothing for what is none.
std::optional<std::string> NormalAddress(const std::string& text);

bool AnyContains(const std::vector<Network>& networks, const std::string& address);

}  // namespace rampart::server::http
