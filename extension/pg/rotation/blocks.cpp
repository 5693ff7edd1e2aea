#include "pg/postgres.hpp"

#include "pg/rotation/blocks.hpp"

#include "error.hpp"

extern "C" {
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace rampart::pg::rotation {

TableScanDesc ScanBlocks(Relation relation, BlockNumber first, BlockNumber end) {
    const TableAmRoutine& method = *relation->rd_tableam;
    if (method.scan_set_tidrange == nullptr) {
        throw Error(errc::kUnsupported, "the table's access method cannot be rewritten in place",
                    "", "Re-encrypt with an UPDATE of its own.");
    }
    ItemPointerData low;
    ItemPointerData high;
    ItemPointerSet(&low, first, FirstOffsetNumber);
    ItemPointerSet(&high, end - 1, MaxOffsetNumber);
    TableScanDesc scan =
        method.scan_begin(relation, GetActiveSnapshot(), 0, nullptr, nullptr,
                          SO_TYPE_TIDRANGESCAN | SO_ALLOW_STRAT | SO_ALLOW_PAGEMODE);
    method.scan_set_tidrange(scan, &low, &high);
    return scan;
}

}  // namespace rampart::pg::rotation
