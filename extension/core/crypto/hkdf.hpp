// HKDF-SHA256 (RFC 5869), extract and expand.
#pragma once

#include "bytes.hpp"
#include "secret.hpp"

namespace rampart {

// Derives `out.size()` bytes (at most 255 * 32). `salt` may be empty.
void HkdfSha256(ByteView key, ByteView salt, ByteView info, ByteSpan out);

SecretKey DeriveKey(const SecretKey& key, ByteView salt, ByteView info);

}  // namespace rampart
