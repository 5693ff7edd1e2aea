#include <string>

#include "pg/keyring/keyring.hpp"

#include "error.hpp"
#include "pg/catalog.hpp"
#include "pg/keyring/root_key_provider.hpp"
#include "pg/keyring/tables.hpp"

extern "C" {
#include "access/xact.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::keyring {
namespace {

// Only replaced in Current(), so that an invalidation in the middle of a function pulls nothing
// away.
std::unique_ptr<Keyring> current;
bool stale = true;
bool changed = false;  // by an event that arrived while reading
std::uint64_t rebuilds = 0;
std::uint64_t catalog_generation = 0;

// A cached plan whose locks are held already runs without anybody having read the invalidation
// queue.
void HearOfChanges() {
    static TimestampTz heard_statement = 0;
    const TimestampTz statement = GetCurrentStatementStartTimestamp();
    if (statement == heard_statement) return;
    heard_statement = statement;
    AcceptInvalidationMessages();
}

void OnRelationChange(Datum, Oid relation) {
    const Catalog& catalog = Catalog::Peek();
    if (!OidIsValid(relation) || relation == catalog.scope_table || relation == catalog.key_table ||
        relation == catalog.grant_table) {
        stale = changed = true;
    }
}

std::string Describe(const Key& key) {
    return "key " + KeyIdText(key.id) + " (scope \"" + key.scope->name + "\", version " +
           std::to_string(key.version) + ")";
}

void RequireUsableState(const Key& key) {
    if (key.state == KeyState::kDisabled) {
        throw Error(errc::kKeyDisabled, Describe(key) + " is disabled", "",
                    "SELECT rampart.enable_key(...) makes it usable again.");
    }
    if (key.state == KeyState::kDestroyed) {
        throw Error(errc::kKeyDestroyed, Describe(key) + " was destroyed",
                    "What was encrypted with it cannot be decrypted by anybody.");
    }
}

SecretKey Unwrap(const Key& key) {
    const RootKey& root = RootKeyFor(key.root_key);
    auto unwrapped = root.Unwrap({key.id, key.version, key.purpose, key.scope->name}, key.wrapped);
    if (!unwrapped) {
        throw Error(errc::kUnknownKey, Describe(key) + " is damaged",
                    "Its wrapped form was altered in rampart.key.",
                    "Restore the row from a backup of this database.");
    }
    return *std::move(unwrapped);
}

}  // namespace

// Turns rows into a keyring.
class KeyringBuilder {
  public:
    explicit KeyringBuilder(const Tables& tables) : keyring_(std::make_unique<Keyring>()) {
        for (int i = 0; i < tables.scope_count; ++i) AddScope(tables.scopes[i]);
        for (int i = 0; i < tables.grant_count; ++i) AddGrant(tables.grants[i]);
        for (int i = 0; i < tables.key_count; ++i) AddKey(tables.keys[i]);
    }
    std::unique_ptr<Keyring> Take() { return std::move(keyring_); }

  private:
    void AddScope(const ScopeRow& row) {
        auto scope = std::make_unique<Scope>();
        scope->name = row.name;
        scope->tag = static_cast<std::uint32_t>(row.tag);
        scope->denied = row.denied;
        keyring_->hides_denied_ |= row.denied != Denied::kArmour;
        keyring_->scopes_.push_back(std::move(scope));
    }
    void AddGrant(const GrantRow& row) {
        Scope* scope = keyring_->FindScope(row.scope);
        if (scope != nullptr) scope->grants.push_back({row.role, row.rights});
    }
    // A key without a scope is one of a restore that is not finished.
    void AddKey(const KeyRow& row) {
        Scope* scope = keyring_->FindScope(row.scope);
        if (scope == nullptr) return;
        Key& key = keyring_->keys_[static_cast<std::uint64_t>(row.id)];
        key.id = static_cast<std::uint64_t>(row.id);
        key.scope = scope;
        key.purpose = row.purpose;
        key.version = static_cast<std::uint32_t>(row.version);
        key.state = row.state;
        key.wrapped.assign(row.wrapped, row.wrapped + row.wrapped_size);
        key.root_key = static_cast<std::uint64_t>(row.root_key);
        // A scope that begins anew after shredding has more than one.
        if (row.purpose == KeyPurpose::kIndex &&
            (scope->index == nullptr || scope->index->version < key.version)) {
            scope->index = &key;
        }
        if (row.purpose == KeyPurpose::kData) {
            if (row.state == KeyState::kActive) scope->active = &key;
            if (scope->newest == nullptr || scope->newest->version < key.version)
                scope->newest = &key;
        }
    }

    std::unique_ptr<Keyring> keyring_;
};

Keyring& Keyring::Current() {
    HearOfChanges();
    const Catalog& catalog = Catalog::Current();
    if (stale || catalog_generation != Catalog::generation()) {
        const MemoryContext scratch = AllocSetContextCreate(
            CurrentMemoryContext, "rampart keyring rows", ALLOCSET_DEFAULT_SIZES);
        const MemoryContext caller = MemoryContextSwitchTo(scratch);
        changed = false;
        const Tables tables = ReadTables(catalog);
        MemoryContextSwitchTo(caller);
        current = KeyringBuilder(tables).Take();
        catalog_generation = Catalog::generation();
        ++rebuilds;
        stale = changed;
        MemoryContextDelete(scratch);
    }
    return *current;
}

std::uint64_t Keyring::generation() { return rebuilds; }

void Keyring::RegisterCallbacks() { CacheRegisterRelcacheCallback(OnRelationChange, Datum{0}); }

Scope* Keyring::FindScope(std::string_view name) {
    for (const auto& scope : scopes_) {
        if (scope->name == name) return scope.get();
    }
    return nullptr;
}

Scope* Keyring::FindScopeByTag(std::uint32_t tag) {
    for (const auto& scope : scopes_) {
        if (scope->tag == tag) return scope.get();
    }
    return nullptr;
}

Key* Keyring::FindKey(std::uint64_t id) {
    if (last_found_ != nullptr && last_found_->id == id) return last_found_;
    const auto found = keys_.find(id);
    if (found == keys_.end()) return nullptr;
    last_found_ = &found->second;
    return last_found_;
}

Scope& Keyring::ScopeNamed(std::string_view name) {
    if (Scope* scope = FindScope(name)) return *scope;
    throw Error(errc::kUnknownScope, "scope \"" + std::string(name) + "\" does not exist", "",
                "SELECT rampart.create_scope('...') makes one.");
}

Scope& Keyring::ScopeTagged(std::uint32_t tag) {
    if (Scope* scope = FindScopeByTag(tag)) return *scope;
    throw Error(errc::kUnknownScope, "the scope of this column does not exist", "",
                "Create the scope that the column's type names, or restore rampart's tables.");
}

Key& Keyring::KeyWithId(std::uint64_t id) {
    if (Key* key = FindKey(id)) return *key;
    throw Error(errc::kUnknownKey, "key " + KeyIdText(id) + " is not in this database's keyring",
                "", "The value was encrypted by another database, or its key's row was removed.");
}

DataKey& Keyring::Active(Scope& scope) {
    if (scope.active == nullptr) {
        if (scope.newest != nullptr && scope.newest->state == KeyState::kExhausted)
            ThrowExhausted(*scope.newest);
        throw Error(errc::kNoActiveKey, "scope \"" + scope.name + "\" has no active key", "",
                    "SELECT rampart.rotate_key('" + scope.name + "') makes one.");
    }
    return Usable(*scope.active);
}

DataKey& Keyring::Usable(Key& key) {
    if (key.data) return *key.data;
    RequireUsableState(key);
    if (key.purpose != KeyPurpose::kData)
        throw Error(errc::kMalformedCiphertext, Describe(key) + " encrypts no values");
    key.data.emplace(key.id, Unwrap(key));
    return *key.data;
}

const IndexKey& Keyring::Index(Scope& scope) {
    if (scope.index == nullptr)
        throw Error(errc::kNoActiveKey, "scope \"" + scope.name + "\" has no index key");
    Key& key = *scope.index;
    if (!key.index) {
        RequireUsableState(key);
        key.index.emplace(scope.name, Unwrap(key));
    }
    return *key.index;
}

void ThrowExhausted(const Key& key) {
    throw Error(errc::kKeyExhausted, Describe(key) + " has encrypted as many values as it may",
                "What it has encrypted stays readable.",
                "SELECT rampart.rotate_key('" + key.scope->name + "') makes a new key.");
}

const RootKey& Keyring::RootKeyForNewKeys() const {
    if (IsSet(Provider::kNew)) {
        const RootKey& next = AskProvider(Provider::kNew);
        for (const auto& [id, key] : keys_) {
            if (key.state != KeyState::kDestroyed && key.root_key == next.fingerprint())
                return next;
        }
    }
    return AskProvider(Provider::kCurrent);
}

}  // namespace rampart::pg::keyring
