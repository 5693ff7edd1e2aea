#include "crypto/hkdf.hpp"

#include <array>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "crypto/openssl.hpp"

namespace rampart {
namespace {

// OSSL_PARAM is one type for reading and writing, hence the cast; these are only read.
OSSL_PARAM OctetString(const char* name, ByteView bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
}

KdfContext NewHkdf() {
    const Kdf hkdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr));
    KdfContext context(EVP_KDF_CTX_new(hkdf.get()));
    CheckOpenSsl(context != nullptr, "HKDF look-up");
    return context;
}

}  // namespace

void HkdfSha256(ByteView key, ByteView salt, ByteView info, ByteSpan out) {
    char digest[] = "SHA256";
    std::array<OSSL_PARAM, 5> params{};
    auto next = params.begin();
    *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    *next++ = OctetString(OSSL_KDF_PARAM_KEY, key);
    if (!salt.empty()) *next++ = OctetString(OSSL_KDF_PARAM_SALT, salt);
    if (!info.empty()) *next++ = OctetString(OSSL_KDF_PARAM_INFO, info);
    *next = OSSL_PARAM_construct_end();
    CheckOpenSsl(EVP_KDF_derive(NewHkdf().get(), out.data(), out.size(), params.data()) == 1,
                 "HKDF-SHA256");
}

SecretKey DeriveKey(const SecretKey& key, ByteView salt, ByteView info) {
    SecretKey derived;
    HkdfSha256(key.Reveal(), salt, info, derived.MutableReveal());
    return derived;
}

}  // namespace rampart
