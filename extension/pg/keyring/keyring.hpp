// The keyring of this database as this backend sees it: scopes, keys, grants.
//
// Built from the extension's tables when first needed, and again after a change to them: at once
// for the changing transaction, at its commit for all others, undone by its rollback. Keys are
// unwrapped when first used. References stay valid until the next call of Current().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "keyring/data_key.hpp"
#include "keyring/index_key.hpp"
#include "keyring/root_key.hpp"
#include "pg/postgres.hpp"

namespace rampart::pg::keyring {

enum Right : std::uint8_t { kEncrypt = 1, kDecrypt = 2, kEncryptOrDecrypt = kEncrypt | kDecrypt };
struct Grant {
    Oid role;
    std::uint8_t rights;
};

// What a SELECT shows where the right to decrypt is missing.
enum class Denied : std::uint8_t { kArmour, kNull, kMask, kError };

enum class KeyState : std::uint8_t { kActive, kRetired, kExhausted, kDisabled, kDestroyed };

struct Key;

struct Scope {
    std::string name;
    std::uint32_t tag;
    Denied denied;
    std::vector<Grant> grants;
    Key* active = nullptr;
    Key* newest = nullptr;  // data key
    Key* index = nullptr;

    // The current user's rights, kept while user and memberships stay what they are.
    mutable Oid checked_user = InvalidOid;
    mutable std::uint64_t checked_epoch = 0;
    mutable std::uint8_t checked_rights = 0;
};

struct Key {
    std::uint64_t id;
    Scope* scope;
    KeyPurpose purpose;
    std::uint32_t version;
    KeyState state;
    std::vector<std::uint8_t> wrapped;
    std::uint64_t root_key;  // fingerprint

    // Whichever fits the purpose, once unwrapped.
    std::optional<DataKey> data;
    std::optional<IndexKey> index;
};

class Keyring {
  public:
    // REQUIRES: inside a transaction, and no reference from an earlier call in use.
    static Keyring& Current();
    static void RegisterCallbacks();

    // Counts rebuilds: what was remembered under another number is out of date.
    static std::uint64_t generation();

    // No keys at all: a new database, or one whose dump is being restored.
    bool empty() const { return keys_.empty(); }
    const std::vector<std::unique_ptr<Scope>>& scopes() const { return scopes_; }
    // Some scope answers with something else than armour where the right is missing.
    bool hides_denied() const { return hides_denied_; }

    Scope* FindScope(std::string_view name);
    Scope* FindScopeByTag(std::uint32_t tag);
    Key* FindKey(std::uint64_t id);

    // As above, but errors RMK01 and RMK02 where there is none.
    Scope& ScopeNamed(std::string_view name);
    Scope& ScopeTagged(std::uint32_t tag);
    Key& KeyWithId(std::uint64_t id);

    // Errors RMK03 to RMK07: disabled, destroyed, no or wrong root key, no active key; and RMK10.
    DataKey& Active(Scope& scope);
    DataKey& Usable(Key& key);
    const IndexKey& Index(Scope& scope);

    // What new keys are wrapped by: the root key that its provider gives at this moment, never one
    // that is only held; the new one as soon as keys are under it. Errors RMK05.
    const RootKey& RootKeyForNewKeys() const;

  private:
    friend class KeyringBuilder;
    std::vector<std::unique_ptr<Scope>> scopes_;
    std::unordered_map<std::uint64_t, Key> keys_;
    Key* last_found_ = nullptr;
    bool hides_denied_ = false;
};

// Error RMK10: it has encrypted as many values as it may.
[[noreturn]] void ThrowExhausted(const Key& key);

}  // namespace rampart::pg::keyring
