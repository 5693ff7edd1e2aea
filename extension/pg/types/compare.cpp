// Equality of deterministic values is equality of their IVs: the IV is a keyed function of scope, kind
// and plaintext, and does not depend on the version of the key, so old and new rows meet while a
// scope's key is being rotated. The operator classes order by IV too. That order means nothing and is
// never shown: see rewrite.cpp, which sorts by the plain type where a user says ORDER BY.
//
// Normally the planner has turned both sides into values with an IV before they come here. Where no
// planner passes (CHECK, partition bounds, operators called as functions) a held value may stand
// beside a sealed one: it is then given its token under the other side's scope, once a call site.
#include <cstring>

#include "pg/types/compare.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/types/convert.hpp"

extern "C" {
#include "access/xact.h"
#include "postmaster/autovacuum.h"
#include "replication/logicalworker.h"
#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "port/pg_bswap.h"
#include "tcop/pquery.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/sortsupport.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
}

namespace rampart::pg::types {
namespace {

using keyring::Keyring;

TimestampTz late_statement = 0;
TimestampTz analyzing_statement = 0;

// Who compares ciphertexts as such: ANALYZE, and logical replication that looks for a row by all its
// columns.
bool ComparesCiphertexts() {
    return IsAutoVacuumWorkerProcess() || IsLogicalWorker() ||
           analyzing_statement == GetCurrentStatementStartTimestamp();
}

// What a call site remembers between calls.
struct Site {
    std::uint64_t generation;  // of the keyring
    // Hashing and sorting: the one scope whose values this site has seen.
    std::uint64_t seen_key_id;
    std::uint64_t seen_index_key;
    // The last held value that was given a token, and that token.
    std::uint64_t token_index_key;
    std::size_t held_size;
    std::uint8_t* held;
    std::uint8_t iv[Aead::kIvSize];
};

Site& SiteOf(FmgrInfo* function) {
    if (function->fn_extra == nullptr)
        function->fn_extra = MemoryContextAllocZero(function->fn_mcxt, sizeof(Site));
    auto& site = *static_cast<Site*>(function->fn_extra);
    if (site.generation != Keyring::generation()) {
        site.seen_key_id = site.token_index_key = 0;
        site.generation = Keyring::generation();
    }
    return site;
}

void RequireDeterministic(const Identity& identity) {
    if (identity.form != Form::kRandomised || ComparesCiphertexts()) return;
    throw Error(errc::kNotComparable, "randomised values cannot be compared", "",
                "Declare the column deterministic, or cast it to its plain type: col::text = '...'.");
}

[[noreturn]] void ThrowUndetermined() {
    throw Error(errc::kScopeUndetermined, "the scope of an encrypted literal is not known here", "",
                "Give it its column's type: 'x'::enc_text(scope, deterministic); or cast both sides "
                "to the plain type.");
}

std::uint64_t IndexKeyOf(Keyring& keyring, std::uint64_t key_id) {
    const keyring::Scope& scope = *keyring.KeyWithId(key_id).scope;
    return scope.index == nullptr ? 0 : scope.index->id;
}

// A site that hashes or sorts sees each value alone: values of two scopes would just never meet.
void RequireOneScope(Site& site, std::uint64_t key_id) {
    if (key_id == site.seen_key_id) return;
    Keyring& keyring = Keyring::Current();
    // With no keys at all, a dump is being restored, and they come after its data.
    if (keyring.empty() || ComparesCiphertexts()) return;
    const std::uint64_t index_key = IndexKeyOf(keyring, key_id);
    if (site.seen_key_id != 0 && index_key != site.seen_index_key) {
        throw Error(errc::kScopesDiffer, "values of different scopes cannot be compared", "",
                    "Cast them to their plain type.");
    }
    site.seen_key_id = key_id;
    site.seen_index_key = index_key;
}

void RequireSameScope(const Identity& a, const Identity& b) {
    if (a.key_id == b.key_id) return;
    Keyring& keyring = Keyring::Current();
    if (keyring.empty() || ComparesCiphertexts()) return;
    const keyring::Scope& left = ScopeOf(keyring, a);
    const keyring::Scope& right = ScopeOf(keyring, b);
    if (&left == &right) return;
    throw Error(errc::kScopesDiffer,
                "values of scopes \"" + left.name + "\" and \"" + right.name +
                    "\" cannot be compared",
                "", "Cast both to their plain type.");
}

// Gives a held value the IV it has in the other value's scope.
void GiveIv(FmgrInfo* function, Identity* held, const Identity& other) {
    Keyring& keyring = Keyring::Current();
    Site& site = SiteOf(function);
    keyring::Scope& scope = ScopeOf(keyring, other);
    // Asked each time: a call site may outlive the right it was first used with.
    keyring::RequireRight(scope, keyring::kEncryptOrDecrypt);
    const std::uint64_t index_key = scope.index == nullptr ? 0 : scope.index->id;
    const bool known = site.token_index_key == index_key && index_key != 0 &&
                       site.held_size == held->held.size() &&
                       std::memcmp(site.held, held->held.data(), site.held_size) == 0;
    if (!known) {
        const Identity token = Identify(
            DetoastedBytes(PointerGetDatum(TokenFor(keyring, scope, held->kind, held->held))));
        // A call site can live as long as an index's relcache entry: one copy, not one a literal.
        if (site.held != nullptr) pfree(site.held);
        site.held = static_cast<std::uint8_t*>(
            MemoryContextAlloc(function->fn_mcxt, held->held.size() + 1));
        std::memcpy(site.held, held->held.data(), held->held.size());
        std::memcpy(site.iv, token.iv, Aead::kIvSize);
        site.held_size = held->held.size();
        site.token_index_key = index_key;
    }
    held->form = Form::kToken;
    held->key_id = other.key_id;
    held->iv = site.iv;
}

// A collation under which different strings are equal would need more than equal bytes.
void RequireDeterministicCollation(Oid collation) {
    if (collation == DEFAULT_COLLATION_OID || !OidIsValid(collation)) return;
    if (get_collation_isdeterministic(collation) || ComparesCiphertexts()) return;
    throw Error(errc::kNotComparable,
                "encrypted values cannot be compared under a nondeterministic collation", "",
                "Cast the column to text.");
}

int CompareIv(const Identity& a, const Identity& b) {
    return std::memcmp(a.iv, b.iv, Aead::kIvSize);
}

// Brings both sides to an IV. False: both are held.
bool Resolve(FunctionCallInfo fcinfo, Identity* a, Identity* b) {
    RequireDeterministicCollation(PG_GET_COLLATION());
    RequireDeterministic(*a);
    RequireDeterministic(*b);
    if (!a->has_iv() && !b->has_iv()) return false;
    if (!a->has_iv()) GiveIv(fcinfo->flinfo, a, *b);
    if (!b->has_iv()) GiveIv(fcinfo->flinfo, b, *a);
    RequireSameScope(*a, *b);
    return true;
}

bool HeldEqual(const Identity& a, const Identity& b) {
    return a.held.size() == b.held.size() &&
           std::memcmp(a.held.data(), b.held.data(), a.held.size()) == 0;
}

bool Equal(FunctionCallInfo fcinfo, Identity a, Identity b) {
    return Resolve(fcinfo, &a, &b) ? CompareIv(a, b) == 0 : HeldEqual(a, b);
}

Datum EqualResult(FunctionCallInfo fcinfo, const Identity& a, const Identity& b, bool negated) {
    const bool needs_token = a.has_iv() != b.has_iv();
    if (needs_token && IsUnknownWhileLoading(a.has_iv() ? a : b, keyring::kEncryptOrDecrypt))
        PG_RETURN_NULL();
    return BoolGetDatum(Equal(fcinfo, a, b) != negated);
}

Datum EqualDatums(FunctionCallInfo fcinfo, bool negated) {
    return EqualResult(fcinfo, IdentifyDatum(PG_GETARG_DATUM(0)),
                       IdentifyDatum(PG_GETARG_DATUM(1)), negated);
}

// Arrays, rows and the like compare their elements by what the type cache says, and no rewrite passes
// there: the order of IVs would show.
bool IsCalledByContainer(const FmgrInfo* function, Kind kind) {
    static std::uint64_t generation = 0;
    static const FmgrInfo* of_type_cache[kMaxKind];
    const Catalog& catalog = Catalog::Current();
    if (generation != Catalog::generation()) {
        for (std::size_t i = 0; i < catalog.kinds.size(); ++i) {
            of_type_cache[i] =
                &lookup_type_cache(catalog.kinds[i].type, TYPECACHE_CMP_PROC_FINFO)->cmp_proc_finfo;
        }
        generation = Catalog::generation();
    }
    return function == of_type_cache[static_cast<std::uint8_t>(kind) - 1];
}

void RequireNoContainer(const FmgrInfo* function, Kind kind) {
    if (!IsCalledByContainer(function, kind) || ComparesCiphertexts()) return;
    throw Error(errc::kNotOrderable, "arrays and rows that hold encrypted values have no order", "",
                "Cast their elements to the plain type.");
}

// The operator classes' order. Two held values have none that agrees with IVs.
int Order(FunctionCallInfo fcinfo) {
    RequirePlannedWithUs();
    Identity a = IdentifyDatum(PG_GETARG_DATUM(0));
    RequireNoContainer(fcinfo->flinfo, a.kind);
    Identity b = IdentifyDatum(PG_GETARG_DATUM(1));
    if (!Resolve(fcinfo, &a, &b)) ThrowUndetermined();
    return CompareIv(a, b);
}

// A value that is hashed or sorted, and so has to have its IV already.
Identity WithIv(Datum value, Site& site) {
    const Identity identity = IdentifyDatum(value);
    RequireDeterministic(identity);
    if (!identity.has_iv()) ThrowUndetermined();
    RequireOneScope(site, identity.key_id);
    return identity;
}

Identity Hashable(FunctionCallInfo fcinfo) {
    RequirePlannedWithUs();
    RequireDeterministicCollation(PG_GET_COLLATION());
    return WithIv(PG_GETARG_DATUM(0), SiteOf(fcinfo->flinfo));
}

Identity HeldPlain(Kind kind, Datum plain, Scratch* scratch) {
    Identity identity{};
    identity.form = Form::kHeld;
    identity.kind = kind;
    identity.held = Encode(InfoOf(kind), plain, scratch);
    return identity;
}

Datum EqualToPlain(FunctionCallInfo fcinfo, Kind kind, int encrypted, bool negated) {
    Scratch scratch;
    return EqualResult(fcinfo, IdentifyDatum(PG_GETARG_DATUM(encrypted)),
                       HeldPlain(kind, PG_GETARG_DATUM(1 - encrypted), &scratch), negated);
}

// The order users mean: of the plaintexts.
int PlainOrder(Datum a, Datum b, Oid collation) {
    const Kind kind = IdentifyDatum(a).kind;
    return DatumGetInt32(DirectFunctionCall2Coll(
        InfoOf(kind).compare, OidIsValid(collation) ? collation : DEFAULT_COLLATION_OID,
        ToPlain(kind, a), ToPlain(kind, b)));
}

int PlainOrder(FunctionCallInfo fcinfo) {
    return PlainOrder(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GET_COLLATION());
}

// The element of an array whose plaintext is greatest (sign 1) or least (-1), itself; NULLs do not count.
Datum Extreme(FunctionCallInfo fcinfo, int sign) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(0);
    Datum* elements = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    int best = -1;
    for (int i = 0; i < count; ++i) {
        if (nulls[i]) continue;
        if (best < 0 || sign * PlainOrder(elements[i], elements[best], PG_GET_COLLATION()) > 0)
            best = i;
    }
    if (best < 0) PG_RETURN_NULL();
    return elements[best];
}

int CompareForSort(Datum a, Datum b, SortSupport support) {
    return Guard([&] {
        auto& site = *static_cast<Site*>(support->ssup_extra);
        return CompareIv(WithIv(a, site), WithIv(b, site));
    });
}

// The first eight bytes of the IV decide all but never.
Datum Abbreviate(Datum value, SortSupport support) {
    return Guard([&] {
        const Identity identity = WithIv(value, *static_cast<Site*>(support->ssup_extra));
        return UInt64GetDatum(LoadBigEndian<std::uint64_t>(identity.iv));
    });
}

bool KeepAbbreviating(int, SortSupport) { return false; }

void PrepareSort(SortSupport support) {
    RequirePlannedWithUs();
    RequireDeterministicCollation(support->ssup_collation);
    support->ssup_extra = MemoryContextAllocZero(support->ssup_cxt, sizeof(Site));
    support->comparator = CompareForSort;
    if (!support->abbreviate) return;
    support->comparator = ssup_datum_unsigned_cmp;
    support->abbrev_converter = Abbreviate;
    support->abbrev_abort = KeepAbbreviating;
    support->abbrev_full_comparator = CompareForSort;
}

}  // namespace

