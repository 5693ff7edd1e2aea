#include "token/secret_seal.hpp"

#include "crypto/aead.hpp"
#include "crypto/random.hpp"

namespace rampart::token {
namespace {

constexpr std::string_view kLabel = "rampart token secret v1";
constexpr std::size_t kOverhead = Aead::kIvSize + Aead::kTagSize;

}  // namespace

// IV, ciphertext, tag.
std::vector<std::uint8_t> SealSecret(const SecretKey& key, std::string_view key_id,
                                     ByteView secret) {
    std::vector<std::uint8_t> sealed(secret.size() + kOverhead);
    std::uint8_t* const iv = sealed.data();
    std::uint8_t* const body = iv + Aead::kIvSize;
    RandomBytes({iv, Aead::kIvSize});
    Aead(key).Seal(iv, AsBytes(kLabel), AsBytes(key_id), secret, body, body + secret.size());
    return sealed;
}

std::optional<std::vector<std::uint8_t>> OpenSecret(const SecretKey& key, std::string_view key_id,
                                                    ByteView sealed) {
    if (sealed.size() < kOverhead) return std::nullopt;
    const ByteView body = sealed.subspan(Aead::kIvSize, sealed.size() - kOverhead);
    std::vector<std::uint8_t> secret(body.size());
    if (!Aead(key).Open(sealed.data(), AsBytes(kLabel), AsBytes(key_id), body,
                        body.data() + body.size(), secret.data()))
        return std::nullopt;
    return secret;
}

}  // namespace rampart::token
