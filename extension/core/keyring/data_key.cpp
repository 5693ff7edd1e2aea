#include "keyring/data_key.hpp"

#include <algorithm>
#include <array>

#include "crypto/hkdf.hpp"
#include "crypto/random.hpp"

namespace rampart {
namespace {

static_assert(Aead::kIvSize == kBodyOffset - kIvOffset);
static_assert(Aead::kTagSize == kTagSize && kCiphertextOverhead == kBodyOffset + kTagSize);

bool IsSample(const std::uint8_t* iv) {
    static_assert(DataKey::kValuesPerSample == 1U << 12);
    return (iv[Aead::kIvSize - 2] & 0x0f) == 0 && iv[Aead::kIvSize - 1] == 0;
}

SecretKey Subkey(const SecretKey& key, std::uint64_t id, std::string_view info) {
    std::array<std::uint8_t, sizeof id> salt;
    StoreBigEndian(id, salt.data());
    return DeriveKey(key, salt, AsBytes(info));
}

}  // namespace

DataKey::DataKey(std::uint64_t id, const SecretKey& key)
    : id_(id),
      randomised_(Subkey(key, id, "rampart randomised v1")),
      deterministic_(Subkey(key, id, "rampart deterministic v1")) {}

void DataKey::SealRandomised(Kind kind, ByteView aad, ByteView plaintext, std::uint8_t* out) {
    std::array<std::uint8_t, Aead::kIvSize> iv;
    RandomPool::Next(iv);
    Seal(randomised_, Mode::kRandomised, kind, iv.data(), aad, plaintext, out);
    if (IsSample(iv.data())) ++samples_;
}

void DataKey::SealDeterministic(Kind kind, const std::uint8_t* iv, ByteView aad, ByteView plaintext,
                                std::uint8_t* out) {
    Seal(deterministic_, Mode::kDeterministic, kind, iv, aad, plaintext, out);
}

void DataKey::Seal(Aead& aead, Mode mode, Kind kind, const std::uint8_t* iv, ByteView aad,
                   ByteView plaintext, std::uint8_t* out) {
    WriteHeader(mode, kind, id_, out);
    std::copy_n(iv, Aead::kIvSize, out + kIvOffset);
    std::uint8_t* body = out + kBodyOffset;
    aead.Seal(iv, {out, kHeaderSize}, aad, plaintext, body, body + plaintext.size());
}

bool DataKey::Open(const Ciphertext& ciphertext, ByteView aad, std::uint8_t* out) {
    Aead& aead = ciphertext.mode == Mode::kRandomised ? randomised_ : deterministic_;
    return aead.Open(ciphertext.iv, ciphertext.header, aad, ciphertext.body, ciphertext.tag, out);
}

}  // namespace rampart
