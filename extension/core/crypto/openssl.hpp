// What the files of this folder share about OpenSSL: owners of its objects, and one way to fail.
#pragma once

#include <memory>

#include <openssl/evp.h>
#include <openssl/kdf.h>

namespace rampart {

template <auto kFree>
struct OpenSslDeleter {
    template <typename T>
    void operator()(T* object) const {
        kFree(object);
    }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, OpenSslDeleter<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, OpenSslDeleter<EVP_MD_CTX_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, OpenSslDeleter<EVP_KDF_CTX_free>>;
using KeyPair = std::unique_ptr<EVP_PKEY, OpenSslDeleter<EVP_PKEY_free>>;
using Kdf = std::unique_ptr<EVP_KDF, OpenSslDeleter<EVP_KDF_free>>;

// Error XX000 with OpenSSL's reason as its detail. Empties OpenSSL's error queue: the host process
// reads the same queue after its own TLS calls and must not find our failures there.
[[noreturn]] void ThrowOpenSsl(const char* operation);

inline void CheckOpenSsl(bool succeeded, const char* operation) {
    if (!succeeded) [[unlikely]] {
        ThrowOpenSsl(operation);
    }
}

// Throws std::bad_alloc if OpenSSL could not allocate.
CipherContext NewCipherContext();

}  // namespace rampart
