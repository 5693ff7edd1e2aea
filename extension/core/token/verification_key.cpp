#include "token/verification_key.hpp"

#include <array>
#include <new>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "error.hpp"
#include "secret.hpp"
#include "token/jwk.hpp"

namespace rampart::token {
namespace {

constexpr std::size_t kEs256Half = 32;

using EcdsaSignature = std::unique_ptr<ECDSA_SIG, OpenSslDeleter<ECDSA_SIG_free>>;
using Bio = std::unique_ptr<BIO, OpenSslDeleter<BIO_free>>;

struct Named {
    const char* name;
    Algorithm algorithm;
};
// The first of two names is the one that is shown; RFC 9864 gave Ed25519 its own.
constexpr Named kAlgorithms[] = {{"EdDSA", Algorithm::kEdDsa},
                                 {"Ed25519", Algorithm::kEdDsa},
                                 {"ES256", Algorithm::kEs256},
                                 {"RS256", Algorithm::kRs256},
                                 {"HS256", Algorithm::kHs256}};

[[noreturn]] void Refuse(const char* problem) {
    ERR_clear_error();
    throw Error(errc::kInvalidParameter, "not a key for tokens of this algorithm", problem);
}

void RequireEdDsa(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) Refuse("EdDSA takes an Ed25519 key.");
}

void RequireEs256(const EVP_PKEY* key) {
    std::array<char, 64> group{};
    std::size_t size = 0;
    const bool named = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
                       EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1;
    if (!named || std::string_view(group.data(), size) != SN_X9_62_prime256v1)
        Refuse("ES256 takes a key on the curve P-256.");
}

void RequireRs256(const EVP_PKEY* key) {
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) Refuse("RS256 takes an RSA key.");
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < VerificationKey::kMinRsaBits) Refuse("An RSA key has at least 2048 bits.");
    if (bits > VerificationKey::kMaxRsaBits) Refuse("An RSA key has at most 8192 bits.");
}

void Require(Algorithm algorithm, EVP_PKEY* key) {
    switch (algorithm) {
        case Algorithm::kEdDsa:
            RequireEdDsa(key);
            break;
        case Algorithm::kEs256:
            RequireEs256(key);
            break;
        case Algorithm::kRs256:
            RequireRs256(key);
            break;
        case Algorithm::kHs256:
            Refuse("HS256 takes a secret.");
    }
}

void RequireValid(EVP_PKEY* key) {
    const std::unique_ptr<EVP_PKEY_CTX, OpenSslDeleter<EVP_PKEY_CTX_free>> context(
        EVP_PKEY_CTX_new(key, nullptr));
    if (context == nullptr) throw std::bad_alloc();
    if (EVP_PKEY_public_check(context.get()) != 1) Refuse("It is not a valid public key.");
}

// No private key, no certificate, and no question for a passphrase.
KeyPair ReadPem(std::string_view pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (bio == nullptr) throw std::bad_alloc();
    unsigned char* der = nullptr;
    long size = 0;
    const int read = PEM_bytes_read_bio(
        &der, &size, nullptr, PEM_STRING_PUBLIC, bio.get(),
        [](char*, int, int, void*) { return -1; }, nullptr);
    if (read != 1) Refuse("It is neither a PEM \"PUBLIC KEY\" nor a JWK.");
    const unsigned char* at = der;
    KeyPair key(d2i_PUBKEY(nullptr, &at, size));
    OPENSSL_free(der);
    if (key == nullptr) Refuse("The PEM does not hold a public key that is known.");
    return key;
}

// r and s, 32 bytes each (RFC 7518, 3.4), as OpenSSL wants them. Nothing unless both are positive.
std::vector<std::uint8_t> EcdsaDer(ByteView signature) {
    if (signature.size() != 2 * kEs256Half) return {};
    BIGNUM* r = BN_bin2bn(signature.data(), kEs256Half, nullptr);
    BIGNUM* s = BN_bin2bn(signature.data() + kEs256Half, kEs256Half, nullptr);
    const EcdsaSignature pair(ECDSA_SIG_new());
    if (r == nullptr || s == nullptr || pair == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        throw std::bad_alloc();
    }
    if (BN_is_zero(r) || BN_is_zero(s)) return {};
    const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
    std::vector<std::uint8_t> der(static_cast<std::size_t>(std::max(size, 0)));
    unsigned char* at = der.data();
    CheckOpenSsl(size > 0 && i2d_ECDSA_SIG(pair.get(), &at) == size, "ECDSA signature");
    return der;
}

