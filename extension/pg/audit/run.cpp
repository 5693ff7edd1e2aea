#include "pg/audit/run.hpp"

#include <algorithm>

#include "error.hpp"
#include "pg/audit/columns.hpp"
#include "pg/audit/leaf.hpp"

extern "C" {
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"
}

namespace rampart::pg::audit {
namespace {

bool IsByTransaction(Relation index) {
    const auto* form = index->rd_index;
    return index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indnkeyatts == 2 &&
           form->indkey.values[0] == kXid + 1 && form->indkey.values[1] == kId + 1 &&
           RelationGetIndexPredicate(index) == NIL;
}

bool HasColumnsOfLog(Relation partition) {
    const Oid schema = get_namespace_oid("rampart", false);
    const Relation log = table_open(get_relname_relid("audit_log", schema), AccessShareLock);
    const TupleDesc ours = RelationGetDescr(partition);
    const TupleDesc whole = RelationGetDescr(log);
    bool same = ours->natts == kColumns && whole->natts == kColumns;
    for (int i = 0; same && i < kColumns; ++i)
        same = TupleDescAttr(ours, i)->atttypid == TupleDescAttr(whole, i)->atttypid;
    table_close(log, AccessShareLock);
    return same;
}

Relation OpenIndex(Relation partition) {
    ListCell* cell = nullptr;
    foreach (cell, RelationGetIndexList(partition)) {
        const Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        if (IsByTransaction(index)) return index;
        index_close(index, AccessShareLock);
    }
    return nullptr;
}

Position PositionArgument(FunctionCallInfo fcinfo, int first) {
    return {DatumGetUInt64(PG_GETARG_DATUM(first)), PG_GETARG_INT64(first + 1)};
}

const std::uint64_t* XidsArgument(FunctionCallInfo fcinfo, int number, int* count) {
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(number);
    Datum* values = nullptr;
    bool* nulls = nullptr;
    deconstruct_array(array, XID8OID, sizeof(std::uint64_t), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
                      &values, &nulls, count);
    auto* xids = static_cast<std::uint64_t*>(
        palloc(sizeof(std::uint64_t) * static_cast<std::size_t>(*count + 1)));
    for (int i = 0; i < *count; ++i) xids[i] = nulls[i] ? 0 : DatumGetUInt64(values[i]);
    std::sort(xids, xids + *count);
    return xids;
}

// (xid, id) >= or < a position, as an index understands it: a row comparison.
ScanKeyData Bound(ScanKeyData* members, StrategyNumber strategy, const Position& position) {
    ScanKeyInit(&members[0], 1, strategy, F_XID8CMP, UInt64GetDatum(position.xid));
    ScanKeyInit(&members[1], 2, strategy, F_BTINT8CMP, Int64GetDatum(position.id));
    members[0].sk_flags |= SK_ROW_MEMBER;
    members[1].sk_flags |= SK_ROW_MEMBER | SK_ROW_END;
    ScanKeyData key{};
    key.sk_flags = SK_ROW_HEADER;
    key.sk_attno = 1;
    key.sk_strategy = strategy;
    key.sk_argument = PointerGetDatum(members);
    return key;
}

}  // namespace

Run RunArgument(FunctionCallInfo fcinfo, int first) {
    Run run{};
    const DateADT month = PG_GETARG_DATEADT(first + 1);
    if (!IS_VALID_DATE(month)) throw Error(errc::kInvalidParameter, "a month must be finite");
    run.partition = PG_GETARG_OID(first);
    run.month = MonthOf(month * USECS_PER_DAY);
    run.lineage = PG_GETARG_INT64(first + 2);
    run.from = PositionArgument(fcinfo, first + 3);
    run.to = PositionArgument(fcinfo, first + 5);
    run.open = XidsArgument(fcinfo, first + 7, &run.open_count);
    return run;
}

void RunScan::Begin(const Run& run) {
    run_ = run;
    partition_ = try_table_open(run.partition, AccessShareLock);
    if (partition_ == nullptr || !HasColumnsOfLog(partition_))
        throw Error(errc::kInvalidParameter, "not a partition of rampart.audit_log");
    index_ = OpenIndex(partition_);
    if (index_ == nullptr) {
        throw Error(
            errc::kNotSealable, "a partition of the audit log has no index by (xid, id)", "",
            "A restore that is not finished has not made it yet. Otherwise: CREATE INDEX ON "
            "the partition (xid, id).");
    }
    slot_ = table_slot_create(partition_, nullptr);
    memory_ = AllocSetContextCreate(CurrentMemoryContext, "rampart leaves", ALLOCSET_DEFAULT_SIZES);
    // What is asked for was committed before this; what was committed since does not belong to it.
    PushActiveSnapshot(GetLatestSnapshot());
    scan_ = index_beginscan(partition_, index_, GetActiveSnapshot(), 2, 0);
    ScanKeyData keys[] = {Bound(from_, BTGreaterEqualStrategyNumber, run.from),
                          Bound(to_, BTLessStrategyNumber, run.to)};
    index_rescan(scan_, keys, 2, nullptr, 0);
}

bool RunScan::IsOpen(std::uint64_t xid) const {
    return std::binary_search(run_.open, run_.open + run_.open_count, xid);
}

bool RunScan::Belongs(TupleTableSlot* slot) const {
    slot_getsomeattrs(slot, kLineage + 1);
    return run_.month.Has(DatumGetTimestampTz(slot->tts_values[kAt])) &&
           DatumGetInt64(slot->tts_values[kLineage]) == run_.lineage &&
           !IsOpen(DatumGetUInt64(slot->tts_values[kXid]));
}

// The scan itself allocates, too, and keeps it: the memory that is reset is for leaves only.
int RunScan::Next(Leaf* leaves) {
    int count = 0;
    CHECK_FOR_INTERRUPTS();
    MemoryContextReset(memory_);
    while (count < kBatch && index_getnext_slot(scan_, ForwardScanDirection, slot_)) {
        if (!Belongs(slot_)) continue;
        const MemoryContext caller = MemoryContextSwitchTo(memory_);
        leaves[count].hash = LeafOf(slot_);
        MemoryContextSwitchTo(caller);
        leaves[count].position = {DatumGetUInt64(slot_->tts_values[kXid]),
                                  DatumGetInt64(slot_->tts_values[kId])};
        ++count;
    }
    return count;
}

void RunScan::End() {
    index_endscan(scan_);
    PopActiveSnapshot();
    ExecDropSingleTupleTableSlot(slot_);
    MemoryContextDelete(memory_);
    index_close(index_, AccessShareLock);
    table_close(partition_, AccessShareLock);
}

}  // namespace rampart::pg::audit
