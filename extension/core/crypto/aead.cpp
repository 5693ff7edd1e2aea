// For a short value nearly all of EVP's AES-GCM is its dispatch: each IV set and each tag fetched
// looks parameters up by name, which takes longer than the cipher. So the mode comes from
// libcrypto's GCM (openssl/modes.h) and only the block cipher goes through EVP, as AES-256-ECB,
// which has nothing to set between messages: less than half the time for values below some hundred
// bytes. AES and GHASH are OpenSSL's own, with the processor's instructions, as they are in its
// AES-GCM. With a FIPS provider, AES is the provider's; mode and GHASH stand outside its boundary.
#include "crypto/aead.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include <openssl/modes.h>

#include "crypto/openssl.hpp"

namespace rampart {
namespace {

constexpr std::size_t kBlockSize = 16;
constexpr std::size_t kCounterOffset = 12;  // in a counter block: IV, then a 32-bit count

struct BlockCipher {
    CipherContext context;
    // libcrypto's GCM has no way to hear that the cipher failed, so it is noted here and asked
    // after.
    bool failed = false;
};

void EncryptBlocks(const void* key, const std::uint8_t* in, std::uint8_t* out, std::size_t size) {
    auto* cipher = static_cast<BlockCipher*>(const_cast<void*>(key));
    int written = 0;
    if (EVP_EncryptUpdate(cipher->context.get(), out, &written, in, static_cast<int>(size)) != 1)
        cipher->failed = true;
}

void EncryptBlock(const std::uint8_t* in, std::uint8_t* out, const void* key) {
    EncryptBlocks(key, in, out, kBlockSize);
}

void ExclusiveOr(const std::uint8_t* in, const std::uint8_t* stream, std::size_t size,
                 std::uint8_t* out) {
    for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
        std::uint64_t a;
        std::uint64_t b;
        std::memcpy(&a, in + i, sizeof a);
        std::memcpy(&b, stream + i, sizeof b);
        a ^= b;
        std::memcpy(out + i, &a, sizeof a);
    }
}

// Counter mode, for as many blocks as a call of the cipher is worth.
void EncryptCounters(const std::uint8_t* in, std::uint8_t* out, std::size_t blocks, const void* key,
                     const std::uint8_t* first) {
    constexpr std::size_t kMost = 32;
    std::uint8_t stream[kMost * kBlockSize];
    auto count = LoadBigEndian<std::uint32_t>(first + kCounterOffset);
    while (blocks > 0) {
        const std::size_t now = std::min(blocks, kMost);
        for (std::size_t i = 0; i < now; ++i, ++count) {
            std::memcpy(stream + i * kBlockSize, first, kCounterOffset);
            StoreBigEndian(count, stream + i * kBlockSize + kCounterOffset);
        }
        EncryptBlocks(key, stream, stream, now * kBlockSize);
        ExclusiveOr(in, stream, now * kBlockSize, out);
        in += now * kBlockSize;
        out += now * kBlockSize;
        blocks -= now;
    }
}

CipherContext KeyedBlockCipher(const SecretKey& key) {
    CipherContext context = NewCipherContext();
    CheckOpenSsl(EVP_EncryptInit_ex(context.get(), EVP_aes_256_ecb(), nullptr, key.Reveal().data(),
                                    nullptr) == 1 &&
                     EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1,
                 "AES-256 key schedule");
    return context;
}

using GcmContext = std::unique_ptr<GCM128_CONTEXT, OpenSslDeleter<CRYPTO_gcm128_release>>;

void Start(GCM128_CONTEXT* gcm, const std::uint8_t* iv, ByteView aad, ByteView more_aad) {
    CRYPTO_gcm128_setiv(gcm, iv, Aead::kIvSize);
    CRYPTO_gcm128_aad(gcm, aad.data(), aad.size());
    CRYPTO_gcm128_aad(gcm, more_aad.data(), more_aad.size());
}

}  // namespace

struct Aead::Contexts {
    BlockCipher cipher;
    GcmContext gcm;
};

Aead::Aead(const SecretKey& key) : contexts_(new Contexts{{KeyedBlockCipher(key)}, nullptr}) {
    BlockCipher* cipher = &contexts_->cipher;
    contexts_->gcm.reset(CRYPTO_gcm128_new(cipher, EncryptBlock));
    CheckOpenSsl(contexts_->gcm != nullptr && !cipher->failed, "AES-256-GCM set-up");
}

Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::Seal(const std::uint8_t* iv, ByteView aad, ByteView more_aad, ByteView plaintext,
                std::uint8_t* out, std::uint8_t* tag) {
    GCM128_CONTEXT* gcm = contexts_->gcm.get();
    Start(gcm, iv, aad, more_aad);
    const bool processed = CRYPTO_gcm128_encrypt_ctr32(gcm, plaintext.data(), out, plaintext.size(),
                                                       EncryptCounters) == 0;
    CRYPTO_gcm128_tag(gcm, tag, kTagSize);
    CheckOpenSsl(processed && !contexts_->cipher.failed, "AES-256-GCM encryption");
}

bool Aead::Open(const std::uint8_t* iv, ByteView aad, ByteView more_aad, ByteView ciphertext,
                const std::uint8_t* tag, std::uint8_t* out) {
    GCM128_CONTEXT* gcm = contexts_->gcm.get();
    Start(gcm, iv, aad, more_aad);
    const bool processed = CRYPTO_gcm128_decrypt_ctr32(gcm, ciphertext.data(), out,
                                                       ciphertext.size(), EncryptCounters) == 0 &&
                           !contexts_->cipher.failed;
    if (processed && CRYPTO_gcm128_finish(gcm, tag, kTagSize) == 0) return true;
    Wipe({out, ciphertext.size()});
    CheckOpenSsl(processed, "AES-256-GCM decryption");
    return false;
}

}  // namespace rampart
