#include "pg/postgres.hpp"

#include "pg/rotation/engine.hpp"

#include "pg/as_owner.hpp"
#include "pg/log_privacy.hpp"
#include "pg/rotation/blocks.hpp"
#include "pg/rotation/row.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::rotation {
namespace {

// A batch that finds little to rewrite ends after this time, in the first round.
constexpr int kMaxMilliseconds = 1000;

// Somebody wants a row that this transaction has rewritten, or to pause it.
bool IsWaitedFor() {
    for (const TransactionId xid : {GetTopTransactionIdIfAny(), GetCurrentTransactionIdIfAny()}) {
        if (!TransactionIdIsValid(xid)) continue;
        LOCKTAG tag;
        SET_LOCKTAG_TRANSACTION(tag, xid);
        if (LockHasWaiters(&tag, ExclusiveLock, false)) return true;
    }
    return false;
}

// Asked between two blocks.
bool IsEnough(const Work& work, TimestampTz deadline) {
    const Batch& batch = *work.batch;
    if (batch.rows_done >= work.range.max_rows || batch.problems >= Batch::kManyProblems ||
        IsWaitedFor()) {
        return true;
    }
    const bool found_nothing = batch.rows_done == 0 && batch.rows_left == 0;
    return !(work.range.checking && found_nothing) && GetCurrentTimestamp() >= deadline;
}

void Scan(const Work& work, MemoryContext row_context) {
    const TimestampTz deadline =
        TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kMaxMilliseconds);
    TableScanDesc scan = ScanBlocks(work.relation, work.range.first, work.range.end);
    BlockNumber block = work.range.first;
    while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, work.row)) {
        const BlockNumber here = ItemPointerGetBlockNumber(&work.row->tts_tid);
        if (here != block && IsEnough(work, deadline)) {
            work.batch->next = here;
            work.batch->finished = false;
            break;
        }
        block = here;
        ++work.batch->rows_seen;
        const MemoryContext caller = MemoryContextSwitchTo(row_context);
        RewriteRow(work);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(row_context);
        ResetPerTupleExprContext(work.state);
    }
    table_endscan(scan);
}

}  // namespace

Batch* Rewrite(const Range& range, ColumnTask* tasks, int count) {
    auto* batch = static_cast<Batch*>(palloc0(sizeof(Batch)));
    Relation relation = table_open(range.relation, NoLock);
    // A published table needs a replica identity, or its subscribers stop.
    CheckCmdReplicaIdentity(relation, CMD_UPDATE);
    log_privacy::Touch();

    const Caller caller = BecomeOwner(relation->rd_rel->relowner);
    const MemoryContext row_context =
        AllocSetContextCreate(CurrentMemoryContext, "rampart row", ALLOCSET_DEFAULT_SIZES);
    Work work{range,
              relation,
              CreateExecutorState(),
              makeNode(ResultRelInfo),
              nullptr,
              nullptr,
              static_cast<Column*>(palloc(static_cast<std::size_t>(count) * sizeof(Column))),
              count,
              batch};
    InitResultRelInfo(work.result, relation, 0, nullptr, 0);
    ExecOpenIndices(work.result, false);
    work.row = table_slot_create(relation, nullptr);
    work.rewritten = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);
    work.state->es_snapshot = GetActiveSnapshot();
    for (int i = 0; i < count; ++i) OpenColumn(&work.columns[i], &tasks[i], relation, work.state);

    batch->next = range.end;
    batch->finished = true;
    if (range.first < range.end) Scan(work, row_context);

    ExecDropSingleTupleTableSlot(work.row);
    ExecDropSingleTupleTableSlot(work.rewritten);
    ExecCloseIndices(work.result);
    FreeExecutorState(work.state);
    MemoryContextDelete(row_context);
    ReturnTo(caller);
    table_close(relation, NoLock);
    return batch;
}

}  // namespace rampart::pg::rotation
