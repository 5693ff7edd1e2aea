// What becomes of a value on its way in, out and across: the rules of encrypted types, each once.
#pragma once

#include "pg/types/kinds.hpp"
#include "pg/types/value.hpp"
#include "typmod.hpp"

namespace rampart::pg::types {

// Plaintext for a column with this modifier (-1: not known yet, the value is held).
// Right: encrypt.
Datum FromPlaintext(Kind kind, ByteView plaintext, std::int32_t typmod);

// Armour for such a column: taken as it is where key, kind, scope and mode fit and the tag is
// right. Errors RMC01 to RMC04, RMK02 to RMK04.
Datum FromArmour(Kind kind, std::string_view armour, std::int32_t typmod);

// To another modifier. A value that is sealed as asked stays what it is, also under an older key.
Datum Coerce(Datum value, std::int32_t typmod);

// The plain type's value. Right: decrypt.
Datum ToPlain(Kind kind, Datum value);

// Whether a CHECK must do without this value: COPY is loading rows for a role without the right, or
// before the keys of a restored dump are there. Dumps are made and restored by roles that cannot
// decrypt; a constraint that needs to is unknown then, as it is for NULL.
bool IsCopyLoading();
// COPY FROM ... WHERE begins: its condition is a query's and must not drop rows for being unknown,
// and it is evaluated where constraints are.
void NoteConditionalCopy();
bool IsUnknownWhileLoading(const Identity& identity, std::uint8_t rights);

// What a reader is shown: plaintext if it may see it, else armour. `plain` or `armour` is set.
struct Shown {
    bool is_plain;
    ByteView plaintext;  // NUL-terminated, in the current memory context
    char* armour;        // NUL-terminated
};
Shown Show(Kind kind, Datum value);

// A value that is to be compared with those of a deterministic column: errors RMT02, RMT03 unless
// it is deterministic and of that scope.
void RequireScope(const Identity& identity, std::uint32_t scope_tag);

// The token that a plaintext has in a scope. Right: encrypt or decrypt.
varlena* TokenFor(keyring::Keyring& keyring, keyring::Scope& scope, Kind kind, ByteView plaintext);

// The scope a sealed value or token belongs to.
keyring::Scope& ScopeOf(keyring::Keyring& keyring, const Identity& identity);

}  // namespace rampart::pg::types