bool VerifyWith(EVP_PKEY* key, const EVP_MD* digest, ByteView message, ByteView signature) {
    const DigestContext context(EVP_MD_CTX_new());
    if (context == nullptr) throw std::bad_alloc();
    CheckOpenSsl(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1,
                 "set-up of a token's verification");
    const bool verified = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                           message.data(), message.size()) == 1;
    if (!verified) ERR_clear_error();
    return verified;
}

bool VerifyMac(const HmacSha256& key, ByteView message, ByteView signature) {
    std::array<std::uint8_t, HmacSha256::kSize> mac;
    HmacSha256::Message state = key.Start();
    state.Update(message);
    state.Final(mac.data());
    return ConstantTimeEqual(mac, signature);
}

}  // namespace

std::optional<Algorithm> AlgorithmNamed(std::string_view name) {
    for (const Named& known : kAlgorithms) {
        if (name == known.name) return known.algorithm;
    }
    return std::nullopt;
}

const char* NameOf(Algorithm algorithm) {
    for (const Named& known : kAlgorithms) {
        if (algorithm == known.algorithm) return known.name;
    }
    return "";
}

VerificationKey VerificationKey::FromText(Algorithm algorithm, std::string_view text) {
    constexpr std::size_t kMaxText = 16UL * 1024;
    if (text.size() > kMaxText) Refuse("It is longer than 16 kB.");
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const bool is_jwk = first != text.npos && text[first] == '{';
    KeyPair key = is_jwk ? PublicKeyOfJwk(text) : ReadPem(text);
    Require(algorithm, key.get());
    RequireValid(key.get());
    return {algorithm, std::move(key)};
}

VerificationKey VerificationKey::FromDer(Algorithm algorithm, ByteView der) {
    const unsigned char* at = der.data();
    KeyPair key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    if (key == nullptr || at != der.data() + der.size()) Refuse("It is damaged.");
    Require(algorithm, key.get());
    return {algorithm, std::move(key)};
}

VerificationKey VerificationKey::FromSecret(ByteView secret) {
    if (secret.size() < kMinSecret) Refuse("A secret for HS256 has at least 32 bytes.");
    if (secret.size() > kMaxSecret) Refuse("A secret for HS256 has at most 1024 bytes.");
    return {Algorithm::kHs256, std::make_unique<HmacSha256>(secret)};
}

std::vector<std::uint8_t> VerificationKey::Der() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(std::get<KeyPair>(key_).get(), &der);
    CheckOpenSsl(size > 0, "encoding of a public key");
    std::vector<std::uint8_t> bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

bool VerificationKey::Verify(ByteView message, ByteView signature) const {
    if (algorithm_ == Algorithm::kHs256)
        return VerifyMac(*std::get<std::unique_ptr<HmacSha256>>(key_), message, signature);
    EVP_PKEY* key = std::get<KeyPair>(key_).get();
    if (algorithm_ == Algorithm::kEdDsa) return VerifyWith(key, nullptr, message, signature);
    if (algorithm_ == Algorithm::kRs256) return VerifyWith(key, EVP_sha256(), message, signature);
    const std::vector<std::uint8_t> der = EcdsaDer(signature);
    return !der.empty() && VerifyWith(key, EVP_sha256(), message, der);
}

std::vector<std::uint8_t> SecretFromText(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first != text.npos && text[first] == '{') return SecretOfJwk(text);
    if (text.find("-----BEGIN") != text.npos) Refuse("HS256 takes a secret, and this is a PEM.");
    const ByteView bytes = AsBytes(text);
    return {bytes.begin(), bytes.end()};
}

}  // namespace rampart::token
