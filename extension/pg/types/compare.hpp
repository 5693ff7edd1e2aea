// What all comparisons of encrypted values share: operators, operator classes, hashing.
//
// Equality of deterministic values is equality of their IVs: the IV is a keyed function of scope,
// kind and plaintext, and does not depend on the version of the key, so old and new rows meet while
// a scope's key is being rotated.
#pragma once

#include <cstring>

#include "pg/postgres.hpp"
#include "pg/types/value.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace rampart::pg::types {

// What a call site remembers between calls.
struct Site {
    std::uint64_t generation;  // of the keyring
    TimestampTz statement;     // the type cache's call sites live on
    // Hashing and sorting: the one scope whose values this site has seen.
    std::uint64_t seen_key_id;
    std::uint64_t seen_index_key;
    // The last held value that was given a token, and that token.
    std::uint64_t token_index_key;
    std::size_t held_size;
    std::uint8_t* held;
    std::uint8_t iv[Aead::kIvSize];
};

Site& SiteOf(FmgrInfo* function);

// Brings both sides to an IV. A held value beside one that has an IV (where no planner has passed:
// CHECK, partition bounds, operators called as functions) is given its token in that one's scope,
// once a call site. False: both are held. Errors RMT02, RMT03, 42501.
bool Resolve(FunctionCallInfo fcinfo, Identity* a, Identity* b);

// The order of the plaintexts of a function's two arguments. Right: decrypt.
int PlainOrder(FunctionCallInfo fcinfo);

// A value of an operator class. Where ciphertexts are compared as such, also a damaged one.
Identity IdentityToCompare(Datum value);

// A value that is hashed or sorted, and so has to have its IV already. Error RMT03 if the site has
// seen a value of another scope: the two would just never meet. Errors RMT02, RMT04.
Identity WithIv(Datum value, Site& site);

inline int CompareIv(const Identity& a, const Identity& b) {
    return std::memcmp(a.iv, b.iv, Aead::kIvSize);
}

// Error RMT02 under a collation in which different strings may be equal.
void RequireDeterministicCollation(Oid collation);
[[noreturn]] void ThrowUndetermined();

// Who compares ciphertexts as such, randomised ones and those of several scopes among them:
// ANALYZE, which would else leave a table without statistics, and logical replication that looks
// for a row by all its columns.
bool ComparesCiphertexts();
void NoteAnalyzing();  // an ANALYZE begins

// A library that is loaded by the first function called was not there when the statement was
// planned, and the rewrite that ORDER BY and hashed comparisons rely on has not seen it. Such a
// statement is refused with error RMT07, once a session. A preloaded library sees all.
void RequirePlannedWithUs();
void NoteLoaded();  // loaded now, and not before the session's first statement
void NoteSeen();    // a client's statement passes the hooks

}  // namespace rampart::pg::types
