// The root key (KEK): 256 bits that live outside the database and wrap every other key.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "secret.hpp"

namespace rampart {

// What a wrapped key belongs to. It is bound to the wrapped bytes: each wrap uses its own KEK,
// derived from the root key by HKDF over these fields, so a wrapped key moved to another scope,
// version, purpose or id does not unwrap. Signing keys and those that secrets of tokens are stored
// under, of which a database has one at a time, belong to the scope without a name.
enum class KeyPurpose : std::uint8_t { kData = 1, kIndex = 2, kSigning = 3, kToken = 4 };
struct KeyIdentity {
    std::uint64_t id;
    std::uint32_t version;
    KeyPurpose purpose;
    std::string_view scope;
};

class RootKey {
  public:
    explicit RootKey(SecretKey key);

    // Reads 64 hexadecimal digits or 32 raw bytes, surrounding white space allowed in the former.
    // Nothing if the text is neither; 32 printable characters are not taken for raw bytes, as they
    // are half a key or a passphrase. The caller wipes `text`.
    static std::optional<RootKey> Parse(ByteView text);

    // 64 bits that tell root keys apart without telling anything about them; stored beside each
    // wrapped key, so that a wrong root key is recognised before it is tried.
    std::uint64_t fingerprint() const { return fingerprint_; }

    std::vector<std::uint8_t> Wrap(const KeyIdentity& identity, const SecretKey& key) const;
    std::optional<SecretKey> Unwrap(const KeyIdentity& identity, ByteView wrapped) const;

  private:
    SecretKey WrappingKey(const KeyIdentity& identity) const;
    SecretKey key_;
    std::uint64_t fingerprint_;
};

}  // namespace rampart
