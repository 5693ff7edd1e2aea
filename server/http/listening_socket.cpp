#include "http/listening_socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>

namespace rampart::server::http {
namespace {

// Clients that come while the poller is busy wait in the kernel; beyond this it drops them, and
// they try again after a second.
constexpr int kBacklog = 1024;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses Resolve(const std::string& address, int port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (error != 0)
        throw std::runtime_error("cannot listen on " + address + ": " + gai_strerror(error));
    return {found, freeaddrinfo};
}

}  // namespace

Descriptor ListenOn(const std::string& address, int port) {
    int error = 0;
    const Addresses addresses = Resolve(address, port);
    for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
        Descriptor candidate(
            socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol));
        const int one = 1;
        (void)setsockopt(candidate.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (candidate && bind(candidate.get(), at->ai_addr, at->ai_addrlen) == 0 &&
            listen(candidate.get(), kBacklog) == 0)
            return candidate;
        error = errno;
    }
    throw std::runtime_error("cannot listen on " + address + ":" + std::to_string(port) + ": " +
                             std::strerror(error));
}

int PortOf(const Descriptor& socket) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
    return ntohs(storage.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6&>(storage).sin6_port
                     : reinterpret_cast<const sockaddr_in&>(storage).sin_port);
}

}  // namespace rampart::server::http
