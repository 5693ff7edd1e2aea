// A data key (DEK): seals and opens values of one scope and version.
//
// Randomised and deterministic values are sealed under separate subkeys (HKDF-SHA256, salted with
// the key id), so the two IV spaces never meet under one GCM key.
#pragma once

#include "bytes.hpp"
#include "ciphertext.hpp"
#include "crypto/aead.hpp"
#include "secret.hpp"

namespace rampart {

class DataKey {
  public:
    DataKey(std::uint64_t id, const SecretKey& key);

    std::uint64_t id() const { return id_; }

    // Writes a whole format-1 ciphertext of kCiphertextOverhead + plaintext.size() bytes to `out`.
    // Randomised: an IV from IvPool.
    void SealRandomised(Kind kind, ByteView aad, ByteView plaintext, std::uint8_t* out);
    // Deterministic: the IV that IndexKey::DeterministicIv gave for the same kind, aad and
    // plaintext.
    void SealDeterministic(Kind kind, const std::uint8_t* iv, ByteView aad, ByteView plaintext,
                           std::uint8_t* out);

    // Decrypts into `out` (ciphertext.body.size() bytes). False: forged, damaged or another aad.
    // REQUIRES: ciphertext.key_id == id(), and mode randomised or deterministic.
    [[nodiscard]] bool Open(const Ciphertext& ciphertext, ByteView aad, std::uint8_t* out);

  private:
    void Seal(Aead& aead, Mode mode, Kind kind, const std::uint8_t* iv, ByteView aad,
              ByteView plaintext, std::uint8_t* out);
    std::uint64_t id_;
    Aead randomised_;
    Aead deterministic_;
};

}  // namespace rampart
