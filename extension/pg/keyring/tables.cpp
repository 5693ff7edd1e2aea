#include <cstring>

#include "pg/keyring/tables.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/rel.h"
}

namespace rampart::pg::keyring {
namespace {

// Columns as sql/rampart/10_tables.sql declares them.
namespace column {
enum Scope { kScopeName = 1, kScopeTag = 2, kScopeDenied = 3 };
enum Key { kKeyId = 1, kKeyScope, kKeyPurpose, kKeyVersion, kKeyState, kKeyWrapped, kKeyRootKey };
enum Grant { kGrantScope = 1, kGrantRole, kGrantEncrypt, kGrantDecrypt };
}  // namespace column

struct Row {
    HeapTuple tuple;
    TupleDesc descriptor;

    Datum Get(int number, bool* null) const {
        return heap_getattr(tuple, number, descriptor, null);
    }
    Datum Get(int number) const {
        bool null = false;
        const Datum value = Get(number, &null);
        return null ? Datum{0} : value;
    }
    const char* Text(int number) const {
        bool null = false;
        const Datum value = Get(number, &null);
        return null ? "" : TextDatumGetCString(value);
    }
};

template <typename Enum>
struct Word {
    const char* word;
    Enum value;
};

template <typename Enum, std::size_t Size>
Enum Lookup(const Word<Enum> (&words)[Size], const char* word, Enum otherwise) {
    for (const auto& entry : words) {
        if (std::strcmp(entry.word, word) == 0) return entry.value;
    }
    return otherwise;
}

constexpr Word<Denied> kDenied[] = {
    {"armour", Denied::kArmour}, {"null", Denied::kNull}, {"mask", Denied::kMask}};
constexpr Word<KeyState> kStates[] = {{"active", KeyState::kActive},
                                      {"retired", KeyState::kRetired},
                                      {"exhausted", KeyState::kExhausted},
                                      {"disabled", KeyState::kDisabled}};

ScopeRow ReadScope(const Row& row) {
    // An unknown word means the strictest.
    return {row.Text(column::kScopeName), DatumGetInt32(row.Get(column::kScopeTag)),
            Lookup(kDenied, row.Text(column::kScopeDenied), Denied::kError)};
}

KeyRow ReadKey(const Row& row) {
    KeyRow key{};
    key.id = DatumGetInt64(row.Get(column::kKeyId));
    key.scope = row.Text(column::kKeyScope);
    key.purpose = std::strcmp(row.Text(column::kKeyPurpose), "index") == 0 ? KeyPurpose::kIndex
                                                                           : KeyPurpose::kData;
    key.version = DatumGetInt32(row.Get(column::kKeyVersion));
    key.state = Lookup(kStates, row.Text(column::kKeyState), KeyState::kDestroyed);
    bool null = false;
    const Datum wrapped = row.Get(column::kKeyWrapped, &null);
    if (!null) {
        const bytea* bytes = DatumGetByteaPCopy(wrapped);
        key.wrapped = VARDATA(bytes);
        key.wrapped_size = VARSIZE(bytes) - VARHDRSZ;
    }
    key.root_key = DatumGetInt64(row.Get(column::kKeyRootKey));
    return key;
}

GrantRow ReadGrant(const Row& row) {
    const bool encrypt = DatumGetBool(row.Get(column::kGrantEncrypt));
    const bool decrypt = DatumGetBool(row.Get(column::kGrantDecrypt));
    return {row.Text(column::kGrantScope), DatumGetObjectId(row.Get(column::kGrantRole)),
            static_cast<std::uint8_t>((encrypt ? kEncrypt : 0) | (decrypt ? kDecrypt : 0))};
}

template <typename Result, typename Read>
int ReadAll(Oid table, Result** rows, Read&& read) {
    int count = 0;
    int room = 16;
    *rows = static_cast<Result*>(palloc(room * sizeof(Result)));
    Relation relation = table_open(table, AccessShareLock);
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
    while (HeapTuple tuple = systable_getnext(scan)) {
        if (count == room) {
            room *= 2;
            *rows = static_cast<Result*>(repalloc(*rows, room * sizeof(Result)));
        }
        (*rows)[count++] = read(Row{tuple, RelationGetDescr(relation)});
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return count;
}

}  // namespace

Tables ReadTables(const Catalog& catalog) {
    Tables tables{};
    if (!catalog.present) return tables;
    tables.scope_count = ReadAll(catalog.scope_table, &tables.scopes, ReadScope);
    tables.key_count = ReadAll(catalog.key_table, &tables.keys, ReadKey);
    tables.grant_count = ReadAll(catalog.grant_table, &tables.grants, ReadGrant);
    return tables;
}

}  // namespace rampart::pg::keyring
