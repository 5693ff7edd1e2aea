// The root keys of this process: what the providers that are set gave it. docs/operations.md.
//
// There are two providers: the current one, and, while the root key is being changed, the new one.
// Each is a file or a command. Keys are held once given, so that a server goes on while its
// provider is out of reach.
#pragma once

#include <cstdint>
#include <string>

#include "keyring/root_key.hpp"

namespace rampart::pg::keyring {

enum class Provider { kCurrent, kNew };

bool IsSet(Provider provider);
// Name of the setting that is used: rampart.root_key_file and so on.
std::string SettingOf(Provider provider);

// Asks the provider now, whatever is held. Error RMK05; its detail says what is wrong. The
// reference stays valid until the next call of a function of this file.
const RootKey& AskProvider(Provider provider);

// The root key with this fingerprint: one that is held, or else what the current provider or the
// new one gives. Errors RMK05, RMK06: neither gives that one. An answer of no is remembered for a
// moment within a statement, which may need the key for each of its rows.
const RootKey& RootKeyFor(std::uint64_t fingerprint);

// At start of the postmaster, so that its children inherit the keys: asks the providers that are
// set. A failure is logged, not fatal.
void PreloadRootKeys();

}  // namespace rampart::pg::keyring
