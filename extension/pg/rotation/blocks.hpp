// A scan of a range of blocks of a table.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "access/tableam.h"
}

namespace rampart::pg::rotation {

// Blocks [first, end) under the active snapshot, as table_beginscan_tidrange does it, but with a
// buffer ring, as other scans of whole tables. REQUIRES: first < end. Error 0A000 where the table's
// access method has no such scan.
TableScanDesc ScanBlocks(Relation relation, BlockNumber first, BlockNumber end);

}  // namespace rampart::pg::rotation
