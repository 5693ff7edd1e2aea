#include "crypto/key_wrap.hpp"

#include <openssl/err.h>

#include "crypto/openssl.hpp"

namespace rampart {
namespace {

constexpr std::size_t kSemiblock = 8;
constexpr std::size_t kWrappedKeySize = SecretKey::kSize + kSemiblock;

CipherContext WrapContext(const SecretKey& kek, bool encrypt) {
    CipherContext context = NewCipherContext();
    CheckOpenSsl(EVP_CipherInit_ex(context.get(), EVP_aes_256_wrap_pad(), nullptr,
                                   kek.Reveal().data(), nullptr, encrypt ? 1 : 0) == 1,
                 "AES key wrap set-up");
    return context;
}

}  // namespace

std::vector<std::uint8_t> WrapKey(const SecretKey& kek, ByteView key) {
    const std::size_t padded = (key.size() + kSemiblock - 1) / kSemiblock * kSemiblock;
    std::vector<std::uint8_t> wrapped(padded + kSemiblock);
    int written = 0;
    CheckOpenSsl(EVP_CipherUpdate(WrapContext(kek, true).get(), wrapped.data(), &written,
                                  key.data(), static_cast<int>(key.size())) == 1 &&
                     static_cast<std::size_t>(written) == wrapped.size(),
                 "AES key wrap");
    return wrapped;
}

std::optional<SecretKey> UnwrapKey(const SecretKey& kek, ByteView wrapped) {
    if (wrapped.size() != kWrappedKeySize) return std::nullopt;
    // Room for what OpenSSL may write before it knows the padding; also holds shorter keys, which
    // have the same wrapped length.
    Scratch<kWrappedKeySize + kSemiblock> key;
    int written = 0;
    const int unwrapped = EVP_CipherUpdate(WrapContext(kek, false).get(), key.data(), &written,
                                           wrapped.data(), static_cast<int>(wrapped.size()));
    if (unwrapped != 1 || static_cast<std::size_t>(written) != SecretKey::kSize) {
        ERR_clear_error();
        return std::nullopt;
    }
    return SecretKey(ByteView(key).first<SecretKey::kSize>());
}

}  // namespace rampart
