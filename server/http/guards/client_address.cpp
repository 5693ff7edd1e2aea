#include <stdexcept>

#include "http/guards/guards.hpp"
#include "http/network.hpp"
#include "http/problem.hpp"

namespace rampart::server::http {
namespace {

std::vector<Network> Networks(const std::vector<std::string>& texts) {
    std::vector<Network> networks;
    for (const std::string& text : texts) {
        const auto network = Network::Parse(text);
        if (!network) throw ConfigurationError("\"" + text + "\" is no network");
        networks.push_back(*network);
    }
    return networks;
}

// X-Forwarded-For is a list to which each proxy has added whom it spoke to. From the right, the
// first that is not one of our own proxies is the client; what stands before it anybody may have
// written.
std::string Forwarded(const httplib::Request& request, const std::vector<Network>& trusted,
                      std::string address) {
    std::string list;
    for (std::size_t i = 0; i < request.get_header_value_count("X-Forwarded-For"); ++i) {
        list += (list.empty() ? "" : ",") + request.get_header_value("X-Forwarded-For", i);
    }
    while (!list.empty() && AnyContains(trusted, address)) {
        const std::size_t comma = list.rfind(',');
        std::string last = comma == std::string::npos ? list : list.substr(comma + 1);
        list.resize(comma == std::string::npos ? 0 : comma);
        last.erase(0, last.find_first_not_of(' '));
        last.erase(last.find_last_not_of(' ') + 1);
        const auto normal = NormalAddress(last);
        if (!normal) break;
        address = *normal;
    }
    return address;
}

}  // namespace

Guard ClientAddress(const HttpSettings& settings) {
    return [trusted = Networks(settings.trusted_proxies), allow = Networks(settings.allow),
            deny = Networks(settings.deny)](Exchange& exchange) {
        const std::string peer =
            NormalAddress(exchange.request.remote_addr).value_or(exchange.request.remote_addr);
        exchange.client_ip = Forwarded(exchange.request, trusted, peer);
        if (AnyContains(deny, exchange.client_ip) ||
            (!allow.empty() && !AnyContains(allow, exchange.client_ip)))
            throw Problem("address_refused");
    };
}

}  // namespace rampart::server::http
