// The btree and hash operator classes. Their order is that of IVs, means nothing and is never
// shown: where a user asks for an order, the rewrite sorts by the plain type (rewrite/order.cpp).
#include "pg/types/compare.hpp"

#include "pg/boundary.hpp"

extern "C" {
#include "access/reloptions.h"
#include "common/hashfn.h"
#include "nodes/primnodes.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"
}

namespace rampart::pg::types {
namespace {

// The operator classes' order. Two held values have none that agrees with IVs.
int Order(FunctionCallInfo fcinfo) {
    // GREATEST and LEAST ask the operator class for the order that users mean.
    const Node* caller = fcinfo->flinfo != nullptr ? fcinfo->flinfo->fn_expr : nullptr;
    if (caller != nullptr && IsA(caller, MinMaxExpr)) return PlainOrder(fcinfo);
    RequirePlannedWithUs();
    Identity a = IdentityToCompare(PG_GETARG_DATUM(0));
    Identity b = IdentityToCompare(PG_GETARG_DATUM(1));
    if (!Resolve(fcinfo, &a, &b)) ThrowUndetermined();
    return CompareIv(a, b);
}

Identity Hashable(FunctionCallInfo fcinfo) {
    RequirePlannedWithUs();
    RequireDeterministicCollation(PG_GET_COLLATION());
    return WithIv(PG_GETARG_DATUM(0), SiteOf(fcinfo->flinfo));
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
}  // namespace rampart::pg::types

namespace types = rampart::pg::types;

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

// Options of the operator class: there are none. It is called for each index that planning looks
// at, and so before an index gives an order away that nobody has compared anything for.
RAMPART_FUNCTION(rampart_opclass_options) {
    types::RequirePlannedWithUs();
    // An options struct of none is its length word.
    init_local_reloptions(reinterpret_cast<local_relopts*>(PG_GETARG_POINTER(0)),
                          sizeof(std::int32_t));
    PG_RETURN_VOID();
}

RAMPART_FUNCTION(rampart_hash) {
    return hash_any(types::Hashable(fcinfo).iv, rampart::Aead::kIvSize);
}

RAMPART_FUNCTION(rampart_hash_extended) {
    return hash_any_extended(types::Hashable(fcinfo).iv, rampart::Aead::kIvSize,
                             static_cast<std::uint64_t>(PG_GETARG_INT64(1)));
}
