#include <memory>
#include <string>

#include "pg/principal/token_keys.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/committed.hpp"
#include "pg/keyring/root_key_provider.hpp"
#include "pg/keyring/tables.hpp"
#include "token/secret_seal.hpp"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::principal {
namespace {

// Columns as sql/rampart/88_principal.sql declares them.
enum {
    kId = 1,
    kAlgorithm,
    kPublicKey,
    kSecret,
    kWrappedBy,
    kIssuer,
    kAudience,
    kLeeway,
    kAccessOnly,
    kFrom,
    kUntil
};
enum { kTokenId = 1 };  // of rampart.token_denylist

std::unique_ptr<std::vector<token::Key>> current;
bool stale = true;
bool changed = false;  // by an event that arrived while reading
Oid table = InvalidOid;

void OnRelationChange(Datum, Oid relation) {
    if (!OidIsValid(relation) || relation == table || relation == Catalog::Peek().key_table)
        stale = changed = true;
}

// Of rampart.token_key, in plain memory. nullptr: not given.
struct Row {
    const char* id;
    const char* algorithm;
    const bytea* public_key;
    const bytea* secret;
    std::int64_t wrapped_by;
    const char* issuer;
    const char* audience;
    std::int32_t leeway;
    bool access_only;
    TimestampTz from;
    TimestampTz until;
    Row* next;
};

const char* TextOf(HeapTuple tuple, TupleDesc descriptor, int number) {
    bool null = false;
    const Datum value = heap_getattr(tuple, number, descriptor, &null);
    return null ? "" : TextDatumGetCString(value);
}

const bytea* BytesOf(HeapTuple tuple, TupleDesc descriptor, int number) {
    bool null = false;
    const Datum value = heap_getattr(tuple, number, descriptor, &null);
    return null ? nullptr : DatumGetByteaPCopy(value);
}

Row* ReadRow(HeapTuple tuple, TupleDesc descriptor, Row* next) {
    bool null = false;
    const auto get = [&](int number) { return heap_getattr(tuple, number, descriptor, &null); };
    auto* row = static_cast<Row*>(palloc0(sizeof(Row)));
    row->id = TextOf(tuple, descriptor, kId);
    row->algorithm = TextOf(tuple, descriptor, kAlgorithm);
    row->public_key = BytesOf(tuple, descriptor, kPublicKey);
    row->secret = BytesOf(tuple, descriptor, kSecret);
    row->wrapped_by = DatumGetInt64(get(kWrappedBy));
    row->issuer = TextOf(tuple, descriptor, kIssuer);
    row->audience = TextOf(tuple, descriptor, kAudience);
    row->leeway = DatumGetInt32(get(kLeeway));
    row->access_only = DatumGetBool(get(kAccessOnly));
    row->from = DatumGetTimestampTz(get(kFrom));
    row->until = DatumGetTimestampTz(get(kUntil));
    row->next = next;
    return row;
}

// Under the catalog's snapshot: the active one could be old enough to keep a dropped key alive.
Row* ReadRows() {
    Row* rows = nullptr;
    table = OwnTable("token_key");
    if (!OidIsValid(table)) return rows;
    const Relation relation = table_open(table, AccessShareLock);
    const SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
    while (HeapTuple tuple = systable_getnext(scan))
        rows = ReadRow(tuple, RelationGetDescr(relation), rows);
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return rows;
}

ByteView View(const bytea* bytes) {
    return {reinterpret_cast<const std::uint8_t*>(VARDATA(bytes)), VARSIZE(bytes) - VARHDRSZ};
}

std::int64_t ToSeconds(TimestampTz at) {
    constexpr std::int64_t kEpoch =
        std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * SECS_PER_DAY;
    if (TIMESTAMP_IS_NOBEGIN(at)) return INT64_MIN;
    if (TIMESTAMP_IS_NOEND(at)) return INT64_MAX;
    return at / USECS_PER_SEC + kEpoch;
}

SecretKey Unwrap(const keyring::Tables& tables, std::int64_t id) {
    for (int i = 0; i < tables.key_count; ++i) {
        const keyring::KeyRow& row = tables.keys[i];
        if (row.id != id || row.wrapped == nullptr || row.state == keyring::KeyState::kDisabled)
            continue;
        const KeyIdentity identity{static_cast<std::uint64_t>(row.id),
                                   static_cast<std::uint32_t>(row.version), KeyPurpose::kToken,
                                   row.scope};
        auto key = keyring::RootKeyFor(static_cast<std::uint64_t>(row.root_key))
                       .Unwrap(identity, AsBytes({row.wrapped, row.wrapped_size}));
        if (key) return *std::move(key);
    }
    throw Error(errc::kUnknownKey, "the key that wraps secrets of tokens cannot be used");
}

token::VerificationKey MakeKey(const Row& row, token::Algorithm algorithm,
                               const keyring::Tables& tables) {
    if (algorithm != token::Algorithm::kHs256 && row.public_key != nullptr)
        return token::VerificationKey::FromDer(algorithm, View(row.public_key));
    if (row.secret == nullptr) throw Error(errc::kTokenKey, "a token key without a key");
    auto secret = token::OpenSecret(Unwrap(tables, row.wrapped_by), row.id, View(row.secret));
    if (!secret) throw Error(errc::kTokenKey, "a secret of a token key is damaged");
    token::VerificationKey key = token::VerificationKey::FromSecret(*secret);
    Wipe(*secret);
    return key;
}

// A key that cannot be made at present (no root key, a damaged row) refuses its tokens, and those
// of the others are verified. It is tried again the next time.
void Add(const Row& row, const keyring::Tables& tables) {
    const auto algorithm = token::AlgorithmNamed(row.algorithm);
    if (!algorithm) return;
    token::Key key{.id = row.id,
                   .algorithm = *algorithm,
                   .issuer = row.issuer,
                   .audience = row.audience,
                   .leeway = std::min<std::int64_t>(row.leeway, token::kMaxLeeway),
                   .access_only = row.access_only,
                   .from = ToSeconds(row.from),
                   .until = ToSeconds(row.until),
                   .key = std::nullopt};
    try {
        key.key = MakeKey(row, *algorithm, tables);
    } catch (const Error&) {
        changed = true;
    }
    current->push_back(std::move(key));
}

}  // namespace

