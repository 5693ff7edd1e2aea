// A value of an encrypted type as it stands in memory.
//
//   sealed   a ciphertext of format 1: the only form that a table holds
//   held     plaintext whose column is not known yet: a literal or parameter before it is coerced.
//            Output prints it, coercion to a column's modifier seals it. No table column is without
//            a modifier (sql/rampart/50_columns.sql sees to that), so it cannot be stored
//   token    what a deterministic value is compared by, without the value: its IV. Stands beside a
//            column in a plan, where a plaintext would show up in EXPLAIN; prints as armour
//
// The first byte tells them apart. That of a ciphertext is 0x11 or 0x12; those of the other two
// differ from it in five bits and more, so that damage on disk does not turn one into the other.
#pragma once

#include "bytes.hpp"
#include "ciphertext.hpp"
#include "pg/keyring/keyring.hpp"
#include "pg/postgres.hpp"

namespace rampart::pg::types {

enum class Form : std::uint8_t {
    kRandomised = kFormat << 4 | 1,
    kDeterministic = kFormat << 4 | 2,
    kHeld = 0xec,
    kToken = 0xe3,
};

// Enough of a value to compare it. Views into the datum.
struct Identity {
    Form form;
    Kind kind;
    std::uint64_t key_id;    // of a token: the scope's index key; of a held value: 0
    const std::uint8_t* iv;  // nullptr for a held value
    ByteView held;           // plaintext of a held value
    bool has_iv() const { return form != Form::kHeld; }
};

// Error RMC01 where the bytes are none of the forms.
Identity Identify(ByteView bytes);

// False where they are none. Into a reference, and not an optional: copied as a whole right after
// its fields were written one by one, it would stall a comparison for longer than all the rest
// takes.
[[nodiscard]] bool ReadIdentity(ByteView bytes, Identity* identity);

// Detoasts; of a large value only the beginning.
ByteView BeginningOf(Datum value);
Identity IdentifyDatum(Datum value);
ByteView DetoastedBytes(Datum value);

// Parsed, of this kind. Errors RMC01, RMC03.
Ciphertext ParseSealed(ByteView bytes, Kind kind);

// New values in the current memory context. NewFromArmour: the bytes, unverified; error RMC01.
varlena* NewFromArmour(std::string_view armour);
varlena* NewHeld(Kind kind, ByteView plaintext);
varlena* NewToken(Kind kind, std::uint64_t index_key_id, const std::uint8_t* iv);
varlena* NewSealed(keyring::Keyring& keyring, keyring::Scope& scope, Mode mode, Kind kind,
                   ByteView plaintext, ByteView aad = {});

// A sealed value again, under its scope's active key: same mode and plaintext, so that a
// deterministic value keeps its IV. No right is asked for: nothing is shown. Errors as OpenSealed
// and NewSealed.
varlena* Reseal(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad);

// Plaintext of a sealed value, in `out` (ciphertext.body.size() bytes) or, NUL-terminated, in the
// current memory context. No right is asked for: the caller did. Errors RMC02 and the keyring's.
void OpenSealed(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad,
                std::uint8_t* out);
ByteView OpenSealed(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad = {});
// As a value of the plain type.
Datum OpenToPlain(keyring::Keyring& keyring, const Ciphertext& ciphertext, ByteView aad = {});

}  // namespace rampart::pg::types
