// The rows of rampart.scope, rampart.key and rampart.scope_grant as plain memory: what is read
// under the server's rules (any call may longjmp) before C++ builds on it.
#pragma once

#include "pg/catalog.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/postgres.hpp"

namespace rampart::pg::keyring {

struct ScopeRow {
    const char* name;
    std::int32_t tag;
    Denied denied;
};
struct KeyRow {
    std::int64_t id;
    const char* scope;
    KeyPurpose purpose;
    std::int32_t version;
    KeyState state;
    const char* wrapped;
    std::size_t wrapped_size;
    std::int64_t root_key;
};
struct GrantRow {
    const char* scope;
    Oid role;
    std::uint8_t rights;
};

struct Tables {
    ScopeRow* scopes;
    KeyRow* keys;
    GrantRow* grants;
    int scope_count, key_count, grant_count;
};

// In the current memory context. Sees what is committed now and what this transaction did: the
// active snapshot could be old enough to keep a revoked grant alive.
Tables ReadTables(const Catalog& catalog);

}  // namespace rampart::pg::keyring
