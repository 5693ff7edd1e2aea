// Column values as JSON for the audit log. What is written depends on the value alone: not on the
// writer's rights (an encrypted value is its armour, also inside arrays, composites and domains),
// nor on settings such as DateStyle, bytea_output or the time zone.
//
//   boolean, numbers        as such; NaN and infinity as strings
//   arrays, composites      arrays and objects
//   jsonb                   as it is; json as a string, verbatim
//   dates and times         ISO 8601, timestamptz in UTC
//   bytea                   "\x..."
//   everything else         the type's text form
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace rampart::pg::audit {

enum class Shape : std::uint8_t {
    kBool,
    kInt2,
    kInt4,
    kInt8,
    kNumeric,
    kFloat,
    kText,
    kTime,
    kBytea,
    kJsonb,
    kEncrypted,
    kArray,
    kComposite,
    kOther,
};

// How the values of a type are written and compared.
struct TypePlan {
    Shape shape;
    Oid type;  // domains resolved
    std::int16_t length;
    bool by_value;
    char align;
    FmgrInfo output;    // where the text form is needed
    TypePlan* element;  // of an array
};

// In the current memory context, as is everything below.
TypePlan* PlanOf(Oid type);

// Pushes a value that is not NULL; `token` is WJB_VALUE or WJB_ELEM.
void PushValue(JsonbParseState** state, JsonbIteratorToken token, TypePlan& plan, Datum value);
void PushKey(JsonbParseState** state, const char* name, std::size_t length);
void PushString(JsonbParseState** state, JsonbIteratorToken token, const char* text,
                std::size_t length);
void PushNull(JsonbParseState** state, JsonbIteratorToken token);

// Whether two values, neither NULL, are the same: byte for byte, encrypted ones of deterministic
// mode by their IVs, so that a new key version alone is no change. Fetches nothing where both are
// the same value out of line.
bool SameValue(TypePlan& plan, Datum a, Datum b);

}  // namespace rampart::pg::audit
