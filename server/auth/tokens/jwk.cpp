#include <vector>

#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "auth/secrets.hpp"
#include "auth/tokens/jws.hpp"

namespace rampart::server::auth {
namespace {

std::string Number(EVP_PKEY* key, const char* name, std::size_t size = 0) {
    BIGNUM* value = nullptr;
    CheckOpenSsl(EVP_PKEY_get_bn_param(key, name, &value) == 1, "reading a public key");
    const std::unique_ptr<BIGNUM, OpenSslDeleter<BN_free>> owner(value);
    std::vector<std::uint8_t> bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(value))
                                              : size);
    CheckOpenSsl(BN_bn2binpad(value, bytes.data(), static_cast<int>(bytes.size())) >= 0,
                 "reading a public key");
    return Base64Url(bytes);
}

std::string RawKey(EVP_PKEY* key) {
    std::vector<std::uint8_t> bytes(32);
    std::size_t size = bytes.size();
    CheckOpenSsl(EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) == 1,
                 "reading a public key");
    return Base64Url(bytes);
}

}  // namespace

nlohmann::json JwkOf(EVP_PKEY* key, std::string_view algorithm, std::string_view kid) {
    nlohmann::json jwk = {{"kid", kid}, {"alg", algorithm}, {"use", "sig"}};
    if (algorithm == "ES256") {
        jwk.update({{"kty", "EC"},
                    {"crv", "P-256"},
                    {"x", Number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32)},
                    {"y", Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32)}});
    } else if (algorithm == "EdDSA") {
        jwk.update({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", RawKey(key)}});
    } else {
        jwk.update({{"kty", "RSA"},
                    {"n", Number(key, OSSL_PKEY_PARAM_RSA_N)},
                    {"e", Number(key, OSSL_PKEY_PARAM_RSA_E)}});
    }
    return jwk;
}

}  // namespace rampart::server::auth