const std::vector<token::Key>& TokenKeys() {
    AcceptInvalidationMessages();
    if (!stale && current != nullptr) return *current;
    const MemoryContext scratch =
        AllocSetContextCreate(CurrentMemoryContext, "rampart token keys", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext caller = MemoryContextSwitchTo(scratch);
    stale = true;
    changed = false;
    const Row* rows = ReadRows();
    const keyring::Tables tables = keyring::ReadTables(Catalog::Current());
    MemoryContextSwitchTo(caller);
    current = std::make_unique<std::vector<token::Key>>();
    for (; rows != nullptr; rows = rows->next) Add(*rows, tables);
    stale = changed;
    MemoryContextDelete(scratch);
    return *current;
}

bool IsRevoked(const char* token_id) {
    const Oid denylist = OwnTable("token_denylist");
    if (*token_id == '\0' || !OidIsValid(denylist)) return false;
    const Relation relation = table_open(denylist, AccessShareLock);
    const Oid index = RelationGetPrimaryKeyIndex(relation);
    ScanKeyData key;
    ScanKeyInit(&key, kTokenId, BTEqualStrategyNumber, F_TEXTEQ,
                PointerGetDatum(cstring_to_text(token_id)));
    const SysScanDesc scan =
        systable_beginscan(relation, index, OidIsValid(index), nullptr, 1, &key);
    const bool found = HeapTupleIsValid(systable_getnext(scan));
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return found;
}

void RegisterTokenCallbacks() { CacheRegisterRelcacheCallback(OnRelationChange, Datum{0}); }

}  // namespace rampart::pg::principal
