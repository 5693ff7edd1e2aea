// A new EVP context a message costs several times the encryption of a short value, most of it the
// cipher's look-up and the key schedule. So an Aead holds one context to encrypt and one to
// decrypt, both keyed at construction, and a message sets nothing but its IV.
#include "crypto/aead.hpp"

#include <algorithm>

#include "crypto/openssl.hpp"

namespace rampart {
namespace {

// EVP takes lengths as int. A multiple of the block size, so that no chunk leaves a partial block.
constexpr std::size_t kMaxChunk = std::size_t{1} << 30;

// `out` null: the input is associated data.
bool Update(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) {
    while (!in.empty()) {
        const std::size_t size = std::min(in.size(), kMaxChunk);
        int written = 0;
        if (EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(size)) != 1) {
            return false;
        }
        if (out != nullptr) out += size;
        in = in.subspan(size);
    }
    return true;
}

bool Process(EVP_CIPHER_CTX* context, const std::uint8_t* iv, ByteView aad, ByteView more_aad,
             ByteView in, std::uint8_t* out) {
    return EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, iv, -1) == 1 &&
           Update(context, aad, nullptr) && Update(context, more_aad, nullptr) &&
           Update(context, in, out);
}

CipherContext KeyedContext(const SecretKey& key, bool encrypt) {
    CipherContext context = NewCipherContext();
    CheckOpenSsl(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.Reveal().data(),
                                   nullptr, encrypt ? 1 : 0) == 1,
                 "AES-256-GCM key schedule");
    return context;
}

}  // namespace

struct Aead::Contexts {
    CipherContext seal;
    CipherContext open;
};

Aead::Aead(const SecretKey& key)
    : contexts_(new Contexts{KeyedContext(key, true), KeyedContext(key, false)}) {}

Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::Seal(const std::uint8_t* iv, ByteView aad, ByteView more_aad, ByteView plaintext,
                std::uint8_t* out, std::uint8_t* tag) {
    EVP_CIPHER_CTX* context = contexts_->seal.get();
    // GCM is a stream: the final call writes nothing but wants a place to write to.
    std::uint8_t nothing[kTagSize];
    int written = 0;
    CheckOpenSsl(Process(context, iv, aad, more_aad, plaintext, out) &&
                     EVP_CipherFinal_ex(context, nothing, &written) == 1 &&
                     EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) == 1,
                 "AES-256-GCM encryption");
}

bool Aead::Open(const std::uint8_t* iv, ByteView aad, ByteView more_aad, ByteView ciphertext,
                const std::uint8_t* tag, std::uint8_t* out) {
    EVP_CIPHER_CTX* context = contexts_->open.get();
    const bool processed = Process(context, iv, aad, more_aad, ciphertext, out) &&
                           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize,
                                               const_cast<std::uint8_t*>(tag)) == 1;
    std::uint8_t nothing[kTagSize];
    int written = 0;
    if (processed && EVP_CipherFinal_ex(context, nothing, &written) == 1) return true;
    Wipe({out, ciphertext.size()});
    CheckOpenSsl(processed, "AES-256-GCM decryption");
    return false;
}

}  // namespace rampart
