#include "http/network.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace rampart::server::http {
namespace {

using Bytes = std::array<unsigned char, 16>;
constexpr Bytes kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

std::optional<Bytes> ToBytes(const std::string& text) {
    Bytes bytes = kMapped;
    if (inet_pton(AF_INET, text.c_str(), bytes.data() + 12) == 1) return bytes;
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
    return std::nullopt;
}

bool IsMapped(const Bytes& bytes) {
    return std::equal(bytes.begin(), bytes.begin() + 12, kMapped.begin());
}

}  // namespace

std::optional<Network> Network::Parse(const std::string& text) {
    const std::size_t slash = text.find('/');
    const auto bytes = ToBytes(text.substr(0, slash));
    if (!bytes) return std::nullopt;
    Network network;
    network.bytes_ = *bytes;
    if (slash == std::string::npos) return network;
    const std::string suffix = text.substr(slash + 1);
    int bits = 0;
    const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), bits);
    const bool v4 = text.find(':') == std::string::npos;
    if (error != std::errc() || end != suffix.data() + suffix.size() || bits < 0 ||
        bits > (v4 ? 32 : 128))
        return std::nullopt;
    network.bits_ = v4 ? bits + 96 : bits;
    return network;
}

bool Network::Contains(const std::string& address) const {
    const auto bytes = ToBytes(address);
    if (!bytes) return false;
    for (int bit = 0; bit < bits_; bit += 8) {
        const auto index = static_cast<std::size_t>(bit / 8);
        const unsigned mask =
            bits_ - bit >= 8 ? 0xffU : 0xffU << static_cast<unsigned>(8 - (bits_ - bit)) & 0xffU;
        if (((*bytes)[index] & mask) != (bytes_[index] & mask)) return false;
    }
    return true;
}

std::optional<std::string> NormalAddress(const std::string& text) {
    const auto bytes = ToBytes(text);
    if (!bytes) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> out{};
    const bool v4 = IsMapped(*bytes);
    inet_ntop(v4 ? AF_INET : AF_INET6, bytes->data() + (v4 ? 12 : 0), out.data(), out.size());
    return std::string(out.data());
}

bool AnyContains(const std::vector<Network>& networks, const std::string& address) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](const Network& network) { return network.Contains(address); });
}

}  // namespace rampart::server::http
