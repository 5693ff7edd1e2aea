// `=` and `<>` between encrypted values, and between one and a value of its plain type.
#include <cstring>

#include "pg/types/compare.hpp"

#include "pg/boundary.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/types/convert.hpp"

namespace rampart::pg::types {
namespace {

bool HeldEqual(const Identity& a, const Identity& b) {
    return a.held.size() == b.held.size() &&
           std::memcmp(a.held.data(), b.held.data(), a.held.size()) == 0;
}

Datum EqualResult(FunctionCallInfo fcinfo, Identity* a, Identity* b, bool negated) {
    const bool needs_token = a->has_iv() != b->has_iv();
    if (needs_token && IsUnknownWhileLoading(a->has_iv() ? *a : *b, keyring::kEncryptOrDecrypt))
        PG_RETURN_NULL();
    const bool equal = Resolve(fcinfo, a, b) ? CompareIv(*a, *b) == 0 : HeldEqual(*a, *b);
    return BoolGetDatum(equal != negated);
}

Datum EqualDatums(FunctionCallInfo fcinfo, bool negated) {
    Identity a = IdentifyDatum(PG_GETARG_DATUM(0));
    Identity b = IdentifyDatum(PG_GETARG_DATUM(1));
    return EqualResult(fcinfo, &a, &b, negated);
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
    Identity value = IdentifyDatum(PG_GETARG_DATUM(encrypted));
    Identity plain = HeldPlain(kind, PG_GETARG_DATUM(1 - encrypted), &scratch);
    return EqualResult(fcinfo, &value, &plain, negated);
}

}  // namespace
}  // namespace rampart::pg::types

using rampart::Kind;
namespace types = rampart::pg::types;

RAMPART_FUNCTION(rampart_eq) { return types::EqualDatums(fcinfo, false); }
RAMPART_FUNCTION(rampart_ne) { return types::EqualDatums(fcinfo, true); }

#define RAMPART_KIND_EQUALITY(name, kind)                                                         \
    RAMPART_FUNCTION(rampart_eq_##name) { return types::EqualToPlain(fcinfo, kind, 0, false); }   \
    RAMPART_FUNCTION(rampart_ne_##name) { return types::EqualToPlain(fcinfo, kind, 0, true); }    \
    RAMPART_FUNCTION(rampart_##name##_eq) { return types::EqualToPlain(fcinfo, kind, 1, false); } \
    RAMPART_FUNCTION(rampart_##name##_ne) { return types::EqualToPlain(fcinfo, kind, 1, true); }
RAMPART_KIND_EQUALITY(text, Kind::kText)
RAMPART_KIND_EQUALITY(bytea, Kind::kBytea)
RAMPART_KIND_EQUALITY(int8, Kind::kInt8)
RAMPART_KIND_EQUALITY(date, Kind::kDate)
RAMPART_KIND_EQUALITY(timestamptz, Kind::kTimestamptz)
RAMPART_KIND_EQUALITY(uuid, Kind::kUuid)
