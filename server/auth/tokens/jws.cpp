#include "auth/tokens/jws.hpp"

#include <array>
#include <vector>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "auth/secrets.hpp"
#include "bytes.hpp"

namespace rampart::server::auth {
namespace {

using Bio = std::unique_ptr<BIO, OpenSslDeleter<BIO_free_all>>;

std::string TextOf(const Bio& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

// ECDSA signatures stand in a token as r and s, 32 bytes each, not as DER.
std::vector<std::uint8_t> RawSignature(const std::vector<std::uint8_t>& der) {
    const std::uint8_t* at = der.data();
    const std::unique_ptr<ECDSA_SIG, OpenSslDeleter<ECDSA_SIG_free>> signature(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    CheckOpenSsl(signature != nullptr, "reading a signature");
    std::vector<std::uint8_t> raw(64);
    CheckOpenSsl(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), 32) == 32 &&
                     BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + 32, 32) == 32,
                 "reading a signature");
    return raw;
}

}  // namespace

NewKey MakeKey(std::string_view algorithm) {
    const KeyPair key(algorithm == "ES256"   ? EVP_EC_gen("P-256")
                      : algorithm == "EdDSA" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                             : EVP_RSA_gen(3072));
    CheckOpenSsl(key != nullptr, "making a key");
    const Bio private_text(BIO_new(BIO_s_secmem()));
    const Bio public_text(BIO_new(BIO_s_mem()));
    CheckOpenSsl(PEM_write_bio_PKCS8PrivateKey(private_text.get(), key.get(), nullptr, nullptr, 0,
                                               nullptr, nullptr) == 1 &&
                     PEM_write_bio_PUBKEY(public_text.get(), key.get()) == 1,
                 "writing a key");
    return {TextOf(private_text), TextOf(public_text)};
}

KeyPair PrivateKeyOfPem(std::string_view pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    KeyPair key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    CheckOpenSsl(key != nullptr, "reading a signing key");
    return key;
}

KeyPair PublicKeyOfPem(std::string_view pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    KeyPair key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    CheckOpenSsl(key != nullptr, "reading a public key");
    return key;
}

std::string Sign(EVP_PKEY* key, std::string_view algorithm, std::string_view kid,
                 const nlohmann::json& claims) {
    const nlohmann::json header = {{"alg", algorithm}, {"kid", kid}, {"typ", "at+jwt"}};
    const std::string text =
        Base64Url(AsBytes(header.dump())) + "." + Base64Url(AsBytes(claims.dump()));
    const DigestContext context(EVP_MD_CTX_new());
    std::size_t size = 0;
    const EVP_MD* digest = algorithm == "EdDSA" ? nullptr : EVP_sha256();
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    CheckOpenSsl(context != nullptr &&
                     EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                     EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) == 1,
                 "signing a token");
    std::vector<std::uint8_t> signature(size);
    CheckOpenSsl(EVP_DigestSign(context.get(), signature.data(), &size, bytes, text.size()) == 1,
                 "signing a token");
    signature.resize(size);
    return text + "." + Base64Url(algorithm == "ES256" ? RawSignature(signature) : signature);
}

}  // namespace rampart::server::auth
