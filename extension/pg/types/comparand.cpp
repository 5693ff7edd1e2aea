// Functions that the rewrite puts into plans: comparand and veil.
#include "pg/postgres.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/keyring/rights.hpp"
#include "pg/types/convert.hpp"

namespace rampart::pg::types {
namespace {

using keyring::Denied;
using keyring::Keyring;
using keyring::Scope;

Datum PlainComparand(Kind kind, Datum value, std::int32_t typmod) {
    Scratch scratch;
    const ByteView plaintext = Encode(InfoOf(kind), value, &scratch);
    Keyring& keyring = Keyring::Current();
    Scope& scope = keyring.ScopeTagged(UnpackModifier(typmod).scope_tag);
    return PointerGetDatum(TokenFor(keyring, scope, kind, plaintext));
}

// What a reader without the right sees, where the scope says otherwise than armour.
Datum Veil(FunctionCallInfo fcinfo) {
    const Datum value = PG_GETARG_DATUM(0);
    const Identity identity = IdentifyDatum(value);
    if (identity.form == Form::kHeld || identity.form == Form::kToken) return value;
    const keyring::Key* key = Keyring::Current().FindKey(identity.key_id);
    if (key == nullptr || keyring::HasRight(*key->scope, keyring::kDecrypt)) return value;
    switch (key->scope->denied) {
        case Denied::kArmour:
            return value;
        case Denied::kError:
            keyring::RequireRight(*key->scope, keyring::kDecrypt);
            break;
        case Denied::kMask:
            if (identity.kind == Kind::kText)
                return PointerGetDatum(NewHeld(Kind::kText, AsBytes("****")));
            break;
        case Denied::kNull:
            break;
    }
    PG_RETURN_NULL();
}

}  // namespace
}  // namespace rampart::pg::types

namespace types = rampart::pg::types;

// (enc, int4) -> enc
RAMPART_FUNCTION(rampart_comparand) {
    return types::Comparand(PG_GETARG_DATUM(0), PG_GETARG_INT32(1));
}

RAMPART_FUNCTION(rampart_veil) { return types::Veil(fcinfo); }

// (plain, int4) -> enc
#define RAMPART_KIND_COMPARAND(name, kind)                                               \
    RAMPART_FUNCTION(rampart_##name##_comparand) {                                       \
        return types::PlainComparand(kind, PG_GETARG_DATUM(0), PG_GETARG_INT32(1));      \
    }
RAMPART_KIND_COMPARAND(text, rampart::Kind::kText)
RAMPART_KIND_COMPARAND(bytea, rampart::Kind::kBytea)
RAMPART_KIND_COMPARAND(int8, rampart::Kind::kInt8)
RAMPART_KIND_COMPARAND(date, rampart::Kind::kDate)
RAMPART_KIND_COMPARAND(timestamptz, rampart::Kind::kTimestamptz)
RAMPART_KIND_COMPARAND(uuid, rampart::Kind::kUuid)
