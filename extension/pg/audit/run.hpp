// A run: entries that were sealed together, and stand side by side in the tree of their class.
//
// The sealer takes what has been committed since it last looked: transactions [from, to) but for
// those that were open then. Each of these is taken for itself when it has ended. A run is what
// they wrote in one month of a class, in the order of (xid, id); a long one is cut. So it says
// which entries are at which leaves without a mark on any of them, and it holds however long one
// transaction stays open.
//
// Both the sealer and the verifier read entries through RunScan. It is plain data: no destructor,
// so that it may live across calls of the server; errors leave the rest to the transaction's end.
#pragma once

#include <cstdint>

#include "pg/postgres.hpp"

#include "audit/merkle.hpp"
#include "pg/audit/month.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
}

namespace rampart::pg::audit {

// Where an entry stands in a run.
struct Position {
    std::uint64_t xid;  // with its epoch
    std::int64_t id;
};

struct Run {
    Oid partition;
    Month month;
    std::int64_t lineage;
    Position from;
    Position to;                // not part of it
    const std::uint64_t* open;  // transactions that are not part of it, in ascending order
    int open_count;
};

struct Leaf {
    Position position;
    rampart::audit::Hash hash;
};

// Arguments of the SQL functions that take a run: (partition regclass, month date, lineage int8,
// from_xid xid8, from_id int8, to_xid xid8, to_id int8, open xid8[]), none of them NULL, from
// argument `first` on.
Run RunArgument(FunctionCallInfo fcinfo, int first);

class RunScan {
  public:
    static constexpr int kBatch = 256;

    // Error RMA05 where the partition has no index by (xid, id).
    void Begin(const Run& run);
    // The next leaves, kBatch unless the end was reached.
    int Next(Leaf* leaves);
    void End();

  private:
    bool Belongs(TupleTableSlot* slot) const;
    bool IsOpen(std::uint64_t xid) const;

    Run run_;
    Relation partition_;
    Relation index_;
    IndexScanDesc scan_;
    TupleTableSlot* slot_;
    MemoryContext memory_;
    ScanKeyData from_[2];  // the scan points to them
    ScanKeyData to_[2];
};

}  // namespace rampart::pg::audit
