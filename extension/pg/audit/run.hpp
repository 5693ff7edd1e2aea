// A run: entries that were sealed together, and stand side by side in the tree of their class.
//
// The sealer takes what has been committed since it last looked: transactions [from, to) but for
// those that were open then, and of those that were open before, the ones that have ended since
// (late). A run is what these wrote in one month of a class, in the order of (xid, id). It says
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

// Transactions by their 64-bit ids; the lists are in ascending order.
struct Transactions {
    std::uint64_t from;
    std::uint64_t to;
    const std::uint64_t* late;  // all below from
    int late_count;
    const std::uint64_t* open;  // of [from, to), not part of it
    int open_count;
};

struct Run {
    Oid partition;
    std::int64_t system;
    Month month;
    Transactions transactions;
};

struct Leaf {
    std::int64_t id;
    rampart::audit::Hash hash;
};

// Arguments of the SQL functions that take a run: (partition regclass, month date, system int8,
// from xid8, to xid8, late xid8[], open xid8[]), none of them NULL, from argument `first` on.
Run RunArgument(FunctionCallInfo fcinfo, int first);
inline constexpr int kRunArguments = 7;

class RunScan {
  public:
    static constexpr int kBatch = 256;

    // Error RMA05 where the partition has no index by (xid, id).
    void Begin(const Run& run);
    // The next leaves, kBatch unless the end was reached.
    int Next(Leaf* leaves);
    void End();

  private:
    bool NextRange();
    bool Belongs(TupleTableSlot* slot) const;
    bool IsOpen(std::uint64_t xid) const;

    Run run_;
    Relation partition_;
    Relation index_;
    IndexScanDesc scan_;
    TupleTableSlot* slot_;
    MemoryContext memory_;
    int next_late_;
    bool in_range_;
};

}  // namespace rampart::pg::audit
