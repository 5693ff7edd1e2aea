// Functions that the rewrite puts into plans: comparand and veil.
#include <cstring>

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

// A comparand is evaluated for each row of a sequential scan: what comes again is not hashed again.
struct Memo {
    std::uint64_t generation;  // of the keyring
    std::int32_t typmod;
    std::size_t size;
    std::uint8_t* plaintext;
    varlena* token;
};

bool Remembers(const Memo& memo, ByteView plaintext, std::int32_t typmod) {
    return memo.token != nullptr && memo.generation == Keyring::generation() &&
           memo.typmod == typmod && memo.size == plaintext.size() &&
           std::memcmp(memo.plaintext, plaintext.data(), memo.size) == 0;
}

void Forget(Memo* memo) {
    if (memo->token == nullptr) return;
    pfree(memo->plaintext);
    pfree(memo->token);
    memo->token = nullptr;
}

varlena* CopyIn(MemoryContext context, const varlena* value) {
    auto* copy = static_cast<varlena*>(MemoryContextAlloc(context, VARSIZE(value)));
    std::memcpy(copy, value, VARSIZE(value));
    return copy;
}

void Remember(Memo* memo, MemoryContext context, ByteView plaintext, std::int32_t typmod,
              const varlena* token) {
    Forget(memo);
    memo->generation = Keyring::generation();
    memo->typmod = typmod;
    memo->size = plaintext.size();
    memo->plaintext = static_cast<std::uint8_t*>(MemoryContextAlloc(context, memo->size + 1));
    std::memcpy(memo->plaintext, plaintext.data(), memo->size);
    memo->token = CopyIn(context, token);
}

Datum Token(FmgrInfo* function, Kind kind, ByteView plaintext, std::int32_t typmod) {
    if (function->fn_extra == nullptr)
        function->fn_extra = MemoryContextAllocZero(function->fn_mcxt, sizeof(Memo));
    auto* memo = static_cast<Memo*>(function->fn_extra);
    Keyring& keyring = Keyring::Current();
    Scope& scope = keyring.ScopeTagged(UnpackModifier(typmod).scope_tag);
    // Asked each time: a call site may outlive the right it was first used with.
    keyring::RequireRight(scope, keyring::kEncryptOrDecrypt);
    if (!Remembers(*memo, plaintext, typmod)) {
        Remember(memo, function->fn_mcxt, plaintext, typmod,
                 TokenFor(keyring, scope, kind, plaintext));
    }
    // A copy: the caller may keep this one while it asks for the next.
    return PointerGetDatum(CopyIn(CurrentMemoryContext, memo->token));
}

Datum PlainComparand(FunctionCallInfo fcinfo, Kind kind) {
    Scratch scratch;
    const ByteView plaintext = Encode(InfoOf(kind), PG_GETARG_DATUM(0), &scratch);
    return Token(fcinfo->flinfo, kind, plaintext, PG_GETARG_INT32(1));
}

// A held value's token; a deterministic value of the scope as it is. Errors RMT02, RMT03.
Datum EncryptedComparand(FunctionCallInfo fcinfo) {
    const Datum value = PG_GETARG_DATUM(0);
    const std::int32_t typmod = PG_GETARG_INT32(1);
    const Identity identity = IdentifyDatum(value);
    if (identity.form == Form::kHeld)
        return Token(fcinfo->flinfo, identity.kind, identity.held, typmod);
    RequireScope(identity, UnpackModifier(typmod).scope_tag);
    return value;
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
RAMPART_FUNCTION(rampart_comparand) { return types::EncryptedComparand(fcinfo); }

RAMPART_FUNCTION(rampart_veil) { return types::Veil(fcinfo); }

// (plain, int4) -> enc
#define RAMPART_KIND_COMPARAND(name, kind) \
    RAMPART_FUNCTION(rampart_##name##_comparand) { return types::PlainComparand(fcinfo, kind); }
RAMPART_KIND_COMPARAND(text, rampart::Kind::kText)
RAMPART_KIND_COMPARAND(bytea, rampart::Kind::kBytea)
RAMPART_KIND_COMPARAND(int8, rampart::Kind::kInt8)
RAMPART_KIND_COMPARAND(date, rampart::Kind::kDate)
RAMPART_KIND_COMPARAND(timestamptz, rampart::Kind::kTimestamptz)
RAMPART_KIND_COMPARAND(uuid, rampart::Kind::kUuid)
