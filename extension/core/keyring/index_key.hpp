// The index key of a scope: what makes equal plaintexts recognisable. It does not turn with the
// data keys, so that equality, hashes and index order survive a rotation.
//
// Two subkeys (HKDF-SHA256): one for deterministic IVs, one for blind indexes.
#pragma once

#include <array>
#include <string_view>

#include "bytes.hpp"
#include "ciphertext.hpp"
#include "crypto/hmac.hpp"
#include "secret.hpp"

namespace rampart {

class IndexKey {
  public:
    IndexKey(std::string_view scope, const SecretKey& key);

    // First 96 bits of HMAC-SHA256(iv subkey, u32(len scope) scope u8(kind) u64(len aad) aad
    // plaintext), integers big-endian. It covers the aad: with an IV of the plaintext alone, equal
    // plaintexts under different aads would share (key, IV), which gives GCM's authentication key
    // away.
    void DeterministicIv(Kind kind, ByteView aad, ByteView plaintext, std::uint8_t* iv) const;

    // HMAC-SHA256(blind-index subkey, u32(len scope) scope u64(len context) context text).
    std::array<std::uint8_t, 32> BlindIndex(ByteView context, ByteView text) const;

  private:
    HmacSha256 iv_;
    HmacSha256 blind_;
};

}  // namespace rampart
