#include "crypto/ed25519.hpp"

#include <new>

#include <openssl/err.h>

#include "crypto/openssl.hpp"

namespace rampart {
namespace {

DigestContext NewDigestContext() {
    DigestContext context(EVP_MD_CTX_new());
    if (context == nullptr) throw std::bad_alloc();
    return context;
}

}  // namespace

struct Ed25519Key::Pair {
    KeyPair key;
};

Ed25519Key::Ed25519Key(const SecretKey& seed) : pair_(std::make_unique<Pair>()) {
    const ByteView bytes = seed.Reveal();
    pair_->key.reset(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()));
    CheckOpenSsl(pair_->key != nullptr, "Ed25519 key set-up");
    std::size_t size = public_key_.size();
    CheckOpenSsl(EVP_PKEY_get_raw_public_key(pair_->key.get(), public_key_.data(), &size) == 1 &&
                     size == public_key_.size(),
                 "Ed25519 public key");
}

Ed25519Key::~Ed25519Key() = default;
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;

Ed25519Signature Ed25519Key::Sign(ByteView message) const {
    const DigestContext context = NewDigestContext();
    Ed25519Signature signature;
    std::size_t size = signature.size();
    CheckOpenSsl(
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pair_->key.get()) == 1 &&
            EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                           message.size()) == 1 &&
            size == signature.size(),
        "Ed25519 signature");
    return signature;
}

bool Ed25519Verify(const Ed25519PublicKey& key, ByteView message, ByteView signature) {
    const KeyPair pair(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    CheckOpenSsl(pair != nullptr, "Ed25519 public key set-up");
    const DigestContext context = NewDigestContext();
    CheckOpenSsl(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pair.get()) == 1,
                 "Ed25519 verification set-up");
    const bool verified = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                           message.data(), message.size()) == 1;
    if (!verified) ERR_clear_error();
    return verified;
}

}  // namespace rampart