void NoteAnalyzing() { analyzing_statement = GetCurrentStatementStartTimestamp(); }

void NoteLoadedLate() {
    late_statement = GetCurrentStatementStartTimestamp();
    ResetPlanCache();
}

void RequirePlannedWithUs() {
    if (late_statement == 0 || late_statement != GetCurrentStatementStartTimestamp()) return;
    throw Error(errc::kLoadedTooLate,
                "this statement was planned before the library rampart was loaded", "",
                "Run it again; to have the library loaded from the start, add rampart to "
                "shared_preload_libraries or session_preload_libraries.");
}

}  // namespace rampart::pg::types

using rampart::Kind;
namespace types = rampart::pg::types;

RAMPART_FUNCTION(rampart_eq) { return types::EqualDatums(fcinfo, false); }
RAMPART_FUNCTION(rampart_ne) { return types::EqualDatums(fcinfo, true); }

#define RAMPART_KIND_EQUALITY(name, kind)              \
    RAMPART_FUNCTION(rampart_eq_##name) {              \
        return types::EqualToPlain(fcinfo, kind, 0, false); \
    }                                                  \
    RAMPART_FUNCTION(rampart_ne_##name) {              \
        return types::EqualToPlain(fcinfo, kind, 0, true); \
    }                                                  \
    RAMPART_FUNCTION(rampart_##name##_eq) {            \
        return types::EqualToPlain(fcinfo, kind, 1, false); \
    }                                                  \
    RAMPART_FUNCTION(rampart_##name##_ne) {            \
        return types::EqualToPlain(fcinfo, kind, 1, true); \
    }
