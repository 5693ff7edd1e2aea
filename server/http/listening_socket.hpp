// Sockets that wait for clients.
#pragma once

#include <string>

#include "http/transport.hpp"

namespace rampart::server::http {

// `address` is numeric or a name; port 0 takes any that is free. Throws std::runtime_error, which
// says what could not be had and why.
Descriptor ListenOn(const std::string& address, int port);

int PortOf(const Descriptor& socket);

}  // namespace rampart::server::http
