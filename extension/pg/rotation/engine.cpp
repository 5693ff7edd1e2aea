#include <cstring>

#include "pg/postgres.hpp"

#include "pg/rotation/engine.hpp"

#include "error.hpp"
#include "pg/boundary.hpp"
#include "pg/log_privacy.hpp"
#include "pg/rotation/column.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
}

namespace rampart::pg::rotation {
namespace {

// A batch that finds little to rewrite ends after this time.
constexpr int kMaxMilliseconds = 1000;

struct Work {
    const Range& range;
    Relation relation;
    EState* state;
    ResultRelInfo* result;
    TupleTableSlot* row;
    TupleTableSlot* rewritten;
    Column* columns;
    int column_count;
    MemoryContext row_context;
    TimestampTz deadline;
    Batch* batch;
};

// Errors that say something about one value; all others are the keyring's as a whole.
bool ConcernsValue(const Error& error) {
    static constexpr SqlState kCodes[] = {errc::kMalformedCiphertext, errc::kDecryptionFailed,
                                          errc::kWrongKind,           errc::kUnknownKey,
                                          errc::kKeyDisabled,         errc::kKeyDestroyed};
    for (const SqlState& code : kCodes) {
        if (code.view() == error.state().view()) return true;
    }
    return false;
}

void AddProblem(const Work& work, int column, const char* sqlstate, const char* message) {
    Batch& batch = *work.batch;
    if (batch.problems++ >= Batch::kMaxProblems) return;
    Problem& problem = batch.problem[batch.problems - 1];
    problem.row = work.row->tts_tid;
    problem.column = column;
    strlcpy(problem.text, sqlstate, sizeof problem.text);
    strlcat(problem.text, ": ", sizeof problem.text);
    strlcat(problem.text, message, sizeof problem.text);
}

// All columns of the row as they are, but what dropped columns have left behind: the new version
// has no need of it, and it may be plaintext from before a conversion.
void CopyRow(const Work& work) {
    slot_getallattrs(work.row);
    const auto columns = static_cast<std::size_t>(work.row->tts_tupleDescriptor->natts);
    std::memcpy(work.rewritten->tts_values, work.row->tts_values, columns * sizeof(Datum));
    std::memcpy(work.rewritten->tts_isnull, work.row->tts_isnull, columns * sizeof(bool));
    for (std::size_t i = 0; i < columns; ++i) {
        if (TupleDescAttr(work.row->tts_tupleDescriptor, i)->attisdropped)
            work.rewritten->tts_isnull[i] = true;
    }
}

// The new value of one column into the rewritten row, which begins as a copy; whether it differs.
bool RewriteValue(const Work& work, int number, bool copied) {
    const Column& column = work.columns[number];
    ExprContext* context = GetPerTupleExprContext(work.state);
    Failure failure{};
    try {
        const Refreshed refreshed = NewValue(column, work.range.scope_tag, work.row, context);
        if (!refreshed.changed) return false;
        if (!copied) CopyRow(work);
        work.rewritten->tts_values[column.number - 1] = refreshed.value;
        work.rewritten->tts_isnull[column.number - 1] = false;
        return true;
    } catch (const Error& error) {
        if (!ConcernsValue(error)) throw;
        strlcpy(failure.sqlstate, error.state().code, sizeof failure.sqlstate);
        strlcpy(failure.message, error.what(), sizeof failure.message);
    }
    AddProblem(work, number, failure.sqlstate, failure.message);
    return false;
}

bool Update(const Work& work) {
    TM_FailureData failure;
    LockTupleMode lock_mode = LockTupleNoKeyExclusive;
    bool update_indexes = false;
    // A block full of locked rows must not take for ever either.
    const bool wait = work.range.patient && GetCurrentTimestamp() < work.deadline;
    ExecStoreVirtualTuple(work.rewritten);
    const TM_Result result = table_tuple_update(
        work.relation, &work.row->tts_tid, work.rewritten, GetCurrentCommandId(true),
        work.state->es_snapshot, InvalidSnapshot, wait, &failure, &lock_mode, &update_indexes);
    if (result != TM_Ok) return false;
    if (update_indexes && work.result->ri_NumIndices > 0) {
        list_free(ExecInsertIndexTuples(work.result, work.rewritten, work.state, true, false,
                                        nullptr, NIL));
    }
    return true;
}

void RewriteRow(const Work& work) {
    ExecClearTuple(work.rewritten);
    bool changed = false;
    for (int i = 0; i < work.column_count; ++i) changed |= RewriteValue(work, i, changed);
    if (changed) ++*(Update(work) ? &work.batch->rows_done : &work.batch->rows_left);
}

// A message may quote a value (of an index expression, say), unless it is about the storage.
void AddFailure(const Work& work, const Failure& failure) {
    if (std::strcmp(failure.sqlstate, "55P03") == 0) {
        ++work.batch->rows_left;
        return;
    }
    const bool is_storage = std::strncmp(failure.sqlstate, "XX", 2) == 0;
    AddProblem(work, -1, failure.sqlstate, is_storage ? failure.message : "cannot be rewritten");
}

void RewriteRowPatiently(const Work& work) {
    Failure failure{};
    if (!TryInSubtransaction([&] { RewriteRow(work); }, &failure)) AddFailure(work, failure);
}

void Scan(Work& work) {
    ItemPointerData first;
    ItemPointerData last;
    ItemPointerSet(&first, work.range.first, FirstOffsetNumber);
    ItemPointerSet(&last, work.range.end - 1, MaxOffsetNumber);
    // As table_beginscan_tidrange does, but with a buffer ring, as other scans of whole tables.
    TableScanDesc scan = work.relation->rd_tableam->scan_begin(
        work.relation, work.state->es_snapshot, 0, nullptr, nullptr,
        SO_TYPE_TIDRANGESCAN | SO_ALLOW_STRAT | SO_ALLOW_PAGEMODE);
    work.relation->rd_tableam->scan_set_tidrange(scan, &first, &last);
    BlockNumber block = work.range.first;
    work.batch->next = work.range.end;
    while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, work.row)) {
        const BlockNumber here = ItemPointerGetBlockNumber(&work.row->tts_tid);
        if (here != block && (work.batch->rows_done >= work.range.max_rows ||
                              GetCurrentTimestamp() >= work.deadline)) {
            work.batch->next = here;
            break;
        }
        block = here;
        ++work.batch->rows_seen;
        const MemoryContext caller = MemoryContextSwitchTo(work.row_context);
        work.range.patient ? RewriteRowPatiently(work) : RewriteRow(work);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(work.row_context);
        ResetPerTupleExprContext(work.state);
    }
    table_endscan(scan);
}

