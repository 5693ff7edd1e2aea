// A jsonb as a value of the engine, without its text in between.
#pragma once

#include "pg/postgres.hpp"
#include "policy/value.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace rampart::pg::policy {

// The bounds are those of JSON text: error RMP04 for one that is too large or too deep, RMP05 for a
// number that is too large. A scalar is itself. REQUIRES: not TOASTed.
rampart::policy::Value ValueOf(Jsonb* json);

}  // namespace rampart::pg::policy
