// A stored entry as a leaf of the Merkle tree: what docs/formats.md says of entries, done with
// PostgreSQL's types.
#pragma once

#include "pg/postgres.hpp"

#include "audit/merkle.hpp"

extern "C" {
#include "executor/tuptable.h"
}

namespace rampart::pg::audit {

// All attributes are read. Allocates in the current memory context; the caller resets it.
// REQUIRES: the slot has the columns of rampart.audit_log. Holds nothing with a destructor.
rampart::audit::Hash LeafOf(TupleTableSlot* slot);

}  // namespace rampart::pg::audit
