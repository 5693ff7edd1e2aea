// Numbers from a sequence, without what nextval() does to a session: lastval() goes on answering
// with the number of the row that the application has inserted, not of the entry that tells of it.
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"

namespace rampart::pg::audit {

// REQUIRES: a sequence with increment 1. No right is asked for. Numbers have gaps, as nextval's
// have.
std::int64_t NextNumber(Oid sequence);

}  // namespace rampart::pg::audit
