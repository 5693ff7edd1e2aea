// A data key (DEK): seals and opens values of one scope and version.
//
// Randomised and deterministic values are sealed under separate subkeys (HKDF-SHA256, salted with
// the key id), so the two IV spaces never meet under one GCM key.
#pragma once

#include <cstdint>
#include <utility>

#include "bytes.hpp"
#include "ciphertext.hpp"
#include "crypto/aead.hpp"
#include "secret.hpp"

namespace rampart {

class DataKey {
  public:
    // Of how many randomised values one is counted: 2^12.
    static constexpr std::uint32_t kValuesPerSample = 4096;

    DataKey(std::uint64_t id, const SecretKey& key);

    std::uint64_t id() const { return id_; }

    // Writes a whole format-1 ciphertext of kCiphertextOverhead + plaintext.size() bytes to `out`.
    // Randomised: an IV from RandomPool.
    void SealRandomised(Kind kind, ByteView aad, ByteView plaintext, std::uint8_t* out);
    // Deterministic: the IV that IndexKey::DeterministicIv gave for the same kind, aad and
    // plaintext.
    void SealDeterministic(Kind kind, const std::uint8_t* iv, ByteView aad, ByteView plaintext,
                           std::uint8_t* out);

    // Decrypts into `out` (ciphertext.body.size() bytes). False: forged, damaged or another aad.
    // REQUIRES: ciphertext.key_id == id(), and mode randomised or deterministic.
    [[nodiscard]] bool Open(const Ciphertext& ciphertext, ByteView aad, std::uint8_t* out);

    // How many values were sealed in randomised mode, by sampling: an IV whose last 12 bits are
    // zero stands for kValuesPerSample values. IVs are uniform, so the estimate is unbiased and
    // costs a compare; of 2^31 values it is right to 0.14 % (one standard deviation).
    std::uint32_t samples() const { return samples_; }
    // The samples since it was last asked.
    std::uint32_t TakeSamples() { return std::exchange(samples_, 0); }

  private:
    void Seal(Aead& aead, Mode mode, Kind kind, const std::uint8_t* iv, ByteView aad,
              ByteView plaintext, std::uint8_t* out);
    std::uint64_t id_;
    Aead randomised_;
    Aead deterministic_;
    std::uint32_t samples_ = 0;
};

}  // namespace rampart
