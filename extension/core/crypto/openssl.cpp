#include "crypto/openssl.hpp"

#include <new>
#include <string>

#include <openssl/err.h>

#include "error.hpp"

namespace rampart {

void ThrowOpenSsl(const char* operation) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    std::string detail = reason != nullptr ? reason : "OpenSSL gave no reason.";
    ERR_clear_error();
    throw Error(errc::kInternal, std::string("cryptographic operation failed: ") + operation,
                std::move(detail));
}

CipherContext NewCipherContext() {
    CipherContext context(EVP_CIPHER_CTX_new());
    if (context == nullptr) throw std::bad_alloc();
    return context;
}

}  // namespace rampart
