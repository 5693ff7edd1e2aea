// Comparison of encrypted values, as operators, operator classes and hashing use it.
#pragma once

#include "pg/postgres.hpp"

namespace rampart::pg::types {

// The statement that runs was planned before this library was loaded, so without the rewrite that
// ORDER BY and hashed comparisons rely on: refuses it with error RMT07. A preloaded library never does.
void RequirePlannedWithUs();
void NoteLoadedLate();  // from _PG_init

// An ANALYZE begins. It sorts and hashes what composite and array columns hold, randomised values among
// it; by their IVs then, because an error would leave the whole table without statistics.
void NoteAnalyzing();

}  // namespace rampart::pg::types
