// Input, output, receive and send of every encrypted type.
//
// Input takes plaintext, or armour; output gives plaintext or armour by the reader's rights, in
// text and binary alike. Binary plaintext is the plain type's wire format.
#include <cstring>

#include "pg/types/convert.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/log_privacy.hpp"

extern "C" {
#include "libpq/pqformat.h"
#include "utils/builtins.h"
}

namespace rampart::pg::types {
namespace {

Datum In(Kind kind, char* text, std::int32_t typmod) {
    log_privacy::Touch();  // before the text can be refused
    const KindInfo& info = InfoOf(kind);
    const std::string_view view(text);
    if (LooksLikeArmour(view)) return FromArmour(kind, view, typmod);
    Scratch scratch;
    if (kind == Kind::kText && StoresPlaintextAsIs(info))
        return FromPlaintext(kind, AsBytes(view), typmod);
    return FromPlaintext(kind, Encode(info, ParsePlain(info, text), &scratch), typmod);
}

char* Out(Kind kind, Datum value) {
    const Shown shown = Show(kind, value);
    if (!shown.is_plain) return shown.armour;
    const KindInfo& info = InfoOf(kind);
    if (kind == Kind::kText && StoresPlaintextAsIs(info))
        return const_cast<char*>(AsText(shown.plaintext).data());
    return PrintPlain(info, Decode(info, shown.plaintext));
}

Datum Receive(Kind kind, StringInfo buffer, std::int32_t typmod) {
    log_privacy::Touch();
    const KindInfo& info = InfoOf(kind);
    const std::string_view rest(buffer->data + buffer->cursor,
                                static_cast<std::size_t>(buffer->len - buffer->cursor));
    if (LooksLikeArmour(rest)) {
        buffer->cursor = buffer->len;
        return FromArmour(kind, rest, typmod);
    }
    Scratch scratch;
    return FromPlaintext(kind, Encode(info, ReceivePlain(info, buffer), &scratch), typmod);
}

Datum Send(Kind kind, Datum value) {
    const Shown shown = Show(kind, value);
    if (!shown.is_plain) return PointerGetDatum(cstring_to_text(shown.armour));
    const KindInfo& info = InfoOf(kind);
    return DirectFunctionCall1(info.send, Decode(info, shown.plaintext));
}

Datum ToPlainUnlessLoading(FunctionCallInfo fcinfo, Kind kind) {
    if (IsCopyLoading()) {
        const Identity identity = IdentifyDatum(PG_GETARG_DATUM(0));
        if (identity.form != Form::kHeld && IsUnknownWhileLoading(identity, keyring::kDecrypt))
            PG_RETURN_NULL();
    }
    return ToPlain(kind, PG_GETARG_DATUM(0));
}

}  // namespace
}  // namespace rampart::pg::types

// The kind is known by the function's name: a value does not say it before it is parsed.
#define RAMPART_KIND_IO(name, kind)                                                    \
    RAMPART_FUNCTION(rampart_##name##_in) {                                            \
        return rampart::pg::types::In(kind, PG_GETARG_CSTRING(0), PG_GETARG_INT32(2)); \
    }                                                                                  \
    RAMPART_FUNCTION(rampart_##name##_out) {                                           \
        PG_RETURN_CSTRING(rampart::pg::types::Out(kind, PG_GETARG_DATUM(0)));          \
    }                                                                                  \
    RAMPART_FUNCTION(rampart_##name##_recv) {                                          \
        auto* buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));             \
        return rampart::pg::types::Receive(kind, buffer, PG_GETARG_INT32(2));          \
    }                                                                                  \
    RAMPART_FUNCTION(rampart_##name##_send) {                                          \
        return rampart::pg::types::Send(kind, PG_GETARG_DATUM(0));                     \
    }                                                                                  \
    RAMPART_FUNCTION(rampart_##name##_to_plain) {                                      \
        return rampart::pg::types::ToPlainUnlessLoading(fcinfo, kind);                 \
    }                                                                                  \
    RAMPART_FUNCTION(rampart_##name##_from_plain) {                                    \
        using namespace rampart::pg::types;                                            \
        Scratch scratch;                                                               \
        return FromPlaintext(kind, Encode(InfoOf(kind), PG_GETARG_DATUM(0), &scratch), \
                             PG_GETARG_INT32(1));                                      \
    }

RAMPART_KIND_IO(text, rampart::Kind::kText)
RAMPART_KIND_IO(bytea, rampart::Kind::kBytea)
RAMPART_KIND_IO(jsonb, rampart::Kind::kJsonb)
RAMPART_KIND_IO(numeric, rampart::Kind::kNumeric)
RAMPART_KIND_IO(int8, rampart::Kind::kInt8)
RAMPART_KIND_IO(date, rampart::Kind::kDate)
RAMPART_KIND_IO(timestamptz, rampart::Kind::kTimestamptz)
RAMPART_KIND_IO(uuid, rampart::Kind::kUuid)
RAMPART_KIND_IO(bool, rampart::Kind::kBool)

// (enc, int4, bool) -> enc: PostgreSQL's length coercion, to a column's scope and mode.
RAMPART_FUNCTION(rampart_coerce) {
    return rampart::pg::types::Coerce(PG_GETARG_DATUM(0), PG_GETARG_INT32(1));
}
