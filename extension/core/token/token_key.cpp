#include "token/token_key.hpp"

#include <array>
#include <new>
#include <vector>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "crypto/openssl.hpp"
#include "error.hpp"
#include "secret.hpp"

namespace rampart::token {
namespace {

constexpr std::size_t kMinSecret = 32;
constexpr int kMinRsaBits = 2048;
constexpr std::size_t kMaxMaterial = 16UL * 1024;

using Bio = std::unique_ptr<BIO, OpenSslDeleter<BIO_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, OpenSslDeleter<ECDSA_SIG_free>>;

struct Known {
    std::string_view name;
    Algorithm algorithm;
    int type;  // of the key
};
constexpr std::array<Known, 4> kKnown = {{{"EdDSA", Algorithm::kEdDsa, EVP_PKEY_ED25519},
                                          {"ES256", Algorithm::kEs256, EVP_PKEY_EC},
                                          {"RS256", Algorithm::kRs256, EVP_PKEY_RSA},
                                          {"HS256", Algorithm::kHs256, EVP_PKEY_HMAC}}};

[[noreturn]] void Fail(const char* what) { throw Error(errc::kInvalidParameter, what); }

bool IsP256(const EVP_PKEY* key) {
    std::array<char, 64> group{};
    std::size_t size = 0;
    return EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
           std::string_view(group.data(), size) == "prime256v1";
}

KeyPair ReadPublicKey(Algorithm algorithm, ByteView pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (bio == nullptr) throw std::bad_alloc();
    KeyPair key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();
    if (key == nullptr) Fail("a key of tokens is a public key in PEM");
    if (EVP_PKEY_get_base_id(key.get()) != kKnown[static_cast<std::size_t>(algorithm)].type)
        Fail("the key of tokens is of another kind than its algorithm's");
    if (algorithm == Algorithm::kEs256 && !IsP256(key.get()))
        Fail("ES256 needs a key on the curve P-256");
    if (algorithm == Algorithm::kRs256 && EVP_PKEY_get_bits(key.get()) < kMinRsaBits)
        Fail("RS256 needs a key of 2048 bits at least");
    return key;
}

// r and s, 32 bytes each, in the form that OpenSSL verifies. Empty: they are not.
std::vector<std::uint8_t> AsDer(ByteView signature) {
    constexpr std::size_t kHalf = 32;
    if (signature.size() != 2 * kHalf) return {};
    const EcSignature parts(ECDSA_SIG_new());
    BIGNUM* r = BN_bin2bn(signature.data(), kHalf, nullptr);
    BIGNUM* s = BN_bin2bn(signature.data() + kHalf, kHalf, nullptr);
    if (parts == nullptr || ECDSA_SIG_set0(parts.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        throw std::bad_alloc();
    }
    std::vector<std::uint8_t> der(static_cast<std::size_t>(i2d_ECDSA_SIG(parts.get(), nullptr)));
    std::uint8_t* out = der.data();
    (void)i2d_ECDSA_SIG(parts.get(), &out);
    return der;
}

bool VerifyPublic(EVP_PKEY* key, const EVP_MD* digest, ByteView message, ByteView signature) {
    const DigestContext context(EVP_MD_CTX_new());
    if (context == nullptr) throw std::bad_alloc();
    CheckOpenSsl(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1,
                 "verification of a token");
    const bool verified = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                           message.data(), message.size()) == 1;
    ERR_clear_error();
    return verified;
}

bool VerifySecret(ByteView secret, ByteView message, ByteView signature) {
    std::array<std::uint8_t, 32> mac{};
    unsigned size = 0;
    CheckOpenSsl(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), message.data(),
                      message.size(), mac.data(), &size) != nullptr,
                 "verification of a token");
    return signature.size() == mac.size() &&
           CRYPTO_memcmp(mac.data(), signature.data(), mac.size()) == 0;
}

}  // namespace

struct TokenKey::Secrets {
    KeyPair public_key;
    std::vector<std::uint8_t> secret;
};

std::optional<Algorithm> AlgorithmNamed(std::string_view name) {
    for (const Known& known : kKnown) {
        if (known.name == name) return known.algorithm;
    }
    return std::nullopt;
}

TokenKey::TokenKey(Algorithm algorithm, ByteView material)
    : algorithm_(algorithm), secrets_(std::make_unique<Secrets>()) {
    if (material.size() > kMaxMaterial) Fail("the key of tokens is too long");
    if (algorithm == Algorithm::kHs256) {
        if (material.size() < kMinSecret) Fail("HS256 needs a secret of 32 bytes at least");
        secrets_->secret.assign(material.begin(), material.end());
    } else {
        secrets_->public_key = ReadPublicKey(algorithm, material);
    }
}

TokenKey::~TokenKey() { Wipe(secrets_->secret); }

bool TokenKey::Verify(std::string_view message, ByteView signature) const {
    const ByteView bytes = AsBytes(message);
    EVP_PKEY* key = secrets_->public_key.get();
    switch (algorithm_) {
        case Algorithm::kEdDsa:
            return VerifyPublic(key, nullptr, bytes, signature);
        case Algorithm::kEs256: {
            const std::vector<std::uint8_t> der = AsDer(signature);
            return !der.empty() && VerifyPublic(key, EVP_sha256(), bytes, der);
        }
        case Algorithm::kRs256:
            return VerifyPublic(key, EVP_sha256(), bytes, signature);
        case Algorithm::kHs256:
            return VerifySecret(secrets_->secret, bytes, signature);
    }
    return false;
}

}  // namespace rampart::token
