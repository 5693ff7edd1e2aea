// The table of kinds: one row an encrypted type. Everything else about types is written once.
#pragma once

#include <span>

#include "bytes.hpp"
#include "ciphertext.hpp"
#include "pg/postgres.hpp"

namespace rampart::pg::types {

struct KindInfo {
    Kind kind;
    const char* encrypted_type;  // in pg_catalog, so that it is found whatever the search_path
    Oid plain_type;
    // Whether equal values have one byte string. Without that, deterministic mode would either miss
    // equal values (1.0 and 1.00, {"a": 1.0} and {"a": 1.00}) or reuse an IV; of a bool it would
    // hide nothing.
    bool deterministic;
    PGFunction in, out, recv, send, compare;
    // Plaintext is the wire format's bytes of this length; 0: text, or bytes as they are.
    std::uint8_t fixed_size;
};

std::span<const KindInfo> AllKinds();
const KindInfo& InfoOf(Kind kind);

// Room for the plaintext of a kind of fixed size.
struct Scratch {
    std::uint8_t bytes[16];
};

// The plaintext bytes of a value of the plain type (docs/formats.md): in `scratch`, or in the
// datum, or in the current memory context.
ByteView Encode(const KindInfo& info, Datum value, Scratch* scratch);

// The value of the plain type, from plaintext bytes. Error RMC01 where they are not of the kind.
Datum Decode(const KindInfo& info, ByteView plaintext);

// Whether the plain type's payload is the plaintext itself: bytea, and text in a UTF-8 database.
bool StoresPlaintextAsIs(const KindInfo& info);

// The plain type's text input. A refusal keeps its SQLSTATE and loses its message, which would
// quote the value into the log.
Datum ParsePlain(const KindInfo& info, char* text);
Datum ReceivePlain(const KindInfo& info, StringInfoData* buffer);

// NUL-terminated text of a plain value.
char* PrintPlain(const KindInfo& info, Datum value);

}  // namespace rampart::pg::types
