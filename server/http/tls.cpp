#include "http/tls.hpp"

#include <algorithm>
#include <climits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdexcept>
#include <sys/socket.h>
#include <utility>

#include "http/ocsp_staple.hpp"

namespace rampart::server::http {
namespace {

// Forward secrecy and authenticated encryption only. TLS 1.3 is preferred by its own nature, and
// its suites are all of this kind. Which of these is used is the client's choice: it knows its
// hardware.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr unsigned char kProtocols[] = "\x08http/1.1";
constexpr unsigned char kSessionContext[] = "rampartd";
constexpr long kSessionSeconds = 24L * 60 * 60;

int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
    unsigned char* selected = nullptr;
    const int result = SSL_select_next_proto(&selected, out_size, kProtocols, sizeof kProtocols - 1,
                                             offered, offered_size);
    *out = selected;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void Require(bool holds, const std::string& problem) {
    if (holds) return;
    ERR_clear_error();
    throw std::runtime_error(problem);
}

std::shared_ptr<SSL_CTX> MakeContext(const TlsSettings& settings) {
    std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    Require(context != nullptr, "cannot make a TLS context");
    SSL_CTX* const c = context.get();
    Require(SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
                SSL_CTX_set_cipher_list(c, kCiphers) == 1,
            "this OpenSSL cannot speak TLS as configured");
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // Idle connections give their buffers back; a write that was cut short is repeated from where
    // the bytes lie by then.
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_timeout(c, kSessionSeconds);
    SSL_CTX_set_session_id_context(c, kSessionContext, sizeof kSessionContext - 1);
    SSL_CTX_set_alpn_select_cb(c, SelectProtocol, nullptr);
    Require(SSL_CTX_use_certificate_chain_file(c, settings.certificate_file.c_str()) == 1,
            "cannot use the certificate in " + settings.certificate_file);
    Require(SSL_CTX_use_PrivateKey_file(c, settings.key_file.c_str(), SSL_FILETYPE_PEM) == 1,
            "cannot use the key in " + settings.key_file);
    Require(
        SSL_CTX_check_private_key(c) == 1,
        settings.key_file + " is not the key of the certificate in " + settings.certificate_file);
    if (!settings.client_ca_file.empty()) {
        const char* const file = settings.client_ca_file.c_str();
        STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(file);
        SSL_CTX_set_client_CA_list(c, names);
        Require(names != nullptr && SSL_CTX_load_verify_locations(c, file, nullptr) == 1,
                "cannot use the certificates in " + settings.client_ca_file);
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (!settings.ocsp_file.empty()) Staple(c, settings.ocsp_file);
    return context;
}

class TlsTransport final : public Transport {
  public:
    TlsTransport(SSL_CTX* context, int fd) : ssl_(SSL_new(context), SSL_free), fd_(fd) {
        Require(ssl_ != nullptr && SSL_set_fd(ssl_.get(), fd) == 1, "out of memory for TLS");
        SSL_set_accept_state(ssl_.get());
    }

    Result Handshake() override {
        ERR_clear_error();
        return ResultOf(SSL_do_handshake(ssl_.get()));
    }

    Result Read(char* into, std::size_t size) override {
        ERR_clear_error();
        return ResultOf(
            SSL_read(ssl_.get(), into, static_cast<int>(std::min<std::size_t>(size, INT_MAX))));
    }

    Result Write(std::string_view bytes) override {
        ERR_clear_error();
        return ResultOf(SSL_write(ssl_.get(), bytes.data(),
                                  static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX))));
    }

    void EndWriting() override {
        ERR_clear_error();
        if (!has_failed_) (void)SSL_shutdown(ssl_.get());
        (void)shutdown(fd_, SHUT_WR);
    }

  private:
    Result ResultOf(int bytes) {
        if (bytes > 0) return {Outcome::kDone, static_cast<std::size_t>(bytes)};
        switch (SSL_get_error(ssl_.get(), bytes)) {
            case SSL_ERROR_WANT_READ:
                return {Outcome::kWantsRead};
            case SSL_ERROR_WANT_WRITE:
                return {Outcome::kWantsWrite};
            case SSL_ERROR_ZERO_RETURN:
                return {Outcome::kClosed};
            default:
                has_failed_ = true;  // RFC 8446, 6.2: nothing more may be said
                return {Outcome::kClosed};
        }
    }

    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    int fd_;
    bool has_failed_ = false;
};

}  // namespace

TlsContext::TlsContext(TlsSettings settings)
    : settings_(std::move(settings)), context_(MakeContext(settings_)) {}

void TlsContext::Reload() {
    std::shared_ptr<SSL_CTX> fresh = MakeContext(settings_);
    const std::lock_guard lock(mutex_);
    context_.swap(fresh);
}

std::unique_ptr<Transport> TlsContext::MakeTransport(int fd) const {
    const std::lock_guard lock(mutex_);
    return std::make_unique<TlsTransport>(context_.get(), fd);
}

}  // namespace rampart::server::http