RAMPART_KIND_EQUALITY(text, Kind::kText)
RAMPART_KIND_EQUALITY(bytea, Kind::kBytea)
RAMPART_KIND_EQUALITY(int8, Kind::kInt8)
RAMPART_KIND_EQUALITY(date, Kind::kDate)
RAMPART_KIND_EQUALITY(timestamptz, Kind::kTimestamptz)
RAMPART_KIND_EQUALITY(uuid, Kind::kUuid)

// Public ordering operators: plaintext order, by decrypting.
RAMPART_FUNCTION(rampart_lt) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) < 0); }
RAMPART_FUNCTION(rampart_le) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) <= 0); }
RAMPART_FUNCTION(rampart_gt) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) > 0); }
RAMPART_FUNCTION(rampart_ge) { PG_RETURN_BOOL(types::PlainOrder(fcinfo) >= 0); }

RAMPART_FUNCTION(rampart_plain_compare) { PG_RETURN_INT32(types::PlainOrder(fcinfo)); }
RAMPART_FUNCTION(rampart_largest) { return types::Extreme(fcinfo, 1); }
RAMPART_FUNCTION(rampart_smallest) { return types::Extreme(fcinfo, -1); }

// Private ordering operators of the btree operator class.
RAMPART_FUNCTION(rampart_sort_lt) { PG_RETURN_BOOL(types::Order(fcinfo) < 0); }
RAMPART_FUNCTION(rampart_sort_le) { PG_RETURN_BOOL(types::Order(fcinfo) <= 0); }
RAMPART_FUNCTION(rampart_sort_gt) { PG_RETURN_BOOL(types::Order(fcinfo) > 0); }
RAMPART_FUNCTION(rampart_sort_ge) { PG_RETURN_BOOL(types::Order(fcinfo) >= 0); }
RAMPART_FUNCTION(rampart_sort_cmp) { PG_RETURN_INT32(types::Order(fcinfo)); }

RAMPART_FUNCTION(rampart_sort_support) {
    types::PrepareSort(reinterpret_cast<SortSupport>(PG_GETARG_POINTER(0)));
    PG_RETURN_VOID();
}

RAMPART_FUNCTION(rampart_hash) {
    return hash_any(types::Hashable(fcinfo).iv, rampart::Aead::kIvSize);
}

RAMPART_FUNCTION(rampart_hash_extended) {
    return hash_any_extended(types::Hashable(fcinfo).iv, rampart::Aead::kIvSize,
                             static_cast<std::uint64_t>(PG_GETARG_INT64(1)));
}
