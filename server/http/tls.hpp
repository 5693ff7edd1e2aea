// TLS for the listener: certificate, key, what is spoken, and optional client certificates.
#pragma once

#include <memory>
#include <mutex>
#include <openssl/types.h>
#include <string>

#include "http/transport.hpp"

namespace rampart::server::http {

struct TlsSettings {
    std::string certificate_file;  // PEM: the certificate and those that lead to its root
    std::string key_file;
    std::string client_ca_file;  // PEM; if set, clients must show a certificate that it leads to
    std::string ocsp_file;       // DER; if set, it is stapled
};

// What new connections are made by. Safe to use from several threads.
class TlsContext {
  public:
    // Throws std::runtime_error naming the file that cannot be used, never what is in it.
    explicit TlsContext(TlsSettings settings);

    // Reads the files again; connections made from now on use them. Throws as the constructor does,
    // and then goes on with what was read before.
    void Reload();

    std::unique_ptr<Transport> MakeTransport(int fd) const;

  private:
    const TlsSettings settings_;
    mutable std::mutex mutex_;
    std::shared_ptr<SSL_CTX> context_;
};

}  // namespace rampart::server::http
