// Comparison of encrypted values, as operators, operator classes and hashing use it.
#pragma once

#include "pg/postgres.hpp"

namespace rampart::pg::types {

// The statement that runs was planned before this library was loaded, so without the rewrite that
// ORDER BY and hashed comparisons rely on: refuses it with error RMT07. A preloaded library never does.
void RequirePlannedWithUs();
void NoteLoadedLate();  // from _PG_init

}  // namespace rampart::pg::types