void RequireRewritable(Relation relation) {
    if (relation->rd_tableam->scan_set_tidrange == nullptr) {
        throw Error(errc::kUnsupported, "the table's access method cannot be rewritten in place",
                    "", "Re-encrypt with an UPDATE of its own.");
    }
    // A published table needs a replica identity, or its subscribers stop.
    CheckCmdReplicaIdentity(relation, CMD_UPDATE);
}

}  // namespace

Batch* Rewrite(const Range& range, ColumnTask* tasks, int count) {
    auto* batch = static_cast<Batch*>(palloc0(sizeof(Batch)));
    Relation relation = table_open(range.relation, NoLock);
    RequireRewritable(relation);
    log_privacy::Touch();

    Oid user = InvalidOid;
    int security = 0;
    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(relation->rd_rel->relowner, security | SECURITY_RESTRICTED_OPERATION);
    const int nesting = NewGUCNestLevel();

    Work work{range,
              relation,
              CreateExecutorState(),
              makeNode(ResultRelInfo),
              nullptr,
              nullptr,
              static_cast<Column*>(palloc(static_cast<std::size_t>(count) * sizeof(Column))),
              count,
              AllocSetContextCreate(CurrentMemoryContext, "rampart row", ALLOCSET_DEFAULT_SIZES),
              TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kMaxMilliseconds),
              batch};
    InitResultRelInfo(work.result, relation, 0, nullptr, 0);
    ExecOpenIndices(work.result, false);
    work.row = table_slot_create(relation, nullptr);
    work.rewritten = MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsVirtual);
    work.state->es_snapshot = GetActiveSnapshot();
    for (int i = 0; i < count; ++i) OpenColumn(&work.columns[i], &tasks[i], relation, work.state);

    batch->next = range.end;
    if (range.first < range.end) Scan(work);

    ExecDropSingleTupleTableSlot(work.row);
    ExecDropSingleTupleTableSlot(work.rewritten);
    ExecCloseIndices(work.result);
    FreeExecutorState(work.state);
    MemoryContextDelete(work.row_context);
    AtEOXact_GUC(false, nesting);
    SetUserIdAndSecContext(user, security);
    table_close(relation, NoLock);
    return batch;
}

}  // namespace rampart::pg::rotation
