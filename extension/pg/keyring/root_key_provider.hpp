// Where the root key comes from: a file or a command, as set. docs/operations.md.
#pragma once

#include <cstdint>

#include "keyring/root_key.hpp"

namespace rampart::pg::keyring {

// The process's root key. Loaded by the postmaster where the library is preloaded, so that children
// inherit it, else on first use. Error RMK05 (detail says what is wrong with the provider).
const RootKey& CurrentRootKey();

// The root key with this fingerprint. A key that was changed at its provider since it was loaded is
// found by asking again. Error RMK06 if the provider holds another one.
const RootKey& RootKeyFor(std::uint64_t fingerprint);

// At start of the postmaster: loads if a provider is set; a failure is logged, not fatal.
void PreloadRootKey();

}  // namespace rampart::pg::keyring
