// Accepts connections and hands each request to one function. What is below HTTP semantics lives
// here: TLS, limits of a connection, time-outs, draining.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <httplib.h>

#include "config/settings.hpp"
#include "http/connection.hpp"

namespace rampart::server::http {

using RequestHandler = std::function<void(const httplib::Request&, httplib::Response&)>;

class Listener {
  public:
    // Binds at once. Throws std::runtime_error: the address cannot be had, or the certificate.
    // `refused` is called in the thread of Run().
    Listener(const HttpSettings& settings, RequestHandler handler, RefusalObserver refused);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    int port() const;
    // Serves until Stop().
    void Run();
    // Takes no more connections, lets requests end that have begun, and has Run() return. From any
    // thread.
    void Stop();
    // The certificate's files again, for connections from now on; the old one stays where they are
    // not good.
    void ReloadCertificate();

  private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace rampart::server::http
