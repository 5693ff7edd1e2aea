// One encrypted value, brought under its scope's active key.
#pragma once

#include <cstdint>

#include "bytes.hpp"
#include "pg/postgres.hpp"
#include "pg/rotation/leaves.hpp"

namespace rampart::pg::rotation {

// How many values of the scope were seen, and how many were sealed anew.
struct Tally {
    std::int64_t seen;
    std::int64_t done;
};

// A stored ciphertext; `aad` is what it was encrypted with. Values of other scopes are left alone.
// No right is asked for: nothing is shown. Errors: RMC01, RMC02, RMK01 to RMK07.
Refreshed Refresh(std::uint32_t scope_tag, Datum value, ByteView aad, Tally* tally);

}  // namespace rampart::pg::rotation
